// Derivations: whatever is written, a report whose sums are right or an error with a place, never a crash and never for
// long.
#include <cstddef>
#include <cstdint>

#include "fuzz/check_report.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 1024) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  with_places([&] { check(chalk::check_derivation(text, "fuzz", {.trials = 1})); });
  return 0;
}
