#include "src/math/evaluate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "src/math/error.h"
#include "src/math/test_support.h"

namespace chalk::math {
namespace {

using testing::HasSubstr;

TEST(Evaluate, ComputesAsLoopsWould) {
  Bench bench("given A: 3x4; given B: 4x2; given v: 3");
  const auto &a = bench.value("A"), &b = bench.value("B"), &v = bench.value("v");
  std::vector<double> product, weighted;
  for (std::size_t i = 0; i < 3; ++i) {
    for (std::size_t k = 0; k < 2; ++k) {
      double sum = 0;
      for (std::size_t j = 0; j < 4; ++j) sum += a[i * 4 + j] * b[j * 2 + k];
      product.push_back(sum);
      weighted.push_back(v[i] * std::exp(sum) - static_cast<double>(i) / static_cast<double>(1 + k));
    }
  }
  EXPECT_TRUE(near(bench.numbers("sum(j, A[i,j]*B[j,k])"), product));
  EXPECT_TRUE(near(bench.numbers("v[i]*exp(sum(j, A[i,j]*B[j,k])) - i/(1 + k)"), weighted));
  EXPECT_TRUE(near(bench.numbers("sum(j, B[j,k]*A[i,j])"), product)) << "whatever the order";
}

TEST(Evaluate, OutsideOfAValueIsZero) {
  Bench bench("given v: 4; given A: 2x3");
  const auto& v = bench.value("v");
  EXPECT_TRUE(near(bench.numbers("v[i-1] for i=0..5"), {0, v[0], v[1], v[2], v[3], 0}));
  EXPECT_TRUE(near(bench.numbers("v[2*i] for i=-1..2"), {0, v[0], v[2], 0}));
  EXPECT_TRUE(near(bench.numbers("A[i-j,j-i] + A[2*i,0] for i=1..1, j=1..1"), {bench.value("A")[0]}));
  EXPECT_TRUE(near(bench.numbers("v[0.5*i] for i=0..2"), {v[0], 0, v[1]})) << "there is nothing between";
}

TEST(Evaluate, SumsAndProductsHaveTheirRanges) {
  Bench bench("given v: 3");
  EXPECT_EQ(bench.number("sum(i=1..4, i^2)"), 30);
  EXPECT_EQ(bench.number("prod(i=1..5, i)"), 120);
  EXPECT_EQ(bench.number("sum(i=1..3, j=0..1, i*10^j)"), 66);
  EXPECT_EQ(bench.number("sum(i=1..3, 2)"), 6) << "a term for each, though it does not depend on i";
  EXPECT_EQ(bench.number("prod(i=1..3, 2)"), 8);
  EXPECT_EQ(bench.number("max(i=-2..2, -i^2)"), 0);
  EXPECT_EQ(bench.number("min(i=-2..2, -i^2)"), -4);
  EXPECT_EQ(bench.number("sum(i=1..2, v[i])"), bench.value("v")[1] + bench.value("v")[2]);
}

TEST(Evaluate, TheFirstOfSeveralLargestCounts) {
  Bench bench("given a");
  EXPECT_EQ(bench.number("argmax(i=0..4, -(i - 2)^2)"), 2);
  EXPECT_EQ(bench.number("argmax(i=0..4, [i >= 2])"), 2);
  EXPECT_EQ(bench.number("argmax(i=3..5, i)"), 2) << "a place, counted from 0";
  EXPECT_EQ(bench.number("argmax(i=0..1, j=0..2, i*j)"), 5);
  EXPECT_EQ(bench.number("max(a, a) - a"), 0);
}

TEST(Evaluate, ComparesAndSelects) {
  Bench bench("given a");
  EXPECT_TRUE(near(bench.numbers("[i = j] - delta(i,j) for i=0..1, j=0..1"), {0, 0, 0, 0}));
  EXPECT_TRUE(near(bench.numbers("[i < 1] + 10*[i <= 1] + 100*[i > 1] + 1000*[i >= 1] + 10000*[i != 1] for i=0..2"),
                   {10011, 1010, 11100}));
}

TEST(Evaluate, WhatIsNoNumberStaysNone) {
  Bench bench("given a in 1..2");
  EXPECT_TRUE(std::isnan(bench.number("ln(-a)")));
  EXPECT_TRUE(std::isnan(bench.number("max(ln(-a), 1)")));
  EXPECT_TRUE(std::isnan(bench.number("max(1, ln(-a))")));
  EXPECT_TRUE(std::isnan(bench.number("max(i=0..2, ln(i - 1.5))")));
  EXPECT_TRUE(std::isnan(bench.number("relu(ln(-a)) + step(ln(-a))")));
  EXPECT_EQ(bench.number("a/0"), std::numeric_limits<double>::infinity());
}

TEST(Evaluate, ChangesValues) {
  Bench bench("network x: 2 > s = dense(w: 1 output) > o = sigmoid\ngiven y\nL := (o - y)^2/2");
  const auto &x = bench.value("x"), &w = bench.value("w");
  const double y = bench.number("y");
  const auto loss = [&](double w0, double w1, double x0, double x1) {
    const double o = 1 / (1 + std::exp(-(w0 * x0 + w1 * x1)));
    return (o - y) * (o - y) / 2;
  };
  EXPECT_NEAR(bench.number("at(L, w := 2*w)"), loss(2 * w[0], 2 * w[1], x[0], x[1]), 1e-12);
  EXPECT_NEAR(bench.number("at(L, w[p] := w[p] + p, x := -x)"), loss(w[0], w[1] + 1, -x[0], -x[1]), 1e-12);
  EXPECT_NEAR(bench.number("at(at(L, w := 3*w), w := w + x)"), loss(3 * (w[0] + x[0]), 3 * (w[1] + x[1]), x[0], x[1]),
              1e-12)
      << "the outer change first: the inner one sees what it leaves";
  EXPECT_TRUE(near(bench.numbers("at(L, w[p] := w[p]*k) for k=0..2"),
                   {loss(0, 0, x[0], x[1]), loss(w[0], w[1], x[0], x[1]), loss(2 * w[0], 2 * w[1], x[0], x[1])}));
  EXPECT_TRUE(near(bench.numbers("at(o*k + i, w[p] := w[p]*i*k) for i=1..2, k=0..1"),
                   {1, bench.number("sigmoid(s) + 1"), 2, bench.number("sigmoid(2*s) + 2")}));
  EXPECT_NEAR(bench.number("sum(k=0..2, at(L, w := w*k))"),
              loss(0, 0, x[0], x[1]) + loss(w[0], w[1], x[0], x[1]) + loss(2 * w[0], 2 * w[1], x[0], x[1]), 1e-12);
  EXPECT_NEAR(bench.number("at(dL/dw[0], w := 0*w)"), bench.number("(0.5 - y)*0.25*x[0]"), 1e-12)
      << "derivatives are those at the changed value";
  EXPECT_NEAR(bench.number("L"), loss(w[0], w[1], x[0], x[1]), 1e-12) << "and nothing stays changed";
}

TEST(Evaluate, GivesUpOnWhatWouldTakeTooLong) {
  const auto refusal = [](std::string_view declarations, std::string_view formula) -> std::string {
    try {
      Bench(declarations).numbers(formula);
    } catch (const FormulaError& e) {
      return e.what();
    }
    return "nothing";
  };
  EXPECT_THAT(refusal("given a", "sum(i=0..1000000, j=0..1000000, a)"),
              HasSubstr("too many terms; use smaller ranges"));
  EXPECT_THAT(refusal("given a", "sum(i=0..100000, sum(j=0..100000, a*i*j))"),
              HasSubstr("more than 16,777,216 terms at once"));
  EXPECT_THAT(refusal("given v: 250",
                      "sum(i,j,k, v[i]*v[j]*v[k] + sum(l, v[i]*v[j]*v[l]) + exp(v[k]*v[i]*v[j])*(2 + "
                      "v[i]*v[j]*v[k])*sin(v[i]*v[j]*v[k]/9))"),
              HasSubstr("use smaller shapes"));
  EXPECT_THAT(refusal("network x: 64x64 > y = dense(w: 4096 outputs)", "dy/dw"),
              HasSubstr("has 4096 by 16777216 numbers"));
  EXPECT_THAT(refusal("network x: 50 > y = dense(w: 50 outputs) > z = tanh",
                      "at(at(at(z[i], x[j] := k*x[j]), x[j] := l*x[j]), x[j] := m*x[j]) for k=0..99, l=0..99, m=0..99"),
              HasSubstr("this takes too long to compute"));
  EXPECT_THAT(refusal("network x: 300 > y = dense(w: 300 outputs) > z = dense(v: 300 outputs)", "dz[i]/dx[j]"),
              "nothing");
}

}  // namespace
}  // namespace chalk::math
