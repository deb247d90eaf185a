#include "src/base/available_memory.h"

#include <gtest/gtest.h>

#include <fstream>

#include "src/base/test_support.h"

namespace chalk {
namespace {

TEST(AvailableMemory, IsWhatTheSystemSaysOrWhatIsLeftOfALimit) {
  const testing_support::Folder folder;
  const auto write = [&](const std::string& name, const std::string& text) {
    std::filesystem::create_directories((folder / name).parent_path());
    std::ofstream(folder / name) << text;
  };
  const auto found = [&] { return available_memory(folder / "proc", folder / "group"); };
  EXPECT_EQ(found(), 1U << 30U);
  write("proc/meminfo", "MemTotal:       24576000 kB\nMemFree:         1000 kB\nMemAvailable:    2000 kB\n");
  EXPECT_EQ(found(), 2'048'000U);
  write("group/memory.max", "max\n");
  write("group/memory.current", "5000\n");
  EXPECT_EQ(found(), 2'048'000U);
  write("group/memory.max", "1000000\n");
  EXPECT_EQ(found(), 995'000U);
  write("group/memory.current", "2000000\n");
  EXPECT_EQ(found(), 0U);
  std::filesystem::remove(folder / "group/memory.max");
  write("group/memory/memory.limit_in_bytes", "9223372036854771712\n");
  write("group/memory/memory.usage_in_bytes", "7\n");
  EXPECT_EQ(found(), 2'048'000U);
  write("group/memory/memory.limit_in_bytes", "107\n");
  EXPECT_EQ(found(), 100U);
}

}  // namespace
}  // namespace chalk
