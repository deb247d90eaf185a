// What a family of elementwise operations is written with. Included once per instruction set (see lanes-inl.h).
//
//   HWY_BEFORE_NAMESPACE();
//   namespace chalk::HWY_NAMESPACE {
//   namespace {
//   CHALK_FORMULA(twice, (T x)) { return x + x; }           // of T: double or Lanes
//   CHALK_DERIVATIVE(twice) { return {dy + dy}; }           // of the operands `in`, given the value y and its
//   cotangent dy }  // namespace }  // namespace chalk::HWY_NAMESPACE HWY_AFTER_NAMESPACE(); #if HWY_ONCE namespace
//   chalk { CHALK_UNARY(twice, .formula = …, .onnx = …, .exact = …, .samples = …); } #endif
#if defined(CHALKGRAD_OPS_ELEMENTWISE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CHALKGRAD_OPS_ELEMENTWISE_INL_H_
#undef CHALKGRAD_OPS_ELEMENTWISE_INL_H_
#else
#define CHALKGRAD_OPS_ELEMENTWISE_INL_H_
#endif

#include "chalkgrad/ops.h"
#include "src/base/lanes-inl.h"
#include "src/ops/elementwise.h"
#include "src/ops/registry.h"

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {

template <class Formula>
inline constexpr std::size_t kOperands = 0;
template <class T, class... X>
inline constexpr std::size_t kOperands<T(X...)> = sizeof...(X);

/// A place of the operands: a number in double, or a lane group.
HWY_INLINE double load_place(const double* from, std::size_t i) { return from[i]; }
HWY_INLINE Lanes load_place(const float* from, std::size_t i) { return Lanes::load(from + i * 16); }
HWY_INLINE void store_place(double x, double* to, std::size_t i) { to[i] = x; }
HWY_INLINE void store_place(Lanes x, float* to, std::size_t i) { x.store(to + i * 16); }

/// out = formula(in[0], …) at each of `count` places.
template <std::size_t N, class Number, class F>
HWY_INLINE void sweep(const Number* const* in, Number* out, std::size_t count, const F& formula) {
  const Number *a = in[0], *b = N > 1 ? in[1] : a, *c = N > 2 ? in[2] : a;
  for (std::size_t i = 0; i < count; ++i) {
    if constexpr (N == 1) store_place(formula(load_place(a, i)), out, i);
    if constexpr (N == 2) store_place(formula(load_place(a, i), load_place(b, i)), out, i);
    if constexpr (N == 3) store_place(formula(load_place(a, i), load_place(b, i), load_place(c, i)), out, i);
  }
}

}  // namespace chalk::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

// Defines sweep `name` over a formula of T.
#undef CHALK_SWEEP
#define CHALK_SWEEP(op, name, T, Number)                                                                   \
  [[maybe_unused]] void name(const Number* const* in, Number* out, std::size_t count) {                    \
    sweep<kOperands<decltype(op##_formula<T>)>>(in, out, count,                                            \
                                                [](auto... x) HWY_ATTR { return op##_formula<T>(x...); }); \
  }

// The reference holds no time: one copy of it is enough, for what every processor has.
#undef CHALK_DOUBLE_SWEEP
#if HWY_TARGET == HWY_STATIC_TARGET
#define CHALK_DOUBLE_SWEEP(op) CHALK_SWEEP(op, op##_double_sweep, double, double)
#else
#define CHALK_DOUBLE_SWEEP(op)
#endif

#undef CHALK_FORMULA
#define CHALK_FORMULA(op, parameters)       \
  template <class T>                        \
  T op##_formula parameters;                \
  CHALK_SWEEP(op, op##_sweep, Lanes, float) \
  CHALK_DOUBLE_SWEEP(op)                    \
  template <class T>                        \
  T op##_formula parameters

#undef CHALK_DERIVATIVE
#define CHALK_DERIVATIVE(op)                                                                                   \
  [[maybe_unused]] std::vector<Value> op##_derivative(const Node&, [[maybe_unused]] std::span<const Value> in, \
                                                      [[maybe_unused]] Value y, [[maybe_unused]] Value dy)

// For what is constant almost everywhere.
#undef CHALK_NO_DERIVATIVE
#define CHALK_NO_DERIVATIVE(op) [[maybe_unused]] constexpr DerivativeRule op##_derivative = nullptr

// The operation: after its name come the fields of Op that only it knows.
#undef CHALK_ELEMENTWISE
#define CHALK_ELEMENTWISE(op, operands, ...)                                                          \
  static_assert(HWY_NAMESPACE::kOperands<decltype(HWY_NAMESPACE::op##_formula<double>)> == operands); \
  CHALK_EXPORT(op##_sweep);                                                                           \
  const Op op_##op {                                                                                  \
    .name = #op, .attributes = Attributes{}, .arity = operands, .infer = elementwise_type,            \
    .kernels = elementwise_kernels<op##_sweep_copies, HWY_STATIC_DISPATCH(op##_double_sweep)>(),      \
    .derivative = HWY_STATIC_DISPATCH(op##_derivative), __VA_ARGS__                                   \
  }

#undef CHALK_UNARY
#define CHALK_UNARY(op, ...)                                        \
  Value op(Value x) { return x.graph().apply(op_##op, {}, {{x}}); } \
  CHALK_ELEMENTWISE(op, 1, __VA_ARGS__)

#undef CHALK_BINARY
#define CHALK_BINARY(op, ...)                                                   \
  Value op(Value a, Value b) { return a.graph().apply(op_##op, {}, {{a, b}}); } \
  CHALK_ELEMENTWISE(op, 2, __VA_ARGS__)

#undef CHALK_TERNARY
#define CHALK_TERNARY(op, ...)                                                              \
  Value op(Value a, Value b, Value c) { return a.graph().apply(op_##op, {}, {{a, b, c}}); } \
  CHALK_ELEMENTWISE(op, 3, __VA_ARGS__)

#endif
