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

std::vector<const Op*> ops_with_rules() {
  std::vector<const Op*> some;
  for (const Op* op : all_ops()) {
    if (op->derivative.value) some.push_back(op);
  }
  return some;
}

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

TEST_P(KinksOf, BreakTheLawWithAnotherSlope) {
  if (op.kink.convention.empty()) return;
  for (const double off : {1.1, -1.1}) {  // no slope here is further away
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

KinkFinding finding_of(Loss loss) {
  Graph g;
  const Value y = g.input("y", {4}), t = g.input("t", {4});
  const auto& definition = definition_of(loss);
  GradcheckOptions options;
  options.ranges[t.id()] = {.low = std::max(definition.targets.least, -2.0),
                            .high = std::min(definition.targets.most, 2.0)};
  options.ranges[y.id()] = {.low = std::max(definition.outputs.least, -2.0),
                            .high = std::min(definition.outputs.most, 2.0)};
  return KinkLaw(g, definition.build.value(y, t), {y}, options).finding();
}

TEST(Kinks, OfLossesObeyTheLaw) {
  for (const Loss loss : all_losses()) {
    const auto found = finding_of(loss);
    EXPECT_EQ(found.broken, "") << name_of(loss);
    EXPECT_GT(found.elements, 0U) << name_of(loss);
    EXPECT_EQ(found.kinks > 0, loss == Loss::mean_absolute_error) << name_of(loss);
  }
}

/// What becomes of a function of numbers from −8 to 8.
KinkFinding finding_of(const std::function<Value(Value)>& f) {
  Graph g;
  const Value x = g.input("x", {3});
  return KinkLaw(g, f(x), {x}, {}).finding();
}

Value number(Value x, double c) { return x.graph().constant(c); }

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

// docs/conventions.md. The other libraries' columns are what was read off a run of each; ours is computed here.

struct Row {
  const char* function;
  const char* place;
  Value (*build)(Value x);
  std::vector<double> at;  // x
  const char* others;      // PyTorch | JAX | TensorFlow, Keras | MLX | tinygrad
};

Value element(Value x, std::int64_t i) { return slice(x, {i}, {i + 1}); }

const Row kRows[] = {
    {"`relu(x)`", "0", [](Value x) { return relu(x); }, {0}, "0 | 0 | 0 | 0 | 0"},
    {"`leaky_relu(x, 0.1)`", "0", [](Value x) { return leaky_relu(x, 0.1); }, {0}, "0.1 | 1 | 0.1 | 1 | 1"},
    {"`prelu(x)`, a = 0.1",
     "0",
     [](Value x) { return prelu_layer(x, {.start = 0.1}); },
     {0},
     "0.1 | – | 0 (Keras) | 1.1 | –"},
    {"`relu6(x)`", "0; 6", relu6, {0, 6}, "0, 0 | 0, 0 | 0, 0 | 0, 0 | 0, 1"},
    {"`elu(x)`: smooth", "0", [](Value x) { return elu(x); }, {0}, "1 | 1 | 1 | 1 | 0"},
    {"`elu(x, 2)`", "0", [](Value x) { return elu(x, 2); }, {0}, "2 | 2 | 2 (Keras) | 2 | 0"},
    {"`celu(x)`: smooth", "0", [](Value x) { return celu(x); }, {0}, "1 | 1 | 2 (Keras) | 0 | 1"},
    {"`selu(x)`", "0", selu, {0}, "1.7581 | 1.7581 | 1.0507 (1.7581 with `jit_compile`) | 1.7581 | 1.0507"},
    {"`hard_tanh(x)`", "−1; 1", hard_tanh, {-1, 1}, "0, 0 | 1, 1 | 1, 1 (Keras) | 0, 0 | 1, 1"},
    {"`hard_sigmoid(x)`", "−3; 3", hard_sigmoid, {-3, 3}, "0, 0 | 0, 0 | 0, 0 (Keras) | – | 0, 0.1667"},
    {"`hard_swish(x)`", "−3; 3", hard_swish, {-3, 3}, "0, 1 | 0, 1 | 0, 1 (Keras) | 0, 1 | 0, 1.5"},
    {"`abs(x)`", "0", [](Value x) { return abs(x); }, {0}, "0 | 1 | 0 | 0 | 0"},
    {"`maximum(x, 0)`", "0", [](Value x) { return maximum(x, number(x, 0)); }, {0}, "0.5 | 0.5 | 1 | 0 | 0.5"},
    {"`maximum(0, x)`", "0", [](Value x) { return maximum(number(x, 0), x); }, {0}, "0.5 | 0.5 | 0 | 1 | 0.5"},
    {"`maximum(a, b)`",
     "a = b",
     [](Value x) { return maximum(element(x, 0), element(x, 1)); },
     {1, 1},
     "0.5, 0.5 | 0.5, 0.5 | 1, 0 | 0, 1 | 0.5, 0.5"},
    {"`minimum(a, b)`",
     "a = b",
     [](Value x) { return minimum(element(x, 0), element(x, 1)); },
     {1, 1},
     "– | – | – | – | –"},
    {"`minimum(maximum(x, -1), 1)`; theirs: `clamp`, `clip`",
     "−1; 1",
     [](Value x) { return minimum(maximum(x, number(x, -1)), number(x, 1)); },
     {-1, 1},
     "0, 0 (1, 1 up to 2.13) | 0.5, 0.5 (`lax.clamp` 0, 0) | 1, 1 | 0, 0 | 1, 1"},
    {"`max(x)` over all",
     "x = 1, 1, 0, 1",
     [](Value x) { return max(x); },
     {1, 1, 0, 1},
     "shared | shared | shared | shared | shared"},
    {"`max(x, axes)`",
     "x = 1, 1, 0, 1",
     [](Value x) { return max(x, {0}); },
     {1, 1, 0, 1},
     "first (`amax` shared) | shared | shared | shared | shared"},
    {"`max_pool(x)`",
     "x = 1, 1, 1, 1",
     [](Value x) {
       return max_pool(reshape(x, {1, 2, 2}));
     },
     {1, 1, 1, 1},
     "first | first | first | shared | shared"},
    {"`mean_absolute_error(y, t)`",
     "y = t",
     [](Value x) { return mean_absolute_error(x, x.graph().constant(2, {1})); },
     {2},
     "0 | −1 (Keras on JAX) | 0 | 0 | –"},
    {"`sqrt(sum(x * x))`; theirs: the norm",
     "x = 0, 0",
     [](Value x) { return sqrt(sum(x * x)); },
     {0, 0},
     "0 | NaN | NaN | NaN | –"},
};

std::string derivative_of(const Row& row) {
  Graph g;
  const Value x = g.shared_input("x", {static_cast<std::int64_t>(row.at.size())});
  const Value y = row.build(x);
  const Value dx = differentiate(y, broadcast(g.constant(1), y.shape()), {{x}})[0];
  Reference reference(g, 1);
  reference.set(x.id(), row.at);
  for (const Value& p : g.parameters())
    reference.set(p.id(), {g.node(p.id()).attributes.as<ParameterAttributes>().init.value});
  reference.run({{dx.id()}});
  std::string text;
  for (const double v : reference.value(dx.id()))
    text += str(text.empty() ? "" : ", ", std::isnan(v) ? "NaN" : shortest(v + 0.0));  // no −0
  return text;
}

TEST(Kinks, AreInTheTableOfConventions) {
  std::string table =
      "| function | at | chalkgrad | PyTorch | JAX | TensorFlow, Keras | MLX | tinygrad "
      "|\n|---|---|---|---|---|---|---|---|\n";
  for (const Row& row : kRows)
    table += str("| ", row.function, " | ", row.place, " | ", derivative_of(row), " | ", row.others, " |\n");
  testing_support::expect_generated("docs/conventions.md", "conventions", table);
}

TEST(Kinks, AreCounted) {
  std::size_t declared = 0;
  for (const Op* op : all_ops()) declared += op->kink.convention.empty() ? 0 : 1;
  testing_support::expect_generated(
      "docs/conventions.md", "count",
      str("Under the law are ", ops_with_rules().size(), " operations, ", all_layers().size(), " layers and ",
          all_losses().size(), " losses; ", declared, " operations have kinks, each with its convention.\n"));
}

}  // namespace
}  // namespace chalk
