// train --seeds: the same run with several seeds, to see how much of a result is chance.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "apps/chalkgrad/training_run.h"

namespace chalk::app {

/// "1..5", "1,4,9", "1..3,10": growing or not, each once. Throws UsageError.
std::vector<std::uint64_t> parse_seeds(std::string_view text);

struct SeedsOutput {
  bool quiet = false, json = false;
};
/// Trains once for each seed and prints how good the networks are, with mean and standard deviation; the exit code.
/// Events go to folders in that folder, seed-1 and so on, unless it is empty.
int compare_seeds(const RunOptions& options, const std::vector<std::uint64_t>& seeds, const std::string& events,
                  SeedsOutput output);

}  // namespace chalk::app
