// IDX, the format of MNIST: big-endian, 00 00 TYPE DIMENSIONS, one 32-bit extent per dimension, then the elements.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>
#include <vector>

namespace chalk {

struct IdxTensor {
  std::vector<std::int64_t> extents;  ///< outermost first, each >= 1: {samples}, {samples, rows, columns}, …
  std::vector<std::uint8_t> bytes;    ///< row-major
};

/// What a file is expected to hold.
/// Images have three dimensions, or four with channels. A table has two, of 32-bit integers (as the labels of QMNIST);
/// its bytes are four for each, the most significant first.
enum class IdxKind { any, labels, images, table };

/// Reads unsigned bytes (type 0x08; of a table, 0x0C) from the contents of a file, plain or gzipped. Contents passed
/// with std::move become the result's without a copy. Never holds more than the header promises, and at most 2 GiB.
/// `name` is the file's name for messages. Throws InputError if the header is not that of `kind`, or the data are
/// shorter or longer than it promises.
IdxTensor parse_idx(std::vector<std::uint8_t> bytes, std::string_view name, IdxKind kind = IdxKind::any);

/// The same from a file.
IdxTensor load_idx(const std::filesystem::path& path, IdxKind kind = IdxKind::any);

}  // namespace chalk
