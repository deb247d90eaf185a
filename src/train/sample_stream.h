// The samples of a run whose data are not in memory.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "chalkgrad/train_options.h"
#include "src/base/read_ahead.h"

namespace chalk {

/// Samples are made by a few threads in the background, ahead of the steps and in the order in which these take them,
/// across the end of an epoch. What a sample is depends on row and epoch alone.
///
/// With TrainOptions::skip_bad, a sample that cannot be made any more is replaced by that of the next row that can, the
/// first row following the last, for the rest of the run; stand_in() tells for whose target to ask.
class SampleStream {
 public:
  /// Writes the sample of a row in an epoch. Called by any thread.
  using Make = std::function<void(std::uint32_t row, std::uint64_t epoch, std::uint8_t* to)>;

  struct Size {
    std::size_t sample = 1;   ///< bytes
    std::size_t samples = 1;  ///< in an epoch
  };
  /// Begins with the samples of a step.
  SampleStream(const Size& size, const TrainOptions& options, std::int64_t first_step, int threads, Make make);

  /// A step begins, whose rows are those of an epoch's order from place `first` on; its samples and those that follow
  /// can be read from now on without delay. Not to be called while others read.
  void begin_step(std::uint64_t epoch, std::span<const std::uint32_t> order, std::size_t first);
  /// Writes the sample of a row in the epoch of the step, or in an earlier one. Throws what `make` throws. Allocates
  /// nothing.
  void read(std::uint32_t row, std::uint64_t epoch, std::uint8_t* to);
  /// Which row a row has become, once its sample was read.
  std::uint32_t stand_in(std::uint32_t row) const;

  /// Of all threads that read together.
  double seconds_waited() const { return ahead_->seconds_waited(); }
  /// Why samples could not be made, of those that have been replaced since it was asked last.
  std::vector<std::string> take_replaced();

 private:
  struct Order {
    std::optional<std::uint64_t> epoch{};
    std::vector<std::uint32_t> rows{};
  };
  std::uint32_t row_at(std::uint64_t number);
  void make(std::uint32_t row, std::uint64_t epoch, std::uint8_t* to);

  const Size size_;
  const std::uint64_t seed_;
  const Make make_;
  std::vector<std::uint32_t> places_;  // of each row in the epoch's order
  std::uint64_t epoch_ = 0;            // whose places these are
  bool has_places_ = false;
  std::unique_ptr<std::atomic<bool>[]> bad_;  // of each row; null: an error ends the run

  std::mutex mutex_;             // of what follows
  std::array<Order, 2> orders_;  // of an epoch and the next one
  std::vector<std::string> replaced_;

  std::unique_ptr<ReadAhead> ahead_;  // ends first, as its threads use all else
};

}  // namespace chalk
