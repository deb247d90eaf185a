#include "src/onnx/import.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "chalkgrad/error.h"
#include "chalkgrad/fields.h"
#include "src/base/shortest.h"
#include "src/base/suggest.h"
#include "src/base/text.h"
#include "src/base/wording.h"
#include "src/ir/leaves.h"
#include "src/onnx/import/moves.h"

namespace chalk::onnx {
namespace {

constexpr std::size_t kMostName = 80;                          // of TOML's 100, with room for what is behind it
constexpr std::size_t kMostCalculated = std::size_t{1} << 24;  // numbers of all constants together, 64 MB
constexpr int kMostCalls = 32;                                 // of functions by functions

/// What is said of a node.
struct NodeError : InputError {
  using InputError::InputError;
};

std::string described(const FileNode& node) {
  const auto& name = node.name.empty() && !node.outputs.empty() ? node.outputs[0] : node.name;
  return str("the node ", in_quotes(name), " (", node.op, ")");
}

/// What a node takes: its operands, and what graphs within it take from outside.
void add_taken(const FileNode& node, std::vector<std::string>& taken) {
  taken.insert(taken.end(), node.inputs.begin(), node.inputs.end());
  for (const auto& attribute : node.attributes) {
    if (!attribute.graph) continue;
    for (const auto& inner : attribute.graph->nodes) add_taken(inner, taken);
    for (const auto& output : attribute.graph->outputs) taken.push_back(output.name);
  }
}

/// Without what layers call their parameters.
std::string layer_of(const std::string& weight) {
  for (const std::string_view end : {".weight", ".bias", "/kernel", "_weight", "_W", ".w"}) {
    if (weight.size() > end.size() && weight.ends_with(end)) return weight.substr(0, weight.size() - end.size());
  }
  return weight;
}

}  // namespace

const std::vector<float>& Reals::operator*() const {
  if (state_->stored) {
    state_->numbers = reals_of(*state_->stored);
    state_->stored = nullptr;
  }
  return state_->numbers;
}

float Reals::at(std::size_t i) const {
  if (state_->repeats > kMostFolded)
    throw InputError("calculates with more than a million equal numbers; export the model with its constants folded");
  if (state_->repeats > 0) return state_->numbers[0];
  constexpr int kFloat = 1;
  if (!state_->stored || state_->stored->type != kFloat) return (**this)[i];
  float number = 0;
  std::memcpy(&number, state_->stored->bytes.data() + i * sizeof number, sizeof number);
  return number;
}

std::size_t Known::size() const { return static_cast<std::size_t>(product(extents)); }

Known known_wholes(Extents extents, std::vector<std::int64_t> numbers) {
  return {.extents = std::move(extents),
          .wholes = std::make_shared<const std::vector<std::int64_t>>(std::move(numbers))};
}

Known known_reals(Extents extents, std::vector<float> numbers) {
  return {.extents = std::move(extents), .reals = Reals(std::move(numbers))};
}

Known known_repeated(Extents extents, double number) {
  Known made{.extents = std::move(extents)};
  made.reals = Reals(made.size(), static_cast<float>(number));
  return made;
}

std::string toml(const Extents& numbers) {
  std::string text = "[";
  for (const auto number : numbers) text += str(text.size() > 1 ? ", " : "", number);
  return text + "]";
}

std::string toml(double number) {
  auto written = shortest(number);
  if (written.find_first_of(".en") == std::string::npos) written += ".0";
  return written;
}

std::string key(const char* name, double value) { return str(name, " = ", toml(value), '\n'); }

Importer::Importer(const FileModel& model, std::string origin, Reading reading)
    : model_(model), origin_(std::move(origin)), reading_(reading) {}

void Importer::fail(const FileNode& node, std::string_view message) const {
  const bool says_what_to_do = message.find("; ") != std::string_view::npos;
  throw NodeError(str(origin_, ": ", described(node), ": ", message,
                      says_what_to_do ? "" : "; docs/onnx.md says what is read here"));
}

std::int64_t Importer::whole(const FileNode& node, std::string_view key, std::int64_t otherwise) const {
  const auto* found = node.attribute(key);
  return found ? found->whole : otherwise;
}

double Importer::real(const FileNode& node, std::string_view key, double otherwise) const {
  const auto* found = node.attribute(key);
  return found ? static_cast<double>(found->real) : otherwise;
}

std::string_view Importer::text(const FileNode& node, std::string_view key, std::string_view otherwise) const {
  const auto* found = node.attribute(key);
  return found ? std::string_view(found->text) : otherwise;
}

Extents Importer::wholes(const FileNode& node, std::string_view key, const Extents& otherwise) const {
  const auto* found = node.attribute(key);
  return found ? found->wholes : otherwise;
}

const Importer::Held& Importer::held(const FileNode& node, std::size_t i) const {
  if (!has(node, i)) fail(node, str("operand ", i + 1, " is missing"));
  const auto found = values_.find(node.inputs[i]);
  if (displaced_.contains(node.inputs[i])) fail(node, "does not keep the samples apart: the batch must stay in front");
  if (found == values_.end()) fail(node, str("its operand ", in_quotes(node.inputs[i]), " is made by no node"));
  return found->second;
}

const Known* Importer::known(const FileNode& node, std::size_t i) const { return std::get_if<Known>(&held(node, i)); }

const Known& Importer::required(const FileNode& node, std::size_t i, std::string_view what) const {
  const auto* found = known(node, i);
  if (!found) fail(node, str(what, " depend on the sample; they must be in the file"));
  return *found;
}

double Importer::required_number(const FileNode& node, std::size_t i, std::string_view what) const {
  const auto& found = required(node, i, what);
  if (found.size() != 1) fail(node, str(what, " must be one number"));
  return found.at(0);
}

Extents Importer::extents_of(Value value) const {
  Extents extents = value.shape();
  if (lead(value) == 1) extents.insert(extents.begin(), kBatch);
  return extents;
}

Extents Importer::extents(const FileNode& node, std::size_t i) const {
  const auto& operand = held(node, i);
  if (const auto* found = std::get_if<Known>(&operand)) return found->extents;
  return extents_of(std::get<Value>(operand));
}

std::int64_t Importer::axis(const FileNode& node, std::int64_t axis, std::size_t rank) const {
  const auto axes = static_cast<std::int64_t>(rank);
  if (axis < -axes || axis >= axes) fail(node, str("axis is ", axis, ", but its operand has ", rank, " axes"));
  return axis < 0 ? axis + axes : axis;
}

std::int64_t Importer::axis(const FileNode& node, std::int64_t axis, Value value) const {
  const auto first = lead(value);
  const auto found = this->axis(node, axis, value.shape().size() + first) - static_cast<std::int64_t>(first);
  if (found < 0) fail(node, "works across the samples of a batch, which a network for one sample does not");
  return found;
}

Extents Importer::axes(const FileNode& node, const Extents& axes, Value value) const {
  Extents found;
  if (axes.empty()) {
    if (lead(value) == 1) fail(node, "goes over the samples of a batch, too");
    for (std::size_t i = 0; i < value.shape().size(); ++i) found.push_back(static_cast<std::int64_t>(i));
  }
  for (const auto each : axes) found.push_back(axis(node, each, value));
  std::ranges::sort(found);
  return found;
}

Value Importer::samples(const FileNode& node, std::string_view what) {
  const Value x = value(node, 0);
  if (lead(x) == 0) fail(node, str("its operand must have the batch first, and then ", what));
  return x;
}

std::string Importer::new_name(const std::string& wanted) {
  std::string name;
  for (const char c : wanted) {
    const bool good =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
    name += good ? c : '_';
  }
  if (name.size() > kMostName) name = name.substr(name.size() - kMostName);
  if (name.empty()) name = "value";
  const auto taken = [&](const std::string& candidate) {
    return names_.contains(candidate) || growing_->graph().find(candidate);
  };
  auto free = name;
  for (int i = 2; taken(free); ++i) free = str(name, "_", i);
  names_.insert(free);
  return free;
}

Value Importer::append(const FileNode& node, std::string_view type, std::span<const Value> from, std::string_view keys,
                       std::map<std::string, Known> weights) {
  const auto weight = weights.find("weight");
  const bool has_name = weight != weights.end() && !weight->second.name.empty();
  const auto name = new_name(has_name ? layer_of(weight->second.name) : node.outputs[0]);
  Table table{.name = name};
  std::string sources;
  for (const Value each : from) {
    sources += str(sources.empty() ? "" : ", ", '"', each.name(), '"');
    table.from.emplace_back(each.name());
  }
  table.text = str("[[layer]]\nname = \"", name, "\"\n", "type = ", type, "\nfrom = [", sources, "]\n", keys, "\n");
  const Value value = add(std::move(table));
  for (auto& [part, known] : weights) {
    const auto parameter = str(name, ".", part);
    if (!growing_->graph().find(parameter)) fail(node, str("has no ", part));
    weights_[parameter] = std::move(known);
  }
  return value;
}

Value Importer::layer(const FileNode& node, std::string_view type, Value from, std::string_view keys) {
  return append(node, type, {&from, 1}, keys, {});
}

Value Importer::layer(const FileNode& node, std::string_view type, Value from, std::string_view keys,
                      std::map<std::string, Known> weights) {
  return append(node, type, {&from, 1}, keys, std::move(weights));
}

Value Importer::operation(const FileNode& node, std::string_view op, std::span<const Value> from,
                          std::string_view keys) {
  return append(node, str("\"op\"\nop = \"", op, '"'), from, keys, {});
}

Value Importer::operation(const FileNode& node, std::string_view op, std::initializer_list<Value> from,
                          std::string_view keys) {
  return operation(node, op, std::span(from.begin(), from.size()), keys);
}

Value Importer::add(Table table) {
  constexpr std::size_t kMost = 20000;  // of which a network has at most 4,096 in the end
  if (tables_.size() >= kMost) throw InputError("makes the network too long; export a smaller one");
  Value last = growing_->add(table.text);
  if (!table.text.starts_with("[[layer]]")) last = growing_->graph().find(table.name);
  tables_.push_back(std::move(table));
  return last;
}

/// The tables that outputs need.
std::string Importer::text_of(const std::vector<std::string>& outputs) const {
  std::set<std::string_view> needed(outputs.begin(), outputs.end());
  std::vector<const Table*> kept;
  for (auto table = tables_.rbegin(); table != tables_.rend(); ++table) {
    if (!needed.contains(table->name)) continue;
    needed.insert(table->from.begin(), table->from.end());
    kept.push_back(&*table);
  }
  std::string text;
  for (auto table = kept.rbegin(); table != kept.rend(); ++table) text += (*table)->text;
  return text;
}

Value Importer::number(double value) {
  if (const auto found = numbers_.find(value); found != numbers_.end()) return found->second;
  const auto name = new_name(str("number", numbers_.size() + 1));
  return numbers_[value] = add({name, str("[[constant]]\nname = \"", name, "\"\nvalue = ", toml(value), "\n\n")});
}

Value Importer::fixed(const std::string& name, const Extents& shape, std::vector<float> numbers) {
  count(numbers.size());
  const auto made = new_name(name);
  weights_[made] = known_reals(shape, std::move(numbers));
  return add({made, str("[[parameter]]\nname = \"", made, "\"\nshape = ", toml(shape), "\ntrainable = false\n\n")});
}

/// A parameter of that shape, which has as many numbers; one that is an initializer is trained.
Value Importer::parameter(const Known& known, const Extents& shape) {
  if (known.size() == 1 && shape.empty() && std::isfinite(known.at(0))) return number(known.at(0));
  if (known.name.empty()) {
    std::vector<float> numbers;
    for (std::size_t i = 0; i < known.size(); ++i) numbers.push_back(static_cast<float>(known.at(i)));
    return fixed("constant", shape, std::move(numbers));
  }
  const auto key = str(known.name, to_string(shape));
  if (const auto found = parameters_.find(key); found != parameters_.end()) return found->second;
  const auto name = new_name(known.name);
  weights_[name] = known;
  return parameters_[key] = add({name, str("[[parameter]]\nname = \"", name, "\"\nshape = ", toml(shape), "\n\n")});
}

Value Importer::parameter(const FileNode& node, std::size_t i, const Shape& shape) {
  return parameter(required(node, i, "weights"), shape);
}

void Importer::written(const FileNode& node, NodeId first) {
  Graph& graph = growing_->graph();
  for (NodeId id = first; id < graph.size(); ++id) {
    const auto& made = graph.node(id);
    if (made.name.empty()) graph.name(graph.value(id), new_name(node.outputs[0]));
    Table table{.name = made.name};
    std::string keys, sources;
    for (const auto operand : made.inputs) {
      table.from.push_back(graph.node(operand).name);
      sources += str(sources.empty() ? "" : ", ", '"', table.from.back(), '"');
    }
    FieldFunction write([&]<class T>(const Field& field, const T& value) {
      if constexpr (std::is_same_v<T, bool>) keys += str(field.name, " = ", truth(value), '\n');
      if constexpr (std::is_same_v<T, double> || std::is_same_v<T, Extents>)
        keys += str(field.name, " = ", toml(value), '\n');
      if constexpr (std::is_same_v<T, std::int64_t>) keys += str(field.name, " = ", value, '\n');
    });
    made.attributes.show(write);
    if (made.op == &op_constant) {
      table.text = str("[[constant]]\nname = \"", made.name, "\"\n", keys, '\n');
    } else if (is_leaf(*made.op)) {
      fail(node, "takes the number of samples, which is open");
    } else {
      table.text = str("[[layer]]\nname = \"", made.name, "\"\ntype = \"op\"\nop = \"", made.op->name.value,
                       "\"\nfrom = [", sources, "]\n", keys, '\n');
    }
    tables_.push_back(std::move(table));
  }
}

Value Importer::value(const FileNode& node, std::size_t i) {
  const auto& operand = held(node, i);
  if (const auto* found = std::get_if<Value>(&operand)) return *found;
  const auto& found = std::get<Known>(operand);
  return parameter(found, found.extents);
}

Value Importer::aligned(const FileNode& node, std::size_t i, std::size_t rank) {
  const auto& operand = held(node, i);
  const auto* known = std::get_if<Known>(&operand);
  Extents shape = extents(node, i);
  if (known && known->size() == 1 && shape.size() <= rank) return parameter(*known, {});
  if (reading_.whole) return value(node, i);
  if (!known && std::get<Value>(operand).batched()) {
    const Value found = std::get<Value>(operand);
    if (found.shape().size() + 1 != rank && !found.shape().empty())
      fail(node, "the axes of its operands meet in another order than sample by sample");
    return found;
  }
  while (!shape.empty() && shape.size() >= rank) {  // the batch's axis, and those before it
    if (shape[0] != 1) fail(node, str("operand ", i + 1, " is another one for each of ", shape[0], " samples"));
    shape.erase(shape.begin());
  }
  return known ? parameter(*known, shape) : reshaped(node, std::get<Value>(operand), shape);
}

Value Importer::reshaped(const FileNode& node, Value value, const Shape& shape) {
  if (value.shape() == shape) return value;
  return operation(node, "reshape", {value}, str("shape = ", toml(shape), "\n"));
}

void Importer::displace(const FileNode& node, Displaced value) {
  if (value.batch_at == 0) return define(node, 0, value.value);
  displaced_[node.outputs[0]] = value;
}

const Importer::Displaced* Importer::displaced(const FileNode& node, std::size_t i) const {
  const auto found = has(node, i) ? displaced_.find(node.inputs[i]) : displaced_.end();
  return found == displaced_.end() ? nullptr : &found->second;
}

const std::pair<Value, std::string>* Importer::pool_of(const FileNode& node, std::size_t i) const {
  const auto found = has(node, i) ? pools_.find(node.inputs[i]) : pools_.end();
  return found == pools_.end() ? nullptr : &found->second;
}

void Importer::define(const FileNode& node, std::size_t i, Value value) {
  if (i < node.outputs.size() && !node.outputs[i].empty()) values_.insert_or_assign(node.outputs[i], value);
}

void Importer::count(std::size_t numbers) {
  calculated_ += numbers;
  if (calculated_ > kMostCalculated)
    throw InputError("calculates more numbers than a file would hold; export the model with its constants folded");
}

void Importer::define(const FileNode& node, std::size_t i, Known known) {
  if (known.name.empty() && !known.reals.repeated()) count(known.size());
  if (i < node.outputs.size() && !node.outputs[i].empty()) values_.insert_or_assign(node.outputs[i], std::move(known));
}

/// The nodes that outputs need, each behind those whose results it takes.
std::vector<const FileNode*> Importer::sorted() const {
  std::map<std::string, const FileNode*> makers;
  for (const auto& node : model_.graph.nodes) {
    for (const auto& output : node.outputs) {
      if (output.empty()) continue;
      if (!makers.emplace(output, &node).second) fail(node, str("a second node makes ", in_quotes(output)));
    }
  }
  std::vector<const FileNode*> order;
  std::map<const FileNode*, bool> done;  // false: its operands are being looked at
  struct Waiting {
    const FileNode* node;
    std::vector<std::string> taken{};
    std::size_t next = 0;
  };
  std::vector<Waiting> stack;
  const auto begin = [&](const std::string& value) {
    const auto maker = makers.find(value);
    if (maker == makers.end()) return;
    const auto [found, is_new] = done.emplace(maker->second, false);
    if (is_new) {
      stack.push_back({maker->second});
      add_taken(*maker->second, stack.back().taken);
    } else if (!found->second) {
      fail(*maker->second, "its result is needed to make its operands");
    }
  };
  for (const auto& output : model_.graph.outputs) {
    begin(output.name);
    while (!stack.empty()) {
      auto& last = stack.back();
      if (last.next < last.taken.size()) {
        begin(std::string(last.taken[last.next++]));
        continue;
      }
      done[last.node] = true;
      order.push_back(last.node);
      stack.pop_back();
    }
  }
  return order;
}

void Importer::import(const FileNode& node) {
  for (const auto& function : model_.functions) {
    if (function.name == node.op && function.domain == node.domain) return call(function, node);
  }
  if (!node.domain.empty() && node.domain != "ai.onnx.preview.training")
    fail(node, str("is an operator of ", in_quotes(node.domain), "; only those of ONNX itself are read"));
  if (node.op.find("Quantize") != std::string::npos || node.op.starts_with("QLinear") || node.op.ends_with("Integer"))
    fail(node, "is of a quantised model, which does not train; export the model in float");
  const auto rule = import_rule(node.op);
  if (!rule) {
    const auto guess = did_you_mean(node.op, imported_operators());
    fail(node, str("the operator is not read here", guess.empty() ? "; docs/onnx.md lists those that are" : guess));
  }
  try {
    rule(*this, node);
  } catch (const NodeError&) {
    throw;
  } catch (const Error& e) {  // of the network's text, which nobody has seen
    std::string_view message = e.what();
    if (const auto begin = str(origin_, ": "); message.starts_with(begin)) message.remove_prefix(begin.size());
    if (message.starts_with("line ")) message.remove_prefix(message.find(": ") + 2);
    fail(node, message);
  }
}

/// The function's nodes, with the call's operands and attributes, under names of their own.
void Importer::call(const FileFunction& function, const FileNode& node) {
  if (depth_ > kMostCalls) fail(node, "functions call each other without end");
  ++depth_;
  std::map<std::string, std::string> names;
  for (std::size_t i = 0; i < function.inputs.size(); ++i)
    names[function.inputs[i]] = i < node.inputs.size() ? node.inputs[i] : "";
  for (std::size_t i = 0; i < function.outputs.size() && i < node.outputs.size(); ++i)
    names[function.outputs[i]] = node.outputs[i];
  const auto prefix = node.outputs.empty() ? node.name : node.outputs[0];
  const auto outside = [&](const std::string& name) {
    if (name.empty()) return name;
    const auto found = names.find(name);
    return found != names.end() ? found->second : str(prefix, "/", name);
  };
  for (FileNode inner : function.nodes) {
    for (auto* list : {&inner.inputs, &inner.outputs}) {
      for (auto& name : *list) name = outside(name);
    }
    std::vector<FileAttribute> attributes;
    for (auto& attribute : inner.attributes) {
      if (attribute.refers_to.empty()) {
        attributes.push_back(attribute);
        continue;
      }
      const auto* given = node.attribute(attribute.refers_to);
      const auto usual = std::ranges::find(function.defaults, attribute.refers_to, &FileAttribute::name);
      if (!given && usual != function.defaults.end()) given = &*usual;
      if (!given) continue;
      attributes.push_back(*given);
      attributes.back().name = attribute.name;
    }
    inner.attributes = std::move(attributes);
    import(inner);
  }
  --depth_;
}

void Importer::import_graph(const FileNode& node, const FileGraph& graph) {
  if (graph.outputs.size() < node.outputs.size()) fail(node, "has a graph with fewer results than it has itself");
  if (depth_ > kMostCalls) fail(node, "graphs lie too deep in each other");
  ++depth_;
  begin_with(graph);
  for (const auto& inner : graph.nodes) import(inner);
  --depth_;
  FileNode result = node;
  for (std::size_t i = 0; i < node.outputs.size(); ++i) {
    result.inputs = {graph.outputs[i].name};
    const auto& held_one = held(result, 0);
    if (const auto* known_one = std::get_if<Known>(&held_one)) {
      define(node, i, Known(*known_one));
    } else {
      define(node, i, std::get<Value>(held_one));
    }
  }
}

}  // namespace chalk::onnx
