// The sources that sources.inc lists.
#pragma once

#include "chalkgrad/data.h"

namespace chalk {

#define CHALK_SOURCE(name) extern const DataSource source_##name;
#include "src/data/sources/sources.inc"
#undef CHALK_SOURCE

}  // namespace chalk
