// Running statistics of batch normalisation, measured anew.
#pragma once

#include <cstdint>
#include <span>

#include "chalkgrad/network.h"
#include "chalkgrad/program.h"
#include "chalkgrad/train_options.h"

namespace chalk {

/// Of a network's present parameters: each running statistic becomes the mean of its estimates over the batches of an
/// epoch, all of the same weight, as PyTorch's torch.optim.swa_utils.update_bn() makes it. Like there, noise (dropout)
/// is on. The network and what feeds samples must outlive it.
class StatisticsMeter {
 public:
  StatisticsMeter(Network& network, const Feed& samples, const TrainOptions& options);
  /// `order`: the rows of the epoch's batches, one after the other; `position`: that of its first step, which decides
  /// what noise is drawn and, of augmented samples, what they are.
  void operator()(std::span<const std::uint32_t> order, std::uint64_t position);

 private:
  std::size_t batch_;
  Program program_;
};

}  // namespace chalk
