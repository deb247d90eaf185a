// The translations of all operations: one that is missing does not link.
#include <array>

#include "src/ir/leaves.h"
#include "src/onnx/emitter.h"
#include "src/ops/registry.h"

namespace chalk::onnx {

#define CHALK_OP(name) extern const Translation onnx_##name;
#include "src/ops/ops.inc"
CHALK_OP(constant)
CHALK_OP(batch_size)
#undef CHALK_OP
extern const Translation onnx_convolution_with_bias, onnx_dense_with_bias, onnx_batch_normalization;

const Translation& translation_of(const Op& op) {
  static const std::map<const Op*, const Translation*> all{
#define CHALK_OP(name) {&op_##name, &onnx_##name},
#include "src/ops/ops.inc"
      CHALK_OP(constant) CHALK_OP(batch_size)
#undef CHALK_OP
  };
  return *all.at(&op);
}

std::span<const Translation* const> composites() {
  static constexpr std::array<const Translation*, 3> kAll{&onnx_batch_normalization, &onnx_convolution_with_bias,
                                                          &onnx_dense_with_bias};
  return kAll;
}

}  // namespace chalk::onnx
