#include "apps/chalkgrad/train_log.h"

#include <cerrno>
#include <system_error>

#include "apps/chalkgrad/command.h"
#include "chalkgrad/error.h"

namespace chalk::app {

void TrainLog::line(const Json& object) {
  if (!wanted()) return;
  if (!file_) file_.reset(std::fopen(path_.c_str(), adds_to(path_, kBeginning) ? "a" : "w"));
  if (!file_) throw InputError(path_ + ": cannot be opened for the log: " + std::generic_category().message(errno));
  const auto text = object.text() + "\n";
  if (std::fwrite(text.data(), 1, text.size(), file_.get()) != text.size() || std::fflush(file_.get()) != 0) {
    throw InputError(path_ + ": the log cannot be written: " + std::generic_category().message(errno));
  }
}

}  // namespace chalk::app
