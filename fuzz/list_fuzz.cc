// Any bytes as a list of pictures: an InputError, or pictures that have a path and a label each.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "chalkgrad/error.h"
#include "src/data/picture_list.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const auto pictures = chalk::read_picture_list({reinterpret_cast<const char*>(data), size}, "fuzz");
    if (pictures.empty() || pictures.size() > size) std::abort();
    for (const auto& picture : pictures) {
      if (picture.path.empty() || picture.label.empty() || !picture.where.starts_with("fuzz: line ")) std::abort();
    }
  } catch (const chalk::InputError&) {
  }
  return 0;
}
