#include "src/base/xxh64.h"

#include <array>
#include <bit>
#include <cstddef>
#include <cstring>

namespace chalk {
namespace {

static_assert(std::endian::native == std::endian::little, "numbers are copied");

constexpr std::array<std::uint64_t, 5> kPrimes = {0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9,
                                                  0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5};

template <class T>
T number_at(const std::uint8_t* from) {
  T number = 0;
  std::memcpy(&number, from, sizeof number);
  return number;
}

std::uint64_t round(std::uint64_t lane, std::uint64_t input) {
  return std::rotl(lane + input * kPrimes[1], 31) * kPrimes[0];
}

std::uint64_t merged(std::uint64_t hash, std::uint64_t lane) {
  return (hash ^ round(0, lane)) * kPrimes[0] + kPrimes[3];
}

}  // namespace

std::uint64_t xxh64(std::span<const std::uint8_t> bytes) {
  constexpr std::size_t kStripe = 32;
  const auto* next = bytes.data();
  auto left = bytes.size();
  std::uint64_t hash = kPrimes[4];
  if (left >= kStripe) {
    std::uint64_t a = kPrimes[0] + kPrimes[1], b = kPrimes[1], c = 0, d = 0 - kPrimes[0];
    for (; left >= kStripe; left -= kStripe, next += kStripe) {
      a = round(a, number_at<std::uint64_t>(next));
      b = round(b, number_at<std::uint64_t>(next + 8));
      c = round(c, number_at<std::uint64_t>(next + 16));
      d = round(d, number_at<std::uint64_t>(next + 24));
    }
    hash = std::rotl(a, 1) + std::rotl(b, 7) + std::rotl(c, 12) + std::rotl(d, 18);
    for (const auto lane : {a, b, c, d}) hash = merged(hash, lane);
  }
  hash += bytes.size();
  for (; left >= 8; left -= 8, next += 8)
    hash = std::rotl(hash ^ round(0, number_at<std::uint64_t>(next)), 27) * kPrimes[0] + kPrimes[3];
  if (left >= 4) {
    hash = std::rotl(hash ^ number_at<std::uint32_t>(next) * kPrimes[0], 23) * kPrimes[1] + kPrimes[2];
    left -= 4, next += 4;
  }
  for (; left > 0; --left, ++next) hash = std::rotl(hash ^ *next * kPrimes[4], 11) * kPrimes[0];
  hash = (hash ^ hash >> 33) * kPrimes[1];
  hash = (hash ^ hash >> 29) * kPrimes[2];
  return hash ^ hash >> 32;
}

}  // namespace chalk
