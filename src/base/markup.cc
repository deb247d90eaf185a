#include "src/base/markup.h"

namespace chalk {

std::string markup_text(std::string_view text, std::string_view marks) {
  std::string safe;
  for (const char c : text) {
    if (c == '&') {
      safe += "&amp;";
    } else if (marks.find(c) == std::string_view::npos) {
      safe += c;
    } else {
      safe += c == '<' ? "&lt;" : c == '>' ? "&gt;" : "&quot;";
    }
  }
  return safe;
}

}  // namespace chalk
