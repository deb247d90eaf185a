#include "src/onnx/import.h"

#include <algorithm>
#include <cmath>

#include "chalkgrad/error.h"
#include "src/base/shortest.h"
#include "src/base/suggest.h"
#include "src/base/text.h"
#include "src/base/wording.h"
#include "src/net/foreign.h"

namespace chalk::onnx {
namespace {

constexpr std::size_t kMostName = 80;                          // of TOML's 100, with room for what is behind it
constexpr std::size_t kMostCalculated = std::size_t{1} << 24;  // numbers of all constants together, 64 MB
constexpr int kMostCalls = 32;                                 // of functions by functions

std::string described(const FileNode& node) {
  const auto& name = node.name.empty() && !node.outputs.empty() ? node.outputs[0] : node.name;
  return str("the node ", in_quotes(name), " (", node.op, ")");
}

Known known_of(const Tensor& tensor, bool named) {
  Known known{.extents = tensor.extents, .name = named ? tensor.name : ""};
  if (is_whole(tensor.type)) {
    known.wholes = std::make_shared<const std::vector<std::int64_t>>(wholes_of(tensor));
  } else {
    known.reals = std::make_shared<const std::vector<float>>(reals_of(tensor));
  }
  return known;
}

/// Without what layers call their parameters.
std::string layer_of(const std::string& weight) {
  for (const std::string_view end : {".weight", ".bias", "/kernel", "_weight", "_W", ".w"}) {
    if (weight.size() > end.size() && weight.ends_with(end)) return weight.substr(0, weight.size() - end.size());
  }
  return weight;
}

}  // namespace

Known known_wholes(Extents extents, std::vector<std::int64_t> numbers) {
  return {.extents = std::move(extents),
          .wholes = std::make_shared<const std::vector<std::int64_t>>(std::move(numbers))};
}

Known known_reals(Extents extents, std::vector<float> numbers) {
  return {.extents = std::move(extents), .reals = std::make_shared<const std::vector<float>>(std::move(numbers))};
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

Importer::Importer(const FileModel& model, std::string origin) : model_(model), origin_(std::move(origin)) {}

void Importer::fail(const FileNode& node, const std::string& message) const {
  const bool says_what_to_do = message.find("; ") != std::string::npos;
  throw InputError(str(origin_, ": ", described(node), ": ", message,
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

std::string Importer::text(const FileNode& node, std::string_view key, const std::string& otherwise) const {
  const auto* found = node.attribute(key);
  return found ? found->text : otherwise;
}

Extents Importer::wholes(const FileNode& node, std::string_view key, const Extents& otherwise) const {
  const auto* found = node.attribute(key);
  return found ? found->wholes : otherwise;
}

const Importer::Held& Importer::held(const FileNode& node, std::size_t i) const {
  if (!has(node, i)) fail(node, str("operand ", i + 1, " is missing"));
  const auto found = values_.find(node.inputs[i]);
  if (found == values_.end()) fail(node, str("its operand ", in_quotes(node.inputs[i]), " is made by no node"));
  return found->second;
}

const Known* Importer::known(const FileNode& node, std::size_t i) const { return std::get_if<Known>(&held(node, i)); }

const Known& Importer::required(const FileNode& node, std::size_t i, std::string_view what) const {
  const auto* found = known(node, i);
  if (!found) fail(node, str(what, " depend on the sample; they must be in the file"));
  return *found;
}

Extents Importer::extents_of(Value value) {
  Extents extents = value.shape();
  if (value.batched()) extents.insert(extents.begin(), kBatch);
  return extents;
}

Extents Importer::extents(const FileNode& node, std::size_t i) const {
  const auto& operand = held(node, i);
  if (const auto* found = std::get_if<Known>(&operand)) return found->extents;
  return extents_of(std::get<Value>(operand));
}

std::int64_t Importer::axis(const FileNode& node, std::int64_t axis, std::size_t rank, bool not_batch) const {
  const auto axes = static_cast<std::int64_t>(rank);
  if (axis < -axes || axis >= axes) fail(node, str("axis is ", axis, ", but its operand has ", rank, " axes"));
  if (axis < 0) axis += axes;
  if (axis == 0 && not_batch)
    fail(node, "works across the samples of a batch, which a network for one sample does not");
  return axis;
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

Value Importer::layer(const FileNode& node, std::string_view type, const std::vector<Value>& from,
                      const std::string& keys, std::map<std::string, Known> weights) {
  const auto weight = weights.find("weight");
  const bool has_name = weight != weights.end() && !weight->second.name.empty();
  const auto name = new_name(has_name ? layer_of(weight->second.name) : node.outputs[0]);
  std::string sources;
  for (const Value value : from) sources += str(sources.empty() ? "" : ", ", '"', value.name(), '"');
  const auto table =
      str("[[layer]]\nname = \"", name, "\"\n", "type = ", type, "\nfrom = [", sources, "]\n", keys, "\n");
  Value value;
  try {
    value = growing_->add(table);
  } catch (const Error& e) {
    fail(node, e.what());
  }
  text_ += table;
  for (auto& [part, known] : weights) {
    const auto parameter = str(name, ".", part);
    if (!growing_->graph().find(parameter)) fail(node, str("has no ", part));
    weights_[parameter] = std::move(known);
  }
  return value;
}

Value Importer::operation(const FileNode& node, std::string_view op, const std::vector<Value>& from,
                          const std::string& keys) {
  return layer(node, str("\"op\"\nop = \"", op, '"'), from, keys);
}

Value Importer::number(double value) {
  if (const auto found = numbers_.find(value); found != numbers_.end()) return found->second;
  const auto name = new_name(str("number", numbers_.size() + 1));
  const auto table = str("[[constant]]\nname = \"", name, "\"\nvalue = ", toml(value), "\n\n");
  growing_->add(table);
  text_ += table;
  return numbers_[value] = growing_->graph().find(name);
}

Value Importer::fixed(const std::string& name, const Extents& shape, std::vector<float> numbers) {
  const auto made = new_name(name);
  const auto table = str("[[parameter]]\nname = \"", made, "\"\nshape = ", toml(shape), "\ntrainable = false\n\n");
  growing_->add(table);
  text_ += table;
  weights_[made] = known_reals(shape, std::move(numbers));
  return growing_->graph().find(made);
}

/// A parameter of that shape, which has as many numbers; one that is an initializer is trained.
Value Importer::parameter(const Known& known, const Extents& shape) {
  if (known.size() == 1 && shape.empty()) return number(known.at(0));
  if (known.name.empty()) {
    std::vector<float> numbers;
    for (std::size_t i = 0; i < known.size(); ++i) numbers.push_back(static_cast<float>(known.at(i)));
    return fixed("constant", shape, std::move(numbers));
  }
  const auto key = str(known.name, to_string(shape));
  if (const auto found = parameters_.find(key); found != parameters_.end()) return found->second;
  const auto name = new_name(known.name);
  const auto table = str("[[parameter]]\nname = \"", name, "\"\nshape = ", toml(shape), "\n\n");
  growing_->add(table);
  text_ += table;
  weights_[name] = known;
  return parameters_[key] = growing_->graph().find(name);
}

Value Importer::value(const FileNode& node, std::size_t i) {
  const auto& operand = held(node, i);
  if (const auto* found = std::get_if<Value>(&operand)) return *found;
  const auto& found = std::get<Known>(operand);
  return parameter(found, found.extents);
}

Value Importer::aligned(const FileNode& node, std::size_t i, std::size_t rank) {
  const auto& operand = held(node, i);
  if (const auto* found = std::get_if<Value>(&operand)) {
    if (found->batched() && found->shape().size() + 1 != rank && !found->shape().empty())
      fail(node, "the axes of its operands meet in another order than sample by sample");
    return *found;
  }
  const auto& found = std::get<Known>(operand);
  Extents shape = found.extents;
  while (!shape.empty() && shape.size() >= rank) {  // the batch's axis, and those before it
    if (shape[0] != 1) fail(node, str("operand ", i + 1, " is another one for each of ", shape[0], " samples"));
    shape.erase(shape.begin());
  }
  if (found.size() == 1) shape.clear();
  return parameter(found, shape);
}

Value Importer::reshaped(const FileNode& node, Value value, const Shape& shape) {
  if (value.shape() == shape) return value;
  return operation(node, "reshape", {value}, str("shape = ", toml(shape), "\n"));
}

void Importer::define(const FileNode& node, std::size_t i, Value value) {
  if (i < node.outputs.size() && !node.outputs[i].empty()) values_.insert_or_assign(node.outputs[i], value);
}

void Importer::define(const FileNode& node, std::size_t i, Known known) {
  if (known.name.empty()) calculated_ += known.size();
  if (calculated_ > kMostCalculated)
    fail(node, "calculates more numbers than a file would hold; export the model with its constants folded");
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
  std::vector<std::pair<const FileNode*, std::size_t>> stack;
  const auto begin = [&](const std::string& value) {
    const auto maker = makers.find(value);
    if (maker == makers.end()) return;
    const auto [found, is_new] = done.emplace(maker->second, false);
    if (is_new) {
      stack.emplace_back(maker->second, 0);
    } else if (!found->second) {
      fail(*maker->second, "its result is needed to make its operands");
    }
  };
  for (const auto& output : model_.graph.outputs) {
    begin(output.name);
    while (!stack.empty()) {
      const auto node = stack.back().first;
      if (const auto i = stack.back().second++; i < node->inputs.size()) {
        begin(node->inputs[i]);
        continue;
      }
      done[node] = true;
      order.push_back(node);
      stack.pop_back();
    }
  }
  return order;
}

void Importer::import(const FileNode& node, int depth) {
  for (const auto& function : model_.functions) {
    if (function.name == node.op && function.domain == node.domain) return call(function, node, depth);
  }
  if (!node.domain.empty())
    fail(node, str("is an operator of ", in_quotes(node.domain), "; only those of ONNX itself are read"));
  if (node.op.find("Quantize") != std::string::npos || node.op.starts_with("QLinear") || node.op.ends_with("Integer"))
    fail(node, "is of a quantised model, which does not train; export the model in float");
  const auto rule = import_rule(node.op);
  if (!rule) {
    const auto guess = did_you_mean(node.op, imported_operators());
    fail(node, str("the operator is not read here", guess.empty() ? "; docs/onnx.md lists those that are" : guess));
  }
  rule(*this, node);
}

/// The function's nodes, with the call's operands and attributes, under names of their own.
void Importer::call(const FileFunction& function, const FileNode& node, int depth) {
  if (depth > kMostCalls) fail(node, "functions call each other without end");
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
    import(inner, depth + 1);
  }
}

/// The input, and what the file holds.
void Importer::begin() {
  std::set<std::string> initialized;
  for (const auto& tensor : model_.graph.initializers) initialized.insert(tensor.name);
  const FilePort* input = nullptr;
  for (const auto& port : model_.graph.inputs) {
    if (initialized.contains(port.name)) continue;  // as files before IR 4 have it, and some after
    if (input) {
      throw InputError(str(origin_, ": has two inputs, ", in_quotes(input->name), " and ", in_quotes(port.name),
                           "; a network takes one sample"));
    }
    input = &port;
  }
  if (!input) throw InputError(str(origin_, ": has no input, so it is no network; export it with one"));
  if (!is_real(input->type))
    throw InputError(str(origin_, ": its input ", in_quotes(input->name), " is of ", type_name(input->type),
                         "; it must be numbers (float)"));
  if (input->extents.size() < 2) {
    throw InputError(str(origin_, ": its input ", in_quotes(input->name), " has ", input->extents.size(),
                         " axes; it must have the batch first, and then the sample's"));
  }
  input_.assign(input->extents.begin() + 1, input->extents.end());
  if (std::ranges::any_of(input_, [](std::int64_t extent) { return extent < 1; })) {
    throw InputError(str(origin_, ": the size of its input ", in_quotes(input->name),
                         " is open; export it with numbers for all axes but the batch"));
  }
  growing_ = std::make_unique<GrowingNetwork>(input_, origin_);
  text_ = str("input = ", toml(input_), "\n\n");
  values_.emplace(input->name, growing_->graph().find("x"));
  for (const auto& tensor : model_.graph.initializers) {
    try {
      values_.insert_or_assign(tensor.name, known_of(tensor, /*named=*/true));
    } catch (const InputError& e) {
      throw InputError(str(origin_, ": ", e.what()));
    }
  }
}

Network Importer::network() {
  begin();
  for (const auto* node : sorted()) import(*node);
  std::vector<std::string> outputs;
  for (const auto& port : model_.graph.outputs) {
    const auto found = values_.find(port.name);
    auto* value = found == values_.end() ? nullptr : std::get_if<Value>(&found->second);
    if (value && value->name() == "x") {  // a network has a layer
      FileNode identity;
      identity.op = "Identity";
      identity.outputs = {port.name};
      *value = operation(identity, "reshape", {*value}, str("shape = ", toml(value->shape()), '\n'));
    }
    if (!value || !value->batched())
      throw InputError(
          str(origin_, ": its output ", in_quotes(port.name), " does not depend on the sample; leave it out"));
    outputs.push_back(value->name());
  }
  if (outputs.empty()) throw InputError(str(origin_, ": has no output; export it with one"));
  if (outputs.size() == 1) {
    text_ = str("output = \"", outputs[0], "\"\n", text_);
  } else {
    for (std::size_t i = 0; i < outputs.size(); ++i)  // the first is the prediction; who wants to train others says so
      text_ += str("[[output]]\nfrom = \"", outputs[i], "\"\n", i == 0 ? "" : "weight = 0\n", "\n");
  }
  auto network = chalk::network(text_, input_, /*seed=*/1, origin_);
  for (const auto& [name, known] : weights_) {
    if (!network.variables().contains(name)) continue;
    auto& tensor = network.variables().at(name);
    if (known.size() != static_cast<std::size_t>(elements(tensor.shape())))
      throw InputError(str(origin_, ": the parameter ", name, " has the shape ", to_string(tensor.shape()),
                           ", but the file ", to_string(known.extents)));
    if (known.reals) {
      tensor.assign(*known.reals);
    } else {
      tensor.assign(std::vector<float>(known.wholes->begin(), known.wholes->end()));
    }
  }
  return network;
}

}  // namespace chalk::onnx

namespace chalk {

Network read_onnx(const std::filesystem::path& file) {
  const auto model = onnx::read_file_model(file);
  return onnx::Importer(model, file.string()).network();
}

Network read_onnx(std::vector<std::uint8_t> bytes, const std::string& origin) {
  const auto model = onnx::parse_file_model(std::move(bytes), origin);
  return onnx::Importer(model, origin).network();
}

}  // namespace chalk
