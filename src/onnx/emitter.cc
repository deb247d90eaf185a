#include "src/onnx/emitter.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "chalkgrad/error.h"
#include "src/base/text.h"
#include "src/ir/leaves.h"

namespace chalk::onnx {
Emitter::Emitter(const Graph& graph, Model& model, Leaf leaf) : graph_(graph), model_(model), leaf_(std::move(leaf)) {
  for (NodeId id = 0; id < graph.size(); ++id) {
    if (!graph.node(id).name.empty()) names_.insert(graph.node(id).name);
  }
}

Emitter::Recipe Emitter::recipe_of(NodeId id) const {
  for (const auto* composite : composites()) {
    if (auto operands = composite->match(graph_, id); !operands.empty()) return {composite, std::move(operands)};
  }
  const auto& node = graph_.node(id);
  const auto& translation = translation_of(*node.op);
  if (translation.match) {
    if (auto operands = translation.match(graph_, id); !operands.empty()) return {&translation, std::move(operands)};
  }
  return {&translation, node.inputs};
}

std::string Emitter::operand(NodeId id) {
  if (const auto found = written_.find(id); found != written_.end()) return found->second;
  const auto before = std::exchange(now_, id);
  const auto& node = graph_.node(id);
  std::string name;
  if (is_leaf(*node.op) && node.op != &op_constant && node.op != &op_batch_size) {
    name = leaf_(id);
  } else {
    const auto recipe = recipe_of(id);
    const auto first = model_.calls.size();
    name = recipe.translation->write(*this, id, recipe.operands);
    if (!node.name.empty() && !reserved_.contains(node.name) && rename(first, name, node.name)) name = node.name;
  }
  now_ = before;
  written_.emplace(id, name);
  return name;
}

/// Gives a tensor, made by a call from the `first` on, another name. False if there is none, or
/// if an earlier value is that tensor, too.
bool Emitter::rename(std::size_t first, const std::string& from, const std::string& to) {
  const auto is_it = [&](const auto& value) { return value.second == from; };
  if (std::ranges::any_of(written_, is_it)) return false;
  const auto makes_it = [&](const OperatorCall& call) {
    return std::ranges::find(call.outputs, from) != call.outputs.end();
  };
  const auto begin = model_.calls.begin() + static_cast<std::ptrdiff_t>(first);
  if (std::none_of(begin, model_.calls.end(), makes_it)) return false;
  for (auto call = begin; call != model_.calls.end(); ++call) {
    std::ranges::replace(call->outputs, from, to);
    std::ranges::replace(call->inputs, from, to);
  }
  for (auto& [key, made] : made_) {
    if (made == from) made = to;
  }
  return true;
}

void Emitter::write(std::span<const NodeId> wanted) {
  std::vector<bool> needed(static_cast<std::size_t>(graph_.size()));
  for (const auto id : wanted) needed[static_cast<std::size_t>(id)] = true;
  for (NodeId id = graph_.size(); id-- > 0;) {
    if (!needed[static_cast<std::size_t>(id)] || is_leaf(*graph_.node(id).op) || written_.contains(id)) continue;
    for (const auto operand : recipe_of(id).operands) needed[static_cast<std::size_t>(operand)] = true;
  }
  for (NodeId id = 0; id < graph_.size(); ++id) {
    if (needed[static_cast<std::size_t>(id)]) operand(id);
  }
}

std::string Emitter::batched_operand(NodeId id) {
  auto name = operand(id);
  if (type(id).batched) return name;
  Ints shape{1};
  shape.insert(shape.end(), type(id).shape.begin(), type(id).shape.end());
  return call("Expand", {reshape(name, shape), batch_of(type(id).shape)});
}

std::string Emitter::aligned_operand(NodeId id, std::size_t rank) {
  auto name = operand(id);
  const auto& [shape, batched] = type(id);
  if (!batched || shape.size() >= rank) return name;
  Ints longer(rank + 1 - shape.size(), 1);
  longer[0] = 0;
  longer.insert(longer.end(), shape.begin(), shape.end());
  return reshape(name, longer);
}

std::string Emitter::fresh() {
  for (;;) {
    const auto name = str("v", now_, ".", counter_++);
    if (names_.insert(name).second) return name;
  }
}

void Emitter::reserve(const std::string& name) {
  for (NodeId id = 0; id < graph_.size(); ++id) {
    if (is_leaf(*graph_.node(id).op) && graph_.node(id).name == name)
      throw InputError(str(name, " would be an input and an output of the file; give the layer another name"));
  }
  names_.insert(name);
  reserved_.insert(name);
}

Names Emitter::call(std::size_t results, std::string_view op, Names inputs, CallAttributes attributes) {
  Names outputs;
  for (std::size_t i = 0; i < results; ++i) outputs.push_back(fresh());
  model_.calls.push_back({std::string(op), std::move(inputs), outputs, std::move(attributes)});
  return outputs;
}

std::string Emitter::call(std::string_view op, Names inputs, CallAttributes attributes) {
  return call(1, op, std::move(inputs), std::move(attributes)).front();
}

std::string Emitter::once(const std::string& key, const std::function<std::string()>& make) {
  const auto found = made_.find(key);
  return found != made_.end() ? found->second : made_[key] = make();
}

std::string Emitter::initializer(Initializer tensor) {
  if (tensor.name.empty()) tensor.name = fresh();
  model_.initializers.push_back(std::move(tensor));
  return model_.initializers.back().name;
}

std::string Emitter::ints(const Ints& numbers) {
  return once(str("ints ", to_string(numbers)),
              [&] { return initializer(whole_numbers("", {std::ssize(numbers)}, numbers)); });
}

std::string Emitter::number(double value) {
  const auto rounded = static_cast<float>(value);
  return once(str("number ", std::bit_cast<std::uint32_t>(rounded)),
              [&] { return initializer(floats("", {}, std::span(&rounded, 1))); });
}

std::string Emitter::batch() {
  return once("batch", [&] {
    for (NodeId id = 0; id < graph_.size(); ++id) {
      const auto& input = graph_.node(id);
      if (input.op == &op_input && input.type.batched && !is_noise(input))
        return call("Shape", {operand(id)}, {{"start", std::int64_t{0}}, {"end", std::int64_t{1}}});
    }
    throw InputError("the graph has no input of samples, so there is nothing that says how many there are");
  });
}

std::string Emitter::batch_of(const Ints& shape) {
  return call("Concat", {batch(), ints(shape)}, {{"axis", std::int64_t{0}}});
}

std::string Emitter::zeros(const Type& of) {
  return call("Expand", {number(0), of.batched ? batch_of(of.shape) : ints(of.shape)});
}

std::string Emitter::reshape(const std::string& tensor, const Ints& shape) {
  return call("Reshape", {tensor, ints(shape)});
}

Ints Emitter::shape_of(const Type& type) {
  Ints shape = type.shape;
  if (type.batched) shape.insert(shape.begin(), 0);
  return shape;
}

std::string Emitter::reduce(std::string_view op, const std::string& tensor, const Ints& axes, bool keep) {
  const std::int64_t keepdims = keep ? 1 : 0;
  if (model_.opset >= 18 || op == "ReduceSum") return call(op, {tensor, ints(axes)}, {{"keepdims", keepdims}});
  return call(op, {tensor}, {{"axes", axes}, {"keepdims", keepdims}});
}

}  // namespace chalk::onnx
