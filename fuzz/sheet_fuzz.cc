// Exercise sheets and answers, in every language: whatever is written, a mark for each step and a reason for each wrong
// one, or an error with a place, never a crash and never for long.
#include <cstddef>
#include <cstdint>

#include "fuzz/check_report.h"

namespace {

/// LaTeX has backslashes, Markdown comments in HTML.
std::string_view name_for(std::string_view text) {
  return text.find("<!--") != std::string_view::npos ? "fuzz.md"
         : text.find('\\') != std::string_view::npos ? "fuzz.tex"
                                                     : "fuzz.chalk";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 1024) return 0;
  const auto [sheet, answer] = divided({reinterpret_cast<const char*>(data), size});
  with_places([&] {
    try {
      for (const auto& step : chalk::grade_answer(sheet, answer, name_for(sheet), name_for(answer), {.trials = 1})) {
        if (step.label.empty()) throw std::logic_error("a step without its number");
        const bool wrong = step.mark == chalk::Mark::wrong;
        if (wrong == step.message.empty()) throw std::logic_error("wrong without a why, or right with one");
        if ((step.mark == chalk::Mark::missing) != (step.line == 0)) throw std::logic_error("a step that is nowhere");
      }
    } catch (const chalk::InputError& e) {  // of the sheet as a whole
      const std::string_view what = e.what();
      if (what.find(": has no step") == std::string_view::npos && what.find(": more than") == std::string_view::npos)
        throw;
    }
  });
  return 0;
}
