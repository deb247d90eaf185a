// Every operation and loss under the law of kinks (every_layer_test.cc has the layers); the conventions that operations
// declare; and what becomes of functions that break the law.
#include <gtest/gtest.h>

#include <functional>
#include <iterator>
#include <sstream>

#include "chalkgrad/layers.h"
#include "chalkgrad/losses.h"
#include "chalkgrad/ops.h"
#include "src/base/document_testing.h"
#include "src/base/shortest.h"
#include "src/layers/registry.h"
#include "src/losses/loss.h"
#include "tests/kink_law.h"
#include "tests/number.h"
#include "tests/sample_graph.h"

namespace chalk {
namespace {

/// An operation on inputs alone, with the attributes and ranges of one of its samples.
struct Bare {
  Bare(const Op& op, const Sample& sample) {
    std::vector<Value> in;
    for (const auto& input : sample.inputs) {
      in.push_back(input.batched ? graph.input(str("x", in.size()), input.shape)
                                 : graph.shared_input(str("x", in.size()), input.shape));
      options.ranges[in.back().id()] = {input.low, input.high, input.grid};
      if (input.differentiable) wrt.push_back(in.back());
    }
    y = graph.apply(op, sample.attributes, in);
  }
  Graph graph;
  Value y;
  std::vector<Value> wrt;
  GradcheckOptions options;
};

/// The numbers of each operand, as Kink writes them.
std::vector<std::vector<double>> numbers(std::string_view text) {
  std::vector<std::vector<double>> all;
  std::istringstream operands{std::string(text)};
  for (std::string operand; std::getline(operands, operand, ';');) {
    std::istringstream in(operand);
    all.emplace_back(std::istream_iterator<double>(in), std::istream_iterator<double>());
  }
  return all;
}

/// An operation at the kink that it declares.
struct Declared {
  explicit Declared(const Op& op) {
    Shape shape;
    const auto extents = numbers(op.kink.shape);
    for (const double extent : extents.at(0)) shape.push_back(static_cast<std::int64_t>(extent));
    for (const auto& values : numbers(op.kink.at)) {
      wrt.push_back(graph.shared_input(str("x", wrt.size()), shape));
      at[wrt.back().id()] = values;
    }
    y = graph.apply(op, op.attributes, wrt);
  }
  std::vector<double> derivative(std::size_t k) {
    const Value dx = differentiate(y, broadcast(graph.constant(1), y.shape()), wrt)[k];
    Reference reference(graph, 1);
    for (const auto& [leaf, values] : at) reference.set(leaf, values);
    reference.run({{dx.id()}});
    return reference.value(dx.id());
  }
  Graph graph;
  Value y;
  std::vector<Value> wrt;
  std::map<NodeId, std::vector<double>> at;
};

KinkFinding finding_of(const Op& op) {
  KinkFinding all;
  for (const auto& sample : op.samples.value) {
    Bare bare(op, sample);
    if (!bare.wrt.empty()) all.add(KinkLaw(bare.graph, bare.y, bare.wrt, bare.options).finding());
  }
  return all;
}

class KinksOf : public testing::TestWithParam<const Op*> {
 protected:
  const Op& op = *GetParam();
};
INSTANTIATE_TEST_SUITE_P(Ops, KinksOf, testing::ValuesIn(ops_with_rules()),
                         [](const auto& each) { return std::string(each.param->name.value); });

TEST_P(KinksOf, ObeyTheLawAndAreDeclared) {
  const auto found = finding_of(op);
  EXPECT_EQ(found.broken, "");
  EXPECT_GT(found.elements, 0U);
  EXPECT_EQ(found.kinks > 0, !op.kink.convention.empty())
      << "Op::kink says where it has one and what is the convention";
}

TEST_P(KinksOf, HaveTheDerivativesThatAreDeclared) {
  if (op.kink.convention.empty()) return;
  Declared there(op);
  const auto declared = numbers(op.kink.derivative);
  ASSERT_EQ(there.wrt.size(), static_cast<std::size_t>(op.arity.value));
  for (std::size_t k = 0; k < there.wrt.size(); ++k) EXPECT_EQ(there.derivative(k), declared.at(k)) << "operand " << k;
  EXPECT_TRUE(op.kink.convention.starts_with(op.name.value)) << "it is read where other ones stand";
  const auto found = KinkLaw(there.graph, there.y, there.wrt, {}).finding_at(there.at);
  EXPECT_EQ(found.broken, "");
  EXPECT_GT(found.kinks, 0U) << "the function is smooth there";
}

constexpr double kOutside[] = {1.1, -1.1};  // no slope of an operation is further away from its convention

TEST_P(KinksOf, BreakTheLawWithAnotherSlope) {
  if (op.kink.convention.empty()) return;
  for (const double off : kOutside) {
    Declared there(op);
    GradcheckOptions options;
    options.rules[std::string(op.name.value)] = [&](const Node& node, std::span<const Value> in, Value y, Value dy) {
      auto d = op.derivative.value(node, in, y, dy);
      for (auto& dx : d) dx = dx + dx.graph().constant(off) * sum(dy);
      return d;
    };
    EXPECT_NE(KinkLaw(there.graph, there.y, there.wrt, options).finding_at(there.at).broken, "") << "off by " << off;
  }
}

KinkFinding finding_of(const Loss& loss) {
  Graph g;
  const bool of_places = definition_of(loss).target.value == Target::places;
  const Value y = g.input("y", of_places ? Shape{4, 1, 2} : Shape{4});
  const Value t = g.input("t", target_shape(loss, y.shape()));
  const auto& definition = definition_of(loss);
  GradcheckOptions options;
  options.ranges[t.id()] = {.low = std::max(definition.targets.least, -2.0),
                            .high = std::min(definition.targets.most, 2.0)};
  options.ranges[y.id()] = {.low = std::max(definition.outputs.least, -2.0),
                            .high = std::min(definition.outputs.most, 2.0)};
  if (of_classes(loss)) options.ranges[t.id()] = {.low = 0, .high = 1};
  if (of_places) options.ranges[t.id()] = {.low = 0, .high = 3, .grid = 1};
  return KinkLaw(g, sample_loss(loss, y, t).loss, {y}, options).finding();
}

TEST(Kinks, OfLossesObeyTheLaw) {
  for (const Loss& loss : all_losses()) {
    const auto found = finding_of(loss);
    EXPECT_EQ(found.broken, "") << name_of(loss);
    EXPECT_GT(found.elements, 0U) << name_of(loss);
    const bool has_kinks = loss == Loss::mean_absolute_error || loss == Loss::hinge || loss == Loss::multi_class_margin;
    EXPECT_EQ(found.kinks > 0, has_kinks) << name_of(loss);
  }
}

/// What becomes of a function of numbers from −8 to 8.
KinkFinding finding_of(const std::function<Value(Value)>& f) {
  Graph g;
  const Value x = g.input("x", {3});
  return KinkLaw(g, f(x), {x}, {}).finding();
}

TEST(Kinks, AreFoundWhereverTheyAre) {
  for (const double bound : {0.0, 2.5, 0.1, -5.123456789}) {
    EXPECT_GT(finding_of([&](Value x) { return relu(x - number(x, bound)); }).kinks, 0U) << bound;
    EXPECT_GT(finding_of([&](Value x) { return minimum(x, number(x, bound)); }).kinks, 0U) << bound;
    EXPECT_EQ(finding_of([&](Value x) { return tanh(x - number(x, bound)); }).kinks, 0U) << bound;
  }
}

TEST(Kinks, OfSumsOfMaximaObeyTheLaw) {  // since each operand gets half
  const auto zero = [](Value x) { return number(x, 0); };
  EXPECT_EQ(finding_of([&](Value x) { return maximum(x, zero(x)) + minimum(x, zero(x)); }).broken, "");
  EXPECT_EQ(finding_of([&](Value x) { return maximum(x, neg(x)); }).broken, "");
  EXPECT_EQ(finding_of([&](Value x) { return minimum(maximum(x, number(x, -1)), number(x, 1)); }).broken, "");
}

TEST(Kinks, OfNormsObeyTheLaw) {
  Graph g;
  const Value x = g.input("x", {2, 3});  // of two samples: a row of zeros, equal ones, zeros alone
  const std::vector<double> at{0, -0.0, 0, 3, 3, 3, 0, 0, 0, 0, 0, 0};
  const auto found = [&](Value y) { return KinkLaw(g, y, {x}, {}).finding_at({{x.id(), at}}); };
  for (const Value y : {norm(x), norm(x, {1}), norm(x, {0}, true), norm(x - mean(x, {1}, true), {1})}) {
    EXPECT_EQ(found(y).broken, "");
    EXPECT_GT(found(y).kinks, 0U);
    EXPECT_EQ(KinkLaw(g, y, {x}, {}).finding().broken, "") << "elsewhere";
  }
  EXPECT_NE(found(sqrt(sum(x * x, {1}))).broken, "") << "NaN";
}

// An activation is a select with one slope on each side, never a sum.
TEST(Kinks, OfSumsOfRelusBreakTheLaw) {
  EXPECT_NE(finding_of([](Value x) { return relu(x) - relu(neg(x)); }).broken, "") << "x, with slope 0 at 0";
  EXPECT_NE(finding_of([](Value x) { return relu(x) - number(x, 0.1) * relu(neg(x)); }).broken, "") << "leaky ReLU";
  EXPECT_NE(finding_of([](Value x) { return relu(x) - relu(number(x, 1) - exp(x)); }).broken, "") << "ELU";
}

TEST(Kinks, OfAnActivationBreakTheLawWithAThirdSlope) {
  const auto slope = [](Value x, double at_zero) {
    const Value zero = number(x, 0);
    return select(equal(x, zero), number(x, at_zero), select(greater(x, zero), number(x, 1), number(x, 0.1)));
  };
  for (const double between : {0.1, 0.6, 1.0})
    EXPECT_EQ(finding_of([&](Value x) { return x * slope(x, between); }).broken, "") << between;
  for (const double outside : {0.0, 1.1})
    EXPECT_NE(finding_of([&](Value x) { return x * slope(x, outside); }).broken, "") << outside;
}

TEST(Documents, CountTheKinks) {
  std::size_t declared = 0;
  for (const Op* op : all_ops()) declared += op->kink.convention.empty() ? 0 : 1;
  testing_support::expect_generated(
      "docs/conventions.md", "count",
      str("Under the law are ", ops_with_rules().size(), " operations, ", all_layers().size(), " layers and ",
          all_losses().size(), " losses; ", declared, " operations have kinks, each with its convention.\nEach of ",
          declared * std::size(kOutside),
          " mutations, which put a derivative outside of the slopes at such a kink, is noticed.\n"));
}

}  // namespace
}  // namespace chalk
