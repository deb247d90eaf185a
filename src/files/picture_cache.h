// The file of a cache: pictures of one size, decoded, and what they were decoded from.
//
//   0     "chalkgrad cache\n", the version (2), channels, rows, columns, 1 if the channels were asked for (otherwise
//   0),
//         0: 4 bytes each; then for both parts the number of pictures, 8 bytes each, and the key, 32 bytes each; the
//         size of the tail, 8 bytes; the SHA-256 of the tail; the SHA-256 of all before that
//   4096  the pictures, one after the other, those of the first part first. One that cannot be used has its place, too
//   then  the tail. For each part: of each picture the XXH64 of its bytes, 8 bytes, its rows and its columns as it is
//   in
//         its file, 4 bytes each; the number of those that cannot be used, 8 bytes; of each of them its number, 8
//         bytes, the length of a sentence that says why, 4 bytes, and that; and of the bytes of each channel of those
//         that can be used, their sum, that of their squares, how many they are, 8 bytes each, the least and the most
//         of them
//
// In version 1, which is read, too, each picture has a CRC-32 of 4 bytes in the place of XXH64, and channels have
// nothing.
//
// All numbers have their least significant byte first.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/moments.h"

namespace chalk {

using CacheKey = std::array<std::uint8_t, 32>;

struct CachedPart {
  std::uint64_t pictures = 0;
  CacheKey key{};
  // These are in the tail:
  std::vector<std::uint64_t> hashes;                ///< of each picture: XXH64, or in version 1 CRC-32
  std::vector<std::array<std::uint32_t, 2>> sizes;  ///< rows and columns of each file's picture
  std::map<std::uint64_t, std::string> errors;      ///< why those cannot be used that cannot
  std::vector<ByteMoments> moments;                 ///< of each channel; in version 1 none
};

struct PictureCache {
  static constexpr std::size_t kHead = 192, kData = 4096;  ///< bytes of the head; where the pictures begin

  std::uint32_t version = 2, channels = 1, rows = 1, columns = 1;
  bool channels_asked = false;
  std::array<CachedPart, 2> parts;
  std::uint64_t tail = 0;  ///< its bytes

  std::uint64_t each() const { return std::uint64_t{channels} * rows * columns; }
  std::uint64_t tail_begin() const { return kData + (parts[0].pictures + parts[1].pictures) * each(); }
};

/// Whether a file that begins so is such a cache, damaged or not.
bool is_picture_cache(std::span<const std::uint8_t> head);
/// All but what is in the tail. `head` is what the file begins with, `size` the size of all of it. Throws InputError
/// saying what is wrong.
PictureCache read_cache_head(std::span<const std::uint8_t> head, std::uint64_t size, std::string_view name);
/// Adds what is in the tail. Throws InputError.
void read_cache_tail(PictureCache& cache, std::span<const std::uint8_t> head, std::span<const std::uint8_t> tail,
                     std::string_view name);

/// Both, of a whole file.
PictureCache parse_picture_cache(std::span<const std::uint8_t> file, std::string_view name);

/// What the file ends with, and then what it begins with; sets `cache.tail`.
std::vector<std::uint8_t> cache_tail(PictureCache& cache);
std::vector<std::uint8_t> cache_head(const PictureCache& cache, std::span<const std::uint8_t> tail);

/// What CachedPart::hashes has of a picture.
std::uint64_t cache_hash(const PictureCache& cache, std::span<const std::uint8_t> picture);

}  // namespace chalk
