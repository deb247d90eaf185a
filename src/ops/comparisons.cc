// Comparisons, and choices between two values. A comparison is constant almost everywhere, and has no derivative.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/ops/comparisons.cc"
#include <hwy/foreach_target.h>

#include "src/ops/elementwise-inl.h"

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {
namespace {

// y = 1 where a > b, else 0
CHALK_FORMULA(greater, (T a, T b)) { return select(a > b, T(1), T(0)); }
CHALK_NO_DERIVATIVE(greater);

// y = 1 where a = b, else 0 (NaN equals nothing)
CHALK_FORMULA(equal, (T a, T b)) { return select(a == b, T(1), T(0)); }
CHALK_NO_DERIVATIVE(equal);

// y = yes where condition ≠ 0 (NaN is ≠ 0), else no; dyes = dy where condition ≠ 0, dno = dy elsewhere, each summed
// over the axes that it was broadcast along. The condition has no derivative: y is constant in it almost everywhere.
CHALK_FORMULA(select, (T condition, T yes, T no)) { return select(condition == T(0), no, yes); }
CHALK_DERIVATIVE(select) {
  const Value zero = dy.graph().constant(0);
  return {
      {}, sum_to_shape(select(in[0], dy, zero), in[1].shape()), sum_to_shape(select(in[0], zero, dy), in[2].shape())};
}

// dy to the operand that is ahead, half of it to each at a tie, nothing where one is NaN
[[maybe_unused]] std::vector<Value> to_the_winner(std::span<const Value> in, Value ahead, Value behind, Value dy) {
  Graph& g = dy.graph();
  const Value tie = equal(in[0], in[1]), half = g.constant(0.5) * dy, zero = g.constant(0);
  const auto share = [&](Value wins, Value operand) {
    return sum_to_shape(select(tie, half, select(wins, dy, zero)), operand.shape());
  };
  return {share(greater(ahead, behind), in[0]), share(greater(behind, ahead), in[1])};
}

// y = max(a, b), NaN if either is; da = [a > b] · dy + ½ [a = b] · dy, db likewise
CHALK_FORMULA(maximum, (T a, T b)) { return select(a > b, a, select(a == a, b, a)); }
CHALK_DERIVATIVE(maximum) { return to_the_winner(in, in[0], in[1], dy); }

// y = min(a, b), NaN if either is; da = [a < b] · dy + ½ [a = b] · dy, db likewise
CHALK_FORMULA(minimum, (T a, T b)) { return select(a < b, a, select(a == a, b, a)); }
CHALK_DERIVATIVE(minimum) { return to_the_winner(in, in[1], in[0], dy); }

}  // namespace
}  // namespace chalk::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace chalk {

namespace {

/// With ties, too.
std::vector<Sample> two_with_ties() {
  return joined(two_between(-1, 1), {{{}, {{{3, 5}, true, -1, 1, 0.5, false}, {{}, false, -1, 1, 0.5, false}}}});
}

}  // namespace

CHALK_BINARY(greater, .formula = Formula{"[#1 > #2]"}, .onnx = "Greater", .exact = true, .cheap = true,
             .links = {{LinkKind::greater, LinkKind::less}}, .samples = two_with_ties());

CHALK_BINARY(equal, .formula = Formula{"[#1 = #2]"}, .onnx = "Equal", .exact = true, .cheap = true,
             .samples = std::vector<Sample>{
                 {{}, {{{3, 4}}, {{3, 4}}}},
                 {{}, {{{2, 3, 4}, true, -1, 1, 0.5, false}, {{3, 1}, false, -1, 1, 0.5, false}}},
                 {{}, {{{5}, false, -1, 1, 0.5, false}, {{5}, false, -1, 1, 0.5, false}}}});

CHALK_BINARY(maximum, .formula = Formula{"\\max(#1, #2)"}, .onnx = "Max", .exact = true,
             .kink = {"maximum: half to each of equal ones", "1 2 3; 1 4 3", "0.5 0 0.5; 0.5 1 0.5", "3"},
             .cheap = true, .samples = two_with_ties());

CHALK_BINARY(minimum, .formula = Formula{"\\min(#1, #2)"}, .onnx = "Min", .exact = true,
             .kink = {"minimum: half to each of equal ones", "1 2 3; 1 4 3", "0.5 1 0.5; 0.5 0 0.5", "3"},
             .cheap = true, .samples = two_with_ties());

CHALK_TERNARY(select, .formula = Formula{"\\begin{cases} #2 & #1 \\ne 0 \\\\ #3 & \\text{else} \\end{cases}"},
              .onnx = "Where", .exact = true, .cheap = true,
              .links = {{LinkKind::choose, LinkKind::keep, LinkKind::replace}},
              .samples = std::vector<Sample>{{{}, {{{3, 4}, true, -1, 1, 1, false}, {{3, 4}}, {{3, 4}}}},
                                             {{}, {{{2, 3, 4}, true, -1, 1, 1, false}, {{3, 1}, false}, {{}}}},
                                             {{}, {{{3, 1}, false, -1, 1, 1, false}, {{2, 1, 4}}, {{1, 4}, false}}},
                                             {{}, {{{5}, false, -1, 1, 1, false}, {{5}, false}, {{}, false}}}});

}  // namespace chalk
#endif
