// A checkpoint is a model file whose metadata also say how it is being trained and how far that has come.
#pragma once

#include "chalkgrad/train.h"

namespace chalk {

/// Position of a run between two steps. The sums are of this epoch, so that its figures come out the same.
struct Position {
  std::int64_t step = 0;  // steps done
  double loss_sum = 0;    // Σ loss · samples
  double correct = 0;
};

/// Where the metadata say how the network is trained.
constexpr const char* kTraining = "chalkgrad.training";

/// A loss as it stands there: "cross_entropy".
std::string stored_name(Loss loss);
std::optional<Loss> find_stored_loss(std::string name);

/// Puts options and position into the network's metadata.
void write_checkpoint(Network& network, const TrainOptions& options, const std::string& data, std::size_t samples,
                      const Position& position);

/// The position of an unfinished run of these options on these data, or the beginning if the network has none. Throws
/// InputError if the options, the data set or its size differ from those of the checkpoint.
Position read_checkpoint(const Network& network, const TrainOptions& options, const std::string& data,
                         std::size_t samples);

}  // namespace chalk
