// Every loss of the list: its value against the formula in plain numbers, its gradient against differences.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <optional>

#include "chalkgrad/error.h"
#include "chalkgrad/gradcheck.h"
#include "chalkgrad/ops.h"
#include "chalkgrad/program.h"
#include "src/base/text.h"
#include "src/losses/logits_testing.h"
#include "src/losses/loss.h"
#include "src/passes/passes.h"
#include "src/run/reference.h"

namespace chalk {
namespace {

using Numbers = std::vector<double>;

double sum_over(const Numbers& y, const Numbers& t, const std::function<double(double, double)>& term) {
  double sum = 0;
  for (std::size_t i = 0; i < y.size(); ++i) sum += term(y[i], t[i]);
  return sum;
}

double log_softmax_of(const Numbers& y, double one) {
  double sum = 0;
  for (const double v : y) sum += std::exp(v);
  return one - std::log(sum);
}

/// The formulas as the text books write them. A loss that is added to the list needs a line here.
double expected(const Loss& loss, const Numbers& y, const Numbers& t) {
  const auto n = static_cast<double>(y.size());
  const auto label = static_cast<std::size_t>(std::ranges::max_element(t) - t.begin());
  switch (loss.kind()) {
    case Loss::cross_entropy:
      return -sum_over(y, t, [&](double v, double target) { return target * log_softmax_of(y, v); });
    case Loss::log_likelihood:
      return sum_over(y, t, [&](double v, double target) { return target * log_softmax_of(y, v); });
    case Loss::focal:
      return -sum_over(y, t, [&](double v, double target) {
        const double ln_p = log_softmax_of(y, v), other = 1 - std::exp(ln_p);
        return target * other * other * ln_p;
      });
    case Loss::pixel_cross_entropy:  // of one place
      return -log_softmax_of(y, y[label]);
    case Loss::kl_divergence:
      return sum_over(y, t, [&](double v, double target) {
        return target == 0 ? 0 : target * (std::log(target) - log_softmax_of(y, v));
      });
    case Loss::multi_class_margin: {
      double sum = 0;
      for (std::size_t i = 0; i < y.size(); ++i) sum += i == label ? 0 : std::max(0.0, 1 - y[label] + y[i]);
      return sum / n;
    }
    case Loss::sigmoid_cross_entropy:
      return -sum_over(y, t, [](double v, double target) {
        const double p = 1 / (1 + std::exp(-v));
        return target * std::log(p) + (1 - target) * std::log(1 - p);
      });
    case Loss::hinge:
      return sum_over(y, t, [](double v, double target) { return std::max(0.0, target > 0 ? 1 - v : 1 + v); }) / n;
    case Loss::binary_cross_entropy:
      return -sum_over(y, t,
                       [](double v, double target) { return target * std::log(v) + (1 - target) * std::log(1 - v); });
    case Loss::squared_error:
      return sum_over(y, t, [](double v, double target) { return (target - v) * (target - v) / 2; });
    case Loss::sum_of_squares:
      return sum_over(y, t, [](double v, double target) { return (target - v) * (target - v); });
    case Loss::mean_squared_error:
      return sum_over(y, t, [](double v, double target) { return (target - v) * (target - v); }) / n;
    case Loss::mean_absolute_error:
      return sum_over(y, t, [](double v, double target) { return std::abs(target - v); }) / n;
    case Loss::huber:
    case Loss::smooth_l1:  // the same for δ = β = 1
      return sum_over(y, t,
                      [](double v, double target) {
                        const double d = std::abs(target - v);
                        return d <= 1 ? d * d / 2 : d - 0.5;
                      }) /
             n;
    case Loss::gaussian_log_likelihood:
      return sum_over(y, t, [](double v, double target) { return -(target - v) * (target - v) / 2; });
  }
  return std::nan("");
}

struct Case {
  /// A loss of places is given one place, whose label is the class that has most of t.
  Case(const Loss& loss, Numbers y, Numbers t) {
    const bool of_places = definition_of(loss).target.value == Target::places;
    Shape shape{static_cast<std::int64_t>(y.size())};
    if (of_places) shape = {shape[0], 1, 1};
    output = graph.input("y", shape);
    target = graph.input("t", target_shape(loss, shape), of_classes(loss));
    value = sample_loss(loss, output, target).loss;
    ys = std::move(y);
    ts = of_places ? Numbers{static_cast<double>(std::ranges::max_element(t) - t.begin())} : std::move(t);
  }
  double evaluated() {
    Reference reference(graph, 1);
    reference.set(output.id(), ys);
    reference.set(target.id(), ts);
    reference.run();
    return reference.value(value.id()).at(0);
  }
  Graph graph;
  Value output, target, value;
  Numbers ys, ts;
};

TEST(Losses, AreWhatTheirFormulasSay) {
  for (const Loss& loss : all_losses()) {
    for (const auto& y : {Numbers{0.2, 0.7, 0.4}, Numbers{0.9, 0.05, 0.5}}) {
      const bool one_class = definition_of(loss).target.value == Target::one_class;
      const Numbers t = one_class ? Numbers{0, 1, 0} : Numbers{0.1, 0.7, 0.2};
      EXPECT_NEAR(Case(loss, y, t).evaluated(), expected(loss, y, t), 1e-14) << name_of(loss);
    }
  }
}

TEST(Losses, HaveGradientsThatAgreeWithDifferences) {
  for (const Loss& loss : all_losses()) {
    Case c(loss, Numbers(4), Numbers(4));
    GradcheckOptions options;
    options.ranges[c.output.id()] = {.low = 0.05, .high = 0.95};
    options.ranges[c.target.id()] = {.low = 0, .high = 1};
    if (definition_of(loss).target.value == Target::places)
      options.ranges[c.target.id()] = {.low = 0, .high = 3, .grid = 1};
    const auto report = check_gradients(c.graph, {{c.value}}, {{c.output}}, options);
    EXPECT_TRUE(report.passed) << name_of(loss) << "\n" << to_string(report);
    EXPECT_GT(report.checks.at(0).largest, 1e-3) << name_of(loss);
  }
}

TEST(Losses, ThatAreMaximisedAreLargestAtTheTarget) {
  const Numbers target{0, 1, 0}, at{0.01, 0.98, 0.01}, near{0.3, 0.45, 0.25}, far{0.8, 0.1, 0.1};
  for (const Loss& loss : all_losses()) {
    const bool of_places = definition_of(loss).target.value == Target::places;
    const auto value = [&](Numbers y) {
      if (of_softmax(loss) || of_places) {
        for (auto& v : y) v = std::log(v);
      }
      if (loss == Loss::sigmoid_cross_entropy) {
        for (auto& v : y) v = std::log(v / (1 - v));
      }
      return Case(loss, std::move(y), target).evaluated() * (maximised(loss) ? 1 : -1);
    };
    EXPECT_GT(value(at), value(near)) << name_of(loss);
    EXPECT_GT(value(near), value(far)) << name_of(loss);
  }
}

TEST(Losses, RefuseATargetOfAnotherShape) {
  for (const Loss& loss : all_losses()) {
    Graph g;
    const Value y = g.input("y", {4}), t = g.input("t", {3});
    if (definition_of(loss).target.value == Target::places) continue;  // see OfPlacesRefuse…
    try {
      (void)sample_loss(loss, y, t);
      FAIL() << name_of(loss);
    } catch (const ShapeError& e) {
      EXPECT_EQ(std::string(e.what()),
                std::string(stored_name(loss)) + ": a target of 3 does not fit 4; give both the same shape");
    }
  }
}

TEST(Losses, OfEqualNumbersHaveNoAbsoluteSlope) {
  Case c(Loss::mean_absolute_error, {1, 2, 3}, {1, 2, 4});
  const Value dy = differentiate(c.value, c.graph.constant(1), {{c.output}})[0];
  Reference reference(c.graph, 1);
  reference.set(c.output.id(), c.ys);
  reference.set(c.target.id(), c.ts);
  reference.run();
  EXPECT_EQ(reference.value(dy.id()), (Numbers{0, 0, -1.0 / 3}));
}

// ---- at the edges

/// What a graph's outputs are for inputs "z" and "t": in double as it is written or simplified, or in float.
enum class By : std::uint8_t { reference, simplified, engine };

class Computation {
 public:
  Computation(Graph graph, By by) : graph_(by == By::simplified ? simplify(graph) : std::move(graph)) {
    by == By::engine ? void(program_.emplace(graph_, variables_, CompileOptions{.threads = 1}))
                     : void(reference_.emplace(graph_, 1));
  }

  std::map<std::string, Numbers> results(const std::map<std::string, Numbers>& fed) {
    std::map<std::string, Numbers> found;
    if (program_) {
      std::map<std::string, std::vector<float>> floats;
      for (const auto& [name, values] : fed) {
        floats[name].assign(values.begin(), values.end());
        program_->feed(name, {.values = floats[name].data()});
      }
      program_->run(1);
      for (const auto& [name, id] : graph_.outputs()) {
        const auto values = program_->output(name);
        found[name].assign(values.begin(), values.end());
      }
      return found;
    }
    for (const auto& [name, values] : fed) reference_->set(graph_.find(name).id(), values);
    reference_->run();
    for (const auto& [name, id] : graph_.outputs()) found[name] = reference_->value(id);
    return found;
  }

 private:
  Graph graph_;
  Variables variables_;
  std::optional<Program> program_;
  std::optional<Reference> reference_;
};

std::map<std::string, Numbers> results(Graph graph, const std::map<std::string, Numbers>& fed, By by) {
  return Computation(std::move(graph), by).results(fed);
}

/// Loss, gradient and probabilities of logits z under a loss, or under how somebody would write it by hand.
struct Edge {
  const char* name;
  bool by_hand;
  Value (*loss)(Value z, Value t);
};

void expect_errors_teach(const Edge& edge, const Numbers& z, const Numbers& t, bool softmaxes) {
  for (const By by : {By::reference, By::simplified, By::engine}) {
    if (edge.by_hand && by == By::reference) continue;  // it is the simplifier that joins what is written by hand
    Graph g;
    const Shape shape{static_cast<std::int64_t>(z.size())};
    const Value logits = g.input("z", shape), target = g.input("t", shape, softmaxes);
    const Value loss = edge.loss(logits, target);
    g.output("dz", differentiate(loss, g.constant(1), {{logits}})[0]);
    g.output("loss", loss);
    g.output("p", softmaxes ? softmax(logits) : sigmoid(logits));
    auto found = results(std::move(g), {{"z", z}, {"t", t}}, by);
    EXPECT_TRUE(std::isfinite(found["loss"].at(0))) << edge.name << " " << z[0] << " " << t[0];
    for (std::size_t i = 0; i < z.size(); ++i) {
      const double p = found["p"][i], expected = by == By::engine ? static_cast<float>(p - t[i]) : p - t[i];
      EXPECT_EQ(found["dz"][i], expected) << edge.name << " " << static_cast<int>(by) << " " << z[i] << " " << t[i];
      if (softmaxes) continue;
      EXPECT_NEAR(p, 1 / (1 + std::exp(-z[i])), by == By::engine ? 1e-7 : 1e-16);
    }
  }
}

TEST(Losses, OfSigmoidsTeachHoweverSureTheyAre) {
  const Edge edges[] = {
      {"of logits", false, [](Value z, Value t) { return sigmoid_cross_entropy(z, t); }},
      {"of sigmoids", false, [](Value z, Value t) { return binary_cross_entropy(sigmoid(z), t); }},
      {"through reshapes", false,
       [](Value z, Value t) {
         const Shape shape = z.shape();
         const Value y = reshape(reshape(sigmoid(reshape(z, {1, shape[0]})), {shape[0], 1, 1}), shape);
         return binary_cross_entropy(y, t);
       }},
      {"by hand", true, [](Value z, Value t) {
         const Value one = z.graph().constant(1), y = sigmoid(z);
         return neg(sum(t * log(y) + (one - t) * log(one - y)));
       }}};
  for (const auto& edge : edges) {
    for (const double target : {0.0, 1.0}) expect_errors_teach(edge, kLogits, Numbers(kLogits.size(), target), false);
  }
}

TEST(Losses, OfSoftmaxesTeachHoweverSureTheyAre) {
  const Edge edges[] = {{"of logits", false, [](Value z, Value t) { return cross_entropy(z, t); }},
                        {"as a divergence", false, kl_divergence},
                        {"by hand", true, [](Value z, Value t) { return neg(sum(t * log(softmax(z)))); }},
                        {"by hand through reshapes", true, [](Value z, Value t) {
                           const Shape shape = z.shape();
                           return neg(sum(t * log(reshape(softmax(reshape(z, {1, shape[0], 1}), 1), shape))));
                         }}};
  for (const auto& edge : edges) {
    for (const double z : kLogits) {
      for (const Numbers& t : {Numbers{1, 0, 0}, Numbers{0, 0, 1}}) expect_errors_teach(edge, {z, 0.5, 0}, t, true);
    }
  }
}

/// Loss and gradient of Σ binary cross-entropies of a softmax, by the formula, in numbers with the exponents it needs.
struct OfSoftmax {
  OfSoftmax(const Numbers& z, const Numbers& t) {
    using Long = long double;
    const auto n = z.size();
    std::vector<Long> p(n), rest(n, 0), e(n);  // the probabilities, what each lacks to 1, and e^z
    Long total = 0;
    for (std::size_t i = 0; i < n; ++i) total += e[i] = std::exp(static_cast<Long>(z[i]) - std::ranges::max(z));
    for (std::size_t i = 0; i < n; ++i) {
      p[i] = e[i] / total;
      for (std::size_t j = 0; j < n; ++j) rest[i] += j == i ? 0 : e[j] / total;
    }
    Long sum = 0;
    for (std::size_t i = 0; i < n; ++i) sum -= t[i] * std::log(p[i]) + (1 - t[i]) * std::log(rest[i]);
    loss = static_cast<double>(sum);
    for (std::size_t k = 0; k < n; ++k) {  // ∂L/∂z[k] = Σ ∂L/∂p[i] · p[i]·(δ[ik] − p[k])
      Long d = -t[k] * rest[k] + (1 - t[k]) * p[k];
      for (std::size_t i = 0; i < n; ++i) d -= i == k ? 0 : p[k] * (-t[i] + (1 - t[i]) * p[i] / rest[i]);
      gradient.push_back(static_cast<double>(d));
    }
  }
  double loss = 0;
  Numbers gradient;
};

void expect_near(const Numbers& found, const Numbers& expected, double tolerance, const std::string& what) {
  ASSERT_EQ(found.size(), expected.size()) << what;
  for (std::size_t i = 0; i < found.size(); ++i)
    EXPECT_NEAR(found[i], expected[i], tolerance * (1 + std::abs(expected[i]))) << what << ", element " << i;
}

TEST(Losses, OfEventsBehindASoftmaxTeachHoweverSureTheyAre) {
  using Loss = Value (*)(Value, Value);
  const Loss losses[] = {[](Value z, Value t) { return binary_cross_entropy(softmax(z), t); },
                         [](Value z, Value t) {
                           const Shape shape = z.shape();
                           const Value y = reshape(softmax(reshape(z, {1, shape[0]}), 1), {shape[0], 1});
                           return binary_cross_entropy(reshape(y, shape), t);
                         }};
  for (const Loss loss : losses) {
    for (const double logit : kLogits) {
      for (const Numbers& z : {Numbers{logit, 0.5, 0}, Numbers{0, logit, logit}, Numbers{-logit, logit}}) {
        for (const double first : {0.0, 1.0, 0.25}) {
          Numbers t(z.size(), 0);
          t.front() = first;
          t.back() = 1 - first;
          const OfSoftmax expected(z, t);
          for (const By by : {By::reference, By::simplified, By::engine}) {
            Graph g;
            const Value logits = g.input("z", {static_cast<std::int64_t>(z.size())}),
                        target = g.input("t", logits.shape());
            const Value y = loss(logits, target);
            g.output("dz", differentiate(y, g.constant(1), {{logits}})[0]);
            g.output("loss", y);
            auto found = results(std::move(g), {{"z", z}, {"t", t}}, by);
            const double tolerance = by == By::engine ? 1e-6 : 1e-13;
            const auto what = str(logit, " ", first, " ", static_cast<int>(by));
            expect_near(found["loss"], {expected.loss}, tolerance, what);
            expect_near(found["dz"], expected.gradient, tolerance, what);
          }
        }
      }
    }
  }
}

TEST(Losses, OfEventsBehindSeveralSoftmaxesAreTheSumOfTheirs) {
  const Numbers rows[] = {{40, 0.5, -3}, {0.25, 0.25, -200}}, targets[] = {{0, 1, 1}, {0, 0, 1}};
  const double expected = OfSoftmax(rows[0], targets[0]).loss + OfSoftmax(rows[1], targets[1]).loss;
  for (const std::int64_t axis : {0, 1}) {
    Graph g;
    const Shape shape = axis == 1 ? Shape{2, 3} : Shape{3, 2};
    const Value z = g.input("z", shape), t = g.input("t", {6});
    g.output("loss", binary_cross_entropy(reshape(softmax(z, axis), {6}), t));
    std::map<std::string, Numbers> fed;
    for (std::size_t i = 0; i < 6; ++i) {
      const std::size_t row = axis == 1 ? i / 3 : i % 2, column = axis == 1 ? i % 3 : i / 2;
      fed["z"].push_back(rows[row][column]);
      fed["t"].push_back(targets[row][column]);
    }
    expect_near(results(std::move(g), fed, By::reference)["loss"], {expected}, 1e-13, str(axis));
  }
}

TEST(Losses, OfEventsBehindASoftmaxHaveGradientsThatAgreeWithDifferences) {
  for (const double grid : {0.0, 0.5, 1.0}) {  // also where the largest are equal
    Graph g;
    const Value z = g.input("z", {3, 4}), t = g.input("t", {3, 4});
    GradcheckOptions options;
    options.ranges[z.id()] = {.low = -2, .high = 2, .grid = grid};
    options.ranges[t.id()] = {.low = 0, .high = 1};
    const auto report = check_gradients(g, {{binary_cross_entropy(softmax(z, 1), t)}}, {{z}}, options);
    EXPECT_TRUE(report.passed) << to_string(report);
    EXPECT_GT(report.checks.at(0).largest, 1e-3);
  }
}

TEST(Losses, OfASingleProbabilityOf1AreStillByTheFormula) {
  Graph g;
  const Value z = g.input("z", {1}), t = g.input("t", {1});
  g.output("loss", binary_cross_entropy(softmax(z), t));
  EXPECT_EQ(results(std::move(g), {{"z", {3}}, {"t", {1}}}, By::reference)["loss"], Numbers{0});
}

TEST(Losses, SayInTheGraphThatTheyAreJoinedToLogits) {
  const auto printed = [](Value (*probabilities)(Value)) {
    Graph g;
    const Value z = g.input("z", {3}), t = g.input("t", {3});
    g.output("loss", binary_cross_entropy(probabilities(z), t));
    const auto remarks = simplify(g).remarks();
    EXPECT_EQ(remarks, g.remarks()) << "passes keep them";
    EXPECT_TRUE(remarks.empty() || g.print().ends_with("# " + remarks[0] + "\n"));
    return remarks.empty() ? "" : remarks[0];
  };
  EXPECT_EQ(printed(sigmoid), "loss: binary cross-entropy joined with the sigmoid before it: computed from logits");
  EXPECT_EQ(printed([](Value z) { return softmax(z); }),
            "loss: binary cross-entropy joined with the softmax before it: computed from logits");
  EXPECT_EQ(printed([](Value z) { return z; }), "");
}

// By the formula, 0·ln 0 is NaN. Targets may be inputs, labels or constants.
TEST(Losses, OfExactlyRightProbabilitiesAreZero) {
  const Numbers right{0, 1, 0, 1};
  for (const By by : {By::reference, By::simplified, By::engine}) {
    Graph g;
    const Value p = g.input("z", {4}), t = g.input("t", {4});
    const Value loss = binary_cross_entropy(p, t);
    const auto d = differentiate(loss, g.constant(1), {{p, t}});
    g.output("loss", loss);
    g.output("dp", d[0]);
    g.output("dt", d[1]);
    auto found = results(std::move(g), {{"z", right}, {"t", right}}, by);
    EXPECT_EQ(found["loss"], Numbers{0});
    EXPECT_EQ(found["dp"], (Numbers{1, -1, 1, -1})) << "away from 0 and 1 it would cost something";
    for (const double dt : found["dt"]) EXPECT_TRUE(std::isfinite(dt));
    for (const double value : {0.0, 1.0}) {
      Graph constant;
      const Value y = constant.input("z", {2});
      const Value cost = binary_cross_entropy(y, constant.constant(value, {2}));
      constant.output("loss", cost);
      constant.output("dp", differentiate(cost, constant.constant(1), {{y}})[0]);
      found = results(std::move(constant), {{"z", Numbers(2, value)}}, by);
      EXPECT_EQ(found["loss"], Numbers{0});
      EXPECT_EQ(found["dp"], Numbers(2, value == 0 ? 1 : -1));
    }
  }
}

TEST(Losses, OfProbabilitiesStillRefuseWhatIsNone) {
  for (const double y : {-0.25, 1.25, std::nan("")}) {
    for (const double t : {0.0, 1.0}) EXPECT_TRUE(std::isnan(Case(Loss::binary_cross_entropy, {y}, {t}).evaluated()));
  }
  EXPECT_EQ(Case(Loss::binary_cross_entropy, {0}, {1}).evaluated(), HUGE_VAL);
}

/// Every loss with its default options, and those that have options with others.
std::vector<Loss> losses_with_options() {
  std::vector<Loss> all(all_losses().begin(), all_losses().end());
  const Numbers w{0.5, 0, 3};
  const Loss more[] = {CrossEntropy{.label_smoothing = 0.1},
                       CrossEntropy{.class_weights = w},
                       CrossEntropy{.label_smoothing = 1, .class_weights = w},
                       Focal{.gamma = 0.1},
                       Focal{.gamma = 0.5, .class_weights = w},
                       Focal{.gamma = 7.5},
                       Focal{.gamma = 8},
                       PixelCrossEntropy{.ignored_label = 0},
                       PixelCrossEntropy{.class_weights = w},
                       MultiClassMargin{.margin = 5, .squared = true},
                       SigmoidCrossEntropy{.positive_weights = {0.1}},
                       SigmoidCrossEntropy{.positive_weights = {1, 20, 0.01}},
                       Huber{.delta = 100},
                       SmoothL1{.beta = 0.01}};
  all.insert(all.end(), std::begin(more), std::end(more));
  return all;
}

TEST(Losses, OfLargeOutputsAreFiniteAndSoAreTheirGradients) {
  for (const Loss& loss : losses_with_options()) {
    if (loss == Loss::binary_cross_entropy) continue;  // of probabilities
    const bool of_places = definition_of(loss).target.value == Target::places;
    for (const By by : {By::reference, By::simplified, By::engine}) {
      Graph g;
      const Shape shape = of_places ? Shape{3, 1, 1} : Shape{3};
      const Value logits = g.input("z", shape), t = g.input("t", target_shape(loss, shape), of_classes(loss));
      const auto of_sample = sample_loss(loss, logits, t);
      g.output("loss", batch_mean(of_sample));
      g.output("dz", differentiate(batch_mean(of_sample), g.constant(1), {{logits}})[0]);
      Computation computation(std::move(g), by);
      for (const double z : kLogits) {
        for (const Numbers& y : {Numbers{z, 0.5, 0}, Numbers{-z, z, 1}, Numbers{z, z, z}}) {
          for (const double label : {0, 2}) {
            const Numbers target = of_places ? Numbers{label} : label == 0 ? Numbers{1, 0, 0} : Numbers{0, 0, 1};
            auto found = computation.results({{"z", y}, {"t", target}});
            const auto where = ::testing::Message()
                               << name_of(loss) << " at " << y[0] << ", " << y[1] << ", by " << static_cast<int>(by);
            EXPECT_TRUE(std::isfinite(found["loss"].at(0))) << where;
            for (const double slope : found["dz"]) EXPECT_TRUE(std::isfinite(slope)) << where;
          }
        }
      }
    }
  }
}

/// The mean loss of three samples of three classes, labelled 0, 2 and 2, and its gradient.
std::map<std::string, Numbers> of_three(const Loss& loss, By by, bool labels = true) {
  Graph g;
  const Value y = g.input("z", {3}), t = g.input("t", {3}, true);
  const Value mean = batch_mean(sample_loss(loss, y, t));
  g.output("loss", mean);
  g.output("dz", differentiate(mean, g.constant(1), {{y}})[0]);
  if (by == By::simplified) g = simplify(g);
  Reference reference(g, 3);
  reference.set(g.find("z").id(), {0.5, -1, 2, 0.25, 0.5, 1, -1, 1, 0});
  reference.set(g.find("t").id(),
                labels ? Numbers{1, 0, 0, 0, 0, 1, 0, 0, 1} : Numbers{.8, .1, .1, 0, .5, .5, 0, 0, 1});
  reference.run();
  std::map<std::string, Numbers> found;
  for (const auto& [name, id] : g.outputs()) found[name] = reference.value(id);
  return found;
}

TEST(Losses, WithoutASampleThatCountsAreZero) {  // PyTorch's are NaN
  for (const By by : {By::reference, By::simplified}) {
    for (const Loss& loss : {Loss(CrossEntropy{.class_weights = {0, 1, 0}}), Loss(Focal{.class_weights = {0, 1, 0}})}) {
      auto found = of_three(loss, by);
      EXPECT_EQ(found["loss"], Numbers{0}) << name_of(loss);
      EXPECT_EQ(found["dz"], Numbers(9)) << name_of(loss);
    }
  }
  for (const By by : {By::reference, By::simplified, By::engine}) {
    Graph g;
    const Value y = g.input("z", {2, 1, 2}), t = g.input("t", {1, 2});
    const Value mean = batch_mean(sample_loss(PixelCrossEntropy{.ignored_label = 255}, y, t));
    g.output("loss", mean);
    g.output("dz", differentiate(mean, g.constant(1), {{y}})[0]);
    auto found = results(std::move(g), {{"z", {1, 2, 3, 4}}, {"t", {255, 255}}}, by);
    EXPECT_EQ(found["loss"], Numbers{0});
    EXPECT_EQ(found["dz"], Numbers(4));
  }
}

TEST(Losses, WeighLabelsAndDistributionsAlike) {
  const Loss equal = CrossEntropy{.class_weights = {7, 7, 7}}, usual = Loss::cross_entropy;
  for (const bool labels : {true, false}) {
    auto weighted = of_three(equal, By::reference, labels), plain = of_three(usual, By::reference, labels);
    EXPECT_NEAR(weighted["loss"][0], plain["loss"][0], 1e-15);
    for (std::size_t i = 0; i < 9; ++i) EXPECT_NEAR(weighted["dz"][i], plain["dz"][i], 1e-15);
  }
}

std::string refusal_of(const Loss& loss, const Shape& y, const Shape& t) {
  try {
    Graph g;
    (void)sample_loss(loss, g.input("y", y), g.input("t", t));
  } catch (const ShapeError& e) {
    return e.what();
  }
  return "no error";
}

TEST(Losses, SayWhatDoesNotFit) {
  EXPECT_EQ(refusal_of(CrossEntropy{.class_weights = {1, 2, 3}}, {4}, {4}),
            "cross_entropy: 3 class weights do not fit 4 classes; give one for each");
  EXPECT_EQ(refusal_of(Focal{.class_weights = {1, 2, 3}}, {4}, {4}),
            "focal: 3 class weights do not fit 4 classes; give one for each");
  EXPECT_EQ(refusal_of(SigmoidCrossEntropy{.positive_weights = {1, 2, 3}}, {4}, {4}),
            "sigmoid_cross_entropy: 3 positive weights do not fit 4 outputs; give one for each, or one for all");
  EXPECT_EQ(refusal_of(Loss::pixel_cross_entropy, {4}, {4}),
            "pixel_cross_entropy: takes logits of classes×rows×columns, not 4; reshape them");
  EXPECT_EQ(refusal_of(Loss::pixel_cross_entropy, {4, 5, 6}, {6, 5}),
            "pixel_cross_entropy: labels of 6×5 do not fit 4×5×6; give one for each of 5×6 places");
  EXPECT_EQ(refusal_of(PixelCrossEntropy{.class_weights = {1, 2, 3}}, {4, 5, 6}, {5, 6}),
            "pixel_cross_entropy: 3 class weights do not fit 4 classes; give one for each");
  EXPECT_EQ(refusal_of(Loss::multi_class_margin, {4, 1}, {4, 1}),
            "multi_class_margin: takes one vector of classes a sample, not 4×1; reshape it to one axis");
  Graph g;
  const Value y = softmax(g.input("y", {3, 2, 2})), t = g.input("t", {2, 2});
  try {
    (void)pixel_cross_entropy(y, t);
    FAIL();
  } catch (const ShapeError& e) {
    EXPECT_STREQ(
        e.what(),
        "pixel_cross_entropy: the output comes from a softmax, and the loss has one of its own; leave out the first");
  }
}

TEST(Losses, AreFoundByTheirNames) {
  for (const Loss& loss : all_losses()) {
    EXPECT_EQ(find_loss(name_of(loss)), loss);
    EXPECT_EQ(find_stored_loss(stored_name(loss)), loss);
    EXPECT_EQ(Loss(loss.kind()), loss);
    EXPECT_FALSE(definition_of(loss).formula.value.empty());
  }
  EXPECT_EQ(name_of(Loss::mean_absolute_error), "mean-absolute-error");
  EXPECT_EQ(find_loss("mse"), std::nullopt);
}

}  // namespace
}  // namespace chalk
