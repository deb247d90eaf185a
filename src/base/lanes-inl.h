// Lanes: the same value of sixteen samples, held in 1, 2 or 4 native vectors. Included once per instruction set, after
// <hwy/foreach_target.h>; hence no ordinary include guard.
//
// Kernels are templates over T: `Lanes` for sixteen samples, `double` for the one-sample reference, `float` for values
// shared by all samples. A lane's arithmetic never depends on the vector's width or on the instruction set: every
// multiply-add is one rounding (fma), and exp, expm1, log, tanh, erf are the polynomials below.
#if defined(CHALKGRAD_LANES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CHALKGRAD_LANES_INL_H_
#undef CHALKGRAD_LANES_INL_H_
#else
#define CHALKGRAD_LANES_INL_H_
#endif

#include <hwy/highway.h>

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "src/base/fma.h"
#include "src/base/target.h"

// Portable code is there for correctness on old processors; all it has to be is small.
#if HWY_TARGET == HWY_SCALAR && HWY_COMPILER_GCC_ACTUAL
#undef HWY_BEFORE_NAMESPACE
#define HWY_BEFORE_NAMESPACE() \
  _Pragma("GCC push_options") _Pragma("GCC optimize(\"Os\")") static_assert(true, "For requiring trailing semicolon")
#undef HWY_AFTER_NAMESPACE
#define HWY_AFTER_NAMESPACE() _Pragma("GCC pop_options") static_assert(true, "For requiring trailing semicolon")
#endif

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using LaneTag = hn::CappedTag<float, 16>;
using LaneVec = hn::Vec<LaneTag>;
using IntTag = hn::RebindToSigned<LaneTag>;
constexpr int kVecLanes = static_cast<int>(hn::MaxLanes(LaneTag()));  // floats in a native vector
constexpr int kParts = 16 / kVecLanes;                                // native vectors in Lanes

// Where Highway's MulAdd is an instruction that rounds once. Elsewhere it may multiply, round and add: on WebAssembly,
// SSE4, NEON of old, and where there are no vectors. A target is not on this list until that is known.
#undef CHALK_HAS_FMA
#if (HWY_TARGET <= HWY_AVX2 && !defined(HWY_DISABLE_BMI2_FMA)) || \
    (HWY_TARGET == HWY_NEON && (HWY_ARCH_ARM_A64 || defined(__ARM_VFPV4__)))
#define CHALK_HAS_FMA 1
#else
#define CHALK_HAS_FMA 0
#endif

/// a·b + c with one rounding, on every target.
HWY_INLINE LaneVec fused(LaneVec a, LaneVec b, LaneVec c) {
#if CHALK_HAS_FMA
  return hn::MulAdd(a, b, c);
#else
  alignas(64) float p[kVecLanes], q[kVecLanes], r[kVecLanes];
  const LaneTag d;
  hn::Store(a, d, p);
  hn::Store(b, d, q);
  hn::Store(c, d, r);
  for (int i = 0; i < kVecLanes; ++i) r[i] = exact_fma(p[i], q[i], r[i]);
  return hn::Load(d, r);
#endif
}

struct Lanes;
struct LaneMask {
  hn::Mask<LaneTag> v[kParts];
};

struct alignas(64) Lanes {
  LaneVec v[kParts];

  HWY_INLINE Lanes() {}
  HWY_INLINE Lanes(float f) {  // NOLINT(google-explicit-constructor): constants in formulas
    for (int p = 0; p < kParts; ++p) v[p] = hn::Set(LaneTag(), f);
  }
  static HWY_INLINE Lanes load(const float* from) {
    Lanes r;
    for (int p = 0; p < kParts; ++p) r.v[p] = hn::Load(LaneTag(), from + p * kVecLanes);
    return r;
  }
  HWY_INLINE void store(float* to) const {
    for (int p = 0; p < kParts; ++p) hn::Store(v[p], LaneTag(), to + p * kVecLanes);
  }
};

template <class F>
HWY_INLINE Lanes each_part(F f) {
  Lanes r;
  for (int p = 0; p < kParts; ++p) r.v[p] = f(p);
  return r;
}
template <class F>
HWY_INLINE LaneMask each_mask(F f) {
  LaneMask r;
  for (int p = 0; p < kParts; ++p) r.v[p] = f(p);
  return r;
}

HWY_INLINE Lanes operator+(Lanes a, Lanes b) {
  return each_part([&](int p) HWY_ATTR { return hn::Add(a.v[p], b.v[p]); });
}
HWY_INLINE Lanes operator-(Lanes a, Lanes b) {
  return each_part([&](int p) HWY_ATTR { return hn::Sub(a.v[p], b.v[p]); });
}
HWY_INLINE Lanes operator*(Lanes a, Lanes b) {
  return each_part([&](int p) HWY_ATTR { return hn::Mul(a.v[p], b.v[p]); });
}
HWY_INLINE Lanes operator/(Lanes a, Lanes b) {
  return each_part([&](int p) HWY_ATTR { return hn::Div(a.v[p], b.v[p]); });
}
HWY_INLINE Lanes operator-(Lanes a) {
  return each_part([&](int p) HWY_ATTR { return hn::Neg(a.v[p]); });
}
HWY_INLINE Lanes fma(Lanes a, Lanes b, Lanes c) {
  return each_part([&](int p) HWY_ATTR { return fused(a.v[p], b.v[p], c.v[p]); });
}
HWY_INLINE Lanes sqrt(Lanes a) {
  return each_part([&](int p) HWY_ATTR { return hn::Sqrt(a.v[p]); });
}
HWY_INLINE LaneMask operator>(Lanes a, Lanes b) {
  return each_mask([&](int p) HWY_ATTR { return hn::Gt(a.v[p], b.v[p]); });
}
HWY_INLINE LaneMask operator<(Lanes a, Lanes b) { return b > a; }
HWY_INLINE LaneMask operator==(Lanes a, Lanes b) {
  return each_mask([&](int p) HWY_ATTR { return hn::Eq(a.v[p], b.v[p]); });
}
HWY_INLINE LaneMask operator||(LaneMask a, LaneMask b) {
  return each_mask([&](int p) HWY_ATTR { return hn::Or(a.v[p], b.v[p]); });
}
HWY_INLINE LaneMask is_nan(Lanes a) {
  return each_mask([&](int p) HWY_ATTR { return hn::IsNaN(a.v[p]); });
}
/// `yes` where the mask holds, else `no`.
HWY_INLINE Lanes select(LaneMask m, Lanes yes, Lanes no) {
  return each_part([&](int p) HWY_ATTR { return hn::IfThenElse(m.v[p], yes.v[p], no.v[p]); });
}

/// x = k·ln 2 + r, |r| ≤ ln 2/2: returns eʳ − 1, a degree-6 minimax polynomial in r (Cephes expf).
HWY_INLINE LaneVec exp_reduced(LaneVec x, hn::Vec<IntTag>& k_out) {
  const LaneTag d;
  const auto k = hn::Round(hn::Mul(x, hn::Set(d, 1.44269504088896341f)));
  auto r = fused(k, hn::Set(d, -0.693359375f), x);
  r = fused(k, hn::Set(d, 2.12194440e-4f), r);
  auto p = hn::Set(d, 1.9875691500E-4f);
  p = fused(p, r, hn::Set(d, 1.3981999507E-3f));
  p = fused(p, r, hn::Set(d, 8.3334519073E-3f));
  p = fused(p, r, hn::Set(d, 4.1665795894E-2f));
  p = fused(p, r, hn::Set(d, 1.6666665459E-1f));
  p = fused(p, r, hn::Set(d, 5.0000001201E-1f));
  k_out = hn::ConvertTo(IntTag(), k);
  return fused(p, hn::Mul(r, r), r);
}
/// 2^k for −127 < k < 128.
HWY_INLINE LaneVec power_of_two(hn::Vec<IntTag> k) {
  return hn::BitCast(LaneTag(), hn::ShiftLeft<23>(hn::Add(k, hn::Set(IntTag(), 127))));
}

/// eˣ within 1.5 ulp. Overflows to +inf above 88.72, underflows to 0 below -103.97; NaN stays NaN.
HWY_INLINE LaneVec exp_vec(LaneVec x) {
  const LaneTag d;
  const auto nan = hn::IsNaN(x);
  const auto high = hn::Gt(x, hn::Set(d, 88.7228394f));
  const auto low = hn::Lt(x, hn::Set(d, -103.972084f));
  auto k = hn::Zero(IntTag());
  const auto p =
      hn::Add(exp_reduced(hn::IfThenElse(hn::Or(hn::Or(high, low), nan), hn::Zero(d), x), k), hn::Set(d, 1.0f));
  // 2^k in two factors, so that results near overflow and the subnormals come out right.
  const auto k1 = hn::ShiftRight<1>(k);
  auto y = hn::Mul(hn::Mul(p, power_of_two(k1)), power_of_two(hn::Sub(k, k1)));
  y = hn::IfThenElse(high, hn::Set(d, HUGE_VALF), y);
  y = hn::IfThenElse(low, hn::Zero(d), y);
  return hn::IfThenElse(nan, x, y);
}

/// eˣ, with the bits of exp_vec, where it neither overflows nor is subnormal: −87 < x < 88; NaN stays NaN.
HWY_INLINE LaneVec exp_normal_vec(LaneVec x) {
  auto k = hn::Zero(IntTag());
  const auto p = hn::Add(exp_reduced(x, k), hn::Set(LaneTag(), 1.0f));
  return hn::Mul(p, power_of_two(k));
}

/// eˣ − 1 within 2 ulp: 2^k·(eʳ − 1) + (2^k − 1), so that small x keep their precision. Overflows to +inf above 88.72,
/// is −1 below −18; NaN stays NaN, and −0 is −0.
HWY_INLINE LaneVec expm1_vec(LaneVec x) {
  const LaneTag d;
  const IntTag di;
  const auto nan = hn::IsNaN(x);
  const auto high = hn::Gt(x, hn::Set(d, 88.7228394f));
  const auto low = hn::Lt(x, hn::Set(d, -18.0f));
  auto k = hn::Zero(di);
  const auto p = exp_reduced(hn::IfThenElse(hn::Or(hn::Or(high, low), nan), hn::Zero(d), x), k);
  // With 2^k in two factors a·b, as above, this is (a·p + (a − 1/b))·b.
  const auto k1 = hn::ShiftRight<1>(k), k2 = hn::Sub(k, k1);
  const auto a = power_of_two(k1), by_b = power_of_two(hn::Sub(hn::Zero(di), k2));
  auto y = hn::Mul(fused(a, p, hn::Sub(a, by_b)), power_of_two(k2));
  y = hn::IfThenElse(hn::Eq(x, hn::Zero(d)), x, y);
  y = hn::IfThenElse(high, hn::Set(d, HUGE_VALF), y);
  y = hn::IfThenElse(low, hn::Set(d, -1.0f), y);
  return hn::IfThenElse(nan, x, y);
}

/// ln x within 1.5 ulp: x = 2^k·m, √½ ≤ m < √2, and a degree-9 polynomial in m − 1 (Cephes logf).
/// log 0 = −inf, log of a negative number or NaN is NaN, log inf = inf.
HWY_INLINE LaneVec log_vec(LaneVec x0) {
  const LaneTag d;
  const IntTag di;
  const auto tiny = hn::Lt(x0, hn::Set(d, 1.17549435e-38f));
  auto x = hn::IfThenElse(tiny, hn::Mul(x0, hn::Set(d, 16777216.0f)), x0);  // subnormals: scale by 2^24
  const auto bits = hn::BitCast(di, x);
  auto k = hn::Sub(hn::ShiftRight<23>(bits), hn::Set(di, 126));
  auto m = hn::BitCast(d, hn::Or(hn::And(bits, hn::Set(di, 0x007fffff)), hn::Set(di, 0x3f000000)));  // [0.5, 1)
  const auto small = hn::Lt(m, hn::Set(d, 0.707106781186547524f));
  auto e = hn::ConvertTo(d, k);
  e = hn::IfThenElse(tiny, hn::Sub(e, hn::Set(d, 24.0f)), e);
  e = hn::IfThenElse(small, hn::Sub(e, hn::Set(d, 1.0f)), e);
  m = hn::Sub(hn::IfThenElse(small, hn::Add(m, m), m), hn::Set(d, 1.0f));
  const auto z = hn::Mul(m, m);
  auto p = hn::Set(d, 7.0376836292E-2f);
  p = fused(p, m, hn::Set(d, -1.1514610310E-1f));
  p = fused(p, m, hn::Set(d, 1.1676998740E-1f));
  p = fused(p, m, hn::Set(d, -1.2420140846E-1f));
  p = fused(p, m, hn::Set(d, 1.4249322787E-1f));
  p = fused(p, m, hn::Set(d, -1.6668057665E-1f));
  p = fused(p, m, hn::Set(d, 2.0000714765E-1f));
  p = fused(p, m, hn::Set(d, -2.4999993993E-1f));
  p = fused(p, m, hn::Set(d, 3.3333331174E-1f));
  p = hn::Mul(hn::Mul(p, m), z);
  p = fused(e, hn::Set(d, -2.12194440e-4f), p);
  p = fused(z, hn::Set(d, -0.5f), p);
  auto y = hn::Add(m, p);
  y = fused(e, hn::Set(d, 0.693359375f), y);
  const auto zero = hn::Eq(x0, hn::Zero(d));
  const auto keep = hn::Or(hn::Eq(x0, hn::Set(d, HUGE_VALF)), hn::IsNaN(x0));
  y = hn::IfThenElse(hn::Lt(x0, hn::Zero(d)), hn::Set(d, NAN), y);
  y = hn::IfThenElse(zero, hn::Set(d, -HUGE_VALF), y);
  return hn::IfThenElse(keep, x0, y);
}

HWY_INLINE Lanes exp(Lanes a) {
  return each_part([&](int p) HWY_ATTR { return exp_vec(a.v[p]); });
}
HWY_INLINE Lanes expm1(Lanes a) {
  return each_part([&](int p) HWY_ATTR { return expm1_vec(a.v[p]); });
}
HWY_INLINE Lanes log(Lanes a) {
  return each_part([&](int p) HWY_ATTR { return log_vec(a.v[p]); });
}

/// tanh x within 3 ulp: an odd polynomial below 0.625 (Cephes tanhf), 1 − 2/(e^{2|x|} + 1) with x's sign above.
HWY_INLINE LaneVec tanh_vec(LaneVec x) {
  const LaneTag d;
  const auto a = hn::Abs(x);
  const auto z = hn::Mul(x, x);
  auto p = hn::Set(d, -5.70498872745E-3f);
  p = fused(p, z, hn::Set(d, 2.06390887954E-2f));
  p = fused(p, z, hn::Set(d, -5.37397155531E-2f));
  p = fused(p, z, hn::Set(d, 1.33314422036E-1f));
  p = fused(p, z, hn::Set(d, -3.33332819422E-1f));
  p = fused(hn::Mul(p, z), x, x);
  const auto e = hn::Add(exp_vec(hn::Add(a, a)), hn::Set(d, 1.0f));
  const auto big = hn::CopySign(hn::Sub(hn::Set(d, 1.0f), hn::Div(hn::Set(d, 2.0f), e)), x);
  return hn::IfThenElse(hn::Lt(a, hn::Set(d, 0.625f)), p, big);
}
HWY_INLINE Lanes tanh(Lanes a) {
  return each_part([&](int p) HWY_ATTR { return tanh_vec(a.v[p]); });
}

/// erf x within 2 ulp: x + x·p(x²) below 0.92, 1 − e^(−|x| − |x|·q(|x|)) with x's sign above, 1 from 4 on. p and q are
/// minimax polynomials of degree 5, for the relative error of erf (Lawson's algorithm, then coefficients rounded one by
/// one).
HWY_INLINE LaneVec erf_vec(LaneVec x) {
  const LaneTag d;
  const auto a = hn::Abs(x);
  const auto z = hn::Mul(x, x);
  auto p = hn::Set(d, -6.00384199e-04f);
  p = fused(p, z, hn::Set(d, 4.99585923e-03f));
  p = fused(p, z, hn::Set(d, -2.67685819e-02f));
  p = fused(p, z, hn::Set(d, 1.12818770e-01f));
  p = fused(p, z, hn::Set(d, -3.76125008e-01f));
  p = fused(p, z, hn::Set(d, 1.28379151e-01f));
  p = fused(p, x, x);
  const auto t = hn::IfThenElse(hn::Gt(a, hn::Set(d, 4.0f)), hn::Set(d, 4.0f), a);  // NaN stays
  auto q = hn::Set(d, -2.13991167e-04f);
  q = fused(q, t, hn::Set(d, 3.21499095e-03f));
  q = fused(q, t, hn::Set(d, -2.28900388e-02f));
  q = fused(q, t, hn::Set(d, 1.05261914e-01f));
  q = fused(q, t, hn::Set(d, 6.35718286e-01f));
  q = fused(q, t, hn::Set(d, 1.28514364e-01f));
  q = fused(q, t, t);
  const auto far = hn::CopySign(hn::Sub(hn::Set(d, 1.0f), exp_normal_vec(hn::Neg(q))), x);  // −q ≥ −18
  return hn::IfThenElse(hn::Lt(a, hn::Set(d, 0.92f)), p, far);
}
HWY_INLINE Lanes erf(Lanes a) {
  return each_part([&](int p) HWY_ATTR { return erf_vec(a.v[p]); });
}

// The same vocabulary for one sample in double, the reference …
HWY_INLINE double fma(double a, double b, double c) { return std::fma(a, b, c); }
HWY_INLINE double exp(double a) { return std::exp(a); }
HWY_INLINE double log(double a) { return std::log(a); }
HWY_INLINE double tanh(double a) { return std::tanh(a); }
HWY_INLINE double expm1(double a) { return std::expm1(a); }
HWY_INLINE double erf(double a) { return std::erf(a); }
HWY_INLINE double sqrt(double a) { return std::sqrt(a); }
HWY_INLINE double select(bool m, double yes, double no) { return m ? yes : no; }
HWY_INLINE bool is_nan(double a) { return a != a; }

// … and for one shared float, whose bits are those of a lane.
HWY_INLINE float lane0(LaneVec v) { return hn::GetLane(v); }
HWY_INLINE float fma(float a, float b, float c) {
#if CHALK_HAS_FMA
  return std::fma(a, b, c);  // is that instruction
#else
  return exact_fma(a, b, c);
#endif
}
HWY_INLINE float exp(float a) { return lane0(exp_vec(hn::Set(LaneTag(), a))); }
HWY_INLINE float log(float a) { return lane0(log_vec(hn::Set(LaneTag(), a))); }
HWY_INLINE float tanh(float a) { return lane0(tanh_vec(hn::Set(LaneTag(), a))); }
HWY_INLINE float expm1(float a) { return lane0(expm1_vec(hn::Set(LaneTag(), a))); }
HWY_INLINE float erf(float a) { return lane0(erf_vec(hn::Set(LaneTag(), a))); }
HWY_INLINE float sqrt(float a) { return std::sqrt(a); }
HWY_INLINE float select(bool m, float yes, float no) { return m ? yes : no; }
HWY_INLINE bool is_nan(float a) { return a != a; }

}  // namespace chalk::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
