#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "chalkgrad/cost.h"
#include "chalkgrad/error.h"
#include "chalkgrad/train.h"
#include "src/augmentations/augmenter.h"
#include "src/base/text.h"
#include "src/base/threads.h"
#include "src/ir/leaves.h"
#include "src/net/training_record.h"
#include "src/schedules/average.h"
#include "src/train/check_run.h"
#include "src/train/decisive.h"
#include "src/train/diagnose.h"
#include "src/train/evaluator.h"
#include "src/train/feeds.h"
#include "src/train/objective.h"
#include "src/train/order.h"
#include "src/train/sample_stream.h"
#include "src/train/snapshot.h"
#include "src/train/statistics.h"
#include "src/train/step_flaw.h"
#include "src/train/training_graph.h"
#include "src/train/validation.h"

namespace chalk {
namespace {

/// The record of a new run.
TrainingRecord first_record(const Dataset& data, const TrainOptions& o) {
  TrainingRecord record;
  record.options = decisive(o);
  record.data = data.name;
  record.digest = data.digest();
  record.samples = static_cast<std::int64_t>(data.size());
  if (o.validation) record.validation = o.validation->digest();
  return record;
}

/// Whether a digest of a record, perhaps of an earlier program, is of these data, whose own is `now`.
bool is_digest_of(const Dataset& data, const std::string& now, const std::string& before) {
  return before == now || data.has_digest(before);
}

/// An unfinished run can only be continued as it began.
void check_same_run(const TrainingRecord& before, const TrainingRecord& now, const Dataset& data,
                    const Dataset* validation) {
  if (const auto difference = first_difference(before, now); !difference.empty()) {
    throw InputError(str("the checkpoint was trained with ", difference,
                         "; resume with the options it was started with, or reset Network::training to begin a new "
                         "run from its weights"));
  }
  if (validation ? !is_digest_of(*validation, now.validation, before.validation) : !before.validation.empty()) {
    throw InputError(str("the checkpoint was validated on ",
                         before.validation.empty() ? "no samples, not on some"
                         : now.validation.empty()  ? "some samples, not on none"
                                                   : "other samples than these",
                         "; resume with the validation data it was started with, or begin a new run from its weights"));
  }
  const bool alike = before.data == now.data && before.samples == now.samples;
  if (before.digest.empty() ? alike : is_digest_of(data, now.digest, before.digest)) return;
  throw InputError(
      str("the checkpoint was trained on ", before.samples, " samples of \"", before.data, "\", not on ",
          alike ? "these, in which a sample or a label has changed" : str(now.samples, " of \"", now.data, "\""),
          "; resume with the data it was started with, or begin a new run from its weights (train --from; "
          "in C++, reset Network::training)"));
}

/// Sets the states to what they are before the first step.
void begin_states(Variables& variables, const TrainingGraph& step) {
  for (NodeId id = 0; id < step.graph.size(); ++id) {
    const Node& node = step.graph.node(id);
    if (std::ranges::find(step.states, node.name) == step.states.end()) continue;
    const auto initial = static_cast<float>(node.attributes.as<ParameterAttributes>().init.value);
    std::ranges::fill(variables.at(node.name).values(), initial);
  }
  for (const auto& [name, copy] : step.copies) variables.at(copy).assign(std::as_const(variables).at(name).values());
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

/// The variables that a step changes.
std::vector<std::string> updated_by(const Graph& step) {
  std::vector<std::string> names;
  for (const auto& [leaf, next] : step.updates()) names.push_back(step.node(leaf).name);
  return names;
}

/// While it lives, parameters of which the network has averages or slow weights are those that steps are taken with.
class WorkingWeights {
 public:
  WorkingWeights(Variables& variables, const std::vector<std::pair<std::string, std::string>>& copies)
      : averages_(variables, names_in(copies)) {
    for (const auto& [name, working] : copies) variables.at(name).assign(std::as_const(variables).at(working).values());
  }
  ~WorkingWeights() { averages_.restore(); }
  WorkingWeights(const WorkingWeights&) = delete;
  WorkingWeights& operator=(const WorkingWeights&) = delete;

 private:
  static std::vector<std::string> names_in(const std::vector<std::pair<std::string, std::string>>& copies) {
    std::vector<std::string> names;
    for (const auto& [name, working] : copies) names.push_back(name);
    return names;
  }
  Snapshot averages_;
};

/// A run and its variables between two steps.
class Moment {
 public:
  Moment(Network& network, const std::vector<std::string>& variables)
      : network_(&network), variables_(network.variables(), variables) {
    take();
  }
  void take() {
    variables_.take();
    const auto& record = *network_->training;
    step_ = record.step;
    loss_sum_ = record.loss_sum;
    loss_sums_ = record.loss_sums;
    correct_ = record.correct;
    observed_ = record.observed;
  }
  void restore() const {
    variables_.restore();
    auto& record = *network_->training;
    record.step = step_;
    record.loss_sum = loss_sum_;
    record.loss_sums = loss_sums_;
    record.correct = correct_;
    record.observed = observed_;
  }
  std::int64_t step() const { return step_; }
  const Snapshot& variables() const { return variables_; }

 private:
  Network* network_;
  Snapshot variables_;
  std::int64_t step_ = 0;
  double loss_sum_ = 0, correct_ = 0;
  std::vector<double> loss_sums_;
  Observed observed_;
};

/// After how many steps a moment is kept, so that it takes a thousandth of their time at most: to copy a number, also
/// where it is in no cache, takes less than a hundred multiply-adds.
std::int64_t steps_between(const Moment& moment, const Network& network, std::int64_t batch) {
  const auto work = static_cast<double>(cost(network.graph()).training) * static_cast<double>(batch);
  const auto numbers = static_cast<double>(moment.variables().size());
  return static_cast<std::int64_t>(std::clamp(1e5 * numbers / std::max(1.0, work), 16.0, 4000.0));
}

CompileOptions compile_options(const TrainOptions& options, const TrainingGraph& step, std::size_t samples) {
  CompileOptions compile = options.compile;
  compile.memory_samples = std::min(static_cast<std::size_t>(options.batch), samples);
  compile.threads = options.threads;
  compile.guard = step.guard;
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
        graph(training_graph(network, target_shape(data), labels, options, !data.weights.empty())) {
    const auto record = first_record(data, options);
    const bool goes_on = network.training && network.training->unfinished();
    if (goes_on) {
      check_same_run(*network.training, record, data, options.validation);
      network.training->digest = record.digest;
      network.training->validation = record.validation;
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
    network.training->loss_sums.resize(graph.losses.size());
    network.encoding = encoding_of(data);
    const int threads = options.threads == 0 ? available_threads() : options.threads;
    const bool streams = data.store || options.augment.of_files();
    if (!options.augment.empty()) augmenter.emplace(data, options.augment, options.seed, threads * (streams ? 2 : 1));
    if (streams) start_stream(threads);
    program.emplace(graph.graph, network.variables(), compile_options(options, graph, data.size()));
    feed(*program);
    if (options.validation) evaluator.emplace(network, *options.validation, options.threads);
    if (measures()) meter.emplace(network, samples(), options);
    order.resize(data.size());
    kept.emplace(network, updated);
    keep_every = steps_between(*kept, network, options.batch);
    now.steps = network.training->steps();
    now.epoch_samples = network.training->samples;
    if (!graph.losses.empty()) {
      for (const auto& output : trained_outputs(network)) now.outputs.push_back({output.name});
    }
    now.step = network.training->step;
    now.best_epoch = network.training->best.epoch;
    if (now.step > 0) now.lr = rate(now.step - 1);
    start = std::chrono::steady_clock::now();
  }

  void step();
  /// Throws NumericError if a variable that steps change is not finite: such weights are no model.
  void check_variables();

 private:
  bool measures() const {
    return options.average && definition_of(options.average).measures && !network.graph().running_averages().empty();
  }
  void report(SampleStream& of);
  void end_epoch();
  /// The samples of a step.
  struct Batch {
    std::size_t count;
    const std::uint32_t* rows;
  };
  void feed(Program& to) const {
    to.feed("x", samples());
    to.feed("t", targets());
    if (!data.weights.empty()) to.feed(kSampleWeight, weights());
  }
  template <class T, class Make>
  Fetch<T> fetching(Make make) const;
  void start_stream(int threads);
  Feed samples() const;
  Feed targets() const;
  Feed weights() const;
  /// The row whose sample stands in the place of this one's, which could not be read.
  std::uint32_t row_of(std::uint32_t row) const { return stream ? stream->stand_in(row) : row; }
  void set_inputs(Program& of) const;
  void keep();
  Batch next_batch();
  void take(const Batch& batch);
  double rate(std::int64_t step) const {
    const TrainingRecord& record = *network.training;
    return lr * options.schedule.factor(step, now.steps, record.steps_per_epoch(), record.observed);
  }

  double loss_of_step(std::string_view output) const { return static_cast<double>(program->output(output)[0]); }

  // What to do about numbers that are not finite.
  std::string flaw() const { return variable_not_finite(network.variables(), updated); }
  bool go_back();
  [[noreturn]] void explain_loss(const Batch& batch);
  [[noreturn]] void explain_step();
  [[noreturn]] void diverge(const std::string& what, std::string_view or_else = {}) const;
  /// What the network calls the parameter whose place a state takes while it is trained.
  std::string network_name_of(const std::string& variable) const {
    const auto found = std::ranges::find(graph.copies, variable, &std::pair<std::string, std::string>::second);
    return found == graph.copies.end() ? variable : found->first;
  }
  std::string place(std::int64_t step) const {
    return str("step ", step, " (epoch ", (step - 1) / network.training->steps_per_epoch() + 1, "): ");
  }

 public:
  Network& network;
  const Dataset& data;
  const TrainOptions options;
  const double lr = options.optimizer.lr();
  const StepTime::Momentum momentum_of = [this](std::int64_t step) {
    return options.schedule.momentum(step, now.steps, network.training->steps_per_epoch()).value_or(0);
  };
  const bool labels;
  const TrainingGraph graph;
  const std::vector<std::string> updated = updated_by(graph.graph);
  std::optional<Augmenter> augmenter;
  std::unique_ptr<SampleStream> stream;  // of data that are not in memory
  std::optional<Program> program;
  std::optional<Evaluator> evaluator;    // of validation data
  std::optional<StatisticsMeter> meter;  // of averages, which have had no batch
  std::vector<std::uint32_t> order;
  std::int64_t shuffled = -1;  // which epoch's order it is
  std::optional<Moment> kept;  // between steps not long ago, when all variables were finite
  std::int64_t keep_every = 1;
  Progress now;
  std::chrono::steady_clock::time_point start;
  std::atomic<bool> stopped{false};
  static_assert(std::atomic<bool>::is_always_lock_free);  // for signal handlers
};

Trainer::State::Batch Trainer::State::next_batch() {
  const TrainingRecord& record = *network.training;
  const std::int64_t epoch = record.step / record.steps_per_epoch();
  const std::int64_t first = record.step % record.steps_per_epoch() * options.batch;
  if (shuffled != epoch) shuffle(order, options.seed, shuffled = epoch);
  if (stream) stream->begin_step(static_cast<std::uint64_t>(epoch), order, static_cast<std::size_t>(first));
  return {static_cast<std::size_t>(std::min(options.batch, record.samples - first)), order.data() + first};
}

/// Calls make(row, epoch, to) for each row that is fetched; the position of a program is a step.
template <class T, class Make>
Fetch<T> Trainer::State::fetching(Make make) const {
  return [this, make](std::span<const std::uint32_t> rows, std::uint64_t step, std::span<T> to) {
    const auto epoch = step / static_cast<std::uint64_t>(network.training->steps_per_epoch());
    const auto size = to.size() / rows.size();
    for (std::size_t n = 0; n < rows.size(); ++n) make(rows[n], epoch, &to[n * size]);
  };
}

void Trainer::State::start_stream(int threads) {
  const SampleStream::Size size{static_cast<std::size_t>(elements(data.sample)), data.size()};
  const auto make = [this](std::uint32_t row, std::uint64_t epoch, std::uint8_t* to) {
    augmenter ? augmenter->augment(row, epoch, to) : data.read(row, to);
  };
  stream = std::make_unique<SampleStream>(size, options, network.training->step, threads, make);
}

Feed Trainer::State::samples() const {
  if (!augmenter && !stream) return sample_feed(data);
  const auto make = [this](auto... sample) { stream ? stream->read(sample...) : augmenter->augment(sample...); };
  Feed feed = sample_feed(data);
  feed.bytes = nullptr;
  feed.fetch_bytes = fetching<std::uint8_t>(make);
  return feed;
}

/// A row's sample is fetched before its target, as "x" is an input of the network and "t" comes after it in the graph.
Feed Trainer::State::targets() const {
  if (augmenter && augmenter->mixes()) {
    return {.fetch_values =
                fetching<float>([this](auto row, auto... target) { augmenter->target(row_of(row), target...); })};
  }
  if (!stream || !options.skip_bad || data.labels.empty()) return target_feed(data);
  return {.fetch_labels = fetching<std::int32_t>([this](auto row, auto, auto* to) { *to = data.labels[row_of(row)]; })};
}

Feed Trainer::State::weights() const {
  if (!stream || !options.skip_bad) return {.values = data.weights.data()};
  return {.fetch_values = fetching<float>([this](auto row, auto, auto* to) { *to = data.weights[row_of(row)]; })};
}

void Trainer::State::set_inputs(Program& of) const {
  const std::int64_t step = network.training->step;
  of.set("lr", static_cast<float>(rate(step)));
  const StepTime time(step, options.schedule.moves_momentum() ? &momentum_of : nullptr);
  if (time.momentum) of.set("momentum", static_cast<float>(momentum_of(step)));
  for (const auto& scalar : graph.scalars)
    of.set(scalar.name, static_cast<float>(scalar.value(options.optimizer.options(), time)));
  const auto epoch = step / network.training->steps_per_epoch();
  for (const auto& [name, epochs] : graph.first_epochs) of.set(name, epoch < epochs ? 1.0F : 0.0F);
  if (options.lookahead) of.set(kLookaheadPull, static_cast<float>(options.lookahead.pull(step)));
  if (options.average) {
    const auto steps = network.training->steps_per_epoch();
    of.set(kAverageShare, static_cast<float>(options.average.share(step, steps)));
    of.set(kAverageBegun, options.average.begun(step, steps) ? 1.0F : 0.0F);
  }
  of.set_position(static_cast<std::uint64_t>(step));
}

/// Throws NumericError if the loss is not finite; nothing has changed then.
void Trainer::State::take(const Batch& batch) {
  set_inputs(*program);
  const auto begin = std::chrono::steady_clock::now();
  program->run(batch.count, batch.rows);
  now.step_seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  TrainingRecord& record = *network.training;
  if (record.step % record.steps_per_epoch() == 0) {
    record.loss_sum = record.correct = 0;
    std::ranges::fill(record.loss_sums, 0);
  }
  const auto samples = static_cast<double>(batch.count);
  record.loss_sum += loss_of_step("loss") * samples;
  for (std::size_t i = 0; i < graph.losses.size(); ++i) record.loss_sums[i] += loss_of_step(graph.losses[i]) * samples;
  if (labels) record.correct += static_cast<double>(program->output("correct")[0]);
  ++record.step;
}

/// Keeps this moment, if it is time. Steps that follow can be repeated from it, so what a schedule has observed of an
/// epoch, perhaps from elsewhere, is in it, and statistics that were measured after one.
void Trainer::State::keep() {
  const TrainingRecord& record = *network.training;
  const bool observed = record.step % record.steps_per_epoch() == 0 && (options.schedule.observes() || meter);
  if (record.step - kept->step() < keep_every && !observed) return;
  check_variables();
  kept->take();
}

void Trainer::State::step() {
  const TrainingRecord& record = *network.training;
  keep();
  const Batch batch = next_batch();
  now.epoch = record.step / record.steps_per_epoch();
  now.lr = rate(record.step);
  try {
    take(batch);
  } catch (const NumericError&) {
    const auto loss = loss_of_step("loss");
    if (!flaw().empty() && go_back()) explain_step();
    if (!std::isfinite(loss)) explain_loss(batch);
    now.loss = loss;
    explain_step();  // the gradient's norm is not finite
  }
  now.loss = loss_of_step("loss");
  if (options.clip_norm > 0) now.gradient_norm = static_cast<double>(program->output("gradient_norm")[0]);
  now.step = record.step;
  now.samples = static_cast<std::int64_t>(batch.rows - order.data()) + static_cast<std::int64_t>(batch.count);
  now.mean_loss = record.loss_sum / static_cast<double>(now.samples);
  for (std::size_t i = 0; i < now.outputs.size(); ++i) {
    now.outputs[i].loss = loss_of_step(graph.losses[i]);
    now.outputs[i].mean_loss = record.loss_sums[i] / static_cast<double>(now.samples);
  }
  now.accuracy = record.correct / static_cast<double>(now.samples);
  now.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (stream) report(*stream);
  if (now.samples == now.epoch_samples) end_epoch();
}

void Trainer::State::report(SampleStream& of) {
  now.waited_seconds = of.seconds_waited() / program->threads();
  for (const auto& why : of.take_replaced()) {
    ++now.replaced;
    if (options.on_replaced) options.on_replaced(why);
  }
}

void Trainer::State::end_epoch() {
  TrainingRecord& record = *network.training;
  check_variables();
  const auto epoch = record.steps_per_epoch();
  if (meter && options.average.measures_after(record.step - 1, epoch))
    (*meter)(order, static_cast<std::uint64_t>(record.step - epoch));
  double loss = now.mean_loss;
  try {
    if (evaluator) loss = validate(network, *evaluator, options, now);
  } catch (const NumericError& e) {
    record.diverged = true;
    throw NumericError(str("step ", now.step, " (epoch ", now.epoch + 1, "): on the validation data, ", e.what()));
  }
  record.observed = options.schedule.observe(record.observed, loss, maximised(options.loss));
}

void Trainer::State::check_variables() {
  const auto what = flaw();
  if (what.empty()) return;
  if (go_back()) explain_step();
  diverge(str(place(now.step), "after it, ", what));
}

/// Variables are not finite: some step since a moment was kept has made them so. Repeats the steps from there on, to
/// the same bits, and goes back to before that one. False, and all as it was, if none has: somebody else wrote to them.
bool Trainer::State::go_back() {
  const Moment present(network, updated);
  kept->restore();
  Moment before = *kept;
  while (network.training->step < present.step()) {
    before.take();
    try {
      take(next_batch());
    } catch (const NumericError&) {
      break;
    }
    if (flaw().empty()) continue;
    now.loss = loss_of_step("loss");
    before.restore();
    now.step = network.training->step;
    now.epoch = now.step / network.training->steps_per_epoch();
    now.lr = rate(now.step);
    *kept = before;
    return true;
  }
  present.restore();
  return false;
}

/// The loss of these samples is not finite: says where that started.
void Trainer::State::explain_loss(const Batch& batch) {
  network.training->diverged = true;
  const auto here = place(network.training->step + 1);
  const WorkingWeights working(network.variables(), graph.copies);
  const auto step = static_cast<std::uint64_t>(network.training->step);
  const auto where = first_not_finite(network, samples(), batch.count, batch.rows);
  if (where == "the loss") {
    const auto what = output_outside_domain(network, samples(), step, options.loss, trained_outputs(network),
                                            batch.count, batch.rows);
    if (!what.empty()) throw NumericError(here + what);
  }
  diverge(str(here, "the loss is not finite; the first value that is not is in ", where));
}

/// The next step, whose loss is finite, makes variables that are not, or would if it were taken: says where that
/// starts.
void Trainer::State::explain_step() {
  const Snapshot before(network.variables(), updated);
  const Batch batch = next_batch();
  const auto inputs = [&](Program& to) {
    feed(to);
    set_inputs(to);
  };
  const auto found = find_step_flaw(graph, network.variables(), before, compile_options(options, graph, data.size()),
                                    inputs, batch.count, batch.rows);
  const auto here = place(network.training->step + 1);
  if (found.parameter.empty()) {
    diverge(
        str(here, "the loss (", now.loss,
            ") and its gradient are finite, but the gradient's norm, which clip_norm limits, is too large for float"));
  }
  if (found.where.empty()) {
    network.training->diverged = true;
    throw NumericError(str(here, "the loss (", now.loss, ") and its gradient are finite, but ",
                           network_name_of(found.parameter), " would become ", found.flaw,
                           "; use a smaller lr (it was ", now.lr, ") or a warm-up"));
  }
  diverge(str(here, "the loss is finite (", now.loss, "), but its gradient is not; the first value that is not is in ",
              found.where),
          ", or keep what enters the layer away from there");
}

/// Ends the run for good.
void Trainer::State::diverge(const std::string& what, std::string_view or_else) const {
  network.training->diverged = true;
  throw NumericError(str(what,
                         now.step > 0 ? str("; use a smaller lr (it was ", now.lr, ") or a warm-up")
                                      : "; no step has been taken yet: begin with other weights or smaller samples",
                         or_else));
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
  state_->check_variables();
  state_->network.save(file);
}

}  // namespace chalk
