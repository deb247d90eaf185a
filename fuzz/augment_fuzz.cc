// Augmentations from text: whatever is given, an error, or a list that is written as it is read and that can be done to
// a small picture or says why not.
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string_view>

#include "chalkgrad/augmentation.h"
#include "chalkgrad/data.h"
#include "chalkgrad/error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto picture = [] {
    chalk::Dataset one;
    one.name = "a picture";
    one.sample = {3, 5, 7};
    one.bytes.assign(105, 100);
    one.scale = {1, 1, 1};
    one.shift = {-100, 0, 300};
    one.labels = {0};
    one.class_names = {"one"};
    return one;
  }();
  try {
    const auto list = chalk::Augmentations::parse(std::string_view(reinterpret_cast<const char*>(data), size));
    list.check();
    if (chalk::Augmentations::parse(list.text()) != list) throw std::logic_error("it is read as another one");
    if (list.list().size() < 20 && augmented(picture, list, 1, 3).bytes.size() != 105)
      throw std::logic_error("the picture has another size");
  } catch (const chalk::InputError& e) {
    if (std::string_view(e.what()).empty()) throw std::logic_error("an error without words");
  }
  return 0;
}
