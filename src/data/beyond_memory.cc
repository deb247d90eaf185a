#include "src/data/beyond_memory.h"

#include "src/base/available_memory.h"
#include "src/base/text.h"
#include "src/base/wording.h"

namespace chalk {
namespace {

/// "154 MB"
std::string size_text(std::uint64_t bytes) {
  return bytes < 10'000'000 ? str(grouped(bytes / 1000), " kB") : str(grouped(bytes / 1'000'000), " MB");
}

}  // namespace

std::optional<std::string> beyond_memory(std::uint64_t bytes, const LoadOptions& options) {
  const auto room = options.memory.value_or(available_memory() / 2);
  if (bytes <= room) return {};
  return str("would take ", size_text(bytes), " of memory, and ", size_text(room),
             options.memory ? " are allowed" : " are half of what is available");
}

}  // namespace chalk
