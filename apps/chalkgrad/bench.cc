// chalkgrad bench: how fast a network trains and predicts here, and what part of the machine's peak that is.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

#include "apps/chalkgrad/commands.h"
#include "apps/chalkgrad/common.h"
#include "apps/chalkgrad/table.h"
#include "src/base/random.h"
#include "src/base/threads.h"
#include "src/net/cost.h"
#include "src/run/fma_peak.h"
#include "src/train/training_graph.h"

namespace chalk::app {
namespace {

constexpr double kTurn = 0.05;  // seconds that each of the three measurements runs before the next has its turn

struct Options {
  NetworkOptions network;
  std::int64_t batch = 64;
  int threads = 0;
  double seconds = 3;
  bool json = false;
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

/// Batches a second, from one turn.
double batches_per_second(Program& program, std::size_t batch) {
  const double start = seconds();
  double spent = 0;
  int runs = 0;
  do {
    program.run(batch);
    ++runs;
    spent = seconds() - start;
  } while (spent < kTurn);
  return runs / spent;
}

int bench(const Options& o) {
  auto network = make_network(o.network);
  if (network.input_shape().empty()) throw InputError("bench needs samples with at least one axis");
  const int threads = o.threads > 0 ? o.threads : available_threads();
  const auto batch = static_cast<std::size_t>(o.batch);
  const Samples samples(network, batch);
  Program inference(network.graph(), network.variables(), {.threads = threads});
  inference.feed("x", samples.x());
  const Loss loss = natural_loss(network);
  const Graph step = training_graph(network, loss, network.output_shape(), of_softmax(loss), sgd({}));
  Variables variables(step, o.network.seed);
  Program training(step, variables, {.threads = threads});
  training.feed("x", samples.x());
  training.feed("t", samples.t());
  training.set("lr", 0);  // the same arithmetic, and it cannot diverge
  inference.run(batch);
  training.run(batch);

  std::vector<double> train, infer, peak;
  const double end = seconds() + o.seconds;
  do {  // in turns, so that whatever else this machine does meets all three
    train.push_back(batches_per_second(training, batch) * static_cast<double>(o.batch));
    infer.push_back(batches_per_second(inference, batch) * static_cast<double>(o.batch));
    peak.push_back(fma_peak(threads, kTurn));
  } while (seconds() < end);

  const auto price = cost(network.graph());
  const double most = median(peak);
  const auto line = [&](const std::vector<double>& speeds, std::int64_t multiply_adds) {
    const double speed = median(speeds), flops = speed * 2 * static_cast<double>(multiply_adds);
    return nlohmann::ordered_json{{"samples_per_second", speed},
                                  {"multiply_adds", multiply_adds},
                                  {"gflops", flops / 1e9},
                                  {"of_peak", flops / most}};
  };
  const nlohmann::ordered_json json{{"network", network.text()},
                                    {"input", network.input_shape()},
                                    {"batch", o.batch},
                                    {"threads", threads},
                                    {"instruction_set", instruction_set()},
                                    {"rounds", peak.size()},
                                    {"peak_gflops", most / 1e9},
                                    {"training", line(train, price.training)},
                                    {"inference", line(infer, price.forward)}};
  if (o.json) {
    print_json(json);
    return kOk;
  }
  Table table({"", "samples/s", "multiply-adds", "GFLOP/s", "of the peak"});
  for (const char* name : {"training", "inference"}) {
    const auto& j = json[name];
    table.row({name, count(std::llround(j["samples_per_second"].get<double>())),
               count(j["multiply_adds"].get<std::int64_t>()), fmt::format("{:.1f}", j["gflops"].get<double>()),
               fmt::format("{:.0f} %", 100 * j["of_peak"].get<double>())});
  }
  fmt::print(
      "{}\npeak {:.1f} GFLOP/s of fused multiply-adds, measured in the same run on {} thread{}, {}; medians of {} "
      "rounds\n",
      table.text(), most / 1e9, threads, threads == 1 ? "" : "s", instruction_set(), peak.size());
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
  add_json(command, options->json);
  command->footer("GFLOP/s count two for each multiply-add that the mathematics needs, whatever the algorithm does.");
  set_action(command, action, options, bench);
}

}  // namespace chalk::app
