// train --tensorboard: which folders events go to.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "apps/chalkgrad/training_run.h"
#include "chalkgrad/training_events.h"

namespace chalk::app {

/// What to do about events that are in a folder already.
enum class Events : std::uint8_t { refuse, replace, go_on };

/// Throws InputError if events cannot go to that folder.
void check_events_folder(const std::string& folder, Events there);

/// Events of a run, if there is a folder for them.
class RunEvents {
 public:
  RunEvents(std::string folder, Events there, const Run& run);

  bool wanted() const { return !folder_.empty(); }
  void step(const Progress& now);
  void epoch(const Progress& now, const Judged& judged);
  /// Is told by the run itself, if there is a folder. Both must then stay where they are.
  void listen(Run& run);

 private:
  std::string folder_;
  Events there_;
  std::optional<TrainingEvents> events_;
};

/// How good the network is at the end of an epoch.
Judged judged(Run& run, const Progress& now);

}  // namespace chalk::app
