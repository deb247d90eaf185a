#include <algorithm>
#include <cmath>

#include "chalkgrad/error.h"
#include "chalkgrad/ops.h"
#include "chalkgrad/train.h"
#include "src/base/text.h"
#include "src/net/build.h"
#include "src/train/diagnose.h"
#include "src/train/feeds.h"
#include "src/train/training_graph.h"

namespace chalk {
namespace {

constexpr std::size_t kChunk = 1024;  // samples per run

/// What the network was trained with, if these data have such a loss.
Loss loss_for(const Network& network, bool classify) {
  const auto trained = trained_loss(network);
  if (trained && (classify || !of_softmax(*trained))) return *trained;
  return classify ? Loss::cross_entropy : Loss::squared_error;
}

}  // namespace

Evaluation evaluate(Network& network, const Dataset& data, int threads) {
  check_fits(network, data);
  const bool classify = !data.labels.empty();
  const Loss kind = loss_for(network, classify);
  Graph graph = network.graph();
  const Value loss = add_loss(graph, kind, target_shape(data));
  graph.output("loss", loss);
  const std::string answer = graph.outputs()[0].first;
  CompileOptions options;
  options.threads = threads;
  Program program(graph, network.variables(), options);
  program.feed("x", sample_feed(data));
  program.feed("t", target_feed(data));

  Evaluation result;
  result.samples = static_cast<std::int64_t>(data.size());
  if (classify) {
    for (const auto& name : data.class_names) result.classes.push_back({name, 0, 0, 0});
  }
  const auto outputs = static_cast<std::size_t>(elements(network.output_shape()));
  std::int64_t correct = 0;
  std::vector<std::uint32_t> rows;
  for (std::size_t first = 0; first < data.size(); first += kChunk) {
    rows.resize(std::min(kChunk, data.size() - first));
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<std::uint32_t>(first + i);
    program.run(rows.size(), rows.data());
    for (const float one : program.output("loss")) result.loss += static_cast<double>(one);
    if (!std::isfinite(result.loss)) {
      const auto what = output_outside_domain(network, data, kind, rows.size(), rows.data());
      if (!what.empty()) throw NumericError(what);
    }
    if (!classify) continue;
    const auto y = program.output(answer);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const auto* scores = y.data() + i * outputs;
      const auto guess = static_cast<std::size_t>(std::max_element(scores, scores + outputs) - scores);
      const auto truth = static_cast<std::size_t>(data.labels[first + i]);
      ++result.classes[truth].samples;
      if (guess < result.classes.size()) ++result.classes[guess].predicted;
      if (guess == truth) ++result.classes[truth].correct, ++correct;
    }
  }
  result.loss /= static_cast<double>(result.samples);
  result.accuracy = static_cast<double>(correct) / static_cast<double>(result.samples);
  return result;
}

namespace {

Graph prediction_graph(const Network& network, bool probabilities) {
  Graph graph = network.graph();
  Value y = logits_of(graph);
  if (const auto trained = trained_loss(network); probabilities && trained && !of_softmax(*trained)) {
    y = graph.value(output_node(graph));
  } else if (probabilities) {
    y = softmax(y);
  }
  graph.clear_outputs();
  graph.output("prediction", y);
  return graph;
}

}  // namespace

Predictor::Predictor(Network& network, bool probabilities, int threads)
    : program_(prediction_graph(network, probabilities), network.variables(), {.threads = threads}) {}

std::span<const float> Predictor::operator()(const Feed& samples, std::size_t count) {
  program_.feed("x", samples);
  program_.run(count);
  return program_.output("prediction");
}

std::vector<float> predict(Network& network, const Feed& samples, std::size_t count, bool probabilities, int threads) {
  Predictor predictor(network, probabilities, threads);
  const auto values = predictor(samples, count);
  return {values.begin(), values.end()};
}

}  // namespace chalk
