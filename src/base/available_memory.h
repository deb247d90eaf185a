// How much memory there is for more.
#pragma once

#include <cstdint>
#include <filesystem>

namespace chalk {

/// Bytes that this process can still take without others being swapped out: what the system says is available
/// (MemAvailable), or what is left of the limit of its control group (a container's), if that is less.
std::uint64_t available_memory();

/// The same from other files: a folder as /proc, and one as /sys/fs/cgroup. Where nothing can be read, 1 GB.
std::uint64_t available_memory(const std::filesystem::path& proc, const std::filesystem::path& cgroup);

}  // namespace chalk
