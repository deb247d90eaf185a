#include "src/ops/registry.h"

#include <algorithm>

namespace chalk {

std::span<const Op* const> all_ops() {
  static constexpr const Op* kAll[] = {
#define CHALK_OP(name) &op_##name,
#include "src/ops/ops.inc"
#undef CHALK_OP
  };
  return kAll;
}

const Op* find_op(std::string_view name) {
  const auto ops = all_ops();
  const auto found = std::find_if(ops.begin(), ops.end(), [&](const Op* op) { return op->name.value == name; });
  return found == ops.end() ? nullptr : *found;
}

}  // namespace chalk
