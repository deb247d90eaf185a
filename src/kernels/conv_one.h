// What ConvForward::run_one() does: the same sums in the same order as run(), from the same packed weights.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>

#include "src/kernels/conv.h"

namespace chalk {

/// Floats after places in scratch, so that they can be read in whole vectors.
constexpr std::int64_t kOneMargin = 64;

class ConvForwardOne {
 public:
  ConvForwardOne() = default;
  virtual ~ConvForwardOne() = default;
  ConvForwardOne(const ConvForwardOne&) = delete;
  ConvForwardOne& operator=(const ConvForwardOne&) = delete;

  std::size_t scratch = 0;
  int shares = 1;
  virtual void run(const float* x, const float* packed, const float* bias, float* y, float* index, float* scratch,
                   Share share) const = 0;
};

/// A forward map whose run_one() is that.
class ConvForwardWithOne : public ConvForward {
 public:
  explicit ConvForwardWithOne(std::unique_ptr<const ConvForwardOne> one) : one_(std::move(one)) {
    scratch_one = one_->scratch;
    shares_one = one_->shares;
  }
  void run_one(const float* x, const float* from, const float* bias, float* y, float* index, float* room,
               Share share) const override {
    one_->run(x, from, bias, y, index, room, share);
  }

 private:
  std::unique_ptr<const ConvForwardOne> one_;
};

/// A row of x, padded, whose columns that lie `phases` apart are neighbours: x[column % phases][column / phases], each
/// number `copies` times.
struct ConvPhases {
  std::int64_t phases, width;  // numbers of a phase
  std::int64_t copies = 1;

  std::int64_t row() const { return phases * width * copies; }  // floats
  std::int64_t line_floats(const ConvShape& s) const { return (std::max(phases * width, s.pad_w) + 31) / 16 * 16; }
};

/// For every shape.
std::unique_ptr<const ConvForwardOne> plan_direct_one(const ConvShape& s, const ConvEpilogue& e);
/// The same without pooling, and faster if rows of y nearly fill vectors of sixteen columns.
bool rows_one_fits(const ConvShape& s, const ConvEpilogue& e);
std::unique_ptr<const ConvForwardOne> plan_rows_one(const ConvShape& s, const ConvEpilogue& e);
/// From the weights that the direct kernels pack, to their bits, too: 1 × 1 kernels with stride 1, no padding and no
/// pooling.
bool pointwise_one_fits(const ConvShape& s, const ConvEpilogue& e);
std::unique_ptr<const ConvForwardOne> plan_pointwise_one(const ConvShape& s, const ConvEpilogue& e);
std::unique_ptr<const ConvForwardOne> plan_winograd_one(const ConvShape& s, const ConvEpilogue& e);

}  // namespace chalk
