// What holds of every array that is read.
#pragma once

#include <cstdlib>

#include "src/files/array.h"

/// Ends the program if an array is not as long as its shape says.
inline void check(const chalk::Array& array) {
  if (array.bytes.size() + array.numbers.size() + array.words.size() != array.size()) std::abort();
}
