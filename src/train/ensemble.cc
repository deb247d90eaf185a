// Several networks that answer together.
#include <algorithm>
#include <array>
#include <cmath>

#include "chalkgrad/error.h"
#include "chalkgrad/ops.h"
#include "chalkgrad/train.h"
#include "src/base/text.h"
#include "src/losses/loss.h"
#include "src/train/feeds.h"
#include "src/train/tally.h"

namespace chalk {
namespace {

std::string_view words_for(Outputs outputs) {
  return outputs == Outputs::classes         ? "one probability for each class"
         : outputs == Outputs::probabilities ? "separate probabilities"
                                             : "numbers";
}

/// What messages call the networks.
class Names {
 public:
  explicit Names(std::span<const std::string> given) : given_(given) {}
  std::string operator[](std::size_t i) const {
    return i < given_.size() ? given_[i] : str("network ", i + 1, " of the ensemble");
  }
  std::string first() const { return given_.empty() ? "the first" : given_[0]; }

 private:
  std::span<const std::string> given_;
};

void check_alike(std::span<Network* const> networks, const Names& names) {
  if (networks.empty()) throw InputError("an ensemble needs at least one network");
  const Network& first = *networks[0];
  for (std::size_t i = 1; i < networks.size(); ++i) {
    const Network& other = *networks[i];
    if (other.input_shape() != first.input_shape() || other.output_shape() != first.output_shape()) {
      throw ShapeError(str(names[i], " goes from ", to_string(other.input_shape()), " to ",
                           to_string(other.output_shape()), ", and ", names.first(), " from ",
                           to_string(first.input_shape()), " to ", to_string(first.output_shape()),
                           "; leave one of them out"));
    }
    if (outputs_of(other) != outputs_of(first)) {
      throw InputError(str(names[i], " gives ", words_for(outputs_of(other)), ", and ", names.first(), " ",
                           words_for(outputs_of(first)), ", which have no common mean; leave one of them out"));
    }
    const auto &classes = other.encoding.class_names, &usual = first.encoding.class_names;
    if (!classes.empty() && !usual.empty() && classes != usual)
      throw InputError(str(names[i], " has other classes than ", names.first(), "; leave one of them out"));
  }
}

/// What is said about numbers that are not finite is about the network of this name.
void about(const std::string& name, auto run) {
  try {
    run();
  } catch (const NumericError& e) {
    throw NumericError(str(name, ": ", e.what()));
  }
}

/// The samples from `first` on, as the network was trained to see them.
Feed seen_by(const Network& network, const Feed& samples) {
  const auto& encoding = network.encoding;
  if (samples.values || samples.fetch_values) {
    Feed feed = encoding.feed(samples.values);
    feed.fetch_values = samples.fetch_values;
    return feed;
  }
  if ((!samples.bytes && !samples.fetch_bytes) || !encoding.encodes_bytes()) return samples;
  Feed feed = encoding.feed(samples.bytes);
  feed.fetch_bytes = samples.fetch_bytes;
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
  add_loss_outputs(g, sample_loss(joined ? Loss::sigmoid_cross_entropy : loss, z, t));
  return g;
}

/// What is fetched from `first` on; nothing of nothing.
template <class T>
Fetch<T> fetched_from(const Fetch<T>& fetch, std::size_t first) {
  if (!fetch) return {};
  return [fetch, first](std::span<const std::uint32_t> rows, auto... rest) {
    std::array<std::uint32_t, 16> shifted{};
    std::ranges::transform(rows, shifted.begin(), [&](auto row) { return row + static_cast<std::uint32_t>(first); });
    fetch(std::span(shifted).first(rows.size()), rest...);
  };
}

/// The samples, or their targets of `size` elements, from `first` on.
Feed from(Feed feed, std::size_t first, std::int64_t size) {
  const auto offset = first * static_cast<std::size_t>(size);
  if (feed.bytes) feed.bytes += offset;
  if (feed.values) feed.values += offset;
  if (feed.labels) feed.labels += first;
  feed.fetch_bytes = fetched_from(feed.fetch_bytes, first);
  feed.fetch_values = fetched_from(feed.fetch_values, first);
  return feed;
}

}  // namespace

Ensemble::Ensemble(std::span<Network* const> networks, int threads, std::vector<std::string> names,
                   const Augmentations& views)
    : networks_(networks.begin(), networks.end()), names_(std::move(names)) {
  const Names called(names_);
  check_alike(networks, called);
  outputs_ = outputs_of(*networks[0]);
  predictors_.reserve(networks.size());
  for (std::size_t i = 0; i < networks.size(); ++i)
    about(called[i], [&] { predictors_.emplace_back(*networks[i], /*probabilities=*/true, threads, "y", views); });
}

std::span<const float> Ensemble::operator()(const Feed& samples, std::size_t count) {
  sums_.clear();
  for (std::size_t i = 0; i < predictors_.size(); ++i) {
    about(Names(names_)[i], [&] {
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

Evaluation evaluate(std::span<Network* const> networks, const Dataset& data, int threads,
                    std::vector<std::string> names, const Augmentations& views) {
  check_alike(networks, Names(names));
  for (const Network* network : networks) check_fits(*network, data);
  Network& first = *networks[0];
  if (networks.size() == 1 && views.empty()) return evaluate(first, data, threads);
  Ensemble ensemble(networks, threads, std::move(names), views);
  const Shape &output = first.output_shape(), target = target_shape(data);
  Evaluation result;
  result.measured = loss_for(first, data);
  check_targets(data, result.measured, output);
  const Shape wanted = target_shape(result.measured, output);
  if (wanted != target) {
    throw ShapeError(str(networks.size() == 1 ? "the network's" : "the networks'", " output is ", to_string(output),
                         " but the data want ", to_string(target),
                         "; give data like those that the networks were trained on"));
  }
  result.samples = static_cast<std::int64_t>(data.size());
  if (!data.labels.empty()) begin_classes(result, data);
  const Graph graph = loss_of_answers(result.measured, ensemble.outputs(), output, target);
  const bool weighs = graph.outputs().size() > 1;
  Variables none;
  Program program(graph, none, {.threads = threads});
  LossSum sum;
  for (std::size_t at = 0; at < data.size(); at += kEvaluationChunk) {
    const auto count = std::min(kEvaluationChunk, data.size() - at);
    const auto y = ensemble(from(sample_feed(data), at, elements(data.sample)), count);
    program.feed("y", {.values = y.data()});
    program.feed("t", from(target_feed(data), at, elements(target)));
    program.run(count);
    sum.add(program, weighs, data, at, count);
    if (!std::isfinite(sum.loss)) {
      throw NumericError(str("the ", networks.size() == 1 ? "views'" : "ensemble's", " ", name_of(result.measured),
                             " is not finite; measure ",
                             networks.size() == 1 ? "without views" : "the networks one by one"));
    }
    if (!result.classes.empty()) count_answers(result, data, at, y);
  }
  finish_evaluation(result, sum);
  return result;
}

}  // namespace chalk
