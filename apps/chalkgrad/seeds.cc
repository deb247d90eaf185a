#include "apps/chalkgrad/seeds.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "apps/chalkgrad/outcomes.h"
#include "apps/chalkgrad/run_events.h"
#include "src/base/reading.h"
#include "src/base/wording.h"

namespace chalk::app {
namespace {

constexpr std::size_t kMostSeeds = 10'000;

[[noreturn]] void refuse(std::string_view text) {
  throw UsageError(
      fmt::format("--seeds is {}; it must be seeds such as 1..5 or 1,4,9, at most {} of them and each once",
                  in_quotes(text), count(kMostSeeds)));
}

std::uint64_t seed_of(std::string_view number, std::string_view text) {
  const auto seed = number_in<std::int64_t>(number);
  if (!seed || *seed < 0) refuse(text);
  return static_cast<std::uint64_t>(*seed);
}

/// Of the run with one seed.
Outcome trained(const RunOptions& o, std::uint64_t seed, const std::string& events_folder, Events there) {
  auto run = o.from.empty() ? new_run(o, {.seed = seed}) : run_from(o, {.seed = seed});
  add_validation(run);
  if (run.data.test.size() == 0 && !run.options.validation) {
    throw InputError(
        "--seeds compares by the test samples, and the data have none; hold some samples out: --validation 0.1");
  }
  RunEvents events(events_folder, there, run);
  events.listen(run);
  if (train_until_signal(run).stopped)
    throw Interrupted(exit_code_of_signal(), fmt::format("stopped in the run with seed {}", seed));
  return outcome_of(run, std::to_string(seed));
}

}  // namespace

std::vector<std::uint64_t> parse_seeds(std::string_view text) {
  std::vector<std::uint64_t> seeds;
  for (const auto part : split(text, ',')) {
    const auto dots = part.find("..");
    const auto first = seed_of(part.substr(0, dots), text);
    const auto last = dots == std::string_view::npos ? first : seed_of(part.substr(dots + 2), text);
    if (last < first || last - first >= kMostSeeds) refuse(text);
    for (auto seed = first; seed <= last; ++seed) {
      if (seeds.size() == kMostSeeds || std::ranges::find(seeds, seed) != seeds.end()) refuse(text);
      seeds.push_back(seed);
    }
  }
  return seeds;
}

int compare_seeds(const RunOptions& o, const std::vector<std::uint64_t>& seeds, const std::string& events,
                  SeedsOutput output) {
  const auto there = o.given("--overwrite") ? Events::replace : Events::refuse;
  const auto folder_of = [&](std::uint64_t seed) {
    return events.empty() ? events : fmt::format("{}/seed-{}", events, seed);
  };
  for (const auto seed : seeds) {
    if (!events.empty()) check_events_folder(folder_of(seed), there);
  }
  Comparison comparison("seed", "runs", output.json, output.quiet);
  for (const auto seed : seeds) {
    auto one = trained(o, seed, folder_of(seed), there);
    Json line{{"seed", seed}};
    comparison.add(std::move(line), std::move(one));
  }
  comparison.finish();
  return kOk;
}

}  // namespace chalk::app
