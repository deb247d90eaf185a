// simplify() on random graphs and their gradients: the values, evaluated in double, stay what they were.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include "chalkgrad/differentiate.h"
#include "chalkgrad/error.h"
#include "chalkgrad/ops.h"
#include "src/passes/passes.h"
#include "src/passes/simplify_rules.h"
#include "src/passes/simplify_testing.h"

namespace chalk {
namespace {

constexpr std::size_t kBatch = 3;

bool fit(const Shape& a, const Shape& b) {
  for (std::size_t i = 1; i <= std::min(a.size(), b.size()); ++i) {
    const auto m = a[a.size() - i], n = b[b.size() - i];
    if (m != n && m != 1 && n != 1) return false;
  }
  return true;
}

/// Grows a graph step by step from values made before.
class Writer {
 public:
  explicit Writer(Graph& g) : g_(g) {
    for (const auto& shape : {Shape{}, Shape{4}, Shape{3, 1}, Shape{1, 4}, Shape{2, 3, 4}, Shape{2, 1, 1}}) {
      leaves_.push_back(g.input("x" + std::to_string(leaves_.size()), shape));
    }
    leaves_.push_back(g.input("t", {4}, true));
    leaves_.push_back(g.shared_input("s"));
    leaves_.push_back(g.shared_input("r", {1}));
    leaves_.push_back(g.parameter("w", {4}));
    leaves_.push_back(g.parameter("v", {3, 1}));
    made_ = leaves_;
    for (const double k : {0.0, 1.0, -1.0, 2.0, -0.5}) made_.push_back(g.constant(k));
    made_.push_back(g.constant(3, {3, 4}));
    made_.push_back(g.batch_size());
  }

  const std::vector<Value>& leaves() const { return leaves_; }

  Value step() {
    try {
      const Value y = write();
      if (elements(y.shape()) <= 200) made_.push_back(y);
    } catch (const ShapeError&) {  // three operands that fit in pairs only
    }
    return made_.back();
  }

 private:
  static std::int64_t pick(std::int64_t n) { return *rc::gen::inRange<std::int64_t>(0, n); }

  /// Any value; the newest ones are as likely as all the others together, so that expressions get deep.
  Value any() const {
    const auto n = static_cast<std::int64_t>(made_.size());
    const auto back = pick(2) == 0 ? pick(std::min<std::int64_t>(n, 4)) : pick(n);
    return made_[static_cast<std::size_t>(n - 1 - back)];
  }
  /// A value that broadcasts with x.
  Value partner(Value x) const {
    const Value y = any();
    return fit(x.shape(), y.shape()) ? y : leaves_[0];
  }
  Value leaf() const { return leaves_[static_cast<std::size_t>(pick(static_cast<std::int64_t>(leaves_.size())))]; }
  /// A value that is positive (the leaves are).
  Value positive(Value like) const {
    const Value y = leaf();
    if (!fit(y.shape(), like.shape())) return leaves_[0];
    return pick(3) == 0 ? exp(tanh(y)) : y;
  }

  static std::vector<std::int64_t> axes_of(const Shape& shape) {
    std::vector<std::int64_t> axes;
    for (std::size_t d = 0; d < shape.size(); ++d) {
      if (pick(2)) axes.push_back(static_cast<std::int64_t>(d));
    }
    return axes;
  }

  Value write() {
    const Value x = any();
    const Shape shape = x.shape();
    const auto rank = static_cast<std::int64_t>(shape.size());
    switch (pick(24)) {
      case 0:
      case 1:
        return x + partner(x);
      case 2:
      case 3:
        return x - partner(x);
      case 4:
      case 5:
      case 6:
        return x * partner(x);
      case 7:
      case 8:
        return x / positive(x);
      case 9:
        return neg(x);
      case 10:
        return relu(x);
      case 11:
        return tanh(x);
      case 12:
        return exp(tanh(x));
      case 13:
        return rank ? softmax(x, pick(rank)) : sigmoid(x);
      case 14:
        return rank ? log_softmax(x, pick(rank)) : log(positive(x));
      case 15:
        return rank ? log(softmax(tanh(x), pick(rank))) : sqrt(positive(x));
      case 16:
      case 17:
        return sum(x, axes_of(shape), pick(2) == 1);
      case 18:
        return pick(2) ? mean(x, axes_of(shape), pick(2) == 1) : max(x, axes_of(shape), pick(2) == 1);
      case 19:
        return select(greater(leaf_like(x), g_.constant(1)), x, partner(x));
      case 20:
        return fit(shape, {2, 3, 4}) ? broadcast(x, {2, 3, 4}) : reshape(x, {elements(shape)});
      case 21:
        return pick(2) ? reshape(x, {1, elements(shape)}) : pick(2) ? transpose(x) : reverse(x, axes_of(shape));
      case 22:
        return x.batched() ? batch_sum(x) : batch_broadcast(x);
      default:
        return pick(2) ? x * positive(x) : positive(x) * (partner(x) - x / positive(x));
    }
  }
  Value leaf_like(Value x) const {
    const Value y = leaf();
    return fit(x.shape(), y.shape()) && fit(y.shape(), x.shape()) ? y : leaves_[0];
  }

  Graph& g_;
  std::vector<Value> leaves_, made_;
};

/// Fails the property if simplification changes a result by more than rounding.
void check(const Graph& before) {
  const Graph after = simplify(before);
  after.verify();
  RC_ASSERT(simplify(after).print() == after.print());
  const auto fed = testing::some_values(before, kBatch, 0.5, 2, *rc::gen::inRange(1u, 1000u));
  double largest = 1;
  const auto expected = testing::evaluate(before, fed, kBatch, &largest);
  RC_PRE(largest < 1e6);  // finite, and no cancellation of huge terms
  const auto found = testing::evaluate(after, fed, kBatch);
  for (const auto& [name, values] : expected) {
    const auto& other = found.at(name);
    RC_ASSERT(other.size() == values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (std::abs(other[i] - values[i]) <= 1e-9 * largest) continue;
      RC_FAIL(name + ": " + std::to_string(values[i]) + " became " + std::to_string(other[i]) + " in\n" +
              before.print() + "\nthat is\n" + after.print());
    }
  }
}

/// The rules that know of a result without looking at all that goes into it, as simplify_rules.inc says.
constexpr std::array<std::string_view, 6> kCancelling{"mul_quotient",   "mul_distribute", "div_product",
                                                      "add_deviations", "sub_deviations", "sum_softmax"};

/// Fails the property if a NaN in one element of one leaf is lost or spreads, but by a rule that cancels.
void check_nan(const Graph& before) {
  std::vector<Rule> rules;
  for (const auto& rule : simplify_rules()) {
    if (std::ranges::find(kCancelling, rule.name) == kCancelling.end()) rules.push_back(rule);
  }
  const Graph after = simplify_by(before, rules);
  auto fed = testing::some_values(before, kBatch);
  auto leaf = std::next(fed.begin(), *rc::gen::inRange<std::ptrdiff_t>(0, static_cast<std::ptrdiff_t>(fed.size())));
  if (leaf->first == "t") return;  // a distribution has no NaN
  leaf->second[*rc::gen::inRange<std::size_t>(0, leaf->second.size())] = std::numeric_limits<double>::quiet_NaN();
  const auto expected = testing::evaluate(before, fed, kBatch), found = testing::evaluate(after, fed, kBatch);
  for (const auto& [name, values] : expected) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (std::isnan(found.at(name)[i]) == std::isnan(values[i])) continue;
      RC_FAIL("with a NaN in " + leaf->first + ", " + name + " is " + std::to_string(values[i]) + ", and then " +
              std::to_string(found.at(name)[i]) + " in\n" + before.print() + "\nthat is\n" + after.print());
    }
  }
}

Graph expressions() {
  Graph g;
  Writer writer(g);
  const auto steps = *rc::gen::inRange(1, 13);
  for (int i = 0; i < steps; ++i) g.output("y" + std::to_string(i), writer.step());
  return g;
}

Graph gradients_of_expressions() {
  Graph g;
  Writer writer(g);
  const auto steps = *rc::gen::inRange(1, 9);
  Value y;
  for (int i = 0; i < steps; ++i) y = writer.step();
  Value loss = sum(tanh(y));
  if (loss.batched()) loss = batch_sum(loss) / g.batch_size();
  const auto d = gradients(loss, writer.leaves());
  for (std::size_t i = 0; i < d.size(); ++i) g.output("d " + std::to_string(i), d[i]);
  return g;
}

RC_GTEST_PROP(SimplifyRandom, ExpressionsKeepTheirValues, ()) { check(expressions()); }
RC_GTEST_PROP(SimplifyRandom, GradientsKeepTheirValues, ()) { check(gradients_of_expressions()); }
RC_GTEST_PROP(SimplifyRandom, ExpressionsKeepNaN, ()) { check_nan(expressions()); }
RC_GTEST_PROP(SimplifyRandom, GradientsKeepNaN, ()) { check_nan(gradients_of_expressions()); }

}  // namespace
}  // namespace chalk
