// Whether samples are kept in memory (LoadOptions::memory).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "chalkgrad/data.h"

namespace chalk {

/// Nothing if so many bytes may be kept; otherwise why not: "would take 16,357 MB of memory, and 12,023 MB are half of
/// what is available".
std::optional<std::string> beyond_memory(std::uint64_t bytes, const LoadOptions& options);

}  // namespace chalk
