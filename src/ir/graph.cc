#include "chalkgrad/graph.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <stdexcept>

#include "chalkgrad/error.h"
#include "src/base/text.h"
#include "src/ir/checks.h"
#include "src/ir/leaves.h"

namespace chalk {

const Type& Value::type() const { return graph_->node(id_).type; }
const std::string& Value::name() const { return graph_->node(id_).name; }

Init Init::he(std::int64_t fan_in) {
  check_fan("fan_in", fan_in);
  return {Kind::normal, std::sqrt(2.0 / static_cast<double>(fan_in))};
}
Init Init::glorot(std::int64_t fan_in, std::int64_t fan_out) {
  check_fan("fan_in", fan_in);
  check_fan("fan_out", fan_out);
  return {Kind::uniform, std::sqrt(6.0 / static_cast<double>(fan_in + fan_out))};
}

namespace {

// 2^40 elements are beyond any machine this runs on, and products of extents below it cannot overflow.
constexpr std::int64_t kMostElements = std::int64_t{1} << 40;

}  // namespace

void check_shape(const Shape& shape, const std::string& what) {
  std::int64_t n = 1;
  for (const auto extent : shape) {
    if (extent < 1)
      throw ShapeError(str(what, ": extent ", extent, " in ", to_string(shape), "; every extent must be at least 1"));
    if (extent > kMostElements / n)
      throw ShapeError(str(what, ": ", to_string(shape), " is too large to compute with"));
    n *= extent;
  }
}

std::string not_a_map(const Shape& shape) {
  return str("takes channels × rows × columns, not ", to_string(shape), "; reshape the input to three axes");
}

std::string not_divided(std::int64_t groups, std::int64_t channels, std::int64_t filters) {
  return str(groups, " groups do not divide ", channels, " channels into ", filters, " filters; use a divisor of both");
}

void check_fan(const std::string& what, std::int64_t fan) {
  if (fan < 1) throw InputError(str(what, " is ", fan, "; it counts connections and must be at least 1"));
}

void fail_before_main() {
  throw std::logic_error("a network or graph is made before main() begins; make it in a function");
}

namespace {

/// "conv2d: " or "conv2 (conv2d): ", and where the inputs come from, for a message that a shape rule raised.
std::string where(const std::string& layer, const Op& op) {
  const std::string name(op.name.value);
  return layer.empty() || layer == name ? name + ": " : layer + ": ";
}

std::string origins(const std::string& layer, std::span<const Value> inputs) {
  std::string text;
  for (const auto& input : inputs) {
    const Node& node = input.graph().node(input.id());
    if (node.layer == layer && node.name.empty()) continue;
    if (node.op == &op_parameter && node.layer == layer) continue;
    const std::string& from = node.name.empty() ? node.layer : node.name;
    if (!from.empty() && text.find(from) == std::string::npos) text += (text.empty() ? " (from " : ", ") + from;
  }
  return text.empty() ? text : text + ")";
}

}  // namespace

Value Graph::append(Node node) {
  if (!node.name.empty()) {
    if (names_.contains(node.name)) {
      throw InputError(str("the graph has a value named \"", node.name, "\" already; names must be different"));
    }
    names_.emplace(node.name, size());
  }
  nodes_.push_back(std::move(node));
  return {*this, size() - 1};
}

Value Graph::input(std::string name, Shape shape, bool distribution) {
  check_shape(shape, "input " + name);
  Type type{shape, true};
  return append({&op_input,
                 InputAttributes{std::move(shape), true, distribution, false},
                 {},
                 std::move(type),
                 std::move(name),
                 {}});
}

Value Graph::noise(std::string name, Shape shape) {
  if (name.empty()) throw InputError("noise needs a name; its numbers depend on it");
  check_shape(shape, "noise " + name);
  Type type{shape, true};
  return append(
      {&op_input, InputAttributes{std::move(shape), true, false, true}, {}, std::move(type), std::move(name), layer_});
}

Value Graph::shared_input(std::string name, Shape shape) {
  check_shape(shape, "input " + name);
  Type type{shape, false};
  return append(
      {&op_input, InputAttributes{std::move(shape), false, false, false}, {}, std::move(type), std::move(name), {}});
}

Value Graph::parameter(std::string name, Shape shape, Init init, bool trainable, ParameterRole role) {
  if (name.empty()) throw InputError("a parameter needs a name; its weights are saved under it");
  check_shape(shape, "parameter " + name);
  if (!(std::abs(init.value) <= Init::kMost)) {
    throw InputError(str("parameter ", name, " would start from the number ", init.value, "; use one from -",
                         Init::kMost, " to ", Init::kMost));
  }
  Type type{shape, false};
  return append({&op_parameter,
                 ParameterAttributes{std::move(shape), trainable, init, role},
                 {},
                 std::move(type),
                 std::move(name),
                 layer_});
}

Value Graph::constant(double value, Shape shape) {
  check_shape(shape, "constant");
  Type type{shape, false};
  return append({&op_constant, ConstantAttributes{value, std::move(shape)}, {}, std::move(type), {}, {}});
}

Value Graph::batch_size() { return append({&op_batch_size, {}, {}, {{}, false}, {}, {}}); }

Value Graph::apply(const Op& op, Attributes attributes, std::span<const Value> inputs) {
  if (!op.infer.value) fail_before_main();
  const auto arity = op.arity.value;
  if (arity >= 0 ? inputs.size() != static_cast<std::size_t>(arity) : inputs.empty()) {
    throw ShapeError(str(where(layer_, op), op.name.value, " takes ", arity < 0 ? "one or more" : std::to_string(arity),
                         " inputs, not ", inputs.size()));
  }
  Node node{&op, std::move(attributes), {}, {}, {}, layer_};
  std::vector<Type> types;
  for (const auto& input : inputs) {
    if (!input || &input.graph() != this) {
      throw std::logic_error(str(where(layer_, op), "an input is not a value of this graph"));
    }
    node.inputs.push_back(input.id());
    types.push_back(input.type());
  }
  try {
    node.type = op.infer.value(node.attributes, types);
    check_shape(node.type.shape, std::string(op.name.value));
  } catch (const ShapeError& e) {
    throw ShapeError(where(layer_, op) + e.what() + origins(layer_, inputs));
  }
  return append(std::move(node));
}

void Graph::name(Value value, std::string name) {
  auto& node = nodes_[static_cast<std::size_t>(value.id())];
  if (names_.contains(name))
    throw InputError(str("the graph has a value named \"", name, "\" already; names must be different"));
  if (!node.name.empty()) names_.erase(node.name);
  names_.emplace(name, value.id());
  node.name = std::move(name);
}

Value Graph::find(std::string_view name) {
  const auto found = names_.find(name);
  return found == names_.end() ? Value() : value(found->second);
}

std::vector<Value> Graph::parameters() {
  std::vector<Value> found;
  for (NodeId id = 0; id < size(); ++id) {
    const Node& n = node(id);
    if (n.op == &op_parameter && n.attributes.as<ParameterAttributes>().trainable) found.push_back(value(id));
  }
  return found;
}

void Graph::output(std::string name, Value value) { outputs_.emplace_back(std::move(name), value.id()); }

void Graph::update(Value parameter, Value next) {
  if (node(parameter.id()).op != &op_parameter) throw std::logic_error("only a parameter can be updated");
  if (parameter.type() != next.type()) {
    throw ShapeError(str("update of ", parameter.name(), ": it is ", to_string(parameter.type()),
                         " but its next value is ", to_string(next.type())));
  }
  updates_.emplace_back(parameter.id(), next.id());
}

void Graph::training_substitute(Value value, Value substitute) {
  if (value.type() != substitute.type()) {
    const std::string& name = value.name();
    throw ShapeError(str(name.empty() ? str("%", value.id()) : name, " is ", to_string(value.type()),
                         " but its substitute in training is ", to_string(substitute.type())));
  }
  if (!training_substitutes_.emplace(value.id(), substitute.id()).second)
    throw std::logic_error(str("%", value.id(), " has a substitute in training already"));
}

void Graph::running_average(Value parameter, Value batch, Value estimate, double momentum, std::int64_t places) {
  const Node& leaf = node(parameter.id());
  if (leaf.op != &op_parameter || leaf.attributes.as<ParameterAttributes>().trainable)
    throw std::logic_error("only a parameter that is not trainable can be a running average");
  for (const auto& value : {batch, estimate}) {
    if (value.type() == leaf.type) continue;
    throw ShapeError(str("running average ", parameter.name(), ": it is ", to_string(leaf.type), " but the batch's is ",
                         to_string(value.type())));
  }
  training_substitute(parameter, batch);
  running_averages_.push_back({parameter.id(), estimate.id(), momentum, places});
}

std::string Graph::print() const {
  TextStream out;
  const auto reference = [&](NodeId id) {
    const auto& name = node(id).name;
    return name.empty() ? str("%", id) : str("%", id, " ", name);
  };
  for (NodeId id = 0; id < size(); ++id) {
    const Node& n = node(id);
    out << reference(id) << " : " << to_string(n.type) << " = " << n.op->name.value;
    if (!n.inputs.empty()) {
      out << "(";
      for (std::size_t i = 0; i < n.inputs.size(); ++i) out << (i ? ", " : "") << reference(n.inputs[i]);
      out << ")";
    }
    const std::string attributes = to_string(n.attributes, n.op->attributes.value);
    if (!attributes.empty()) out << " " << attributes;
    if (!n.layer.empty()) out << "  # " << n.layer;
    out << "\n";
  }
  for (const auto& [name, id] : outputs_) out << "output " << name << " = " << reference(id) << "\n";
  for (const auto& [leaf, next] : updates_) out << "update " << reference(leaf) << " := " << reference(next) << "\n";
  for (const auto& [value, substitute] : training_substitutes_)
    out << "in training " << reference(substitute) << " takes the place of " << reference(value) << "\n";
  for (const auto& average : running_averages_) {
    out << "in training " << reference(average.parameter) << " moves towards " << reference(average.estimate) << " by "
        << average.momentum << "\n";
  }
  for (const auto& remark : remarks_) out << "# " << remark << "\n";
  return out.str();
}

void Graph::verify() const {
  const auto fail = [](NodeId id, const std::string& what) { throw std::logic_error(str("graph: %", id, ": ", what)); };
  std::set<std::string_view> seen;
  for (NodeId id = 0; id < size(); ++id) {
    const Node& n = node(id);
    if (!n.op) fail(id, "has no operation");
    std::vector<Type> types;
    for (const auto input : n.inputs) {
      if (input < 0 || input >= id) fail(id, str("uses %", input, ", which does not stand before it"));
      types.push_back(node(input).type);
    }
    const int arity = n.op->arity.value;
    if (arity >= 0 && n.inputs.size() != static_cast<std::size_t>(arity)) fail(id, "has the wrong number of inputs");
    if (n.op->infer.value(n.attributes, types) != n.type) fail(id, "has a type that its shape rule does not give");
    if (!n.name.empty() && !seen.insert(n.name).second) fail(id, "has a name that another value has");
  }
  for (const auto& [name, id] : outputs_) {
    if (id < 0 || id >= size()) fail(id, "is an output but not in the graph");
  }
  for (const auto& [value, substitute] : training_substitutes_) {
    if (std::min(value, substitute) < 0 || std::max(value, substitute) >= size())
      fail(value, "has a substitute outside the graph, or is outside itself");
    if (node(value).type != node(substitute).type) fail(value, "has a substitute of another type");
  }
  for (const auto& [leaf, estimate, momentum, places] : running_averages_) {
    if (std::min(leaf, estimate) < 0 || std::max(leaf, estimate) >= size())
      fail(leaf, "is a running average outside the graph");
    if (node(leaf).op != &op_parameter || node(leaf).type != node(estimate).type) fail(leaf, "cannot follow its batch");
  }
  for (const auto& [leaf, next] : updates_) {
    if (leaf < 0 || next < 0 || leaf >= size() || next >= size()) fail(leaf, "is an update outside the graph");
    if (node(leaf).op != &op_parameter || node(leaf).type != node(next).type) fail(leaf, "cannot take its update");
  }
}

}  // namespace chalk
