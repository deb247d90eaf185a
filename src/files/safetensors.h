// safetensors: named tensors and text in one file, as Hugging Face's library writes it.
//
//   8 bytes   length N of the header, little-endian
//   N bytes   JSON: {"__metadata__": {"key": "text"}, "NAME": {"dtype": "F32", "shape": [2,3], "data_offsets": [0,24]}}
//   the rest  the tensors' elements, little-endian, row-major, without gaps
//
// Files written here have two more metadata keys, which reading removes again: "chalkgrad.format", and
// "chalkgrad.sha256" over everything the file means, so that it survives a rewrite by another tool but not a changed
// bit. It is the SHA-256 of the following, where a text is its length (8 bytes, little-endian) and its bytes:
//
//   text "chalkgrad safetensors"; number of tensors; for each, by name: text name, text dtype ("F32"), number of
//   dimensions, the extents, number of data bytes, the data bytes; number of metadata keys less "chalkgrad.sha256"; for
//   each, by key: text key, text value.                                                   (numbers: 8 bytes as above)
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "chalkgrad/shape.h"

namespace chalk {

struct StoredTensor {
  Shape shape;
  std::vector<float> values;  ///< elements(shape) of them, row-major; any bits, also NaN

  bool operator==(const StoredTensor&) const = default;
};

struct Safetensors {
  std::map<std::string, StoredTensor> tensors;
  std::map<std::string, std::string> metadata;

  bool operator==(const Safetensors&) const = default;
};

/// The bytes of a file; equal contents give equal bytes. Throws InputError if a shape does not fit its values, a name
/// is reserved ("__metadata__", keys beginning with "chalkgrad.format" or "chalkgrad.sha256") or a text is not UTF-8.
std::vector<std::uint8_t> serialize_safetensors(const Safetensors& contents);

/// Reads the bytes of a file; `name` is its name for messages. Only tensors of dtype F32 with at least one element are
/// accepted. Verifies the checksum if there is one. Throws InputError for anything that is not well-formed.
Safetensors parse_safetensors(std::span<const std::uint8_t> bytes, std::string_view name);

/// Both with a file, written atomically (see src/base/file.h).
void save_safetensors(const std::filesystem::path& path, const Safetensors& contents);
Safetensors load_safetensors(const std::filesystem::path& path);

}  // namespace chalk
