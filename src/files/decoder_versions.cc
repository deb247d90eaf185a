#include "src/files/decoder_versions.h"

#include <cstddef>
#include <cstdio>
// jpeglib.h uses what the headers above declare.
#include <jpeglib.h>
#include <png.h>

namespace chalk {

#define CHALK_TEXT_OF(words) #words
#define CHALK_TEXT(macro) CHALK_TEXT_OF(macro)

std::string decoder_versions() {
#ifdef LIBJPEG_TURBO_VERSION
  return "libjpeg-turbo " CHALK_TEXT(LIBJPEG_TURBO_VERSION) ", libpng " PNG_LIBPNG_VER_STRING;
#else
  return "libjpeg " CHALK_TEXT(JPEG_LIB_VERSION) ", libpng " PNG_LIBPNG_VER_STRING;
#endif
}

}  // namespace chalk
