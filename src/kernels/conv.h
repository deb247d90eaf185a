// Tuned convolution kernels on lanes: x[channel][row][column][16], sixteen samples side by side.
//
// All activations are 64-byte aligned arrays of 16-float lane groups ("elements"); weights are plain floats. Every
// kernel's arithmetic is fixed by its shape alone: one result, bit for bit, on every instruction set.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>

#include "src/base/share.h"

namespace chalk {

/// A convolution z[o,p,q] = Σ w[o,c,a,b] · x[c, p·stride + a·dilation − padding, …], c within o's group.
struct ConvShape {
  std::int64_t channels, height, width;      // of x
  std::int64_t filters, kernel_h, kernel_w;  // of w: filters × channels/groups × kernel_h × kernel_w
  std::int64_t out_h, out_w;                 // of z
  std::int64_t stride_h = 1, stride_w = 1;
  std::int64_t pad_h = 0, pad_w = 0;  // zeros before and after each row and column
  std::int64_t dilation_h = 1, dilation_w = 1;
  std::int64_t groups = 1;
};

/// Whether relu follows, and up to which limit, as of relu6: min(max(0, z), most). relu(NaN) = NaN, relu(−0) = −0.
struct Relu {
  Relu() = default;
  Relu(bool on_) : on(on_) {}  // NOLINT(google-explicit-constructor): most have no limit
  Relu(bool on_, float most_) : on(on_), most(most_) {}
  explicit operator bool() const { return on; }
  bool limited() const { return most < std::numeric_limits<float>::infinity(); }

  bool on = false;
  float most = std::numeric_limits<float>::infinity();  // > 0
};

/// What happens to z before it is stored: + bias, then max(0, ·), then the maximum over pool_h × pool_w windows whose
/// stride is their size (rows and columns left over are dropped). y and index have out_h/pool_h × out_w/pool_w places.
struct ConvEpilogue {
  bool bias = false;
  Relu relu{};                          // no limit where there is pooling
  std::int64_t pool_h = 1, pool_w = 1;  // 1 × 1: no pooling, no index
};

/// A map that convolutions need, made for one shape: all that shapes decide is decided then. Ways to do a map differ in
/// the order of their sums (conv_direct.h, conv_winograd.h), in nothing else. A call computes a share of the result;
/// which one changes no bit of it.
class ConvMap {
 public:
  ConvMap() = default;
  virtual ~ConvMap() = default;
  ConvMap(const ConvMap&) = delete;
  ConvMap& operator=(const ConvMap&) = delete;

  std::size_t packed = 0;   // floats that the shares of pack() make of w, whenever w has changed
  std::size_t scratch = 0;  // floats for a call of run(), 64-byte aligned
  int shares = 1;           // among how many threads, each with scratch of its own, a call is worth dividing
  virtual void pack(const float* /*w*/, float* /*packed*/, Share /*share*/) const {}
};

/// Forward, with what the epilogue says. `bias` is read, and `index` written, only if the epilogue has them; `index`
/// receives, as a float, a·pool_w + b of the first maximum of each window, and may be null. relu(NaN) = NaN, relu(−0) =
/// −0, and the first NaN in a window is its maximum.
class ConvForward : public ConvMap {
 public:
  std::size_t scratch_one = 0;  // for a call of run_one()
  int shares_one = 1;
  virtual void run(const float* x, const float* packed, const float* bias, float* y, float* index, float* scratch,
                   Share share) const = 0;
  /// The same of one sample, with the same bits: plain floats, x[channel][row][column], of which x is readable for 15
  /// floats more.
  virtual void run_one(const float* x, const float* packed, const float* bias, float* y, float* index, float* scratch,
                       Share share) const = 0;
};

/// Gradient with respect to x: dx[c,h,w] = Σ w[o,c,a,b] · dz[o,p,q] over all (o,p,q,a,b) that read x[c,h,w].
class ConvInputGrad : public ConvMap {
 public:
  virtual void run(const float* dz, const float* packed, float* dx, float* scratch, Share share) const = 0;
};

/// Gradient with respect to w, summed over the first `valid` lanes (the others count as 0, even if NaN); added to dw if
/// `accumulate`.
class ConvWeightGrad : public ConvMap {
 public:
  virtual void run(const float* x, const float* dz, float* dw, int valid, bool accumulate, float* scratch,
                   Share share) const = 0;
};

/// A way to do a map: a row of one of the tables below (conv_algorithms.cc).
template <class Map, class... Epilogue>
struct ConvAlgorithm {
  const char* name;                  // of the kernel, where kernels are printed
  bool (*pays)(const ConvShape& s);  // it can do the shape, and does so faster than the rows below
  std::unique_ptr<const Map> (*plan)(const ConvShape& s, const Epilogue&... e);
  bool (*pools)(std::int64_t pool_h, std::int64_t pool_w) = nullptr;  // forward: pooling by such windows can join
};
using ConvForwardAlgorithm = ConvAlgorithm<ConvForward, ConvEpilogue>;
using ConvInputGradAlgorithm = ConvAlgorithm<ConvInputGrad>;
using ConvWeightGradAlgorithm = ConvAlgorithm<ConvWeightGrad>;

/// The first row that pays; the last one always does.
const ConvForwardAlgorithm& conv_forward_algorithm(const ConvShape& s);
const ConvInputGradAlgorithm& conv_input_grad_algorithm(const ConvShape& s);
const ConvWeightGradAlgorithm& conv_weight_grad_algorithm(const ConvShape& s);

}  // namespace chalk
