// Any bytes as an .npy file: an InputError, or arrays that are as long as their shapes say.
#include <cstdlib>

#include "chalkgrad/error.h"
#include "src/files/array.h"

namespace {

void check(const chalk::Array& array) {
  if (array.bytes.size() + array.numbers.size() + array.words.size() != array.size()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const auto array = chalk::parse_npy({data, size}, "fuzz");
    check(array);
  } catch (const chalk::InputError&) {
  }
  return 0;
}
