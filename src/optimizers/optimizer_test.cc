// Every optimizer of the list: its trajectory against numbers recorded from outside, and whether the comparison would
// notice a wrong rule.
#include "src/optimizers/optimizer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <sstream>

#include "chalkgrad/error.h"
#include "chalkgrad/ops.h"
#include "src/ir/leaves.h"
#include "src/run/reference.h"

namespace chalk {
namespace {

/// A line of tests/optimizers/trajectories.txt: an optimizer, its options, a parameter and its gradients, and what the
/// parameter is after each step.
struct Trajectory {
  Optimizer optimizer;
  std::string text;  // the line's beginning, for messages
  bool ascends = false;
  double first = 0;
  std::vector<double> gradients, values;
};

std::vector<double> numbers(std::istream& in) {
  std::vector<double> all;
  for (double one = 0; in >> one;) all.push_back(one);
  in.clear();
  return all;
}

/// "NAME key=value … : first | gradients | values"
std::vector<Trajectory> recorded() {
  std::vector<Trajectory> all;
  std::ifstream file(CHALKGRAD_SOURCE_DIR "/tests/optimizers/trajectories.txt");
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    Trajectory t;
    t.text = line.substr(0, line.find(" :"));
    std::istringstream head(t.text), body(line.substr(t.text.size() + 2));
    std::string name, word, part;
    head >> name;
    std::map<std::string, std::string> options;
    while (head >> word) options[word.substr(0, word.find('='))] = word.substr(word.find('=') + 1);
    t.ascends = options.erase("ascends") > 0;
    FieldFunction set([&]<class T>(const Field& f, T& value) {
      const auto found = options.extract(std::string(f.name));
      if constexpr (std::is_arithmetic_v<T>) {
        if (!found.empty()) std::istringstream(found.mapped()) >> value;
      }
    });
    t.optimizer = Optimizer::named(name).edited(set);
    EXPECT_TRUE(options.empty()) << t.text << ": an option that the optimizer does not have";
    std::getline(body, part, '|');
    t.first = std::stod(part);
    std::getline(body, part, '|');
    std::istringstream gradients(part);
    t.gradients = numbers(gradients);
    t.values = numbers(body);
    EXPECT_EQ(t.gradients.size(), t.values.size()) << t.text;
    all.push_back(std::move(t));
  }
  return all;
}

/// What is done to the value that update number `update` leads to.
struct Mutation {
  const char* name;
  Value (*spoil)(Value next, Value before);
};

/// The largest difference from the recorded values, relative to 1 + |value|; by the double reference.
double difference(const Trajectory& t, std::size_t update = 99, const Mutation* mutation = nullptr) {
  Graph g;
  const Value w = g.parameter("w", {2, 2}), gradient = g.shared_input("g", {2, 2});
  StepContext step{.lr = g.shared_input("lr"), .ascends = t.ascends};
  ParameterUpdate rule(step, w, gradient, /*decays=*/true);
  definition_of(t.optimizer).rule.value(t.optimizer.options(), rule);
  std::vector<std::pair<NodeId, Value>> updates;
  for (const auto& [leaf, next] : g.updates()) updates.emplace_back(leaf, g.value(next));
  if (mutation) updates.at(update).second = mutation->spoil(updates[update].second, g.value(updates[update].first));

  Reference reference(g, 1);
  std::map<NodeId, std::vector<double>> now{{w.id(), std::vector<double>(4, t.first)}};
  for (NodeId id = 0; id < g.size(); ++id) {
    const Node& node = g.node(id);
    if (node.op == &op_parameter && id != w.id())
      now[id].assign(4, node.attributes.as<ParameterAttributes>().init.value);
  }
  double largest = 0;
  for (std::size_t i = 0; i < t.values.size(); ++i) {
    for (const auto& [id, values] : now) reference.set(id, values);
    reference.set(gradient.id(), std::vector<double>(4, t.gradients[i]));
    reference.set(step.lr.id(), {t.optimizer.lr()});
    for (const auto& scalar : step.scalars)
      reference.set(g.find(scalar.name).id(), {scalar.value(t.optimizer.options(), static_cast<std::int64_t>(i))});
    reference.run();
    for (const auto& [leaf, next] : updates) now[leaf] = reference.value(next.id());
    const double off = std::abs(now[w.id()][3] - t.values[i]) / (1 + std::abs(t.values[i]));
    largest = std::isnan(off) ? 1 : std::max(largest, off);
  }
  return largest;
}

constexpr double kBound = 1e-13;  // a few roundings of double a step, over 12 steps

TEST(Optimizers, FollowTheRecordedTrajectories) {
  for (const auto& t : recorded()) EXPECT_LT(difference(t), kBound) << t.text;
}

TEST(Optimizers, EachHasATrajectory) {
  const auto all = recorded();
  for (const auto name : Optimizer::names()) {
    EXPECT_TRUE(std::ranges::any_of(all, [&](const auto& t) { return t.optimizer.name() == name; }))
        << "add " << name << " to tools/optimizer_trajectories.py and run it";
  }
}

TEST(Optimizers, ACorruptedRuleIsNoticed) {
  const Mutation mutations[] = {
      {"scaled", [](Value next, Value) { return next * next.graph().constant(1.001); }},
      {"a step that is 1 % too long",
       [](Value next, Value before) { return before + (next - before) * next.graph().constant(1.01); }},
      {"backwards", [](Value next, Value before) { return before - (next - before); }},
      {"not taken", [](Value, Value before) { return before; }},
      {"off by a constant", [](Value next, Value) { return next + next.graph().constant(1e-4); }},
  };
  std::map<std::string_view, int> noticed;
  for (const auto& t : recorded()) {
    Graph g;
    StepContext step{.lr = g.shared_input("lr")};
    ParameterUpdate rule(step, g.parameter("w", {2}), g.shared_input("g", {2}), true);
    definition_of(t.optimizer).rule.value(t.optimizer.options(), rule);
    for (std::size_t update = 0; update < g.updates().size(); ++update) {
      for (const auto& mutation : mutations) {
        EXPECT_GT(difference(t, update, &mutation), 1e4 * kBound)
            << t.text << ": update " << update << " " << mutation.name;
        ++noticed[t.optimizer.name()];
      }
    }
  }
  EXPECT_EQ(noticed.size(), Optimizer::names().size());
}

TEST(Optimizers, AreCalledInCppAsInTheList) {
  for (const auto name : Optimizer::names()) EXPECT_EQ(Optimizer::named(name).name(), name);
  EXPECT_EQ(Optimizer(Sgd{}), Optimizer::named("sgd"));
  EXPECT_EQ(Optimizer(Adagrad{}), Optimizer::named("adagrad"));
  EXPECT_EQ(Optimizer(Adagrad{.lr = 3}).lr(), 3);
  EXPECT_THROW((void)Optimizer(Sgd{}).as<Adagrad>(), std::bad_cast);
}

TEST(Optimizers, HaveARateAndOptionsThatExplainThemselves) {
  FieldFunction explained([]<class T>(const Field& f, const T& value) {
    EXPECT_FALSE(f.help.empty()) << f.name;
    if constexpr (std::is_same_v<T, double>) {
      EXPECT_TRUE(f.range.contains(value)) << f.name << ": its default";
    }
  });
  for (const auto name : Optimizer::names()) {
    const auto optimizer = Optimizer::named(name);
    optimizer.options().show(explained);
    EXPECT_GT(optimizer.lr(), 0) << name;
    EXPECT_NO_THROW(optimizer.check()) << name;
  }
}

std::string refusal(std::string_view name) {
  try {
    (void)Optimizer::named(name);
  } catch (const InputError& e) {
    return e.what();
  }
  return "no error";
}

TEST(Optimizers, AnUnknownOneIsRefusedWithWhatThereIs) {
  EXPECT_EQ(refusal("adagard"), "optimizer \"adagard\" is not known; did you mean \"adagrad\"?");
  EXPECT_TRUE(refusal("x").starts_with("optimizer \"x\" is not known; use sgd")) << refusal("x");
}

}  // namespace
}  // namespace chalk
