#include <algorithm>
#include <atomic>
#include <chrono>
#include <stdexcept>

#include "chalkgrad/error.h"
#include "chalkgrad/train.h"
#include "src/base/text.h"
#include "src/ir/leaves.h"
#include "src/net/training_record.h"
#include "src/train/check_run.h"
#include "src/train/diagnose.h"
#include "src/train/feeds.h"
#include "src/train/order.h"
#include "src/train/training_graph.h"
#include "src/train/validation.h"

namespace chalk {
namespace {

/// The record of a new run.
TrainingRecord first_record(const Dataset& data, const TrainOptions& o) {
  TrainingRecord record;
  record.options = {.epochs = o.epochs,
                    .batch = o.batch,
                    .optimizer = o.optimizer,
                    .schedule = o.schedule,
                    .loss = o.loss,
                    .seed = o.seed,
                    .patience = o.patience,
                    .by_accuracy = o.by_accuracy,
                    .keep_last = o.keep_last};
  record.data = data.name;
  record.digest = data.digest();
  record.samples = static_cast<std::int64_t>(data.size());
  if (o.validation) record.validation = o.validation->digest();
  return record;
}

/// An unfinished run can only be continued as it began.
void check_same_run(const TrainingRecord& before, const TrainingRecord& now) {
  if (const auto difference = first_difference(before, now); !difference.empty()) {
    throw InputError(str("the checkpoint was trained with ", difference,
                         "; resume with the options it was started with, or reset Network::training to begin a new "
                         "run from its weights"));
  }
  if (before.validation != now.validation) {
    throw InputError(str("the checkpoint was validated on ",
                         before.validation.empty() ? "no samples, not on some"
                         : now.validation.empty()  ? "some samples, not on none"
                                                   : "other samples than these",
                         "; resume with the validation data it was started with, or begin a new run from its weights"));
  }
  const bool alike = before.data == now.data && before.samples == now.samples;
  if (before.digest.empty() ? alike : before.digest == now.digest) return;
  throw InputError(
      str("the checkpoint was trained on ", before.samples, " samples of \"", before.data, "\", not on ",
          alike ? "these, in which a sample or a label has changed" : str(now.samples, " of \"", now.data, "\""),
          "; resume with the data it was started with, or begin a new run from its weights (train --from; "
          "in C++, reset Network::training)"));
}

/// Sets the optimizer's state to what it is before the first step.
void begin_states(Variables& variables, const TrainingGraph& step) {
  for (NodeId id = 0; id < step.graph.size(); ++id) {
    const Node& node = step.graph.node(id);
    if (std::ranges::find(step.states, node.name) == step.states.end()) continue;
    const auto initial = static_cast<float>(node.attributes.as<ParameterAttributes>().init.value);
    std::ranges::fill(variables.at(node.name).values(), initial);
  }
}

void check_states(const Variables& variables, const std::vector<std::string>& states) {
  for (const auto& name : states) {
    if (!variables.contains(name)) {
      throw InputError(str("the checkpoint has no ", name,
                           ", which it needs to go on; resume from another "
                           "checkpoint"));
    }
  }
}

CompileOptions compile_options(const TrainOptions& options) {
  CompileOptions compile = options.compile;
  compile.threads = options.threads;
  compile.guard = "loss";
  compile.seed = options.seed;
  return compile;
}

}  // namespace

struct Trainer::State {
  State(Network& network_, const Dataset& data_, const TrainOptions& options_)
      : network(network_),
        data(data_),
        options(options_),
        labels(!data.labels.empty()),
        graph(training_graph(network, options.loss, target_shape(data), labels, options.optimizer)) {
    const auto record = first_record(data, options);
    const bool goes_on = network.training && network.training->unfinished();
    if (goes_on) {
      check_same_run(*network.training, record);
      network.training->digest = record.digest;
      check_states(network.variables(), graph.states);
      check_states(network.variables(), best_variables(network));
    }
    network.variables().add(graph.graph, options.seed);
    if (!goes_on) {
      begin_states(network.variables(), graph);
      network.training = record;
    }
    network.training->states = graph.states;
    for (const auto& name : best_variables(network)) network.training->states.push_back(name);
    network.encoding = {data.scale, data.shift, data.class_names};
    program.emplace(graph.graph, network.variables(), compile_options(options));
    program->feed("x", sample_feed(data));
    program->feed("t", target_feed(data));
    order.resize(data.size());
    now.steps = network.training->steps();
    now.epoch_samples = network.training->samples;
    now.step = network.training->step;
    now.best_epoch = network.training->best.epoch;
    if (now.step > 0) now.lr = rate(now.step - 1);
    start = std::chrono::steady_clock::now();
  }

  void step();
  void end_epoch();
  /// Throws NumericError naming a parameter that is not finite: such weights are no model.
  void check_weights() const;
  double rate(std::int64_t step) const {
    const TrainingRecord& record = *network.training;
    return lr * options.schedule.factor(step, now.steps, record.steps_per_epoch(), record.observed);
  }
  [[noreturn]] void explain(std::size_t count, const std::uint32_t* rows) const;
  [[noreturn]] void diverge(const std::string& what) const;

  Network& network;
  const Dataset& data;
  const TrainOptions options;
  const double lr = options.optimizer.lr();
  const bool labels;
  const TrainingGraph graph;
  std::optional<Program> program;
  std::vector<std::uint32_t> order;
  std::int64_t shuffled = -1;  // which epoch's order it is
  Progress now;
  std::chrono::steady_clock::time_point start;
  std::atomic<bool> stopped{false};
  static_assert(std::atomic<bool>::is_always_lock_free);  // for signal handlers
};

void Trainer::State::step() {
  TrainingRecord& record = *network.training;
  const std::int64_t per_epoch = record.steps_per_epoch();
  now.epoch = record.step / per_epoch;
  const std::int64_t first = record.step % per_epoch * options.batch;
  if (first == 0) record.loss_sum = record.correct = 0;
  if (shuffled != now.epoch) shuffle(order, options.seed, shuffled = now.epoch);
  const auto count = static_cast<std::size_t>(std::min(options.batch, record.samples - first));
  const std::uint32_t* rows = order.data() + first;
  now.lr = rate(record.step);
  program->set("lr", static_cast<float>(now.lr));
  for (const auto& scalar : graph.scalars)
    program->set(scalar.name, static_cast<float>(scalar.value(options.optimizer.options(), record.step)));
  program->set_position(static_cast<std::uint64_t>(record.step));
  try {
    program->run(count, rows);
  } catch (const NumericError&) {
    explain(count, rows);
  }
  now.loss = static_cast<double>(program->output("loss")[0]);
  record.loss_sum += now.loss * static_cast<double>(count);
  if (labels) record.correct += static_cast<double>(program->output("correct")[0]);
  now.step = ++record.step;
  now.samples = first + static_cast<std::int64_t>(count);
  now.mean_loss = record.loss_sum / static_cast<double>(now.samples);
  now.accuracy = record.correct / static_cast<double>(now.samples);
  now.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (record.finished()) check_weights();  // those of other steps show in the next loss
  if (now.samples == now.epoch_samples) end_epoch();
}

void Trainer::State::end_epoch() {
  TrainingRecord& record = *network.training;
  double loss = now.mean_loss;
  try {
    if (options.validation) loss = validate(network, options, now);
  } catch (const NumericError& e) {
    record.diverged = true;
    throw NumericError(str("step ", now.step, " (epoch ", now.epoch + 1, "): on the validation data, ", e.what()));
  }
  record.observed = options.schedule.observe(record.observed, loss, maximised(options.loss));
}

void Trainer::State::check_weights() const {
  const auto where = parameter_not_finite(network);
  if (!where.empty()) diverge(str("step ", now.step, " (epoch ", now.epoch + 1, "): after it, ", where));
}

/// Ends the run for good.
void Trainer::State::diverge(const std::string& what) const {
  network.training->diverged = true;
  throw NumericError(str(what, now.step > 0
                                   ? str("; use a smaller lr (it was ", now.lr, ") or a warm-up")
                                   : "; no step has been taken yet: begin with other weights or smaller samples"));
}

/// The loss of these samples is not finite: says where that started.
void Trainer::State::explain(std::size_t count, const std::uint32_t* rows) const {
  network.training->diverged = true;
  const auto step = str("step ", network.training->step + 1, " (epoch ", now.epoch + 1, "): ");
  const auto where = first_not_finite(network, data, count, rows);
  if (where == "the loss") {
    const auto what = output_outside_domain(network, data, options.loss, count, rows);
    if (!what.empty()) throw NumericError(step + what);
  }
  diverge(str(step, "the loss is not finite; the first value that is not is in ", where));
}

Trainer::Trainer(Network& network, const Dataset& data, const TrainOptions& options) {
  check_run(network, data, options);
  state_ = std::make_unique<State>(network, data, options);
}
Trainer::~Trainer() = default;
Trainer::Trainer(Trainer&&) noexcept = default;
Trainer& Trainer::operator=(Trainer&&) noexcept = default;

const Progress& Trainer::step() {
  if (!state_->network.training) throw std::logic_error("Trainer::step() after the network was initialised anew");
  if (state_->network.training->finished()) throw std::logic_error("Trainer::step() after the last step");
  state_->step();
  return state_->now;
}

const Progress& Trainer::progress() const { return state_->now; }
bool Trainer::epoch_ended() const { return state_->now.samples == state_->now.epoch_samples; }
bool Trainer::done() const {
  const auto& record = state_->network.training;
  return stopped() || state_->now.step >= state_->now.steps || (record && record->finished());
}
void Trainer::keep_best() { restore_best(state_->network); }
void Trainer::stop() noexcept { state_->stopped.store(true); }
bool Trainer::stopped() const { return state_->stopped.load(); }
void Trainer::save(const std::filesystem::path& file) const {
  state_->check_weights();
  state_->network.save(file);
}

}  // namespace chalk
