// chalkgrad bench: how fast a network trains and predicts here, and what part of the machine's peak that is.
#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>

#include "apps/chalkgrad/commands.h"
#include "apps/chalkgrad/common.h"
#include "apps/chalkgrad/table.h"
#include "src/base/random.h"
#include "src/base/threads.h"
#include "src/run/fma_peak.h"
#include "src/train/training_graph.h"

namespace chalk::app {
namespace {

constexpr double kTurn = 0.05;  // seconds that each of the measurements runs before the next has its turn

struct Options {
  NetworkOptions network;
  std::int64_t batch = 64;
  int threads = 0;
  double seconds = 3;
  std::string only;  // "train" or "predict"
  bool once = false, profile = false, json = false;
};

/// Random bytes and labels.
struct Samples {
  Samples(const Network& network, std::size_t count_)
      : scale(static_cast<std::size_t>(network.input_shape()[0]), 1.0F / 255), shift(scale.size(), -0.5F) {
    Random random(1, hash_name("bench"));
    bytes.resize(count_ * static_cast<std::size_t>(elements(network.input_shape())));
    for (auto& b : bytes) b = static_cast<std::uint8_t>(random.below(256));
    const auto outputs = static_cast<std::size_t>(elements(network.output_shape()));
    if (of_softmax(natural_loss(network))) {
      labels.resize(count_);
      for (auto& l : labels) l = static_cast<std::int32_t>(random.below(static_cast<std::uint32_t>(outputs)));
    } else {
      targets.resize(count_ * outputs);
      for (auto& t : targets) t = static_cast<float>(random.uniform());
    }
  }
  Feed x() const { return {.bytes = bytes.data(), .scale = scale.data(), .shift = shift.data()}; }
  Feed t() const {
    return {.values = targets.empty() ? nullptr : targets.data(), .labels = labels.empty() ? nullptr : labels.data()};
  }

  std::vector<float> scale, shift, targets;
  std::vector<std::uint8_t> bytes;
  std::vector<std::int32_t> labels;
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const auto n = values.size();
  return (values[(n - 1) / 2] + values[n / 2]) / 2;
}

struct Turn {
  double steps = 0, seconds = 0;
};

Turn take_turn(Program& program, std::size_t batch) {
  const double start = seconds();
  Turn turn;
  do {
    program.run(batch);
    ++turn.steps;
    turn.seconds = seconds() - start;
  } while (turn.seconds < kTurn);
  return turn;
}

Network network_of(const Options& o) {
  auto network = make_network(o.network);
  if (network.input_shape().empty()) throw InputError("bench needs samples with at least one axis");
  return network;
}

/// A network, its samples, and the programs that are measured, each of which has run once.
struct Subject {
  Subject(const Options& o, int threads)
      : network(network_of(o)), batch(static_cast<std::size_t>(o.batch)), samples(network, batch) {
    const CompileOptions options{.threads = threads, .profile = o.profile};
    if (o.only == "predict" || (o.only.empty() && !o.profile)) {
      inference.emplace(network.graph(), network.variables(), options);
      inference->feed("x", samples.x());
    }
    if (o.only != "predict") {
      const Loss loss = natural_loss(network);
      const Graph step = training_graph(network, loss, network.output_shape(), of_softmax(loss), sgd({}));
      variables = Variables(step, o.network.seed);
      training.emplace(step, variables, options);
      training->feed("x", samples.x());
      training->feed("t", samples.t());
      training->set("lr", 0);  // the same arithmetic, and it cannot diverge
    }
    for (auto* program : {&inference, &training}) {
      if (*program) (*program)->run(batch);
    }
  }

  Network network;
  const std::size_t batch;
  const Samples samples;
  Variables variables;  // of the training step
  std::optional<Program> inference, training;
};

/// The most memory that this process has had in use, in bytes; 0 where the system does not say.
std::size_t peak_memory() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (std::size_t kilobytes = 0; word == "VmHWM:" && status >> kilobytes) return kilobytes * 1024;
  }
  return 0;
}

nlohmann::ordered_json describe(const Options& o, const Network& network, int threads) {
  return {{"network", network.text()},
          {"input", network.input_shape()},
          {"batch", o.batch},
          {"threads", threads},
          {"instruction_set", instruction_set()}};
}

/// What the footing of a table says.
std::string of_the_peak(double peak, int threads, std::size_t rounds) {
  return fmt::format("peak {:.1f} GFLOP/s of fused multiply-adds, measured in the same run on {} thread{}, {}; {}\n",
                     peak / 1e9, threads, threads == 1 ? "" : "s", instruction_set(),
                     rounds == 1 ? std::string("one round") : fmt::format("medians of {} rounds", rounds));
}

/// One step and no more, for those who time how long a start takes and what memory it needs.
int step_once(const Options& o, const Subject& subject, int threads) {
  auto json = describe(o, subject.network, threads);
  json["peak_memory"] = peak_memory();
  if (o.json) {
    print_json(json);
  } else {
    fmt::print("one step done; at most {} of memory were in use\n", megabytes(peak_memory()));
  }
  return kOk;
}

/// Which values depend on the target: those are the loss and all gradients.
std::vector<bool> after_the_target(const Graph& graph) {
  std::vector<bool> after;
  for (NodeId id = 0; id < graph.size(); ++id) {
    const auto& node = graph.node(id);
    after.push_back(node.name == "t" || std::any_of(node.inputs.begin(), node.inputs.end(), [&](NodeId input) {
                      return after[static_cast<std::size_t>(input)];
                    }));
  }
  return after;
}

/// What a kernel is for: "forward", "backward", "update" (parameters and sums over samples), or "between" kernels.
const char* part_of(const KernelTime& kernel, const Graph& graph, const std::vector<bool>& after_target) {
  if (kernel.nodes.empty()) return "between";
  bool batched = false, backward = false;
  for (const auto id : kernel.nodes) {
    batched = batched || graph.node(id).type.batched;
    for (const auto input : graph.node(id).inputs) batched = batched || graph.node(input).type.batched;
    backward = backward || after_target[static_cast<std::size_t>(id)];
  }
  return !batched ? "update" : backward ? "backward" : "forward";
}

void print_profile(const nlohmann::ordered_json& json) {
  Table table({"kernel", "layer", "part", "calls", "µs a step", "of the time", "GFLOP/s", "of the peak"});
  for (const char* part : {"forward", "backward", "update", "between"}) {
    double time = 0, share = 0;
    bool any = false;
    for (const auto& row : json["kernels"]) {
      if (row["part"] != part) continue;
      any = true;
      const auto number = [&](const char* key) { return row[key].get<double>(); };
      time += number("seconds_per_step");
      share += number("of_time");
      table.row({row["kernel"], row["layer"], part, fmt::format("{:.0f}", number("calls_per_step")),
                 fmt::format("{:.1f}", 1e6 * number("seconds_per_step")),
                 fmt::format("{:.1f} %", 100 * number("of_time")),
                 number("gflops") > 0 ? fmt::format("{:.1f}", number("gflops")) : "",
                 number("gflops") > 0 ? fmt::format("{:.0f} %", 100 * number("of_peak")) : ""});
    }
    if (!any) continue;
    table.row({"", "", fmt::format("all {}", part), "", fmt::format("{:.1f}", 1e6 * time),
               fmt::format("{:.1f} %", 100 * share), "", ""});
    table.rule();
  }
  table.row({"", "", json["of"].get<std::string>(), "",
             fmt::format("{:.1f}", 1e6 * json["seconds_per_step"].get<double>()), "", "", ""});
  fmt::print("{}\n", table.text());
}

/// Where the time of a training step, or of a prediction, goes, kernel by kernel.
int profile(const Options& o, Subject& subject, int threads) {
  Program& program = subject.training ? *subject.training : *subject.inference;
  const auto before = program.profile();
  std::vector<double> peak;
  Turn all;
  const double end = seconds() + o.seconds;
  do {
    const Turn turn = take_turn(program, subject.batch);
    all.steps += turn.steps;
    all.seconds += turn.seconds;
    peak.push_back(fma_peak(threads, kTurn));
  } while (seconds() < end);
  const auto after = program.profile();
  const double most = median(peak);

  const Graph& graph = program.graph();
  const auto after_target = after_the_target(graph);
  auto rows = nlohmann::ordered_json::array();
  double rest = all.seconds * threads;
  const auto row = [&](const std::string& kernel, const std::string& layer, const char* part, double calls, double time,
                       std::int64_t products) {
    const double flops = 2 * static_cast<double>(products * o.batch) * all.steps / time;
    rows.push_back({{"kernel", kernel},
                    {"layer", layer},
                    {"part", part},
                    {"calls_per_step", calls / all.steps},
                    {"seconds_per_step", time / all.steps},
                    {"of_time", time / (all.seconds * threads)},
                    {"multiply_adds", products},
                    {"gflops", flops / 1e9},
                    {"of_peak", flops * threads / most}});
  };
  for (std::size_t i = 0; i < after.size(); ++i) {
    if (after[i].calls == before[i].calls) continue;
    const double time = after[i].seconds - before[i].seconds;
    std::int64_t products = 0;
    std::string layer;
    for (const auto id : after[i].nodes) {
      products += multiply_adds(graph, id);
      if (layer.empty()) layer = graph.node(id).layer;
    }
    row(after[i].kernel, layer, part_of(after[i], graph, after_target),
        static_cast<double>(after[i].calls - before[i].calls), time, products);
    rest -= time;
  }
  row("waiting and the rest", "", "between", all.steps, std::max(rest, 1e-12), 0);

  auto json = describe(o, subject.network, threads);
  json["of"] = subject.training ? "a training step" : "a prediction";
  json["steps"] = std::llround(all.steps);
  json["seconds_per_step"] = all.seconds / all.steps;
  json["peak_gflops"] = most / 1e9;
  json["kernels"] = rows;
  if (o.json) {
    print_json(json);
  } else {
    print_profile(json);
    fmt::print("{}", of_the_peak(most, threads, peak.size()));
  }
  return kOk;
}

int bench(const Options& o) {
  const int threads = o.threads > 0 ? o.threads : o.profile ? 1 : available_threads();
  Subject subject(o, threads);
  if (o.once) return step_once(o, subject, threads);
  if (o.profile) return profile(o, subject, threads);

  struct Measured {
    const char* name;
    Program* program;
    std::vector<double> speeds;
    std::int64_t multiply_adds;
  };
  const auto price = cost(subject.network.graph());
  std::vector<Measured> all;
  if (subject.training) all.push_back({"training", &*subject.training, {}, price.training});
  if (subject.inference) all.push_back({"inference", &*subject.inference, {}, price.forward});
  std::vector<double> peak;
  const double end = seconds() + o.seconds;
  do {  // in turns, so that whatever else this machine does meets all of them
    for (auto& one : all) {
      const Turn turn = take_turn(*one.program, subject.batch);
      one.speeds.push_back(turn.steps / turn.seconds * static_cast<double>(o.batch));
    }
    peak.push_back(fma_peak(threads, kTurn));
  } while (seconds() < end);

  const double most = median(peak);
  auto json = describe(o, subject.network, threads);
  json["rounds"] = peak.size();
  json["peak_gflops"] = most / 1e9;
  json["peak_memory"] = peak_memory();
  for (const auto& one : all) {
    const double speed = median(one.speeds), flops = speed * 2 * static_cast<double>(one.multiply_adds);
    json[one.name] = {{"samples_per_second", speed},
                      {"seconds_per_step", static_cast<double>(o.batch) / speed},
                      {"multiply_adds", one.multiply_adds},
                      {"gflops", flops / 1e9},
                      {"of_peak", flops / most}};
  }
  if (o.json) {
    print_json(json);
    return kOk;
  }
  Table table({"", "samples/s", "µs a step", "multiply-adds", "GFLOP/s", "of the peak"});
  for (const auto& one : all) {
    const auto& j = json[one.name];
    table.row({one.name, count(std::llround(j["samples_per_second"].get<double>())),
               fmt::format("{:.1f}", 1e6 * j["seconds_per_step"].get<double>()), count(one.multiply_adds),
               fmt::format("{:.1f}", j["gflops"].get<double>()),
               fmt::format("{:.0f} %", 100 * j["of_peak"].get<double>())});
  }
  fmt::print("{}\n{}", table.text(), of_the_peak(most, threads, peak.size()));
  return kOk;
}

}  // namespace

void add_bench(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("bench", "Measure how fast a network trains and predicts on this machine");
  add_network(command, options->network, ModelFile::allowed);
  command->add_option("--batch", options->batch, "Samples a step")
      ->capture_default_str()
      ->check(at_least(1, 1 << 24))
      ->type_name("N");
  add_threads(command, options->threads);
  command->add_option("--seconds", options->seconds, "How long to measure")
      ->capture_default_str()
      ->check(number_where("a number from 0.1 to 3600", [](double v) { return v >= 0.1 && v <= 3600; }))
      ->type_name("S");
  command->add_option("--only", options->only, "Measure only this: train, predict")
      ->check(CLI::IsMember({"train", "predict"}))
      ->type_name("WHAT");
  command->add_flag("--profile", options->profile,
                    "Where the time of a training step (with --only predict: of a prediction) goes, kernel by kernel");
  auto* once = command->add_flag("--once", options->once, "Take one step and end, for timing a start from outside");
  once->excludes("--profile");
  add_json(command, options->json);
  command->footer("GFLOP/s count two for each multiply-add that the mathematics needs, whatever the algorithm does.");
  set_action(command, action, options, bench);
}

}  // namespace chalk::app
