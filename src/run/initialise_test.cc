#include "src/run/initialise.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <numeric>

#include "chalkgrad/error.h"
#include "chalkgrad/weight_init.h"
#include "src/base/test_support.h"
#include "src/base/text.h"

namespace chalk {
namespace {

using testing_support::input_error;

std::vector<float> drawn(const Init& init, const Shape& shape, std::uint64_t seed = 1) {
  std::vector<float> values(static_cast<std::size_t>(elements(shape)));
  Random random(seed, 5);
  initialise(init, shape, random, values);
  return values;
}

double mean(const std::vector<float>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}
double variance(const std::vector<float>& values) {
  const double middle = mean(values);
  double sum = 0;
  for (const float x : values) sum += (static_cast<double>(x) - middle) * (static_cast<double>(x) - middle);
  return sum / static_cast<double>(values.size());
}
float largest(const std::vector<float>& values) {
  float most = 0;
  for (const float x : values) most = std::max(most, std::abs(x));
  return most;
}

constexpr std::int64_t kIn = 200, kOut = 300;
const Shape kShape{kOut, kIn};

struct Expected {
  WeightInit init;
  double variance;
  double bound;  // 0: none
};

// Of n = 60,000 numbers, the mean strays by σ/√n and the variance by σ²·√(2/n) or less: five times that is allowed.
TEST(Initialise, HasTheMeanVarianceAndBoundsOfItsFormula) {
  const double cut = 1 - 4 * std::exp(-2.0) / std::sqrt(2 * M_PI) / std::erf(std::sqrt(2.0));  // of N(0, 1) at ±2
  EXPECT_NEAR(cut, 0.7737, 1e-4);
  const Expected all[] = {{WeightInit::he, 2.0 / kIn, 0},
                          {WeightInit::he_uniform, 2.0 / kIn, std::sqrt(6.0 / kIn)},
                          {WeightInit::glorot, 2.0 / (kIn + kOut), std::sqrt(6.0 / (kIn + kOut))},
                          {WeightInit::glorot_normal, 2.0 / (kIn + kOut), 0},
                          {WeightInit::lecun, 1.0 / kIn, 0},
                          {WeightInit::lecun_uniform, 1.0 / kIn, std::sqrt(3.0 / kIn)},
                          {{WeightInit::truncated_normal, 0.03}, 0.0009 * cut, 0.06},
                          {{WeightInit::normal, 0.5}, 0.25, 0},
                          {{WeightInit::uniform, 0.6}, 0.12, 0.6},
                          {WeightInit::orthogonal, 1.0 / kOut, 0}};
  const double n = kIn * kOut;
  for (const auto& [init, spread, bound] : all) {
    for (const std::uint64_t seed : {1U, 2U}) {
      const auto values = drawn(init.init(kIn, kOut), kShape, seed);
      EXPECT_LT(std::abs(mean(values)), 5 * std::sqrt(spread / n)) << init.text();
      EXPECT_NEAR(variance(values), spread, 5 * spread * std::sqrt(2 / n)) << init.text();
      if (bound > 0) {
        EXPECT_LE(largest(values), bound * (1 + 1e-7)) << init.text();
        EXPECT_GT(largest(values), bound * 0.999) << init.text();
      }
    }
  }
}

TEST(Initialise, OfAConstantIsThat) {
  for (const float x : drawn(WeightInit(WeightInit::constant, -0.5).init(3, 4), {2, 3})) EXPECT_EQ(x, -0.5F);
  for (const float x : drawn(WeightInit::parse("zero").init(3, 4), {2, 3})) EXPECT_EQ(x, 0);
}

TEST(Initialise, MakesOrthogonalMatrices) {
  for (const Shape& shape : {Shape{5, 40}, Shape{40, 5}, Shape{30, 30}, Shape{16, 8, 3, 3}, Shape{64, 2, 3, 3},
                             Shape{1, 7}, Shape{7, 1}, Shape{9}}) {
    const auto w = drawn(WeightInit(WeightInit::orthogonal, 1.5).init(1, 1), shape);
    const auto rows = static_cast<std::size_t>(shape[0]), columns = w.size() / rows;
    const bool wide = rows <= columns;
    const auto at = [&](std::size_t vector, std::size_t k) {
      return static_cast<double>(wide ? w[vector * columns + k] : w[k * columns + vector]);
    };
    for (std::size_t i = 0; i < std::min(rows, columns); ++i) {
      for (std::size_t j = 0; j <= i; ++j) {
        double product = 0;
        for (std::size_t k = 0; k < std::max(rows, columns); ++k) product += at(i, k) * at(j, k);
        EXPECT_NEAR(product, i == j ? 2.25 : 0, 3e-7) << to_string(shape) << " " << i << " " << j;
      }
    }
  }
}

TEST(Initialise, DiracPassesChannelsOnAndDrawsTheFiltersBeyondThem) {
  const float bound = 1 / std::sqrt(18.0F);  // three channels of 2 × 3
  const auto w = drawn(WeightInit(WeightInit::dirac).init(18, 30), {5, 3, 2, 3});
  float largest = 0;
  for (std::size_t i = 0; i < 5; ++i) {
    for (std::size_t k = 0; k < 18; ++k) {
      if (i < 3) {  // the middle of an even extent is behind it, as in PyTorch's dirac_
        EXPECT_EQ(w[i * 18 + k], k == i * 6 + 4 ? 1 : 0) << i << " " << k;
      } else {
        EXPECT_LE(std::abs(w[i * 18 + k]), bound);
        largest = std::max(largest, std::abs(w[i * 18 + k]));
      }
    }
  }
  EXPECT_GT(largest, bound / 2);
  EXPECT_EQ(drawn(WeightInit(WeightInit::dirac, 0).init(3, 4), {4, 3}),
            (std::vector<float>{1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0}));
  EXPECT_EQ(drawn(WeightInit(WeightInit::dirac).init(3, 2), {2, 3}), (std::vector<float>{1, 0, 0, 0, 1, 0}));
  EXPECT_EQ(drawn(WeightInit(WeightInit::dirac, 0).init(1, 1), {3}), (std::vector<float>{1, 0, 0}));
}

// On any machine: only sums, products, quotients and roots of doubles go into them.
TEST(Initialise, GivesTheseBits) {
  const auto bits = [](const WeightInit& init) {
    std::vector<std::uint32_t> all;
    for (const float x : drawn(init.init(3, 2), {2, 3})) all.push_back(std::bit_cast<std::uint32_t>(x));
    return all;
  };
  using Bits = std::vector<std::uint32_t>;
  EXPECT_EQ(bits({WeightInit::truncated_normal, 1}),
            (Bits{1064007663, 1069060457, 1058275816, 1048691891, 3207718491, 3196163067}));
  EXPECT_EQ(bits(WeightInit::orthogonal),
            (Bits{1057123495, 1061975620, 1050932718, 1054469516, 1035426687, 3211166733}));
  EXPECT_EQ(bits(WeightInit::he), (Bits{1061175900, 1066840827, 1056027125, 1045686573, 3205579054, 3218481609}));
}

TEST(WeightInits, AreReadAsTheyAreWritten) {
  for (const auto& kind : weight_inits()) {
    EXPECT_EQ(WeightInit::parse(kind.word), WeightInit(kind.kind)) << kind.word;
    EXPECT_EQ(WeightInit(kind.kind).text(), kind.word);
    if (kind.number.empty()) continue;
    EXPECT_EQ(WeightInit::parse(str(kind.word, ":0.125")).text(), str(kind.word, ":0.125"));
  }
  const auto said = [](const char* text) { return input_error([&] { (void)WeightInit::parse(text); }); };
  EXPECT_EQ(said("hee"), "init \"hee\" is not known; did you mean \"he\"?");
  EXPECT_EQ(
      said("x"),
      "init \"x\" is not known; use he, he_uniform, glorot, glorot_normal, lecun, lecun_uniform, orthogonal, dirac, "
      "whitening, truncated_normal, normal, uniform or constant");
  EXPECT_EQ(
      said("m.safetensors"),
      "init \"m.safetensors\" is a model, and init is how weights are drawn; to begin with those of a model, train "
      "with the option --init");
  EXPECT_EQ(said("he:2"), "init \"he:2\" has a number, and he takes none; write he");
  EXPECT_EQ(said("normal:"), "init \"normal:\" does not end with a number; write e.g. normal:0.05");
  EXPECT_EQ(said("normal:0.1x"), "init \"normal:0.1x\" does not end with a number; write e.g. normal:0.05");
  EXPECT_EQ(said("normal:-1"),
            "init \"normal:-1\" needs a number above 0 and at most 1e+37 as its σ, e.g. normal:0.05");
  EXPECT_EQ(said("normal:1e300"),
            "init \"normal:1e+300\" needs a number above 0 and at most 1e+37 as its σ, e.g. normal:0.05");
  for (const std::string number : {"inf", "1e+300", "-1e+300", "1e+38"}) {
    EXPECT_EQ(said(("constant:" + number).c_str()),
              "init \"constant:" + number + "\" needs a number from -1e+37 to 1e+37 as its value, e.g. constant:0");
  }
}

TEST(Initialise, DrawsNothingInfiniteWithTheLargestNumbers) {
  for (const auto& kind : weight_inits()) {
    if (kind.number.empty()) continue;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
      for (const float x : drawn(WeightInit(kind.kind, Init::kMost).init(3, 4), {40, 50}, seed))
        ASSERT_TRUE(std::isfinite(x)) << kind.word;
    }
  }
}

TEST(Initialise, RefusesWhatNothingCanBeDrawnFrom) {
  const std::string wrong_in = "fan_in is 0; it counts connections and must be at least 1",
                    wrong_out = "fan_out is -1; it counts connections and must be at least 1";
  for (const auto& kind : weight_inits()) {
    EXPECT_EQ(input_error([&] { return WeightInit(kind.kind).init(0, 3); }), wrong_in) << kind.word;
    EXPECT_EQ(input_error([&] { return WeightInit(kind.kind).init(3, -1); }), wrong_out) << kind.word;
  }
  EXPECT_EQ(input_error([] { return Init::he(0); }), wrong_in);
  EXPECT_EQ(input_error([] { return Init::glorot(0, 1); }), wrong_in);
  EXPECT_EQ(input_error([] { return Init::glorot(1, -1); }), wrong_out);
  for (const double value : {1e300, -1e300, std::numeric_limits<double>::quiet_NaN()}) {
    Graph g;
    EXPECT_EQ(input_error([&] { return g.parameter("p", {3}, Init::constant(value)); }),
              str("parameter p would start from the number ", value, "; use one from -1e+37 to 1e+37"));
  }
  EXPECT_EQ(input_error([] { return WeightInit(WeightInit::normal, 1e300).init(3, 4); }),
            "init \"normal:1e+300\" needs a number above 0 and at most 1e+37 as its σ, e.g. normal:0.05");
}

}  // namespace
}  // namespace chalk
