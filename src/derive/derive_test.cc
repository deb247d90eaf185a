// Derivations of many networks: all that is derived is true, and the language of chalkgrad check says the same.
#include "chalkgrad/derive.h"

#include <gtest/gtest.h>

#include "chalkgrad/check.h"
#include "chalkgrad/error.h"
#include "src/base/random.h"
#include "src/base/text.h"
#include "src/derive/deriver.h"

namespace chalk {
namespace {

/// Derives, and has chalkgrad check judge what was written.
Derivation checked(const std::string& net, const Shape& input, const Loss& loss, int trials = 1) {
  const auto derivation = derive(network(net, input), loss);
  const auto report = check_derivation(to_check(derivation), net, {.trials = trials});
  EXPECT_EQ(report.failed, 0U) << net << " " << name_of(loss) << "\n" << to_check(derivation);
  for (const auto& line : report.lines) {
    if (line.verdict == Verdict::failed) ADD_FAILURE() << line.text << ": " << line.message;
  }
  EXPECT_EQ(report.verified + report.excepted, derivation.equations) << net << ": a line was skipped";
  return derivation;
}

/// Whether some chain has this on its left and this as one of its steps.
bool has(const Derivation& derivation, const std::string& left, const std::string& step) {
  for (const auto& section : derivation.sections) {
    for (const auto& chain : section.chains) {
      if (chain.left.text() != left) continue;
      for (const auto& each : chain.steps) {
        if (each.formula.text() == step) return true;
      }
    }
  }
  return false;
}

TEST(Derive, DenseNetworkAsNielsenWritesIt) {
  const auto d = checked("30n-sigmoid-10n-sigmoid", {784}, Loss::squared_error);
  EXPECT_TRUE(has(d, "z1[i]", "sum(j=0..783, W1[i,j]*x[j]) + b1[i]"));
  EXPECT_TRUE(has(d, "dL/da2[i]", "a2[i] - t[i]"));
  EXPECT_TRUE(has(d, "dL/dz2[i]", "(a2[i] - t[i])*a2[i]*(1 - a2[i])"));
  EXPECT_TRUE(has(d, "dL/dW2[i,j]", "dL/dz2[i]*a1[j]"));
  EXPECT_TRUE(has(d, "dL/da1[i]", "sum(j=0..9, dL/dz2[j]*W2[j,i])"));
  EXPECT_TRUE(has(d, "dL/dz1[i]", "dL/da1[i]*a1[i]*(1 - a1[i])"));
  EXPECT_TRUE(has(d, "dL/db1[i]", "dL/dz1[i]"));
}

TEST(Derive, SoftmaxAndCrossEntropyBecomeADifference) {
  const auto d = checked("3n", {4}, Loss::cross_entropy);
  EXPECT_TRUE(has(d, "dy[i]/dz1[j]", "(delta(i,j) - y[j])*y[i]"));
  EXPECT_TRUE(has(d, "dL/dz1[i]", "y[i]*sum(j=0..2, t[j]) - t[i]"));
  EXPECT_TRUE(has(d, "dL/dz1[i]", "y[i] - t[i]"));
  EXPECT_TRUE(has(d, "dL/dW1[i,j]", "(y[i] - t[i])*x[j]"));
}

TEST(Derive, ConvolutionSharesItsWeights) {
  const auto d = checked("4c3-relu-mp2-3n", {2, 8, 8}, Loss::cross_entropy);
  EXPECT_TRUE(has(d, "dL/dW1[g,c,i,j]", "sum(p=0..5, q=0..5, dL/dz1[g,p,q]*x[c,p + i,q + j])"));
  EXPECT_TRUE(has(d, "dL/db1[i]", "sum(p=0..5, q=0..5, dL/dz1[i,p,q])"));
  EXPECT_TRUE(has(d, "dL/dx[c,u,v]", "sum(f=0..3, k=0..2, l=0..2, dL/dz1[f,u - k,v - l]*W1[f,c,k,l])"));
  EXPECT_TRUE(has(d, "dL/da1[c,2*p + i,2*q + j]", "dL/dp1[c,p,q]*[k1[c,p,q] = 2*i + j]"));
  EXPECT_TRUE(has(d, "dL/dW2[i,9*c + 3*p + q]", "dL/dz2[i]*p1[c,p,q]"));
}

/// Equations (35), (45) and the recursion of (50) to (54) of the document that chalkgrad comes from.
TEST(Derive, TheSeedsNetworkHasItsEquations) {
  const auto d = checked("2c3wfu-relu-mp2-bias-relu-3n-softmax", {1, 6, 6}, Loss::cross_entropy);
  EXPECT_TRUE(has(d, "dL/dW4[i,16*c + 4*p + q]", "(y[i] - t[i])*a3[c,p,q]"));                 // (35)
  EXPECT_TRUE(has(d, "dL/db4[i]", "y[i] - t[i]"));                                            // (45)
  EXPECT_TRUE(has(d, "dL/dz4[i]", "y[i]*sum(j=0..2, t[j]) - t[i]"));                          // (34), (44)
  EXPECT_TRUE(has(d, "dL/da3[c,u,v]", "sum(i=0..2, (y[i] - t[i])*W4[i,16*c + 4*u + v])"));    // in (54)
  EXPECT_TRUE(has(d, "dL/db2[c,u,v]", "dL/da2[c,u,v]"));                                      // (49)
  EXPECT_TRUE(has(d, "dL/da1[c,2*p + i,2*q + j]", "dL/dp1[c,p,q]*[k1[c,p,q] = 2*i + j]"));    // m' of (54)
  EXPECT_TRUE(has(d, "dL/db1[c,u,v]", "dL/dz1[c,u,v]"));                                      // (54)
  EXPECT_TRUE(has(d, "dL/dW1[g,i,j]", "sum(p=0..7, q=0..7, dL/dz1[g,p,q]*x[p - i,q - j])"));  // (40)
}

/// ResNet's blocks: strides, channels that a shortcut pads with zeros, batch normalisation, a sum of two branches.
TEST(Derive, ResidualBlocksAreVerified) {
  checked("2c3z-bn-relu-res(2c3z-bn-relu-2c3z-bn)-relu-res(4c3zs2-bn-relu-4c3z-bn)-relu-gap-2n", {1, 4, 4},
          Loss::cross_entropy);
}

TEST(Derive, EveryEquationOfManyNetworksIsVerified) {
  for (const char* net : {"3n-relu-2n", "3n-tanh-2n", "3n-gelu-2n", "3n-silu-2n", "3n-softplus-2n", "3n-elu-2n",
                          "3n-leaky-relu-2n", "3n-hard-tanh-2n", "3n-softsign-2n", "3n-mish-2n", "3n-prelu-2n",
                          "3n-selu-2n", "3n-log-sigmoid-2n", "3n-scaled-tanh-2n", "3n-gelutanh-2n", "3n-celu-2n"})
    checked(net, {4}, Loss::cross_entropy);
  for (const char* net :
       {"2c3s2-relu-2n", "2c3z-ap2-2n", "4c3g2-relu-gap-2n", "2c3-bn-relu-2n", "2c3z-ln-relu-2n",
        "2c3z-res(2c3z-relu)-2n", "2c3z-cat(1c3z-relu)-2n", "2c3-mp3s2-2n", "2c3-drop0.5-2n", "2t3s2-relu-2n",
        "4c3z-gn2-2n", "2c3z-up2-2n", "2c3z-lrn3-2n", "3c3z-mp3s2z-2n", "2c3z-in-2n", "2c3z-gmp-2n"})
    checked(net, {2, 6, 6}, Loss::cross_entropy);
}

TEST(Derive, EveryLossIsVerified) {
  for (const auto& loss : all_losses()) {
    if (loss == Loss::pixel_cross_entropy) continue;  // its target is a map of labels
    checked(loss == Loss::binary_cross_entropy ? "3n-sigmoid" : "3n", {4}, loss);
  }
}

TEST(Derive, EveryOptimizersUpdateIsVerified) {
  for (const auto name : Optimizer::names()) {
    DeriveOptions options;
    options.optimizer = Optimizer::named(name);
    const auto derivation = derive(network("2n", {3}), Loss::cross_entropy, options);
    const auto report = check_derivation(to_check(derivation), name, {.trials = 1});
    EXPECT_EQ(report.failed, 0U) << name << "\n" << to_check(derivation);
    EXPECT_EQ(report.verified + report.excepted, derivation.equations) << name;
    EXPECT_EQ(derivation.sections.back().kind, "update");
  }
}

TEST(Derive, VectorsAndMatricesStandBesideIndices) {
  const auto d = checked("3n-sigmoid-2n", {4}, Loss::squared_error);
  EXPECT_TRUE(has(d, "z1", "W1 @ x + b1"));
  EXPECT_TRUE(has(d, "dL/dW1", "dL/dz1 @ x^T"));
  EXPECT_TRUE(has(d, "dL/da1", "W2^T @ dL/dz2"));
  EXPECT_TRUE(has(d, "dL/dz1", "dL/da1 .* a1 .* (1 - a1)"));
}

TEST(Derive, SpeaksInTheLettersOfBooks) {
  for (const auto& notation : notations()) {
    DeriveOptions options;
    options.notation = notation;
    const auto d = derive(network("3n-sigmoid-2n", {4}), Loss::cross_entropy, options);
    EXPECT_EQ(check_derivation(to_check(d), notation, {.trials = 1}).failed, 0U) << to_check(d);
    if (notation == "bishop") {
      EXPECT_TRUE(has(d, "dE/da1[i]", "dE/dz1[i]*z1[i]*(1 - z1[i])"));
    }
    if (notation == "001") {
      EXPECT_TRUE(has(d, "dE/ds1[i]", "dE/do1[i]*o1[i]*(1 - o1[i])"));
    }
  }
  DeriveOptions options;
  options.notation = "euler";
  try {
    derive(network("3n", {4}), Loss::cross_entropy, options);
    FAIL();
  } catch (const InputError& e) {
    EXPECT_STREQ(e.what(),
                 "there is no notation \"euler\"; there are chalkgrad, nielsen, 001, 004, bishop, goodfellow");
  }
}

/// Layers that fit each other, at random.
std::string random_network(Random& random, bool map) {
  static constexpr std::string_view activations[] = {"relu", "sigmoid", "tanh", "elu", "gelu", "softplus", "silu"};
  static constexpr std::string_view maps[] = {"2c3z", "3c3zs2", "2c3zg2", "bn", "mp2", "ap2", "2c1", "ln"};
  std::string text = map ? "2c3z" : "3n";
  const auto layers = 1 + random.below(3);
  bool pooled = false;
  for (std::uint32_t k = 0; k < layers; ++k) {
    const auto next = map ? std::string(maps[random.below(8)]) : str(2 + random.below(3), "n");
    const bool smaller = next == "mp2" || next == "ap2" || next == "3c3zs2";
    if (smaller && pooled) continue;
    if (next == "2c3zg2" && text.find("3c3zs2") != std::string::npos) continue;  // 3 channels are not two groups
    pooled = pooled || smaller;
    text += str("-", next, "-", activations[random.below(7)]);
    if (map && random.below(4) == 0) text += "-res(relu)";
  }
  return text + "-2n";
}

TEST(Derive, EveryEquationOfRandomNetworksIsVerified) {
  Random random(20, 1);
  for (int k = 0; k < 24; ++k) {
    const bool map = k % 2 == 0;
    checked(random_network(random, map), map ? Shape{2, 4, 4} : Shape{3},
            random.below(2) == 0 ? Loss::cross_entropy : Loss::squared_error, 3);
  }
}

TEST(Derive, BriefRefersToLayersLikeOneBefore) {
  DeriveOptions options;
  options.brief = true;
  const auto d = derive(network("4n-relu-4n-relu-4n-relu-2n", {4}), Loss::cross_entropy, options);
  int referred = 0;
  for (const auto& section : d.sections) referred += section.chains.empty() ? 1 : 0;
  EXPECT_EQ(referred, 2);
  EXPECT_LT(d.equations, derive(network("4n-relu-4n-relu-4n-relu-2n", {4}), Loss::cross_entropy).equations);
}

TEST(Derive, AWrongRuleIsRefused) {
  const auto subject = calculus::subject_of(network("3n-tanh-2n", {4}), Loss::cross_entropy, 3);
  const auto wrong = [](const calculus::ExprPtr& e, const std::string& value,
                        const std::vector<calculus::ExprPtr>& indices, calculus::IndexSpace& space) {
    return math::product(math::number(2), calculus::derivative_of(e, value, indices, space));
  };
  try {
    calculus::derive(subject, {}, wrong);
    FAIL() << "nobody noticed";
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("is not true of the network"), std::string::npos) << e.what();
  }
}

TEST(Derive, SeveralOutputsAreRefused) {
  const auto net = network(R"(
    layer = [{name = "first", chain = "3n-relu"}, {name = "late", chain = "2n"}, {name = "early", type = "dense", outputs = 2, from = "first"}]
    output = [{from = "late"}, {from = "early", weight = 0.3}]
  )",
                           {4});
  try {
    derive(net, Loss::cross_entropy);
    FAIL();
  } catch (const InputError& e) {
    EXPECT_STREQ(e.what(), "the network has several outputs that are trained; derive one with a single output");
  }
}

}  // namespace
}  // namespace chalk
