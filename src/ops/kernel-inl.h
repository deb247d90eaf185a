// What an operation's kernel is written with (elementwise ones: elementwise-inl.h). Included once per instruction set
// (see lanes-inl.h).
//
//   HWY_BEFORE_NAMESPACE();
//   namespace chalk::HWY_NAMESPACE {
//   namespace {
//   template <class T>                              // double, float or Lanes
//   void kernel(const Args<T>& a) { a.out(0, a.in(0)[0] * T(2)); }
//   CHALK_KERNEL()
//   }  // namespace
//   }  // namespace chalk::HWY_NAMESPACE
//   HWY_AFTER_NAMESPACE();
//   #if HWY_ONCE
//   namespace chalk { CHALK_DISPATCH() const Op op_double{…, .kernels = kKernels, …}; }
//   #endif
#if defined(CHALKGRAD_OPS_KERNEL_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CHALKGRAD_OPS_KERNEL_INL_H_
#undef CHALKGRAD_OPS_KERNEL_INL_H_
#else
#define CHALKGRAD_OPS_KERNEL_INL_H_
#endif

#include <algorithm>
#include <type_traits>

#include "src/base/lanes-inl.h"
#include "src/ops/kernel.h"

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {

/// An input: element i of this sample, or of all sixteen.
template <class T>
struct In {
  const T* data;
  HWY_INLINE T operator[](std::int64_t i) const { return data[i]; }
};
template <>
struct In<Lanes> {
  const float* data;
  bool shared;
  HWY_INLINE Lanes operator[](std::int64_t i) const { return shared ? Lanes(data[i]) : Lanes::load(data + i * 16); }
};

template <class T>
struct Args {
  const KernelCall& call;

  HWY_INLINE In<T> in(std::size_t k) const {
    if constexpr (std::is_same_v<T, Lanes>) {
      return {static_cast<const float*>(call.in[k]), !call.types[k].batched};
    } else {
      return {static_cast<const T*>(call.in[k])};
    }
  }
  HWY_INLINE void out(std::int64_t i, T value) const {
    if constexpr (std::is_same_v<T, Lanes>) {
      value.store(static_cast<float*>(call.out) + i * 16);
    } else {
      static_cast<T*>(call.out)[i] = value;
    }
  }
  /// out(to + k) = x[from + k·step] for k < n.
  HWY_INLINE void move(std::int64_t to, const In<T>& x, std::int64_t from, std::int64_t step, std::int64_t n) const {
    if constexpr (!std::is_same_v<T, Lanes>) {
      if (step == 1) {
        std::copy_n(x.data + from, n, static_cast<T*>(call.out) + to);
        return;
      }
    }
    for (std::int64_t k = 0; k < n; ++k) out(to + k, x[from + k * step]);
  }
  /// What out() has put at i.
  HWY_INLINE T made(std::int64_t i) const {
    if constexpr (std::is_same_v<T, Lanes>) {
      return Lanes::load(static_cast<const float*>(call.out) + i * 16);
    } else {
      return static_cast<const T*>(call.out)[i];
    }
  }
  /// Asks for the place of out() 4 KiB after i: results may go far away.
  HWY_INLINE void fetch_out(std::int64_t i) const {
    if constexpr (std::is_same_v<T, Lanes>) __builtin_prefetch(static_cast<const float*>(call.out) + (i + 64) * 16);
  }
  const Shape& shape(std::size_t k) const { return call.types[k].shape; }
  const Shape& shape() const { return call.type->shape; }
  template <class A>
  const A& attributes() const {
    return call.attributes->template as<A>();
  }
};

/// Calls f(i, at, step, n) for each run of n places of `shape` from i on, row-major, with at = start + Σ index·strides
/// of the first of them and `step` from each to the next.
template <class F>
HWY_INLINE void walk_runs(const Shape& shape, const PerAxis& strides, std::int64_t start, F f) {
  auto outer = shape.size();  // all axes except the last ones, which are walked as one where they are evenly spaced
  const std::int64_t step = outer > 0 ? strides[outer - 1] : 0;
  std::int64_t run = 1;
  while (outer > 0 && strides[outer - 1] == run * step) run *= shape[--outer];
  PerAxis index{};
  const std::int64_t count = elements(shape);
  for (std::int64_t i = 0, at = start; i < count; i += run) {
    f(i, at, step, run);
    for (auto d = outer; d-- > 0;) {  // next run
      at += strides[d];
      if (++index[d] < shape[d]) break;
      at -= strides[d] * shape[d];
      index[d] = 0;
    }
  }
}

/// Calls f(i, at) for each of these places.
template <class F>
HWY_INLINE void walk(const Shape& shape, const PerAxis& strides, std::int64_t start, F f) {
  walk_runs(shape, strides, start, [&](std::int64_t i, std::int64_t at, std::int64_t step, std::int64_t n) HWY_ATTR {
    for (std::int64_t k = 0; k < n; ++k) f(i + k, at + k * step);
  });
}

/// The largest of what it was offered, and where that was. The first of equal ones stays; the first NaN beats all.
template <class T>
struct Maximum {
  T value, place;

  HWY_INLINE Maximum(T x, T at) : value(x), place(at) {}
  HWY_INLINE void offer(T x, T at) {
    const auto better = x > value || is_nan(x);
    const auto settled = is_nan(value);
    place = select(settled, place, select(better, at, place));
    value = select(settled, value, select(better, x, value));
  }
};

}  // namespace chalk::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

// The reference and what is shared by all samples hold no time (updates of parameters are sweeps): one copy of them is
// enough, for what every processor has.
#undef CHALK_ONE_BY_ONE_KERNELS
#if HWY_TARGET == HWY_STATIC_TARGET
#define CHALK_ONE_BY_ONE_KERNELS()                                        \
  void reference_kernel(const KernelCall& c) { kernel(Args<double>{c}); } \
  void shared_kernel(const KernelCall& c) { kernel(Args<float>{c}); }
#else
#define CHALK_ONE_BY_ONE_KERNELS()
#endif

// Instantiates template <class T> void kernel(const Args<T>&).
#undef CHALK_KERNEL
#define CHALK_KERNEL()       \
  CHALK_ONE_BY_ONE_KERNELS() \
  void lanes_kernel(const KernelCall& c) { kernel(Args<Lanes>{c}); }

// Defines kKernels, which goes to the machine's instruction set at run time.
#undef CHALK_DISPATCH
#define CHALK_DISPATCH()                                                                       \
  CHALK_EXPORT(lanes_kernel);                                                                  \
  static void run_reference(const KernelCall& c) { HWY_STATIC_DISPATCH(reference_kernel)(c); } \
  static void run_lanes(const KernelCall& c) { CHALK_CHOSEN(lanes_kernel)(c); }                \
  static void run_shared(const KernelCall& c) { HWY_STATIC_DISPATCH(shared_kernel)(c); }       \
  constexpr Kernels kKernels{run_reference, run_lanes, run_shared, nullptr};

#endif
