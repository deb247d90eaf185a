#include "apps/chalkgrad/run_events.h"

#include <fmt/core.h>

#include <utility>

#include "src/base/file.h"

namespace chalk::app {

void check_events_folder(const std::string& folder, Events there) {
  check_folder_writable(folder);
  if (there != Events::refuse || !holds_events(folder)) return;
  throw InputError(fmt::format(
      "{}: has the events of another run, which TensorBoard would draw as one with this; give --tensorboard "
      "another folder, or add --overwrite to replace them",
      folder));
}

RunEvents::RunEvents(std::string folder, Events there, const Run& run) : folder_(std::move(folder)), there_(there) {
  if (!wanted()) return;
  check_events_folder(folder_, there_);
  events_.emplace(folder_, run.network, run.data.train);
}

void RunEvents::step(const Progress& now) {
  if (!wanted()) return;
  if (std::exchange(there_, Events::go_on) == Events::replace) remove_events(folder_);
  events_->step(now);
}

void RunEvents::epoch(const Progress& now, const Judged& judged) {
  if (wanted()) events_->epoch(now, judged);
}

void RunEvents::listen(Run& run) {
  if (!wanted()) return;
  run.options.on_step = [this](const Progress& now) { step(now); };
  run.options.on_epoch = [this, &run](const Progress& now) { epoch(now, judged(run, now)); };
}

Judged judged(Run& run, const Progress& now) {
  // Whoever chooses by validation looks at the test samples once, in the end.
  if (run.options.validation) return {"validation", now.validation_loss, now.validation_accuracy};
  const auto seen = test(run);
  return {"test", seen.loss, seen.accuracy};
}

}  // namespace chalk::app
