// Derivatives at kinks: limits from both sides where they agree, conventions where they do not, and verdicts that say
// which of the two it was.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "src/base/text.h"
#include "src/math/test_support.h"

namespace chalk::math {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Kinks, IdentitiesHoldAtTheirCornersAndSoDoTheirDerivatives) {
  std::ifstream in(std::filesystem::path(CHALKGRAD_SOURCE_DIR) / "tests" / "kinks.chalk", std::ios::binary);
  const auto report = check(std::string{std::istreambuf_iterator<char>(in), {}});
  int identities = 0;
  CheckReport others;
  for (const auto& line : report.lines) {
    if (line.part == "identities") {
      EXPECT_EQ(line.verdict, Verdict::verified) << line.text << ": " << line.message;
      identities += line.text.starts_with("d(") ? 0 : 1;
    } else {
      others.lines.push_back(line);
    }
  }
  EXPECT_GE(identities, 40);
  EXPECT_EQ(verdicts(others), "dxxxxvxxeee");
}

constexpr const char* kFunctions =
    "h(t) := max(t, 0) + min(t, 0)\n"
    "e(t) := relu(t) + min(0, exp(t) - 1)\n"
    "m(t) := max(t, 0)\n"
    "n(t) := max(0, t)\n"
    "q(t) := relu(t)^2\n"
    "given u, v in -1..1\n";

/// What is said of the last line.
CheckedLine last(const std::string& text) { return check(kFunctions + text).lines.back(); }
std::string verdict(const std::string& text) { return verdicts(kFunctions + text).substr(5); }

TEST(Kinks, ADerivativeIsItsLimitsWhereTheyAgree) {
  EXPECT_EQ(verdict("h'(0) = 1"), "v") << "each half of a tie, twice";
  EXPECT_EQ(verdict("h'(0) = 2"), "F");
  EXPECT_EQ(verdict("e'(0) = 1"), "v") << "relu'(0) = 0 and half of min's tie would make 1/2";
  EXPECT_EQ(verdict("e'(0) = 0\ne'(0) = 1/2"), "FF");
  EXPECT_EQ(verdict("h'(u) = 1\ne'(u) = [u > 0] + [u <= 0]*exp(u)"), "vv");
  EXPECT_EQ(verdict("d(h(u*v))/du = v\nd(max(u, v) + min(u, v))/dv = 1\nd(max(u, u))/du = 1"), "vvv");
}

TEST(Kinks, ConventionsHoldWhereTheyDoNot) {
  EXPECT_EQ(verdict("relu'(0) = 0\nabs'(0) = 0\nm'(0) = 1/2\nn'(0) = 1/2"), "vvvv");
  EXPECT_EQ(verdict("d(max(u, -u))/du = sign(u)\nd(max(u, v))/du = [u > v] + [u = v]/2"), "vv");
  EXPECT_EQ(verdict("relu'(u) = [u > 0]\nrelu'(u) = step(u)\nabs'(u) = sign(u)"), "vvv");
  EXPECT_EQ(verdict("d(max(i=0..1, [i = 0]*u + [i = 1]*v))/du = [u >= v]"), "v") << "over an axis the first";
}

TEST(Kinks, AStatedValueBetweenTheSlopesIsAnException) {
  const auto line = last("relu'(u) = [u >= 0]");
  EXPECT_EQ(line.verdict, Verdict::except);
  EXPECT_EQ(
      line.message,
      "true, except where u=0: the left side has slope 0 on the left and 1 on the right, by convention 0; the right "
      "side is 1; that is between the slopes");
  EXPECT_EQ(verdict("m'(0) = 0\nm'(0) = 1\nm'(0) = 0.7\nabs'(u) = [u >= 0] - [u < 0]\nd(max(u, v))/du = [u >= v]"),
            "xxxxx");
  EXPECT_EQ(verdict("[u >= 0] = relu'(u)\nrelu'(u) = m'(u)\nrelu'(u)*v = [u >= 0]*v"), "xvx");
  const auto report = check(kFunctions + std::string("relu'(u)\n = [u >= 0]\n = step(u)\n"));
  EXPECT_EQ(report.excepted, 1U);
  EXPECT_EQ(report.failed, 0U);
}

TEST(Kinks, AValueOutsideOfTheSlopesIsFalse) {
  const auto line = last("relu'(u) = [u > 0] + 3*[u = 0]");
  EXPECT_EQ(line.verdict, Verdict::failed);
  EXPECT_THAT(line.message, HasSubstr("where u=0: the left side has slope 0 on the left and 1 on the right, by "
                                      "convention 0; the right side is 3; that is not between the slopes"));
  EXPECT_EQ(verdict("m'(0) = 1.1\nm'(0) = -0.1\nabs'(u) = [u > 0] - [u < 0] + 2*[u = 0]"), "FFF");
  // A function that is smooth there has one slope, so nothing lies between.
  const auto smooth = last("e'(u) = [u > 0] + [u < 0]*exp(u)");
  EXPECT_EQ(smooth.verdict, Verdict::failed);
  EXPECT_EQ(smooth.message, "left is 1, right is 0 where u=0");
}

TEST(Kinks, SecondDerivativesBehaveAlike) {
  EXPECT_EQ(verdict("h''(0) = 0\nh''(u) = 0\nq''(u) = 2*[u > 0]\nq''(u) = 2*[u >= 0]\nq''(u) = 2*[u > 0] - [u = 0]"),
            "vvvxF");
  EXPECT_EQ(verdict("c(t) := abs(t)^3\nc''(u) = 6*abs(u)\ns(t) := abs(t*t)\ns''(0) = 2\ns''(u) = 2"), "dvdvv");
  EXPECT_EQ(verdict("d(d(relu(u)^2)/du)/du = 2*[u > 0]\nd(d(relu(u)^2)/du)/du = 2*[u >= 0]"), "vx");
  EXPECT_EQ(verdict("e''(u) = [u <= 0]*exp(u)"), "x") << "a kink of the slope: 1 on the left, 0 on the right";
}

TEST(Kinks, ChainsThroughKinksBehaveAlike) {
  EXPECT_EQ(verdict("k(t) := relu(h(t))\nk'(u) = relu'(u)\nk'(u) = [u >= 0]\nh'(h(u)) = 1\nd(h(relu(u)))/du = step(u)"),
            "dvxvv");
  EXPECT_EQ(verdict("given w: 4\nL := sum(i, h(w[i])^2)\ndL/dw[i] = 2*w[i]\nM := sum(i, h(w[i]))\ndM/dw[i] = 1\n"
                    "N := relu(M)\ndN/dM = [M >= 0]\ndN/dw[i] = step(M)"),
            "dvdvdxv");
  EXPECT_EQ(verdict("g := relu'(u - u)\ng = 0\ng = 1"), "dvx") << "in a definition";
}

TEST(Kinks, AreVisitedOnPurpose) {
  EXPECT_EQ(last("relu'(3*u - 1) = [3*u >= 1]").verdict, Verdict::except) << "at 1/3";
  EXPECT_EQ(last("relu'(u - v) = [u >= v]").verdict, Verdict::except);
  EXPECT_EQ(last("given w: 3\nrelu'(w[i] - 0.25) = [w[i] >= 0.25]").verdict, Verdict::except);
  EXPECT_EQ(last("given w in 0.5..1\nrelu'(w) = [w >= 0]").verdict, Verdict::verified) << "0 is not in its range";
  EXPECT_EQ(last("given w in -5..5\nd(min(relu(w), 6))/dw = [w > 0]*[w < 6]").verdict, Verdict::verified);
  EXPECT_EQ(last("given w in -9..9\nd(min(relu(w), 6))/dw = [w > 0]*[w <= 6]").verdict, Verdict::except);
  EXPECT_EQ(last("step(u) + step(-u) = 1").verdict, Verdict::failed) << "false at 0 alone";
}

TEST(Kinks, OfNormsAreJudgedByTheirSlopes) {
  EXPECT_EQ(verdict("given w: 3\ndelta(i,j)*d(‖w‖)/dw[i] = delta(i,j)*w[i]/‖w‖\n‖w‖^2 = sum(i, w[i]^2)\n‖w‖ = ||w||\n"
                    "‖2*w + ‖w‖*w‖ = (2 + ‖w‖)*‖w‖"),
            "vvvv");
  EXPECT_EQ(verdict("given w: 3\np := ‖w‖\nat(dp/dw[0], w[i] := 0) = 0\nat(dp/dw[0], w[i] := 0*i) = 1"), "dvF");
  EXPECT_EQ(verdict("d(‖u‖)/du = sign(u)\nd(‖u‖)/du = [u >= 0] - [u < 0]\nd(‖u‖)/du = [u > 0] - [u < 0] + 2*[u = 0]\n"
                    "d(‖u‖*abs(u))/du = 2*u"),
            "vxFv");
  EXPECT_EQ(last("given W: 2x3\n‖W‖ = sqrt(sum(i, j, W[i,j]^2))").verdict, Verdict::verified);
  EXPECT_THAT(check("given w: 3\nd(‖w‖)/dw[i] = w[i]/‖w‖").conventions, ElementsAre("‖v‖ where v = 0: 0"));
}

TEST(Kinks, ConventionsAreThoseThatDerivativesUse) {
  const auto used = [](const std::string& text) { return check(kFunctions + text).conventions; };
  EXPECT_THAT(used("relu(u) = m(u)"), IsEmpty()) << "nothing is derived";
  EXPECT_THAT(used("relu'(u) = step(u)"), ElementsAre("relu'(0) = 0"));
  EXPECT_THAT(used("e'(u) = 1"), ElementsAre("relu'(0) = 0", "ties of max(a, b), min(a, b): ½, ½"));
  EXPECT_THAT(used("abs'(u) = sign(u)"), ElementsAre("abs'(0) = 0"));
  EXPECT_THAT(used("given w: 3\nd(max(i, w[i]))/dw[j] = 1"), ElementsAre("max(i, …), min(i, …): the first of equals"));
  EXPECT_THAT(used("network x: 4x4 > relu > maxpool 2 > y = tanh\ndy[i,j]/dx[k,l] = 0"),
              ElementsAre("max-pooling: the first of equals", "relu'(0) = 0"));
  EXPECT_THAT(used("network x: 4 > z = relu > y = tanh\ndy[i]/dz[j] = delta(i,j)*(1 - y[i]^2)"),
              ElementsAre("relu'(0) = 0"));
}

}  // namespace
}  // namespace chalk::math
