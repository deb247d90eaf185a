// The functions that schedules are made of, to the same bits with any C library.
#pragma once

#include <cstdint>

namespace chalk {

/// Half a cosine wave from 1 (at x = 0) to 0 (at x = 1), and level beyond.
double falling_wave(double x);

/// (step + 1) / (rise + 1): a warm-up that reaches 1 after `rise` steps.
inline double warming_up(double step, double rise) { return (step + 1) / (rise + 1); }

/// base^exponent for base > 0 and exponent >= 0, by multiplications: one after the other up to an exponent of 10⁶, as
/// earlier programs did, whose rates it keeps to the bit; beyond, by squaring. So at most about 1 ms, where a schedule
/// has multiplied a million times, as step:0.00001,0.999999 does after ten epochs.
double whole_power(double base, std::int64_t exponent);

}  // namespace chalk
