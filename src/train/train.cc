#include "chalkgrad/train.h"

#include <atomic>
#include <optional>

#include "chalkgrad/error.h"
#include "src/base/file.h"
#include "src/base/file_claim.h"
#include "src/train/feeds.h"

namespace chalk {
namespace {

std::atomic<std::uint64_t> stop_requests{0};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);  // for signal handlers

}  // namespace

void request_stop() noexcept { stop_requests.fetch_add(1); }

TrainResult train(Network& network, const Dataset& data, const TrainOptions& options) {
  const auto requests = stop_requests.load();  // earlier ones are not meant for this run
  std::optional<FileClaim> claim;
  if (!options.checkpoint.empty()) {
    check_writable(options.checkpoint);
    claim.emplace(options.checkpoint);
  }
  Trainer trainer(network, data, options);
  const auto save = [&] {
    if (claim) claim->write([&] { trainer.save(options.checkpoint); });
  };
  const auto heed = [&] {  // callbacks ask, too
    if (stop_requests.load() != requests || options.stop.stop_requested()) trainer.stop();
  };
  const auto first = trainer.progress().step + 1;  // nothing is written before it; a full disk shows after it
  while (!trainer.done()) {
    const Progress* after = nullptr;
    try {
      after = &trainer.step();
    } catch (const InputError&) {  // a sample cannot be read any more; what was learned before is kept
      if (trainer.progress().step >= first) save();
      throw;
    }
    const Progress& now = *after;
    if (options.on_step) options.on_step(now);
    heed();
    const bool due = now.step == first || (options.checkpoint_every > 0 && now.step % options.checkpoint_every == 0);
    const bool ended = trainer.epoch_ended(), kept = options.validation && network.training->finished();
    const auto tell = [&] {
      if (ended && options.on_epoch) options.on_epoch(now);
    };
    if (kept) {  // only now, so that on_epoch saw the epoch's own weights
      tell();
      trainer.keep_best();
    }
    if (ended || trainer.stopped() || due) save();
    if (!kept) tell();
    heed();
  }
  const bool early = network.training->stopped_early();
  return {trainer.progress(), trainer.stopped() && !network.training->finished(), early};
}

TrainOptions checkpoint_options(const Network& network) {
  if (!network.training) {
    throw InputError(
        "the model is not a checkpoint: it does not say how it was trained; begin a new run from its weights");
  }
  return network.training->options;
}

Loss natural_loss(const Network& network) {
  if (const auto chosen = chosen_loss(network)) return *chosen;
  return network.output_shape().size() == 1 ? Loss::cross_entropy : Loss::squared_error;
}

std::optional<Loss> trained_loss(const Network& network) {
  return network.training ? std::optional(network.training->options.loss) : std::nullopt;
}

}  // namespace chalk
