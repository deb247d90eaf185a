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

#if defined(__SANITIZE_ADDRESS__)
#define CHALKGRAD_OWN_MEMORY 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CHALKGRAD_OWN_MEMORY 1
#endif
#endif

namespace chalk {
namespace {

/// Of bytes that a new process has at most beyond what it began with, in percent of the file's.
int memory_of_loading(const std::filesystem::path& file) {
  const auto child = fork();
  if (child == 0) {
    malloc_trim(0);                               // what this process had and has not given back
    std::ofstream("/proc/self/clear_refs") << 5;  // the peak begins anew
    const auto before = peak_memory();
    const auto net = Network::load(file);
    const auto most = static_cast<double>(peak_memory() - before);
    _exit(static_cast<int>(100 * most / static_cast<double>(std::filesystem::file_size(file))));
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(WeightsMemory, IsAtMostThreeTenthsMoreThanTheFile) {
#ifdef CHALKGRAD_OWN_MEMORY
  GTEST_SKIP() << "AddressSanitizer keeps what was freed";
#endif
  const auto file =
      std::filesystem::path(testing::TempDir()) / ("weights_memory." + std::to_string(getpid()) + ".onnx");
  for (const auto* text : {"12*(1000n-relu)-10n", "150*(256n-relu)-10n"}) {
    export_onnx(network(text, {256}), file);
    ASSERT_GT(std::filesystem::file_size(file), 10'000'000);
    const int percent = memory_of_loading(file);
    EXPECT_GE(percent, 90) << "the weights are loaded";
    EXPECT_LE(percent, 130) << text;
  }
  std::filesystem::remove(file);
}

}  // namespace
}  // namespace chalk
