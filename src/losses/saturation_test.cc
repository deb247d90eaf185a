// docs/saturated-losses.md: what losses of probabilities make of outputs that are sure, in float, by the formula as it
// is written and as they are computed.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdio>

#include "chalkgrad/differentiate.h"
#include "chalkgrad/losses.h"
#include "chalkgrad/ops.h"
#include "chalkgrad/program.h"
#include "src/base/document_testing.h"
#include "src/base/text.h"
#include "src/losses/logits_testing.h"

namespace chalk {
namespace {

using Floats = std::vector<float>;
using Build = Value (*)(Value x, Value t);

struct Result {
  float loss;
  Floats derivative;  // with respect to x
};

/// In float. `as_written`: without the simplifier, which joins formulas that are written by hand to logits, too.
Result result_of(Build loss, const Floats& x, const Floats& t, bool as_written) {
  Graph g;
  const Shape shape{static_cast<std::int64_t>(x.size())};
  const Value in = g.input("x", shape), y = loss(in, g.input("t", shape));
  g.output("y", y);
  g.output("dx", differentiate(y, g.constant(1), {{in}})[0]);
  Variables variables;
  CompileOptions options;
  options.threads = 1;
  if (as_written) options.disabled_passes = {"simplify"};
  Program program(g, variables, options);
  program.feed("x", {.values = x.data()});
  program.feed("t", {.values = t.data()});
  program.run(1);
  const auto dx = program.output("dx");
  return {program.output("y")[0], Floats(dx.begin(), dx.end())};
}

std::string shown(float x, int digits = 6) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.*g", digits, static_cast<double>(std::abs(x)));
  const std::string_view magnitude = std::isnan(x) ? "NaN" : std::isinf(x) ? "∞" : text.data();
  return str(x < 0 ? "−" : "", magnitude);
}

std::string cells(const Result& result) {
  return str(" ", shown(result.loss), " | ", shown(result.derivative[0]), " |");
}

Value events_by_hand(Value y, Value t) {
  const Value one = y.graph().constant(1);
  return neg(sum(t * log(y) + (one - t) * log(one - y)));
}

/// Rows of a table: `by_hand` and `joined` for the logit, and for targets 0 and 1; of two classes the other logit is 0.
std::string rows_of(Build by_hand, Build joined, bool classes) {
  std::string rows;
  for (const double logit : kLogits) {
    for (const float target : {0.0F, 1.0F}) {
      const auto z = static_cast<float>(logit);
      const Floats x = classes ? Floats{z, 0} : Floats{z}, t = classes ? Floats{target, 1 - target} : Floats{target};
      const auto now = result_of(joined, x, t, false);
      EXPECT_TRUE(std::isfinite(now.loss)) << z << " " << target;
      const bool wrong = (z > 0) != (target > 0);
      for (const float d : now.derivative)
        EXPECT_TRUE(std::isfinite(d) && (!wrong || std::abs(d) > 0.25F)) << z << " " << target;
      rows += str("| ", shown(z), " | ", shown(target), " |", cells(result_of(by_hand, x, t, true)), cells(now), "\n");
    }
  }
  return rows;
}

constexpr const char* kHead = "| z | t | before: loss | ∂/∂z | now: loss | ∂/∂z |\n|---|---|---|---|---|---|\n";

TEST(DocumentsOfSaturation, OfSigmoidsIsInItsTable) {
  const auto rows = rows_of([](Value z, Value t) { return events_by_hand(sigmoid(z), t); },
                            [](Value z, Value t) { return binary_cross_entropy(sigmoid(z), t); }, false);
  testing_support::expect_generated("docs/saturated-losses.md", "sigmoid", kHead + rows);
}

TEST(DocumentsOfSaturation, OfProbabilitiesIsInItsTable) {
  std::string rows = "| y | t | before: loss | ∂/∂y | now: loss | ∂/∂y |\n|---|---|---|---|---|---|\n";
  for (const double logit : kLogits) {
    const auto e = static_cast<float>(std::exp(-std::abs(logit)));
    const float y = (logit < 0 ? e : 1) / (1 + e);
    for (const float t : {0.0F, 1.0F}) {
      const auto now = result_of(binary_cross_entropy, {y}, {t}, false);
      EXPECT_FALSE(std::isnan(now.loss) || std::isnan(now.derivative[0])) << y << " " << t;
      EXPECT_TRUE(y != t || now.loss == 0) << y << " " << t;
      const auto row = str("| ", shown(y, 9), " | ", shown(t), " |", cells(result_of(events_by_hand, {y}, {t}, true)),
                           cells(now), "\n");
      if (rows.find(row) == std::string::npos) rows += row;
    }
  }
  testing_support::expect_generated("docs/saturated-losses.md", "probabilities", rows);
}

TEST(DocumentsOfSaturation, OfClassesIsInItsTable) {
  const auto by_hand = [](Value z, Value t) { return neg(sum(t * log(softmax(z)))); };
  testing_support::expect_generated("docs/saturated-losses.md", "classes",
                                    kHead + rows_of(
                                                by_hand, [](Value z, Value t) { return cross_entropy(z, t); }, true));
}

TEST(DocumentsOfSaturation, OfFocalLossIsInItsTable) {
  const auto by_hand = [](Value z, Value t) {
    const Value p = softmax(z), miss = z.graph().constant(1) - p;
    return neg(sum(t * miss * miss * log(p)));
  };
  const auto rows = rows_of(
      by_hand, [](Value z, Value t) { return focal(z, t); }, true);
  testing_support::expect_generated("docs/saturated-losses.md", "focal", kHead + rows);
}

TEST(DocumentsOfSaturation, OfEventsBehindASoftmaxIsInItsTable) {
  const auto rows = rows_of([](Value z, Value t) { return events_by_hand(softmax(z), t); },
                            [](Value z, Value t) { return binary_cross_entropy(softmax(z), t); }, true);
  testing_support::expect_generated("docs/saturated-losses.md", "softmax", kHead + rows);
}

}  // namespace
}  // namespace chalk
