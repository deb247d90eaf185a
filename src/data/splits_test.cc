#include "chalkgrad/splits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <set>

#include "chalkgrad/error.h"
#include "src/base/test_support.h"

namespace chalk {
namespace {

Dataset numbered(std::int32_t samples) {
  Dataset data;
  data.name = "numbers";
  data.sample = {2};
  data.class_names.assign(100, "c");
  for (std::int32_t i = 0; i < samples; ++i) {
    data.values.insert(data.values.end(), {static_cast<float>(i), -static_cast<float>(i)});
    data.labels.push_back(i);
  }
  return data;
}

TEST(HoldOut, EachSampleIsInOnePartWithItsLabelAndInOrder) {
  const auto split = hold_out(numbered(50), 0.2);
  EXPECT_EQ(split.test.size(), 10U);
  EXPECT_EQ(split.train.size(), 40U);
  std::set<std::int32_t> seen;
  for (const auto* part : {&split.train, &split.test}) {
    part->check();
    EXPECT_TRUE(std::is_sorted(part->labels.begin(), part->labels.end()));
    for (std::size_t i = 0; i < part->size(); ++i) {
      EXPECT_EQ(part->values[2 * i + 1], -static_cast<float>(part->labels[i]));
      seen.insert(part->labels[i]);
    }
  }
  EXPECT_EQ(seen.size(), 50U);
}

TEST(HoldOut, TheSameSamplesAreTakenEachTime) {
  EXPECT_EQ(hold_out(numbered(50), 0.1).test.labels, hold_out(numbered(50), 0.1).test.labels);
  EXPECT_EQ(hold_out(numbered(50), 0.1).test.labels, (std::vector<std::int32_t>{7, 15, 36, 38, 46}));
}

TEST(HoldOut, ThereIsASampleInEachPart) {
  EXPECT_EQ(hold_out(numbered(2), 0.01).test.size(), 1U);
  EXPECT_EQ(hold_out(numbered(2), 0.99).train.size(), 1U);
}

std::string refusal(std::int32_t samples, double share) {
  return testing_support::input_error([&] { (void)hold_out(numbered(samples), share); });
}

TEST(HoldOut, SaysWhatIsImpossible) {
  EXPECT_EQ(refusal(50, 1), "the share to hold out is 1; it must be above 0 and below 1");
  EXPECT_EQ(refusal(50, std::nan("")), "the share to hold out is nan; it must be above 0 and below 1");
  EXPECT_EQ(refusal(1, 0.5), "numbers: 1 samples are too few to hold some of them out");
}

/// As many samples of each class as said, one after the other of different classes as long as there are some.
Dataset classes(std::vector<std::int32_t> counts) {
  Dataset data;
  data.name = "classes";
  data.sample = {1};
  for (std::size_t c = 0; c < counts.size(); ++c)
    data.class_names.push_back(std::string(1, static_cast<char>('a' + c)));
  for (bool any = true; any;) {
    any = false;
    for (std::size_t c = 0; c < counts.size(); ++c) {
      if (counts[c]-- <= 0) continue;
      data.values.push_back(static_cast<float>(data.labels.size()));
      data.labels.push_back(static_cast<std::int32_t>(c));
      any = true;
    }
  }
  return data;
}

std::vector<std::int64_t> counts_of(const Dataset& data) {
  std::vector<std::int64_t> counts(data.class_names.size());
  for (const auto label : data.labels) ++counts[static_cast<std::size_t>(label)];
  return counts;
}

TEST(HoldOut, StratifiedTakesOfEachClassInProportion) {
  const auto held = [](std::vector<std::int32_t> counts, double share) {
    return counts_of(hold_out(classes(std::move(counts)), HoldOut{.share = share, .stratified = true}).test);
  };
  EXPECT_THAT(held({10, 20, 70}, 0.1), testing::ElementsAre(1, 2, 7));
  EXPECT_THAT(held({5, 5, 5}, 0.2), testing::ElementsAre(1, 1, 1));
  EXPECT_THAT(held({7, 6, 7}, 0.5), testing::ElementsAre(4, 3, 3)) << "of equal remainders, those that come first";
  EXPECT_THAT(held({1, 99}, 0.1), testing::ElementsAre(0, 10)) << "a class of one sample stays in training";
  EXPECT_THAT(held({2, 0, 1}, 0.34), testing::ElementsAre(1, 0, 0));
}

TEST(HoldOut, StratifiedTakesAsManyAsItWouldWithout) {
  for (const double share : {0.01, 0.1, 0.33, 0.5, 0.95}) {
    const auto data = classes({13, 1, 40, 7});
    EXPECT_EQ(hold_out(data, HoldOut{share, true, 5}).test.size(), hold_out(data, share).test.size());
  }
}

TEST(HoldOut, AnotherSeedTakesOtherSamples) {
  const auto data = numbered(50);
  EXPECT_EQ(hold_out(data, HoldOut{.share = 0.1}).test.labels, hold_out(data, 0.1).test.labels);
  const auto other = hold_out(data, HoldOut{.share = 0.1, .seed = 1}).test.labels;
  EXPECT_EQ(other.size(), 5U);
  EXPECT_NE(other, hold_out(data, 0.1).test.labels);
}

TEST(HoldOut, TextsReadBack) {
  for (const char* text : {"0.1", "0.25,stratified", "0.1,seed=7", "0.1,stratified,seed=7"})
    EXPECT_EQ(HoldOut::parse(text).text(), text);
  EXPECT_EQ(HoldOut::parse("0.10,seed=7,stratified").text(), "0.1,stratified,seed=7");
  for (const char* text : {"", "0", "1", "0.1,", "0.1,strat", "0.1,seed=", "0.1,seed=-1", "0.1,seed=1,seed=1", "x"}) {
    EXPECT_EQ(testing_support::input_error([&] { (void)HoldOut::parse(text); }),
              "\"" + std::string(text) +
                  "\" is no share to hold out; it must be above 0 and below 1, and stratified and a seed may follow: "
                  "0.1,stratified,seed=3");
  }
}

TEST(HoldOut, NeedsClassesToBeStratified) {
  Dataset data = numbered(4);
  data.labels.clear();
  data.targets = {1, 2, 3, 4};
  data.target = {1};
  EXPECT_EQ(testing_support::input_error([&] {
              (void)hold_out(data, HoldOut{0.5, true});
            }),
            "numbers: has values and no classes to hold out in proportion; leave out stratified");
}

TEST(Folds, EachSampleIsInOneAndTheyDifferByOneAtMost) {
  for (const bool plain : {false, true}) {
    for (const int folds : {2, 3, 5, 7}) {
      const auto data = classes({7, 23, 8, 11});
      std::multiset<float> seen;
      std::size_t least = data.size(), most = 0;
      for (int k = 1; k <= folds; ++k) {
        const auto split = fold_of(data, Fold{k, folds, plain});
        split.test.check();
        seen.insert(split.test.values.begin(), split.test.values.end());
        EXPECT_EQ(split.train.size() + split.test.size(), data.size());
        least = std::min(least, split.test.size());
        most = std::max(most, split.test.size());
        for (std::size_t c = 0; c < 4 && !plain; ++c)
          EXPECT_LT(
              std::abs(static_cast<double>(counts_of(split.test)[c]) - static_cast<double>(counts_of(data)[c]) / folds),
              1);
      }
      EXPECT_EQ(seen, std::multiset<float>(data.values.begin(), data.values.end()));
      EXPECT_LE(most - least, 1U);
    }
  }
}

// What StratifiedKFold(5).split() of scikit-learn has in each fold of classes of 7, 23, 8 and 11 samples.
TEST(Folds, HaveAsManyOfEachClassAsScikitLearns) {
  const std::vector<std::vector<std::int64_t>> expected = {
      {2, 4, 2, 2}, {2, 4, 2, 2}, {1, 5, 2, 2}, {1, 5, 1, 3}, {1, 5, 1, 2}};
  for (int k = 1; k <= 5; ++k) {
    EXPECT_EQ(counts_of(fold_of(classes({7, 23, 8, 11}), Fold{k, 5}).test), expected[static_cast<std::size_t>(k - 1)]);
  }
}

TEST(Folds, AreTheSameEachTimeAndOthersWithAnotherSeed) {
  const auto fold = [](const Fold& f) { return fold_of(numbered(20), f).test.labels; };
  EXPECT_EQ(fold({2, 5, true}), fold({2, 5, true}));
  EXPECT_NE(fold({2, 5, true}), fold({2, 5, true, 1}));
  EXPECT_NE(fold({2, 5, true}), fold({3, 5, true}));
  EXPECT_EQ(fold({2, 5, true}), (std::vector<std::int32_t>{5, 9, 12, 17}));
}

TEST(Folds, NumbersWithoutClassesAreDealt) {
  Dataset data = numbered(4);
  data.labels.clear();
  data.targets = {1, 2, 3, 4};
  data.target = {1};
  EXPECT_EQ(fold_of(data, Fold{1, 2}).test.size(), 2U);
}

TEST(Folds, TextsReadBack) {
  for (const char* text : {"1/5", "2/5,plain", "5/5,seed=3", "2/10,plain,seed=3"})
    EXPECT_EQ(Fold::parse(text).text(), text);
  EXPECT_EQ(Fold::parse_all("10,seed=3").text(), "1/10,seed=3");
  for (const char* text : {"", "5", "0/5", "6/5", "1/1", "1/1001", "1/5,", "1/5,stratified", "a/5", "-1/5"}) {
    EXPECT_EQ(
        testing_support::input_error([&] { (void)Fold::parse(text); }),
        "\"" + std::string(text) +
            "\" is no fold; it is its number, from 1, and how many there are, from 2 to 1000, and a seed and plain "
            "may follow: 2/5,seed=3");
  }
  for (const char* text : {"", "1", "1001", "2/5", "5,x", "5.5"}) {
    EXPECT_EQ(testing_support::input_error([&] { (void)Fold::parse_all(text); }),
              "\"" + std::string(text) +
                  "\" is no number of folds from 2 to 1000, which a seed and plain may follow: 5,seed=3");
  }
}

TEST(Folds, SaysWhatIsImpossible) {
  const auto error = [](std::vector<std::int32_t> counts, const Fold& fold) {
    return testing_support::input_error([&] { (void)fold_of(classes(std::move(counts)), fold); });
  };
  EXPECT_EQ(error({3, 1}, {1, 5}), "classes: 4 samples are too few for 5 folds; use as many folds as samples at most");
  EXPECT_EQ(error({9, 3}, {1, 5}),
            "classes: the class \"b\" has 3 samples, fewer than the 5 folds; use fewer folds, or deal samples without "
            "regard to their classes: 5,plain");
  EXPECT_EQ(error({9, 9}, {6, 5}), "fold 6 of 5 is none; folds count from 1, and there are 2 to 1000");
  EXPECT_EQ(fold_of(classes({9, 3}), {1, 5, true}).test.size(), 3U);
  EXPECT_EQ(fold_of(classes({9, 0, 5}), {1, 5}).test.size(), 3U) << "a class without samples is none";
}

class Listed : public testing::Test {
 protected:
  Split listed(const std::string& text) const {
    std::ofstream(path) << text;
    return hold_out_listed(data, path);
  }
  std::string error(const std::string& text) const {
    auto said = testing_support::input_error([&] { (void)listed(text); });
    EXPECT_EQ(said.substr(0, path.size()), path);
    return said.substr(std::min(said.size(), path.size()));
  }
  testing_support::Folder folder;
  const std::string path = (folder.path() / "val.txt").string();
  Dataset data = numbered(4);
};

TEST_F(Listed, TakesNumbersAndFiles) {
  EXPECT_THAT(listed("3\n\n 1 \r\n").test.labels, testing::ElementsAre(1, 3));
  data.files = {"p/a/0.png", "p/a/1.png", "p/b/1.png", "q/b/12.png"};
  EXPECT_THAT(listed("a/1.png\np/b/1.png\n12.png\n").test.labels, testing::ElementsAre(1, 2, 3));
  EXPECT_THAT(listed("0\n").train.files, testing::ElementsAre("p/a/1.png", "p/b/1.png", "q/b/12.png"));
}

TEST_F(Listed, SaysWhatIsWrong) {
  EXPECT_EQ(error("0\n4\n"), ": line 2: there is no training sample 4; 4 count from 0 to 3");
  EXPECT_EQ(
      error("x.png"),
      ": line 1: no training sample is \"x.png\"; those of this source have no files, so give their numbers, from 0");
  EXPECT_EQ(error("1\n1\n"), ": line 2: \"1\" is listed twice; list each sample once");
  EXPECT_EQ(error("\n"),
            ": lists no samples; list some of the training samples, a line each, and leave some to train on");
  EXPECT_EQ(error("0\n1\n2\n3\n"),
            ": lists all samples; list some of the training samples, a line each, and leave some to train on");
  data.files = {"p/a/0.png", "p/a/1.png", "p/b/1.png", "q/b/12.png"};
  EXPECT_EQ(error("1.png"),
            ": line 1: \"1.png\" may be any of 2 samples, such as \"p/a/1.png\"; give more of its path");
  EXPECT_EQ(
      error("2.png"),
      ": line 1: no training sample is \"2.png\"; give a number, from 0, or the end of the path of its file, such "
      "as \"p/a/0.png\"");
}

TEST(Validations, TextsReadBack) {
  for (const char* text : {"test", "0.1,stratified", "samples:val.txt", "folder:photos,test=val"})
    EXPECT_EQ(Validation::parse(text).text(), text);
  EXPECT_FALSE(Validation::parse("folder:x").holds_out());
  EXPECT_TRUE(Validation::parse("samples:x").holds_out());
  for (const char* text : {"", "1", "0", "digits", "samples:", "mnist:", "tset"}) {
    EXPECT_EQ(testing_support::input_error([&] { (void)Validation::parse(text); }),
              "is \"" + std::string(text) +
                  "\"; it must be test, or a number above 0 and below 1: a share of the training samples, which "
                  "stratified and a seed may follow, as in 0.1,stratified,seed=3; or samples:FILE, a list of them; or "
                  "val, the part of a folder that is called so; or other data, such as mnist:FOLDER");
  }
}

}  // namespace
}  // namespace chalk
