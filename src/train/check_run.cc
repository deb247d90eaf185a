#include "src/train/check_run.h"

#include <algorithm>

#include "chalkgrad/cost.h"
#include "chalkgrad/error.h"
#include "src/base/fields.h"
#include "src/base/text.h"
#include "src/base/threads.h"
#include "src/losses/loss.h"
#include "src/train/feeds.h"
#include "src/train/objective.h"
#include "src/train/validation.h"

namespace chalk {
namespace {

void check_options(TrainOptions o) {
  check_fields([&](FieldVisitor& v) { o.visit(v); });
  o.optimizer.check();
  o.schedule.check();
  o.loss.check();
  o.lookahead.check();
  o.average.check(o.epochs);
  check_threads(o.threads);
  if (o.checkpoint_every < 0) {
    throw InputError(
        str("checkpoint every ", o.checkpoint_every, " steps is not possible; use 1 or more, or 0 for never"));
  }
}

/// A batch of one sample has no variance where each sample has one value.
void check_batches(const Graph& graph, std::int64_t samples, std::int64_t batch) {
  if (std::min(samples, batch) != 1 && samples % batch != 1) return;
  for (const auto& average : graph.running_averages()) {
    if (average.places > 1) continue;
    const auto what = samples == 1 ? std::string("one sample")
                      : batch == 1
                          ? "a batch of one sample"
                          : str("batches of ", batch, " leave a last one of 1 of the ", samples, " samples, which");
    throw InputError(str(graph.node(average.estimate).layer, ": ", what, " has no variance to normalise with; ",
                         samples == 1 ? "give it more samples" : "use another batch size"));
  }
}

void check_augmentations(const Augmentations& augment, const Network& network, const Dataset& data, const Loss& first) {
  augment.check(data);
  if (!augment.mixes()) return;
  if (!data.weights.empty()) {
    throw InputError(str("augmentations \"", augment.text(), "\" mix samples, and those of data set \"", data.name,
                         "\" have weights of their own; leave out what mixes, or the weights"));
  }
  for (const auto& output : trained_outputs(network)) {
    const Loss loss = loss_of(output, first);
    const auto target = definition_of(loss).target.value;
    if (output.reconstructs || target == Target::numbers || target == Target::classes) continue;
    throw InputError(str("augmentations \"", augment.text(), "\" mix the targets of samples, and ", name_of(loss),
                         " needs ",
                         target == Target::places ? "a label for each place; leave out what mixes"
                                                  : "a label for each sample; train with the loss cross-entropy"));
  }
}

void check_parameters(const Graph& graph) {
  if (cost(graph).parameters > 0) return;
  throw InputError(
      "the network has no parameters to train; give it a layer that has some, such as a dense layer or a convolution");
}

}  // namespace

void check_run(const Network& network, const Dataset& data, const TrainOptions& options) {
  check_options(options);
  check_parameters(network.graph());
  check_fits(network, data);
  check_targets(network, network.outputs(), data, options.loss);
  check_augmentations(options.augment, network, data, options.loss);
  if (data.size() > 0xffffffffU) throw InputError("at most 2^32 − 1 samples are supported");
  check_validation(network, data, options);
  if (options.validation) check_targets(network, network.outputs(), *options.validation, options.loss);
  check_batches(network.graph(), static_cast<std::int64_t>(data.size()), options.batch);
}

}  // namespace chalk
