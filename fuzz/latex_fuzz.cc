// Documents in LaTeX and Markdown with their notes: whatever is written, a report whose sums are right or an error with
// a place, never a crash and never for long.
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string_view>

#include "chalkgrad/check.h"
#include "chalkgrad/error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 1024) return 0;
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  const auto document = all.substr(0, all.find("\n----\n"));  // notes follow this line
  chalk::CheckOptions options{.trials = 1};
  if (document.size() < all.size()) options.notes = all.substr(document.size() + 6);
  try {
    const bool markdown = size % 2 == 0;
    const auto report = chalk::check_latex(document, markdown ? "fuzz.md" : "fuzz.tex", options);
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
