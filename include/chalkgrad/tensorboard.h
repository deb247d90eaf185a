// What TensorBoard shows: event files.
//
//   EventWriter events("runs/first");
//   events.scalar("loss/train", step, loss);
//   events.histogram("conv1.weight", step, weights);
//
// then: tensorboard --logdir runs. training_events.h writes them for a training run.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string_view>

#include "chalkgrad/image.h"

namespace chalk {

/// Adds a file to a folder, which is a run to TensorBoard. Files are those that PyTorch's SummaryWriter and TensorFlow
/// 1 write (https://github.com/tensorflow/tensorboard/blob/2.21.0/tensorboard/compat/proto/event.proto), so that
/// whatever reads these shows the same. A tag names what is shown; those with the same text before the first '/' are
/// shown together. Of one tag, each step must be above the one before, also from file to file, unless the later file
/// says where it goes on.
///
/// Functions throw InputError if the file cannot be written: nothing is left of what did not go in whole. What is told
/// is in the file a second later at the next call, or at flush().
class EventWriter {
 public:
  /// Makes the folder, if it is not there. What earlier files in it say of step `from` and later ones holds no longer:
  /// a run that was killed and goes on from a checkpoint gives the step that comes next. So a folder is for one writer
  /// at a time.
  explicit EventWriter(const std::filesystem::path& folder, std::int64_t from = 0);
  /// Writes what is left, if it can.
  ~EventWriter();
  EventWriter(EventWriter&&) noexcept;
  EventWriter& operator=(EventWriter&&) noexcept;

  /// Shown in 32 bits. May be NaN or infinite. Allocates nothing, except for a tag that is longer than any before.
  void scalar(std::string_view tag, std::int64_t step, double value);
  /// How many of the values are where: in 30 intervals of equal width from the least to the greatest, each with its
  /// lower end (fewer if floats are too near each other for that). Throws InputError if there is no value, or one that
  /// is not finite.
  void histogram(std::string_view tag, std::int64_t step, std::span<const float> values);
  /// Throws InputError for an image that encode_png() does not take.
  void image(std::string_view tag, std::int64_t step, const Image& image);
  /// Shown as Markdown.
  void text(std::string_view tag, std::int64_t step, std::string_view markdown);
  void flush();

  const std::filesystem::path& file() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Whether there are event files in that folder itself.
bool holds_events(const std::filesystem::path& folder);
/// Removes them. Throws InputError.
void remove_events(const std::filesystem::path& folder);

}  // namespace chalk
