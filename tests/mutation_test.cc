// Does the gradient check notice a wrong rule? Every derivative rule is corrupted, input by input and in several ways,
// and the check of its operation has to fail each time.
#include <gtest/gtest.h>

#include <limits>
#include <set>

#include "chalkgrad/gradcheck.h"
#include "chalkgrad/ops.h"
#include "tests/sample_graph.h"

namespace chalk {
namespace {

using Cotangents = std::vector<Value>;

/// A way to spoil the cotangent of input k. Returns false if it leaves this one as it should be.
struct Mutation {
  const char* name;
  bool (*spoil)(Cotangents& d, std::size_t k);
  bool everywhere;  // on every sample; or else on at least one, since it may happen to change nothing
};

bool scaled(Cotangents& d, std::size_t k) {
  d[k] = d[k] * d[k].graph().constant(1.01);
  return true;
}

bool negated(Cotangents& d, std::size_t k) {
  d[k] = neg(d[k]);
  return true;
}

bool dropped(Cotangents& d, std::size_t k) {
  d[k] = {};
  return true;
}

bool off_by_a_constant(Cotangents& d, std::size_t k) {
  d[k] = d[k] + d[k].graph().constant(0.01);
  return true;
}

/// The elements of `d` in another order: element i is the old element order[i].
Value reordered(Value d, const std::vector<std::int64_t>& order) {
  const Shape shape = d.shape();
  const Value flat = reshape(d, {elements(shape)});
  std::vector<Value> parts;
  for (const auto i : order) parts.push_back(slice(flat, {i}, {i + 1}));
  return reshape(concat(parts), shape);
}

bool reversed(Cotangents& d, std::size_t k) {
  const auto n = elements(d[k].shape());
  std::vector<std::int64_t> order;
  for (auto i = n; i-- > 0;) order.push_back(i);
  d[k] = reordered(d[k], order);
  return n > 1;
}

bool rotated(Cotangents& d, std::size_t k) {
  const auto n = elements(d[k].shape());
  std::vector<std::int64_t> order;
  for (std::int64_t i = 0; i < n; ++i) order.push_back((i + 1) % n);
  d[k] = reordered(d[k], order);
  return n > 1;
}

/// As if the matrix (or the last two axes) had been read column by column.
bool transposed(Cotangents& d, std::size_t k) {
  const Shape shape = d[k].shape();
  if (shape.size() < 2 || shape[shape.size() - 2] == 1 || shape.back() == 1) return false;
  std::vector<std::int64_t> permutation(shape.size());
  for (std::size_t i = 0; i < shape.size(); ++i) permutation[i] = static_cast<std::int64_t>(i);
  std::swap(permutation[shape.size() - 2], permutation.back());
  d[k] = reshape(transpose(d[k], permutation), shape);
  return true;
}

bool swapped(Cotangents& d, std::size_t k) {
  for (std::size_t other = 0; other < d.size(); ++other) {
    if (other == k || !d[other] || d[other].shape() != d[k].shape() || d[other] == d[k]) continue;
    std::swap(d[k], d[other]);
    return true;
  }
  return false;
}

/// One sample's cotangent given to all, as when the batch is forgotten.
bool averaged_over_the_batch(Cotangents& d, std::size_t k) {
  const Graph& g = d[k].graph();
  if (!d[k].batched() || g.node(d[k].id()).op == &op_batch_broadcast) return false;  // the same for all as it is
  d[k] = batch_broadcast(batch_sum(d[k]) / d[k].graph().batch_size());
  return true;
}

bool only_in_the_first_element(Cotangents& d, std::size_t k) {
  const Shape shape = d[k].shape();
  const auto n = elements(shape);
  d[k] = reshape(pad(slice(reshape(d[k], {n}), {0}, {1}), {0}, {n - 1}), shape);
  return n > 1;
}

bool nan(Cotangents& d, std::size_t k) {
  d[k] = d[k] * d[k].graph().constant(std::numeric_limits<double>::quiet_NaN());
  return true;
}

constexpr Mutation kMutations[] = {{"times 1.01", scaled, true},
                                   {"negated", negated, true},
                                   {"dropped", dropped, true},
                                   {"plus 0.01", off_by_a_constant, true},
                                   {"NaN", nan, true},
                                   {"reversed", reversed, false},
                                   {"rotated", rotated, false},
                                   {"transposed", transposed, false},
                                   {"swapped with another input's", swapped, false},
                                   {"averaged over the batch", averaged_over_the_batch, false},
                                   {"only its first element", only_in_the_first_element, false}};

/// What became of one corruption on one sample.
enum class Outcome { caught, missed, changes_nothing };

Outcome outcome(const SampleOf& s, std::size_t input, const Mutation& mutation) {
  SampleGraph sample(*s.op, s.sample());
  bool changes = false;
  sample.options.batch = 2;
  sample.options.stop_at_failure = true;
  sample.options.rules[std::string(s.op->name.value)] = [&](const Node& node, std::span<const Value> in, Value y,
                                                            Value dy) {
    auto d = node.op->derivative.value(node, in, y, dy);
    if (y == sample.y && d[input]) changes = mutation.spoil(d, input);  // the layer before it keeps its right rule
    return d;
  };
  const auto report = check_gradients(sample.graph, {{sample.y}}, sample.wrt, sample.options);
  if (!changes) return Outcome::changes_nothing;
  return report.passed ? Outcome::missed : Outcome::caught;
}

/// Whether the rule of a sample's operation gives input k a cotangent.
bool has_cotangent(const SampleOf& s, std::size_t k) {
  SampleGraph sample(*s.op, s.sample());
  Graph& g = sample.graph;
  const Node node = g.node(sample.y.id());
  std::vector<Value> in;
  for (const auto id : node.inputs) in.push_back(g.value(id));
  const Value dy = sample.y.batched() ? g.input("dy", sample.y.shape()) : g.shared_input("dy", sample.y.shape());
  return static_cast<bool>(s.op->derivative.value(node, in, sample.y, dy)[k]);
}

class MutatedRule : public testing::TestWithParam<const Op*> {};

TEST_P(MutatedRule, IsNoticed) {
  const Op& op = *GetParam();
  std::set<std::size_t> with_cotangent, mutated;
  for (std::size_t i = 0; i < op.samples.value.size(); ++i) {
    for (std::size_t k = 0; k < op.samples.value[i].inputs.size(); ++k) {
      if (has_cotangent({&op, i}, k)) with_cotangent.insert(k);
    }
  }
  EXPECT_FALSE(with_cotangent.empty()) << "the rule gives nothing";
  for (const auto k : with_cotangent) {
    for (const auto& mutation : kMutations) {
      bool caught = false, tried = false;
      for (std::size_t i = 0; i < op.samples.value.size(); ++i) {
        const SampleOf s{&op, i};
        if (k >= s.sample().inputs.size() || !s.sample().inputs[k].differentiable) continue;
        const auto result = outcome(s, k, mutation);
        if (result == Outcome::changes_nothing) continue;
        tried = true;
        caught |= result == Outcome::caught;
        if (mutation.everywhere) {
          EXPECT_EQ(result, Outcome::caught) << "input " << k << ", " << mutation.name << ", sample " << i;
        }
      }
      EXPECT_EQ(caught, tried) << "input " << k << ", " << mutation.name << ": not noticed on any sample";
      if (mutation.everywhere && caught) mutated.insert(k);
    }
  }
  EXPECT_EQ(mutated, with_cotangent) << "an input with a cotangent needs a sample that is differentiable in it";
}

INSTANTIATE_TEST_SUITE_P(Ops, MutatedRule, testing::ValuesIn(ops_with_rules()),
                         [](const auto& op) { return std::string(op.param->name.value); });

// The operations that may do without a rule, by name, so that none is forgotten.
TEST(MutatedRule, OnlyComparisonsAndChoicesHaveNoRule) {
  std::set<std::string> without;
  for (const Op* op : all_ops()) {
    EXPECT_FALSE(op->samples.value.empty()) << op->name.value << " has no samples: it is not checked at all";
    if (!op->derivative.value) without.insert(std::string(op->name.value));
  }
  EXPECT_EQ(without, (std::set<std::string>{"greater", "equal", "pool_argmax", "first_max"}));
}

// The check itself.

DerivativeFunction one_per_cent_too_large(const Op& op) {
  return [rule = op.derivative.value](const Node& node, std::span<const Value> in, Value y, Value dy) {
    auto d = rule(node, in, y, dy);
    for (std::size_t k = 0; k < d.size(); ++k) {
      if (d[k]) scaled(d, k);
    }
    return d;
  };
}

class Check : public testing::Test {
 protected:
  GradcheckReport run(Value y, DerivativeFunction tanh_rule = {}) {
    GradcheckOptions options;
    if (tanh_rule) options.rules["tanh"] = std::move(tanh_rule);
    return check_gradients(g, {{y}}, {{x}}, options);
  }

  Graph g;
  Value x = g.input("x", {3});
};

TEST_F(Check, NoticesOnePartInAHundredThousand) {
  EXPECT_TRUE(run(tanh(x)).passed);
  const auto off_by = [](double factor) {
    return [=](const Node&, std::span<const Value>, Value y, Value dy) {
      const auto constant = [&](double v) { return y.graph().constant(v); };
      return Cotangents{dy * (constant(1) - y * y) * constant(factor)};
    };
  };
  EXPECT_TRUE(run(tanh(x), off_by(1)).passed);
  EXPECT_FALSE(run(tanh(x), off_by(1 + 1e-5)).passed);
}

TEST_F(Check, NoticesAMissingGradient) {
  const auto report = run(tanh(x), [](const Node&, std::span<const Value>, Value, Value) { return Cotangents{{}}; });
  EXPECT_FALSE(report.passed);
  EXPECT_TRUE(report.checks[0].missing);
  EXPECT_NE(to_string(report).find("FAILED, no gradient"), std::string::npos) << to_string(report);
}

TEST_F(Check, FailsOnNaNAndInfinity) {
  EXPECT_FALSE(run(log(x - g.constant(9))).passed);         // NaN everywhere
  EXPECT_FALSE(run(x / g.constant(0)).passed);              // infinite
  EXPECT_FALSE(run(g.constant(0) * (x / (x - x))).passed);  // 0 · NaN
}

TEST_F(Check, FailsWhenThereIsNothingToCheck) {
  EXPECT_FALSE(check_gradients(g, {}, {{x}}).passed);
  EXPECT_FALSE(check_gradients(g, {{tanh(x)}}, {}).passed);
  EXPECT_EQ(to_string(check_gradients(g, {}, {})), "nothing was checked\n");
}

TEST_F(Check, PassesAZeroGradientThatIsZero) {
  const Value y = x * g.constant(0) + g.constant(3);
  EXPECT_TRUE(run(y).passed);
  EXPECT_EQ(run(y).checks[0].largest, 0);
}

TEST_F(Check, StepsCloserToAKink) {
  GradcheckOptions options;
  options.batch = 1;
  options.ranges[x.id()] = {2e-6, 2e-6};  // the first step crosses 0, the next does not
  auto report = check_gradients(g, {{relu(x)}}, {{x}}, options);
  EXPECT_TRUE(report.passed) << to_string(report);
  EXPECT_EQ(report.checks[0].retried, 3U);
  EXPECT_EQ(report.checks[0].kinks, 0U);
}

TEST_F(Check, TakesAnyValueBetweenTheOneSidedSlopesOnAKink) {
  GradcheckOptions options;
  options.ranges[x.id()] = {0, 0};
  const auto at_zero = [&](double slope) {
    options.rules["relu"] = [=](const Node&, std::span<const Value> in, Value y, Value dy) {
      Graph& graph = y.graph();
      const Value zero = graph.constant(0);
      return Cotangents{dy *
                        select(equal(in[0], zero), graph.constant(slope), greater(in[0], zero))};  // relu'(0) = slope
    };
    return check_gradients(g, {{relu(x)}}, {{x}}, options);
  };
  for (const double slope : {0.0, 0.3, 0.5, 1.0}) {
    const auto report = at_zero(slope);
    EXPECT_TRUE(report.passed) << to_string(report);
    EXPECT_EQ(report.checks[0].kinks, 9U);
    EXPECT_NE(to_string(report).find("ok, 9 at a kink"), std::string::npos) << to_string(report);
  }
  for (const double slope : {-0.01, 1.01, 2.0}) {
    const auto report = at_zero(slope);
    EXPECT_FALSE(report.passed) << to_string(report);
  }
}

TEST_F(Check, TakesNoBendForAKink) {
  for (const double bend : {1.0, 1e3, 1e6}) {
    const Value y = tanh(x * g.constant(bend));
    GradcheckOptions options;
    options.ranges[x.id()] = {0.2 / bend, 1.5 / bend};
    const auto report = check_gradients(g, {{y}}, {{x}}, options);
    EXPECT_TRUE(report.passed) << to_string(report);
    EXPECT_EQ(report.checks[0].kinks, 0U) << to_string(report);
    options.rules["tanh"] = one_per_cent_too_large(op_tanh);
    EXPECT_FALSE(check_gradients(g, {{y}}, {{x}}, options).passed) << bend;
  }
}

TEST_F(Check, NoticesOnePerCentOfSmallAndOfLargeGradients) {
  for (const double scale : {1e-200, 1e-30, 1e-12, 1e-5, 1e5, 1e30, 1e200}) {
    const Value y = tanh(x) * g.constant(scale);
    EXPECT_TRUE(run(y).passed) << to_string(run(y));
    EXPECT_FALSE(run(y, one_per_cent_too_large(op_tanh)).passed) << scale;
    // … and of one that stands behind something much larger
    const Value behind = g.constant(std::min(scale, 1.0) * 1e3) + y * g.constant(1e-3);
    EXPECT_TRUE(run(behind).passed) << to_string(run(behind));
    EXPECT_FALSE(run(behind, one_per_cent_too_large(op_tanh)).passed) << scale;
  }
}

// z leaves little doubt, and is right: the gradient is about 1e-5.
TEST_F(Check, NoticesOnePerCentOfAnyRuleOfANearlySaturatedCrossEntropy) {
  const Value certain = concat(std::vector{g.constant(12, {1}), g.constant(0, {2})});
  const Value t = concat(std::vector{g.constant(1, {1}), g.constant(0, {2})});
  const Value loss = batch_sum(neg(sum(t * log_softmax(x + certain)))) / g.batch_size();
  const auto report = check_gradients(g, {{loss}}, {{x}});
  EXPECT_TRUE(report.passed) << to_string(report);
  EXPECT_LT(report.checks[0].largest, 1e-4);
  EXPECT_GT(report.checks[0].largest, 1e-7);
  for (const Op* op : {&op_log_softmax, &op_mul, &op_sum, &op_neg, &op_batch_sum, &op_div, &op_add}) {
    GradcheckOptions options;
    options.rules[std::string(op->name.value)] = one_per_cent_too_large(*op);
    EXPECT_FALSE(check_gradients(g, {{loss}}, {{x}}, options).passed) << op->name.value;
  }
}

// Each output is looked at by itself: a small one does not hide behind a large one.
TEST_F(Check, NoticesOnePerCentOfASmallOutputBesideALargeOne) {
  const Value small = sigmoid(x) * g.constant(1e-9), large = tanh(x);
  EXPECT_TRUE(check_gradients(g, {{small, large}}, {{x}}).passed);
  GradcheckOptions options;
  options.rules["sigmoid"] = one_per_cent_too_large(op_sigmoid);
  EXPECT_FALSE(check_gradients(g, {{small, large}}, {{x}}, options).passed);
}

TEST_F(Check, NamesTheWorstElement) {
  const auto only_the_second_wrong = [](const Node&, std::span<const Value>, Value y, Value dy) {
    Graph& graph = y.graph();
    const Value one = graph.constant(1, {1}), two = graph.constant(2, {1});
    return Cotangents{dy * (graph.constant(1) - y * y) * concat(std::vector{one, two, one})};
  };
  const auto report = run(tanh(x), only_the_second_wrong);
  const auto& check = report.checks[0];
  EXPECT_FALSE(check.passed);
  EXPECT_EQ(check.worst % 3, 1U);
  EXPECT_NEAR(check.by_rule, 2 * check.by_difference, 1e-6);
  EXPECT_EQ(check.elements, 9U);
}

TEST_F(Check, LooksAtSomeElementsOnly) {
  GradcheckOptions options;
  options.most = 4;
  const auto report = check_gradients(g, {{tanh(x)}}, {{x}}, options);
  EXPECT_TRUE(report.passed);
  EXPECT_EQ(report.checks[0].elements, 4U);
  EXPECT_EQ(report.checks[0].size, 9U);
  EXPECT_NE(to_string(report).find("4 of 9 elements"), std::string::npos) << to_string(report);
}

TEST_F(Check, RefusesWhatIsNoLeaf) {
  const Value y = tanh(x);
  EXPECT_THROW(check_gradients(g, {{exp(y)}}, {{y}}), std::logic_error);
}

}  // namespace
}  // namespace chalk
