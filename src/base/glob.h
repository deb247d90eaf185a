// Names by pattern.
#pragma once

#include <string_view>

namespace chalk {

/// Whether all of the name is what the pattern says: * stands for any characters, ? for one.
bool matches_glob(std::string_view name, std::string_view pattern);

}  // namespace chalk
