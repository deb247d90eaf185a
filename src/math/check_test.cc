// Whole derivations: verdicts, and what is said about them.
#include "chalkgrad/check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "chalkgrad/losses.h"
#include "chalkgrad/ops.h"
#include "chalkgrad/optimizer.h"
#include "src/base/text.h"
#include "src/math/check_about.h"
#include "src/math/test_support.h"

namespace chalk::math {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const std::string kDense = "network x: 3 > z = dense(W: 2 outputs, bias b) > y = sigmoid\n";

TEST(Check, EachKindOfLineHasItsVerdict) {
  const auto report = check(kDense + "part one\n" + kDense +
                            "% y = \\sigma(z)\n(1) y = sigmoid(z)\n"
                            "(2) y = tanh(z)\n"
                            "E := sum(i, y[i]^2)\n"
                            "\"a remark: 50%\"\n"
                            "dE/dz[i]\n"
                            "  = 2*y[i]*(1 - y[i])\nerratum a factor is lost\n  corrected = 2*y[i]^2*(1 - y[i])\n");
  EXPECT_EQ(verdicts(report), "vFddde");
  EXPECT_EQ(report.verified, 1u);
  EXPECT_EQ(report.failed, 1u);
  EXPECT_EQ(report.definitions, 3u);
  EXPECT_EQ(report.errata, 1u);
  const auto& first = report.lines[0];
  EXPECT_EQ(first.part, "one");
  EXPECT_EQ(first.label, "1");
  EXPECT_EQ(first.line, 5);
  EXPECT_EQ(first.column, 0);
  EXPECT_EQ(first.text, "y = sigmoid(z)");
  EXPECT_EQ(first.latex, "y = \\sigma\\left(z\\right)");
  EXPECT_EQ(first.source, "y = \\sigma(z)");
  EXPECT_EQ(first.message, "");
  EXPECT_EQ(report.lines[3].text, "\"a remark: 50%\"");
  EXPECT_EQ(report.lines[3].latex, "\\text{a remark: 50\\%}");
  const auto& erratum = report.lines[5];
  EXPECT_EQ(erratum.message, "a factor is lost");
  EXPECT_THAT(erratum.difference, StartsWith("left is "));
  EXPECT_EQ(erratum.corrected, "= 2*y[i]^2*(1 - y[i])");
  EXPECT_EQ(erratum.corrected_latex, "= 2\\, y_{i}^{2}\\, \\left(1 - y_{i}\\right)");
  EXPECT_EQ(erratum.line, 10);
}

TEST(Check, WholeNumbersAreDrawnFromTheirRange) {
  const auto report = check(
      "network x: 3 > t: input 40 > y = dense(W: 2 outputs)\nt in 1..3 whole\n"
      "(t[i] - 1)*(t[i] - 2)*(t[i] - 3) = 0\n"
      "sum(i, [t[i] = 1]) = 0\nsum(i, [t[i] = 2]) = 0\nsum(i, [t[i] = 3]) = 0\n");
  EXPECT_EQ(verdicts(report), "vFFF") << "each of them is there";
}

TEST(Check, ChainsGoOnFromTheirBeginning) {
  EXPECT_EQ(verdicts(kDense + "dy[i]/dx[j]\n= y[i]*(1 - y[i])*dz[i]/dx[j]\n= y[i]*(1 - y[i])*W[i,j]"), "dvv");
  EXPECT_EQ(verdicts(kDense + "y = sigmoid(z) = 1 ./ (1 + exp(-z))"), "v");
  EXPECT_EQ(verdicts(kDense + "y = sigmoid(z) = tanh(z)"), "F");
  EXPECT_EQ(verdicts(kDense + "y = sigmoid(z)\n= 1 ./ (1 + exp(-z))\n= tanh(z)"), "vvF");
}

TEST(Check, AWrongStepIsReportedAndTheNextIsJudgedByItself) {
  const auto report = check(kDense + "y[i]\n= sigmoid(z[i])\n= sigmoid(-z[i])\n= 1 - sigmoid(z[i])\n= sigmoid(z[i])");
  EXPECT_EQ(verdicts(report), "dvFFv");
  EXPECT_THAT(report.lines[2].message, Not(HasSubstr("this step itself")));
  EXPECT_THAT(report.lines[3].message,
              HasSubstr("this step itself is right: it follows from the line above, which is false"));
}

TEST(Check, ADefinitionBeginsAChain) {
  EXPECT_EQ(verdicts(kDense + "y[0] = y[0]\nF[i] := 2*y[i]\n= y[i] + sigmoid(z[i])\n= y[i]\nV := 3*y\n = y + 2*y\n= y"),
            "vdvFdvF");
  EXPECT_EQ(complaint(kDense + "y = y\nf(u) := u^2\n= u*u"), "4:1 there is no line above that this could go on from");
}

TEST(Check, AChainNeedsABeginningThatCanBeRead) {
  EXPECT_EQ(complaint("= 3"), "1:1 there is no line above that this could go on from");
  EXPECT_EQ(complaint("part one\n1 = 1\npart two\n= 1"), "4:1 there is no line above that this could go on from");
  const auto report = check("given a\na = q[3]\n= a");
  EXPECT_EQ(report.lines[1].message, "the line above, which this goes on from, cannot be read");
}

TEST(Check, AnErratumIsFalseAndItsCorrectionTrue) {
  const std::string a = "given a, b in 1..2\n";
  EXPECT_EQ(verdicts(a + "a = b\nerratum of course\ncorrected a = a"), "e");
  EXPECT_EQ(complaint(a + "a = a\nerratum no\ncorrected a = a"), "2:0 is called an erratum, but holds as it stands");
  EXPECT_THAT(complaint(a + "a = b\nerratum of course\ncorrected a = 2*a"),
              StartsWith("4:0 the correction does not hold: left is "));
  EXPECT_EQ(complaint(a + "a = b\nerratum of course\n"),
            "2:0 an erratum needs its correction: add a line \"corrected …\"");
  EXPECT_EQ(complaint(a + "a = b\nerratum of course\na = a"),
            "2:0 an erratum needs its correction: add a line \"corrected …\"");
  EXPECT_EQ(complaint(a + "a = b\nerratum of course\npart two"),
            "2:0 an erratum needs its correction: add a line \"corrected …\"");
  EXPECT_EQ(complaint(a + "a = b\nerratum of course\ncorrected a = c[1]"),
            "4:15 the correction does not hold: \"c\" is not a value that is known here; did you mean \"a\"?");
  EXPECT_EQ(verdicts(a + "a\n= b\nerratum of course\ncorrected = a\n= a"), "dev") << "the chain goes on";
}

TEST(Check, AnErratumMustBeReadable) {
  EXPECT_EQ(complaint("given a, b\na = c[0]\nerratum of course\ncorrected a = a\na = a"),
            "2:5 an erratum must be an equation that can be computed, and is false; but \"c\" is not a value that is "
            "known here; did you mean \"a\"?");
  EXPECT_THAT(complaint("given a, b\na = 2*quantity\nerratum of course\ncorrected a = a"),
              StartsWith("2:7 an erratum must be an equation that can be computed"));
  EXPECT_EQ(verdicts("given v: 3; given w: 4\nv[i] = w[i]\nerratum the index\ncorrected v[i] = v[i]"), "e")
      << "indices that do not go together are as good as false";
  EXPECT_EQ(verdicts("given v: 3; given W: 4x3\nv = v^T @ W\nerratum a transpose\ncorrected v = v"), "e");
}

TEST(Check, ApproximatelyIsToFirstOrder) {
  const std::string net = "network x: 3 > s = dense(w: 1 output) > o = tanh\ngiven η small; given a\n";
  EXPECT_EQ(verdicts(net + "at(o, w := w + η*x) ≈ o + η*sum(i, do/dw[i]*x[i])"), "v");
  EXPECT_EQ(verdicts(net + "at(o, w := w + η*x) ~= o - η*sum(i, do/dw[i]*x[i])"), "F");
  EXPECT_EQ(verdicts(net + "at(o, w := w + η*x) = o + η*sum(i, do/dw[i]*x[i])"), "F");
  EXPECT_EQ(verdicts(net + "a ≈ a + η"), "F");
  EXPECT_EQ(verdicts(net + "a ≈ a + η^2"), "v");
  EXPECT_EQ(verdicts(net + "a ≈ a + 1"), "F");
  EXPECT_EQ(verdicts(net + "a + η^2 ≈ a = a*1\n= a\n= a + η^2"), "vvF") << "what follows a ≈ is equal to that";
  EXPECT_EQ(verdicts(net + "a + η ≈ a + sin(η) = a + η"), "F");
  EXPECT_THAT(complaint(net + "a ≈ 2*a"), HasSubstr("the difference is not small of second order"));
}

TEST(Check, SaysHowTwoSidesDiffer) {
  const std::string v = "given u, v: 3 in 1..2; given a, b in 1..2\n";
  EXPECT_THAT(complaint(v + "u[i] = -u[i]"), HasSubstr("they differ at 3 of 3 places, by up to "));
  EXPECT_THAT(complaint(v + "u[i] = -u[i]"), HasSubstr("; left is right with the opposite sign"));
  EXPECT_THAT(complaint(v + "u[i] = 4*u[i]"), HasSubstr("; left is 0.25 times right everywhere"));
  EXPECT_THAT(complaint(v + "u[i] = v[j]"),
              HasSubstr("; the index i stands on the left only; the index j stands on the right only"));
  EXPECT_THAT(complaint(v + "u[i] = u[i] + [i = 2]"), HasSubstr(" at i=2; they differ at 1 of 3 places, by up to 1"));
  EXPECT_THAT(complaint(v + "u = v"), HasSubstr(" at [0]; they differ at 3 of 3 places"));
  EXPECT_THAT(complaint(v + "u @ v^T = v @ u^T"), HasSubstr(" at [0,1]; they differ at 6 of 9 places"));
  EXPECT_THAT(complaint(v + "a = b"), Not(HasSubstr("places")));
}

TEST(Check, IsNotFooledByWhatIsZeroOrNoNumber) {
  const auto zero = check("given v: 3\nv[i] - v[i] = 0\nd(v[0])/dv[i] - δ(i,0) = 0*i");
  EXPECT_EQ(verdicts(zero), "vv");
  EXPECT_EQ(zero.lines[0].message, "both sides are 0 in every trial");
  EXPECT_THAT(complaint("given a in 1..2\nln(-a) = ln(-a)"),
              HasSubstr("left is nan, right is nan: not a number, as of a logarithm of 0 or less, or a division by 0; "
                        "choose what values are drawn from (NAME in 0.1..1)"));
  EXPECT_EQ(verdicts("given a in 1..2\n1/0 = 1/0"), "F");
  EXPECT_EQ(verdicts("given v: 3 in 1..2\nv[i]/i = v[i]/i for i=1..2"), "v");
  EXPECT_EQ(verdicts("given a in 1..2\nexp(1000*a) = exp(1000*a)"), "F");
}

// Somebody who counts from 1 is told so, wherever a value has an index.
TEST(Check, AConstantIndexIsOneThatThereIs) {
  const std::string net = "network x: 3 > s = dense(W: 2 outputs, bias b) > y = sigmoid\ngiven v: 5; given a\n";
  const auto none = [&](const std::string& what, const std::string& equation) {
    EXPECT_THAT(complaint(net + equation), HasSubstr("there is no " + what + "; indices are whole and count from 0"))
        << equation;
  };
  none("s[2], only s[0] and s[1]", "ds[2]/dW[1,0] = x[0]");
  none("W[2,3], only W[0,0] to W[1,2]", "ds[1]/dW[2,3] = x[2]");
  none("W[1,3], only W[0,0] to W[1,2]", "ds[1]/dW[1,3] = x[2]");
  none("y[2], only y[0] and y[1]", "dy[1]/ds[1] = y[2]");
  none("y[0.5], only y[0] and y[1]", "y[0.5] = 0");
  none("y[1/2], only y[0] and y[1]", "y[1/2] = 0");
  none("v[-1], only v[0] to v[4]", "v[-1] = 0");
  none("v[2*3], only v[0] to v[4]", "sum(i, v[i]*v[2*3]) = 0");
  none("v[max(4, 5)], only v[0] to v[4]", "max(a, v[max(4, 5)]) = a");
  none("W[2,i], only W[0,0] to W[1,2]", "W[2,i] = 0");
  none("W[2,:], only W[0,0] to W[1,2]", "W[2,:] = x");
  none("v[5], only v[0] to v[4]", "at(v[5], v := 2*v) = 0");
  none("v[5], only v[0] to v[4]", "at(a, a := v[5]) = 0");
  none("v[5], only v[0] to v[4]", "u[i] := v[i]*v[5]");
  none("v[5], only v[0] to v[4]", "g(t) := v[5]*t");
  none("v[t], only v[0] to v[4]", "g(t) := v[t]*t\ng(5) = 0");
  none("v[t], only v[0] to v[4]", "g(t) := v[t]*t\ng'(5) = 0");
  none("x[t], only x[0] to x[2]", "g(t) := d(x[t])/dx[0]\ng(7) = 0");
  none("(x + x)[3], only (x + x)[0] to (x + x)[2]", "(x + x)[3] = 0");
  none("f[2], only f[0] and f[1]", "functions f = sin, cos\nf[2](a) = 0");
  none("f[-1], only f[0] and f[1]", "functions f = sin, cos\nf'[-1](a) = 0");
  EXPECT_EQ(verdicts(net + "s[2] = 0\nerratum counted from 1\ncorrected s[1] = sum(j, W[1,j]*x[j]) + b[1]"), "e");
  // Following the advice:
  EXPECT_EQ(verdicts(net + "ds[1]/dW[1,2] = x[2]\ndy[1]/ds[1] = y[1]*(1 - y[1])\nv[2*2] = v[8/2]\n"
                           "g(t) := v[t]*t\ng(4) = 4*v[4]\ng'(4) = v[4]"),
            "vvvdvv");
}

TEST(Check, WhatHoldsOnlyOutsideOfRangesSaysNothing) {
  const std::string net = "network x: 3 > y = tanh\ngiven v: 5\n";
  EXPECT_EQ(complaint(net + "v[i+5] = 99*v[i+5] for i=0..3"),
            "3:1 both sides are 0 in every trial, but only because v counts as 0 outside of its range; choose indices "
            "within it, which count from 0");
  EXPECT_THAT(complaint(net + "dy[i+3]/dx[j] = 7*j for i=0..1, j=0..0"), HasSubstr("because dy/dx counts as 0"));
  EXPECT_THAT(complaint(net + "u[i] := v[i+9] for i=0..2\nu[i] = 7*u[i]"), HasSubstr("because a value counts as 0"));
  EXPECT_THAT(complaint(net + "at(v[i], v[j] := v[j+5]) = 0"), HasSubstr("only because v counts as 0"));
  EXPECT_EQ(verdicts(net + "v[i+5] = v[i+5]*0.5 for i=0..3\nerratum out of range\ncorrected v[i] = v[i]"), "e");
  // What is 0 anyway, or not only outside, is as it was:
  const auto zero = check(net + "v[i+5] - v[i+5] = 0 for i=0..3");
  EXPECT_EQ(verdicts(zero), "v");
  EXPECT_EQ(zero.lines[0].message, "both sides are 0 in every trial");
  EXPECT_EQ(verdicts(net + "sum(i=0..4, v[i+j]) = sum(i=0..4, v[i]*[i >= j]) for j=0..6\nv[i+4] = v[i+4] for i=0..1"),
            "vv");
  EXPECT_EQ(verdicts(net + "v[i+1] = v[i+1] for i=0..3"), "v") << "following the advice";
}

TEST(Check, ExponentsAndProductsMayBeWrittenAsElsewhere) {
  const std::string net = "network x: 3 > s = dense(W: 2 outputs) > y = tanh\ngiven a in 1..2\n";
  EXPECT_EQ(verdicts(net + "dy[i]/dx[j] = (1 - y[i]²)·W[i,j]\ndy[i]/dx[j] = (1 - y[i]**2)⋅W[i,j]\n"
                           "a¹² = a^12\na⁻¹ = 1/a\n-a² = -(a^2)\n(a + 1)³ = a³ + 3*a² + 3*a + 1\na⁺² ÷ a = a\n"
                           "2**a**2 = 2^(a^2)\na⁰ = 1\na =\n  a ·\n  1\na = a\n  · 1\na = a^\n1"),
            "vvvvvvvvvvvv");
  EXPECT_EQ(complaint(net + "a²^3 = a"),
            "3:2 this exponent is not understood; write x^2 for x², (x^2)^3 for a power of a power");
  EXPECT_EQ(complaint(net + "a²⁻ = a"), "3:2 this exponent is not understood; write x^2 for x², x^(-2) for x⁻²");
  EXPECT_EQ(verdicts(net + "(a^2)^3 = a^6\na^(-2) = 1/a^2"), "vv");
  EXPECT_EQ(complaint(net + "aⁿ = a"), "3:2 \"ⁿ\" cannot stand in a formula; write ^n");
  EXPECT_EQ(complaint(net + "√a = a"), "3:1 \"√\" cannot stand in a formula; write sqrt(…)");
  EXPECT_EQ(complaint(net + "‖a = a"), "3:4 \"‖\" to close the one at character 1 expected, not \"=\"");
  EXPECT_EQ(complaint(net + "‖a‖ a = a"), "3:5 an operator is missing between \"||\" and \"a\"; write *");
  EXPECT_EQ(complaint(net + "|a| = a"), "3:1 \"|\" cannot stand in a formula; write abs(…)");
  EXPECT_EQ(complaint(net + "½*a = a"), "3:1 \"½\" cannot stand in a formula; write 1/2");
  EXPECT_EQ(complaint(net + "\\alpha = a"),
            "3:1 \"\\\" cannot stand in a formula; write α or alpha for \\alpha, sum(i, …) for \\sum_i");
}

TEST(Check, IsExactToTenDigits) {
  EXPECT_EQ(verdicts("given a in 1..2\na = a*(1 + 1e-9)"), "F");
  EXPECT_EQ(verdicts("given a in 1..2\na = a*(1 + 1e-13)"), "v");
  EXPECT_EQ(verdicts("given a in 1..2\n(a + 1)^2 = a^2 + 2*a + 1"), "v");
}

TEST(Check, SeedsAndTrialsChooseTheNumbers) {
  const std::string text = "given v: 1000 in 0..1\nsum(v) = 500";
  EXPECT_EQ(complaint(text, {.seed = 1}), complaint(text, {.seed = 1}));
  EXPECT_NE(complaint(text, {.seed = 1}), complaint(text, {.seed = 2}));
  // True in half of the draws:
  int fooled = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    fooled += verdicts(check("given a: 2 in 0..1 whole\na[0] = 0", {.seed = seed, .trials = 1})) == "v" ? 1 : 0;
    EXPECT_EQ(verdicts(check("given a: 2 in 0..1 whole\na[0] = 0", {.seed = seed, .trials = 30})), "F");
  }
  EXPECT_GT(fooled, 5);
  EXPECT_EQ(verdicts(check("1 = 1", {.trials = 0})), "v");
}

TEST(Check, SeesBothSidesOfCorners) {  // of six numbers, all are positive once in 64 draws
  for (std::uint64_t seed = 0; seed < 256; ++seed) {
    const auto judged = [&](const std::string& text) { return verdicts(check(text, {.seed = seed})); };
    ASSERT_EQ(judged("network x: 2 > y = relu\ny = x\ny = relu(x)"), "Fv") << seed;
    ASSERT_EQ(judged("given u in -1..1\nabs(u) = u\nabs(u) = max(u, -u)"), "Fv") << seed;
    ASSERT_EQ(judged("network x: 3 > z = dense(W: 1 outputs) > y = relu\ny[0] = z[0]\ndy[0]/dz[0] = 1"), "FF") << seed;
  }
}

TEST(Check, OneLineAloneCanBeJudged) {
  const std::string text = "given a\na = 1\na = 2\n= 3\na = b\nerratum no\ncorrected a = a";
  for (const int line : {2, 3, 4}) {
    const auto report = check(text, {.only_line = line});
    EXPECT_EQ(report.failed, 1u) << line;
    for (const auto& row : report.lines) EXPECT_EQ(row.verdict == Verdict::failed, row.line == line);
  }
}

TEST(Check, PartsAreDerivationsOfTheirOwn) {
  EXPECT_EQ(verdicts("part one\nnetwork x: 3 > y = tanh\ny = tanh(x)\npart two\nnetwork x: 2 > y = relu\ny = relu(x)\n"
                     "y = tanh(x)"),
            "vvF");
  EXPECT_EQ(complaint("given a\npart two\na*a = a^2").substr(0, 33), "3:1 it is not known from where to");
}

TEST(Check, SamplesAreAnAxis) {
  const std::string net = "samples 4\nnetwork X: 3 > Z = dense(W: 2 outputs, inputs first, bias b) > Y = tanh\n";
  EXPECT_EQ(complaint(net + "Z = X @ W + ones(4) @ b^T\nZ = X @ W + b\n"
                            "Y[n,i] = tanh(sum(j, X[n,j]*W[j,i]) + b[i])\n"
                            "dY[n,i]/dX[m,j] = δ(n,m)*(1 - Y[n,i]^2)*W[j,i]\n"
                            "L := sum(Y .* Y)/2\ndL/dW = X^T @ (Y .* (1 - Y .* Y))\n"
                            "dL/db = sum(Y .* (1 - Y .* Y), axis=0)"),
            "nothing");
}

TEST(Check, RangesMayBeNarrowerThanAnAxis) {
  EXPECT_EQ(verdicts("network x: 4 > o = tanh\no[i] = tanh(x[i]) for i=0..2\no[i] = tanh(x[i])*[i < 3] for i=0..2"),
            "vv");
  EXPECT_EQ(verdicts("network x: 4 > o = tanh\nsum(i=1..2, o[i]) = o[1] + o[2]\nw[i] := o[i] for i=0..1\nw = w"),
            "vdv");
}

// ---- errors

TEST(Check, HasLimits) {
  std::string names;
  for (int k = 0; k < 1001; ++k) names += str("given v", k, "\n");
  EXPECT_EQ(complaint(names), "1001:7 more than 1000 names; begin a new part");
  std::string words = "1";
  for (int k = 0; k < 1500; ++k) words += "+1";
  EXPECT_EQ(complaint("1 = 1; δ := " + words), "1:8 a statement of more than 3000 words; name parts of it with :=");
  std::string layers = "network x: 1";
  for (int k = 0; k < 201; ++k) layers += ">relu";
  EXPECT_THAT(complaint(layers), HasSubstr("more than 200 layers"));
}

TEST(Check, AMistakeSpoilsOneStatementOnly) {
  EXPECT_EQ(verdicts("given a\na = (a\n\na = a"), "Fv");
  EXPECT_EQ(verdicts("given a\na = )(\na = $\na = a"), "FFv");
}

TEST(Check, WhatTheGraphRefusesHasAPlace) {
  EXPECT_EQ(complaint("network x: 3 > x: 3 > y = softmax\ny = y"),
            "1:16 the graph has a value named \"x\" already; names must be different");
}

TEST(Check, AnErrorElsewhereIsSaidToBeThere) {
  EXPECT_EQ(complaint(kDense + "y[i]\n  = y[i] + x[i]"),
            "3:14 the index i runs from 0 to 2 here, but from 0 to 1 at line 2, character 3; use another index, or "
            "give its range");
  EXPECT_EQ(complaint(kDense + "L := at(y[0], x := 2*x)\ndL/dx[0] = 0"),
            "3:1 dL/dx cannot be computed: the derivative of at(…) is not known; derive before values change");
  EXPECT_EQ(complaint("given v: 3\nf(u) := softmax(v)[0]*u\ng(u) := 2*softmax(u)\n"),
            "3:1 in g(…): softmax takes a vector, not a number; write softmax(s)[i], not softmax(s[i])");
  const auto report = check("given a\nu[2] = a\n= a\na[0]\n= a");
  EXPECT_EQ(report.lines[3].line, 5);
  EXPECT_EQ(report.lines[3].column, 0);
  EXPECT_EQ(report.lines[3].message, "a is a number and takes no index (line 4)");
}

// ---- files

std::string read(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// "PLACE: MESSAGE" as expected.txt has it: line 2, character 5: …
std::string placed(const std::string& complaint) {
  int line = 0, column = 0, length = 0;
  if (std::sscanf(complaint.c_str(), "%d:%d %n", &line, &column, &length) != 2) return complaint;
  return str("line ", line, ", character ", column, ": ", complaint.substr(static_cast<std::size_t>(length)));
}

TEST(Check, ReadsNetworksOperationByOperation) {
  const auto report = check_derivation(
      "network x: 2x5x5 > W: 4x1x3x3 > b: 4 > z = add(conv2d(x, W, stride=[2,2], groups=2), reshape(b, "
      "shape=[4,1,1]))\n"
      "  > y = softmax(mean(z, axes=[1,2])) > t: input 4 distribution > L = neg(sum(mul(t, log(y))))\n"
      "z[f,p,q] = sum(i=0..2, j=0..2, W[f,i,j]*x[floor(f/2),2*p+i,2*q+j]) + b[f]\n"
      "dL/dz[f,p,q] = (y[f] - t[f])/4\n"
      "dL/dL = 1\n");
  EXPECT_EQ(report.verified, 3U);
  EXPECT_EQ(report.failed, 0U);
}

TEST(Check, JudgesSomePlacesOfMany) {
  const std::string network = "network x: 40x40 > y = tanh\n";
  const auto of = [&](const char* right) {
    return check_derivation(network + "sum(i, y[i,j]*y[i,k]*y[l,m]) = " + right).lines.at(0).verdict;
  };
  EXPECT_EQ(of("y[l,m]*sum(i, y[i,k]*y[i,j])"), Verdict::verified);
  EXPECT_EQ(of("y[l,m]*sum(i, y[i,k]*y[i,j]) + [l = 39]*[m = 39]*[j = 39]*[k = 39]"), Verdict::failed);
}

TEST(Check, BadFilesGiveAnErrorOrAFailedLine) {
  const std::filesystem::path folder = std::filesystem::path(CHALKGRAD_SOURCE_DIR) / "tests" / "bad";
  std::ifstream expected(folder / "expected.txt");
  int count = 0;
  for (std::string name, message; std::getline(expected, name, '\t') && std::getline(expected, message);) {
    if (!name.starts_with("derivations/")) continue;
    EXPECT_THAT(placed(complaint(read(folder / name))), HasSubstr(message)) << name;
    ++count;
  }
  EXPECT_GT(count, 30);
  const auto files = std::filesystem::directory_iterator(folder / "derivations");
  EXPECT_EQ(std::distance(begin(files), end(files)), count) << "a file has no line in tests/bad/expected.txt";
}

TEST(Check, SeedsOfTheFuzzerAreTrue) {
  for (const auto& entry :
       std::filesystem::directory_iterator(std::filesystem::path(CHALKGRAD_SOURCE_DIR) / "fuzz" / "corpus" / "check"))
    EXPECT_EQ(complaint(read(entry.path())), "nothing") << entry.path();
}

TEST(Check, AnEmptyTextIsAnEmptyReport) {
  for (const std::string text : {"", "\n\n", "# nothing\n", "part one", "given a"})
    EXPECT_TRUE(check(text).lines.empty()) << text;
}

std::string objectives() { return read(std::filesystem::path(CHALKGRAD_SOURCE_DIR) / "tests" / "objectives.chalk"); }

TEST(Objectives, EveryLossAndEveryOptimizerIsKnownByItsName) {
  const auto text = objectives();
  EXPECT_EQ(complaint(text), "nothing");
  EXPECT_EQ(check(text).excepted, 0u);
  for (const auto& loss : all_losses()) EXPECT_THAT(text, HasSubstr(str("loss(t: ", name_of(loss)))) << name_of(loss);
  for (const auto name : Optimizer::names()) EXPECT_THAT(text, HasSubstr(str("optimizer ", name, "("))) << name;
}

TEST(Objectives, AWrongFormulaOfThemIsFalse) {
  const auto text = objectives();
  for (const auto& [right, wrong] : std::initializer_list<std::pair<std::string, std::string>>{
           {"dL/dy[k] = -t[k]/y[k]", "dL/dy[k] = -t[k]/y[k] + 1"},
           {"0.1/3)*ln", "0.1)*ln"},
           {"ln(y[n,k]))/sum(n, k, w[k]*t[n,k])", "ln(y[n,k]))/2"},
           {"(1 - y[k])^3*ln", "(1 - y[k])^2*ln"},
           {"[c = t[i,j]]*ln", "ln"},
           {"(ln(t[k]) - ln(y[k]))", "(-ln(y[k]))"},
           {"(1 - t[k])*missing", "missing"},
           {"/(y[k]*(1 - y[k]))", ""},
           {"-3*t[k]/y[k]", "-t[k]/y[k]"},
           {"sign(t[k])*y[k])", "t[k]*y[k])"},
           {"0.5*(d[k] - 0.25)", "0.5*(d[k] - 0.5)"},
           {"d[k]^2/2/0.5", "d[k]^2/2"},
           {"W + eta*dL/dW", "W - eta*dL/dW"},
           {"u' = 0.9*u + dL/db", "u' = 0.9*u + dL/db + 0.1*b"},
           {"0.1*W\nW' = W - eta*v'", "0.1*W\nW' = W - eta*v"},
           {"x[n,j])/3", "x[n,j])"},
           {"(1 + 0.1*4)", "(1 + 0.1*5)"},
           {"sqrt(d[i,j]", "sqrt(d'[i,j]"},
           {"/(1 - 0.9^3)/", "/(1 - 0.9^2)/"},
           {"0.999)*(g .* g)", "0.999)*g"},
           {" + 0.01*W[i,j])", ")"},
           {"max(0.999*u", "max(u"},
           {"mu2/(1 - mu1*mu2)", "mu2/(1 - mu1)"},
           {"0.9*m[i,j] + 0.1*dL/dW[i,j])", "m'[i,j])"},
           {"2.0315*A @ A", "2.0315*A"}}) {
    auto changed = text;
    const auto at = changed.rfind(right);
    ASSERT_NE(at, std::string::npos) << right;
    changed.replace(at, right.size(), wrong);
    EXPECT_GE(check(changed).failed, 1u) << right << " as " << wrong;
  }
}

TEST(Objectives, ALossHasADerivativeByTheOutputsThatEndTheNetwork) {
  // Though the engine computes it from what goes into the softmax.
  EXPECT_EQ(verdicts("network x: 3 > z = dense(W: 4 outputs) > y = softmax > L = loss(t: cross-entropy)\n"
                     "dL/dz[i] = sum(k, dL/dy[k]*dy[k]/dz[i])\n"
                     "d(dL/dz[i])/dz[j] = y[i]*(delta(i,j) - y[j])"),
            "vv");
  // Without one, the loss takes its own softmax, as in training.
  EXPECT_EQ(verdicts("network x: 3 > z = dense(W: 4 outputs) > L = loss(t: cross-entropy)\n"
                     "L = -sum(k, t[k]*ln(softmax(z)[k]))\ndL/dz = softmax(z) - t"),
            "vv");
}

TEST(CheckAbout, JudgesEquationsAboutAGraphThatIsThere) {
  Graph g;
  const Value x = g.input("in", {3}), w = g.parameter("w", {2, 3});
  const Value y = tanh(dense(x, w));
  const std::map<NodeId, std::string> names{{x.id(), "x"}, {w.id(), "W"}, {y.id(), "y"}};
  const auto report = math::check_about(g, names, 2,
                                        "y[n,i] = tanh(sum(j, W[i,j]*x[n,j]))\n"
                                        "dy[n,i]/dW[k,j] = delta(i,k)*(1 - y[n,i]^2)*x[n,j]\n"
                                        "dy[n,i]/dx[m,j] = delta(n,m)*(1 - y[n,i])*W[i,j]\n",
                                        "a graph");
  EXPECT_EQ(report.verified, 2U);
  EXPECT_EQ(report.failed, 1U) << "the square is missing in the last line";
  EXPECT_EQ(report.lines[2].verdict, Verdict::failed);
}

TEST(CheckAbout, DrawsWhatHasNoNameAndKeepsToRanges) {
  Graph g;
  const Value x = g.input("x", {2}), hidden = g.input("hidden", {2}), noise = g.noise("noise", {2});
  const Value y = log(x) + hidden * g.constant(0), z = greater(g.constant(0), noise);
  const auto report = math::check_about(g, {{x.id(), "x"}, {y.id(), "y"}, {z.id(), "z"}}, 1,
                                        "x in 0.5..2\ny[i] = ln(x[i])\nz[i] = 0", "a graph");
  EXPECT_EQ(report.verified, 2U);
}

}  // namespace
}  // namespace chalk::math
