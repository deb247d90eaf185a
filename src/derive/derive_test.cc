// Derivations of many networks: all that is derived is true, and the language of chalkgrad check says the same.
#include "chalkgrad/derive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "chalkgrad/check.h"
#include "chalkgrad/error.h"
#include "src/base/test_support.h"
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
  EXPECT_TRUE(has(d, "dL/dz1[i]", "-sum(j=0..2, (delta(j,i) - y[i])*t[j])"));
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

/// Of a map this large, few places are tried: at random ones, most δ are 0.
TEST(Derive, LargeMapsAreJudgedWhereSomethingIsNotZero) {
  checked("4c3z-bn-relu-res(4c3z-bn)-gap-2n", {3, 24, 24}, Loss::cross_entropy);
}

TEST(Derive, EveryEquationOfManyNetworksIsVerified) {
  std::size_t count = 0;
  const std::size_t one_in = std::min<std::size_t>(4, testing_support::one_in());  // only the function differs
  for (const char* net : {"3n-relu-2n", "3n-tanh-2n", "3n-gelu-2n", "3n-silu-2n", "3n-softplus-2n", "3n-elu-2n",
                          "3n-leaky-relu-2n", "3n-hard-tanh-2n", "3n-softsign-2n", "3n-mish-2n", "3n-prelu-2n",
                          "3n-selu-2n", "3n-log-sigmoid-2n", "3n-scaled-tanh-2n", "3n-gelutanh-2n", "3n-celu-2n"})
    if (count++ % one_in == 0) checked(net, {4}, Loss::cross_entropy);
  for (const char* net :
       {"2c3s2-relu-2n", "2c3z-ap2-2n", "4c3g2-relu-gap-2n", "2c3-bn-relu-2n", "2c3z-ln-relu-2n",
        "2c3z-res(2c3z-relu)-2n", "2c3z-cat(1c3z-relu)-2n", "2c3-mp3s2-2n", "2c3-drop0.5-2n", "2t3s2-relu-2n",
        "4c3z-gn2-2n", "2c3z-up2-2n", "2c3z-lrn3-2n", "3c3z-mp3s2z-2n", "2c3z-in-2n", "2c3z-gmp-2n"})
    checked(net, {2, 6, 6}, Loss::cross_entropy);
}

TEST(Derive, EveryLossIsVerified) {
  for (const auto& loss : all_losses()) {
    if (loss == Loss::pixel_cross_entropy) {
      checked("3c3z", {2, 3, 4}, loss);
      continue;
    }
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
  for (const auto& book : notations()) {
    DeriveOptions options;
    options.notation = notation(book);
    const auto d = derive(network("3n-sigmoid-2n", {4}), Loss::cross_entropy, options);
    EXPECT_EQ(check_derivation(to_check(d), book, {.trials = 1}).failed, 0U) << to_check(d);
    if (book == "bishop") {
      EXPECT_TRUE(has(d, "dE/da1[i]", "dE/dz1[i]*z1[i]*(1 - z1[i])"));
    }
    if (book == "001") {
      EXPECT_TRUE(has(d, "dE/ds1[i]", "dE/do1[i]*o1[i]*(1 - o1[i])"));
    }
  }
}

std::size_t equations_printed(const Derivation& d) {
  std::size_t count = 0;
  for (const auto& section : d.sections) {
    for (const auto& chain : section.chains) count += chain.steps.size();
  }
  return count;
}

TEST(Derive, BriefRefersToLayersLikeOneBefore) {
  DeriveOptions options;
  const auto net = network("4n-relu-4n-relu-4n-relu-2n", {4});
  const auto whole = derive(net, Loss::cross_entropy, options);
  options.brief = true;
  const auto d = derive(net, Loss::cross_entropy, options);
  EXPECT_EQ(d.equations, whole.equations) << "all are verified";
  EXPECT_LT(equations_printed(d), equations_printed(whole) / 2);
  std::vector<std::string> notes;
  for (const auto& section : d.sections) {
    for (const auto& chain : section.chains) {
      if (!chain.note.empty()) notes.push_back(chain.left.text() + ": " + chain.note);
    }
  }
  EXPECT_THAT(notes, testing::Contains("z2[i]: likewise z3 and z4"));
  EXPECT_THAT(notes, testing::Contains("dL/dz3[i]: likewise dL/dz2 and dL/dz1"));
  EXPECT_EQ(check_derivation(to_check(d), "brief", {.trials = 1}).failed, 0U);
}

/// What people print must stay readable: five pages are about 250 lines of equations.
TEST(Derive, ResNet20StaysShort) {
  DeriveOptions options;
  options.brief = true;
  const auto d = derive(network("4c3z-bn-relu-3*(res(4c3z-bn-relu-4c3z-bn)-relu)-res(8c3zs2-bn-relu-8c3z-bn)-relu-"
                                "2*(res(8c3z-bn-relu-8c3z-bn)-relu)-gap-3n",
                                {3, 8, 8}),
                        Loss::cross_entropy, options);
  EXPECT_LT(equations_printed(d), 130U);
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

TEST(Derive, LossesOfSeveralOutputsAreAddedUp) {
  const auto net = network(R"(
    layer = [{name = "first", chain = "3n-relu"}, {name = "late", chain = "2n"},
             {name = "early", type = "dense", outputs = 2, from = "first"},
             {name = "copy", type = "dense", outputs = 4, from = "first"}]
    output = [{from = "late"}, {from = "early", weight = 0.5},
              {from = "copy", weight = 2, target = "input", loss = "squared-error"}]
  )",
                           {4});
  const auto d = derive(net, Loss::cross_entropy);
  EXPECT_TRUE(has(d, "L", "L_y + L_early/2 + 2*L_copy")) << to_text(d);
  const auto report = check_derivation(to_check(d), "outputs", {.trials = 2});
  EXPECT_EQ(report.failed, 0U);
  EXPECT_EQ(report.verified + report.excepted, d.equations);
}

/// 002's slides: samples are the rows of X, and losses are added up.
TEST(Derive, ABatchIsWrittenWithMatrices) {
  DeriveOptions options;
  options.notation = notation("002");
  const auto d = derive(network("4n-sigmoid-3n-sigmoid-2n", {5}), Loss::log_likelihood, options);
  EXPECT_TRUE(has(d, "a1", "x @ W1^T + ones(3) @ b1^T")) << to_text(d);
  EXPECT_TRUE(has(d, "dJ/da3", "t - y"));
  EXPECT_TRUE(has(d, "dJ/dW3", "(dJ/da3)^T @ z2"));  // ∇V J = Zᵀ(T − Y), of a V that has its inputs first
  EXPECT_TRUE(has(d, "dJ/db3", "sum(dJ/da3, axis=0)"));
  EXPECT_TRUE(has(d, "dJ/dz2", "dJ/da3 @ W3"));  // (T − Y) Vᵀ
  EXPECT_TRUE(has(d, "dJ/da2", "dJ/dz2 .* z2 .* (1 - z2)"));
  EXPECT_TRUE(has(d, "dJ/dW1", "(dJ/da1)^T @ x"));
  const auto report = check_derivation(to_check(d), "batch", {.trials = 2});
  EXPECT_EQ(report.failed, 0U);
  EXPECT_EQ(report.verified + report.excepted, d.equations);
}

/// 004's sums over nodes, whose biases are taken off: e = Σ (t − o)², 2(o − t), f'·w, and the outer one's o.
TEST(Derive, TheFourthSeedsNodesHaveTheirEquations) {
  DeriveOptions options;
  options.notation = notation("004");
  const auto d = derive(network("4n-sigmoid-3n-sigmoid", {5}), Loss::sum_of_squares, options);
  EXPECT_TRUE(has(d, "de/do2[i]", "2*(o2[i] - t[i])")) << to_text(d);
  EXPECT_TRUE(has(d, "de/ds2[i]", "2*(o2[i] - t[i])*o2[i]*(1 - o2[i])"));
  EXPECT_TRUE(has(d, "de/do1[i]", "sum(j=0..2, de/ds2[j]*w2[j,i])"));
  EXPECT_TRUE(has(d, "de/dw2[i,j]", "de/ds2[i]*o1[j]"));
  EXPECT_TRUE(has(d, "de/dw1[i,j]", "de/ds1[i]*x[j]"));
}

std::string complaint(const std::function<void()>& f) {
  try {
    f();
  } catch (const InputError& e) {
    return e.what();
  }
  return "nothing is wrong";
}

TEST(Derive, SpeaksInTheLettersOfAFile) {
  DeriveOptions options;
  options.notation = notation("base = \"bishop\"\nloss = \"J\"\nactivation = \"φ\"\n[names]\nw1 = \"K\"\n");
  const auto d = derive(network("3n-sigmoid-2n", {4}), Loss::cross_entropy, options);
  EXPECT_TRUE(has(d, "a1[i]", "sum(j=0..3, K[i,j]*x[j]) + b1[i]")) << to_text(d);
  EXPECT_TRUE(has(d, "dJ/da1[i]", "dJ/dphi1[i]*phi1[i]*(1 - phi1[i])"));
  EXPECT_EQ(check_derivation(to_check(d), "letters", {.trials = 1}).failed, 0U);
}

TEST(Derive, LettersThatCannotBeAreNamed) {
  const std::pair<const char*, const char*> cases[] = {
      {"euler", "there is no notation \"euler\"; there are chalkgrad, nielsen, 001, 002, 004, bishop and goodfellow"},
      {"base = \"euler\"",
       "letters.toml: line 1, column 8: base is \"euler\", which is no notation; there are chalkgrad, nielsen, 001, "
       "002, "
       "004, bishop and goodfellow"},
      {"\nweight = \"2W\"",
       "letters.toml: line 2, column 10: weight is \"2W\", which is no name; use letters, as in W, theta or W_out"},
      {"\nweight = \"W1\"",
       "letters.toml: line 2, column 10: weight is \"W1\", which ends with a digit, where numbers of layers follow; "
       "leave "
       "the digit out"},
      {"\nloss = \"sum\"",
       "letters.toml: line 2, column 8: loss is \"sum\", which is a word of the language; use another name"},
      {"\nbias = \"db\"",
       "letters.toml: line 2, column 8: bias is \"db\", which begins with d, as derivatives do; use another letter"},
      {"\nsum = \"a\"",
       "letters.toml: line 2, column 7: sum is \"a\", and so is activation; give one of them another letter"},
      {"\nweight = 3", "letters.toml: line 2, column 10: weight must be a text in quotes"},
      {"names = 3", "letters.toml: line 1, column 9: names must be a table: [names], then W1 = \"V\""},
      {"[names]\nW1 = 3", "letters.toml: line 2, column 6: W1 must be a text in quotes"},
      {"letter = \"W\"", "letters.toml: line 1, column 1: a notation has no key \"letter\""}};
  for (const auto& [text, message] : cases) {
    const auto said = complaint([&] { notation(text, "letters.toml"); });
    EXPECT_TRUE(said.starts_with(message)) << said;
  }
  const auto of_names = [](const char* text) {
    return complaint([&] {
      DeriveOptions options;
      options.notation = notation(text, "letters.toml");
      derive(network("2n", {3}), Loss::cross_entropy, options);
    });
  };
  EXPECT_EQ(
      of_names("[names]\nW9 = \"V\""),
      "letters.toml: names: no value is called \"W9\"; did you mean \"W1\"?; there are x, W1, b1, z1, t, y and L");
  EXPECT_EQ(of_names("[names]\nW1 = \"x\""),
            "letters.toml: names: two values are called \"x\"; give one of them another name");
}

Dataset two_samples() {
  Dataset data;
  data.name = "two";
  data.sample = {3};
  data.values = {1, 2, -1, 0.5, 0, 4};
  data.labels = {1, 0};
  data.class_names = {"no", "yes"};
  return data;
}

TEST(Derive, NumbersOfASampleStandBesideEquations) {
  auto net = network("2n", {3});
  net.variables().at("dense1.weight").assign(std::vector<float>{1, 0, 2, 0.5, -1, 3});
  net.variables().at("dense1.bias").assign(std::vector<float>{1, -1});
  const auto data = two_samples();
  DeriveOptions options;
  options.data = &data;
  const auto d = derive(net, Loss::cross_entropy, options);
  ASSERT_TRUE(d.sample);
  EXPECT_EQ(d.sample->about, "sample 0 of two, yes");
  const auto& z = d.sections[0].chains[0];
  ASSERT_TRUE(z.numbers && z.entry);
  EXPECT_EQ(z.numbers->numbers, (std::vector<double>{0, -5.5}));
  EXPECT_EQ(z.entry->left.text(), "z1[1]");
  EXPECT_EQ(z.entry->named.text(), "W1[1,0]*x[0] + W1[1,1]*x[1] + W1[1,2]*x[2] + b1[1]");
  EXPECT_EQ(z.entry->numbers.text(), "0.5*1 + (-1)*2 + 3*(-1) + (-1)");
  EXPECT_EQ(z.entry->value, -5.5);
  options.sample = 2;
  EXPECT_EQ(complaint([&] { derive(net, Loss::cross_entropy, options); }),
            "there is no sample 2 in two, which has 2; choose one from 0 to 1");
}

TEST(Derive, LongSumsAreCutAndLargeArraysShownByACorner) {
  const auto net = network("20n-relu-2n", {3});
  const auto data = two_samples();
  DeriveOptions options;
  options.data = &data;
  const auto d = derive(net, Loss::cross_entropy, options);
  bool cut = false, corner = false;
  for (const auto& section : d.sections) {
    for (const auto& chain : section.chains) {
      cut = cut || (chain.entry && chain.entry->left_out > 0);
      corner = corner || (chain.numbers && !chain.numbers->whole());
    }
  }
  EXPECT_TRUE(cut);
  EXPECT_TRUE(corner);
  for (const auto& written : {to_text(d), to_html(d), to_latex(d), to_json(d), to_notebook(d)})
    EXPECT_FALSE(written.empty());
}

}  // namespace
}  // namespace chalk
