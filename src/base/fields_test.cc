#include "src/base/fields.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <utility>

#include "chalkgrad/error.h"

namespace chalk {
namespace {

struct Options {
  std::int64_t epochs = 10;
  double momentum = 0.9;
  std::vector<double> factors{0.5};

  void visit(FieldVisitor& v) {
    v.field({"epochs", Range::from_to(1, 100)}, epochs);
    v.field({"momentum", Range::from_below(0, 1)}, momentum);
    v.field({"factors", Range::above(0)}, factors);
  }
};

std::string complaint(Options options) {
  try {
    check_fields([&](FieldVisitor& v) { options.visit(v); });
  } catch (const InputError& e) {
    return e.what();
  }
  return "";
}

TEST(Range, HasItsEndsOrNot) {
  EXPECT_TRUE(Range::from_to(0, 1).contains(1));
  EXPECT_FALSE(Range::from_below(0, 1).contains(1));
  EXPECT_TRUE(Range::from_below(0, 1).contains(0));
  EXPECT_FALSE(Range::above(0).contains(0));
  EXPECT_TRUE(Range::at_least(0).contains(0));
}

TEST(Range, HasNeitherInfinityNorNaN) {
  EXPECT_FALSE(Range{}.contains(std::numeric_limits<double>::infinity()));
  EXPECT_FALSE(Range::at_least(0).contains(std::numeric_limits<double>::infinity()));
  EXPECT_FALSE(Range{}.contains(std::numeric_limits<double>::quiet_NaN()));
}

TEST(Range, SaysWhatItHolds) {
  EXPECT_EQ(Range::above(0).text(), "a number above 0");
  EXPECT_EQ(Range::at_least(0).text(), "a number of at least 0");
  EXPECT_EQ(Range::from_below(0, 1).text(), "at least 0 and below 1");
  EXPECT_EQ(Range::from_to(0, 0.5).text(), "from 0 to 0.5");
  EXPECT_EQ((Range{.least = 0, .most = 1, .without_least = true}).text(), "above 0 and at most 1");
  EXPECT_EQ(Range::from_to(1, 1'000'000).text(), "from 1 to 1000000");
  EXPECT_EQ(Range{}.text(), "a number");
}

TEST(Range, HasWholeNumbers) {
  using Ends = std::pair<std::int64_t, std::int64_t>;
  constexpr std::int64_t kFar = std::int64_t{1} << 31;
  EXPECT_EQ(whole_numbers(Range::from_to(1, 100)), Ends(1, 100));
  EXPECT_EQ(whole_numbers(Range::at_least(0)), Ends(0, std::numeric_limits<std::int64_t>::max()));
  EXPECT_EQ(whole_numbers({}), Ends(-kFar, kFar));
}

TEST(CheckFields, NamesTheFieldItsValueAndItsRange) {
  EXPECT_EQ(complaint({}), "");
  EXPECT_EQ(complaint({.epochs = 0}), "epochs is 0; it must be from 1 to 100");
  EXPECT_EQ(complaint({.momentum = 1}), "momentum is 1; it must be at least 0 and below 1");
  EXPECT_EQ(complaint({.momentum = std::numeric_limits<double>::quiet_NaN()}),
            "momentum is nan; it must be at least 0 and below 1");
  EXPECT_EQ(complaint({.factors = {1, -1}}), "factors is -1; it must be a number above 0");
}

TEST(TextsOf, HasNamesAndValuesInTheirOrder) {
  Options options{.epochs = 1'000'000, .momentum = 0.1, .factors = {0.5, 2}};
  const auto texts = texts_of([&](FieldVisitor& v) { options.visit(v); });
  EXPECT_THAT(texts, testing::ElementsAre(testing::Pair("epochs", "1000000"), testing::Pair("momentum", "0.1"),
                                          testing::Pair("factors", "0.5, 2")));
}

/// Kinds that a visitor has no form for reach it as kinds that it has.
class Simple : public FieldVisitor {
 public:
  void field(const Field&, std::int64_t&) override {}
  void field(const Field&, bool&) override {}
  void field(const Field&, double&) override {}
  void field(const Field&, std::string& value) override { value = std::exchange(text, value); }
  void field(const Field&, std::vector<std::int64_t>& value) override { value = std::exchange(list, value); }
  void field(const Field&, std::vector<double>&) override {}

  std::string text;
  std::vector<std::int64_t> list;
};

TEST(FieldVisitor, SeesAPairAsAListOfTwo) {
  Simple visitor;
  visitor.list = {3, 5};
  std::array<std::int64_t, 2> size{1, 2};
  visitor.pair({"size"}, size, nullptr);
  EXPECT_EQ(size, (std::array<std::int64_t, 2>{3, 5}));
  EXPECT_EQ(visitor.list, (std::vector<std::int64_t>{1, 2}));
  visitor.list = {1, 2, 3};
  EXPECT_THROW(visitor.pair({"size"}, size, nullptr), InputError);
}

TEST(FieldVisitor, SeesAChoiceAsAWord) {
  Simple visitor;
  visitor.text = "glorot";
  const std::array<Word, 2> words{{{"he"}, {"glorot"}}};
  std::size_t index = 0;
  visitor.choice({"init"}, words, index);
  EXPECT_EQ(index, 1u);
  EXPECT_EQ(visitor.text, "he");
  visitor.text = "hee";
  try {
    visitor.choice({"init"}, words, index);
    FAIL();
  } catch (const InputError& e) {
    EXPECT_STREQ(e.what(), "init must be one of he, glorot, not \"hee\"");
  }
}

TEST(WithDashes, MakesAnOptionOfAName) { EXPECT_EQ(with_dashes("weight_decay"), "weight-decay"); }

}  // namespace
}  // namespace chalk
