// Any bytes as a file of CIFAR-10 or CIFAR-100: an InputError, or records.
#include <cstdlib>

#include "chalkgrad/error.h"
#include "src/files/cifar.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  for (const auto& classes : {std::vector<int>{10}, std::vector<int>{20, 100}}) {
    try {
      chalk::CifarRecords records;
      chalk::add_cifar(records, {data, size}, "fuzz", classes);
      if (records.labels.size() + records.pixels.size() != size) std::abort();
    } catch (const chalk::InputError&) {
    }
  }
  return 0;
}
