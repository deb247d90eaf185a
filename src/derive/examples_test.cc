// Every network in examples/: check verifies all that derive writes of it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "chalkgrad/check.h"
#include "chalkgrad/cost.h"
#include "chalkgrad/derive.h"
#include "chalkgrad/train.h"

namespace chalk {
namespace {

std::vector<std::string> examples() {
  const std::filesystem::path folder = std::filesystem::path(CHALKGRAD_SOURCE_DIR) / "examples";
  std::vector<std::string> found;
  for (const auto& each : std::filesystem::recursive_directory_iterator(folder)) {
    if (each.path().extension() == ".toml") found.push_back(each.path().lexically_relative(folder).string());
  }
  std::ranges::sort(found);
  return found;
}

class ExampleDerivations : public testing::TestWithParam<std::string> {};

TEST_P(ExampleDerivations, AreVerifiedByCheck) {
  constexpr std::int64_t kMuch = 10'000'000;
  std::ifstream file(std::filesystem::path(CHALKGRAD_SOURCE_DIR) / "examples" / GetParam());
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto net = network(text, GetParam().ends_with("resnet20.toml") ? Shape{3, 32, 32} : Shape{1, 8, 8});
  if (cost(net.graph()).forward > kMuch && std::getenv("CHALKGRAD_NETWORKS") == nullptr)
    GTEST_SKIP() << "takes seconds: one of the long tests";
  const auto d = derive(net, natural_loss(net));
  const auto report = check_derivation(to_check(d), GetParam());
  for (const auto& line : report.lines) EXPECT_NE(line.verdict, Verdict::failed) << line.text << ": " << line.message;
  EXPECT_EQ(report.verified + report.excepted, d.equations) << "an equation was skipped";
}

INSTANTIATE_TEST_SUITE_P(Of, ExampleDerivations, testing::ValuesIn(examples()), [](const auto& each) {
  std::string name = each.param;
  std::ranges::replace_if(
      name, [](char c) { return c == '.' || c == '/' || c == '-'; }, '_');
  return name;
});

}  // namespace
}  // namespace chalk
