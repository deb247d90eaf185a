#include "src/base/random.h"

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

/// ln x for 0 < x <= 1, from +, ·, / alone: C libraries differ in the last bit of theirs.
double natural_log(double x) {
  int exponent = 0;
  const double m = std::frexp(x, &exponent);  // exact
  const double r = (m - 1) / (m + 1), z = r * r;
  double sum = 0;
  for (int k = 41; k >= 1; k -= 2) sum = sum * z + 1.0 / k;  // 2·artanh(r), |r| <= 1/3
  return exponent * 0.693147180559945309417 + 2 * r * sum;
}

}  // namespace

double Random::normal() {
  for (;;) {
    const double u = 2 * uniform() - 1, v = 2 * uniform() - 1, s = u * u + v * v;
    if (s < 1 && s > 0) return u * std::sqrt(-2 * natural_log(s) / s);
  }
}

}  // namespace chalk
