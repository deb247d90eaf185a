// The options of losses: their ranges, and who refuses what is out of them.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <type_traits>

#include "src/base/test_support.h"
#include "src/base/text.h"
#include "src/losses/loss.h"

namespace chalk {
namespace {

using testing_support::input_error;

TEST(Losses, HaveOptionsThatExplainThemselves) {
  for (const Loss& loss : all_losses()) {
    FieldFunction explained([&](const Field& field, const auto&) {
      EXPECT_FALSE(field.help.empty()) << name_of(loss) << " " << field.name;
    });
    loss.options().show(explained);
    EXPECT_NO_THROW(loss.check()) << name_of(loss);
  }
  const auto refusal = [](const Loss& loss) { return input_error([&] { loss.check(); }); };
  EXPECT_EQ(refusal(CrossEntropy{.label_smoothing = 1.5}), "label_smoothing is 1.5; it must be from 0 to 1");
  EXPECT_EQ(refusal(CrossEntropy{.class_weights = {1, -2}}), "class_weights is -2; it must be a number of at least 0");
  EXPECT_EQ(refusal(CrossEntropy{.class_weights = {0, 0}}),
            "class_weights are all 0, so that no sample counts; make one of them larger");
  EXPECT_EQ(refusal(Huber{.delta = 0}), "delta is 0; it must be a number above 0");
}

/// Numbers that the range does not take.
std::vector<double> outside(const Range& range) {
  std::vector<double> all{std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()};
  if (std::isfinite(range.least)) all.push_back(range.without_least ? range.least : range.least - 1);
  if (std::isfinite(range.most)) all.push_back(range.without_most ? range.most : range.most + 1);
  return all;
}

/// The loss once for each way in which one of its options can be out of range, and the option's name.
std::vector<std::pair<std::string, Loss>> broken(const Loss& loss) {
  std::vector<std::pair<std::string, Range>> fields;
  FieldFunction collect([&]<class T>(const Field& field, const T&) {
    if constexpr (!std::is_same_v<T, bool>) fields.emplace_back(field.name, field.range);
  });
  loss.options().show(collect);
  std::vector<std::pair<std::string, Loss>> all;
  for (const auto& one : fields) {
    const auto& name = one.first;
    for (const double bad : outside(one.second)) {
      bool set = false;
      FieldFunction setter([&]<class T>(const Field& field, T& value) {
        if (field.name != name) return;
        if constexpr (std::is_same_v<T, double>) value = bad, set = true;
        if constexpr (std::is_same_v<T, std::vector<double>>) value = {1, bad, 1, 1}, set = true;
        if constexpr (std::is_same_v<T, std::int64_t>) {
          if (std::isfinite(bad)) value = static_cast<std::int64_t>(bad), set = true;
        }
      });
      const Loss changed = loss.edited(setter);
      if (set) all.emplace_back(name, changed);
    }
  }
  return all;
}

// A function that is called directly, without a run that has checked its options.
TEST(Losses, RefuseOptionsOutOfTheirRanges) {
  std::size_t tried = 0;
  for (const Loss& loss : all_losses()) {
    const auto& definition = definition_of(loss);
    const bool places = definition.target.value == Target::places;
    for (const auto& [option, changed] : broken(loss)) {
      Graph g;
      const Value y = g.input("y", places ? Shape{4, 2, 3} : Shape{4}),
                  t = g.input("t", places ? Shape{2, 3} : Shape{4});
      const auto said = input_error([&] { (void)definition.build.value(changed.options(), y, t); });
      EXPECT_TRUE(said.starts_with(str(stored_name(loss), ": ", option, " is "))) << name_of(loss) << " " << said;
      ++tried;
    }
  }
  EXPECT_GE(tried, 25U);
  Graph g;
  const Value y = g.input("y", {4}), t = g.input("t", {4});
  EXPECT_EQ(input_error([&] { return smooth_l1(y, t, {.beta = 0}); }),
            "smooth_l1: beta is 0; it must be a number above 0");
  EXPECT_EQ(input_error([&] { return focal(y, t, {.gamma = -1}); }), "focal: gamma is -1; it must be from 0 to 100");
  EXPECT_EQ(input_error([&] {
              return cross_entropy(y, t, {.class_weights = {0, 0, 0, 0}});
            }),
            "cross_entropy: class_weights are all 0, so that no sample counts; make one of them larger");
}

TEST(Losses, AreEqualIfTheirOptionsAre) {
  const Loss smooth = CrossEntropy{.label_smoothing = 0.1};
  EXPECT_EQ(Loss(CrossEntropy{}), Loss(Loss::cross_entropy));
  EXPECT_NE(smooth, Loss(Loss::cross_entropy));
  EXPECT_TRUE(smooth == Loss::cross_entropy) << "whatever its options";
  EXPECT_EQ(smooth.as<CrossEntropy>().label_smoothing, 0.1);
  EXPECT_THROW((void)smooth.as<Focal>(), std::bad_cast);
}

}  // namespace
}  // namespace chalk
