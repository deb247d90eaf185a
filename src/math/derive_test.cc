#include "src/math/derive.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <random>

#include "src/math/test_support.h"

namespace chalk::math {
namespace {

constexpr const char* kValues =
    "given a, b in 0.5..1.5; given v: 3; given W: 2x3\n"
    "g(u) := u*tanh(u)/(2 + u^2)\n"
    "D[i] := v[i]*a + sum(j, W[j,i]^2)\n"
    "E := sum(i, D[i]*v[2-i])*g(b)\n"
    "functions f = sigmoid, tanh, sin";

/// A formula of these values, smooth nearly everywhere, in which the index k is free.
class Formula {
 public:
  explicit Formula(std::uint64_t seed) : random_(seed) {}

  std::string of(int depth) {
    if (depth == 0) return leaf();
    const auto e = [&] { return of(depth - 1); };
    const auto positive = [&] { return "(2 + sin(" + e() + "))"; };
    switch (below(22)) {
      case 0:
        return "(" + e() + " + " + e() + ")";
      case 1:
        return "(" + e() + " - " + e() + ")";
      case 2:
        return e() + "*" + e();
      case 3:
        return e() + "/" + positive();
      case 4:
        return positive() + "^(" + e() + ")";
      case 5:
        return "(" + e() + ")^" + std::to_string(below(4));
      case 6:
        return "-" + e();
      case 7:
        return "ln(" + positive() + ")";
      case 8:
        return "sqrt(" + positive() + ")";
      case 9:
        return "exp(sin(" + e() + "))";
      case 10:
        return one_of({"tanh", "sigmoid", "relu", "abs", "cos", "linear", "step", "sign"}) + "(" + e() + ")";
      case 11:
        return "max(" + e() + ", " + e() + ")";
      case 12:
        return "min(" + e() + ", " + e() + ")";
      case 13:
        return "g" + std::string(below(3), '\'') + "(" + e() + ")";
      case 14:
        return "f" + std::string(below(2), '\'') + "[" + index() + "](" + e() + ")";
      case 15:
        return "softmax(v)[" + plain_index() + "]*" + e();
      case 16:
        return "[" + e() + " < 0.3]*" + e();
      case 17:
        return "δ(" + index() + "," + index() + ")*" + e();
      default:
        return reduction(depth);
    }
  }

 private:
  unsigned below(unsigned n) { return static_cast<unsigned>(random_() % n); }
  std::string one_of(const std::vector<std::string>& words) {
    return words[below(static_cast<unsigned>(words.size()))];
  }

  std::string plain_index() {
    return bound_.empty() || below(3) == 0 ? "k" : bound_[below(static_cast<unsigned>(bound_.size()))];
  }
  std::string index() { return (below(5) == 0 ? "2-" : "") + plain_index(); }
  std::string leaf() {
    return one_of({"0.7", "a", "b", "E", "v[" + index() + "]", "W[0," + index() + "]", "W[1," + index() + "]",
                   "D[" + index() + "]", "W[" + index() + "-1,1]", "sum(D)"});
  }
  std::string reduction(int depth) {
    const std::string name = "n" + std::to_string(bound_.size());
    bound_.push_back(name);
    auto text = one_of({"sum", "sum", "prod", "max", "min"}) + "(" + name + "=0..2, " + of(depth - 1) + ")";
    bound_.pop_back();
    return text;
  }

  std::mt19937_64 random_;
  std::vector<std::string> bound_;
};

RC_GTEST_PROP(Derive, AnyFormulaHasTheSlopeThatDifferencesShow, (std::uint64_t seed)) {
  Bench bench(kValues);
  const auto formula = Formula(seed).of(*rc::gen::inRange(0, 5));
  RC_LOG() << formula << '\n';
  for (const std::string by : {"a", "b", "v", "W"}) {
    const std::string indices = by == "v" ? "[p]" : by == "W" ? "[p,q]" : "";
    const std::string slope = "d(" + formula + ")/d" + by + indices;
    const auto found = bench.numbers(slope + " + 0*k for k=0..2");
    const auto coarse = bench.differences(formula + " + 0*k for k=0..2", by, 2e-5);
    const auto fine = bench.differences(formula + " + 0*k for k=0..2", by, 1e-5);
    RC_ASSERT(found.size() == fine.size());
    for (std::size_t i = 0; i < fine.size(); ++i) {
      const double scale = 1 + std::abs(fine[i]);
      if (!(std::abs(coarse[i] - fine[i]) < 1e-6 * scale)) continue;  // at a corner, or beyond what doubles hold
      RC_ASSERT(std::abs(found[i] - fine[i]) < 1e-4 * scale);
    }
  }
}

TEST(Derive, KnowsEveryFunction) {
  Bench bench("given x: 5; x in 0.3..0.9");
  for (const std::string f : {"exp", "ln", "sqrt", "tanh", "sigmoid", "relu", "step", "linear", "abs", "sign", "floor",
                              "sin", "cos", "log"}) {
    EXPECT_TRUE(near(bench.numbers("d(" + f + "(x[i]))/dx[i]"), bench.numbers(f + "'(x[i])"))) << f;
    EXPECT_TRUE(near(bench.numbers("d(" + f + "(x[i]))/dx[j]"), bench.differences(f + "(x)", "x", 1e-5), 1e-8)) << f;
    EXPECT_TRUE(near(bench.numbers("d(" + f + "'(x[i]))/dx[i]"), bench.numbers(f + "''(x[i])"))) << f;
    EXPECT_TRUE(near(bench.numbers("d(" + f + "(1.5 - x[i]^3))/dx[j]"),
                     bench.differences(f + "(1.5 - x .* x .* x)", "x", 1e-5), 1e-8))
        << f;
  }
}

TEST(Derive, PassesAMaximumToTheFirstOfTheLargest) {
  Bench bench("given v: 3; w[i] := v[0] + 0*i for i=0..2");
  EXPECT_TRUE(near(bench.numbers("d(max(i, w[i]))/dv[k]"), {1, 0, 0}));
  EXPECT_TRUE(near(bench.numbers("d(max(i, v[i]*0))/dv[k]"), {0, 0, 0}));
  EXPECT_TRUE(near(bench.numbers("d(max(v[0], v[0]))/dv[k]"), {1, 0, 0})) << "and not twice";
  EXPECT_TRUE(near(bench.numbers("d(min(v[0], v[0]))/dv[k]"), {1, 0, 0}));
}

TEST(Derive, OfAProductWithAZeroInItIsNotLost) {
  Bench zero("given s small");  // 0.001
  EXPECT_NEAR(zero.number("d(prod(i=0..2, [i != 1]*2 + [i = 1]*(s - 0.001)))/ds"), 4, 1e-12);
}

TEST(Derive, CountsOnlyWhatDependsOnTheValue) {
  Bench bench("given a, b; c := a*b; e := c + 2*a");
  EXPECT_NEAR(bench.number("de/da"), bench.number("b + 2"), 1e-12);
  EXPECT_NEAR(bench.number("de/dc"), 1, 1e-12);
  EXPECT_NEAR(bench.number("dc/de"), 0, 0);
  EXPECT_NEAR(bench.number("db/da"), 0, 0);
}

TEST(SecondDerivatives, AreTheDifferencesOfTheFirst) {
  Bench b(
      "samples 2; network x: 3 > z = dense(W: 4 outputs, inputs first, bias c) > a = tanh > s = dense(V: 2 outputs) > "
      "y = "
      "softmax; given t: 2x2 distribution; S := -sum(n, h, t[n,h]*ln(y[n,h]))");
  for (const std::string by : {"V", "W", "x", "c"}) {
    const std::string last = by == "c" ? "c[p]" : by + "[p,q]";
    for (const std::string first : {"dS/dV[0,3]", "dS/dW[2,1]", "dy[1,0]/dW[0,2]", "dy[0,1]/da[0,2]"})
      EXPECT_TRUE(near(b.numbers("d(" + first + ")/d" + last), b.differences(first, by, 1e-5), 1e-8))
          << first << " by " << by;
  }
}

TEST(SecondDerivatives, OfMapsAreTheDifferencesOfTheFirst) {
  Bench b("network x: 1x6x6 > z = conv(W: 2 filters 3x3, bias c) > a = tanh > p = maxpool 2 > y = dense(V: 2 outputs)");
  EXPECT_TRUE(near(b.numbers("d(dy[1]/dV[1,1,0,1])/dW[f,p,q]"), b.differences("dy[1]/dV[1,1,0,1]", "W", 1e-5), 1e-8));
  EXPECT_TRUE(near(b.numbers("d(dy[0]/dW[1,2,0])/dx[p,q]"), b.differences("dy[0]/dW[1,2,0]", "x", 1e-5), 1e-8));
}

}  // namespace
}  // namespace chalk::math
