// Any bytes as a list of pictures: an InputError, or pictures that have a path and a label each.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "chalkgrad/error.h"
#include "src/data/picture_list.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    std::size_t count = 0;
    chalk::read_picture_list({reinterpret_cast<const char*>(data), size}, "fuzz", [&](const auto& picture) {
      ++count;
      if (picture.path.empty() || picture.label.empty() || !picture.where.starts_with("fuzz: line ")) std::abort();
    });
    if (count == 0 || count > size) std::abort();
  } catch (const chalk::InputError&) {
  }
  return 0;
}
