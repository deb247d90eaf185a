// Any bytes as a tar archive: an InputError, or files that are parts of it.
#include <cstdlib>

#include "chalkgrad/error.h"
#include "src/files/tar.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    for (const auto& file : chalk::read_tar({data, size}, "fuzz")) {
      if (!file.bytes.empty() && (file.bytes.data() < data || file.bytes.data() + file.bytes.size() > data + size)) {
        std::abort();
      }
    }
  } catch (const chalk::InputError&) {
  }
  return 0;
}
