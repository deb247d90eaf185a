// A file's weights are in memory once, or hardly more, while it is read.
#include <gtest/gtest.h>
#include <malloc.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "chalkgrad/benchmark.h"
#include "chalkgrad/network.h"
#include "chalkgrad/onnx.h"
#include "src/base/file.h"
#include "src/onnx/model.h"

#if defined(__SANITIZE_ADDRESS__)
#define CHALKGRAD_OWN_MEMORY 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CHALKGRAD_OWN_MEMORY 1
#endif
#endif

namespace chalk {
namespace {

/// Of bytes that a new process has at most beyond what it began with, in percent of so many.
int memory_of_loading(const std::filesystem::path& file, std::uintmax_t bytes) {
  const auto child = fork();
  if (child == 0) {
    malloc_trim(0);                               // what this process had and has not given back
    std::ofstream("/proc/self/clear_refs") << 5;  // the peak begins anew
    const auto before = peak_memory();
    const auto net = Network::load(file);
    const auto most = static_cast<double>(peak_memory() - before);
    _exit(static_cast<int>(100 * most / static_cast<double>(bytes)));
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

class WeightsMemory : public testing::Test {
 protected:
  void SetUp() override {
#ifdef CHALKGRAD_OWN_MEMORY
    GTEST_SKIP() << "AddressSanitizer keeps what was freed";
#endif
  }
  void TearDown() override { std::filesystem::remove(file); }

  const std::filesystem::path file =
      std::filesystem::path(testing::TempDir()) / ("weights_memory." + std::to_string(getpid()) + ".onnx");
};

TEST_F(WeightsMemory, IsAtMostThreeTenthsMoreThanTheFile) {
  for (const auto* text : {"12*(1000n-relu)-10n", "150*(256n-relu)-10n"}) {
    export_onnx(network(text, {256}), file);
    ASSERT_GT(std::filesystem::file_size(file), 10'000'000);
    const int percent = memory_of_loading(file, std::filesystem::file_size(file));
    EXPECT_GE(percent, 90) << "the weights are loaded";
    EXPECT_LE(percent, 130) << text;
  }
}

/// A product with weights that a ConstantOfShape makes, beside `others` of them that are as large and only counted.
onnx::Model filled(int others) {
  constexpr std::int64_t kSide = 4096;
  onnx::Model model;
  model.inputs = {{"x", onnx::Element::float32, {"batch", kSide}}};
  model.outputs = {{"y", onnx::Element::float32, {"batch", kSide}}};
  model.initializers = {onnx::whole_numbers("shape", {2}, std::array{kSide, kSide})};
  model.calls = {{"ConstantOfShape", {"shape"}, {"w"}, {}}, {"MatMul", {"x", "w"}, {"y0"}, {}}};
  for (int i = 0; i < others; ++i) {
    const auto n = std::to_string(i);
    model.calls.push_back({"ConstantOfShape", {"shape"}, {"w" + n}, {}});
    model.calls.push_back({"Transpose", {"w" + n}, {"t" + n}, {}});
    model.calls.push_back({"Size", {"t" + n}, {"n" + n}, {}});
    model.calls.push_back({"Cast", {"n" + n}, {"f" + n}, {{"to", onnx::number_of(onnx::Element::float32)}}});
    model.calls.push_back({"Add", {"y" + n, "f" + n}, {i + 1 == others ? "y" : "y" + std::to_string(i + 1)}, {}});
  }
  return model;
}

TEST_F(WeightsMemory, IsThatOfTheNetworkAloneWhereTheFileMakesTheWeights) {
  write_file_atomically(file, onnx::serialised(filled(200)));
  const int percent = memory_of_loading(file, 4096 * 4096 * sizeof(float));
  EXPECT_GE(percent, 90) << "the weights are made";
  EXPECT_LE(percent, 130);
}

}  // namespace
}  // namespace chalk
