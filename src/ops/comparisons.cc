// Comparisons, and the choice between two values. A comparison is constant almost everywhere, and has no derivative.
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

}  // namespace
}  // namespace chalk::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace chalk {

CHALK_BINARY(greater, .formula = Formula{"[#1 > #2]"}, .onnx = "Greater", .exact = true, .cheap = true,
             .links = {{LinkKind::greater, LinkKind::less}},
             .samples = joined(two_between(-1, 1),
                               {{{}, {{{3, 5}, true, -1, 1, 0.5, false}, {{}, false, -1, 1, 0.5, false}}}}));

CHALK_BINARY(equal, .formula = Formula{"[#1 = #2]"}, .onnx = "Equal", .exact = true, .cheap = true,
             .samples = std::vector<Sample>{
                 {{}, {{{3, 4}}, {{3, 4}}}},
                 {{}, {{{2, 3, 4}, true, -1, 1, 0.5, false}, {{3, 1}, false, -1, 1, 0.5, false}}},
                 {{}, {{{5}, false, -1, 1, 0.5, false}, {{5}, false, -1, 1, 0.5, false}}}});

CHALK_TERNARY(select, .formula = Formula{"\\begin{cases} #2 & #1 \\ne 0 \\\\ #3 & \\text{else} \\end{cases}"},
              .onnx = "Where", .exact = true, .cheap = true,
              .links = {{LinkKind::choose, LinkKind::keep, LinkKind::replace}},
              .samples = std::vector<Sample>{{{}, {{{3, 4}, true, -1, 1, 1, false}, {{3, 4}}, {{3, 4}}}},
                                             {{}, {{{2, 3, 4}, true, -1, 1, 1, false}, {{3, 1}, false}, {{}}}},
                                             {{}, {{{3, 1}, false, -1, 1, 1, false}, {{2, 1, 4}}, {{1, 4}, false}}},
                                             {{}, {{{5}, false, -1, 1, 1, false}, {{5}, false}, {{}, false}}}});

}  // namespace chalk
#endif
