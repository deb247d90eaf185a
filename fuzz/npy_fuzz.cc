// Any bytes as an .npy file: an InputError, or arrays that are as long as their shapes say.
#include "chalkgrad/error.h"
#include "fuzz/check_array.h"
#include "src/files/array.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const auto array = chalk::parse_npy({data, size}, "fuzz");
    check(array);
    if (const auto stored = chalk::stored_bytes(chalk::bytes_of({data, size}), 0, size, "fuzz")) check(*stored, array);
  } catch (const chalk::InputError&) {
  }
  return 0;
}
