#include "src/base/random.h"

#include <bit>
#include <cmath>

#include "src/base/philox.h"

namespace chalk {

namespace {

std::uint32_t low(std::uint64_t x) { return static_cast<std::uint32_t>(x); }
std::uint32_t high(std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32); }

/// In [0, 1), 53 bits.
double unit(std::uint64_t first, std::uint64_t second) {
  return static_cast<double>(first << 21 ^ second >> 11) * 0x1p-53;
}

}  // namespace

std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key) {
  std::uint32_t c[4][1] = {{counter[0]}, {counter[1]}, {counter[2]}, {counter[3]}};
  philox_blocks(c, key);
  return {c[0][0], c[1][0], c[2][0], c[3][0]};
}

std::uint64_t hash_name(std::string_view name) {
  std::uint64_t hash = 1469598103934665603ULL;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return hash;
}

std::uint32_t Random::bits() {
  if (left_ == 0) {
    block_ = philox({low(position_), high(position_), low(stream_), high(stream_)}, {low(seed_), high(seed_)});
    ++position_;
    left_ = 4;
  }
  return block_[4 - left_--];
}

std::uint32_t Random::below(std::uint32_t bound) {  // Lemire, "Fast random integer generation in an interval" (2019)
  std::uint64_t product = std::uint64_t{bits()} * bound;
  if (static_cast<std::uint32_t>(product) < bound) {
    const std::uint32_t threshold = (0U - bound) % bound;
    while (static_cast<std::uint32_t>(product) < threshold) product = std::uint64_t{bits()} * bound;
  }
  return static_cast<std::uint32_t>(product >> 32);
}

double Random::uniform() {
  const std::uint32_t first = bits();
  return unit(first, bits());
}

namespace {

/// 1/41, 1/39, …, 1
constexpr auto kOddInverses = [] {
  std::array<double, 21> inverses{};
  for (int i = 0; i < 21; ++i) inverses[static_cast<std::size_t>(i)] = 1.0 / (41 - 2 * i);
  return inverses;
}();

/// ln x for 0 < x <= 1, x not denormal, from +, ·, / alone: C libraries differ in the last bit of theirs.
double natural_log(double x) {
  const auto bits = std::bit_cast<std::uint64_t>(x);
  const auto exponent = static_cast<std::int32_t>(bits >> 52) - 1022;  // x = m · 2^exponent, 1/2 <= m < 1
  const auto m = std::bit_cast<double>((bits & 0x000FFFFFFFFFFFFF) | 0x3FE0000000000000);
  const double r = (m - 1) / (m + 1), z = r * r;
  double sum = 0;
  for (const double inverse : kOddInverses) sum = sum * z + inverse;  // 2·artanh(r), |r| <= 1/3
  return exponent * 0.693147180559945309417 + 2 * r * sum;
}

}  // namespace

void Random::normal(std::span<double> values) {
  constexpr std::size_t kBlock = 64;  // points in the square that are drawn together, of which π/4 lie in the circle
  double u[kBlock], s[kBlock];
  for (std::size_t done = 0; done < values.size();) {
    std::size_t inside = 0;
    const auto draw = [&](double x, double y) {
      u[inside] = 2 * x - 1;
      const double v = 2 * y - 1;
      s[inside] = u[inside] * u[inside] + v * v;
      inside += s[inside] < 1 && s[inside] > 0;
    };
    if (left_ == 0 && values.size() - done >= kBlock) {  // a point takes one block of bits
      std::uint32_t c[4][kBlock];
      for (std::size_t i = 0; i < kBlock; ++i) {
        c[0][i] = low(position_ + i);
        c[1][i] = high(position_ + i);
        c[2][i] = low(stream_);
        c[3][i] = high(stream_);
      }
      philox_blocks(c, {low(seed_), high(seed_)});
      for (std::size_t i = 0; i < kBlock; ++i) draw(unit(c[0][i], c[1][i]), unit(c[2][i], c[3][i]));
      position_ += kBlock;
    } else {
      while (inside == 0) {
        const double x = uniform();
        draw(x, uniform());
      }
    }
    for (std::size_t i = 0; i < inside; ++i) values[done + i] = u[i] * std::sqrt(-2 * natural_log(s[i]) / s[i]);
    done += inside;
  }
}

}  // namespace chalk
