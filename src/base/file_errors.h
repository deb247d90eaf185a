// What is said about files that cannot be written.
#pragma once

#include <filesystem>

namespace chalk {

/// Throws InputError for an error number of the system: why, and what to do about it.
[[noreturn]] void fail_to_write(const std::filesystem::path& path, int error);

}  // namespace chalk
