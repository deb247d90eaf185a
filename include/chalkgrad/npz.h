// NumPy's .npz: named arrays in one file that numpy.load reads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "chalkgrad/shape.h"

namespace chalk {

/// Arrays are copied when added and written together, uncompressed, in order of name and without a time stamp, so that
/// equal arrays give equal files.
class NpzWriter {
 public:
  /// elements(shape) values in row-major order; unlike elsewhere, an extent may be 0. A name may contain '/', as in
  /// "conv1/W". Throws InputError if it is empty or repeated, has a control character or a backslash, or would leave
  /// the folder it is unpacked in; or if the number of values does not fit the shape.
  void add(const std::string& name, const Shape& shape, std::span<const float> values);
  void add(const std::string& name, const Shape& shape, std::span<const double> values);
  void add(const std::string& name, const Shape& shape, std::span<const std::int64_t> values);

  /// The file's bytes. Sizes and offsets from `most` on are written in 64 bits; tests lower it to see that.
  std::vector<std::uint8_t> serialize(std::size_t most = 0xffffffff) const;

  /// Writes the file, under a temporary name that is then changed. Throws InputError if that fails.
  void save(const std::filesystem::path& path) const;

 private:
  void add(const std::string& name, const Shape& shape, const char* type, std::size_t count,
           std::span<const std::uint8_t> bytes);

  std::map<std::string, std::vector<std::uint8_t>> files_;  // name without ".npy" → contents of the .npy file
};

}  // namespace chalk
