// Any bytes as a safetensors file: an InputError, or contents that come back the same when written and read again.
#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "chalkgrad/error.h"
#include "src/files/safetensors.h"

namespace {

bool same_bits(const chalk::StoredTensor& a, const chalk::StoredTensor& b) {  // NaN is not equal to itself
  return a.shape == b.shape && a.values.size() == b.values.size() &&
         std::memcmp(a.values.data(), b.values.data(), a.values.size() * sizeof(float)) == 0;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const auto first = chalk::parse_safetensors({data, size}, "fuzz");
    const auto second = chalk::parse_safetensors(chalk::serialize_safetensors(first), "fuzz again");
    const bool same =
        first.metadata == second.metadata &&
        std::equal(first.tensors.begin(), first.tensors.end(), second.tensors.begin(), second.tensors.end(),
                   [](const auto& a, const auto& b) { return a.first == b.first && same_bits(a.second, b.second); });
    if (!same) std::abort();
  } catch (const chalk::InputError& error) {
    if (std::strncmp(error.what(), "fuzz: ", 6) != 0) std::abort();  // what was read could not be written
  }
  return 0;
}
