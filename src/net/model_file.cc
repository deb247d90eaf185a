// Networks as safetensors files: see docs/formats.md for the metadata.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>

#include "chalkgrad/error.h"
#include "chalkgrad/network.h"
#include "src/base/text.h"
#include "src/base/wording.h"
#include "src/files/json_text.h"
#include "src/files/safetensors.h"
#include "src/ir/leaves.h"
#include "src/net/build.h"
#include "src/net/foreign.h"
#include "src/net/training_record.h"

namespace chalk {
namespace {

using nlohmann::json;

constexpr const char* kVersionKey = "chalkgrad.version";
constexpr const char* kNetworkKey = "chalkgrad.network";
constexpr const char* kInputKey = "chalkgrad.input";
constexpr const char* kScaleKey = "chalkgrad.scale";
constexpr const char* kShiftKey = "chalkgrad.shift";
constexpr const char* kClassesKey = "chalkgrad.classes";
constexpr const char* kEncodingKey = "chalkgrad.encoding";
constexpr std::array kOwnKeys{kVersionKey, kNetworkKey,  kInputKey,    kScaleKey,   kShiftKey,
                              kClassesKey, kEncodingKey, kTrainingKey, kPositionKey};
constexpr const char *kVersion = "1", *kVersionOfEncodings = "2";

// What a file of version 2 says of its samples; version 1 knows scaled bytes only.
constexpr const char *kPerSample = "per-sample", *kOfValues = "values";

// What lists of metadata hold.
bool is_extent(const json& value) {
  return value.is_number_unsigned() && value.get<std::uint64_t>() - 1 < std::uint64_t{1} << 32U;
}
bool is_float(const json& value) {
  return value.is_number() && std::abs(value.get<double>()) <= std::numeric_limits<float>::max();
}
bool is_text(const json& value) { return value.is_string(); }
bool is_encoding(const json& value) { return value == kPerSample || value == kOfValues; }

/// Takes metadata out of a file, so that what is left is the caller's.
class MetadataReader {
 public:
  MetadataReader(std::map<std::string, std::string>& metadata, const std::string& file)
      : metadata_(metadata), file_(file) {}

  std::string text(const char* key) {
    auto found = metadata_.extract(key);
    if (found.empty())
      fail(str("has no ", key, " in its metadata; a model needs ", kVersionKey, ", ", kNetworkKey, " and ", kInputKey,
               " there (docs/formats.md)"));
    return std::move(found.mapped());
  }

  /// A JSON list of elements that are good, or an empty one if the key is not there. `of` says what they are.
  template <class T>
  std::vector<T> list(const char* key, const char* of, bool (*is_good)(const json&)) {
    const auto found = metadata_.extract(key);
    if (found.empty()) return {};
    const auto value = parsed_json(found.mapped());
    if (!value.is_array() || !std::all_of(value.begin(), value.end(), is_good))
      fail(str("metadata ", key, " is ", in_quotes(found.mapped()), "; it must be a JSON list of ", of));
    return value.template get<std::vector<T>>();
  }

  [[noreturn]] void fail(const std::string& message) const { throw InputError(str(file_, ": ", message)); }

 private:
  std::map<std::string, std::string>& metadata_;
  const std::string& file_;
};

std::map<std::string_view, const Node*> parameters_by_name(const Graph& graph) {
  std::map<std::string_view, const Node*> found;
  for (const NodeId id : parameters_of(graph)) found.emplace(graph.node(id).name, &graph.node(id));
  return found;
}

/// "conv1.weight.momentum" belongs to the parameter "conv1.weight".
std::string_view owner_of(std::string_view state) { return state.substr(0, state.rfind('.')); }

/// The forward graph's parameters and, with them, the state that an optimizer keeps for them.
Graph parameters_of(const Graph& graph, const Safetensors& contents, const MetadataReader& reader) {
  Graph all;
  const auto wanted = parameters_by_name(graph);
  for (const auto& [name, node] : wanted) {
    if (contents.tensors.contains(std::string(name))) continue;
    reader.fail(str("has no tensor ", in_quotes(name), ", which its network needs; add it, of shape ",
                    to_string(node->type.shape)));
  }
  for (const auto& [name, tensor] : contents.tensors) {
    const auto owner = wanted.find(wanted.contains(name) ? name : owner_of(name));
    if (owner == wanted.end())
      reader.fail(str("tensor ", in_quotes(name), " belongs to no layer of its network; leave it out"));
    const auto& shape = owner->second->type.shape;
    if (tensor.shape != shape) {
      reader.fail(str("tensor ", in_quotes(name), " is ", to_string(tensor.shape), " but its network needs ",
                      to_string(shape), "; give it that shape, or change ", kNetworkKey, " in the metadata"));
    }
    all.parameter(name, shape);
  }
  return all;
}

BuiltGraph rebuilt(const std::string& text, const Shape& input, const std::string& file) {
  try {
    return build(text, input, file);
  } catch (const ShapeError& e) {
    throw InputError(str(file, ": its network does not fit together: ", e.what()));
  }
}

void check_encoding(const InputEncoding& encoding, const Shape& input, const MetadataReader& reader) {
  const auto scales = encoding.scale.size(), shifts = encoding.shift.size();
  const bool needed = encoding.per_sample || encoding.of_values;
  if (scales == shifts && ((scales == 0 && !needed) || static_cast<std::int64_t>(scales) == input[0])) return;
  reader.fail(str("has ", scales, " numbers in ", kScaleKey, " and ", shifts, " in ", kShiftKey,
                  ", but its network takes ", to_string(input), "; give ", input[0], " of each, one a channel"));
}

/// What there is to say beyond scale and shift.
std::vector<std::string> words_of(const InputEncoding& encoding) {
  std::vector<std::string> words;
  if (encoding.per_sample) words.emplace_back(kPerSample);
  if (encoding.of_values) words.emplace_back(kOfValues);
  return words;
}

}  // namespace

void Network::save(const std::filesystem::path& file) const {
  Safetensors contents;
  contents.metadata = metadata;
  for (const auto* key : kOwnKeys) {
    if (contents.metadata.contains(key))
      throw InputError(str("metadata key ", in_quotes(key), " is reserved; use another one"));
  }
  if (training) contents.metadata.merge(training->metadata());
  const auto encoding_words = words_of(encoding);
  contents.metadata[kVersionKey] = encoding_words.empty() ? kVersion : kVersionOfEncodings;
  if (!encoding_words.empty()) contents.metadata[kEncodingKey] = json(encoding_words).dump();
  contents.metadata[kNetworkKey] = text_;
  contents.metadata[kInputKey] = json(input_shape()).dump();
  if (!encoding.scale.empty()) {
    contents.metadata[kScaleKey] = json(encoding.scale).dump();
    contents.metadata[kShiftKey] = json(encoding.shift).dump();
  }
  if (!encoding.class_names.empty()) {
    contents.metadata[kClassesKey] = json(encoding.class_names).dump(-1, ' ', false, json::error_handler_t::replace);
  }
  // What an earlier optimizer has left among the variables is nobody's state.
  const auto parameters = parameters_by_name(graph_);
  const auto left_over = [&](const std::string& name) {
    return training && !parameters.contains(name) &&
           std::ranges::find(training->states, name) == training->states.end();
  };
  for (const auto& [name, tensor] : variables_.all()) {
    if (left_over(name)) continue;
    const auto values = tensor.values();
    contents.tensors[name] = {tensor.shape(), {values.begin(), values.end()}};
  }
  save_safetensors(file, contents);
}

Network Network::load(const std::filesystem::path& file) {
  if (file.extension() == ".onnx") return read_onnx(file);
  auto contents = load_safetensors(file);
  const auto name = file.string();
  MetadataReader reader(contents.metadata, name);
  const auto version = reader.text(kVersionKey);
  if (version != kVersion && version != kVersionOfEncodings) {
    reader.fail(str("has ", kVersionKey, " ", in_quotes(version), ", this program reads ", in_quotes(kVersion), " and ",
                    in_quotes(kVersionOfEncodings), "; use a newer chalkgrad"));
  }
  const auto text = reader.text(kNetworkKey);
  const auto input =
      reader.list<std::int64_t>(kInputKey, "whole numbers from 1 to 4294967296, like [1,28,28]", is_extent);
  if (input.empty())
    reader.fail(str("has no ", kInputKey, " in its metadata; add the shape of a sample, like [1,28,28]"));
  auto [graph, outputs] = rebuilt(text, input, name);
  Network network(std::move(graph), text, std::move(outputs));
  network.encoding = {reader.list<float>(kScaleKey, "numbers, one a channel", is_float),
                      reader.list<float>(kShiftKey, "numbers, one a channel", is_float),
                      reader.list<std::string>(kClassesKey, "texts, one a class", is_text)};
  for (const auto& word : reader.list<std::string>(kEncodingKey, R"("per-sample" and "values")", is_encoding))
    (word == kPerSample ? network.encoding.per_sample : network.encoding.of_values) = true;
  check_encoding(network.encoding, input, reader);
  const auto parameters = parameters_of(network.graph(), contents, reader);
  network.variables_ = Variables(parameters, 0);
  for (const auto& [tensor, stored] : contents.tensors) {
    network.variables_.at(tensor).assign(stored.values);
  }
  try {
    network.training = take_record(contents.metadata);
    if (network.training) {
      const auto trained = parameters_by_name(network.graph());
      for (const auto& [tensor, stored] : contents.tensors) {
        if (!trained.contains(tensor)) network.training->states.push_back(tensor);
      }
    }
  } catch (const InputError& e) {
    reader.fail(e.what());
  }
  network.metadata = std::move(contents.metadata);
  return network;
}

}  // namespace chalk
