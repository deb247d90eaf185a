// Every optimizer of the list: its trajectory against numbers recorded from outside, and whether the comparison would
// notice a wrong rule.
#include "src/optimizers/optimizer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>

#include "chalkgrad/error.h"
#include "chalkgrad/ops.h"
#include "chalkgrad/program.h"
#include "src/base/fields.h"
#include "src/base/power.h"
#include "src/base/test_support.h"
#include "src/ir/leaves.h"
#include "src/optimizers/sign.h"
#include "src/run/reference.h"

namespace chalk {
namespace {

/// An optimizer, its options, a parameter and its gradients, and what the parameter is after some of the steps.
struct Trajectory {
  Optimizer optimizer;
  std::string text;  // the line's beginning, for messages
  bool ascends = false;
  double tolerance = 0;  // the most that the parameter may differ; 0: as usual
  Shape shape;
  ParameterRole role = ParameterRole::unsaid;
  std::vector<double> first, gradients, values;
  std::vector<std::size_t> steps;  // after which the values are those of the parameter; none: after each
  bool cycles = false;             // with these factors of the rate, and these momenta
  std::vector<double> factors{}, momenta{};

  std::size_t elements() const { return static_cast<std::size_t>(chalk::elements(shape)); }
};

std::vector<double> numbers(const std::string& text) {
  std::istringstream in(text);
  std::vector<double> all;
  for (double one = 0; in >> one;) all.push_back(one);
  EXPECT_TRUE(in.eof()) << text;
  return all;
}

Shape shape_of(const std::string& text) {
  std::istringstream in(text);
  Shape shape;
  for (std::string extent; std::getline(in, extent, 'x');) shape.push_back(std::stoll(extent));
  return shape;
}

/// "NAME key=value …"
Trajectory trajectory_of(const std::string& text, const Shape& usual) {
  Trajectory t;
  t.text = text;
  t.shape = usual;
  std::istringstream head(text);
  std::string name, word;
  head >> name;
  std::map<std::string, std::string> options;
  while (head >> word) options[word.substr(0, word.find('='))] = word.substr(word.find('=') + 1);
  t.ascends = options.erase("ascends") > 0;
  t.cycles = options.erase("cycle") > 0;
  if (const auto tolerance = options.extract("tolerance")) t.tolerance = std::stod(tolerance.mapped());
  if (const auto shape = options.extract("shape")) t.shape = shape_of(shape.mapped());
  FieldFunction set([&]<class T>(const Field& f, T& value) {
    const auto found = options.extract(std::string(f.name));
    if (!found) return;
    if constexpr (std::is_same_v<T, std::string>) {
      value = found.mapped();
    } else if constexpr (std::is_arithmetic_v<T>) {
      std::istringstream(found.mapped()) >> value;
    }
  });
  t.optimizer = Optimizer::named(name).edited(set);
  EXPECT_TRUE(options.empty()) << text << ": an option that the optimizer does not have";
  return t;
}

/// What is before and after " : " in the lines of a file of tests/optimizers.
std::vector<std::pair<std::string, std::string>> lines_of(const std::string& name) {
  std::vector<std::pair<std::string, std::string>> lines;
  std::ifstream file(CHALKGRAD_SOURCE_DIR "/tests/optimizers/" + name);
  for (std::string line; std::getline(file, line);) {
    const auto colon = line.find(" : ");
    if (line[0] != '#') lines.emplace_back(line.substr(0, colon), line.substr(colon + 3));
  }
  EXPECT_FALSE(lines.empty()) << name;
  return lines;
}

/// "NAME key=value … : first | gradients | values", after each step; without a shape, of one number.
std::vector<Trajectory> recorded() {
  std::vector<Trajectory> all;
  for (const auto& [head, body] : lines_of("trajectories.txt")) {
    Trajectory t = trajectory_of(head, {1, 1});
    const auto bar = body.find('|'), last = body.rfind('|');
    t.first = numbers(body.substr(0, bar));
    t.gradients = numbers(body.substr(bar + 1, last - bar - 1));
    t.values = numbers(body.substr(last + 1));
    EXPECT_EQ(t.gradients.size(), t.values.size()) << t.text;
    EXPECT_EQ(t.first.size(), t.elements()) << t.text;
    all.push_back(std::move(t));
  }
  return all;
}

/// What PyTorch did, and which options it refused.
struct PyTorch {
  std::vector<Trajectory> trajectories;
  std::vector<Trajectory> refused;
  std::vector<std::string> still;  // those whose momentum cannot be moved
};
PyTorch recorded_from_pytorch() {
  PyTorch all;
  std::vector<double> first, gradients, steps, factors, momenta;
  for (const auto& [head, body] : lines_of("pytorch.txt")) {
    constexpr std::string_view kRefused = "refused ", kStill = "still ";
    if (head == "parameter") {
      first = numbers(body);
    } else if (head == "gradients") {
      gradients = numbers(body);
    } else if (head == "steps") {
      steps = numbers(body);
    } else if (head == "factors") {
      factors = numbers(body);
    } else if (head == "momenta") {
      momenta = numbers(body);
    } else if (head.starts_with(kStill)) {
      all.still.push_back(head.substr(kStill.size()));
    } else if (head.starts_with(kRefused)) {
      all.refused.push_back(trajectory_of(head.substr(kRefused.size()), {2, 3}));
    } else {
      auto& t = all.trajectories.emplace_back(trajectory_of(head, {2, 3}));
      t.first = first;
      t.gradients = gradients;
      t.factors = factors;
      t.momenta = momenta;
      t.values = numbers(body);
      for (const auto step : steps) t.steps.push_back(static_cast<std::size_t>(step));
      EXPECT_EQ(t.values.size(), t.steps.size() * t.elements()) << t.text;
    }
  }
  return all;
}

/// What is done to the value that update number `update` leads to.
struct Mutation {
  const char* name;
  Value (*spoil)(Value next, Value before);
};

/// A parameter, its gradient and its update.
struct Step {
  explicit Step(const Trajectory& t)
      : w(g.parameter("w", t.shape, {}, /*trainable=*/true, t.role)),
        gradient(g.shared_input("g", t.shape)),
        context{.lr = g.shared_input("lr"), .ascends = t.ascends} {
    if (t.cycles) context.momentum = g.shared_input("momentum");
    add_update(context, w, gradient, /*decays=*/role_of(w) == ParameterRole::weight, t.optimizer);
  }

  Graph g;
  Value w, gradient;
  StepContext context;
};

/// The largest difference from the recorded values, relative to 1 + |value|; by the double reference.
double difference(const Trajectory& t, std::size_t update = 99, const Mutation* mutation = nullptr) {
  Step step(t);
  Graph& g = step.g;
  std::vector<std::pair<NodeId, Value>> updates;
  for (const auto& [leaf, next] : g.updates()) updates.emplace_back(leaf, g.value(next));
  if (mutation) updates.at(update).second = mutation->spoil(updates[update].second, g.value(updates[update].first));

  Reference reference(g, 1);
  std::map<NodeId, std::vector<double>> now{{step.w.id(), t.first}};
  for (NodeId id = 0; id < g.size(); ++id) {
    const Node& node = g.node(id);
    if (node.op == &op_parameter && id != step.w.id())
      now[id].assign(t.elements(), node.attributes.as<ParameterAttributes>().init.value);
  }
  double largest = 0;
  std::size_t shown = 0;
  for (std::size_t i = 0; i < t.gradients.size() / t.elements(); ++i) {
    for (const auto& [id, values] : now) reference.set(id, values);
    const auto gradient = t.gradients.begin() + static_cast<std::ptrdiff_t>(i * t.elements());
    reference.set(step.gradient.id(), {gradient, gradient + static_cast<std::ptrdiff_t>(t.elements())});
    reference.set(step.context.lr.id(), {t.optimizer.lr() * (t.cycles ? t.factors[i] : 1)});
    if (t.cycles) reference.set(g.find("momentum").id(), {t.momenta[i]});
    const StepTime::Momentum momentum_of = [&](std::int64_t at) { return t.momenta[static_cast<std::size_t>(at)]; };
    const StepTime time(static_cast<std::int64_t>(i), t.cycles ? &momentum_of : nullptr);
    for (const auto& scalar : step.context.scalars)
      reference.set(g.find(scalar.name).id(), {scalar.value(t.optimizer.options(), time)});
    reference.run();
    for (const auto& [leaf, next] : updates) now[leaf] = reference.value(next.id());
    if (!t.steps.empty() && t.steps[shown] != i + 1) continue;
    for (std::size_t k = 0; k < t.elements(); ++k) {
      const double expected = t.values[shown * t.elements() + k];
      const double off = std::abs(now[step.w.id()][k] - expected) / (1 + std::abs(expected));
      largest = std::isnan(off) ? 1 : std::max(largest, off);
    }
    ++shown;
  }
  return largest;
}

constexpr double kBound = 1e-13;         // a few roundings of double a step, over 12 steps
constexpr double kPyTorchBound = 1e-12;  // and over 100

TEST(Optimizers, FollowTheRecordedTrajectories) {
  for (const auto& t : recorded()) EXPECT_LT(difference(t), kBound) << t.text;
}

TEST(Optimizers, FollowPyTorchOver100Steps) {
  const auto pytorch = recorded_from_pytorch();
  for (const auto& t : pytorch.trajectories)
    EXPECT_LT(difference(t), t.tolerance > 0 ? t.tolerance : kPyTorchBound) << t.text;
  for (const auto& t : pytorch.refused) EXPECT_THROW(t.optimizer.check(), InputError) << t.text;
}

TEST(Optimizers, HaveAMomentumThatMovesWherePyTorchsHave) {
  const auto pytorch = recorded_from_pytorch();
  for (const auto name : Optimizer::names()) {
    const bool cycled = std::ranges::any_of(pytorch.trajectories,
                                            [&](const auto& t) { return t.cycles && t.optimizer.name() == name; });
    const bool still = std::ranges::find(pytorch.still, name) != pytorch.still.end();
    const auto option = definition_of(Optimizer::named(name)).momentum.value;
    EXPECT_EQ(option.empty(), still) << name;
    EXPECT_NE(cycled, still || name == Lion::kName) << name;
    const auto options = Optimizer::named(name).options();
    const auto texts = texts_of([&](FieldVisitor& v) { options.show(v); });
    const bool there = std::ranges::any_of(texts, [&](const auto& text) { return text.first == option; });
    EXPECT_EQ(there, !still) << name;
  }
}

TEST(Optimizers, AMomentumThatMovesDoesMore) {  // than the rate alone, and than in the scalars or in the graph alone
  int cycled = 0;
  for (auto t : recorded_from_pytorch().trajectories) {
    if (!t.cycles) continue;
    ++cycled;
    auto shifted = t;
    for (auto& momentum : shifted.momenta) momentum -= 1e-6;
    EXPECT_GT(difference(shifted), 1e3 * kPyTorchBound) << t.text;
    t.cycles = false;
    EXPECT_GT(difference(t), 1e4 * kPyTorchBound) << t.text;
  }
  EXPECT_GE(cycled, 10);
}

TEST(Optimizers, MuonTakesOnlyWeightsForMatrices) {  // not biases of a map, nor γ of each of its values
  int compared = 0;
  for (auto t : recorded()) {
    if (t.optimizer.name() != Muon::kName || t.shape.size() != 1) continue;
    t.shape.insert(t.shape.end(), {1, 1});
    for (const auto role : {ParameterRole::bias, ParameterRole::scale}) {
      t.role = role;
      EXPECT_LT(difference(t), kBound) << t.text;
      ++compared;
    }
    t.role = ParameterRole::weight;
    EXPECT_GT(difference(t), 1e4 * kBound) << t.text;
  }
  EXPECT_EQ(compared, 4);
}

TEST(Optimizers, EachHasTrajectoriesWithEachOfItsOptionsAndUpwards) {
  const auto all = recorded();
  for (const auto name : Optimizer::names()) {
    const auto some = [&](const auto& wanted) {
      return std::ranges::any_of(all, [&](const auto& t) { return t.optimizer.name() == name && wanted(t); });
    };
    EXPECT_TRUE(some([](const auto& t) { return t.ascends; })) << name << " with ascends";
    const auto texts = [](const Optimizer& optimizer) {
      return texts_of([&](FieldVisitor& v) { optimizer.options().show(v); });
    };
    const auto usual = texts(Optimizer::named(name));
    for (std::size_t i = 0; i < usual.size(); ++i) {
      EXPECT_TRUE(some([&](const auto& t) { return texts(t.optimizer)[i] != usual[i]; }))
          << "add " << name << " with another " << usual[i].first << " to tools/optimizer_trajectories.py and run it";
    }
  }
}

TEST(Optimizers, EachOfPyTorchsHasTrajectoriesFromThere) {
  const auto all = recorded_from_pytorch().trajectories;
  for (const auto name : Optimizer::names()) {
    const bool there = std::ranges::any_of(all, [&](const auto& t) { return t.optimizer.name() == name; });
    EXPECT_EQ(there, name != "lion") << "add " << name << " to tools/record_pytorch_optimizers.py and run it";
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
    const auto updates = Step(t).g.updates().size();
    for (std::size_t update = 0; update < updates; ++update) {
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
  EXPECT_EQ(Optimizer(AdamW{}), Optimizer::named("adamw"));
  EXPECT_EQ(Optimizer(Muon{}), Optimizer::named("muon"));
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

TEST(Optimizers, KeepTheRatioOfTheirRates) {
  using Rates = std::vector<std::pair<std::string, double>>;
  for (const auto name : Optimizer::names()) {
    const auto usual = Optimizer::named(name), other = usual.with_lr(usual.lr() * 4);
    for (const auto& [rate, value] : usual.rates()) {
      FieldFunction back([&]<class T>(const Field& f, T& now) {
        if constexpr (std::is_same_v<T, double>) {
          if (f.name != rate) return;
          EXPECT_EQ(now, value * 4) << name << ": " << rate;
          now = value;
        }
      });
      EXPECT_NE(other, usual);
      if (usual.rates().size() > 1) continue;
      EXPECT_EQ(other.edited(back), usual) << name << ": nothing else has changed";
    }
    // An option that is a rate by its sentence is one by its name.
    FieldFunction each([&]<class T>(const Field& f, const T&) {
      const auto all = usual.rates();
      const bool is_one = std::ranges::find(all, f.name, &std::pair<std::string, double>::first) != all.end();
      EXPECT_EQ(f.help.starts_with("Learning rate"), is_one) << name << ": " << f.name;
    });
    usual.options().show(each);
  }
  EXPECT_EQ(Optimizer(Muon{}).rates(), (Rates{{"lr", 0.02}, {"adamw_lr", 0.001}}));
  EXPECT_EQ(Optimizer(Muon{.ns_steps = 3}).with_lr(0.01), (Muon{.lr = 0.01, .ns_steps = 3, .adamw_lr = 0.0005}));
  EXPECT_EQ(Optimizer(Adagrad{.lr = 2, .lr_decay = 0.5}).with_lr(1), (Adagrad{.lr = 1, .lr_decay = 0.5}));
}

TEST(Optimizers, AnUnknownOneIsRefusedWithWhatThereIs) {
  const auto named = [](const char* name) {
    return testing_support::input_error([&] { (void)Optimizer::named(name); });
  };
  EXPECT_EQ(named("adagard"), "optimizer \"adagard\" is not known; did you mean \"adagrad\"?");
  EXPECT_TRUE(named("x").starts_with("optimizer \"x\" is not known; use sgd, adagrad, ")) << named("x");
}

TEST(Optimizers, OptionsThatContradictEachOtherAreRefused) {
  const auto check = [](const Optimizer& optimizer) {
    return testing_support::input_error([&] { optimizer.check(); });
  };
  EXPECT_EQ(check(Sgd{.momentum = 0, .nesterov = true}), "nesterov needs a momentum above 0");
  EXPECT_EQ(check(Sgd{.dampening = 0.5, .nesterov = true}), "nesterov takes no dampening; leave one of them out");
  EXPECT_EQ(check(Sgd{.momentum = 0, .dampening = 0.5}), "dampening needs a momentum above 0");
  EXPECT_EQ(check(Sgd{.dampening = 1.5}), "dampening is 1.5; it must be from 0 to 1");
  EXPECT_EQ(check(Adam{.beta2 = 1}), "beta2 is 1; it must be at least 0 and below 1");
  EXPECT_EQ(check(Muon{.adjust_lr_fn = "rms"}),
            "adjust_lr_fn \"rms\" is not known; use original, match_rms_adamw or spectral_unclamped");
}

/// What the steps of a program, in float, make of weights that are all 1, one gradient for all of them a step.
float trained(const Optimizer& optimizer, const std::vector<float>& gradients) {
  Graph g;
  const Value w = g.parameter("w", {2, 3}, Init::constant(1));
  StepContext context{.lr = g.shared_input("lr")};
  add_update(context, w, broadcast(g.shared_input("g"), {2, 3}), /*decays=*/true, optimizer);
  Variables variables(g, 1);
  Program program(g, variables, {.threads = 1});
  program.set("lr", static_cast<float>(optimizer.lr()));
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    for (const auto& scalar : context.scalars)
      program.set(scalar.name, static_cast<float>(scalar.value(optimizer.options(), static_cast<std::int64_t>(i))));
    program.set("g", gradients[i]);
    program.run(1);
  }
  return variables.at("w").values()[5];
}

/// The optimizer without decay of weights.
Optimizer without_decay(std::string_view name) {
  FieldFunction set([]<class T>(const Field& f, T& value) {
    if constexpr (std::is_same_v<T, double>) {
      if (f.name == "weight_decay") value = 0;
    }
  });
  return Optimizer::named(name).edited(set);
}

TEST(Optimizers, LeaveAWeightAloneThatNoGradientHasReached) {  // in float: not 0 / 0
  for (const auto name : Optimizer::names()) EXPECT_EQ(trained(without_decay(name), {0, 0, 0, 0, 0, 0, 0}), 1) << name;
}

TEST(Optimizers, KeepANaN) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const auto name : Optimizer::names()) EXPECT_TRUE(std::isnan(trained(without_decay(name), {0.5F, nan}))) << name;
}

TEST(Sign, IsThatOfTheNumberAndKeepsNaN) {
  Graph g;
  const Value x = g.shared_input("x", {6}), y = sign(x);
  Reference reference(g, 1);
  const double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  reference.set(x.id(), {3, -1e-300, 0, nan, inf, -inf});
  reference.run();
  const auto& signs = reference.value(y.id());
  EXPECT_EQ(signs[0], 1);
  EXPECT_EQ(signs[1], -1);
  EXPECT_EQ(signs[2], 0);
  for (std::size_t i = 3; i < 6; ++i) EXPECT_TRUE(std::isnan(signs[i])) << i;
}

/// The scalars of a step, by name.
std::map<std::string, StepScalar> scalars_of(const Optimizer& optimizer) {
  Graph g;
  StepContext context{.lr = g.shared_input("lr")};
  const Value w = g.parameter("w", {2, 3});
  add_update(context, w, g.shared_input("g", {2, 3}), /*decays=*/true, optimizer);
  std::map<std::string, StepScalar> all;
  for (const auto& scalar : context.scalars) all[scalar.name] = scalar.value;
  return all;
}

// A step goes on from the product of the step before; whoever asks in whatever order gets the same bits. Were each
// product formed anew, the first loop would be two thousand million multiplications.
TEST(NAdam, HasTheSameSharesInWhateverOrderTheyAreAskedFor) {
  const Optimizer slow = NAdam{.beta1 = 0.999}, other = NAdam{.beta1 = 0.999, .momentum_decay = 0.1}, usual = NAdam{};
  const auto scalars = scalars_of(slow);
  const auto of_gradient = scalars.at("nadam.share_of_gradient"), of_mean = scalars.at("nadam.share_of_mean");
  std::vector<double> gradient, mean;
  for (std::int64_t step = 0; step < 50'000; ++step) {
    gradient.push_back(of_gradient(slow.options(), step));
    mean.push_back(of_mean(slow.options(), step));
  }
  EXPECT_NEAR(gradient.back(), 1 - 0.999 * (1 - 0.5 * std::pow(0.96, 50'000 * 0.004)), 1e-12);
  for (const std::int64_t step : {0, 7, 6, 6, 40'000, 5, 49'999, 1000, 1001, 999, 45'000, 46'100}) {
    (void)of_mean(other.options(), step + 1);  // with another schedule
    (void)of_gradient(usual.options(), step);
    EXPECT_EQ(of_mean(slow.options(), step), mean[static_cast<std::size_t>(step)]) << step;
    EXPECT_EQ(of_gradient(slow.options(), step), gradient[static_cast<std::size_t>(step)]) << step;
  }
  double product = 1;  // of the first thousand
  const double slowing = real_power(0.96, 0.004);
  double slowed = 1;
  for (int t = 1; t <= 1001; ++t) {
    slowed *= slowing;
    product *= 0.999 * (1 - 0.5 * slowed);
  }
  EXPECT_EQ(gradient[1000], (1 - 0.999 * (1 - 0.5 * power(slowing, 1001))) / (1 - product));
}

TEST(Optimizers, StayFiniteIfTheGradientNeverChanges) {  // s − m² of a centered RMSprop is 0 but for roundings
  const std::vector<float> same(3000, 0.3F);
  for (const float g : {0.3F, 0.7F, -0.11F, 0.013F, 0.9F, 0.57F, -0.23F, 0.81F}) {
    EXPECT_TRUE(std::isfinite(trained(RmsProp{.centered = true}, std::vector<float>(3000, g)))) << g;
  }
  for (const auto name : Optimizer::names()) EXPECT_TRUE(std::isfinite(trained(Optimizer::named(name), same))) << name;
}

}  // namespace
}  // namespace chalk
