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

/// What they came to, told one by one: as a table with mean, deviation of a sample (with n − 1), least and most, or of
/// all as JSON. Of one run, the first of these is itself.
class Comparison {
 public:
  /// `what` distinguishes the runs: "seed". `list` is what JSON calls all of them: "runs".
  Comparison(const char* what, const char* list, bool json, bool quiet);
  /// `line` has the members of this run that JSON begins with.
  void add(Json line, Outcome one);
  void finish() const;

 private:
  const char* list_;
  bool json_, quiet_;
  std::vector<Outcome> all_{};
  Json lines_{};
};

}  // namespace chalk::app
