#include "src/base/shortest.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <string_view>

namespace chalk {
namespace {

template <class... Parts>
std::string printed(const char* format, Parts... parts) {
  std::array<char, 400> text{};
  const int size = std::snprintf(text.data(), text.size(), format, parts...);
  return {text.data(), static_cast<std::size_t>(size)};
}

}  // namespace

Decimal shortest_decimal(double value) {
  std::array<char, 32> text{};  // d.ddde±xx, with whatever point setlocale() has chosen, which may be of several bytes
  // Where 15 digits or fewer do, printing 15 shows those and zeros, as a normal number is within 1.2e-16 of what it was
  // read from; subnormal ones have fewer digits.
  for (int more = value >= std::numeric_limits<double>::min() ? 14 : 0; more < 17; ++more) {
    std::snprintf(text.data(), text.size(), "%.*e", more, value);
    if (std::strtod(text.data(), nullptr) == value) break;
  }
  const std::string_view scientific = text.data();
  const auto e = scientific.find('e');
  Decimal decimal{std::string(scientific.substr(0, e)),
                  static_cast<int>(std::strtol(text.data() + e + 1, nullptr, 10))};
  std::erase_if(decimal.digits, [](char c) { return c < '0' || c > '9'; });
  decimal.digits.erase(decimal.digits.find_last_not_of('0') + 1);
  return decimal;
}

std::string shortest(double value) {
  if (!std::isfinite(value) || value == 0) return printed("%g", value);
  const double size = std::abs(value);
  const auto [digits, exponent] = shortest_decimal(size);
  const auto count = static_cast<int>(digits.size());
  const auto scientific = digits.substr(0, 1) + (count > 1 ? "." + digits.substr(1) : "") + printed("e%+03d", exponent);

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
