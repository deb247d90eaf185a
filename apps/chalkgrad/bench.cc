// chalkgrad bench: how fast a network trains and predicts here, and what part of the machine's peak that is.
#include <fmt/core.h>

#include <cmath>
#include <optional>

#include "apps/chalkgrad/commands.h"
#include "apps/chalkgrad/common.h"
#include "apps/chalkgrad/json.h"
#include "apps/chalkgrad/roofline.h"
#include "apps/chalkgrad/table.h"
#include "src/base/file.h"
#include "src/base/threads.h"
#include "src/base/wording.h"

namespace chalk::app {
namespace {

struct Options {
  NetworkOptions network;
  std::int64_t batch = 64;
  int threads = 0;
  double seconds = 3;
  std::string optimizer{Optimizer().name()};
  std::string only;  // "train" or "predict"
  bool once = false, profile = false, roofline = false, json = false;
  std::string plot;  // a file
  std::size_t memory = 0;
};

Json describe(const Options& o, const Network& network, int threads) {
  return {{"network", network.text()}, {"input", network.input_shape()},
          {"batch", o.batch},          {"optimizer", o.optimizer},
          {"threads", threads},        {"instruction_set", instruction_set()}};
}

/// What the footing of a table says.
std::string of_the_peak(double peak, int threads, std::size_t rounds) {
  return fmt::format("peak {:.1f} GFLOP/s of fused multiply-adds, measured in the same run on {}, {}; {}\n", peak / 1e9,
                     counted(static_cast<std::uint64_t>(threads), "thread"), instruction_set(),
                     rounds == 1 ? std::string("one round") : fmt::format("medians of {} rounds", rounds));
}

/// One step and no more, for those who time how long a start takes and what memory it needs.
int step_once(const Options& o, const Network& network, int threads) {
  auto json = describe(o, network, threads);
  json["peak_memory"] = peak_memory();
  if (o.json) {
    print_json(json);
  } else {
    fmt::print("one step done; at most {} of memory were in use\n", megabytes(peak_memory()));
  }
  return kOk;
}

std::string microseconds(double seconds) { return fmt::format("{:.1f}", 1e6 * seconds); }

const char* bound_of(const KernelShare& row) { return row.memory_bound ? "memory" : "arithmetic"; }

void print(const Shares& shares, const char* what) {
  std::vector<std::string> titles{"kernel",    "layer",       "part",    "calls",
                                  "µs a step", "of the time", "GFLOP/s", "of the peak"};
  const bool roofline = shares.bandwidth > 0;
  if (roofline) titles.insert(titles.end(), {"MB a step", "FLOP/byte", "bound by", "of the bound"});
  const auto columns = titles.size();
  Table table(std::move(titles));
  const auto add = [&](std::vector<std::string> cells) {
    cells.resize(columns);
    table.row(std::move(cells));
  };
  for (const char* part : {"forward", "backward", "update", "between"}) {
    double time = 0, share = 0;
    bool any = false;
    for (const auto& row : shares.kernels) {
      if (row.part != part) continue;
      any = true;
      time += row.seconds_per_step;
      share += row.of_time;
      const bool counts = row.gflops > 0;
      std::vector<std::string> cells{row.kernel,
                                     row.layer,
                                     part,
                                     fmt::format("{:.0f}", row.calls_per_step),
                                     microseconds(row.seconds_per_step),
                                     fmt::format("{:.1f} %", 100 * row.of_time),
                                     counts ? fmt::format("{:.1f}", row.gflops) : "",
                                     counts ? fmt::format("{:.0f} %", 100 * row.of_peak) : ""};
      if (roofline && row.bytes > 0) {
        const auto bytes = static_cast<double>(row.bytes);
        cells.insert(cells.end(), {fmt::format("{:.1f}", bytes / 1e6),
                                   counts ? fmt::format("{:.1f}", row.gflops * 1e9 * row.seconds_per_step / bytes) : "",
                                   bound_of(row), fmt::format("{:.0f} %", 100 * row.of_bound)});
      }
      add(std::move(cells));
    }
    if (!any) continue;
    add({"", "", fmt::format("all {}", part), "", microseconds(time), fmt::format("{:.1f} %", 100 * share)});
    table.rule();
  }
  add({"", "", what, "", microseconds(shares.seconds_per_step)});
  fmt::print("{}\n", table.text());
}

/// Where the time of a training step, or of a prediction, goes, kernel by kernel.
int profile(const Options& o, Benchmark& benchmark, int threads) {
  const auto shares = benchmark.profile(o.seconds);
  const char* what = o.only == "predict" ? "a prediction" : "a training step";
  if (!o.plot.empty()) {
    const auto title = fmt::format("{} of {}, batch {}, {}", o.only == "predict" ? "Prediction" : "Training",
                                   is_toml(benchmark.network().text()) ? "the network" : benchmark.network().text(),
                                   o.batch, counted(static_cast<std::uint64_t>(threads), "thread"));
    write_file_atomically(o.plot, std::string_view(roofline_svg(shares, threads, title)));
  }
  if (!o.json) {
    print(shares, what);
    fmt::print("{}", of_the_peak(shares.peak, threads, shares.rounds));
    if (shares.bandwidth > 0) {
      fmt::print(
          "memory {:.1f} GB/s, measured in the same run (STREAM's triad); above 100 % of it, values come from caches\n",
          shares.bandwidth / 1e9);
    }
    return kOk;
  }
  auto json = describe(o, benchmark.network(), threads);
  json["of"] = what;
  json["steps"] = shares.steps;
  json["seconds_per_step"] = shares.seconds_per_step;
  json["peak_gflops"] = shares.peak / 1e9;
  if (shares.bandwidth > 0) json["memory_gigabytes_per_second"] = shares.bandwidth / 1e9;
  for (const auto& row : shares.kernels) {
    Json kernel{{"kernel", row.kernel},
                {"layer", row.layer},
                {"part", row.part},
                {"calls_per_step", row.calls_per_step},
                {"seconds_per_step", row.seconds_per_step},
                {"of_time", row.of_time},
                {"multiply_adds", row.multiply_adds},
                {"gflops", row.gflops},
                {"of_peak", row.of_peak}};
    if (shares.bandwidth > 0 && row.bytes > 0)
      kernel.merge({{"bytes_per_step", row.bytes}, {"bound_by", bound_of(row)}, {"of_bound", row.of_bound}});
    json["kernels"].push_back(std::move(kernel));
  }
  print_json(json);
  return kOk;
}

int bench(const Options& given) {
  Options o = given;
  o.roofline = o.roofline || !o.plot.empty();
  o.profile = o.profile || o.roofline;
  if (o.memory > 0 && o.only == "predict")
    throw UsageError("--step-memory is of a training step; leave it out, or --only predict");
  const int wanted = o.threads > 0 ? o.threads : o.profile ? 1 : available_threads();
  Benchmark benchmark(make_network(o.network), {.batch = static_cast<std::size_t>(o.batch),
                                                .threads = wanted,
                                                .seed = o.network.seed,
                                                .optimizer = Optimizer::named(o.optimizer),
                                                .training = o.only != "predict",
                                                .inference = o.only == "predict" || (o.only.empty() && !o.profile),
                                                .memory = o.memory,
                                                .profile = o.profile,
                                                .roofline = o.roofline});
  const int threads = benchmark.threads();
  if (o.once) return step_once(o, benchmark.network(), threads);
  if (o.profile) return profile(o, benchmark, threads);

  const auto speeds = benchmark.speeds(o.seconds);
  const std::pair<const char*, const std::optional<Speed>&> all[] = {{"training", speeds.training},
                                                                     {"inference", speeds.inference}};
  if (o.json) {
    auto json = describe(o, benchmark.network(), threads);
    json["rounds"] = speeds.rounds;
    json["peak_gflops"] = speeds.peak / 1e9;
    json["peak_memory"] = peak_memory();
    for (const auto& [name, speed] : all) {
      if (!speed) continue;
      json[name] = {{"samples_per_second", speed->samples_per_second},
                    {"seconds_per_step", speed->seconds_per_step},
                    {"multiply_adds", speed->multiply_adds},
                    {"gflops", speed->gflops},
                    {"of_peak", speed->of_peak}};
    }
    print_json(json);
    return kOk;
  }
  Table table({"", "samples/s", "µs a step", "multiply-adds", "GFLOP/s", "of the peak"});
  for (const auto& [name, speed] : all) {
    if (!speed) continue;
    table.row({name, count(std::llround(speed->samples_per_second)), microseconds(speed->seconds_per_step),
               count(speed->multiply_adds), fmt::format("{:.1f}", speed->gflops),
               fmt::format("{:.0f} %", 100 * speed->of_peak)});
  }
  fmt::print("{}\n{}", table.text(), of_the_peak(speeds.peak, threads, speeds.rounds));
  return kOk;
}

}  // namespace

void add_bench(CommandLine& line) {
  auto options = std::make_shared<Options>();
  auto command =
      line.command("bench", "Measure how fast a network trains and predicts on this machine", options, bench);
  add_network(command, options->network, ModelFile::allowed);
  command.whole("--batch", options->batch, {1, 1 << 24}, "Samples a step").shows_default();
  add_threads(command, options->threads);
  add_step_memory(command, options->memory);
  command
      .real("--seconds", options->seconds, Range::from_to(0.1, 3600), "How long to measure", "S",
            "a number from 0.1 to 3600")
      .shows_default();
  const auto optimizers = Optimizer::names();
  command
      .word("--optimizer", options->optimizer, {optimizers.begin(), optimizers.end()},
            "Of the training step, with its default options", "NAME")
      .shows_default();
  command.word("--only", options->only, {"train", "predict"}, "Measure only this: train, predict", "WHAT");
  command.flag("--profile", options->profile,
               "Where the time of a training step (with --only predict: of a prediction) goes, kernel by kernel");
  command.flag(
      "--roofline", options->roofline,
      "With that, how many bytes each kernel has to move, and how near it comes to what arithmetic and memory allow");
  command.output("--plot", options->plot, "Draw that as a picture (SVG)");
  command.flag("--once", options->once, "Take one step and end, for timing a start from outside")
      .excludes("--profile")
      .excludes("--roofline")
      .excludes("--plot");
  add_json(command, options->json);
  command.footer("GFLOP/s count two for each multiply-add that the mathematics needs, whatever the algorithm does.");
}

}  // namespace chalk::app
