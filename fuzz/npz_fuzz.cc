// Any bytes as an .npz file: an InputError, or arrays that are as long as their shapes say.
#include "chalkgrad/error.h"
#include "fuzz/check_array.h"
#include "src/files/array.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const chalk::NpzReader archive(chalk::bytes_of({data, size}), "fuzz");
    for (const auto& name : archive.names()) {
      const auto array = archive.read(name);
      check(array);
      if (const auto stored = archive.stored(name)) check(*stored, array);
    }
  } catch (const chalk::InputError&) {
  }
  return 0;
}
