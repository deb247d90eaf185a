// The log of a training run: one JSON object a line, appended.
#pragma once

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "apps/chalkgrad/json.h"

namespace chalk::app {

class TrainLog {
 public:
  /// What every log begins with.
  static constexpr std::string_view kBeginning = "{\"start\":";

  /// If the path is empty, nothing is ever written.
  explicit TrainLog(std::string path) : path_(std::move(path)) {}

  bool wanted() const { return !path_.empty(); }
  /// Writes a line at once. The first one opens the file: a log that is there is added to, another file replaced.
  /// Throws InputError if it cannot be written (a full disk).
  void line(const Json& object);

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::string path_;
  std::unique_ptr<std::FILE, Close> file_;
};

}  // namespace chalk::app
