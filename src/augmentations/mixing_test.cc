// Samples that are mixed with others.
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <optional>
#include <vector>

#include "chalkgrad/error.h"
#include "src/augmentations/augmentation_testing.h"
#include "src/base/test_support.h"

namespace chalk {
namespace {

using augmentation_testing::pictures;

/// Pictures each of a class of its own, so that the targets say who was mixed with whom.
Dataset numbered(std::size_t count, const Shape& shape) {
  auto data = pictures(count, shape);
  std::iota(data.labels.begin(), data.labels.end(), 0);
  data.class_names.clear();
  for (std::size_t i = 0; i < count; ++i) data.class_names.push_back(std::to_string(i));
  return data;
}

struct Mixture {
  std::size_t other;
  double own;
};

/// Nothing if the sample is not mixed, or with itself.
std::optional<Mixture> mixture(const Dataset& mixed, std::size_t row) {
  const auto classes = mixed.class_names.size();
  const float* target = &mixed.targets[row * classes];
  EXPECT_NEAR(std::accumulate(target, target + classes, 0.0), 1, 1e-6);
  for (std::size_t i = 0; i < classes; ++i) {
    if (i != row && target[i] > 0) return Mixture{i, static_cast<double>(target[row])};
  }
  return {};
}

Dataset mixed(const Dataset& data, const char* text, std::int64_t epoch = 0) {
  return augmented(data, Augmentations::parse(text), 1, epoch);
}

TEST(Mixup, MixesPicturesAsItMixesTargets) {
  const auto data = numbered(200, {3, 4, 5});
  for (const char* before : {"", "flip,shift:2,noise,"}) {
    const auto alone = mixed(data, std::string(before).append("flip:0").c_str());
    const auto both = mixed(data, std::string(before).append("mixup:1").c_str());
    EXPECT_EQ(both.target, Shape{200});
    EXPECT_TRUE(both.labels.empty());
    for (std::size_t row = 0; row < 200; ++row) {
      const auto mix = mixture(both, row);
      const auto other = mix ? mix->other : row;
      for (std::size_t i = 0; i < 60; ++i) {
        const double expected =
            (mix ? mix->own : 1) * alone.bytes[row * 60 + i] + (1 - (mix ? mix->own : 1)) * alone.bytes[other * 60 + i];
        ASSERT_NEAR(both.bytes[row * 60 + i], expected, 0.501) << before << "row " << row;
      }
    }
  }
}

TEST(Cutmix, PutsAsManyPixelsAsTheTargetSays) {
  const auto data = numbered(300, {2, 7, 9});
  const auto both = mixed(data, "cutmix");
  int cut = 0;
  for (std::size_t row = 0; row < 300; ++row) {
    const auto mix = mixture(both, row);
    const auto other = mix ? mix->other : row;
    int own = 0;
    for (std::size_t i = 0; i < 126; ++i) {
      const auto byte = both.bytes[row * 126 + i], mine = data.bytes[row * 126 + i];
      ASSERT_TRUE(byte == mine || byte == data.bytes[other * 126 + i]);
      own += byte == mine ? 1 : 0;
    }
    EXPECT_NEAR(own / 126.0, mix ? mix->own : 1, 0.04) << "but for pixels that are the same in both";
    cut += mix && mix->own < 0.9 ? 1 : 0;
  }
  EXPECT_GT(cut, 150);
}

struct Statistics {
  double mean = 0, variance = 0, mixed = 0;
};

Statistics statistics(const char* text, const Shape& shape = {1, 1, 1}) {
  constexpr std::size_t kSamples = 1000;
  const auto data = numbered(kSamples, shape);
  Statistics s;
  std::vector<double> shares;
  for (std::int64_t epoch = 0; epoch < 4; ++epoch) {
    const auto both = mixed(data, text, epoch);
    for (std::size_t row = 0; row < kSamples; ++row) {
      if (const auto mix = mixture(both, row)) shares.push_back(mix->own);
    }
  }
  const auto count = static_cast<double>(shares.size());
  s.mixed = count / 4 / kSamples;
  for (const double share : shares) s.mean += share / count;
  for (const double share : shares) s.variance += (share - s.mean) * (share - s.mean) / count;
  return s;
}

TEST(Mixup, DrawsFromABetaDistribution) {
  for (const auto& [text, alpha] : {std::pair{"mixup:1", 1.0}, {"mixup:0.3", 0.3}, {"mixup:3", 3.0}}) {
    const auto s = statistics(text);
    EXPECT_NEAR(s.mean, 0.5, 0.025) << text;
    EXPECT_NEAR(s.variance, 1 / (4 * (2 * alpha + 1)), 0.01) << text;
    EXPECT_GT(s.mixed, 0.95) << text << ": some λ are 1 when rounded";
  }
}

TEST(Cutmix, LeavesSevenTenthsOnAverage) {
  const auto s = statistics("cutmix", {1, 32, 32});
  EXPECT_NEAR(s.mean, 0.70, 0.015) << "of those in which there is something of another";
}

TEST(Mixing, IsDoneByTheFirstWhoseProbabilityComesTrue) {
  EXPECT_NEAR(statistics("mixup:0.4,p=0.3").mixed, 0.3, 0.04);
  EXPECT_NEAR(statistics("mixup:0.4,p=0.3,mixup:1,p=0.5").mixed, 0.3 + 0.7 * 0.5, 0.04);
  EXPECT_EQ(statistics("cutmix:1,p=0", {1, 8, 8}).mixed, 0);
}

TEST(Mixing, MixesNumbersAsItMixesPictures) {
  auto data = numbered(50, {1, 2, 2});
  data.class_names.clear();
  data.labels.clear();
  data.target = {2};
  for (std::size_t i = 0; i < 50; ++i) data.targets.insert(data.targets.end(), {static_cast<float>(i), 1});
  const auto both = mixed(data, "mixup:1");
  int others = 0;
  for (std::size_t i = 0; i < 50; ++i) {
    others += both.targets[2 * i] == static_cast<float>(i) ? 0 : 1;
    EXPECT_NEAR(both.targets[2 * i + 1], 1, 1e-6);
  }
  EXPECT_GT(others, 40);
}

TEST(Mixing, ComesLast) {
  const auto refused = [](const char* text) {
    return testing_support::input_error([&] { (void)Augmentations::parse(text); });
  };
  EXPECT_EQ(refused("mixup:0.2,flip"),
            "augmentation \"flip\" stands behind \"mixup\", which mixes samples; write what mixes last");
  EXPECT_EQ(refused("flip,mixup,p=0.5"),
            "augmentations \"flip,mixup,p=0.5\": \"p=0.5\" belongs to no augmentation; "
            "write mixup:p=0.5");
  EXPECT_EQ(refused("flip,mixup:0.2,cutmix"), "(no InputError)");
  EXPECT_EQ(testing_support::input_error([] {
              Augmentations({Cutmix{}, Flip{}}).check();
            }),
            "augmentation \"flip\" stands behind \"cutmix\", which mixes samples; write what mixes last");
}

}  // namespace
}  // namespace chalk
