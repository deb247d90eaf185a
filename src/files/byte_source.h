// Bytes that are read piece by piece, wherever they are.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

namespace chalk {

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  virtual std::uint64_t size() const = 0;
  /// Whether they are in memory already.
  virtual bool in_memory() const = 0;
  /// Writes those from an offset on, which must be within the size. May be called by several threads at once. Throws
  /// InputError if they cannot be read any more: a file that was cut off meanwhile is an error, where a mapping of it
  /// would end the program.
  virtual void read(std::uint64_t at, std::span<std::uint8_t> to) const = 0;
};
using SharedBytes = std::shared_ptr<const ByteSource>;

/// Those of somebody else, which must outlive it.
SharedBytes bytes_of(std::span<const std::uint8_t> bytes);
/// Those of a file, gunzipped if it is gzip; then, and of a pipe, they are in memory. Throws InputError as
/// read_unpacked() does.
SharedBytes open_unpacked(const std::filesystem::path& path);

}  // namespace chalk
