// The network statement: what each layer and clause computes, and the derivatives that formulas ask for.
#include "src/math/system.h"

#include <gtest/gtest.h>

#include "src/base/text.h"
#include "src/math/test_support.h"

namespace chalk::math {
namespace {

using Numbers = std::vector<double>;

/// Values by name, indexed row-major.
struct Image {
  const Numbers& data;
  int rows, columns;
  double operator()(int r, int c) const {
    return r >= 0 && r < rows && c >= 0 && c < columns ? data[static_cast<std::size_t>(r * columns + c)] : 0;
  }
  double operator()(int channel, int r, int c) const {
    if (r < 0 || r >= rows || c < 0 || c >= columns) return 0;
    return data[static_cast<std::size_t>((channel * rows + r) * columns + c)];
  }
};

TEST(Network, ConvolutionSlidesItsKernel) {
  Bench n("network x: 2x5x4 > z = conv(W: 3 filters 2x3, bias b)");
  EXPECT_EQ(n["W"].extents, Shape({3, 2, 2, 3}));
  EXPECT_EQ(n["z"].extents, Shape({3, 4, 2}));
  const Image x{n.value("x"), 5, 4};
  const auto &w = n.value("W"), &b = n.value("b");
  Numbers z;
  for (int f = 0; f < 3; ++f) {
    for (int r = 0; r < 4; ++r) {
      for (int c = 0; c < 2; ++c) {
        double sum = b[static_cast<std::size_t>(f)];
        for (int k = 0; k < 2; ++k) {
          for (int i = 0; i < 2; ++i) {
            for (int j = 0; j < 3; ++j)
              sum += w[static_cast<std::size_t>(((f * 2 + k) * 2 + i) * 3 + j)] * x(k, r + i, c + j);
          }
        }
        z.push_back(sum);
      }
    }
  }
  EXPECT_TRUE(near(n.value("z"), z));
}

struct ConvCase {
  const char* clauses;
  int stride, padding;  // of rows and columns
  bool flipped;
};

class Convolution : public testing::TestWithParam<ConvCase> {};

TEST_P(Convolution, ClausesMeanWhatTheySay) {
  const auto& p = GetParam();
  Bench n(str("network x: 5x6 > z = conv(W: 1 filter 3x3", p.clauses, ")"));
  const Image x{n.value("x"), 5, 6}, w{n.value("W"), 3, 3};
  Numbers z;
  for (int r = 0; r + 3 <= 5 + 2 * p.padding; r += p.stride) {
    for (int c = 0; c + 3 <= 6 + 2 * p.padding; c += p.stride) {
      double sum = 0;
      for (int i = 0; i < 3; ++i) {
        for (int j = 0; j < 3; ++j)
          sum += (p.flipped ? w(2 - i, 2 - j) : w(i, j)) * x(r + i - p.padding, c + j - p.padding);
      }
      z.push_back(sum);
    }
  }
  EXPECT_TRUE(near(n.value("z"), z));
}

INSTANTIATE_TEST_SUITE_P(Clauses, Convolution,
                         testing::Values(ConvCase{"", 1, 0, false}, ConvCase{", flipped", 1, 0, true},
                                         ConvCase{", full", 1, 2, false}, ConvCase{", same", 1, 1, false},
                                         ConvCase{", stride 2", 2, 0, false}, ConvCase{", padding 1x1", 1, 1, false},
                                         ConvCase{", flipped, full", 1, 2, true},
                                         ConvCase{", stride 2x2, padding 2", 2, 2, false}),
                         [](const auto& each) { return spoken(each.param.clauses, each.index); });

TEST(Network, BiasesAreSharedUntiedOrSubtracted) {
  const auto difference = [](const std::string& layer) {
    Bench with("network x: 3x3 > z = conv(W: 2 filters 2x2, " + layer + ")"),
        without("network x: 3x3 > z = conv(W: 2 filters 2x2)");
    auto d = with.value("z");
    for (std::size_t i = 0; i < d.size(); ++i) d[i] -= without.value("z")[i];
    const auto& b = with.value("b");
    Numbers spread;
    for (std::size_t i = 0; i < d.size(); ++i) spread.push_back(b.size() == 2 ? b[i / 4] : b[i]);
    return std::pair{d, spread};
  };
  for (const std::string clause : {"bias b", "shared bias b", "untied bias b"}) {
    const auto [d, b] = difference(clause);
    EXPECT_TRUE(near(d, b)) << clause;
  }
  for (const std::string clause : {"subtracted bias b", "untied subtracted bias b"}) {
    auto [d, b] = difference(clause);
    for (auto& v : b) v = -v;
    EXPECT_TRUE(near(d, b)) << clause;
  }
  Bench alone("network x: 3 > z = bias b > y = subtracted bias c > w = shared bias d");
  EXPECT_EQ(alone["b"].extents, Shape({3}));
  EXPECT_TRUE(near(alone.numbers("x + b"), alone.value("z")));
  EXPECT_TRUE(near(alone.numbers("x + b - c"), alone.value("y")));
}

TEST(Network, DenseLayersKeepTheAxesOfAnImage) {
  Bench n(
      "network x: 2x3 > z = dense(W: 4 outputs, bias b) > y = dense(V: 2 outputs, inputs first) > o = dense(u: 1 "
      "output)");
  EXPECT_EQ(n["W"].extents, Shape({4, 2, 3}));
  EXPECT_EQ(n["V"].extents, Shape({4, 2}));
  EXPECT_EQ(n["u"].extents, Shape({2}));
  EXPECT_EQ(n["o"].extents, Shape());
  EXPECT_TRUE(near(n.numbers("sum(p,q, W[i,p,q]*x[p,q]) + b[i]"), n.value("z")));
  EXPECT_TRUE(near(n.numbers("sum(i, V[i,j]*z[i])"), n.value("y")));
  EXPECT_TRUE(near(n.numbers("sum(j, u[j]*y[j])"), n.value("o")));
  EXPECT_TRUE(near(n.numbers("dy[j]/dV[p,q]"), n.differences("y", "V", 1e-3), 1e-9)) << "inputs first, both ways";
}

TEST(Network, PoolsTakeTheLargestOrTheMean) {
  Bench n("network x: 4x6 > p = maxpool 2\n");
  const Image x{n.value("x"), 4, 6};
  Numbers most, mean, overlapping;
  for (int r = 0; r < 4; r += 2) {
    for (int c = 0; c < 6; c += 2) {
      most.push_back(std::max({x(r, c), x(r + 1, c), x(r, c + 1), x(r + 1, c + 1)}));
      mean.push_back((x(r, c) + x(r + 1, c) + x(r, c + 1) + x(r + 1, c + 1)) / 4);
    }
  }
  for (int r = 0; r + 3 <= 4; ++r) {
    for (int c = 0; c + 2 <= 6; ++c) {
      double best = -2;
      for (int i = 0; i < 3; ++i) best = std::max({best, x(r + i, c), x(r + i, c + 1)});
      overlapping.push_back(best);
    }
  }
  EXPECT_TRUE(near(n.value("p"), most));
  EXPECT_TRUE(near(Bench("network x: 4x6 > p = avgpool 2").value("p"), mean));
  EXPECT_TRUE(near(Bench("network x: 4x6 > p = maxpool(3x2, stride 1)").value("p"), overlapping));
}

TEST(Network, ActivationsActOnEachNumber) {
  Bench n(
      "functions f = sigmoid, tanh, relu, linear\n"
      "network x: 4 > s = sigmoid > t = tanh > r = relu > l = linear > y = softmax > o = f");
  EXPECT_TRUE(near(n.numbers("sigmoid(x)"), n.value("s")));
  EXPECT_TRUE(near(n.numbers("tanh(s)"), n.value("t")));
  EXPECT_TRUE(near(n.numbers("relu(t)"), n.value("r")));
  EXPECT_TRUE(near(n.value("r"), n.value("l")));
  EXPECT_TRUE(near(n.numbers("softmax(l)"), n.value("y")));
  EXPECT_TRUE(near(n.numbers("exp(l[i])/sum(j, exp(l[j]))"), n.value("y")));
  const auto& y = n.value("y");
  EXPECT_TRUE(near(n.value("o"), {1 / (1 + std::exp(-y[0])), std::tanh(y[1]), y[2], y[3]}));
}

TEST(Network, SamplesAreTheFirstAxis) {
  Bench n("samples 3\nnetwork x: 2 > z = dense(W: 2 outputs, bias b) > y = tanh");
  EXPECT_EQ(n["x"].extents, Shape({3, 2}));
  EXPECT_EQ(n["W"].extents, Shape({2, 2}));
  EXPECT_TRUE(near(n.numbers("sum(j, W[i,j]*x[n,j]) + b[i] + 0*n"), [&] {
    Numbers by_index;  // i, then n
    for (std::size_t i = 0; i < 2; ++i) {
      for (std::size_t s = 0; s < 3; ++s) by_index.push_back(n.value("z")[s * 2 + i]);
    }
    return by_index;
  }()));
  EXPECT_TRUE(near(n.numbers("dy/dx"), n.differences("y", "x", 1e-5), 1e-8)) << "other samples do not count";
}

class Jacobians : public testing::TestWithParam<const char*> {};

TEST_P(Jacobians, AreTheSlopesThatDifferencesShow) {
  Bench n(GetParam());
  std::vector<std::string> values, drawn;
  for (const std::string name : {"x", "W", "V", "b", "c", "z", "a", "p", "y"}) {
    if (n.symbol(name) < 0) continue;
    values.push_back(name);
    if (n[name].kind == Symbol::Kind::drawn) drawn.push_back(name);
  }
  for (const auto& value : values) {
    for (const auto& by : drawn) {
      EXPECT_TRUE(near(n.trial().jacobian(n.symbol(value), n.symbol(by), {}), n.differences(value, by, 1e-6), 1e-7))
          << "d" << value << "/d" << by;
    }
  }
  // Values in between cannot be moved; the chain rule goes through them.
  const std::string last = "y";
  for (const std::string cut : {"z", "a", "p"}) {
    if (n.symbol(cut) < 0) continue;
    const auto dx = n.trial().jacobian(n.symbol(last), n.symbol("x"), {});
    const auto outer = n.trial().jacobian(n.symbol(last), n.symbol(cut), {});
    const auto inner = n.trial().jacobian(n.symbol(cut), n.symbol("x"), {});
    const auto rows = n.value(last).size(), between = n.value(cut).size(), columns = n.value("x").size();
    Numbers product(rows * columns);
    for (std::size_t i = 0; i < rows; ++i) {
      for (std::size_t k = 0; k < between; ++k) {
        for (std::size_t j = 0; j < columns; ++j)
          product[i * columns + j] += outer[i * between + k] * inner[k * columns + j];
      }
    }
    EXPECT_TRUE(near(product, dx)) << "through " << cut;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Networks, Jacobians,
    testing::Values(
        "network x: 4x4 > z = conv(W: 2 filters 2x2, flipped, full, untied bias b) > a = tanh > p = maxpool 2 > "
        "y = dense(V: 3 outputs, bias c)",
        "network x: 2x4x3 > z = conv(W: 2 filters 3x3, same, stride 2, subtracted bias b) > a = sigmoid > "
        "p = avgpool(2, stride 1) > y = dense(V: 2 outputs, inputs first, subtracted bias c)",
        "samples 2\nnetwork x: 3 > z = dense(W: 3 outputs, inputs first, bias b) > a = relu > y = softmax",
        "functions f = tanh, sigmoid, relu\nnetwork x: 2 > z = dense(W: 3 outputs) > a = f > p = bias b > "
        "y = dense(V: 1 output)",
        "samples 2\nnetwork x: 1x3x3 > z = conv(W: 2 filters 2x2, padding 1, untied subtracted bias b) > a = tanh > "
        "y = dense(V: 2 outputs, inputs first, bias c)"),
    [](const auto& each) { return spoken(each.param, each.index); });

TEST(Network, ValuesAreDrawnFromWhereTheyAreSaidToBe) {
  Bench n(
      "network x: 50 > y = tanh\nx in 2..3\ngiven t: 2x50 distribution; given h: 4x50 one-hot; given u: 50; given s "
      "small");
  for (const double v : n.value("x")) EXPECT_TRUE(v >= 2 && v <= 3);
  for (const double v : n.value("u")) EXPECT_TRUE(v >= -1 && v <= 1);
  EXPECT_TRUE(near(n.numbers("sum(j, t[i,j])"), {1, 1}));
  EXPECT_TRUE(near(n.numbers("sum(j, h[i,j])"), {1, 1, 1, 1}));
  EXPECT_TRUE(near(n.numbers("sum(j, h[i,j]^2)"), {1, 1, 1, 1}));
  EXPECT_EQ(n.number("s"), 1e-3);
  EXPECT_EQ(Bench("network x: 50 > y = tanh\nx in 2..3").value("x"), n.value("x")) << "by seed and name alone";
}

TEST(Network, AnyNameMayBeChosen) {
  Bench n("network cotangent: 3 > layer1 = dense(weight: 2 outputs, bias bias1) > seed = tanh");
  EXPECT_TRUE(near(n.numbers("dseed/dcotangent"), n.differences("seed", "cotangent", 1e-5), 1e-8));
}

}  // namespace
}  // namespace chalk::math
