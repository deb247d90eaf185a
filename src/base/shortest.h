// Numbers as text that reads back as the same number.
#pragma once

#include <string>

namespace chalk {

/// The shortest such text: 0.1, 1e+20. The same as std::to_chars's, which adds tables of 128 kB to a static program.
std::string shortest(double value);

}  // namespace chalk
