// Every schedule of the list: its factors against those recorded from PyTorch, whether the comparison would notice a
// wrong one, and the language.
#include "src/schedules/schedule.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <functional>
#include <sstream>

#include "chalkgrad/error.h"
#include "src/base/test_support.h"
#include "src/base/text.h"

namespace chalk {
namespace {

/// A line of tests/schedules/trajectories.txt.
struct Trajectory {
  std::string text;
  std::vector<double> factors, losses;
  bool maximised = false;
  bool of_momentum = false;  // which stands in the place of the factors then
};

std::vector<double> numbers(std::istream& in) {
  std::vector<double> all;
  for (double one = 0; in >> one;) all.push_back(one);
  return all;
}

/// "TEXT | factors | losses"
std::vector<Trajectory> recorded() {
  std::vector<Trajectory> all;
  std::ifstream file(CHALKGRAD_SOURCE_DIR "/tests/schedules/trajectories.txt");
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    Trajectory t;
    std::istringstream parts(line);
    std::getline(parts, t.text, '|');
    t.text.pop_back();
    constexpr std::string_view kMomentum = "momentum of ";
    t.of_momentum = t.text.starts_with(kMomentum);
    if (t.of_momentum) t.text.erase(0, kMomentum.size());
    std::string factors, losses;
    std::getline(parts, factors, '|');
    std::getline(parts, losses);
    constexpr std::string_view kMaximised = " maximised ";
    t.maximised = losses.starts_with(kMaximised);
    if (t.maximised) losses.erase(0, kMaximised.size());
    std::istringstream in(factors), lost(losses);
    t.factors = numbers(in);
    t.losses = numbers(lost);
    EXPECT_EQ(t.factors.size(), 100U) << t.text;
    all.push_back(std::move(t));
  }
  return all;
}

constexpr std::int64_t kEpoch = 10;  // steps

/// Something that is done to the factor of a step.
using Spoil = std::function<double(double factor, std::int64_t step)>;

/// The largest difference from the recorded factors, relative to them; at 0, to a thousandth.
double difference(const Trajectory& t, const Schedule& schedule, const Spoil& spoil = {}, std::int64_t late = 0) {
  Observed seen;
  double largest = 0;
  const auto steps = static_cast<std::int64_t>(t.factors.size());
  for (std::int64_t step = 0; step < steps; ++step) {
    if (step > 0 && step % kEpoch == 0 && !t.losses.empty())
      seen = schedule.observe(seen, t.losses[static_cast<std::size_t>(step / kEpoch - 1)], t.maximised);
    const auto at = std::max<std::int64_t>(0, step - late);
    double factor =
        t.of_momentum ? schedule.momentum(at, steps, kEpoch).value_or(0) : schedule.factor(at, steps, kEpoch, seen);
    if (spoil) factor = spoil(factor, step);
    const double right = t.factors[static_cast<std::size_t>(step)];
    const double off = std::abs(factor - right) / std::max(std::abs(right), 1e-3);
    largest = std::isnan(off) ? 1 : std::max(largest, off);
  }
  return largest;
}

constexpr double kBound = 1e-11;  // PyTorch goes from each rate to the next: its roundings add up over 100 steps

TEST(Schedules, FollowPyTorch) {
  for (const auto& t : recorded()) EXPECT_LT(difference(t, Schedule::parse(t.text)), kBound) << t.text;
}

TEST(Schedules, EachHasATrajectory) {
  const auto all = recorded();
  for (const auto name : Schedule::names()) {
    EXPECT_TRUE(std::ranges::any_of(all, [&](const auto& t) { return Schedule::parse(t.text).name() == name; }))
        << "add " << name << " to tools/schedule_trajectories.py and run it";
  }
}

TEST(Schedules, ACorruptedFactorIsNoticed) {
  for (const auto& t : recorded()) {
    const auto schedule = Schedule::parse(t.text);
    const auto last = static_cast<std::int64_t>(t.factors.size()) - 1;
    for (const std::int64_t at : {std::int64_t{0}, std::int64_t{20}, last}) {
      const Spoil scaled = [&](double f, std::int64_t step) { return step == at ? f * 1.000001 + 1e-9 : f; };
      EXPECT_GT(difference(t, schedule, scaled), 50 * kBound) << t.text << ": step " << at;
    }
    if (schedule.text() == "constant") continue;
    auto late = t;
    if (schedule.observes()) late.losses.insert(late.losses.begin(), t.losses.front());
    EXPECT_GT(difference(late, schedule, {}, schedule.observes() ? 0 : 1), 1e4 * kBound) << t.text << ": late";
  }
}

/// A schedule whose parameter of that number is another.
Schedule with_other_parameter(const Schedule& schedule, std::size_t number) {
  std::string text = str(schedule.name());
  std::size_t i = 0;
  FieldFunction writer([&]<class T>(const Field& field, const T& value) {
    const char* separator = i == 0 ? ":" : ",";
    const bool change = i++ == number;
    if constexpr (std::is_same_v<T, std::vector<double>>) {
      for (std::size_t k = 0; k < value.size(); ++k)
        text += str(k == 0 ? separator : ",", value[k] * (change ? 1.1 : 1));
    } else if constexpr (std::is_same_v<T, double>) {
      text += str(separator, field.name, "=", change ? (value == 0 ? 0.25 : value * 0.9) : value);
    } else if constexpr (std::is_same_v<T, std::int64_t>) {
      text += str(separator, field.name, "=", value + (change ? 1 : 0));
    }
  });
  schedule.parameters().show(writer);
  return Schedule::parse(schedule.warmup() > 0 ? str(text, "+warmup:", schedule.warmup()) : text);
}

TEST(Schedules, AWrongParameterIsNoticed) {
  const auto all = recorded();
  for (const auto* definition : all_schedules()) {
    std::size_t number = 0;
    FieldFunction each([&](const Field& field, const auto&) {
      const bool noticed = std::ranges::any_of(all, [&](const auto& t) {
        const auto schedule = Schedule::parse(t.text);
        try {
          return schedule.name() == definition->name.value &&
                 difference(t, with_other_parameter(schedule, number)) > 1e4 * kBound;
        } catch (const InputError&) {
          return false;  // a momentum that goes without the other
        }
      });
      EXPECT_TRUE(noticed) << definition->name.value << ": " << field.name;
      ++number;
    });
    definition->defaults.value.show(each);
  }
}

TEST(Schedules, ReachTheirEnds) {
  const auto factor = [](const char* text, std::int64_t step) { return Schedule::parse(text).factor(step, 100, 10); };
  EXPECT_EQ(factor("one-cycle-cosine", 29), 1) << "the top";
  EXPECT_NEAR(factor("one-cycle-cosine", 99), 4e-6, 1e-18) << "the last step";
  EXPECT_NEAR(factor("one-cycle", 20), 1, 1e-15);
  EXPECT_NEAR(factor("one-cycle", 99), 1.0 / 80, 1e-15);
  EXPECT_EQ(factor("constant+warmup:2", 0), 1.0 / 21) << "the first step of the warm-up is not without effect";
  EXPECT_EQ(factor("constant+warmup:2", 20), 1);
  EXPECT_EQ(factor("cosine:epochs=5,to=0.25", 99), 0.25) << "it stays there, while PyTorch's rises again";
  EXPECT_EQ(factor("cosine-restarts:5", 50), 1);
}

/// As the program of the first release computed it.
TEST(Schedules, KeepTheBitsOfEarlierPrograms) {
  const auto expect = [](const char* text, std::vector<double> factors) {
    for (std::int64_t i = 0; i < std::ssize(factors); ++i)
      EXPECT_EQ(Schedule::parse(text).factor(7 + 31 * i, 130, 13), factors[static_cast<std::size_t>(i)])
          << text << ", step " << 7 + 31 * i;
  };
  expect("constant", {1, 1, 1, 1});
  expect("step:3,0.7", {0x1p+0, 0x1p+0, 0x1.6666666666666p-1, 0x1.f5c28f5c28f5bp-2});
  expect("cosine", {0x1.fc588b606a6aap-1, 0x1.9b6f008a704f4p-1, 0x1.ce95ba3420797p-2, 0x1.018665ff9a3e6p-3});
  expect("one-cycle", {0x1.2f684bda12f68p-2, 0x1.c4ec4ec4ec4ecp-1, 0x1.2c4ec4ec4ec4fp-1, 0x1.2762762762762p-2});
  expect("constant+warmup:2", {0x1.2f684bda12f68p-2, 1, 1, 1});
  expect("step:2,0.3+warmup:1.5",
         {0x1.8f9c18f9c18fap-2, 0x1.3333333333333p-2, 0x1.70a3d70a3d70ap-4, 0x1.ba5e353f7ced9p-6});
  expect("cosine+warmup:1", {0x1.2492492492492p-1, 0x1.c874620701819p-1, 0x1.112c0020f3bbp-1, 0x1.3aa677922255p-3});
  expect("one-cycle+warmup:4",
         {0x1.3521cfb2b78c1p-3, 0x1.78c13521cfb2bp-1, 0x1.9069069069069p-1, 0x1.89d89d89d89d8p-2});
}

TEST(Schedules, AreOpenEndedIfMoreEpochsChangeNoRateBeforeThem) {
  for (const auto& [text, open] : {std::pair{"constant", true},
                                   {"step:2,0.5", true},
                                   {"constant+warmup:3", true},
                                   {"step:2+warmup:4", false},
                                   {"constant+warmup:3.5", false},
                                   {"multi-step:1,2", true},
                                   {"exponential:0.9", true},
                                   {"exponential:0.9,epochs=30", true},
                                   {"anneal:0.9", true},
                                   {"polynomial", false},
                                   {"polynomial:2,epochs=2", true},
                                   {"linear", false},
                                   {"linear:epochs=2", true},
                                   {"linear:epochs=2+warmup:4", false},
                                   {"inverse-sqrt+warmup:2", true},
                                   {"cosine", false},
                                   {"cosine:epochs=9", true},
                                   {"cosine+warmup:1", false},
                                   {"cosine-restarts:1,growth=2", true},
                                   {"one-cycle", false},
                                   {"one-cycle-cosine", false},
                                   {"plateau", true}}) {
    const auto schedule = Schedule::parse(text);
    EXPECT_EQ(schedule.open_ended(3), open) << text;
    bool same = true;
    for (int step = 0; step < 30; ++step) same &= schedule.factor(step, 30, 10) == schedule.factor(step, 70, 10);
    EXPECT_EQ(same, open) << text;
  }
}

TEST(Schedules, LeaveMomentumAloneUnlessAsked) {
  for (const auto& t : recorded()) EXPECT_EQ(Schedule::parse(t.text).moves_momentum(), t.of_momentum) << t.text;
  const Schedule cycle(OneCycleCosine{.momentum_low = 0.5, .momentum_high = 0.75}, 2);
  EXPECT_EQ(cycle.momentum(0, 100, 10), 0.75) << "in the warm-up";
  EXPECT_EQ(cycle.momentum(99, 100, 10), 0.75);
  EXPECT_EQ(cycle.momentum(20 + 23, 100, 10), 0.5) << "at the top";
}

TEST(Schedules, ThatLookAtTheLossSaySo) {
  for (const auto name : Schedule::names())
    EXPECT_EQ(std::string(name) == "plateau",
              Schedule::parse(name == "step" || name == "multi-step" || name == "exponential" || name == "anneal" ||
                                      name == "cosine-restarts"
                                  ? str(name, ":1")
                                  : std::string(name))
                  .observes());
  const auto plateau = Schedule(Plateau{.patience = 0, .factor = 0.5});
  Observed seen;
  for (const double loss : {-1.0, -0.95}) seen = plateau.observe(seen, loss, false);
  EXPECT_EQ(seen.reductions, 1) << "of losses below 0, a worse one is worse";
  EXPECT_EQ(Schedule().observe(seen, 1, false), seen);
}

std::string refusal(const std::string& text) {
  return testing_support::input_error([&] { (void)Schedule::parse(text); });
}

TEST(ScheduleText, IsReadAndWritten) {
  for (const char* text : {"constant", "cosine", "one-cycle", "step:10,0.5", "cosine+warmup:2", "multi-step:1.5,30,60",
                           "multi-step:30,factor=0.5", "cosine:to=0.01,epochs=30+warmup:0.5", "plateau:10",
                           "polynomial:1", "plateau:3,factor=0.5,cooldown=2", "exponential:1e-20+warmup:1e+20",
                           "exponential:1e+60,epochs=1e-20", "step:1e+20,0.1", "inverse-sqrt"})
    EXPECT_EQ(Schedule::parse(text).text(), text);
  for (const auto& [text, plain] : {std::pair{"step:10", "step:10,0.1"},
                                    {"plateau", "plateau:10"},
                                    {"step:factor=0.5,epochs=3", "step:3,0.5"},
                                    {"step:3,factor=0.5", "step:3,0.5"},
                                    {"polynomial:power=2", "polynomial:2"},
                                    {"cosine:to=0.0", "cosine"},
                                    {"exponential:0.5,epochs=1", "exponential:0.5"},
                                    {"cosine-restarts:5,growth=1", "cosine-restarts:5"}}) {
    EXPECT_EQ(Schedule::parse(text).text(), plain);
  }
  EXPECT_EQ(Schedule(StepDecay{.epochs = 3}, 2).text(), "step:3,0.1+warmup:2");
  EXPECT_EQ(Schedule::parse("cosine:to=0.5").parameters().as<CosineDecay>().to, 0.5);
}

TEST(ScheduleText, ThatIsWrongIsExplained) {
  EXPECT_EQ(
      refusal("sometimes"),
      "schedule \"sometimes\" is not known; use constant, step:EPOCHS,FACTOR, multi-step:EPOCHS,…, "
      "exponential:FACTOR, anneal:FACTOR, polynomial:POWER, linear, inverse-sqrt, cosine, cosine-restarts:EPOCHS, "
      "one-cycle, one-cycle-cosine or plateau:PATIENCE, each with +warmup:EPOCHS if wanted");
  for (const auto& [text, what] : std::vector<std::pair<std::string, std::string>>{
           {"cosin", " is not known; did you mean \"cosine\"?"},
           {"step", ": EPOCHS is missing; write step:EPOCHS,FACTOR as in step:30"},
           {"step:", ": EPOCHS is missing; write step:EPOCHS,FACTOR as in step:30"},
           {"multi-step:factor=2", ": EPOCHS is missing; write multi-step:EPOCHS,… as in multi-step:30,60"},
           {"step:1,x", ": FACTOR is \"x\"; it must be a number above 0"},
           {"step:0,0.1", ": EPOCHS is 0; it must be a number above 0"},
           {"step:1,-2", ": FACTOR is -2; it must be a number above 0"},
           {"step:nan", ": EPOCHS is nan; it must be a number above 0"},
           {"step:1e999", ": EPOCHS is 1e999; it must be a number above 0"},
           {"step:+5", ": EPOCHS is \"+5\"; it must be a number above 0"},
           {"step:1,2,3", ": 3 is one too many; step takes epochs and factor"},
           {"step:1,", ": a number is missing; end it without a colon or comma"},
           {"cosine:", ": a number is missing; end it without a colon or comma"},
           {"cosine:1", ": 1 is one too many; cosine takes to and epochs"},
           {"constant:1", ": 1 is one too many; constant takes nothing"},
           {"cosine:too=1", ": cosine has no \"too\", but to and epochs"},
           {"cosine:to=0,to=0", ": to is given twice; give it once"},
           {"cosine:to=2", ": to is 2; it must be from 0 to 1"},
           {"one-cycle-cosine:momentum_low=0.5",
            ": momentum_low is 0.5 and momentum_high 0; give both, the second not below the first, or neither"},
           {"multi-step:30,0.1", ": EPOCHS must grow; give them in order, and the factor as factor=0.1"},
           {"plateau:1.5", ": PATIENCE is \"1.5\"; it must be whole, and from 0 to 1000000"},
           {"cosine+warmup", ": \"warmup\" cannot be added; what can is +warmup:EPOCHS"},
           {"cosine+cool:2", ": \"cool:2\" cannot be added; what can is +warmup:EPOCHS"},
           {"cosine+warmup:", ": EPOCHS of warmup is \"\"; it must be a number above 0"},
           {"cosine+warmup:-1", ": EPOCHS of warmup is -1; it must be a number above 0"},
           {"constant+warmup:1e999", ": EPOCHS of warmup is 1e999; it must be a number above 0"}}) {
    EXPECT_EQ(refusal(text), str("schedule \"", text, "\"", what));
  }
  EXPECT_THROW(Schedule(CosineDecay{.to = 2}).check(), InputError);
  EXPECT_THROW(Schedule(CosineDecay{}, -1).check(), InputError);
  EXPECT_THROW(Schedule(MultiStepDecay{.epochs = {}}).check(), InputError);
}

RC_GTEST_PROP(ScheduleText, IsReadAsWhatWasWritten, ()) {
  const auto* definition =
      *rc::gen::elementOf(std::vector<const ScheduleDefinition*>(all_schedules().begin(), all_schedules().end()));
  const auto number = [](const Range& range) {
    const double wide = std::ldexp(static_cast<double>(*rc::gen::inRange(1, 1 << 20)), *rc::gen::inRange(-60, 40));
    const double unit = static_cast<double>(*rc::gen::inRange(1, 1 << 20)) / (1 << 20);
    return range.contains(wide) ? wide : range.least + unit * (range.most - range.least);
  };
  std::string text(definition->name.value);
  std::size_t i = 0;
  FieldFunction writer([&]<class T>(const Field& field, const T&) {
    const auto name = str(i++ == 0 ? ":" : ",", field.name, "=");
    std::ostringstream written;
    written.precision(17);
    if constexpr (std::is_same_v<T, std::int64_t>) written << *rc::gen::inRange<std::int64_t>(1, 999);
    if constexpr (!std::is_same_v<T, std::int64_t>) written << (field.name == "momentum_low" ? 0 : number(field.range));
    text += name + written.str();
  });
  definition->defaults.value.show(writer);
  if (*rc::gen::arbitrary<bool>()) text += str("+warmup:", *rc::gen::inRange(1, 50));
  const auto schedule = Schedule::parse(text);
  RC_ASSERT(Schedule::parse(schedule.text()) == schedule);
  RC_ASSERT(Schedule::parse(schedule.text()).text() == schedule.text());
  for (const std::int64_t step : {0, 3, 99}) {
    const double factor = schedule.factor(step, 100, 10);
    RC_ASSERT(factor >= 0);  // which NaN is not
  }
}

}  // namespace
}  // namespace chalk
