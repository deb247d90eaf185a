// How training shows itself: a bar that is redrawn while an epoch runs, a line of a table when it ends.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "chalkgrad/train.h"

namespace chalk::app {

class TrainingDisplay {
 public:
  /// The bar goes to stderr, if that is a terminal; the table to stdout. Quiet: neither. `loss` is what the loss is
  /// called. `validates`: epochs are judged on validation data, not on the test samples.
  TrainingDisplay(std::int64_t epochs, bool quiet, std::string_view loss, bool validates);
  ~TrainingDisplay() { clear(); }
  TrainingDisplay(const TrainingDisplay&) = delete;
  TrainingDisplay& operator=(const TrainingDisplay&) = delete;

  void step(const Progress& now);
  /// `accuracy`, on the test samples or the validation data, is empty for regression, and so is the column.
  void epoch(const Progress& now, std::optional<double> accuracy);

 private:
  void clear() noexcept;
  /// Samples a second in this epoch.
  std::string speed(const Progress& now) const;
  std::string bar(double fraction, int width) const;

  std::int64_t epochs_;
  std::string loss_;
  bool validates_, quiet_, terminal_, colour_;
  bool drawn_ = false, titled_ = false;
  double drawn_at_ = 0;
  // Speed and time left are of training alone: what happens between epochs (testing) is not counted.
  double trained_ = 0, resumed_at_ = 0;  // seconds until the last epoch() / moment since which it trains again
  std::int64_t first_step_ = -1, samples_before_ = 0;  // steps before this run, samples of this epoch before it
  double epoch_seconds_ = 0;
};

}  // namespace chalk::app
