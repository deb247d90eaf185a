// Any bytes as an IDX file: an InputError, or a tensor whose bytes are as many as its extents say.
#include <cstdlib>

#include "chalkgrad/error.h"
#include "src/files/idx.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  for (const auto kind : {chalk::IdxKind::any, chalk::IdxKind::labels, chalk::IdxKind::images}) {
    try {
      const auto tensor = chalk::parse_idx({data, data + size}, "fuzz", kind);
      std::size_t product = 1;
      for (const auto extent : tensor.extents) product *= static_cast<std::size_t>(extent);
      if (product != tensor.bytes.size()) std::abort();
    } catch (const chalk::InputError&) {
    }
  }
  return 0;
}
