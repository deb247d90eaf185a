// The commands that commands.inc lists: each add_NAME() describes one, in a file of its own.
#pragma once

#include "apps/chalkgrad/command.h"

namespace chalk::app {

#define CHALK_COMMAND(name) void add_##name(CommandLine& line);
#include "apps/chalkgrad/commands.inc"
#undef CHALK_COMMAND

}  // namespace chalk::app
