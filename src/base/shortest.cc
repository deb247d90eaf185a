#include "src/base/shortest.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace chalk {
namespace {

template <class... Parts>
std::string printed(const char* format, Parts... parts) {
  std::array<char, 400> text{};
  const int size = std::snprintf(text.data(), text.size(), format, parts...);
  return {text.data(), static_cast<std::size_t>(size)};
}

}  // namespace

std::string shortest(double value) {
  if (!std::isfinite(value) || value == 0) return printed("%g", value);
  const double size = std::abs(value);
  std::string scientific;  // d.ddde±xx, with whatever point the locale has
  for (int more = 0; more < 17; ++more) {
    scientific = printed("%.*e", more, size);
    if (std::strtod(scientific.c_str(), nullptr) == size) break;
  }
  const auto e = scientific.find('e');
  const int exponent = std::atoi(scientific.c_str() + e + 1);
  std::string digits = scientific.substr(0, 1);
  if (e > 1) digits += scientific.substr(2, e - 2);
  const auto count = static_cast<int>(digits.size());
  scientific = digits.substr(0, 1) + (count > 1 ? "." + digits.substr(1) : "") + scientific.substr(e);

  std::string fixed = digits;
  if (exponent < 0) {
    fixed = "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + digits;
  } else if (exponent < count - 1) {
    fixed.insert(static_cast<std::size_t>(exponent) + 1, ".");
  } else {
    fixed = printed("%.0f", size);
  }
  return (value < 0 ? "-" : "") + (fixed.size() <= scientific.size() ? fixed : scientific);
}

}  // namespace chalk
