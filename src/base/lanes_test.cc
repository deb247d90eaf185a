// exp, expm1, log, tanh, erf and the arithmetic of lanes: how exact, on which values, and the same bits on every
// instruction set.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/base/lanes_test.cc"
#include <hwy/foreach_target.h>

#include "src/base/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {
namespace {

/// Sixteen at a time as Lanes, or one at a time as float.
template <class F>
HWY_INLINE void apply(const float* in, float* out, bool lanes, F f) {
  if (lanes) {
    f(Lanes::load(in)).store(out);
  } else {
    for (int i = 0; i < 16; ++i) out[i] = f(in[i]);
  }
}

#define CHALK_TEST_FUNCTION(name, formula)                          \
  void run_##name(const float* in, float* out, bool lanes) {        \
    apply(in, out, lanes, [](auto x) HWY_ATTR { return formula; }); \
  }
CHALK_TEST_FUNCTION(exp, exp(x))
CHALK_TEST_FUNCTION(log, log(x))
CHALK_TEST_FUNCTION(tanh, tanh(x))
CHALK_TEST_FUNCTION(expm1, expm1(x))
CHALK_TEST_FUNCTION(erf, erf(x))
CHALK_TEST_FUNCTION(sqrt, sqrt(x))
CHALK_TEST_FUNCTION(negate, -x)
CHALK_TEST_FUNCTION(add, x + decltype(x)(0.1f))
CHALK_TEST_FUNCTION(subtract, x - decltype(x)(0.3f))
CHALK_TEST_FUNCTION(multiply, x* decltype(x)(1.7f))
CHALK_TEST_FUNCTION(divide, decltype(x)(1.3f) / x)
CHALK_TEST_FUNCTION(fma, fma(x, decltype(x)(1.1f), decltype(x)(-1.1f)))
CHALK_TEST_FUNCTION(fma_of_squares, fma(x, x, -(x* x)))
CHALK_TEST_FUNCTION(select_greater, select(x > decltype(x)(0), x, decltype(x)(7)))
CHALK_TEST_FUNCTION(select_less, select(x < decltype(x)(1), x, decltype(x)(7)))
CHALK_TEST_FUNCTION(select_equal, select(x == decltype(x)(1), x, decltype(x)(7)))
CHALK_TEST_FUNCTION(select_nan, select(is_nan(x) || x > decltype(x)(1), decltype(x)(3), x))
#undef CHALK_TEST_FUNCTION

}  // namespace
}  // namespace chalk::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <functional>
#include <limits>
#include <ostream>
#include <string>
#include <vector>

namespace chalk {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

using RunFunction = void (*)(const float* in, float* out, bool lanes);

struct Function {
  std::string name;
  RunFunction run;
  std::function<double(double)> exact;  // null: only bits are compared
  double ulps;                          // allowed
};

#define CHALK_TEST_FUNCTION(name) \
  CHALK_EXPORT(run_##name);       \
  void name##_now(const float* in, float* out, bool lanes) { CHALK_CHOSEN(run_##name)(in, out, lanes); }
CHALK_TEST_FUNCTION(exp)
CHALK_TEST_FUNCTION(log)
CHALK_TEST_FUNCTION(tanh)
CHALK_TEST_FUNCTION(expm1)
CHALK_TEST_FUNCTION(erf)
CHALK_TEST_FUNCTION(sqrt)
CHALK_TEST_FUNCTION(negate)
CHALK_TEST_FUNCTION(add)
CHALK_TEST_FUNCTION(subtract)
CHALK_TEST_FUNCTION(multiply)
CHALK_TEST_FUNCTION(divide)
CHALK_TEST_FUNCTION(fma)
CHALK_TEST_FUNCTION(fma_of_squares)
CHALK_TEST_FUNCTION(select_greater)
CHALK_TEST_FUNCTION(select_less)
CHALK_TEST_FUNCTION(select_equal)
CHALK_TEST_FUNCTION(select_nan)
#undef CHALK_TEST_FUNCTION

std::vector<Function> functions() {
  const auto exactly = [](double x) { return std::fma(x, double{1.1f}, double{-1.1f}); };
  return {{"exp", exp_now, [](double x) { return std::exp(x); }, 1.5},
          {"log", log_now, [](double x) { return std::log(x); }, 1.5},
          {"tanh", tanh_now, [](double x) { return std::tanh(x); }, 3},
          {"expm1", expm1_now, [](double x) { return std::expm1(x); }, 2},
          {"erf", erf_now, [](double x) { return std::erf(x); }, 2},
          {"sqrt", sqrt_now, [](double x) { return std::sqrt(x); }, 0.5},
          {"negate", negate_now, [](double x) { return -x; }, 0},
          {"add", add_now, [](double x) { return x + double{0.1f}; }, 0.5},
          {"subtract", subtract_now, [](double x) { return x - double{0.3f}; }, 0.5},
          {"multiply", multiply_now, [](double x) { return x * double{1.7f}; }, 0.5},
          {"divide", divide_now, [](double x) { return double{1.3f} / x; }, 0.5},
          {"fma", fma_now, exactly, 0.5},
          {"fma_of_squares", fma_of_squares_now, {}, 0},
          {"select_greater", select_greater_now, [](double x) { return x > 0 ? x : 7; }, 0},
          {"select_less", select_less_now, [](double x) { return x < 1 ? x : 7; }, 0},
          {"select_equal", select_equal_now, [](double x) { return x == 1 ? x : 7; }, 0},
          {"select_nan", select_nan_now, [](double x) { return std::isnan(x) || x > 1 ? 3 : x; }, 0}};
}

/// Every 12289th float of either sign: subnormals, all exponents, infinities, NaNs; and numbers of interest.
const std::vector<float>& values() {
  static const std::vector<float> all = [] {
    std::vector<float> v{0.0f,          -0.0f,           1.0f,        -1.0f,       kInf,      -kInf,
                         kNaN,          -kNaN,           0.625f,      -0.625f,     88.72283f, 88.722839f,
                         88.72284f,     -87.33654f,      -103.97f,    -103.98f,    1e-45f,    1.175e-38f,
                         3.4028235e38f, 1.17549435e-38f, 0.70710678f, 1.41421356f, 0.5f,      2.0f};
    for (std::uint64_t bits = 0; bits < (std::uint64_t{1} << 32); bits += 12289) {
      v.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
    }
    for (int i = -1100000; i <= 900000; i += 19)
      v.push_back(static_cast<float>(i) * 1e-4f);  // where exp is neither 0 nor inf
    v.resize((v.size() + 15) / 16 * 16);
    return v;
  }();
  return all;
}

std::vector<float> run(const Function& f, bool lanes) {
  std::vector<float> results;
  alignas(64) float in[16], out[16];
  for (std::size_t i = 0; i < values().size(); i += 16) {
    std::copy_n(values().begin() + static_cast<std::ptrdiff_t>(i), 16, in);
    f.run(in, out, lanes);
    results.insert(results.end(), out, out + 16);
  }
  return results;
}

/// |y − exact| in units of the last place of a float of that size. Infinity counts as 2^128, the first float too many.
double ulps(float y, double exact) {
  if (std::isnan(exact) || std::isnan(y)) return std::isnan(exact) && std::isnan(y) ? 0 : kInf;
  const double got = std::isinf(y) ? std::copysign(0x1p128, y) : static_cast<double>(y);
  const double wanted = std::clamp(exact, -0x1p128, 0x1p128);
  const int exponent = wanted == 0 ? -126 : std::clamp(std::ilogb(wanted), -126, 127);
  return std::abs(got - wanted) / std::ldexp(1.0, exponent - 23);
}

void PrintTo(const Function& f, std::ostream* out) { *out << f.name; }  // of GoogleTest

class Lanes : public testing::TestWithParam<Function> {
 protected:
  void TearDown() override { use_target(choose_target()); }
};

TEST_P(Lanes, IsAsExactAsItSays) {
  const auto& f = GetParam();
  if (!f.exact) return;
  const auto results = run(f, true);
  double worst = 0;
  float at = 0;
  for (std::size_t i = 0; i < results.size(); ++i) {
    const double error = ulps(results[i], f.exact(static_cast<double>(values()[i])));
    if (error > worst) {
      worst = error;
      at = values()[i];
    }
  }
  EXPECT_LE(worst, f.ulps) << "at " << at;
  RecordProperty("ulps", std::to_string(worst));
}

TEST_P(Lanes, HasTheBitsOfOneFloatOnEveryInstructionSet) {
  std::vector<float> first;
  for (const auto target : targets()) {
    use_target(target);
    const auto lanes = run(GetParam(), true), floats = run(GetParam(), false);
    if (first.empty()) first = lanes;
    for (std::size_t i = 0; i < lanes.size(); ++i) {
      const bool same = std::isnan(first[i])
                            ? std::isnan(lanes[i]) && std::isnan(floats[i])
                            : std::bit_cast<std::uint32_t>(first[i]) == std::bit_cast<std::uint32_t>(lanes[i]) &&
                                  std::bit_cast<std::uint32_t>(first[i]) == std::bit_cast<std::uint32_t>(floats[i]);
      ASSERT_TRUE(same) << target_name(target) << " at " << values()[i] << ": " << lanes[i] << " and " << floats[i]
                        << " instead of " << first[i];
    }
  }
}

// Golden numbers: a compiler or a change that moves a single bit anywhere changes what trained networks weigh.
TEST(LaneBits, AreThoseOfEveryOtherCompilerAndMachine) {
  std::uint64_t hash = 1469598103934665603ULL;  // FNV-1a
  for (const auto& f : functions()) {
    for (const float y : run(f, true)) {
      hash = (hash ^ (std::isnan(y) ? 0x7fc00000 : std::bit_cast<std::uint32_t>(y))) * 1099511628211ULL;
    }
  }
  EXPECT_EQ(hash, 12220565756336514481ULL) << "if the polynomials were changed on purpose, this is their new number";
}

INSTANTIATE_TEST_SUITE_P(Functions, Lanes, testing::ValuesIn(functions()), [](const auto& f) { return f.param.name; });

TEST(LaneLimits, KnowsTheLimitsOfExpAndLog) {
  const auto at = [](RunFunction f, float x) {
    alignas(64) float in[16], out[16];
    std::fill_n(in, 16, x);
    f(in, out, true);
    return out[0];
  };
  EXPECT_EQ(at(exp_now, 0), 1);
  EXPECT_EQ(at(exp_now, -0.0f), 1);
  EXPECT_EQ(at(exp_now, kInf), kInf);
  EXPECT_EQ(at(exp_now, -kInf), 0);
  EXPECT_EQ(at(exp_now, 89), kInf);
  EXPECT_LT(at(exp_now, 88.72f), kInf);
  EXPECT_EQ(at(exp_now, -104), 0);
  EXPECT_GT(at(exp_now, -103), 0);
  EXPECT_EQ(at(log_now, 0), -kInf);
  EXPECT_EQ(at(log_now, -0.0f), -kInf);
  EXPECT_EQ(at(log_now, 1), 0);
  EXPECT_EQ(at(log_now, kInf), kInf);
  EXPECT_TRUE(std::isnan(at(log_now, -1)));
  EXPECT_TRUE(std::isnan(at(log_now, -kInf)));
  EXPECT_EQ(at(tanh_now, kInf), 1);
  EXPECT_EQ(at(tanh_now, -kInf), -1);
  EXPECT_EQ(at(tanh_now, 1e-45f), 1e-45f);
  for (const RunFunction f : {exp_now, log_now, tanh_now, sqrt_now}) EXPECT_TRUE(std::isnan(at(f, kNaN)));
}

}  // namespace
}  // namespace chalk
#endif
