// The commands. Each add_… describes one to the parser, in a file of its own.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace chalk::app {

/// What the chosen command does; its result is the exit code.
using Action = std::function<int()>;

void add_train(CLI::App& app, Action& action);
void add_eval(CLI::App& app, Action& action);
void add_predict(CLI::App& app, Action& action);
void add_info(CLI::App& app, Action& action);
void add_gradcheck(CLI::App& app, Action& action);
void add_check(CLI::App& app, Action& action);
void add_grad(CLI::App& app, Action& action);
void add_bench(CLI::App& app, Action& action);

}  // namespace chalk::app
