// Any bytes as a matrix of small NORB: an InputError, or arrays that are as long as their shapes say.
#include "chalkgrad/error.h"
#include "fuzz/check_array.h"
#include "src/files/array.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    check(chalk::parse_norb_matrix({data, size}, "fuzz"));
  } catch (const chalk::InputError&) {
  }
  return 0;
}
