#include "src/ir/leaves.h"

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

}  // namespace

const Op op_input{.name = "input",
                  .attributes = InputAttributes{},
                  .arity = 0,
                  .infer = input_type,
                  .kernels = kNone,
                  .derivative = nullptr,
                  .formula = Formula{""},
                  .onnx = "",
                  .exact = true,
                  .samples = std::vector<Sample>{}};

const Op op_parameter{.name = "parameter",
                      .attributes = ParameterAttributes{},
                      .arity = 0,
                      .infer = parameter_type,
                      .kernels = kNone,
                      .derivative = nullptr,
                      .formula = Formula{""},
                      .onnx = "",
                      .exact = true,
                      .samples = std::vector<Sample>{}};

const Op op_constant{.name = "constant",
                     .attributes = ConstantAttributes{},
                     .arity = 0,
                     .infer = constant_type,
                     .kernels = kNone,
                     .derivative = nullptr,
                     .formula = Formula{""},
                     .onnx = "Constant",
                     .exact = true,
                     .samples = std::vector<Sample>{}};

const Op op_batch_size{.name = "batch_size",
                       .attributes = Attributes{},
                       .arity = 0,
                       .infer = scalar_type,
                       .kernels = kNone,
                       .derivative = nullptr,
                       .formula = Formula{"N"},
                       .onnx = "",
                       .exact = true,
                       .samples = std::vector<Sample>{}};

bool is_leaf(const Op& op) {
  return &op == &op_input || &op == &op_parameter || &op == &op_constant || &op == &op_batch_size;
}

}  // namespace chalk
