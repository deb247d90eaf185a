// The sources that sources.inc lists.
#pragma once

#include <string>

#include "chalkgrad/data.h"
#include "chalkgrad/splits.h"

namespace chalk {

#define CHALK_SOURCE(name) extern const DataSource source_##name;
#include "src/data/sources/sources.inc"
#undef CHALK_SOURCE

/// Validation::of_data() of `val`.
Validation folder_validation(const std::string& source);

}  // namespace chalk
