#include <algorithm>
#include <cmath>
#include <numeric>

#include "chalkgrad/error.h"
#include "chalkgrad/train.h"
#include "src/base/text.h"
#include "src/losses/ending.h"
#include "src/net/build.h"
#include "src/train/diagnose.h"
#include "src/train/evaluator.h"
#include "src/train/feeds.h"
#include "src/train/objective.h"
#include "src/train/tally.h"

namespace chalk {
namespace {

std::optional<double> ratio(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? std::nullopt : std::optional(static_cast<double>(part) / static_cast<double>(whole));
}

}  // namespace

std::optional<double> ClassResult::recall() const { return ratio(correct, samples); }
std::optional<double> ClassResult::precision() const { return ratio(correct, predicted); }
std::optional<double> ClassResult::f1() const { return ratio(2 * correct, samples + predicted); }

double Evaluation::top(std::int64_t k) const {
  std::int64_t among = 0;
  for (std::int64_t rank = 0; rank < std::min(k, std::ssize(ranks)); ++rank)
    among += ranks[static_cast<std::size_t>(rank)];
  return ratio(among, samples).value_or(0);
}

ClassMeans Evaluation::means() const {
  const auto mean = [&](std::optional<double> (ClassResult::*of)() const) -> std::optional<double> {
    double sum = 0;
    std::int64_t have = 0;
    for (const auto& each : classes) {
      if (const auto value = (each.*of)()) sum += *value, ++have;
    }
    return have == 0 ? std::nullopt : std::optional(sum / static_cast<double>(have));
  };
  return {mean(&ClassResult::recall), mean(&ClassResult::precision), mean(&ClassResult::f1)};
}

void begin_classes(Evaluation& result, const Dataset& data) {
  for (const auto& name : data.class_names) result.classes.push_back({name, 0, 0, 0});
  result.confusion.assign(result.classes.size() * result.classes.size(), 0);
  result.ranks.assign(result.classes.size(), 0);
}

void count_answers(Evaluation& result, const Dataset& data, std::size_t first, std::span<const float> outputs) {
  const auto classes = result.classes.size();
  for (std::size_t sample = first; !outputs.empty(); ++sample, outputs = outputs.subspan(classes)) {
    const auto scores = outputs.first(classes);
    const auto guess = static_cast<std::size_t>(std::ranges::max_element(scores) - scores.begin());
    const auto truth = static_cast<std::size_t>(data.labels[sample]);
    std::size_t before = 0;
    for (std::size_t i = 0; i < classes; ++i)
      before += scores[i] > scores[truth] || (scores[i] == scores[truth] && i < truth) ? 1 : 0;
    ++result.classes[truth].samples;
    ++result.classes[guess].predicted;
    ++result.confusion[truth * classes + guess];
    ++result.ranks[before];
    if (guess == truth) ++result.classes[truth].correct;
  }
}

std::int64_t count_correct(const Dataset& data, std::size_t first, std::span<const float> outputs) {
  const auto classes = data.class_names.size();
  std::int64_t correct = 0;
  for (std::size_t sample = first; !outputs.empty(); ++sample, outputs = outputs.subspan(classes)) {
    const auto scores = outputs.first(classes);
    if (std::ranges::max_element(scores) - scores.begin() == data.labels[sample]) ++correct;
  }
  return correct;
}

void add_loss_outputs(Graph& graph, const SampleLoss& of_sample, const LossNames& names) {
  graph.output(names.loss, of_sample.loss);
  if (of_sample.weight) graph.output(names.weight, of_sample.weight);
}

void LossSum::add(const Program& program, bool weighs, const Dataset& data, std::size_t first, std::size_t samples,
                  const LossNames& names) {
  const auto losses = program.output(names.loss);
  const auto weights = weighs ? program.output(names.weight) : std::span<const float>();
  for (std::size_t i = 0; i < samples; ++i) {
    const double counts = data.weights.empty() ? 1 : static_cast<double>(data.weights[first + i]);
    loss += counts * static_cast<double>(losses[i]);
    weight += counts * (weighs ? static_cast<double>(weights[i]) : 1);
  }
}

void finish_evaluation(Evaluation& result, const LossSum& sum) {
  result.loss = result.objective = sum.mean();
  if (!result.classes.empty()) result.accuracy = result.top(1);
}

Outputs outputs_of(const Network& network, std::string_view output) {
  Graph graph = network.graph();
  const Ending end = ending_of(graph.value(output_node(graph, output)));
  const auto chosen = chosen_loss(network, output);
  if (end.one_distribution() || (chosen && of_softmax(*chosen))) return Outputs::classes;
  if (end.kind == Ending::Kind::softmaxes) return Outputs::probabilities;
  if (chosen && *chosen == Loss::sigmoid_cross_entropy) return Outputs::probabilities;
  if (end.kind == Ending::Kind::sigmoid) {  // a probability, unless it was trained to be some other number from 0 to 1
    const bool of_events = !chosen || *chosen == Loss::binary_cross_entropy || !network.encoding.class_names.empty();
    return of_events ? Outputs::probabilities : Outputs::numbers;
  }
  return of_softmax(chosen ? *chosen : natural_loss(network)) ? Outputs::classes : Outputs::numbers;
}

InputEncoding encoding_of(const Dataset& data) {
  const bool of_values = !data.has_bytes() && !data.scale.empty();
  return {data.scale, data.shift, data.class_names, data.per_sample, of_values};
}

bool encode(const InputEncoding& encoding, Dataset& data) {
  const bool has = data.has_bytes() ? encoding.encodes_bytes() : encoding.of_values;
  if (!has) return false;
  data.scale = encoding.scale;
  data.shift = encoding.shift;
  data.per_sample = encoding.per_sample;
  return true;
}

void encode_as_trained(const Network& network, Dataset& data) {
  const auto& as = network.encoding;
  if (data.sample == network.input_shape()) (void)encode(as, data);
  if (!data.labels.empty() && as.class_names.size() >= data.class_names.size()) data.class_names = as.class_names;
}

Evaluator::Evaluator(Network& network, const Dataset& data, int threads) : network_(network), data_(data) {
  check_fits(network, data);
  const Loss first = loss_for(network, data);
  const auto outputs = outputs_for(network, data);
  check_targets(network, outputs, data, first);
  Graph graph = graph_of(network, outputs);
  const auto losses = add_losses(graph, outputs, first, target_shape(data));
  graph.clear_outputs();
  for (const auto& each : losses) {
    const auto& name = each.output.name;
    const bool is_first = parts_.empty(), has_labels = !data.labels.empty() && !each.output.reconstructs;
    Part part{each.output, each.loss, static_cast<bool>(each.of_sample.weight), has_labels, {}, "y"};
    if (!is_first) {  // an output may have any name without spaces
      part.names = {str("loss of ", name), str("weight of ", name)};
      part.answer = str("answer of ", name);
    }
    if (is_first || has_labels) graph.output(part.answer, graph.value(output_node(network.graph(), name)));
    add_loss_outputs(graph, each.of_sample, part.names);
    parts_.push_back(std::move(part));
  }
  CompileOptions options;
  options.threads = threads;
  program_.emplace(graph, network.variables(), options);
}

Evaluation Evaluator::operator()() {
  check_parameters(network_);
  program_->feed("x", sample_feed(data_));
  program_->feed("t", target_feed(data_));
  Evaluation result;
  result.measured = parts_[0].loss;
  result.samples = static_cast<std::int64_t>(data_.size());
  if (!data_.labels.empty()) begin_classes(result, data_);
  std::vector<LossSum> sums(parts_.size());
  std::vector<std::int64_t> correct(parts_.size());
  std::vector<std::uint32_t> rows;
  for (std::size_t first = 0; first < data_.size(); first += kEvaluationChunk) {
    rows.resize(std::min(kEvaluationChunk, data_.size() - first));
    std::iota(rows.begin(), rows.end(), static_cast<std::uint32_t>(first));
    program_->run(rows.size(), rows.data());
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      const auto& part = parts_[i];
      sums[i].add(*program_, part.weighs, data_, first, rows.size(), part.names);
      if (!std::isfinite(sums[i].loss)) fail(part, rows);
      if (i > 0 && part.has_labels) correct[i] += count_correct(data_, first, program_->output(part.answer));
    }
    if (!result.classes.empty()) count_answers(result, data_, first, program_->output(parts_[0].answer));
  }
  finish_evaluation(result, sums[0]);
  result.objective = 0;
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    const auto& part = parts_[i];
    result.objective += part.output.weight * sums[i].mean();
    if (i == 0) continue;
    OutputEvaluation other{part.output.name, sums[i].mean(), part.loss, {}};
    if (part.has_labels) other.accuracy = ratio(correct[i], result.samples);
    result.others.push_back(std::move(other));
  }
  return result;
}

void Evaluator::fail(const Part& part, const std::vector<std::uint32_t>& rows) {
  NetworkOutput output = part.output;
  output.loss = part.loss;
  const auto what =
      output_outside_domain(network_, sample_feed(data_), 0, part.loss, {&output, 1}, rows.size(), rows.data());
  if (!what.empty()) throw NumericError(what);
  fail_prediction(network_.graph_of(output.name), network_.variables(), sample_feed(data_), rows.size(), rows.data());
}

Evaluation evaluate(Network& network, const Dataset& data, int threads) { return Evaluator(network, data, threads)(); }

}  // namespace chalk
