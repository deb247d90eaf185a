#include "src/base/glob.h"

namespace chalk {

bool matches_glob(std::string_view name, std::string_view pattern) {
  constexpr auto none = std::string_view::npos;
  std::size_t at = 0, in = 0, star = none, tried = 0;
  while (at < name.size()) {
    if (in < pattern.size() && pattern[in] == '*') {
      star = in++;
      tried = at;
    } else if (in < pattern.size() && (pattern[in] == '?' || pattern[in] == name[at])) {
      ++at, ++in;
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
