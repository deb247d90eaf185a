// The commands. Each add_… describes one, in a file of its own.
#pragma once

#include "apps/chalkgrad/command.h"

namespace chalk::app {

void add_train(CommandLine& line);
void add_eval(CommandLine& line);
void add_predict(CommandLine& line);
void add_info(CommandLine& line);
void add_gradcheck(CommandLine& line);
void add_check(CommandLine& line);
void add_grad(CommandLine& line);
void add_bench(CommandLine& line);

}  // namespace chalk::app
