// Derivations: whatever is written, a report whose sums are right or an error with a place, never a crash and never for
// long.
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string_view>

#include "chalkgrad/check.h"
#include "chalkgrad/error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 1024) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const auto report = chalk::check_derivation(text, "fuzz", {.trials = 1});
    if (report.verified + report.errata + report.definitions + report.failed + report.excepted != report.lines.size())
      throw std::logic_error("a line without a verdict");
    for (const auto& line : report.lines) {
      if (line.line < 1) throw std::logic_error("a line that is nowhere");
      if (line.verdict == chalk::Verdict::failed && line.message.empty()) throw std::logic_error("false without a why");
    }
  } catch (const chalk::InputError& e) {
    if (std::string_view(e.what()).find(": line ") == std::string_view::npos)
      throw std::logic_error("an error without a place");
  }
  return 0;
}
