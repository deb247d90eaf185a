#include "src/onnx/model.h"

#include <bit>
#include <cstring>

#include "src/onnx/protobuf.h"

namespace chalk::onnx {
namespace {

// Field numbers of onnx.proto, a namespace each message.
namespace model_proto {
enum class Field : protozero::pbf_tag_type {
  ir_version = 1,
  producer_name = 2,
  graph = 7,
  opset_import = 8,
  metadata_props = 14
};
}
namespace graph_proto {
enum class Field : protozero::pbf_tag_type {
  node = 1,
  name = 2,
  initializer = 5,
  doc_string = 10,
  input = 11,
  output = 12
};
}
namespace node_proto {
enum class Field : protozero::pbf_tag_type { input = 1, output = 2, name = 3, op_type = 4, attribute = 5 };
}
namespace attribute_proto {
enum class Field : protozero::pbf_tag_type { name = 1, f = 2, i = 3, s = 4, ints = 8, type = 20 };
enum Type : std::int32_t { kFloat = 1, kInt = 2, kString = 3, kInts = 7 };
}  // namespace attribute_proto
namespace tensor_proto {
enum class Field : protozero::pbf_tag_type { dims = 1, data_type = 2, name = 8, raw_data = 9 };
}
namespace value_info_proto {
enum class Field : protozero::pbf_tag_type { name = 1, type = 2 };
}
namespace type_proto {
enum class Field : protozero::pbf_tag_type { tensor_type = 1 };
}
namespace tensor_type_proto {
enum class Field : protozero::pbf_tag_type { elem_type = 1, shape = 2 };
}
namespace shape_proto {
enum class Field : protozero::pbf_tag_type { dim = 1 };
}
namespace dimension_proto {
enum class Field : protozero::pbf_tag_type { dim_value = 1, dim_param = 2 };
}
namespace pair_proto {  // OperatorSetIdProto and StringStringEntryProto
enum class Field : protozero::pbf_tag_type { first = 1, second = 2 };
}

/// The oldest intermediate representation that may hold the opset: what every runtime of its time reads.
int ir_version_of(int opset) {
  if (opset >= 21) return 10;
  return opset >= 19 ? 9 : 8;
}

template <class Message, class Parent, class Field>
auto part(Parent& parent, Field field) {
  return protozero::pbf_builder<Message>(parent, field);
}

template <class Parent, class Field>
void add(Parent& parent, Field field, const std::pair<std::string, AttributeValue>& attribute) {
  auto to = part<attribute_proto::Field>(parent, field);
  to.add_string(attribute_proto::Field::name, attribute.first);
  std::int32_t type = 0;
  if (const auto* i = std::get_if<std::int64_t>(&attribute.second)) {
    to.add_int64(attribute_proto::Field::i, *i);
    type = attribute_proto::kInt;
  } else if (const auto* f = std::get_if<float>(&attribute.second)) {
    to.add_float(attribute_proto::Field::f, *f);
    type = attribute_proto::kFloat;
  } else if (const auto* s = std::get_if<std::string>(&attribute.second)) {
    to.add_bytes(attribute_proto::Field::s, *s);
    type = attribute_proto::kString;
  } else {
    for (const auto each : std::get<std::vector<std::int64_t>>(attribute.second))
      to.add_int64(attribute_proto::Field::ints, each);
    type = attribute_proto::kInts;
  }
  to.add_int32(attribute_proto::Field::type, type);
}

template <class Parent, class Field>
void add(Parent& parent, Field field, const OperatorCall& call) {
  auto to = part<node_proto::Field>(parent, field);
  for (const auto& input : call.inputs) to.add_string(node_proto::Field::input, input);
  for (const auto& output : call.outputs) to.add_string(node_proto::Field::output, output);
  to.add_string(node_proto::Field::name, call.outputs.front());  // unique, as ONNX Runtime wants it
  to.add_string(node_proto::Field::op_type, call.op);
  for (const auto& attribute : call.attributes) add(to, node_proto::Field::attribute, attribute);
}

template <class Parent, class Field>
void add(Parent& parent, Field field, const Initializer& tensor) {
  auto to = part<tensor_proto::Field>(parent, field);
  for (const auto extent : tensor.extents) to.add_int64(tensor_proto::Field::dims, extent);
  to.add_int32(tensor_proto::Field::data_type, static_cast<std::int32_t>(tensor.element));
  to.add_string(tensor_proto::Field::name, tensor.name);
  to.add_bytes(tensor_proto::Field::raw_data, tensor.bytes);
}

template <class Parent, class Field>
void add(Parent& parent, Field field, const Port& port) {
  auto to = part<value_info_proto::Field>(parent, field);
  to.add_string(value_info_proto::Field::name, port.name);
  auto type = part<type_proto::Field>(to, value_info_proto::Field::type);
  auto tensor = part<tensor_type_proto::Field>(type, type_proto::Field::tensor_type);
  tensor.add_int32(tensor_type_proto::Field::elem_type, static_cast<std::int32_t>(port.element));
  if (port.extents.empty())
    return tensor.add_message(tensor_type_proto::Field::shape, std::string());  // a builder leaves it out
  auto shape = part<shape_proto::Field>(tensor, tensor_type_proto::Field::shape);
  for (const auto& extent : port.extents) {
    auto dimension = part<dimension_proto::Field>(shape, shape_proto::Field::dim);
    if (const auto* number = std::get_if<std::int64_t>(&extent)) {
      dimension.add_int64(dimension_proto::Field::dim_value, *number);
    } else {
      dimension.add_string(dimension_proto::Field::dim_param, std::get<std::string>(extent));
    }
  }
}

template <class T>
Initializer tensor_of(std::string name, Element element, std::vector<std::int64_t> extents, std::span<const T> values) {
  static_assert(std::endian::native == std::endian::little);
  std::string bytes(values.size_bytes(), '\0');
  if (!values.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return {std::move(name), element, std::move(extents), std::move(bytes)};
}

}  // namespace

Initializer floats(std::string name, std::vector<std::int64_t> extents, std::span<const float> values) {
  return tensor_of(std::move(name), Element::float32, std::move(extents), values);
}

Initializer whole_numbers(std::string name, std::vector<std::int64_t> extents, std::span<const std::int64_t> values) {
  return tensor_of(std::move(name), Element::int64, std::move(extents), values);
}

std::string serialised(const Model& model) {
  std::string bytes;
  protozero::pbf_builder<model_proto::Field> to(bytes);
  to.add_int64(model_proto::Field::ir_version, ir_version_of(model.opset));
  to.add_string(model_proto::Field::producer_name, "chalkgrad");
  {
    auto graph = part<graph_proto::Field>(to, model_proto::Field::graph);
    for (const auto& call : model.calls) add(graph, graph_proto::Field::node, call);
    graph.add_string(graph_proto::Field::name, model.name);
    for (const auto& tensor : model.initializers) add(graph, graph_proto::Field::initializer, tensor);
    if (!model.description.empty()) graph.add_string(graph_proto::Field::doc_string, model.description);
    for (const auto& port : model.inputs) add(graph, graph_proto::Field::input, port);
    for (const auto& port : model.outputs) add(graph, graph_proto::Field::output, port);
  }
  {
    auto opset = part<pair_proto::Field>(to, model_proto::Field::opset_import);
    opset.add_string(pair_proto::Field::first, "");
    opset.add_int64(pair_proto::Field::second, model.opset);
  }
  for (const auto& [key, value] : model.metadata) {
    auto entry = part<pair_proto::Field>(to, model_proto::Field::metadata_props);
    entry.add_string(pair_proto::Field::first, key);
    entry.add_string(pair_proto::Field::second, value);
  }
  return bytes;
}

}  // namespace chalk::onnx
