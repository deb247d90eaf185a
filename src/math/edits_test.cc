// The edit that is offered for a false equation.
#include <gmock/gmock.h>

#include "src/math/test_support.h"

namespace chalk::math {
namespace {

struct Slip {
  std::string equation, offer;
};
void PrintTo(const Slip& slip, std::ostream* out) { *out << slip.equation; }

class OfferedEdit : public testing::TestWithParam<Slip> {};

TEST_P(OfferedEdit, IsTheSlipUndone) {
  const auto report = check(
      "network x: 3 > z = dense(W: 4 outputs, bias b) > a = tanh > s = dense(V: 2 outputs) > y = softmax\n"
      "given t: 2 distribution\n"
      "f(u) := tanh(u)\n"
      "S := -sum(h, t[h]*ln(y[h]))\n" +
          GetParam().equation,
      {.offer = true});
  EXPECT_EQ(report.lines.back().verdict, Verdict::failed);
  EXPECT_EQ(report.lines.back().offer, GetParam().offer);
  EXPECT_TRUE(report.lines.back().message.ends_with("sign") ||
              report.lines.back().message.ends_with(report.lines.back().offer))
      << report.lines.back().message;
}

INSTANTIATE_TEST_SUITE_P(
    Math, OfferedEdit,
    testing::Values(Slip{"dS/ds[i] = t[i] - y[i]", "true with the opposite sign"},
                    Slip{"dS/ds[i] = y[i] + t[i]", "true with - in place of + before t[i]"},
                    Slip{"dS/ds[i] = -y[i] - t[i]", "true without the - before y[i]"},
                    Slip{"dy[h]/ds[i] = y[h]*(delta(i,h) - y[h])", "true with y[i] in place of y[h]"},
                    Slip{"s[i] = sum(j, V[j,i]*a[j])", "true with V[i,j] in place of V[j,i]"},
                    Slip{"s[i] = V[i,j]*a[j]", "true with a sum over j around V[i,j]*a[j]"},
                    Slip{"dS/ds[i] = sum(i, y[i] - t[i])", "true without the sum over i in sum(i, y[i] - t[i])"},
                    Slip{"da[j]/dz[j] = f(z[j])", "true with f'(z[j]) in place of f(z[j])"},
                    Slip{"s = V^T @ a", "true with V in place of V^T"},
                    Slip{"dS/dV[i,j] = y[i] - t[i]", "true with the factor a[j] behind y[i] - t[i]"},
                    Slip{"dS/dV[i,j] = (y[i] - t[i])*a[j]*y[i]", "true without the factor y[i]"},
                    Slip{"dS/ds[i] = 2*y[i] - t[i]", "true without the factor 2"},
                    Slip{"da[j]/dz[j] = 1 - a[j]", "true with a[j]^2 in place of a[j]"},
                    Slip{"da[j]/dz[j] = 1 - z[j]^2", "true with a[j] in place of z[j]"},
                    Slip{"dS/ds[i] = (y[i] - t[i])/2", "true without the division by 2"},
                    Slip{"dS/ds[i] = y[i]*x[0] - t[i]*y[0]", ""}),
    [](const auto& each) { return spoken(each.param.equation, each.index); });

TEST(OfferedEdit, OfASingleDrawHoldsAtCornersToo) {
  EXPECT_EQ(check("given a\nabs(a + 1/2) = a + 1/2", {.seed = 1, .trials = 1, .offer = true}).lines[0].offer, "");
}

TEST(OfferedEdit, MayBeOnTheLeftOrInALaterMember) {
  const std::string network = "network x: 3 > s = dense(V: 3 outputs) > y = tanh\n";
  EXPECT_EQ(check(network + "ds[i]/dV[j,i] = x[j]", {.offer = true}).lines[0].offer,
            "true with V[i,j] in place of V[j,i]");
  EXPECT_EQ(check(network + "y[i] = tanh(s[i]) = tanh'(s[i])", {.offer = true}).lines[0].offer,
            "true with tanh(s[i]) in place of tanh'(s[i])");
  EXPECT_EQ(check(network + "y[i]\n= tanh(x[i])", {.offer = true}).lines[1].offer, "true with s[i] in place of x[i]");
}

TEST(OfferedEdit, IsFoundOfEquationsThatAreJudgedAtSomePlaces) {
  const auto report = check(
      "network x: 3x24x24 > z = conv(W: 8 filters 3x3, same)\n"
      "d(sum(g, i, j, W[f,g,i,j]*x[g,p + i - 1,q + j - 1]))/dx[c,u,v] = W[f,c,u - p - 1,v - q + 1] for p=0..23, "
      "q=0..23",
      {.offer = true});
  EXPECT_THAT(report.lines[0].message, testing::HasSubstr("they differ at "));
  EXPECT_EQ(report.lines[0].offer, "true with + in place of - before 1");
}

TEST(OfferedEdit, IsLookedForOnlyIfItIsAskedFor) {
  const auto report = check("given a, b\na + b = a - b");
  EXPECT_EQ(report.lines[0].offer, "");
  EXPECT_EQ(check("given a, b\na + b = a - b", {.offer = true}).lines[0].offer, "true with + in place of - before b");
}

TEST(OfferedEdit, IsNoReasonToNameAConvention) {
  EXPECT_TRUE(check("given a, b\nrelu(a) = b + 1", {.offer = true}).conventions.empty());
}

}  // namespace
}  // namespace chalk::math
