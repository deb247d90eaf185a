// Powers and a cosine in double that are the same bits with any C library.
#pragma once

#include <cstdint>

namespace chalk {

/// base^exponent for exponent >= 0, by squaring.
double power(double base, std::int64_t exponent);

/// base^exponent for base >= 0 and exponent >= 0, by multiplications and square roots.
double real_power(double base, double exponent);

/// cos πx for 0 <= x <= 1.
double cos_pi(double x);

/// ⌊x⌋ for x >= 0, or the largest whole number there is room for.
std::int64_t whole_part(double x);

}  // namespace chalk
