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

constexpr std::int64_t kWeightGradColumns = 48;  // of dW whose sums are in cache at a time
constexpr std::int64_t kFoldLevels = 5;          // of folding kMaxSlots slots, their samples included

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

/// Some columns of dW.
class WeightGradColumns {
 public:
  WeightGradColumns(const DenseWeightGrad& of, const float* xt, const float* dy, std::int64_t columns)
      : of_(of), xt_(xt), dy_(dy), columns_(columns) {}

  /// c = what folding leaves in slot s once the halves from kMaxSlots / 2 down to `half` are folded; or c += it.
  /// `spare`: a block for each level below.
  void sum(int s, int half, bool add, float* c, std::int64_t c_row, float* spare) const {
    const bool folds = half < kMaxSlots && s + half < of_.slots;
    if (half < kMaxSlots && !folds) return sum(s, 2 * half, add, c, c_row, spare);
    if (add && (folds || s + of_.slots < of_.all.count)) {  // of several: they are summed by themselves first
      sum(s, half, false, spare, kWeightGradColumns, spare + block());
      return add_block(spare, c, c_row);
    }
    if (!folds) return sum_samples(s, add, c, c_row);
    sum(s, 2 * half, false, c, c_row, spare);
    sum(s + half, 2 * half, true, c, c_row, spare);
  }

 private:
  std::int64_t block() const { return of_.outputs * kWeightGradColumns; }

  void sum_samples(int slot, bool add, float* c, std::int64_t c_row) const {
    for (std::int64_t m = slot; m < of_.all.count; m += of_.slots) {
      outer_sums({.a_row = kLanes,
                  .b_row = (of_.inputs + kLanes - 1) / kLanes * kLanes,
                  .c_row = c_row,
                  .valid = m + 1 < of_.all.count ? static_cast<int>(kLanes) : of_.valid,
                  .accumulate = m != slot,
                  .add = add},
                 dy_ + m * of_.all.y_step, xt_ + m * of_.all.x_step, c, of_.outputs, columns_);
    }
  }

  void add_block(const float* from, float* c, std::int64_t c_row) const {
    const LaneTag d;
    for (std::int64_t o = 0; o < of_.outputs; ++o, from += kWeightGradColumns, c += c_row) {
      std::int64_t k = 0;
      for (; k + kWidth <= columns_; k += kWidth)
        hn::StoreU(hn::Add(hn::LoadU(d, c + k), hn::Load(d, from + k)), d, c + k);
      for (; k < columns_; ++k) c[k] += from[k];
    }
  }

  const DenseWeightGrad& of_;
  const float *xt_, *dy_;
  std::int64_t columns_;
};

void DenseWeightGradOf(const DenseWeightGrad& of, const float* xt, const float* dy, float* dw, float* scratch) {
  for (std::int64_t i = 0; i < of.inputs; i += kWeightGradColumns) {
    const std::int64_t columns = std::min(kWeightGradColumns, of.inputs - i);
    WeightGradColumns(of, xt + i, dy, columns).sum(0, 1, false, dw + i, of.inputs, scratch);
  }
}

}  // namespace chalk::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace chalk {
CHALK_EXPORT(DenseForward);
CHALK_EXPORT(DenseInputGrad);
CHALK_EXPORT(DenseTranspose);
CHALK_EXPORT(DenseWeightGradOf);

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

std::size_t dense_weight_grad_scratch(std::int64_t outputs) {
  return static_cast<std::size_t>(kFoldLevels * outputs * kWeightGradColumns);
}

void dense_weight_grad(const DenseWeightGrad& of, const float* xt, const float* dy, float* dw, float* scratch) {
  CHALK_CHOSEN(DenseWeightGradOf)(of, xt, dy, dw, scratch);
}

}  // namespace chalk
#endif
