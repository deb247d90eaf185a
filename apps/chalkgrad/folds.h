// train --folds: the same run on all folds of the training samples, each judged on the one that it has not seen.
#pragma once

#include <cstdint>
#include <string>

#include "apps/chalkgrad/training_run.h"

namespace chalk::app {

struct FoldsOutput {
  std::string out, resume, tensorboard;  // empty: none
  std::int64_t checkpoint_every = 0;
  bool quiet = false, json = false;
};
/// Trains on each of the folds and prints how good the networks are, with mean and standard deviation; the exit code.
/// `folds` is as Fold::parse_all() reads it. Models go to files beside `out`: m.safetensors is m.fold1.safetensors and
/// so on. With `resume`, folds that are finished there are not trained again, and one that is not goes on.
int cross_validate(const RunOptions& options, const std::string& folds, const FoldsOutput& output);

}  // namespace chalk::app
