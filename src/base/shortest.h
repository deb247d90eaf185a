// Numbers as text that reads back as the same number.
#pragma once

#include <string>

namespace chalk {

/// The shortest such text: 0.1, 1e+20. That of std::to_chars, which would bring tables of 128 kB into a static program.
std::string shortest(double value);

}  // namespace chalk
