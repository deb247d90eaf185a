// Every file in tests/bad/onnx gives the error that tests/bad/expected.txt says; those that fuzzing starts from are
// read.
#include <fstream>
#include <map>

#include "src/base/file.h"
#include "src/base/test_support.h"
#include "src/base/text.h"
#include "src/net/foreign.h"
#include "src/onnx/model.h"

namespace chalk {
namespace {

using testing_support::input_error;
using testing_support::kAnySize;
using testing_support::source;

TEST(OnnxFiles, EachBadOneGivesItsError) {
  std::map<std::string, std::string> expected;
  std::ifstream lines(source("tests/bad/expected.txt"));
  for (std::string name, message; std::getline(lines, name, '\t') && std::getline(lines, message);)
    expected[name] = message;
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(source("tests/bad/onnx"))) {
    const auto name = entry.path().filename().string();
    ASSERT_TRUE(expected.contains("onnx/" + name)) << name << " has no line in tests/bad/expected.txt";
    const auto message = input_error([&] { (void)read_onnx(read_file(entry.path(), kAnySize), name); });
    EXPECT_THAT(message, testing::HasSubstr(expected["onnx/" + name])) << name;
    EXPECT_THAT(message, testing::StartsWith(name));
    EXPECT_THAT(message, testing::HasSubstr("; ")) << name << " does not say what to do";
    EXPECT_EQ(message.find('\n'), std::string::npos) << name;
    ++count;
  }
  EXPECT_GE(count, 20);
}

TEST(OnnxFiles, GoodOnesAreReadAndCutOnesAreNot) {
  for (const auto& entry : std::filesystem::directory_iterator(source("fuzz/corpus/onnx"))) {
    const auto bytes = read_file(entry.path(), kAnySize);
    EXPECT_NO_THROW((void)read_onnx(bytes, "good")) << entry.path();
    for (std::size_t size = 0; size < bytes.size(); size += 5) {
      const std::vector<std::uint8_t> cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
      EXPECT_THROW((void)read_onnx(cut, "cut"), InputError) << entry.path() << " up to " << size;
    }
  }
}

TEST(OnnxFiles, AreNotQuotedAtLength) {
  const std::vector<std::int64_t> many(20000, 7);
  const auto size = static_cast<std::int64_t>(many.size());
  const std::map<std::string, std::vector<std::pair<std::string, onnx::AttributeValue>>> calls{
      {"Split", {{"axis", std::int64_t{1}}}},
      {"Reshape", {}},
      {"Pad", {}},
      {"Expand", {}},
      {"Tile", {}},
      {"Transpose", {{"perm", many}}},
      {"MaxPool", {{"kernel_shape", many}}},
      {"Conv", {{"kernel_shape", many}, {"pads", many}}}};
  for (const auto& [op, attributes] : calls) {
    onnx::Model model;
    model.inputs = {{"x", onnx::Element::float32, {"batch", 4, 8, 8}}};
    model.outputs = {{"y", onnx::Element::float32, {"batch", 4, 8, 8}}};
    model.initializers.push_back(onnx::whole_numbers("many", {size}, many));
    model.initializers.push_back(onnx::floats("w", {1, 4, 1, 1}, std::vector<float>(4, 1.0F)));
    const bool is_call_with_weights = op == "Conv";
    model.calls.push_back({op, {"x", is_call_with_weights ? "w" : "many"}, {"y"}, attributes});
    if (!attributes.empty() && op != "Split" && !is_call_with_weights) model.calls.back().inputs.resize(1);
    const auto bytes = onnx::serialised(model);
    const auto message = input_error([&] { (void)read_onnx({bytes.begin(), bytes.end()}, "long"); });
    EXPECT_FALSE(message.empty()) << op;
    EXPECT_LT(message.size(), 400) << op << ": " << message.substr(0, 400);
  }
}

}  // namespace
}  // namespace chalk
