#include "chalkgrad/train.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <numeric>

#include "chalkgrad/error.h"
#include "src/base/random.h"
#include "src/base/text.h"
#include "src/train/checkpoint.h"
#include "src/train/diagnose.h"
#include "src/train/feeds.h"
#include "src/train/training_graph.h"

namespace chalk {
namespace {

std::atomic<bool> stop_requested{false};
static_assert(std::atomic<bool>::is_always_lock_free);  // for signal handlers

void check(const TrainOptions& o) {
  const auto refuse = [](const std::string& what) { throw InputError(what); };
  const auto finite = [](double v) { return std::isfinite(v); };
  if (o.epochs < 1) refuse(str("epochs is ", o.epochs, "; it must be at least 1"));
  if (o.batch < 1 || o.batch > (1 << 24)) refuse(str("batch is ", o.batch, "; it must be between 1 and ", 1 << 24));
  if (!finite(o.optimizer.lr) || o.optimizer.lr <= 0)
    refuse(str("lr is ", o.optimizer.lr, "; it must be a number above 0"));
  if (!finite(o.optimizer.momentum) || o.optimizer.momentum < 0 || o.optimizer.momentum >= 1) {
    refuse(str("momentum is ", o.optimizer.momentum, "; it must be at least 0 and below 1"));
  }
  if (o.optimizer.nesterov && o.optimizer.momentum == 0) refuse("nesterov needs a momentum above 0");
  if (!finite(o.optimizer.weight_decay) || o.optimizer.weight_decay < 0) {
    refuse(str("weight decay is ", o.optimizer.weight_decay, "; it must be a number of at least 0"));
  }
  if (o.threads < 0 || o.threads > 1024)
    refuse(str("threads is ", o.threads, "; it must be between 1 and 1024, or 0 for one a core"));
  if (o.checkpoint_every < 0)
    refuse(str("checkpoint every ", o.checkpoint_every, " steps is not possible; use 1 or more, or 0 for never"));
}

/// Softmax needs classes, and the logarithms of binary cross-entropy weights between 0 and 1.
void check_targets(const Dataset& data, Loss loss) {
  if (!data.labels.empty()) return;
  if (of_softmax(loss)) {
    throw InputError(str("data set \"", data.name, "\" has values to regress on, not classes; train with the loss ",
                         maximised(loss) ? "gaussian-log-likelihood" : "squared-error"));
  }
  if (loss != Loss::binary_cross_entropy) return;
  const auto bad = std::ranges::find_if(data.targets, [](float t) { return !(t >= 0 && t <= 1); });
  if (bad == data.targets.end()) return;
  const auto at = bad - data.targets.begin(), size = elements(data.target);
  throw InputError(str("data set \"", data.name, "\": target ", at % size, " of sample ", at / size, " is ", *bad,
                       "; binary cross-entropy needs targets from 0 to 1; train with the loss squared-error"));
}

/// A batch of one sample has no variance where each sample brings one value.
void check_batches(const Graph& graph, std::int64_t samples, std::int64_t batch) {
  if (std::min(samples, batch) != 1 && samples % batch != 1) return;
  for (const auto& average : graph.running_averages()) {
    if (average.places > 1) continue;
    throw InputError(str(graph.node(average.estimate).layer, ": batches of ", batch, " leave a last one of 1 of the ",
                         samples, " samples, which has no variance to normalise with; use another batch size"));
  }
}

/// The order of the samples in one epoch: a permutation that seed and epoch alone decide (Fisher–Yates).
void shuffle(std::vector<std::uint32_t>& order, std::uint64_t seed, std::int64_t epoch) {
  std::iota(order.begin(), order.end(), 0U);
  Random random(seed, hash_name("shuffle"), static_cast<std::uint64_t>(epoch) << 40);
  for (std::size_t i = order.size(); i > 1; --i)
    std::swap(order[i - 1], order[random.below(static_cast<std::uint32_t>(i))]);
}

}  // namespace

void request_stop() { stop_requested.store(true); }

TrainResult train(Network& network, const Dataset& data, const TrainOptions& options) {
  check(options);
  check_fits(network, data);
  check_targets(data, options.loss);
  if (data.size() > 0xffffffffU) throw InputError("at most 2^32 − 1 samples are supported");

  check_batches(network.graph(), static_cast<std::int64_t>(data.size()), options.batch);
  const bool labels = !data.labels.empty();
  const Graph graph = training_graph(network, options.loss, target_shape(data), labels, options.optimizer);
  network.variables().add(graph, options.seed);
  CompileOptions compile = options.compile;
  compile.threads = options.threads;
  compile.guard = "loss";
  Program program(graph, network.variables(), compile);
  program.feed("x", sample_feed(data));
  program.feed("t", target_feed(data));
  network.encoding.scale = data.scale;
  network.encoding.shift = data.shift;
  network.encoding.class_names = data.class_names;

  const auto samples = static_cast<std::int64_t>(data.size());
  const std::int64_t per_epoch = (samples + options.batch - 1) / options.batch;
  Position position = read_checkpoint(network, options, data.name, data.size());
  if (position.step == 0) {  // a new run starts from the weights alone
    for (const auto& [leaf, next] : graph.updates()) {
      if (graph.node(leaf).name.ends_with(kMomentum))
        std::ranges::fill(network.variables().at(graph.node(leaf).name).values(), 0.0f);
    }
  }
  TrainResult result;
  Progress& now = result.last;
  now.steps = per_epoch * options.epochs;
  now.epoch_samples = samples;
  now.step = position.step;
  const auto start = std::chrono::steady_clock::now();
  const auto save = [&] { write_checkpoint(network, options, data.name, data.size(), position); };
  const auto summarize = [&] {
    const auto done = static_cast<double>(std::max<std::int64_t>(now.samples, 1));
    now.mean_loss = position.loss_sum / done;
    now.accuracy = position.correct / done;
    now.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };

  save();
  std::vector<std::uint32_t> order(data.size());
  std::int64_t shuffled = -1;
  while (position.step < now.steps) {
    now.epoch = position.step / per_epoch;
    const std::int64_t first = position.step % per_epoch * options.batch;
    if (first == 0) position.loss_sum = position.correct = 0;
    if (shuffled != now.epoch) shuffle(order, options.seed, shuffled = now.epoch);
    const auto count = static_cast<std::size_t>(std::min(options.batch, samples - first));
    const std::uint32_t* rows = order.data() + first;
    now.lr = options.optimizer.lr * options.schedule.factor(position.step, now.steps, per_epoch);
    program.set("lr", static_cast<float>(now.lr));
    try {
      program.run(count, rows);
    } catch (const NumericError&) {
      const auto step = str("step ", position.step + 1, " (epoch ", now.epoch + 1, "): ");
      const auto where = first_not_finite(network, data, count, rows);
      if (where == "the loss") {
        const auto what = output_without_logarithm(network, data, options.loss, count, rows);
        if (!what.empty()) throw NumericError(step + what);
      }
      throw NumericError(str(step, "the loss is not finite; the first value that is not is in ", where,
                             "; use a smaller lr (it was ", now.lr, ") or a warm-up"));
    }
    now.loss = static_cast<double>(program.output("loss")[0]);
    position.loss_sum += now.loss * static_cast<double>(count);
    if (labels) position.correct += static_cast<double>(program.output("correct")[0]);
    now.step = ++position.step;
    now.samples = first + static_cast<std::int64_t>(count);
    summarize();
    if (options.on_step) options.on_step(now);
    const bool epoch_ends = now.samples == samples;
    result.stopped = stop_requested.load();
    if (epoch_ends || result.stopped || (options.checkpoint_every > 0 && position.step % options.checkpoint_every == 0))
      save();
    if (epoch_ends && options.on_epoch) options.on_epoch(now);
    if (result.stopped) break;
  }
  stop_requested.store(false);  // a request made before the start counted, too
  return result;
}

}  // namespace chalk
