// Each rule of simplify_rules.inc on a small expression.
#include "src/passes/simplify_rules.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "src/passes/simplify_testing.h"

namespace chalk {
namespace {

/// Values to write expressions with. x, y, a, b are batched vectors of 4.
struct Leaves {
  Graph& g;
  Value x = g.input("x", {4}), y = g.input("y", {4}), a = g.input("a", {4}), b = g.input("b", {4});
  Value t = g.input("t", {4}, true);                               // a distribution
  Value u = g.input("u", {});                                      // batched scalar
  Value m = g.input("m", {2, 4, 4}), w = g.input("w", {2, 2, 2});  // an image, and one of its pooled size
  Value q = g.input("q", {2, 1, 1}), row = g.input("row", {1, 4}), column = g.input("column", {3, 1});
  Value s = g.shared_input("s"), r = g.shared_input("r"), v = g.parameter("v", {4});  // shared
  Value k(double value, Shape shape = {}) const { return g.constant(value, std::move(shape)); }
};

struct Example {
  const char* rule;
  Value (*write)(const Leaves& l);
  const char* simplified;
};
void PrintTo(const Example& e, std::ostream* out) { *out << "an example of " << e.rule; }

const Example kExamples[] = {
    {"fold_elementwise", [](const Leaves& l) { return (l.k(2) + l.k(3)) * l.s; }, "mul(5, s)"},
    {"fold_shape",
     [](const Leaves& l) {
       return outer(l.x, reshape(l.k(3, {2, 1}), {2}));
     },
     "outer(x, 3[2])"},
    {"fold_shape", [](const Leaves& l) { return outer(l.x, slice(l.k(3, {9}), {1}, {3})); }, "outer(x, 3[2])"},
    {"fold_reduction", [](const Leaves& l) { return l.s * sum(l.k(0.5, {6})); }, "mul(3, s)"},
    {"fold_reduction", [](const Leaves& l) { return l.s * mean(l.k(0.5, {6})); }, "mul(0.5, s)"},

    {"reshape_same", [](const Leaves& l) { return outer(l.y, reshape(l.x, {4})); }, "outer(y, x)"},
    {"reshape_reshape",
     [](const Leaves& l) {
       return reshape(reshape(l.m, {8, 4}), {32});
     },
     "reshape(m; shape=[32])"},
    {"reshape_quotient",
     [](const Leaves& l) {
       return reshape(reshape(l.m, {32}) / reshape(l.m * l.m, {32}), {2, 4, 4});
     },
     "div(m, mul(m, m))"},
    {"reshape_broadcast_scalar",
     [](const Leaves& l) {
       return reshape(broadcast(l.u, {2, 3}), {6});
     },
     "broadcast(u; shape=[6])"},
    {"broadcast_same",
     [](const Leaves& l) {
       return broadcast(l.x, {1, 4});
     },
     "reshape(x; shape=[1, 4])"},
    {"broadcast_broadcast",
     [](const Leaves& l) {
       return broadcast(broadcast(l.x, {3, 4}), {2, 3, 4});
     },
     "broadcast(x; shape=[2, 3, 4])"},
    {"broadcast_reshape",
     [](const Leaves& l) {
       return broadcast(reshape(l.x, {1, 4}), {3, 4});
     },
     "broadcast(x; shape=[3, 4])"},
    {"transpose_same",
     [](const Leaves& l) {
       return neg(transpose(l.m, {0, 1, 2}));
     },
     "neg(m)"},
    {"transpose_transpose",
     [](const Leaves& l) {
       return transpose(transpose(l.q, {1, 2, 0}), {1, 0, 2});
     },
     "transpose(q; permutation=[2, 1, 0])"},
    {"fold_shape", [](const Leaves& l) { return outer(l.x, reverse(l.k(3, {2}))); }, "outer(x, 3[2])"},
    {"reverse_reverse",
     [](const Leaves& l) {
       return neg(reverse(reverse(l.m), {0, 1, 2}));
     },
     "neg(m)"},
    {"any_batch_broadcast", [](const Leaves& l) { return tanh(batch_broadcast(l.v)); }, "batch_broadcast(tanh(v))"},
    {"any_batch_broadcast", [](const Leaves& l) { return outer(batch_broadcast(l.v), l.v); },
     "batch_broadcast(outer(v, v))"},
    {"elementwise_batch_broadcast", [](const Leaves& l) { return l.x + batch_broadcast(l.v); }, "add(x, v)"},
    {"elementwise_broadcast", [](const Leaves& l) { return broadcast(l.s, {4}) + l.x; }, "add(s, x)"},
    {"elementwise_broadcast",
     [](const Leaves& l) {
       return tanh(broadcast(l.x, {3, 4}));
     },
     "broadcast(tanh(x); shape=[3, 4])"},
    {"elementwise_broadcast",
     [](const Leaves& l) {
       return broadcast(l.row, {3, 4}) + broadcast(l.column, {3, 4});
     },
     "add(row, column)"},
    {"elementwise_broadcast", [](const Leaves& l) { return l.x + l.k(2, {4}); }, "add(x, 2)"},
    {"elementwise_reshape", [](const Leaves& l) { return reshape(l.u, {1}) + l.x; }, "add(u, x)"},
    {"elementwise_reshape",
     [](const Leaves& l) {
       return l.column + reshape(l.x, {1, 4});
     },
     "add(column, x)"},

    {"neg_neg", [](const Leaves& l) { return tanh(neg(neg(l.x))); }, "tanh(x)"},
    {"neg_sub", [](const Leaves& l) { return neg(l.a - l.b); }, "sub(b, a)"},
    {"neg_scaled", [](const Leaves& l) { return neg(l.k(2) * l.x); }, "mul(-2, x)"},
    {"mul_neg", [](const Leaves& l) { return l.a * neg(l.b); }, "neg(mul(a, b))"},
    {"mul_neg", [](const Leaves& l) { return neg(l.a) * neg(l.b); }, "mul(a, b)"},
    {"div_neg", [](const Leaves& l) { return neg(l.a) / l.b; }, "neg(div(a, b))"},
    {"div_neg", [](const Leaves& l) { return neg(l.a) / neg(l.b); }, "div(a, b)"},
    {"add_neg", [](const Leaves& l) { return l.a + neg(l.b); }, "sub(a, b)"},
    {"add_neg", [](const Leaves& l) { return neg(l.a) + l.b; }, "sub(b, a)"},
    {"add_negative", [](const Leaves& l) { return l.a + l.k(-2) * l.b; }, "sub(a, mul(2, b))"},
    {"add_negative", [](const Leaves& l) { return l.k(-2) * l.a + l.b; }, "sub(b, mul(2, a))"},
    {"sub_neg", [](const Leaves& l) { return l.a - neg(l.b); }, "add(a, b)"},
    {"sub_neg", [](const Leaves& l) { return neg(l.a) - l.b; }, "neg(add(a, b))"},
    {"sub_negative", [](const Leaves& l) { return l.a - l.k(-3); }, "add(a, 3)"},
    {"reshape_neg",
     [](const Leaves& l) {
       return reshape(neg(l.x), {2, 2});
     },
     "neg(reshape(x; shape=[2, 2]))"},
    {"sum_neg", [](const Leaves& l) { return sum(neg(l.m), {1}, true); }, "neg(sum(m; axes=[1] keep=true))"},
    {"batch_sum_neg", [](const Leaves& l) { return batch_sum(neg(l.x)); }, "neg(batch_sum(x))"},

    {"add_zero", [](const Leaves& l) { return tanh(l.x + l.k(0)); }, "tanh(x)"},
    {"add_zero",
     [](const Leaves& l) {
       return l.k(0, {3, 4}) + l.x;
     },
     "broadcast(x; shape=[3, 4])"},
    {"add_same", [](const Leaves& l) { return l.x + l.x; }, "mul(2, x)"},
    {"add_repeated", [](const Leaves& l) { return l.a + l.b + l.b; }, "add(a, mul(2, b))"},
    {"sub_repeated", [](const Leaves& l) { return l.a - l.b - l.b; }, "sub(a, mul(2, b))"},
    {"sub_zero", [](const Leaves& l) { return l.k(0) - l.x; }, "neg(x)"},
    {"sub_zero", [](const Leaves& l) { return tanh(l.x - l.k(0)); }, "tanh(x)"},
    {"mul_one", [](const Leaves& l) { return tanh(l.x * l.k(1)); }, "tanh(x)"},
    {"mul_one",
     [](const Leaves& l) {
       return l.x * l.k(1, {3, 4});
     },
     "broadcast(x; shape=[3, 4])"},
    {"mul_minus_one", [](const Leaves& l) { return l.k(-1) * l.x; }, "neg(x)"},
    {"mul_zero", [](const Leaves& l) { return l.k(0) * greater(l.x, l.y); }, "batch_broadcast(0[4])"},
    {"mul_zero", [](const Leaves& l) { return l.x + select(l.y, l.t, l.k(1)) * l.k(0); }, "x"},
    {"div_factor", [](const Leaves& l) { return tanh(l.x / l.k(1)); }, "tanh(x)"},
    {"div_zero", [](const Leaves& l) { return l.s + l.k(0) / l.g.batch_size(); }, "s"},

    {"mul_quotient", [](const Leaves& l) { return l.a / l.b * l.b; }, "a"},
    {"mul_quotient", [](const Leaves& l) { return l.b * (l.s / l.b); }, "batch_broadcast(broadcast(s; shape=[4]))"},
    {"mul_distribute", [](const Leaves& l) { return l.b * (l.a - l.x / l.b); }, "sub(mul(a, b), x)"},
    {"mul_distribute", [](const Leaves& l) { return (l.x / l.b - l.k(1)) * l.b; }, "sub(x, b)"},
    {"mul_distribute", [](const Leaves& l) { return l.b * (l.a + l.s * (l.x / l.b)); }, "add(mul(a, b), mul(s, x))"},
    {"mul_quotients", [](const Leaves& l) { return l.a / l.x * (l.x * l.b); }, "mul(a, b)"},
    {"mul_quotients", [](const Leaves& l) { return l.b * l.x * (l.s * (l.a / l.x)); }, "mul(s, mul(a, b))"},
    {"mul_quotients", [](const Leaves& l) { return l.b * l.x * (l.a / l.x - l.y / l.b); }, "sub(mul(a, b), mul(y, x))"},
    {"mul_quotients", [](const Leaves& l) { return (l.a / l.b + l.y / l.x) * (l.x * l.b); },
     "add(mul(a, x), mul(y, b))"},
    {nullptr, [](const Leaves& l) { return l.b * l.x * (l.a / l.x - l.y / l.a); },
     "mul(mul(b, x), sub(div(a, x), div(y, a)))"},
    {"sub_complements", [](const Leaves& l) { return (l.k(1) - l.b) * l.a - l.b * (l.k(1) - l.a); }, "sub(a, b)"},
    {"div_product", [](const Leaves& l) { return l.a * l.b / l.b; }, "a"},

    {"mul_factor_first", [](const Leaves& l) { return l.x * l.s; }, "mul(s, x)"},
    {"mul_factors", [](const Leaves& l) { return l.s * (l.r * l.x); }, "mul(mul(s, r), x)"},
    {"mul_factors", [](const Leaves& l) { return l.k(2) * (l.k(3) * l.x); }, "mul(6, x)"},
    {"mul_factors", [](const Leaves& l) { return l.r * (l.k(3) * l.s); }, "mul(3, mul(r, s))"},
    {"mul_factor_out", [](const Leaves& l) { return l.x * (l.s * l.y); }, "mul(s, mul(x, y))"},
    {"mul_factor_out", [](const Leaves& l) { return (l.s * l.x) * (l.r * l.y); }, "mul(mul(s, r), mul(x, y))"},
    {"mul_factor_first", [](const Leaves& l) { return l.x * l.v; }, "mul(v, x)"},
    {"mul_factors", [](const Leaves& l) { return l.s * (l.v * l.x); }, "mul(mul(s, v), x)"},
    {"mul_factor_out", [](const Leaves& l) { return l.x * (l.v * l.y); }, "mul(v, mul(x, y))"},
    {"mul_negative_difference", [](const Leaves& l) { return l.k(-2) * (l.a - l.b); }, "mul(2, sub(b, a))"},
    {"div_factor", [](const Leaves& l) { return l.x / l.s; }, "mul(div(1, s), x)"},
    {"div_factor", [](const Leaves& l) { return l.x / l.k(4); }, "mul(0.25, x)"},
    {"div_factor_out", [](const Leaves& l) { return (l.s * l.x) / l.y; }, "mul(s, div(x, y))"},
    {"div_factor_out", [](const Leaves& l) { return (l.k(2) * l.s) / l.r; }, "mul(2, div(s, r))"},
    {"div_factor", [](const Leaves& l) { return l.x / l.v; }, "mul(div(1, v), x)"},
    {"div_factor_out", [](const Leaves& l) { return (l.v * l.x) / l.y; }, "mul(v, div(x, y))"},
    {"div_constant_out", [](const Leaves& l) { return l.x / (l.k(2) * l.y); }, "mul(0.5, div(x, y))"},
    {"add_factor", [](const Leaves& l) { return l.s * l.a + l.s * l.b; }, "mul(s, add(a, b))"},
    {"add_factor", [](const Leaves& l) { return l.s + l.s * l.b; }, "mul(s, add(1, b))"},
    {"sub_factor", [](const Leaves& l) { return l.s * l.a - l.b * l.s; }, "mul(s, sub(a, b))"},
    {"sub_factor", [](const Leaves& l) { return l.k(2) * l.a - l.k(2); }, "mul(2, sub(a, 1))"},
    {"reshape_scaled",
     [](const Leaves& l) {
       return reshape(l.s * l.x, {2, 2});
     },
     "mul(s, reshape(x; shape=[2, 2]))"},

    {"sum_all_axes",
     [](const Leaves& l) {
       return sum(l.m, {0, 1, 2});
     },
     "sum(m)"},
    {"sum_of_one",
     [](const Leaves& l) {
       return sum(l.q, {1, 2});
     },
     "reshape(q; shape=[2])"},
    {"sum_of_one", [](const Leaves& l) { return tanh(sum(l.u)); }, "tanh(u)"},
    {"sum_distribution", [](const Leaves& l) { return l.x * sum(l.t, {0}, true); }, "x"},
    {"sum_softmax", [](const Leaves& l) { return l.x * sum(softmax(l.x)); }, "x"},
    {"sum_softmax", [](const Leaves& l) { return l.m * sum(softmax(l.m, 1), {1}, true); }, "m"},
    {"sum_broadcast",
     [](const Leaves& l) {
       return sum(broadcast(l.u, {2, 5}));
     },
     "mul(10, u)"},
    {"sum_broadcast",
     [](const Leaves& l) {
       return sum(broadcast(l.x, {3, 4}), {0});
     },
     "mul(3, x)"},
    {"sum_broadcast",
     [](const Leaves& l) {
       return sum(broadcast(l.column, {2, 3, 4}), {1, 2});
     },
     "broadcast(mul(4, reshape(sum(column); shape=[1])); shape=[2])"},
    {"sum_broadcast",
     [](const Leaves& l) {
       return sum(broadcast(l.column, {2, 3, 4}), {0}, true);
     },
     "broadcast(mul(2, reshape(column; shape=[1, 3, 1])); shape=[1, 3, 4])"},
    {"sum_of_reshape",
     [](const Leaves& l) {
       return sum(reshape(l.m, {8, 4}));
     },
     "sum(m)"},
    {"sum_scaled", [](const Leaves& l) { return sum(l.s * l.x); }, "mul(s, sum(x))"},
    {"sum_scaled", [](const Leaves& l) { return sum(l.u * l.x, {0}, true); }, "mul(u, sum(x; keep=true))"},
    {"sum_scaled",
     [](const Leaves& l) {
       return sum(l.m * l.q, {1, 2});
     },
     "mul(reshape(q; shape=[2]), sum(m; axes=[1, 2]))"},
    {"sum_scaled", [](const Leaves& l) { return sum(l.x * l.column, {0}); }, "mul(x, sum(column; axes=[0]))"},
    {"sum_divided",
     [](const Leaves& l) {
       return sum(l.m / l.q, {1, 2});
     },
     "div(sum(m; axes=[1, 2]), reshape(q; shape=[2]))"},
    {"sum_divided", [](const Leaves& l) { return sum(l.x / l.u); }, "div(sum(x), u)"},

    {"batch_sum_same", [](const Leaves& l) { return batch_sum(batch_broadcast(l.v)); }, "mul(N, v)"},
    {"batch_sum_scaled", [](const Leaves& l) { return batch_sum(l.x * l.v); }, "mul(v, batch_sum(x))"},
    {"batch_sum_reshape",
     [](const Leaves& l) {
       return batch_sum(reshape(l.x, {2, 2}));
     },
     "reshape(batch_sum(x); shape=[2, 2])"},
    {"add_deviations",
     [](const Leaves& l) {
       const Value mu = batch_sum(mean(l.m, {1, 2}, true)) / l.g.batch_size();
       return l.s + sum(l.v) * sum(batch_sum(sum(l.m - mu, {1, 2})));
     },
     "s"},
    {"add_deviations", [](const Leaves& l) { return l.r * batch_sum(l.x - batch_sum(l.x) / l.g.batch_size()) + l.v; },
     "v"},
    {"sub_deviations", [](const Leaves& l) { return l.v - batch_sum(l.x - batch_sum(l.x) / l.g.batch_size()); }, "v"},
    {"sub_deviations", [](const Leaves& l) { return l.r * batch_sum(l.x - batch_sum(l.x) / l.g.batch_size()) - l.v; },
     "neg(v)"},
    {"batch_sum_stretched",
     [](const Leaves& l) {
       return batch_sum(broadcast(l.x, {3, 4}));
     },
     "broadcast(batch_sum(x); shape=[3, 4])"},

    {"log_of_softmax", [](const Leaves& l) { return log(softmax(l.m, 1)); }, "log_softmax(m; axis=1)"},
    {"log_of_softmax", [](const Leaves& l) { return log(reshape(softmax(l.m, 1), {32})); },
     "reshape(log_softmax(m; axis=1); shape=[32])"},
    {"log_of_sigmoid", [](const Leaves& l) { return l.x - log(sigmoid(l.y)); }, "add(x, softplus(neg(y)))"},
    {"log_of_sigmoid", [](const Leaves& l) { return l.x - log(l.k(1) - sigmoid(l.y)); }, "add(x, softplus(y))"},
    {"exp_of_log_softmax", [](const Leaves& l) { return exp(log_softmax(l.m, 1)); }, "softmax(m; axis=1)"},
    {"relu_relu", [](const Leaves& l) { return relu(relu(l.x)); }, "relu(x)"},
    {"select_same", [](const Leaves& l) { return select(l.x, l.y, l.y); }, "y"},
    {"select_constant", [](const Leaves& l) { return select(l.k(1), l.x, l.y); }, "x"},
    {"select_constant", [](const Leaves& l) { return select(l.k(0), l.x, l.y); }, "y"},
    {"select_select", [](const Leaves& l) { return select(l.x, select(l.x, l.a, l.y), l.b); }, "select(x, a, b)"},
    {"select_select", [](const Leaves& l) { return select(l.x, l.a, select(l.x, l.y, l.b)); }, "select(x, a, b)"},

    {"gather_argmax", [](const Leaves& l) { return pool_gather(l.m, pool_argmax(l.m)); }, "max_pool(m)"},
    {"relu_mask_of_scatter",
     [](const Leaves& l) {
       return select(greater(l.m, l.k(0)), pool_scatter(l.w, pool_argmax(l.m), {2, 4, 4}), l.k(0));
     },
     "pool_scatter(select(greater(max_pool(m), 0), w, 0), pool_argmax(m); shape=[2, 4, 4])"},
    {"sum_of_scatter",
     [](const Leaves& l) {
       return sum(pool_scatter(l.w, pool_argmax(l.m), {2, 4, 4}), {1, 2});
     },
     "sum(w; axes=[1, 2])"},

    // What looks like a rule but must stay as it is.
    {nullptr, [](const Leaves& l) { return l.x / l.k(0); }, "div(x, 0)"},
    {nullptr, [](const Leaves& l) { return log(l.k(0)) * l.s; }, "mul(log(0), s)"},
    {nullptr, [](const Leaves& l) { return exp(log(l.x)); }, "exp(log(x))"},
    {nullptr, [](const Leaves& l) { return l.a + (l.b + l.x); }, "add(a, add(b, x))"},
    {nullptr, [](const Leaves& l) { return sum(sum(l.m, {1, 2})); }, "sum(sum(m; axes=[1, 2]))"},
    {nullptr, [](const Leaves& l) { return sum(l.x * l.y); }, "sum(mul(x, y))"},
    {nullptr, [](const Leaves& l) { return sum(l.m * l.q, {0}); }, "sum(mul(m, q); axes=[0])"},
    {nullptr, [](const Leaves& l) { return sum(softmax(l.m, 1), {2}); }, "sum(softmax(m; axis=1); axes=[2])"},
    {nullptr, [](const Leaves& l) { return sum(softmax(l.m, 1)); }, "sum(softmax(m; axis=1))"},
    {nullptr, [](const Leaves& l) { return l.a + l.b - l.b; }, "sub(add(a, b), b)"},  // rounds on purpose, perhaps
    {nullptr, [](const Leaves& l) { return sum(l.x); }, "sum(x)"},
    {nullptr, [](const Leaves& l) { return l.m * (l.x * l.v); }, "mul(m, mul(v, x))"},  // v in front: more products
    {nullptr, [](const Leaves& l) { return l.s * l.a - l.r * l.b; }, "sub(mul(s, a), mul(r, b))"},
    {nullptr, [](const Leaves& l) { return batch_sum(l.x * l.y); }, "batch_sum(mul(x, y))"},
    {nullptr, [](const Leaves& l) { return neg(reshape(l.u, {1})); }, "neg(reshape(u; shape=[1]))"},
    {nullptr, [](const Leaves& l) { return log_softmax(l.m, 1) - log(softmax(l.m, 2)); },
     "sub(log_softmax(m; axis=1), log_softmax(m; axis=2))"},
    {nullptr, [](const Leaves& l) { return pool_gather(l.m, pool_argmax(neg(l.m))); },
     "pool_gather(m, pool_argmax(neg(m)))"},
    {nullptr, [](const Leaves& l) { return sum(pool_scatter(l.w, pool_argmax(l.m), {2, 4, 4}), {0, 1}); },
     "sum(pool_scatter(w, pool_argmax(m); shape=[2, 4, 4]); axes=[0, 1])"},
    {nullptr,
     [](const Leaves& l) {  // the mask is of another value than the one that was pooled
       return select(greater(l.m, l.k(0)), pool_scatter(l.w, pool_argmax(neg(l.m)), {2, 4, 4}), l.k(0));
     },
     "select(greater(m, 0), pool_scatter(w, pool_argmax(neg(m)); shape=[2, 4, 4]), 0)"},
};

std::string simplified(const Graph& g, std::span<const Rule> rules,
                       std::map<std::string_view, int>* applied = nullptr) {
  const Graph result = simplify_by(g, rules, applied);
  result.verify();
  return testing::output_expression(result, "result");
}

class SimplifyRule : public ::testing::TestWithParam<Example> {};

TEST_P(SimplifyRule, RewritesItsExample) {
  const Example& example = GetParam();
  Graph g;
  const Leaves leaves{g};
  g.output("result", example.write(leaves));

  std::map<std::string_view, int> applied;
  EXPECT_EQ(simplified(g, simplify_rules(), &applied), example.simplified);
  if (!example.rule) return;
  EXPECT_GT(applied[example.rule], 0);

  std::vector<Rule> others;
  for (const auto& rule : simplify_rules()) {
    if (rule.name != example.rule) others.push_back(rule);
  }
  EXPECT_NE(simplified(g, others), example.simplified) << "the example does not need its rule";
}

TEST_P(SimplifyRule, KeepsTheValues) {
  Graph g;
  const Leaves leaves{g};
  g.output("result", GetParam().write(leaves));
  const Graph after = simplify_by(g, simplify_rules());
  const auto fed = testing::some_values(g, 3);
  const auto expected = testing::evaluate(g, fed, 3)["result"], found = testing::evaluate(after, fed, 3)["result"];
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (std::isfinite(expected[i]) || std::isfinite(found[i])) {
      EXPECT_NEAR(found[i], expected[i], 1e-12);
    }
  }
}

std::string name_of(const ::testing::TestParamInfo<Example>& info) {
  return (info.param.rule ? std::string(info.param.rule) : "stays") + "_" + std::to_string(info.index);
}
INSTANTIATE_TEST_SUITE_P(All, SimplifyRule, ::testing::ValuesIn(kExamples), name_of);

TEST(SimplifyRules, EachHasAnExample) {
  std::set<std::string_view> shown;
  for (const auto& example : kExamples) {
    if (example.rule) shown.insert(example.rule);
  }
  for (const auto& rule : simplify_rules()) EXPECT_TRUE(shown.contains(rule.name)) << rule.name;
  EXPECT_EQ(shown.size(), simplify_rules().size());
}

}  // namespace
}  // namespace chalk
