#include "src/onnx/tidy.h"

#include <algorithm>
#include <cstring>
#include <set>

namespace chalk::onnx {
namespace {

/// The extents of such a reshape's result. 0 is the operand's extent at that place, −1 what is left.
std::vector<std::int64_t> reshaped(const Initializer& tensor, const Initializer& shape) {
  std::vector<std::int64_t> extents(shape.bytes.size() / sizeof(std::int64_t));
  std::memcpy(extents.data(), shape.bytes.data(), shape.bytes.size());
  std::int64_t all = 1, known = 1;
  for (const auto extent : tensor.extents) all *= extent;
  for (std::size_t i = 0; i < extents.size(); ++i) {
    if (extents[i] == 0) extents[i] = tensor.extents[i];
    if (extents[i] > 0) known *= extents[i];
  }
  std::ranges::replace(extents, std::int64_t{-1}, all / known);
  return extents;
}

}  // namespace

void tidy(Model& model) {
  std::map<std::string, std::size_t> held;  // tensors whose numbers no run can change
  for (std::size_t i = 0; i < model.initializers.size(); ++i) held[model.initializers[i].name] = i;
  for (const auto& port : model.inputs) held.erase(port.name);
  std::erase_if(model.calls, [&](const OperatorCall& call) {
    if (call.op != "Reshape" || !held.contains(call.inputs[0]) || !held.contains(call.inputs[1])) return false;
    auto tensor = model.initializers[held[call.inputs[0]]];
    tensor.extents = reshaped(tensor, model.initializers[held[call.inputs[1]]]);
    tensor.name = call.outputs[0];
    held[tensor.name] = model.initializers.size();
    model.initializers.push_back(std::move(tensor));
    return true;
  });
  std::set<std::string> used;
  for (const auto& call : model.calls) used.insert(call.inputs.begin(), call.inputs.end());
  for (const auto& port : model.inputs) used.insert(port.name);
  std::erase_if(model.initializers, [&](const Initializer& tensor) { return !used.contains(tensor.name); });
}

}  // namespace chalk::onnx
