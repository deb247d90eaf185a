// Elementwise operations. What ONNX has is one call; comparisons, whose results are numbers here, are converted.
#include "src/ir/op.h"
#include "src/onnx/emitter.h"

namespace chalk::onnx {
namespace {

constexpr std::int64_t kBoolean = number_of(Element::boolean);

/// All operands, with the axes of the result.
Names aligned(Emitter& to, NodeId id, std::span<const NodeId> operands) {
  Names names;
  for (const auto operand : operands) names.push_back(to.aligned_operand(operand, to.type(id).shape.size()));
  return names;
}

std::string write(Emitter& to, NodeId id, std::span<const NodeId> operands) {
  return to.call(to.node(id).op->onnx.value, aligned(to, id, operands));
}

std::string write_comparison(Emitter& to, NodeId id, std::span<const NodeId> operands) {
  return to.call("Cast", {write(to, id, operands)}, {{"to", number_of(Element::float32)}});
}

std::string write_select(Emitter& to, NodeId id, std::span<const NodeId> operands) {
  auto names = aligned(to, id, operands);
  names[0] = to.call("Cast", {names[0]}, {{"to", kBoolean}});
  return to.call("Where", std::move(names));
}

/// e^x − 1, which loses all digits near 0. With t = tanh(x/2) it is 2t / (1 − t), which does not: that is taken up to
/// |x| = 1.
std::string write_expm1(Emitter& to, NodeId, std::span<const NodeId> operands) {
  const auto x = to.operand(operands[0]), one = to.number(1);
  const auto t = to.call("Tanh", {to.call("Mul", {x, to.number(0.5)})});
  const auto near = to.call("Div", {to.call("Add", {t, t}), to.call("Sub", {one, t})});
  const auto far = to.call("Sub", {to.call("Exp", {x}), one});
  return to.call("Where", {to.call("Less", {to.call("Abs", {x}), one}), near, far});
}

}  // namespace

extern const Translation onnx_add{.write = write}, onnx_sub{.write = write}, onnx_mul{.write = write},
    onnx_div{.write = write}, onnx_neg{.write = write}, onnx_relu{.write = write}, onnx_abs{.write = write},
    onnx_sigmoid{.write = write}, onnx_softplus{.write = write}, onnx_tanh{.write = write}, onnx_erf{.write = write},
    onnx_exp{.write = write}, onnx_expm1{.write = write_expm1}, onnx_log{.write = write}, onnx_sqrt{.write = write},
    onnx_greater{.write = write_comparison}, onnx_equal{.write = write_comparison}, onnx_maximum{.write = write},
    onnx_minimum{.write = write}, onnx_select{.write = write_select};

}  // namespace chalk::onnx
