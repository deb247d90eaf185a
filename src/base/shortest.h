// Numbers as text that reads back as the same number.
#pragma once

#include <string>

namespace chalk {

/// The shortest such text: 0.1, 1e+20. That of std::to_chars, which would bring tables of 128 kB into a static program.
std::string shortest(double value);

/// 1.25e-3 as "125" and -3: the fewest digits, d.dd… times a power of ten, that read back as the number.
struct Decimal {
  std::string digits;
  int exponent = 0;
};
/// Of a finite number above 0.
Decimal shortest_decimal(double value);

}  // namespace chalk
