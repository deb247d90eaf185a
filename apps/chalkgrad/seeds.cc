#include "apps/chalkgrad/seeds.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "apps/chalkgrad/json.h"
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

/// What a run with one seed came to.
struct Outcome {
  std::uint64_t seed = 0;
  double loss = 0;
  std::optional<double> accuracy{};
  std::int64_t best_epoch = 0;  // from 1; 0 without validation
  std::string weights{};
};

/// By the test samples or, without any, by the validation samples.
Outcome outcome_of(const RunOptions& o, std::uint64_t seed, const std::string& events_folder, Events there) {
  auto run = o.from.empty() ? new_run(o, seed) : run_from(o, seed);
  add_validation(run);
  if (run.data.test.size() == 0 && !run.options.validation) {
    throw InputError(
        "--seeds compares by the test samples, and the data have none; hold some samples out: --validation 0.1");
  }
  RunEvents events(events_folder, there, run);
  if (events.wanted()) {
    run.options.on_step = [&](const Progress& now) { events.step(now); };
    run.options.on_epoch = [&](const Progress& now) { events.epoch(now, judged(run, now)); };
  }
  const auto result = train_until_signal(run);
  if (result.stopped) throw Interrupted(exit_code_of_signal(), fmt::format("stopped in the run with seed {}", seed));
  const auto& best = run.network.training->best;
  Outcome outcome{.seed = seed, .best_epoch = best.epoch + 1, .weights = run.network.weights_sha256()};
  const auto tested = test(run);
  outcome.loss = tested.loss.value_or(best.loss);
  if (has_classes(run)) outcome.accuracy = tested.loss ? tested.accuracy : std::optional(best.accuracy);
  return outcome;
}

struct Spread {
  double mean = 0;
  double deviation = 0;  // of a sample: with n − 1; NaN of one run
  double least = 0, most = 0;
};

Spread spread_of(const std::vector<double>& values) {
  if (values.empty()) return {};
  const auto n = static_cast<double>(values.size());
  const auto [least, most] = std::ranges::minmax(values);
  Spread spread{.least = least, .most = most};
  for (const double value : values) spread.mean += value / n;
  double squares = 0;
  for (const double value : values) squares += (value - spread.mean) * (value - spread.mean);
  spread.deviation = std::sqrt(squares / (n - 1));
  return spread;
}

Json to_json(const Spread& spread) {  // NaN becomes null
  return {
      {"mean", spread.mean}, {"standard_deviation", spread.deviation}, {"least", spread.least}, {"most", spread.most}};
}

std::vector<double> losses_of(const std::vector<Outcome>& all) {
  std::vector<double> values;
  for (const auto& one : all) values.push_back(one.loss);
  return values;
}

std::vector<double> accuracies_of(const std::vector<Outcome>& all) {
  std::vector<double> values;
  for (const auto& one : all) {
    if (one.accuracy) values.push_back(*one.accuracy);
  }
  return values;
}

void print_row(const std::string& name, const std::string& accuracy, const std::string& loss,
               const std::string& best = {}) {
  fmt::print("{:>9}  {:>9}  {:>11}{}\n", name, accuracy, loss, best);
  std::fflush(stdout);
}

void print(const Outcome& one) {
  print_row(std::to_string(one.seed), one.accuracy ? percent(*one.accuracy) : "", fmt::format("{:.6g}", one.loss),
            one.best_epoch > 0 ? fmt::format("  best epoch {}", one.best_epoch) : "");
}

void print_summary(const std::vector<Outcome>& all) {
  const auto accuracies = accuracies_of(all);
  const auto loss = spread_of(losses_of(all)), accuracy = spread_of(accuracies);
  const auto row = [&](const char* name, double Spread::*member) {
    print_row(name, accuracies.empty() ? "" : percent(accuracy.*member), fmt::format("{:.6g}", loss.*member));
  };
  row("mean", &Spread::mean);
  if (all.size() == 1) return;
  row("deviation", &Spread::deviation);
  row("least", &Spread::least);
  row("most", &Spread::most);
}

Json to_json(const std::vector<Outcome>& all) {
  Json json;
  for (const auto& one : all) {
    Json line{{"seed", one.seed}, {"loss", one.loss}};
    if (one.accuracy) line["accuracy"] = one.accuracy;
    if (one.best_epoch > 0) line["best_epoch"] = one.best_epoch;
    line["weights_sha256"] = one.weights;
    json["runs"].push_back(line);
  }
  json["loss"] = to_json(spread_of(losses_of(all)));
  if (const auto accuracies = accuracies_of(all); !accuracies.empty())
    json["accuracy"] = to_json(spread_of(accuracies));
  return json;
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
  std::vector<Outcome> all;
  if (!output.json) print_row("seed", "accuracy", "loss");
  for (const auto seed : seeds) {
    all.push_back(outcome_of(o, seed, folder_of(seed), there));
    if (!output.json && !output.quiet) print(all.back());
  }
  if (output.json) {
    print_json(to_json(all));
  } else {
    print_summary(all);
  }
  return kOk;
}

}  // namespace chalk::app
