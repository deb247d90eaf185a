// The JSON header of a safetensors file, read from untrusted bytes.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "chalkgrad/shape.h"

namespace chalk {

constexpr std::uint64_t kLongestSafetensorsHeader = 100'000'000;  ///< bytes; the limit of Hugging Face's library too

/// One tensor: its elements are bytes [begin, end) behind the header.
struct TensorEntry {
  std::string name;
  Shape shape;
  std::uint64_t begin = 0, end = 0;
};

struct SafetensorsHeader {
  std::vector<TensorEntry> tensors;  ///< in the order of their data, which are contiguous and fill the file
  std::map<std::string, std::string> metadata;
};

/// `json` is the header's text, `data_size` the number of bytes behind it. Throws InputError naming `file`.
SafetensorsHeader parse_safetensors_header(std::string_view json, std::uint64_t data_size, std::string_view file);

}  // namespace chalk
