// The libraries that decode pictures.
#pragma once

#include <string>

namespace chalk {

/// Their versions, as another one may decode to other bytes: "libjpeg-turbo 2.1.5, libpng 1.6.39".
std::string decoder_versions();

}  // namespace chalk
