#include "src/base/glob.h"

namespace chalk {
namespace {

/// How long the piece of a pattern is that stands for this character; 0: it does not.
std::size_t length_for(char c, std::string_view pattern) {
  if (pattern.empty()) return 0;
  const auto end = pattern[0] == '[' ? pattern.find(']', 2) : std::string_view::npos;
  if (end == std::string_view::npos) return pattern[0] == '?' || pattern[0] == c ? 1 : 0;
  auto of = pattern.substr(1, end - 1);
  const bool others = of[0] == '!';
  if (others) of.remove_prefix(1);
  bool found = false;
  while (!of.empty()) {
    const bool range = of.size() > 2 && of[1] == '-';
    found = found || (range ? of[0] <= c && c <= of[2] : of[0] == c);
    of.remove_prefix(range ? 3 : 1);
  }
  return found != others ? end + 1 : 0;
}

}  // namespace

bool matches_glob(std::string_view name, std::string_view pattern) {
  constexpr auto none = std::string_view::npos;
  std::size_t at = 0, in = 0, star = none, tried = 0;
  while (at < name.size()) {
    if (in < pattern.size() && pattern[in] == '*') {
      star = in++;
      tried = at;
    } else if (const auto length = length_for(name[at], pattern.substr(in))) {
      ++at, in += length;
    } else if (star != none) {  // the last star takes one more
      in = star + 1;
      at = ++tried;
    } else {
      return false;
    }
  }
  while (in < pattern.size() && pattern[in] == '*') ++in;
  return in == pattern.size();
}

}  // namespace chalk
