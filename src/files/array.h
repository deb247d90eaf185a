// Arrays of numbers or words as files hold them: NumPy's .npy and .npz, and the matrices of small NORB.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "chalkgrad/shape.h"
#include "src/files/byte_source.h"

namespace chalk {

/// Elements in row-major order (the last axis is the fastest), whatever the file had. Extents may be 0.
struct Array {
  enum class Type : std::uint8_t { bytes, whole, real, words };
  Type type = Type::bytes;
  Shape shape{};                      ///< {} is a single element
  std::vector<std::uint8_t> bytes{};  ///< if they are unsigned bytes, or
  std::vector<double> numbers{};      ///< whole numbers (up to 2^53 exactly) or real ones: exact for up to 32 bits, or
  std::vector<std::string> words{};   ///< texts, in UTF-8

  std::size_t size() const { return static_cast<std::size_t>(elements(shape)); }
  /// Element i as a number; of words, 0.
  double number(std::size_t i) const { return type == Type::bytes ? bytes[i] : numbers.empty() ? 0 : numbers[i]; }
};

/// NumPy's .npy, versions 1 to 3: bool, integers, float16, float32, float64 of both byte orders, S and U; in C's or
/// Fortran's order. Throws InputError naming `name` for other types (also objects, which are pickles), damaged data,
/// and a size that does not fit the shape.
Array parse_npy(std::span<const std::uint8_t> bytes, std::string_view name);

/// An array of unsigned bytes that need not be read to be used: its elements are in its file as they are, in row-major
/// order.
struct StoredBytes {
  SharedBytes source;
  std::uint64_t begin = 0, at = 0;  ///< where the .npy file begins, and its elements
  Shape shape{};
  std::optional<std::uint32_t> checksum{};  ///< CRC-32 of the .npy file, where an archive says it
};

/// The .npy file of so many bytes at `begin` as such an array; nothing if it is another one. Throws InputError as
/// parse_npy() does for what its header says.
std::optional<StoredBytes> stored_bytes(const SharedBytes& source, std::uint64_t begin, std::uint64_t size,
                                        std::string_view name);

/// InputError for an archive that is damaged, and what shows it.
[[noreturn]] void fail_damaged_zip(std::string_view name, std::string_view what);

/// The names of the arrays in an .npz, a zip archive of .npy files, in its order.
class NpzReader {
 public:
  /// Throws InputError naming `name` if the archive is none or is damaged.
  NpzReader(SharedBytes archive, std::string name);
  const std::vector<std::string>& names() const { return names_; }
  bool has(std::string_view array) const;
  /// Throws InputError if there is none of that name, its checksum is wrong, or it is encrypted or compressed in
  /// another way than zip usually is.
  Array read(std::string_view array) const;
  /// The same without its elements, if it is an array of unsigned bytes that is not compressed.
  std::optional<StoredBytes> stored(std::string_view array) const;

 private:
  struct Entry {
    std::uint64_t method = 0, checksum = 0, packed = 0, size = 0, at = 0;
    bool encrypted = false;
  };
  /// Where an array is, as far as the archive is as it should be.
  struct Place {
    std::string where;  // for messages
    Entry entry;
    std::uint64_t begin;
  };
  Place place_of(std::string_view array) const;
  void read_directory(std::uint64_t at, std::uint64_t entries);

  SharedBytes archive_;
  std::string name_;
  std::vector<std::string> names_;
  std::map<std::string, Entry, std::less<>> entries_;
};

/// A matrix of small NORB (https://cs.nyu.edu/~yann/data/norb-v1.0-small/): 4 bytes that say the type, the number of
/// dimensions, at least three extents, 32 bits each, and the elements, all least significant byte first. Throws
/// InputError naming `name` if it is none (also for MATLAB's .mat), or its size does not fit.
Array parse_norb_matrix(std::span<const std::uint8_t> bytes, std::string_view name);

/// The contents of a file, gunzipped if it is gzip. At most 16 GiB.
std::vector<std::uint8_t> read_unpacked(const std::filesystem::path& path);

}  // namespace chalk
