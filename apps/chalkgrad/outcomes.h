// What runs that are compared came to, as a table and as JSON.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "apps/chalkgrad/json.h"
#include "apps/chalkgrad/training_run.h"

namespace chalk::app {

struct Outcome {
  std::string name;  // of the run, in the table: its seed, its fold
  double loss = 0;
  std::optional<double> accuracy{};
  std::int64_t best_epoch = 0;  // from 1; 0 without validation
  std::string weights{};
};
/// Of a run that is done, by its test samples or, without any, by its validation samples.
Outcome outcome_of(Run& run, std::string name);

/// Prints the head of the table, and a row of it.
void print_head(const char* what);
void print(const Outcome& one);
/// Mean, deviation of a sample (with n − 1), least and most; of one run, the first of these.
void print_summary(const std::vector<Outcome>& all);

/// The members of one run behind those that are there, and of all.
void add_outcome(Json& line, const Outcome& one);
void add_summary(Json& json, const std::vector<Outcome>& all);

}  // namespace chalk::app
