// Letters of books, and those of a file.
#pragma once

#include "chalkgrad/derive.h"

namespace chalk::calculus {

/// Gives values the names that the notation has for them one by one. `names` are those that they would have. Throws
/// InputError for one that no value would have, and for a name that two values would get.
void rename(std::map<NodeId, std::string>& names, const DerivedNotation& notation);

}  // namespace chalk::calculus
