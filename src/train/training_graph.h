// The graph of one training step, made from a network's forward graph.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chalkgrad/network.h"
#include "chalkgrad/train_options.h"
#include "src/optimizers/optimizer.h"

namespace chalk {

struct TrainingGraph {
  /// The whole step: outputs "loss" (the objective), for targets that are labels "correct" (how many samples are
  /// classified correctly), with clip_norm "gradient_norm"; input "lr", and the optimizer's updates.
  Graph graph;
  std::vector<std::string> states;             ///< names of the parameters that are the optimizer's: NAME.momentum
  std::vector<StepContext::Scalar> scalars{};  ///< inputs that have a new value at each step
  std::map<std::string, std::int64_t> first_epochs{};  ///< inputs that are 1 in so many epochs, and 0 from then on
  std::string optimizer{};                             ///< the layer of what makes updates of gradients
  std::vector<std::string> losses{};  ///< of several outputs: those that are the mean loss of each, "loss.y", …
  std::string guard = "loss";         ///< the output that must be finite before any parameter is updated
  /// Parameters of the network, and the states that begin as their copies: "conv1.weight", "conv1.weight.raw". Of
  /// several, steps are taken with the last.
  std::vector<std::pair<std::string, std::string>> copies{};
};
/// The state that is trained where the network has its average.
inline constexpr std::string_view kRaw = ".raw";
inline constexpr const char* kAverageLayer = "average";
/// Input of the graph with Lookahead: Lookahead::pull() of the step.
inline constexpr const char* kLookaheadPull = "lookahead.pull";
/// Inputs of the graph with an average: Average::share() and begun() of the step.
inline constexpr const char* kAverageShare = "average.share";
inline constexpr const char* kAverageBegun = "average.begun";

/// `weighted`: with an input kSampleWeight (objective.h). Throws InputError for groups that match nothing, and if the
/// schedule gives the momentum of each step, as the input "momentum", and the optimizer has none that can be given.
TrainingGraph training_graph(const Network& network, const Shape& target, bool labels, const TrainOptions& options,
                             bool weighted = false);

}  // namespace chalk
