// The links of chains (src/kernels/chain.h), by name: operations say which of them they are (Op::links).
#pragma once

#include <cstdint>

namespace chalk {

/// What becomes of the value v, given the operands a and b.
enum class LinkKind : std::uint8_t {
  load,     // a
  store,    // v, which is also written to a
  sum,      // v, which is also added to a
  add,      // v + a
  sub,      // v − a
  sub_of,   // a − v
  mul,      // v · a
  div,      // v / a
  div_of,   // a / v
  square,   // v · v
  neg,      // −v
  sqrt,     // √v
  relu,     // 0 where v < 0, else v
  greater,  // v > a: 1 or 0
  less,     // a > v: 1 or 0
  choose,   // b where v is 0, else a
  keep,     // b where a is 0, else v
  replace,  // v where a is 0, else b
};

/// It reads or writes a.
constexpr bool has_operand(LinkKind kind) {
  using enum LinkKind;
  return kind != square && kind != neg && kind != sqrt && kind != relu;
}

}  // namespace chalk
