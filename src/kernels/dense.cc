// Dense layers: each weight meets one vector of sixteen samples.
#include "src/kernels/dense.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/kernels/dense.cc"
#include <hwy/foreach_target.h>

#include "src/kernels/conv_tile-inl.h"
#include "src/kernels/fold.h"
#include "src/kernels/outer-inl.h"

#ifndef CHALKGRAD_DENSE_ONCE_
#define CHALKGRAD_DENSE_ONCE_
namespace chalk {
namespace {

constexpr std::int64_t kWeightGradColumns = 48;  // of dW, whose x is in the nearest cache for all outputs

}  // namespace
}  // namespace chalk
#endif

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {

constexpr int kWideParts = kPieces > 2 ? 1 : kPieces;  // native vectors of a sample group held at once
constexpr std::int64_t kTerms = 128;                   // of x[t] that stay in the first-level cache

/// Sums y[k] = Σ_t w[k·w_sum + t·w_step] · x[t] of one or several sample groups, then + bias[k] (if not null), then
/// relu.
struct DenseSums {
  const float* x;
  std::int64_t x_group;
  std::int64_t terms;
  const float* w;
  std::int64_t w_sum, w_step;
  const float* bias;
  bool relu;
  float* y;
  std::int64_t y_group;
  bool begins, ends;  // with these terms; else they go on from y, or are gone on with
};

template <int kSums, int kOf>
HWY_NOINLINE void dense_tile(const DenseSums& s) {
  const LaneTag d;
  const std::int64_t w_sum = s.w_sum, w_step = s.w_step;
  for (int part = 0; part < kPieces; part += kWideParts) {
    LaneVec sum[kSums][kOf][kWideParts];
    CHALKGRAD_UNROLL
    for (int k = 0; k < kSums; ++k) {
      CHALKGRAD_UNROLL
      for (int g = 0; g < kOf; ++g) {
        CHALKGRAD_UNROLL
        for (int i = 0; i < kWideParts; ++i) {
          const float* y = s.y + k * kLanes + g * s.y_group + (part + i) * kWidth;
          sum[k][g][i] = s.begins ? hn::Zero(d) : hn::Load(d, y);
        }
      }
    }
    const float* x = s.x + part * kWidth;
    const float* w = s.w;
    for (std::int64_t t = 0; t < s.terms; ++t, x += kLanes, w += w_step) {
      LaneVec xs[kOf][kWideParts];
      CHALKGRAD_UNROLL
      for (int g = 0; g < kOf; ++g) {
        CHALKGRAD_UNROLL
        for (int i = 0; i < kWideParts; ++i) xs[g][i] = hn::Load(d, x + g * s.x_group + i * kWidth);
      }
      CHALKGRAD_UNROLL
      for (int k = 0; k < kSums; ++k) {
        const auto wk = hn::Set(d, w[k * w_sum]);
        CHALKGRAD_UNROLL
        for (int g = 0; g < kOf; ++g) {
          CHALKGRAD_UNROLL
          for (int i = 0; i < kWideParts; ++i) sum[k][g][i] = fused(xs[g][i], wk, sum[k][g][i]);
        }
      }
    }
    CHALKGRAD_UNROLL
    for (int k = 0; k < kSums; ++k) {
      CHALKGRAD_UNROLL
      for (int g = 0; g < kOf; ++g) {
        CHALKGRAD_UNROLL
        for (int i = 0; i < kWideParts; ++i) {
          if (s.ends && s.bias) sum[k][g][i] = hn::Add(sum[k][g][i], hn::Set(d, s.bias[k]));
          if (s.ends && s.relu) sum[k][g][i] = relu_vec(sum[k][g][i]);
          hn::Store(sum[k][g][i], d, s.y + k * kLanes + g * s.y_group + (part + i) * kWidth);
        }
      }
    }
  }
}

template <int kMost, int kOf, int kSums = 1>
HWY_INLINE void run_dense_tile(const DenseSums& s, std::int64_t sums) {
  if (sums == kSums) {
    dense_tile<kSums, kOf>(s);
  } else if constexpr (kSums < kMost) {
    run_dense_tile<kMost, kOf, kSums + 1>(s, sums);
  }
}

/// `count` sums of kOf groups, in tiles of nearly equal size.
template <int kMost, int kOf>
void dense_sums(DenseSums s, std::int64_t count) {
  for (std::int64_t tiles = (count + kMost - 1) / kMost; tiles > 0; --tiles) {
    const std::int64_t sums = (count + tiles - 1) / tiles;
    run_dense_tile<kMost, kOf>(s, sums);
    s.w += sums * s.w_sum;
    if (s.bias) s.bias += sums;
    s.y += sums * kLanes;
    count -= sums;
  }
}

/// `count` sums of all groups. Where several groups share a weight, few enough terms are taken at a time that they
/// stay in the first-level cache from tile to tile.
template <int kMost>
void dense_sums_of_all(DenseSums s, std::int64_t count, std::int64_t groups) {
  const std::int64_t terms = s.terms;
  if constexpr (kDenseGroups > 1) {
    for (; groups >= kDenseGroups; groups -= kDenseGroups) {
      for (std::int64_t t = 0; t < terms; t += kTerms) {
        DenseSums block = s;
        block.x += t * kLanes;
        block.w += t * s.w_step;
        block.terms = std::min(kTerms, terms - t);
        block.begins = t == 0;
        block.ends = t + kTerms >= terms;
        dense_sums<kMaxSums / kDenseGroups, kDenseGroups>(block, count);
      }
      s.x += kDenseGroups * s.x_group;
      s.y += kDenseGroups * s.y_group;
    }
  }
  for (; groups > 0; --groups, s.x += s.x_group, s.y += s.y_group) dense_sums<kMost, 1>(s, count);
}

void DenseForward(std::int64_t outputs, std::int64_t inputs, const Microbatches& all, const float* x, const float* w,
                  const float* bias, bool relu, float* y) {
  dense_sums_of_all<kDenseRows>({x, all.x_step, inputs, w, inputs, 1, bias, relu, y, all.y_step, true, true}, outputs,
                                all.count);
}

void DenseInputGrad(std::int64_t outputs, std::int64_t inputs, std::int64_t count, const Microbatches& all,
                    const float* dy, const float* w, float* dx) {
  dense_sums_of_all<kDenseColumns>({dy, all.y_step, outputs, w, 1, inputs, nullptr, false, dx, all.x_step, true, true},
                                   count, all.count);
}

void DenseTranspose(std::int64_t inputs, const float* x, float* xt) {
  const std::int64_t padded = (inputs + kLanes - 1) / kLanes * kLanes;
  for (std::int64_t i = 0; i < inputs; i += kLanes) {
    transpose_lanes(x + i * kLanes, kLanes, inputs - i, xt + i, padded);
  }
}

/// What becomes of the sums g: a step of SGD, in registers.
class StepSums {
 public:
  explicit StepSums(const SgdStep& step)
      : s_(step),
        rate_(step.ascends ? -*step.rate : *step.rate),  // w + η·v is w − (−η)·v to the last bit
        decay_(!step.decay    ? 0
               : step.ascends ? -*step.decay
                              : *step.decay),
        momentum_(step.momentum ? *step.momentum : 0) {}

  template <int kRows, int kVecs>
  HWY_INLINE void tile(LaneVec (&g)[kRows][kVecs], float* w_next, std::int64_t row) const {
    const LaneTag d;
    const std::ptrdiff_t at = w_next - s_.w_next;
    const float* const w = s_.w + at;
    const auto each = [&](const auto& f) HWY_ATTR {  // g = f(g, where in the tile)
      CHALKGRAD_UNROLL
      for (int r = 0; r < kRows; ++r) {
        CHALKGRAD_UNROLL
        for (int i = 0; i < kVecs; ++i) g[r][i] = f(g[r][i], r * row + i * kWidth);
      }
    };
    if (s_.decay) {
      const auto decay = hn::Set(d, decay_);
      each([&](LaneVec v, std::ptrdiff_t k) HWY_ATTR { return hn::Add(v, hn::Mul(decay, hn::LoadU(d, w + k))); });
    }
    if (s_.momentum) {
      const auto momentum = hn::Set(d, momentum_);
      const float* const m = s_.m + at;
      float* const m_next = s_.m_next + at;
      const auto next = [&](LaneVec v, std::ptrdiff_t k) HWY_ATTR {
        v = hn::Add(hn::Mul(momentum, hn::LoadU(d, m + k)), v);
        hn::StoreU(v, d, m_next + k);
        return v;
      };
      if (s_.nesterov) {
        each([&](LaneVec v, std::ptrdiff_t k) HWY_ATTR { return hn::Add(v, hn::Mul(momentum, next(v, k))); });
      } else {
        each(next);
      }
    }
    const auto rate = hn::Set(d, rate_);
    each([&](LaneVec v, std::ptrdiff_t k) HWY_ATTR {
      hn::StoreU(hn::Sub(hn::LoadU(d, w + k), hn::Mul(rate, v)), d, w_next + k);
      return v;
    });
  }

  void one(float g, float* w_next) const {
    const std::ptrdiff_t at = w_next - s_.w_next;
    const float w = s_.w[at];
    if (s_.decay) g += decay_ * w;
    if (s_.momentum) {
      const float m = s_.m_next[at] = momentum_ * s_.m[at] + g;
      g = s_.nesterov ? g + momentum_ * m : m;
    }
    *w_next = w - rate_ * g;
  }

 private:
  const SgdStep& s_;
  float rate_, decay_, momentum_;
};

template <class Then>
void dense_weight_sums(const DenseBatch& of, const Then& then, const float* xt, const float* dy, float* to) {
  const FoldOrder slots(of.slots);
  const OuterSum sums{.a_row = kLanes,
                      .b_row = (of.inputs + kLanes - 1) / kLanes * kLanes,
                      .c_row = of.inputs,
                      .a_group = of.all.y_step,
                      .b_group = of.all.x_step,
                      .groups = of.all.count,
                      .valid = kLanes,
                      .last = of.valid,
                      .slots = slots};
  for (std::int64_t i = 0; i < of.inputs; i += kWeightGradColumns)
    outer_sums(sums, then, dy, xt + i, to + i, of.outputs, std::min(kWeightGradColumns, of.inputs - i));
}

void DenseWeightGradOf(const DenseBatch& of, const float* xt, const float* dy, float* dw) {
  dense_weight_sums(of, StoreSums(), xt, dy, dw);
}

void DenseWeightStep(const DenseBatch& of, const float* xt, const float* dy, const SgdStep& step) {
  dense_weight_sums(of, StepSums(step), xt, dy, step.w_next);
}

}  // namespace chalk::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace chalk {
CHALK_EXPORT(DenseForward);
CHALK_EXPORT(DenseInputGrad);
CHALK_EXPORT(DenseTranspose);
CHALK_EXPORT(DenseWeightGradOf);
CHALK_EXPORT(DenseWeightStep);

void dense_forward(std::int64_t outputs, std::int64_t inputs, const Microbatches& all, const float* x, const float* w,
                   const float* bias, bool relu, float* y) {
  CHALK_CHOSEN(DenseForward)(outputs, inputs, all, x, w, bias, relu, y);
}

void dense_input_grad(std::int64_t outputs, std::int64_t inputs, std::int64_t count, const Microbatches& all,
                      const float* dy, const float* w, float* dx) {
  CHALK_CHOSEN(DenseInputGrad)(outputs, inputs, count, all, dy, w, dx);
}

std::size_t dense_transposed(std::int64_t inputs) { return static_cast<std::size_t>((inputs + 15) / 16 * 16 * 16); }

void dense_transpose(std::int64_t inputs, const float* x, float* xt) { CHALK_CHOSEN(DenseTranspose)(inputs, x, xt); }

void dense_weight_grad(const DenseBatch& of, const float* xt, const float* dy, float* dw) {
  CHALK_CHOSEN(DenseWeightGradOf)(of, xt, dy, dw);
}

void dense_weight_step(const DenseBatch& of, const float* xt, const float* dy, const SgdStep& step) {
  CHALK_CHOSEN(DenseWeightStep)(of, xt, dy, step);
}

}  // namespace chalk
#endif
