// What holds of every array that is read.
#pragma once

#include <cstdlib>
#include <vector>

#include "src/files/array.h"

/// Ends the program if an array is not as long as its shape says.
inline void check(const chalk::Array& array) {
  if (array.bytes.size() + array.numbers.size() + array.words.size() != array.size()) std::abort();
}

/// Ends the program if what is left in the file is not what was read.
inline void check(const chalk::StoredBytes& stored, const chalk::Array& read) {
  std::vector<std::uint8_t> bytes(read.size());
  stored.source->read(stored.at, bytes);
  if (stored.shape != read.shape || bytes != read.bytes) std::abort();
}
