// The network as a whole: its input, its outputs, its weights.
#include <algorithm>

#include "chalkgrad/error.h"
#include "src/base/text.h"
#include "src/base/wording.h"
#include "src/ir/leaves.h"
#include "src/net/foreign.h"
#include "src/onnx/import.h"
#include "src/onnx/import/moves.h"

namespace chalk::onnx {
namespace {

Known known_of(const Tensor& tensor, bool named) {
  Known known{.extents = tensor.extents, .name = named ? tensor.name : "", .type = tensor.type};
  if (is_whole(tensor.type)) {
    known.wholes = std::make_shared<const std::vector<std::int64_t>>(wholes_of(tensor));
  } else {
    known.reals = Reals(tensor);
  }
  return known;
}

/// Stands for a value that is given another name.
FileNode identity_of(const std::string& output) {
  FileNode node;
  node.op = "Identity";
  node.outputs = {output};
  return node;
}

}  // namespace

/// The input, and what the file holds.
void Importer::begin() {
  std::set<std::string> initialized;
  for (const auto& tensor : model_.graph.initializers) initialized.insert(tensor.name);
  const FilePort* input = nullptr;
  for (const auto& port : model_.graph.inputs) {
    if (initialized.contains(port.name)) continue;  // as files before IR 4 have it, and some after
    if (reading_.partial && !is_real(port.type)) continue;
    if (input) {
      throw InputError(str(origin_, ": has two inputs, ", in_quotes(input->name), " and ", in_quotes(port.name),
                           "; a network takes one sample"));
    }
    input = &port;
  }
  if (!input && !reading_.partial)
    throw InputError(str(origin_, ": has no input, so it is no network; export it with one"));
  input_ = {1};
  if (input) {
    if (!is_real(input->type))
      throw InputError(str(origin_, ": its input ", in_quotes(input->name), " is of ", type_name(input->type),
                           "; it must be numbers (float)"));
    if (input->extents.size() < 2) reading_.whole = true;  // there is no batch of samples in it
    if (!reading_.whole) batch_ = input->extents[0];
    if (!input->extents.empty()) input_.assign(input->extents.begin() + (reading_.whole ? 0 : 1), input->extents.end());
    if (std::ranges::any_of(input_, [](std::int64_t extent) { return extent < 1; })) {
      throw InputError(str(origin_, ": the size of its input ", in_quotes(input->name),
                           " is open; export it with numbers for all axes but the batch"));
    }
  }
  if (std::ranges::any_of(input_, [](std::int64_t extent) { return extent > (1 << 20); }))
    throw InputError(
        str(origin_, ": its input has the shape ", to_string(input_), "; at most 1048576 along each axis are read"));
  growing_ = std::make_unique<GrowingNetwork>(input_, origin_);
  if (input) {
    const Value x = growing_->graph().find("x");
    values_.emplace(input->name, input->extents.empty() ? reshaped(identity_of(input->name), x, {}) : x);
  }
  begin_with(model_.graph);
}

void Importer::begin_with(const FileGraph& graph) {
  for (const auto& tensor : graph.initializers) {
    try {
      values_.insert_or_assign(tensor.name, known_of(tensor, /*named=*/true));
    } catch (const InputError& e) {
      throw InputError(str(origin_, ": ", e.what()));
    }
  }
}

void Importer::read() {
  begin();
  for (const auto* node : sorted()) import(*node);
}

const Known* Importer::fixed(const std::string& output) const {
  const auto found = values_.find(output);
  return found == values_.end() ? nullptr : std::get_if<Known>(&found->second);
}

Network Importer::network() {
  if (!growing_) read();
  std::vector<std::string> outputs;
  for (const auto& port : model_.graph.outputs) {
    const auto found = values_.find(port.name);
    auto* value = found == values_.end() ? nullptr : std::get_if<Value>(&found->second);
    if (!value && found != values_.end() && reading_.partial) continue;
    if (value && !value->batched() && reading_.partial) {  // as if each sample had it
      const auto node = identity_of(port.name);
      const Value x = growing_->graph().find("x"),
                  one = reduced(*this, node, "max", x, places_from(0, 1, std::ssize(input_)), false);
      *value = operation(node, "select", {operation(node, "equal", {one, one}), *value, *value});
    }
    if (!value || !value->batched())
      throw InputError(
          str(origin_, ": its output ", in_quotes(port.name), " does not depend on the sample; leave it out"));
    const bool is_there = std::ranges::find(outputs, value->name()) != outputs.end();
    if (is_there || value->name() == "x")  // a network has a layer, and each output is one of its own
      *value = operation(identity_of(port.name), "reshape", {*value}, str("shape = ", toml(value->shape()), '\n'));
    outputs.emplace_back(value->name());
  }
  if (outputs.empty()) throw InputError(str(origin_, ": has no output; export it with one"));
  auto text = str(outputs.size() == 1 ? str("output = \"", outputs[0], "\"\n") : "", "input = ", toml(input_), "\n\n",
                  text_of(outputs));
  if (outputs.size() > 1) {
    for (std::size_t i = 0; i < outputs.size(); ++i)  // the first is the prediction; who wants to train others says so
      text += str("[[output]]\nfrom = \"", outputs[i], "\"\n", i == 0 ? "" : "weight = 0\n", "\n");
  }
  auto [graph, built] = build(text, input_, origin_);
  Network network(std::move(graph), text, std::move(built));
  take_weights(network);
  return network;
}

/// One after the other, so that the file's memory goes while theirs comes.
void Importer::take_weights(Network& network) {
  std::map<std::string, NodeId> parameters;
  std::map<const Tensor*, int> uses;
  for (const NodeId id : parameters_of(network.graph())) {
    const auto& name = network.graph().node(id).name;
    parameters.emplace(name, id);
    const auto found = weights_.find(name);
    if (found != weights_.end()) ++uses[found->second.reals.stored()];
  }
  const auto add_zeros = [&](const std::string& name) {
    Graph one;
    one.parameter(name, network.graph().node(parameters.at(name)).type.shape);
    network.variables().add(one, 0);
  };
  for (const auto& [name, id] : parameters) {
    if (!weights_.contains(name)) add_zeros(name);
  }
  for (auto& [name, known] : weights_) {
    if (!parameters.contains(name)) continue;
    add_zeros(name);
    auto& tensor = network.variables().at(name);
    if (known.size() != static_cast<std::size_t>(elements(tensor.shape())))
      throw InputError(str(origin_, ": the parameter ", name, " has the shape ", to_string(tensor.shape()),
                           ", but the file ", in_brief(to_string(known.extents))));
    if (const auto* number = known.reals.repeated()) {
      tensor.fill(*number);
    } else if (const auto* stored = known.reals.stored()) {
      const bool is_last = --uses[stored] == 0;
      const auto floats = is_last ? last_floats_of(*stored) : std::span<const float>();
      if (floats.empty()) {
        tensor.assign(reals_of(*stored));
      } else {
        tensor.assign(floats);
      }
      if (is_last) release(*stored);
    } else if (known.reals) {
      tensor.assign(*known.reals);
    } else {
      tensor.assign(std::vector<float>(known.wholes->begin(), known.wholes->end()));
    }
    known = {};
  }
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
