#include "chalkgrad/benchmark.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <locale>
#include <set>

#include "chalkgrad/cost.h"
#include "chalkgrad/error.h"
#include "chalkgrad/train.h"
#include "src/base/random.h"
#include "src/losses/loss.h"
#include "src/plan/fuse.h"
#include "src/run/fma_peak.h"
#include "src/run/stream_peak.h"
#include "src/train/training_graph.h"

namespace chalk {
namespace {

constexpr std::int64_t kStep = 1000;  // at which an optimizer's numbers that depend on the step are taken
constexpr double kTurn = 0.05;        // seconds that each of the measurements runs before the next one's turn

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const auto n = values.size();
  return (values[(n - 1) / 2] + values[n / 2]) / 2;
}

/// Random bytes and labels.
struct Samples {
  Samples(const Network& network, std::size_t count)
      : scale(static_cast<std::size_t>(network.input_shape()[0]), 1.0F / 255), shift(scale.size(), -0.5F) {
    Random random(1, hash_name("bench"));
    bytes.resize(count * static_cast<std::size_t>(elements(network.input_shape())));
    for (auto& b : bytes) b = static_cast<std::uint8_t>(random.below(256));
    const auto outputs = static_cast<std::size_t>(elements(network.output_shape()));
    const Loss loss = natural_loss(network);
    if (of_classes(loss)) {
      labels.resize(count);
      for (auto& l : labels) l = static_cast<std::int32_t>(random.below(static_cast<std::uint32_t>(outputs)));
    } else {
      const Shape target = target_shape(loss, network.output_shape());
      const bool places = definition_of(loss).target.value == Target::places;
      targets.resize(count * static_cast<std::size_t>(elements(target)));
      for (auto& t : targets) t = places ? 0.0F : static_cast<float>(random.uniform());
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

struct Turn {
  double steps = 0, seconds = 0;
};

Turn take_turn(Program& program, std::size_t batch) {
  const double start = now();
  Turn turn;
  do {
    program.run(batch);
    ++turn.steps;
    turn.seconds = now() - start;
  } while (turn.seconds < kTurn);
  return turn;
}

Network with_an_axis(Network network) {
  if (network.input_shape().empty()) throw InputError("bench needs samples with at least one axis");
  return network;
}

/// Which values depend on the target: the loss and all gradients.
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

/// Which nodes read each value, and which values leave the graph.
class Readers {
 public:
  explicit Readers(const Graph& graph) : graph_(graph), of_(graph), leaves_(find_needed_outside(graph)) {
    for (NodeId id = 0; id < graph.size(); ++id) {
      for (const auto input : graph.node(id).inputs) of_[input].push_back(id);
    }
  }

  /// Of what a kernel that computes `nodes` takes from others or gives to others, each value once.
  std::int64_t bytes(const std::vector<NodeId>& nodes, std::size_t batch) const {
    const std::set<NodeId> inside(nodes.begin(), nodes.end());
    std::set<NodeId> moved;
    for (const auto id : nodes) {
      for (const auto input : graph_.node(id).inputs) {
        if (!inside.contains(input)) moved.insert(input);
      }
      if (leaves_[id] || std::ranges::any_of(of_[id], [&](NodeId r) { return !inside.contains(r); })) moved.insert(id);
    }
    std::int64_t floats = 0;
    for (const auto id : moved) {
      const auto& type = graph_.node(id).type;
      floats += elements(type.shape) * (type.batched ? static_cast<std::int64_t>(batch) : 1);
    }
    return floats * static_cast<std::int64_t>(sizeof(float));
  }

 private:
  const Graph& graph_;
  PerNode<std::vector<NodeId>> of_;
  PerNode<bool> leaves_;
};

}  // namespace

/// A network, its samples, and the programs that are measured, each of which has run once.
struct Benchmark::State {
  State(Network network_, const BenchmarkOptions& options_)
      : network(with_an_axis(std::move(network_))), options(options_), samples(network, options.batch) {
    CompileOptions compile;
    compile.threads = options.threads;
    compile.profile = options.profile;
    if (options.inference) {
      inference.emplace(network.graph_of("y"), network.variables(), compile);
      inference->feed("x", samples.x());
    }
    if (options.training) {
      const Loss loss = natural_loss(network);
      const auto step = training_graph(network, target_shape(loss, network.output_shape()), of_classes(loss),
                                       {.optimizer = options.optimizer, .loss = loss});
      variables = Variables(step.graph, options.seed);
      compile.memory = options.memory;
      compile.memory_samples = options.batch;
      training.emplace(step.graph, variables, compile);
      training->feed("x", samples.x());
      training->feed("t", samples.t());
      training->set("lr", 0);  // the same arithmetic, and it cannot diverge
      for (const auto& scalar : step.scalars)
        training->set(scalar.name, static_cast<float>(scalar.value(options.optimizer.options(), kStep)));
    }
    for (auto* program : {&inference, &training}) {
      if (*program) (*program)->run(options.batch);
    }
  }

  Network network;
  const BenchmarkOptions options;
  const Samples samples;
  Variables variables;  // of the training step
  std::optional<Program> inference, training;
};

Benchmark::Benchmark(Network network, const BenchmarkOptions& options)
    : state_(std::make_unique<State>(std::move(network), options)) {}
Benchmark::~Benchmark() = default;
Benchmark::Benchmark(Benchmark&&) noexcept = default;
Benchmark& Benchmark::operator=(Benchmark&&) noexcept = default;
const Network& Benchmark::network() const { return state_->network; }
int Benchmark::threads() const {
  for (const auto* program : {&state_->training, &state_->inference}) {
    if (*program) return (*program)->threads();
  }
  return state_->options.threads;
}

Speeds Benchmark::speeds(double seconds) {
  struct Measured {
    Program& program;
    std::optional<Speed>& result;
    std::int64_t multiply_adds;
    std::vector<double> speeds;
  };
  Speeds speeds;
  const auto price = cost(state_->network.graph());
  const auto batch = state_->options.batch;
  std::vector<Measured> all;
  if (state_->training) all.push_back({*state_->training, speeds.training, price.training, {}});
  if (state_->inference) all.push_back({*state_->inference, speeds.inference, price.forward, {}});
  std::vector<double> peak;
  const double end = now() + seconds;
  do {  // in turns, so that whatever else the machine does affects all of them
    for (auto& one : all) {
      const Turn turn = take_turn(one.program, batch);
      one.speeds.push_back(turn.steps / turn.seconds * static_cast<double>(batch));
    }
    peak.push_back(fma_peak(threads(), kTurn));
  } while (now() < end);
  speeds.rounds = peak.size();
  speeds.peak = median(std::move(peak));
  for (auto& one : all) {
    const double speed = median(std::move(one.speeds)), flops = speed * 2 * static_cast<double>(one.multiply_adds);
    one.result = {speed, static_cast<double>(batch) / speed, one.multiply_adds, flops / 1e9, flops / speeds.peak};
  }
  return speeds;
}

Shares Benchmark::profile(double seconds) {
  if (!state_->training && !state_->inference)
    throw InputError("nothing can be profiled: both training and inference are off; turn one on");
  Program& program = state_->training ? *state_->training : *state_->inference;
  const auto before = program.profile();
  std::vector<double> peak, bandwidth;
  std::optional<StreamPeak> stream;
  if (state_->options.roofline) stream.emplace(program.threads());
  Turn all;
  const double end = now() + seconds;
  do {
    const Turn turn = take_turn(program, state_->options.batch);
    all.steps += turn.steps;
    all.seconds += turn.seconds;
    peak.push_back(fma_peak(program.threads(), kTurn));
    if (stream) bandwidth.push_back(stream->measure(kTurn));
  } while (now() < end);
  const auto after = program.profile();

  const auto threads = static_cast<double>(program.threads());
  Shares shares;
  shares.steps = std::llround(all.steps);
  shares.seconds_per_step = all.seconds / all.steps;
  shares.rounds = peak.size();
  shares.peak = median(std::move(peak));
  if (stream) shares.bandwidth = median(std::move(bandwidth));
  const auto add = [&](KernelShare share, double calls, double time) {
    const double flops =
        2 * static_cast<double>(share.multiply_adds) * static_cast<double>(state_->options.batch) * all.steps / time;
    share.calls_per_step = calls / all.steps;
    share.seconds_per_step = time / all.steps;
    share.of_time = time / (all.seconds * threads);
    share.gflops = flops / 1e9;
    share.of_peak = flops * threads / shares.peak;
    if (stream) {
      const double through_memory = static_cast<double>(share.bytes) * all.steps / shares.bandwidth * threads / time;
      share.memory_bound = through_memory > share.of_peak;
      share.of_bound = std::max(through_memory, share.of_peak);
    }
    shares.kernels.push_back(std::move(share));
  };
  const Graph& graph = program.graph();
  const auto after_target = after_the_target(graph);
  const Readers readers(graph);
  double rest = all.seconds * threads;
  for (std::size_t i = 0; i < after.size(); ++i) {
    if (after[i].calls == before[i].calls) continue;
    KernelShare share;
    share.kernel = after[i].kernel;
    share.part = part_of(after[i], graph, after_target);
    for (const auto id : after[i].nodes) {
      share.multiply_adds += multiply_adds(graph, id);
      if (share.layer.empty()) share.layer = graph.node(id).layer;
    }
    share.bytes = readers.bytes(after[i].nodes, state_->options.batch);
    const double time = after[i].seconds - before[i].seconds;
    add(std::move(share), static_cast<double>(after[i].calls - before[i].calls), time);
    rest -= time;
  }
  KernelShare waiting;
  waiting.kernel = "waiting and the rest";
  waiting.part = "between";
  add(std::move(waiting), all.steps, std::max(rest, 1e-12));
  return shares;
}

std::size_t peak_memory() {
  std::ifstream status("/proc/self/status");
  status.imbue(std::locale::classic());
  for (std::string word; status >> word;) {
    if (std::size_t kilobytes = 0; word == "VmHWM:" && status >> kilobytes) return kilobytes * 1024;
  }
  return 0;
}

}  // namespace chalk
