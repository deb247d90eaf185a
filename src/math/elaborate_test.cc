// Vectors, matrices, indices, functions: what a formula means. Each line is true, or says why it means nothing.
#include "src/math/elaborate.h"

#include <gtest/gtest.h>

#include "src/base/text.h"
#include "src/math/test_support.h"

namespace chalk::math {
namespace {

const std::string kDeclarations =
    "given u, v: 3; given w: 4; given W: 3x4; given M: 4x3; given a, b in 0.5..1\n"
    "f(x) := x^2 + tanh(x)\n"
    "functions g = sigmoid, tanh, sin\n";

class Meaning : public testing::TestWithParam<const char*> {};

const auto kFormula = [](const auto& each) { return spoken(each.param, each.index); };

TEST_P(Meaning, IsAsIndicesSay) {
  EXPECT_EQ(complaint(kDeclarations + GetParam()), "nothing") << GetParam();
  EXPECT_EQ(check(kDeclarations + GetParam()).lines.back().message, "") << "not 0 on both sides";
}

INSTANTIATE_TEST_SUITE_P(Vectors, Meaning,
                         testing::Values("(u + v)[i] = u[i] + v[i]", "u .* v = v .* u", "(2*u)[i] = u[i]*2",
                                         "(u ./ v)[i] = u[i]/v[i]", "(u^2)[i] = u[i]^2", "u^T @ v = sum(i, u[i]*v[i])",
                                         "u @ v = u^T @ v", "(u @ w^T)[i,j] = u[i]*w[j]", "u @ v^T = (v @ u^T)^T",
                                         "(u^T)^T = u", "sum(u) = sum(i, u[i])", "max(u) = max(i, u[i])",
                                         "prod(u .* v) = prod(u)*prod(v)", "(-u)[i] = -u[i]",
                                         "max(u, v)[i] = max(u[i], v[i])", "[u > v][i] = [u[i] > v[i]]",
                                         "u^T @ u = sum(u .* u)", "(u + 1)[i] = u[i] + 1", "sum(ones(5)) = 5",
                                         "(ones(2) @ u^T)[i,j] = u[j] for i=0..1"),
                         kFormula);

INSTANTIATE_TEST_SUITE_P(Matrices, Meaning,
                         testing::Values("(W @ w)[i] = sum(j, W[i,j]*w[j])", "(W @ w)[2] = sum(j, W[2,j]*w[j])",
                                         "(u^T @ W)[j] = sum(i, u[i]*W[i,j])", "u^T @ W = (W^T @ u)^T",
                                         "(W @ M)[i,k] = sum(j, W[i,j]*M[j,k])", "(W @ M)^T = M^T @ W^T",
                                         "(W .* M^T)[i,j] = W[i,j]*M[j,i]", "(diag(u) @ W)[i,j] = u[i]*W[i,j]",
                                         "diag(u)[i,j] = u[i]*δ(i,j)",
                                         "W[:,0] = W @ (ones(4) .* M[:,0]) - "
                                         "W @ M[:,0] + W[:,0]",
                                         "W[1,:] = M[:,1] .* W[1,:] ./ M[:,1]", "(W[:,k])[i] = W[i,k]",
                                         "sum(W, axis=0)[j] = sum(i, W[i,j])", "sum(W, axis=1) = sum(W, axis=-1)",
                                         "sum(W) = sum(sum(W, axis=0))", "(W + w)[i,j] = W[i,j] + w[j]",
                                         "(w .* W)[i,j] = W[i,j]*w[j]", "(u^T @ W @ w) = sum(i, j, u[i]*W[i,j]*w[j])",
                                         "u^T @ W @ w = w^T @ W^T @ u"),
                         kFormula);

INSTANTIATE_TEST_SUITE_P(Functions, Meaning,
                         testing::Values("f(a) = a^2 + tanh(a)", "f'(a) = 2*a + 1 - tanh(a)^2", "f(u)[i] = f(u[i])",
                                         "f(f(a)) = f(a)^2 + tanh(f(a))", "d(f(a*b))/da = f'(a*b)*b",
                                         "f''(a) = 2 - 2*tanh(a)*(1 - tanh(a)^2)", "f'(W)[i,j] = f'(W[i,j])",
                                         "softmax(u)[i] = exp(u[i])/sum(j, exp(u[j]))",
                                         "sum(softmax(W), axis=1) = ones(3)",
                                         "d(softmax(u)[i])/du[j] = softmax(u)[i]*(δ(i,j) - softmax(u)[j])",
                                         "tanh'(a) = 1 - tanh(a)^2", "g[1](a) = tanh(a)", "g(u)[i] = g[i](u[i])",
                                         "g'[0](a) = sigmoid(a)*(1 - sigmoid(a))",
                                         "g[i](a) = δ(i,0)*sigmoid(a) + δ(i,1)*tanh(a) + δ(i,2)*sin(a)",
                                         "log(a) = ln(a)", "sum(i=0..2, f(u[i])*i) = sum(j=0..2, j*f(u[j]))"),
                         kFormula);

INSTANTIATE_TEST_SUITE_P(Derivatives, Meaning,
                         testing::Values("d(u^T @ v)/du = v", "d(W @ w)/dw = W", "d(sum(W .* W))/dW = 2*W",
                                         "d(u^T @ W @ w)/dW = u @ w^T", "da/da = 1", "du[i]/du[j] = δ(i,j)",
                                         "d(a*u)/da = u", "d(f(u))/du = diag(f'(u))",
                                         "d(sum(i, u[i]*v[i]))/du[k] = v[k]", "d(u[i]^2)/du[i] = 2*u[i]"),
                         kFormula);

INSTANTIATE_TEST_SUITE_P(Indices, Meaning,
                         testing::Values("sum(i, u[i]) = u[0] + u[1] + u[2]", "sum(i=1..2, u[i]) = u[1] + u[2]",
                                         "u[i-1] = u[i-1] + 0*u[i]", "u[2-i] = sum(k, u[k]*δ(k,2-i)) for i=0..2",
                                         "u[i]*δ(i,j) = u[j]*δ(i,j)", "sum(j, u[i]*δ(i,j)) = u[i]",
                                         "u[i] = u[i] for i=1..2", "sum(a, u[a]) = sum(u)",
                                         "sum(i, u[i]*sum(i, v[i])) = sum(u)*sum(v)", "i*u[i] = sum(j, j*u[j]*[i = j])",
                                         "sum(i=0..2, i)*a = 3*a"),
                         kFormula);

TEST(Elaborate, AnIndexMayHaveTheNameOfANumber) {
  EXPECT_EQ(verdicts("given b, i; given v: 3\nsum(i, v[i]) = v[0] + v[1] + v[2]\nv[b] = v[b]"), "vF")
      << "there is nothing between two elements, so the last line says nothing";
  EXPECT_EQ(verdicts("given i; given v: 3\nv[0]*i = i*v[0]"), "v");
}

TEST(Elaborate, FunctionsDoNotSeeTheIndicesAroundTheirCall) {
  EXPECT_EQ(verdicts("given v: 3\ns(x) := sum(i, v[i]*x)\nsum(i, s(v[i])) = sum(v)^2"), "dv");
}

TEST(Elaborate, ALongSumAndManySignsAreRead) {
  std::string sum = "a", minus = "a", product = "1", powers;
  for (int k = 0; k < 1400; ++k) {
    sum += "+b";
    product += "*b";
    powers += "*u";
  }
  for (int k = 0; k < 150; ++k) minus = "-" + minus;
  EXPECT_EQ(complaint(kDeclarations + sum + " = a + 1400*b\nd(" + sum + ")/db = 1400\n" + minus + " = a"), "nothing");
  EXPECT_EQ(complaint("given b in 0.99..1\np(u) := u" + powers + "\np'(b) = 1401*b^1400\np''(b) = 0"),
            "4:1 more than 3,000 operations in a row or within each other; give a part of it a name with :=");
  EXPECT_EQ(complaint("given b in 0.99..1\nd(" + product + ")/db = 1400*b^1399"), "nothing");
  EXPECT_EQ(complaint(kDeclarations + std::string(1500, '-') + "a = a"),
            "4:201 more than 200 brackets within brackets; name a part with :=");
}

TEST(Elaborate, FunctionsWithinFunctionsDoNotTakeForEver) {
  std::string nested = "a", doubling = "given a in 0.1..0.2\nh0(x) := x*x\n";
  for (int k = 0; k < 60; ++k) nested = "h(" + nested + ")";
  EXPECT_EQ(complaint("given a in 0.1..0.2\nh(x) := x*(2 - x)\n" + nested + " = 1\nd(" + nested + ")/da = 0"),
            "nothing");
  for (int k = 1; k < 40; ++k) doubling += str("h", k, "(x) := h", k - 1, "(x)*h", k - 1, "(x)\n");
  EXPECT_EQ(complaint(doubling + "h39(a) = 0"),
            "16:1 in h14(…): written out, with its functions and derivatives, this is too long; use fewer of them");
  std::string softmaxes = "s", rows = "given v0\n";
  for (int k = 0; k < 40; ++k) softmaxes = "softmax(" + softmaxes + ")";
  EXPECT_EQ(complaint("given s: 4\nd(" + softmaxes + "[i])/ds[j] = 0*i*j").substr(0, 7), "nothing");
  for (int k = 1; k < 900; ++k) rows += str("v", k, " := v", k - 1, " + 0.001*v", k - 1, "*v", k > 1 ? k - 2 : 0, "\n");
  EXPECT_EQ(complaint(rows + "dv899/dv0 = dv899/dv1*dv1/dv0 + dv899/dv0*0").substr(0, 10), "901:0 left");
}

}  // namespace
}  // namespace chalk::math
