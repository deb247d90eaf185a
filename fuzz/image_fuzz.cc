// Any bytes as a PNG or JPEG file: an InputError, or a picture that can be brought to any size.
#include <cstdlib>

#include "chalkgrad/error.h"
#include "chalkgrad/image.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const auto background = size % 2 == 0 ? chalk::kWhite : chalk::Colour{1, 2, 3};
    const auto image = chalk::decode_image({data, size}, "fuzz", 100'000, background);
    if (image.pixels.size() != static_cast<std::size_t>(image.channels) * image.height * image.width) std::abort();
    if (chalk::fit_image(image, 1, 8, 8).size() != 64 || chalk::fit_image(image, 3, 5, 33).size() != 495) std::abort();
  } catch (const chalk::InputError&) {
  }
  return 0;
}
