// Counts answers: what an Evaluation is made of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "chalkgrad/evaluate.h"
#include "chalkgrad/losses.h"
#include "chalkgrad/program.h"

namespace chalk {

constexpr std::size_t kEvaluationChunk = 1024;  ///< samples per run

/// For labelled data, before any answer is counted.
void begin_classes(Evaluation& result, const Dataset& data);
/// Outputs for the samples from `first` on, one for each class.
void count_answers(Evaluation& result, const Dataset& data, std::size_t first, std::span<const float> outputs);
/// How often the largest of these outputs, for the samples from `first` on, is that of the label.
std::int64_t count_correct(const Dataset& data, std::size_t first, std::span<const float> outputs);

/// What a loss is called among a program's outputs.
struct LossNames {
  std::string loss = "loss", weight = "weight";
};
/// Makes the loss of each sample, and what it counts in the mean if that is not 1, outputs of the graph.
void add_loss_outputs(Graph& graph, const SampleLoss& of_sample, const LossNames& names = {});
/// Σ loss and Σ weight over the samples of several runs.
struct LossSum {
  double loss = 0, weight = 0;

  /// Adds the outputs of a run of that many samples of the data, from `first` on. `weighs`: the loss has weights.
  void add(const Program& program, bool weighs, const Dataset& data, std::size_t first, std::size_t samples,
           const LossNames& names = {});
  double mean() const { return weight == 0 ? loss : loss / weight; }
};
/// Of a network with one output.
void finish_evaluation(Evaluation& result, const LossSum& sum);

}  // namespace chalk
