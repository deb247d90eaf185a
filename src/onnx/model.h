// An ONNX model in memory, as far as chalkgrad writes one, and its bytes. Names and field numbers are those of
// onnx.proto (onnx 1.23).
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace chalk::onnx {

/// TensorProto.DataType
enum class Element : std::uint8_t { float32 = 1, uint8 = 2, int64 = 7, boolean = 9 };

constexpr std::int64_t number_of(Element element) { return static_cast<std::int64_t>(element); }

/// An extent: a number, or the name of one that is not known before a run.
using Extent = std::variant<std::int64_t, std::string>;

/// A tensor that comes into the graph or goes out of it.
struct Port {
  std::string name;
  Element element = Element::float32;
  std::vector<Extent> extents;
};

/// A tensor whose numbers are in the file.
struct Initializer {
  std::string name;
  Element element = Element::float32;
  std::vector<std::int64_t> extents;
  std::string bytes;  ///< little-endian, row-major
};

/// Tensors of these numbers, as many as the extents say.
Initializer floats(std::string name, std::vector<std::int64_t> extents, std::span<const float> values);
Initializer whole_numbers(std::string name, std::vector<std::int64_t> extents, std::span<const std::int64_t> values);

using AttributeValue = std::variant<std::int64_t, float, std::string, std::vector<std::int64_t>>;

struct OperatorCall {
  std::string op;  ///< of the standard's own domain
  std::vector<std::string> inputs, outputs;
  std::vector<std::pair<std::string, AttributeValue>> attributes;
};

struct Model {
  int opset = 17;
  std::string name;  ///< of the graph
  std::string description;
  std::vector<OperatorCall> calls;  ///< each after those whose outputs it takes
  std::vector<Initializer> initializers;
  std::vector<Port> inputs, outputs;
  std::map<std::string, std::string> metadata;
};

/// The file's bytes; the same for the same model.
std::string serialised(const Model& model);

}  // namespace chalk::onnx
