// tests/data/sets/expected.txt says what torchvision, scikit-learn, Pillow and NumPy read from the sets beside it;
// tools/make_data_sets.py has written both.
#include <fstream>
#include <sstream>

#include "chalkgrad/data.h"
#include "src/base/reading.h"
#include "src/base/test_support.h"
#include "src/base/text.h"
#include "src/files/sha256.h"

namespace chalk {
namespace {

struct Expected {
  std::string spec, part, samples, shape, kind, digest, answers, names;
};

std::vector<Expected> expectations() {
  std::vector<Expected> all;
  std::ifstream file(testing_support::source("tests/data/sets/expected.txt"));
  for (std::string line; std::getline(file, line);) {
    const auto parts = split(line, '\t');
    EXPECT_EQ(parts.size(), 8U) << line;
    const auto text = [&](std::size_t i) { return std::string(parts.at(i)); };
    all.push_back({text(0), text(1), text(2), text(3), text(4), text(5), text(6), text(7)});
  }
  return all;
}

/// With the folder of the sets for {}.
std::string spec_of(std::string spec) {
  const auto folder = testing_support::source("tests/data/sets").string();
  for (auto at = spec.find("{}"); at != std::string::npos; at = spec.find("{}")) spec.replace(at, 2, folder);
  return spec;
}

template <class T>
std::string digest_of(const std::vector<T>& numbers) {
  return sha256({reinterpret_cast<const std::uint8_t*>(numbers.data()), numbers.size() * sizeof(T)});
}

std::string joined(const auto& parts) {
  std::string text;
  for (const auto& part : parts) text += str(text.empty() ? "" : ",", part);
  return text;
}

TEST(DataSources, GiveTheBytesThatOtherToolsGive) {
  const auto all = expectations();
  EXPECT_GT(all.size(), 5U);
  for (const auto& expected : all) {
    SCOPED_TRACE(expected.spec + ", " + expected.part);
    const bool test = expected.part == "test";
    const auto split = load_dataset(spec_of(expected.spec));
    const auto& data = test ? split.test : split.train;
    EXPECT_EQ(std::to_string(data.size()), expected.samples);
    EXPECT_EQ(to_string(data.sample), expected.shape);
    EXPECT_EQ(data.bytes.empty() ? "values" : "bytes", expected.kind);
    EXPECT_EQ(data.bytes.empty() ? digest_of(data.values) : digest_of(data.bytes), expected.digest);
    EXPECT_EQ(data.labels.empty() ? digest_of(data.targets) : joined(data.labels), expected.answers);
    EXPECT_EQ(joined(data.class_names), expected.names);
    EXPECT_TRUE(split.skipped.empty());
  }
}

TEST(DataSources, GiveOnePartAsTheyGiveBoth) {
  for (const auto& expected : expectations()) {
    SCOPED_TRACE(expected.spec + ", " + expected.part);
    const bool test = expected.part == "test";
    const auto spec = spec_of(expected.spec);
    const auto both = load_dataset(spec), one = load_dataset(spec, {.parts = test ? Parts::test : Parts::training});
    const auto& expected_part = test ? both.test : both.train;
    const auto& part = test ? one.test : one.train;
    EXPECT_EQ(part.bytes, expected_part.bytes);
    EXPECT_EQ(part.values, expected_part.values);
    EXPECT_EQ(part.labels, expected_part.labels);
    EXPECT_EQ(part.class_names, expected_part.class_names);
    EXPECT_EQ(load_dataset(spec, {.parts = Parts::training_at_least}).train.digest(), both.train.digest());
  }
}

}  // namespace
}  // namespace chalk
