// The list of operations as data.
#pragma once

#include <span>

#include "src/ir/op.h"

namespace chalk {

#define CHALK_OP(name) extern const Op op_##name;
#include "src/ops/ops.inc"
#undef CHALK_OP

/// All operations of ops.inc, in its order.
std::span<const Op* const> all_ops();

/// The operation of that name, or null.
const Op* find_op(std::string_view name);

}  // namespace chalk
