// Predicting again and again, also of several views of a sample.
#include <cstring>
#include <optional>
#include <utility>

#include "chalkgrad/error.h"
#include "chalkgrad/evaluate.h"
#include "chalkgrad/ops.h"
#include "chalkgrad/train.h"
#include "src/augmentations/views.h"
#include "src/base/finite.h"
#include "src/base/text.h"
#include "src/losses/ending.h"
#include "src/losses/loss.h"
#include "src/net/build.h"
#include "src/train/diagnose.h"
#include "src/train/feeds.h"
#include "src/train/objective.h"

namespace chalk {
namespace {

/// The function that makes the answer of what views have a mean of.
enum class Last : std::uint8_t { none, softmax, sigmoid };

Value applied(Last last, Value z) {
  switch (last) {
    case Last::none:
      return z;
    case Last::softmax:
      return softmax(z);
    case Last::sigmoid:
      return sigmoid(z);
  }
  return z;
}

/// The graph of the answer, or what views have a mean of.
struct Prediction {
  Graph graph;
  Last last = Last::none;  // what is to be done with the mean

  Prediction(const Network& network, bool probabilities, std::string_view output, bool of_views);
};

Prediction::Prediction(const Network& network, bool probabilities, std::string_view output, bool of_views)
    : graph(network.graph()) {
  Value y = graph.value(output_node(graph, output));
  const auto chosen = chosen_loss(network, output);
  const auto outputs = outputs_of(network, output);
  const bool of_events = chosen && *chosen == Loss::sigmoid_cross_entropy;
  const bool has_sigmoid = ending_of(y).kind == Ending::Kind::sigmoid;
  if (outputs == Outputs::classes) {
    y = logits_of(y);
    if (probabilities) last = Last::softmax;
  } else if (of_events && probabilities && !has_sigmoid) {
    last = Last::sigmoid;
  } else if (of_views && has_sigmoid && outputs == Outputs::probabilities) {
    y = ending_of(y).logits;
    last = Last::sigmoid;
  }
  graph.clear_outputs();
  if (!of_views) y = applied(std::exchange(last, Last::none), y);
  graph.output("prediction", y);
}

void check_samples(const Feed& samples, std::size_t count, std::size_t each) {
  if (!samples.values) return;
  const auto at = first_not_finite({samples.values, count * each});
  if (at == count * each) return;
  throw NumericError(str("sample ", at / each, " holds ", samples.values[at], " at element ", at % each,
                         "; predict only samples that are finite"));
}

}  // namespace

/// The mean over views, and what is made of it.
struct Predictor::Mean {
  Mean(const Network& network, bool probabilities, std::string_view output, const Augmentations& list, int threads)
      : views(list, network.input_shape(), threads), channels(static_cast<std::size_t>(network.input_shape()[0])) {
    const Shape& shape = network.output_shape(output);
    if (shape.size() != 1) {
      throw InputError(str("test-time augmentation is for outputs that are vectors, and ", output, " is ",
                           to_string(shape), ", in which what is seen would have to be moved back; leave it out"));
    }
    const auto last = Prediction(network, probabilities, output, /*of_views=*/true).last;
    if (last == Last::none) return;
    Graph graph;
    graph.output("answer", applied(last, graph.input("mean", shape)));
    answer.emplace(graph, none, CompileOptions{.threads = threads});
  }

  /// The view that the program's position says of each sample.
  Feed feed(const Feed& samples, std::size_t size) {
    if (!samples.bytes && !samples.fetch_bytes)
      throw InputError("test-time augmentation is for pictures in bytes, and these samples are not; leave it out");
    means.clear();
    for (std::size_t c = 0; samples.scale && samples.shift && c < channels; ++c)
      means.push_back(mean_byte(samples.scale[c], samples.shift[c]));
    Feed feed = samples;
    feed.bytes = nullptr;
    feed.fetch_bytes = [this, samples, size](std::span<const std::uint32_t> rows, std::uint64_t view,
                                             std::span<std::uint8_t> to) {
      if (samples.fetch_bytes) samples.fetch_bytes(rows, 0, to);
      for (std::size_t i = 0; i < rows.size(); ++i) {
        if (samples.bytes) std::memcpy(&to[i * size], &samples.bytes[rows[i] * size], size);
        views.show(view, means, &to[i * size]);
      }
    };
    return feed;
  }

  Views views;
  std::size_t channels = 0;
  Variables none;
  std::optional<Program> answer;  // of the mean; none: it is the answer
  std::vector<std::uint8_t> means;
  std::vector<double> sums;
  std::vector<float> values;
};

Predictor::Predictor(Network& network, bool probabilities, int threads, std::string_view output,
                     const Augmentations& views)
    : network_(&network),
      output_(output),
      inputs_(static_cast<std::size_t>(elements(network.input_shape()))),
      program_(Prediction(network, probabilities, output, !views.empty()).graph, network.variables(),
               {.threads = threads}) {
  check_parameters(network);
  if (!views.empty()) mean_ = std::make_shared<Mean>(network, probabilities, output, views, program_.threads());
}

std::span<const float> Predictor::operator()(const Feed& samples, std::size_t count) {
  if (mean_) return of_views(samples, count);
  program_.feed("x", samples);
  check_samples(samples, count, inputs_);
  program_.run(count);
  const auto y = program_.output("prediction");
  if (first_not_finite(y) != y.size())
    fail_prediction(network_->graph_of(output_), network_->variables(), samples, count);
  return y;
}

std::span<const float> Predictor::of_views(const Feed& samples, std::size_t count) {
  auto& mean = *mean_;
  const auto feed = mean.feed(samples, inputs_);
  program_.feed("x", feed);
  mean.sums.clear();
  for (std::size_t view = 0; view < mean.views.size(); ++view) {
    program_.set_position(view);
    program_.run(count);
    const auto y = program_.output("prediction");
    if (first_not_finite(y) != y.size()) {
      Feed seen = feed;
      seen.fetch_bytes = [&](auto rows, std::uint64_t, auto to) { feed.fetch_bytes(rows, view, to); };
      fail_prediction(network_->graph_of(output_), network_->variables(), seen, count);
    }
    mean.sums.resize(y.size());
    for (std::size_t i = 0; i < y.size(); ++i) mean.sums[i] += mean.views.weight(view) * static_cast<double>(y[i]);
  }
  mean.values.assign(mean.sums.begin(), mean.sums.end());
  if (!mean.answer) return mean.values;
  mean.answer->feed("mean", {.values = mean.values.data()});
  mean.answer->run(count);
  return mean.answer->output("answer");
}

std::vector<float> predict(Network& network, const Feed& samples, std::size_t count, bool probabilities, int threads,
                           std::string_view output, const Augmentations& views) {
  Predictor predictor(network, probabilities, threads, output, views);
  const auto values = predictor(samples, count);
  return {values.begin(), values.end()};
}

}  // namespace chalk
