#include "src/onnx/graph_file.h"

#include <limits>
#include <utility>

#include "chalkgrad/error.h"
#include "src/base/file.h"
#include "src/base/text.h"
#include "src/onnx/tidy.h"

namespace chalk::onnx {
namespace {

constexpr int kLeastOpsetWritten = 17, kMostOpsetWritten = 22;
constexpr std::int64_t kMostBatch = std::int64_t{1} << 24;
constexpr std::size_t kMostBytesOfMessage = std::numeric_limits<std::int32_t>::max();  // of a protobuf message

}  // namespace

GraphFile::GraphFile(const Graph& graph, const Variables& variables, const OnnxOptions& options)
    : variables_(variables), options_(options), emitter_(graph, model_, [this](NodeId id) { return leaf(id); }) {
  if (options.opset < kLeastOpsetWritten || options.opset > kMostOpsetWritten)
    throw InputError(
        str("opset is ", options.opset, "; it must be from ", kLeastOpsetWritten, " to ", kMostOpsetWritten));
  if (options.batch < 0 || options.batch > kMostBatch)
    throw InputError(str("batch is ", options.batch, "; it must be from 1 to ", kMostBatch, ", or 0 for any number"));
  model_.opset = options.opset;
  model_.name = "chalkgrad";
}

Extent GraphFile::batch() const { return options_.batch > 0 ? Extent(options_.batch) : Extent(std::string("batch")); }

std::vector<Extent> GraphFile::extents(const Type& type) const {
  std::vector<Extent> all(type.shape.begin(), type.shape.end());
  if (type.batched) all.insert(all.begin(), batch());
  return all;
}

std::string GraphFile::input(NodeId id) {
  const auto& node = emitter_.node(id);
  model_.inputs.push_back({node.name, Element::float32, extents(node.type)});
  return node.name;
}

std::string GraphFile::samples(NodeId id, const InputEncoding& encoding) {
  auto name = input(id);
  if (!options_.bytes) return name;
  model_.inputs.back().element = Element::uint8;
  const auto& shape = emitter_.type(id).shape;
  if (encoding.per_sample) {
    throw InputError(
        "each sample is normalised by itself, which the file does not do; let the input be numbers, and normalise them "
        "before");
  }
  if (!encoding.encodes_bytes() || shape.empty() || std::cmp_not_equal(shape[0], encoding.scale.size())) {
    throw InputError(
        "the network was not trained on bytes, so nothing says how it sees them; let the input be numbers");
  }
  Ints column(shape.size(), 1);
  column[0] = shape[0];
  const auto number = emitter_.call("Cast", {name}, {{"to", number_of(Element::float32)}});
  const auto scaled = emitter_.call("Mul", {number, emitter_.initializer(floats("", column, encoding.scale))});
  return emitter_.call("Add", {scaled, emitter_.initializer(floats("", column, encoding.shift))});
}

std::string GraphFile::labels(NodeId id) {
  model_.inputs.push_back({"labels", Element::int64, {batch()}});
  const auto values = emitter_.initializer(floats("", {2}, std::array{0.0F, 1.0F}));
  const auto classes = emitter_.type(id).shape[0];
  return emitter_.call("OneHot", {"labels", emitter_.ints({classes}), values}, {{"axis", std::int64_t{-1}}});
}

std::string GraphFile::noise(NodeId id) {
  const auto zeros = emitter_.zeros(emitter_.type(id));
  return emitter_.call("RandomUniformLike", {zeros}, {{"seed", static_cast<float>(id + 1)}});  // another for each
}

std::string GraphFile::parameter(NodeId id, bool is_open) {
  const auto& node = emitter_.node(id);
  auto tensor = floats(node.name, node.type.shape, variables_.at(node.name).values());
  return is_open ? open(std::move(tensor)) : emitter_.initializer(std::move(tensor));
}

std::string GraphFile::open_number(const std::string& name, float value) {
  return open(floats(name, {}, std::span(&value, 1)));
}

std::string GraphFile::open_number(const std::string& name, std::int64_t value) {
  return open(whole_numbers(name, {}, std::span(&value, 1)));
}

std::string GraphFile::open(Initializer tensor) {
  model_.inputs.push_back({tensor.name, tensor.element, {tensor.extents.begin(), tensor.extents.end()}});
  return emitter_.initializer(std::move(tensor));
}

void GraphFile::output(const std::string& name, NodeId id) {
  model_.calls.push_back({"Identity", {emitter_.operand(id)}, {name}, {}});
  model_.outputs.push_back({name, Element::float32, extents(emitter_.type(id))});
}

void GraphFile::output_whole_number(const std::string& name, const std::string& tensor) {
  model_.calls.push_back({"Identity", {tensor}, {name}, {}});
  model_.outputs.push_back({name, Element::int64, {}});
}

void GraphFile::save(const std::filesystem::path& file) {
  tidy(model_);
  std::size_t bytes = 0;
  for (const auto& tensor : model_.initializers) bytes += tensor.bytes.size();
  if (bytes > kMostBytesOfMessage)
    throw InputError(
        str(file.string(), ": its tensors are ", bytes, " bytes, and an ONNX file holds no more than 2 GB"));
  write_file_atomically(file, std::string_view(serialised(model_)));
}

}  // namespace chalk::onnx
