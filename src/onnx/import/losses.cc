// Losses of classes that the file knows: of one tensor, all of whose samples are there.
#include <algorithm>

#include "src/base/text.h"
#include "src/onnx/import/moves.h"

namespace chalk::onnx {
namespace {

/// −Σ weight · log-probability of the class, over places [samples, …]; axis 1 of x are the classes.
Value of_classes(Importer& to, const FileNode& node, Value x) {
  const auto targets = whole_numbers(to, node, 1, "the classes");
  const auto* ignored = node.attribute("ignore_index");
  const auto classes = static_cast<std::size_t>(x.shape()[1]);
  const auto inner = static_cast<std::size_t>(product(std::span(x.shape()).subspan(2)));
  const auto samples = static_cast<std::size_t>(x.shape()[0]);
  if (targets.size() != samples * inner)
    to.fail(node, str("has ", targets.size(), " classes for ", samples * inner, " places"));
  const Known* weights = Importer::has(node, 2) ? &to.required(node, 2, "the weights") : nullptr;
  if (weights && weights->size() != classes) to.fail(node, "has other numbers of weights and classes");
  std::vector<float> chosen(room_for(x.shape()));
  double sum = 0;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const auto target = targets[i];
    if (ignored && target == ignored->whole) continue;
    if (target < 0 || target >= static_cast<std::int64_t>(classes))
      to.fail(node, str("class ", target, " of ", classes));
    const auto c = static_cast<std::size_t>(target);
    const auto weight = weights ? weights->at(c) : 1;
    chosen[(i / inner * classes + c) * inner + i % inner] = static_cast<float>(-weight);
    sum += weight;
  }
  const Value factors = to.fixed("classes", x.shape(), std::move(chosen));
  const Value each = to.operation(node, "select", {factors, to.operation(node, "mul", {factors, x}), to.number(0)});
  const auto reduction = to.text(node, "reduction", "mean");
  if (reduction == "none") return reduced(to, node, "sum", each, {1}, /*keeps=*/false);
  const Value all = to.operation(node, "sum", {each});
  return reduction == "sum" ? all : to.operation(node, "div", {all, to.number(sum)});
}

Value whole(Importer& to, const FileNode& node) {
  const Value x = to.value(node, 0);
  if (to.lead(x) == 1)
    to.fail(node, "is a loss; export the network alone, and choose the loss when it is trained (--loss)");
  if (x.shape().size() < 2) to.fail(node, "its operand must be samples × classes");
  return x;
}

}  // namespace

void import_NegativeLogLikelihoodLoss(Importer& to, const FileNode& node) {
  to.define(node, 0, of_classes(to, node, whole(to, node)));
}

void import_SoftmaxCrossEntropyLoss(Importer& to, const FileNode& node) {
  const Value logarithms = to.operation(node, "log_softmax", {whole(to, node)}, "axis = 1\n");
  to.define(node, 0, of_classes(to, node, logarithms));
  to.define(node, 1, logarithms);
}

}  // namespace chalk::onnx
