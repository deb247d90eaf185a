// Whole derivations: verdicts, what is said about them, and every error with its place.
#include "chalkgrad/check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "chalkgrad/ops.h"
#include "src/base/text.h"
#include "src/layers/registry.h"
#include "src/math/check_about.h"
#include "src/math/test_support.h"

namespace chalk::math {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
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
  // True in half of the cases:
  int fooled = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    fooled += verdicts(check("given a\nabs(a) = a", {.seed = seed, .trials = 1})) == "v" ? 1 : 0;
    EXPECT_EQ(verdicts(check("given a\nabs(a) = a", {.seed = seed, .trials = 30})), "F");
  }
  EXPECT_GT(fooled, 5);
  EXPECT_EQ(verdicts(check("1 = 1", {.trials = 0})), "v");
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

struct Mistake {
  const char* text;
  const char* complaint;
};

class Mistakes : public testing::TestWithParam<Mistake> {};

const auto kLastLine = [](const auto& each) {
  const std::string_view text = each.param.text;
  return spoken(text.substr(text.rfind('\n') + 1), each.index);
};

TEST_P(Mistakes, AreNamedWithTheirPlace) {
  EXPECT_EQ(complaint(GetParam().text), GetParam().complaint) << GetParam().text;
}

TEST(UnknownLayers, AreAnsweredWithThoseThatThereAre) {
  EXPECT_THAT(
      complaint("network δx: 3 > y = lstm"),
      MatchesRegex("1:21 \"lstm\" is not a layer; there are conv, dense, maxpool, avgpool, gap, batch_norm, bias, "
                   "residual, dropout, softmax, relu, .*tanh, linear, and families of functions"));
  EXPECT_EQ(complaint("functions f = exp, ln\nnetwork x: 2 > y = f"),
            "2:20 exp is not an activation; use " + activation_names("or"));
}

#define NET "network x: 3 > z = dense(W: 2 outputs, bias b) > y = sigmoid\n"

INSTANTIATE_TEST_SUITE_P(
    InOperations, Mistakes,
    testing::Values(
        Mistake{"network x: 3 > y = add(x, z)", "1:27 \"z\" is not a value of the network yet; did you mean \"x\"?"},
        Mistake{"network x: 3 > y = add(x)", "1:20 add takes 2 values, not 1"},
        Mistake{"network x: 3 > y = neg(tang(x))", "1:24 \"tang\" is not an operation; did you mean \"tanh\"?"},
        Mistake{"network x: 3 > y = neg(frobnicate(x))",
                "1:24 \"frobnicate\" is not an operation; docs/reference/operations lists them"},
        Mistake{"network x: 3 > y = sum(x, axis=0)", "1:27 sum has no \"axis\"; it has axes, keep"},
        Mistake{"network x: 3 > y = neg(x, keep=true)", "1:27 neg has no \"keep\""},
        Mistake{"network x: 3 > y = sum(x, keep=1)", "1:32 true or false expected"},
        Mistake{"network x: 3 > y = sum(x, axes=0)", "1:32 \"[\" and a list of numbers expected, not \"0\""},
        Mistake{"network x: 3 > y = sum(x, axes=[0)", "1:34 \",\" or \"]\" expected, not \")\""},
        Mistake{"network x: 3 > y = neg()", "1:24 a value, a number or an operation expected"},
        Mistake{"network x: 3 > y = neg(x", "1:25 \",\" or \")\" expected, not the end"},
        Mistake{"network x: 3 > W: > y = neg(x)", "1:19 a shape, input, noise or shared expected, as in W: 3x4"},
        Mistake{"network x: 3 > y = add(x, slice(x, start=[1], stop=[3]))",
                "1:20 layer1: 3 and 2 do not fit together (3 against 2); make the extents equal, or 1 to broadcast "
                "(from x)"},
        Mistake{"network x: 3 > z = dense(W: 2 outputs, inputs first) > y = dense(x, W)",
                "1:69 W has its inputs first; declare it as a parameter of its own"}));

INSTANTIATE_TEST_SUITE_P(
    InNetworks, Mistakes,
    testing::Values(
        Mistake{"network", "1:8 the name of the input expected, not the end"},
        Mistake{"network x", "1:10 \":\" and the shape of the input, as in x: 1x8x8, expected, not the end"},
        Mistake{"network x: y", "1:12 a shape such as 1x8x8 expected, a whole number, not \"y\""},
        Mistake{"network x: 0 > y = tanh", "1:12 extents are from 1 to 4096, not 0"},
        Mistake{"network x: 5000 > y = tanh", "1:12 extents are from 1 to 4096, not 5000"},
        Mistake{"network x: 4096x4096 > y = tanh", "1:12 this shape is too large to check formulas on"},
        Mistake{"network x: 3", "1:13 a layer expected after the input: > z = dense(W: 3 outputs, bias b)"},
        Mistake{"network x: 3 y = tanh", "1:14 \">\" and the next layer expected, not \"y\""},
        Mistake{"network x: 3\n > y = tanj", "2:8 \"tanj\" is not a layer; did you mean \"tanh\"?"},
        Mistake{"network x: 3 > y = dense", "1:25 \"(\" and the name of the weights expected, not the end"},
        Mistake{"network x: 3 > y = dense(W)",
                "1:27 \":\" and what these are, as in W: 3 outputs or W: 2 filters 3x3, expected, not \")\""},
        Mistake{"network x: 3 > y = dense(W: 3)", "1:30 \"outputs\" expected, as in W: 3 outputs"},
        Mistake{"network x: 3 > y = dense(W: 0 outputs)", "1:29 numbers here are from 1 to 4096, not 0"},
        Mistake{"network x: 3 > y = dense(W: 3 outputs, flipped)",
                "1:40 \"inputs first\", bias b or subtracted bias b expected"},
        Mistake{"network x: 3 > y = dense(W: 3 outputs", "1:38 \",\" or \")\" expected, not the end"},
        Mistake{"network x: 3 > y = dense(W: 3 outputs, bias b, bias c)", "1:48 a second bias; a layer has one"},
        Mistake{"network x: 3x3 > y = conv(W: 2, 3x3)", "1:31 \"filters\" expected, as in W: 4 filters 3x3"},
        Mistake{"network x: 3x3 > y = conv(W: 2 filters 1x3x3)", "1:40 a kernel is written 3x3"},
        Mistake{"network x: 3x3 > y = conv(W: 2 filters 2x2, same)",
                "1:45 \"same\" needs a kernel of odd size; use padding N"},
        Mistake{"network x: 3x3 > y = conv(W: 2 filters 2x2, bias)", "1:49 the name of the bias expected, not \")\""},
        Mistake{
            "network x: 3x3 > y = conv(W: 2 filters 2x2, valid)",
            "1:45 flipped, full, same, padding 1, stride 2, dilation 2, groups 2, bias b or untied bias b expected"},
        Mistake{"network x: 3x3 > y = maxpool(2, ceil 1)",
                "1:33 \"stride\" or \"padding\" expected, as in maxpool(3, stride 2)"},
        Mistake{"network x: 3 > y = batch_norm(scale g)",
                "1:30 batch_norm needs several samples; write samples 4 above the network"},
        Mistake{"samples 2\nnetwork x: 3 > y = batch_norm(g)", "2:31 scale g, shift b or epsilon 0.001 expected"},
        Mistake{"network x: 3 > y = residual q", "1:29 \"q\" is not a value of this network; did you mean \"x\"?"},
        Mistake{"network x: 3 > y = dropout(m: 0.5)", "1:31 the rate expected, as in dropout(m: rate 0.5)"},
        Mistake{"network x: 3 > y = dropout(m: rate 1)", "1:36 a rate is at least 0 and below 1"},
        Mistake{"network x: 3 > x = tanh", "1:16 \"x\" has a meaning already; use another name"},
        Mistake{"network sum: 3 > y = tanh", "1:9 \"sum\" is a word of the language; use another name"},
        Mistake{"network x: 3 > y = tanh; network u: 3 > v = tanh",
                "1:26 a second network; begin it with a line \"part NAME\""},
        Mistake{
            "network x: 4096 > y = dense(W: 4096 outputs) > z = dense(V: 4096 outputs) > w = dense(U: 4096 outputs) > "
            "v = dense(T: 4096 outputs) > u = tanh > r = dense(R: 4096 outputs)",
            "1:116 this layer is too large to check formulas on; use smaller shapes"}),
    kLastLine);

INSTANTIATE_TEST_SUITE_P(
    InDeclarations, Mistakes,
    testing::Values(
        Mistake{"samples", "1:8 the number of samples expected, a whole number, not the end"},
        Mistake{"samples 1", "1:9 from 2 to 256 samples; without this line there is one"},
        Mistake{"samples 2.5", "1:9 the number of samples expected, a whole number, not \"2.5\""},
        Mistake{NET "samples 2", "2:9 the number of samples must be said first, before the network"},
        Mistake{"given 3", "1:7 a name expected after given"},
        Mistake{"given a, a", "1:10 \"a\" has a meaning already; use another name"},
        Mistake{"given exp", "1:7 \"exp\" is a word of the language; use another name"},
        Mistake{"given part", "1:7 \"part\" is a word of the language; use another name"},
        Mistake{"given a in 1..0", "1:9 the range is empty; write in 0..1"},
        Mistake{"given a in 1", "1:13 \"..\" expected, not the end"},
        Mistake{"given a in b..c", "1:12 a number expected, not \"b\""},
        Mistake{"given v: 3 small", "1:12 only a number can be small, not a vector"},
        Mistake{"given t distribution", "1:9 this needs a shape: given t: 4 distribution"},
        Mistake{"given t one-hot", "1:9 this needs a shape: given t: 4 one-hot"},
        Mistake{"given a 3", "1:9 \"3\" was not expected here; a statement ends with its line, or with ;"},
        Mistake{"given v: 3x", "1:11 \"x\" was not expected here; a statement ends with its line, or with ;"},
        Mistake{"given v: 3x4xx2", "1:11 a shape is written 1x8x8"},
        Mistake{NET "W1 in 0..1", "2:1 \"W1\" is not a value that is known here; did you mean \"W\"?"},
        Mistake{NET "W, y in 0..1",
                "2:4 y follows from other values; only inputs, parameters and given values can be chosen"},
        Mistake{"functions f sigmoid", "1:13 \"=\" expected, not \"sigmoid\""},
        Mistake{
            "functions f = sigmoid, gauss",
            "1:24 \"gauss\" is not a function; there are exp, ln, sqrt, tanh, sigmoid, relu, step, linear, abs, sign, "
            "floor, sin, cos, erf"},
        Mistake{"3 := 4", "1:1 a name expected before :="},
        Mistake{"given a; a := 4", "1:10 \"a\" has a meaning already; use another name"},
        Mistake{"max := 4", "1:1 \"max\" has a meaning already; use another name"},
        Mistake{"f(x, y) := x", "1:4 \")\"; a function has one parameter expected, not \",\""},
        Mistake{"f(x) = 3 := x", "1:6 \":=\" expected, not \"=\""},
        Mistake{"given v: 3\nf(x) := x*v[i]", "2:1 a function's value must be one number, with no index left open"},
        Mistake{"given v: 3\nf(x) := x*v", "2:1 the value of f(…) must be one number, not a vector of 3"},
        Mistake{"f(x) := f(x - 1)",
                "1:9 \"f\" is not a function; there are exp, ln, sqrt, tanh, sigmoid, relu, step, linear, "
                "abs, sign, floor, sin, cos, erf, softmax, and those defined with :="},
        Mistake{"given v: 3\nu[i,i] := v[i]", "2:5 \"i\" stands here twice"},
        Mistake{"given v: 3\nu[j] := v[i]",
                "2:3 it is not known from where to where \"j\" runs, as no value has it as its "
                "index; write sum(j=0..3, …), or \"for j=0..3\" after the equation"},
        Mistake{"given v: 3\nu := v[i]", "2:8 the index i does not stand on the left side of :="},
        Mistake{"given v: 3\nu[i] := v",
                "2:1 the right side is a vector or matrix; give its indices, or leave out those on "
                "the left"},
        Mistake{"given v: 3\nu[i] := v[i] for i=1..2", "2:3 an index on the left side of := must begin at 0"},
        Mistake{"u[i,j] := i*j for i=0..4095, j=0..4095", "1:1 this value has too many elements; use smaller shapes"},
        Mistake{"u[i] := i for i=0..4096", "1:15 a range is written i=0..3 and has at most 4096 values"},
        Mistake{"u[i] := i for i=3..0", "1:15 a range is written i=0..3 and has at most 4096 values"},
        Mistake{"u[i] := i for i", "1:16 \"=\" and the range of the index expected, not the end"},
        Mistake{"\"words\" 3", "1:9 \"3\" was not expected here; a statement ends with its line, or with ;"},
        Mistake{"erratum no", "1:1 an erratum follows the equation that is wrong"},
        Mistake{"given a; f := a\nerratum no", "2:1 an erratum follows the equation that is wrong"},
        Mistake{"1 = 2\nerratum", "2:1 say what is wrong: erratum the sign is lost"},
        Mistake{"corrected 1 = 1", "1:1 a correction follows a line \"erratum …\""},
        Mistake{"1 = 1\ncorrected 1 = 1", "2:1 a correction follows a line \"erratum …\""}),
    kLastLine);

INSTANTIATE_TEST_SUITE_P(
    InEquations, Mistakes,
    testing::Values(
        Mistake{NET "δ = 3", "2:1 \"delta\" is a function; give it an argument: delta(…)"},
        Mistake{NET "y[i] = αβ + z[j", "2:16 \",\" or \"]\" after an index expected, not the end"},
        Mistake{NET "y[i] =\n  αβ*ζ[i]", "3:6 \"zeta\" is not a value that is known here; declare it above"},
        Mistake{NET "y[i] = z[i] z", "2:13 an operator is missing between \"z\" and \"z\"; write *"},
        Mistake{NET "(y[i] = z[i]", "2:7 \")\" to close the one at character 1 expected, not \"=\""},
        Mistake{NET "y[i,j] = 0", "2:1 y is 2 and takes 1 index, not 2"},
        Mistake{NET "W[n] = 0", "2:1 W is 2×3 and takes 2 indices, not 1; its row is W[n,:]"},
        Mistake{NET "W[0] = 0", "2:1 W is 2×3 and takes 2 indices, not 1"},
        Mistake{"given a\na[0] = 0", "2:1 a is a number and takes no index"},
        Mistake{NET "W[i,i] = 0",
                "2:5 the index i runs from 0 to 2 here, but from 0 to 1 at character 3; use another index, or "
                "give its range"},
        Mistake{NET "sum(i, 3) = 3",
                "2:5 it is not known from where to where \"i\" runs, as no value has it as its index; "
                "write sum(i=0..3, …), or \"for i=0..3\" after the equation"},
        Mistake{NET "y[i] = 2*weigth",
                "2:10 it is not known from where to where \"weigth\" runs, as no value has it as its "
                "index; write sum(weigth=0..3, …), or \"for weigth=0..3\" after the equation"},
        Mistake{NET "y*z = 0",
                "2:2 \"*\" of a vector of 2 and a vector of 2 could mean two things; write @ for the matrix "
                "product, .* for element by element"},
        Mistake{NET "y/z = 1", "2:2 \"/\" of a vector of 2 and a vector of 2; write ./ for element by element"},
        Mistake{NET "x + y = 0", "2:3 the shapes differ: a vector of 3 and a vector of 2"},
        Mistake{NET "x = y", "2:5 the shapes differ: a vector of 3 and a vector of 2"},
        Mistake{NET "W = 0", "2:5 the shapes differ: 2×3 and a number; write the indices, as in v[i] = 0"},
        Mistake{NET "x @ W = x", "2:3 a vector of 3 @ 2×3: the inner extents 3 and 2 differ; is a ^T missing?"},
        Mistake{NET "2^x = 1", "2:3 an exponent must be a number, not a vector of 3; give its indices"},
        Mistake{NET "diag(W) = 1", "2:1 diag takes a vector, not 2×3"},
        Mistake{NET "sum(W, axis=2) = 1", "2:1 axis 2 is not there; this is 2×3"},
        Mistake{NET "sum(W, axis=-3) = 1", "2:1 axis -3 is not there; this is 2×3"},
        Mistake{NET "softmax(x[i]) = 1",
                "2:1 softmax takes a vector, not a number; write softmax(s)[i], not softmax(s[i])"},
        Mistake{NET "softmax'(x) = 1", "2:1 softmax has no single derivative; write d(softmax(s)[i])/ds[j]"},
        Mistake{NET "(x + x)[i+1] = 1",
                "2:10 a plain index is needed here; name the expression with := to take it apart further"},
        Mistake{NET "(x + x)[3] = 1",
                "2:9 there is no (x + x)[3], only (x + x)[0] to (x + x)[2]; indices are whole and count from 0"},
        Mistake{NET "(x + x)[-1] = 1",
                "2:9 there is no (x + x)[-1], only (x + x)[0] to (x + x)[2]; indices are whole and count from 0"},
        Mistake{NET "(x + x)[i,j] = 1", "2:4 this is a vector of 3 and takes 1 index, not 2"},
        Mistake{NET "(x @ x^T)[:,0] = x",
                "2:11 a whole axis (:) stands among the indices of a value only; name this with := first"},
        Mistake{NET "sum(ones(0)) = 1", "2:10 ones(…) takes the number of ones, a whole number"},
        Mistake{NET "sum(ones(2.5)) = 1", "2:10 ones(…) takes the number of ones, a whole number"},
        Mistake{NET "tanh = 1", "2:1 \"tanh\" is a function; give it an argument: tanh(…)"},
        Mistake{NET "at(z, y := 2) = z",
                "2:7 \"y\" follows from other values and cannot be changed itself; change an input, a "
                "parameter or a given value"},
        Mistake{NET "at(z, x[0] := 2) = z", "2:9 a plain index expected: at(L, w[i,j] := …)"},
        Mistake{NET "at(z, x[:] := x) = z", "2:9 a plain index expected: at(L, w[i,j] := …)"},
        Mistake{NET "d(d(dy[0]/dx[0])/dx[1])/dx[2] = 0",
                "2:5 third derivatives of values are not known; derive a formula instead"},
        Mistake{NET "d(at(y[0], x := 2*x))/dx[1] = 0",
                "2:3 the derivative of at(…) is not known; derive before values change"},
        Mistake{NET "d(max(i, i*x[0]))/dx[0] = 1", "2:7 to derive this, the range of i must stand here: i=0..3"},
        Mistake{"functions f = sin, cos\ngiven v: 3\nf(v) = v",
                "3:1 f has 2 functions and takes a vector of as many, not a "
                "vector of 3; write f[j](…) for one of them"},
        Mistake{"given T, a\na^T = 1",
                "2:2 ^T is the transpose, which a number has no need of; write ^(T) for a power"},
        Mistake{"given A: 2x2x2\nA^T = A", "2:2 ^T takes a vector or a matrix, not 2×2×2"},
        Mistake{"1 = 1 for", "1:10 an index expected, not the end"},
        Mistake{"1 == 1 = ", "1:9 a value, number or \"(\" expected, not the end"},
        Mistake{"1 < 2", "1:3 \"<\" was not expected here; a statement ends with its line, or with ;"},
        Mistake{"x' = 3",
                "1:1 \"x'\" is neither a value nor a function's derivative; write x'(…), or define it with :="}),
    kLastLine);

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
  EXPECT_EQ(complaint(NET "y[i]\n  = y[i] + x[i]"),
            "3:14 the index i runs from 0 to 2 here, but from 0 to 1 at line 2, character 3; use another index, or "
            "give its range");
  EXPECT_EQ(complaint(NET "L := at(y[0], x := 2*x)\ndL/dx[0] = 0"),
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
