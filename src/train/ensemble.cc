// Several networks that answer together.
#include <algorithm>
#include <cmath>

#include "chalkgrad/error.h"
#include "chalkgrad/ops.h"
#include "chalkgrad/train.h"
#include "src/base/text.h"
#include "src/net/build.h"
#include "src/train/feeds.h"
#include "src/train/tally.h"
#include "src/train/training_graph.h"

namespace chalk {
namespace {

constexpr std::size_t kChunk = 1024;  // samples per run

std::string_view words_for(Outputs outputs) {
  return outputs == Outputs::classes         ? "one probability for each class"
         : outputs == Outputs::probabilities ? "separate probabilities"
                                             : "numbers";
}

void check_alike(std::span<Network* const> networks) {
  if (networks.empty()) throw InputError("an ensemble needs at least one network");
  const Network& first = *networks[0];
  for (std::size_t i = 1; i < networks.size(); ++i) {
    const Network& other = *networks[i];
    const auto which = str("network ", i + 1, " of the ensemble ");
    if (other.input_shape() != first.input_shape() || other.output_shape() != first.output_shape()) {
      throw ShapeError(str(which, "goes from ", to_string(other.input_shape()), " to ", to_string(other.output_shape()),
                           ", and the first from ", to_string(first.input_shape()), " to ",
                           to_string(first.output_shape()), "; leave one of them out"));
    }
    if (outputs_of(other) != outputs_of(first)) {
      throw InputError(str(which, "gives ", words_for(outputs_of(other)), ", and the first ",
                           words_for(outputs_of(first)), ", which have no common mean; leave one of them out"));
    }
    const auto &names = other.encoding.class_names, &usual = first.encoding.class_names;
    if (!names.empty() && !usual.empty() && names != usual)
      throw InputError(str(which, "has other classes than the first; leave one of them out"));
  }
}

/// What is said about numbers that are not finite is about network i.
void about(std::size_t i, auto run) {
  try {
    run();
  } catch (const NumericError& e) {
    throw NumericError(str("network ", i + 1, " of the ensemble: ", e.what()));
  }
}

/// The samples from `first` on, as the network was trained to see them.
Feed seen_by(const Network& network, const Feed& samples) {
  Feed feed = samples;
  if (!feed.bytes || network.encoding.scale.empty()) return feed;
  feed.scale = network.encoding.scale.data();
  feed.shift = network.encoding.shift.data();
  return feed;
}

/// ln y; 0 counts as the smallest number there is in full precision.
Value safe_log(Value y) { return log(maximum(y, y.graph().constant(0x1p-126))); }

/// A network's loss as a function of the answer "y", from whatever softmax or sigmoids would make it of.
Graph loss_of_answers(const Loss& loss, Outputs outputs, const Shape& output, const Shape& target) {
  Graph g;
  const Value y = g.input("y", output), t = g.input("t", target, of_classes(loss));
  const bool of_events =
      outputs == Outputs::probabilities && (loss == Loss::sigmoid_cross_entropy || loss == Loss::binary_cross_entropy);
  Value z = y;
  if (of_softmax(loss) && outputs == Outputs::classes) z = safe_log(y);
  if (of_events) z = safe_log(y) - safe_log(g.constant(1) - y);
  const bool joined = of_events && loss == Loss::binary_cross_entropy;  // with the sigmoids
  const SampleLoss of_sample = sample_loss(joined ? Loss::sigmoid_cross_entropy : loss, z, t);
  g.output("loss", of_sample.loss);
  if (of_sample.weight) g.output("weight", of_sample.weight);
  return g;
}

Feed samples_from(const Dataset& data, std::size_t first) {
  Feed feed = sample_feed(data);
  const auto offset = first * static_cast<std::size_t>(elements(data.sample));
  if (feed.bytes) feed.bytes += offset;
  if (feed.values) feed.values += offset;
  return feed;
}

}  // namespace

Ensemble::Ensemble(std::span<Network* const> networks, int threads) : networks_(networks.begin(), networks.end()) {
  check_alike(networks);
  outputs_ = outputs_of(*networks[0]);
  predictors_.reserve(networks.size());
  for (std::size_t i = 0; i < networks.size(); ++i)
    about(i, [&] { predictors_.emplace_back(*networks[i], /*probabilities=*/true, threads); });
}

std::span<const float> Ensemble::operator()(const Feed& samples, std::size_t count) {
  sums_.clear();
  for (std::size_t i = 0; i < predictors_.size(); ++i) {
    about(i, [&] {
      const auto y = predictors_[i](seen_by(*networks_[i], samples), count);
      sums_.resize(y.size());
      for (std::size_t at = 0; at < y.size(); ++at) sums_[at] += static_cast<double>(y[at]);
    });
  }
  means_.resize(sums_.size());
  std::ranges::transform(sums_, means_.begin(),
                         [&](double sum) { return static_cast<float>(sum / static_cast<double>(predictors_.size())); });
  return means_;
}

Evaluation evaluate(std::span<Network* const> networks, const Dataset& data, int threads) {
  check_alike(networks);
  for (const Network* network : networks) check_fits(*network, data);
  Network& first = *networks[0];
  if (networks.size() == 1) return evaluate(first, data, threads);
  Ensemble ensemble(networks, threads);
  const Shape &output = first.output_shape(), target = target_shape(data);
  Evaluation result;
  result.measured = loss_for(first, data);
  const Shape wanted = target_shape(result.measured, output);
  if (wanted != target)
    throw ShapeError(str("the networks' output is ", to_string(output), " but the data want ", to_string(target)));
  result.samples = static_cast<std::int64_t>(data.size());
  if (!data.labels.empty()) begin_classes(result, data);
  const Graph graph = loss_of_answers(result.measured, ensemble.outputs(), output, target);
  Variables none;
  Program program(graph, none, {.threads = threads});
  program.feed("t", target_feed(data));
  const auto each = static_cast<std::size_t>(elements(output));
  std::vector<float> answers(data.size() * each);
  for (std::size_t at = 0; at < data.size(); at += kChunk) {
    const auto y = ensemble(samples_from(data, at), std::min(kChunk, data.size() - at));
    std::ranges::copy(y, answers.begin() + static_cast<std::ptrdiff_t>(at * each));
  }
  program.feed("y", {.values = answers.data()});
  program.run(data.size());
  double counted = 0;
  for (const float one : program.output("loss")) result.loss += static_cast<double>(one);
  const bool weighs = graph.outputs().size() > 1;
  counted = static_cast<double>(data.size());
  if (weighs) {
    counted = 0;
    for (const float one : program.output("weight")) counted += static_cast<double>(one);
  }
  if (!std::isfinite(result.loss)) {
    throw NumericError(
        str("the ensemble's ", name_of(result.measured), " is not finite; measure the networks one by one"));
  }
  if (!result.classes.empty()) count_answers(result, data, 0, answers);
  finish_evaluation(result, counted);
  return result;
}

}  // namespace chalk
