// The binary version of CIFAR-10 and CIFAR-100 (https://www.cs.toronto.edu/~kriz/cifar.html): records of one label or
// two and 3072 bytes, the red, the green and the blue plane of 32×32, row by row.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace chalk {

constexpr std::size_t kCifarPixels = 3 * 32 * 32;

struct CifarRecords {
  std::vector<std::uint8_t> labels;  ///< of all records, one or two a record
  std::vector<std::uint8_t> pixels;  ///< kCifarPixels a record: red, green, blue
};

/// Adds the records of one file to those that are there.
/// `classes`: for each label of a record how many there are: {10} in CIFAR-10, {20, 100} in CIFAR-100. Throws
/// InputError naming `name` if its size is no multiple of a record's, it is empty, or a label is too high.
void add_cifar(CifarRecords& records, std::span<const std::uint8_t> bytes, std::string_view name,
               std::span<const int> classes);

}  // namespace chalk
