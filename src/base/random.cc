#include "src/base/random.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace chalk {

std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> c, std::array<std::uint32_t, 2> k) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t a = std::uint64_t{0xD2511F53} * c[0], b = std::uint64_t{0xCD9E8D57} * c[2];
    c = {static_cast<std::uint32_t>(b >> 32) ^ c[1] ^ k[0], static_cast<std::uint32_t>(b),
         static_cast<std::uint32_t>(a >> 32) ^ c[3] ^ k[1], static_cast<std::uint32_t>(a)};
    k = {k[0] + 0x9E3779B9, k[1] + 0xBB67AE85};
  }
  return c;
}

std::uint64_t hash_name(std::string_view name) {
  std::uint64_t hash = 1469598103934665603ULL;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return hash;
}

std::uint32_t Random::bits() {
  if (left_ == 0) {
    block_ = philox({static_cast<std::uint32_t>(position_), static_cast<std::uint32_t>(position_ >> 32),
                     static_cast<std::uint32_t>(stream_), static_cast<std::uint32_t>(stream_ >> 32)},
                    {static_cast<std::uint32_t>(seed_), static_cast<std::uint32_t>(seed_ >> 32)});
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
  const std::uint64_t high = bits(), low = bits();
  return static_cast<double>((high << 21) ^ (low >> 11)) * 0x1p-53;
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
  constexpr std::size_t kBlock = 128;  // logarithms that do not wait for each other
  double u[kBlock], s[kBlock];
  for (std::size_t done = 0; done < values.size(); done += kBlock) {
    const std::size_t count = std::min(kBlock, values.size() - done);
    for (std::size_t i = 0; i < count;) {
      u[i] = 2 * uniform() - 1;
      const double v = 2 * uniform() - 1;
      s[i] = u[i] * u[i] + v * v;
      i += s[i] < 1 && s[i] > 0;
    }
    for (std::size_t i = 0; i < count; ++i) values[done + i] = u[i] * std::sqrt(-2 * natural_log(s[i]) / s[i]);
  }
}

}  // namespace chalk
