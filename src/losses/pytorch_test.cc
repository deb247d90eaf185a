// Losses against values and gradients recorded from PyTorch (tools/loss_values.py), and whether the comparison would
// notice a wrong formula.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <sstream>

#include "chalkgrad/differentiate.h"
#include "chalkgrad/ops.h"
#include "src/base/text.h"
#include "src/losses/loss.h"
#include "src/passes/passes.h"
#include "src/run/reference.h"

namespace chalk {
namespace {

using Numbers = std::vector<double>;

/// A line of tests/losses/pytorch.txt.
struct Recorded {
  Loss loss;
  std::string text;  // the line's beginning, for messages
  Shape shape;       // of a sample's output
  std::size_t batch = 0;
  Numbers y, t, gradient;
  double mean = 0;
};

Numbers numbers(std::string text, char separator = ' ') {
  std::ranges::replace(text, separator, ' ');
  std::istringstream in(text);
  Numbers all;
  for (double one = 0; in >> one;) all.push_back(one);
  return all;
}

Loss with_options(Loss loss, std::map<std::string, std::string>& options) {
  FieldFunction set([&]<class T>(const Field& f, T& value) {
    const auto found = options.extract(std::string(f.name));
    if (found.empty()) return;
    if constexpr (std::is_same_v<T, Numbers>) {
      value = numbers(found.mapped(), ',');
    } else if constexpr (std::is_arithmetic_v<T>) {
      value = static_cast<T>(std::stod(found.mapped()));
    }
  });
  return loss.edited(set);
}

/// "NAME key=value … : shape | outputs | targets | mean loss | gradient"
std::vector<Recorded> recorded() {
  std::vector<Recorded> all;
  std::ifstream file(CHALKGRAD_SOURCE_DIR "/tests/losses/pytorch.txt");
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    Recorded r;
    r.text = line.substr(0, line.find(" :"));
    std::istringstream head(r.text), body(line.substr(r.text.size() + 2));
    std::string name, word, part;
    head >> name;
    std::map<std::string, std::string> options;
    while (head >> word) options[word.substr(0, word.find('='))] = word.substr(word.find('=') + 1);
    r.loss = with_options(find_stored_loss(name).value(), options);
    EXPECT_TRUE(options.empty()) << r.text << ": an option that the loss does not have";
    const auto next = [&] {
      std::getline(body, part, '|');
      return numbers(part);
    };
    const auto extents = next();
    r.batch = static_cast<std::size_t>(extents.at(0));
    for (std::size_t i = 1; i < extents.size(); ++i) r.shape.push_back(static_cast<std::int64_t>(extents[i]));
    r.y = next();
    r.t = next();
    r.mean = next().at(0);
    r.gradient = next();
    all.push_back(std::move(r));
  }
  return all;
}

/// What is done to a loss before it is compared.
struct Mutation {
  const char* name;
  void (*spoil)(SampleLoss& of_sample, Value y, Value t);
};

struct Found {
  double mean;
  Numbers gradient;
};

Found found_for(const Recorded& r, bool simplified = false, const Mutation* mutation = nullptr) {
  Graph g;
  const Value y = g.input("y", r.shape), t = g.input("t", target_shape(r.loss, r.shape), of_classes(r.loss));
  SampleLoss of_sample = sample_loss(r.loss, y, t);
  if (mutation) mutation->spoil(of_sample, y, t);
  const Value mean = batch_mean(of_sample);
  g.output("mean", mean);
  g.output("dy", differentiate(mean, g.constant(1), {{y}})[0]);
  if (simplified) g = simplify(g);
  Reference reference(g, r.batch);
  reference.set(g.find("y").id(), r.y);
  reference.set(g.find("t").id(), r.t);
  reference.run();
  return {reference.value(g.outputs()[0].second).at(0), reference.value(g.outputs()[1].second)};
}

/// The largest difference from what was recorded, relative to 1 + |value|.
double difference(const Recorded& r, const Found& found) {
  double largest = std::abs(found.mean - r.mean) / (1 + std::abs(r.mean));
  EXPECT_EQ(found.gradient.size(), r.gradient.size()) << r.text;
  for (std::size_t i = 0; i < r.gradient.size(); ++i) {
    const double off = std::abs(found.gradient[i] - r.gradient[i]) / (1 + std::abs(r.gradient[i]));
    largest = std::isnan(off) ? 1 : std::max(largest, off);
  }
  return std::isnan(largest) ? 1 : largest;
}

constexpr double kBound = 1e-14;

TEST(LossesOfPyTorch, AreTheSame) {
  for (const auto& r : recorded()) {
    EXPECT_LT(difference(r, found_for(r)), kBound) << r.text;
    EXPECT_LT(difference(r, found_for(r, /*simplified=*/true)), kBound) << r.text << " simplified";
  }
}

TEST(LossesOfPyTorch, EachIsRecordedWithEachOfItsOptions) {
  const auto all = recorded();
  for (const Loss& loss : all_losses()) {
    EXPECT_TRUE(std::ranges::any_of(all, [&](const auto& r) { return r.loss == loss.kind(); }))
        << "add " << stored_name(loss) << " to tools/loss_values.py and run it";
    FieldFunction each([&](const Field& field, const auto&) {
      EXPECT_TRUE(std::ranges::any_of(all,
                                      [&](const auto& r) {
                                        return r.loss == loss.kind() &&
                                               r.text.find(str(" ", field.name, "=")) != std::string::npos;
                                      }))
          << stored_name(loss) << " with " << field.name;
    });
    loss.options().show(each);
  }
}

// With its default options in place of those of the line, a loss is another one.
TEST(LossesOfPyTorch, AnOptionThatIsForgottenIsNoticed) {
  int forgotten = 0;
  for (auto r : recorded()) {
    const Loss usual = r.loss.kind();
    if (r.loss == usual || std::ranges::max(r.y) > 10) continue;
    r.loss = usual;
    EXPECT_GT(difference(r, found_for(r)), 1e6 * kBound) << r.text;
    ++forgotten;
  }
  EXPECT_GT(forgotten, 20);
}

TEST(LossesOfPyTorch, ACorruptedFormulaIsNoticed) {
  const Mutation mutations[] = {
      {"scaled", [](SampleLoss& s, Value, Value) { s.loss = s.loss * s.loss.graph().constant(1.001); }},
      {"negated", [](SampleLoss& s, Value, Value) { s.loss = neg(s.loss); }},
      {"plus a constant", [](SampleLoss& s, Value, Value) { s.loss = s.loss + s.loss.graph().constant(1e-4); }},
      {"plus a little of an output",
       [](SampleLoss& s, Value y, Value) { s.loss = s.loss + sum(y) * y.graph().constant(1e-4); }},
      {"weighing all samples alike",
       [](SampleLoss& s, Value, Value) {
         if (s.weight) s.weight = {};
       }},
      {"weighing by the square",
       [](SampleLoss& s, Value, Value) {
         if (s.weight) s.weight = s.weight * s.weight;
       }},
  };
  std::map<std::string_view, int> noticed;
  for (const auto& r : recorded()) {
    const auto right = found_for(r);
    for (const auto& mutation : mutations) {
      const auto wrong = found_for(r, false, &mutation);
      if (wrong.mean == right.mean && wrong.gradient == right.gradient) continue;  // it changes nothing here
      if (std::abs(r.mean) < 1e-6) continue;                                       // nor much
      EXPECT_GT(difference(r, wrong), 1e3 * kBound) << r.text << " " << mutation.name;
      ++noticed[stored_name(r.loss)];
    }
  }
  EXPECT_EQ(noticed.size(), all_losses().size());
}

}  // namespace
}  // namespace chalk
