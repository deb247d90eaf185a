#include "src/ir/leaves.h"

#include <utility>

namespace chalk {
namespace {

constexpr Kernels kNone{nullptr, nullptr, nullptr, nullptr};

Type input_type(const Attributes& a, std::span<const Type>) {
  const auto& attributes = a.as<InputAttributes>();
  return {attributes.shape, attributes.batched};
}
Type parameter_type(const Attributes& a, std::span<const Type>) { return {a.as<ParameterAttributes>().shape, false}; }
Type constant_type(const Attributes& a, std::span<const Type>) { return {a.as<ConstantAttributes>().shape, false}; }
Type scalar_type(const Attributes&, std::span<const Type>) { return {{}, false}; }

Op leaf(std::string_view name, Attributes attributes, Type (*type)(const Attributes&, std::span<const Type>),
        std::string_view latex = "", std::string_view onnx = "") {
  return {.name = name,
          .attributes = std::move(attributes),
          .arity = 0,
          .infer = type,
          .kernels = kNone,
          .derivative = nullptr,
          .formula = Formula{latex},
          .onnx = onnx,
          .exact = true,
          .samples = std::vector<Sample>{}};
}

}  // namespace

const Op op_input = leaf("input", InputAttributes{}, input_type);
const Op op_parameter = leaf("parameter", ParameterAttributes{}, parameter_type);
const Op op_constant = leaf("constant", ConstantAttributes{}, constant_type, "", "Constant");
const Op op_batch_size = leaf("batch_size", Attributes{}, scalar_type, "N");

ParameterRole role_of(Value parameter) {
  const auto said = parameter.graph().node(parameter.id()).attributes.as<ParameterAttributes>().role;
  if (said != ParameterRole::unsaid) return said;
  const auto& name = parameter.name();
  const bool bias = parameter.shape().size() <= 1 || name == "bias" || name.ends_with(".bias");
  return bias ? ParameterRole::bias : ParameterRole::weight;
}

std::vector<NodeId> parameters_of(const Graph& graph) {
  std::vector<NodeId> found;
  for (NodeId id = 0; id < graph.size(); ++id) {
    if (graph.node(id).op == &op_parameter) found.push_back(id);
  }
  return found;
}

bool is_leaf(const Op& op) {
  return &op == &op_input || &op == &op_parameter || &op == &op_constant || &op == &op_batch_size;
}

}  // namespace chalk
