#include "apps/chalkgrad/json.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <random>

namespace chalk::app {
namespace {

using Right = nlohmann::ordered_json;

std::string right(const Right& json) { return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace); }

TEST(Json, IsWrittenAsEverybodyWritesIt) {
  Json line{{"step", 1}, {"done", false}, {"shape", std::vector<std::int64_t>{1, 28, 28}}, {"none", Json()}};
  line["known"] = std::optional(0.5);
  line["unknown"] = std::optional<double>();
  line["classes"].push_back({{"name", "cat"}});
  line["classes"].push_back({{"name", "dog"}});
  line["step"] = 2;
  line["empty"] = Json::array();
  line["texts"] = std::map<std::string, std::string>{{"a", "b"}};
  Right expected{{"step", 2}, {"done", false}, {"shape", {1, 28, 28}}, {"none", nullptr}};
  expected["known"] = 0.5;
  expected["unknown"] = nullptr;
  expected["classes"] = {{{"name", "cat"}}, {{"name", "dog"}}};
  expected["empty"] = Right::array();
  expected["texts"] = {{"a", "b"}};
  EXPECT_EQ(line.text(), expected.dump());
  EXPECT_EQ(line.text(/*lines=*/true), expected.dump(2));
}

TEST(Json, RealsReadBackAsTheSameNumberAndAreNoLonger) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 20000; ++i) {
    const auto bits = random();
    for (const double x :
         {std::bit_cast<double>(bits), static_cast<double>(bits) / 1e12, std::ldexp(bits >> 40U, -24)}) {
      const auto text = Json(x).text();
      if (!std::isfinite(x)) {
        EXPECT_EQ(text, "null");
        continue;
      }
      const auto read = nlohmann::json::parse(text);
      ASSERT_TRUE(read.is_number_float()) << text;
      ASSERT_EQ(std::bit_cast<std::uint64_t>(read.get<double>()), std::bit_cast<std::uint64_t>(x)) << text;
      ASSERT_LE(text.size(), right(x).size()) << text;
    }
  }
  for (const double x : {0.0, -0.0, 1.0, -2.5, 0.0001, 0.00001, 1e14, 1e15, 123456789012345678.0, 1e300, 5e-324,
                         std::numeric_limits<double>::max()}) {
    EXPECT_EQ(Json(x).text(), right(x));
  }
}

TEST(Json, TextsAreEscapedAndWhatIsNotUtf8IsReplaced) {
  for (const char* text :
       {"", "plain", "a \"quoted\" \\ text", "\b\t\n\f\r\x01\x1f\x7f", "×é𝄞", "\xff", "a\xc3(", "\xc0\xaf"})
    EXPECT_EQ(Json(text).text(), right(text)) << text;
}

}  // namespace
}  // namespace chalk::app
