#include "src/base/available_memory.h"

#include <algorithm>
#include <fstream>
#include <optional>
#include <string>

#include "src/base/reading.h"

namespace chalk {
namespace {

/// A number that a file holds alone; nothing if it says "max", or is not there.
std::optional<std::uint64_t> number_of(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::string word;
  if (!(in >> word)) return {};
  return number_in<std::uint64_t>(word);
}

std::optional<std::uint64_t> available_of(const std::filesystem::path& meminfo) {
  std::ifstream in(meminfo);
  for (std::string word; in >> word;) {
    std::uint64_t kilobytes = 0;
    if (word == "MemAvailable:" && in >> kilobytes) return kilobytes * 1024;
  }
  return {};
}

}  // namespace

std::uint64_t available_memory(const std::filesystem::path& proc, const std::filesystem::path& cgroup) {
  auto available = available_of(proc / "meminfo").value_or(std::uint64_t{1} << 30U);
  const auto limit_by = [&](const char* limit, const char* used) {
    const auto most = number_of(cgroup / limit), now = number_of(cgroup / used);
    if (most && now) available = std::min(available, *most - std::min(*most, *now));
  };
  limit_by("memory.max", "memory.current");
  limit_by("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes");  // version 1
  return available;
}

std::uint64_t available_memory() { return available_memory("/proc", "/sys/fs/cgroup"); }

}  // namespace chalk
