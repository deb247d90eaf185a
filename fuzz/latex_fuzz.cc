// Documents in LaTeX and Markdown with their notes: whatever is written, a report whose sums are right or an error with
// a place, never a crash and never for long.
#include <cstddef>
#include <cstdint>

#include "fuzz/check_report.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 1024) return 0;
  const auto [document, notes] = divided({reinterpret_cast<const char*>(data), size});
  chalk::CheckOptions options{.trials = 1};
  options.notes = notes;
  const bool markdown = size % 2 == 0;
  with_places([&] { check(chalk::check_latex(document, markdown ? "fuzz.md" : "fuzz.tex", options)); });
  return 0;
}
