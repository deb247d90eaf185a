// Names by pattern.
#pragma once

#include <string_view>

namespace chalk {

/// Whether all of the name is what the pattern says: * stands for any characters, ? for one, [1-3] and [abc] for one of
/// those, [!1-3] for one of the others. Without a ] behind it, [ stands for itself.
bool matches_glob(std::string_view name, std::string_view pattern);

}  // namespace chalk
