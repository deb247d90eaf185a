// The log of a training run: one JSON object a line, appended.
#pragma once

#include <cstdio>
#include <memory>
#include <string>

#include "apps/chalkgrad/json.h"

namespace chalk::app {

class TrainLog {
 public:
  /// Nothing is written if the path is empty. Throws InputError if the file cannot be opened.
  explicit TrainLog(std::string path);

  bool is_open() const { return file_ != nullptr; }
  /// Writes a line at once. Throws InputError if it cannot be written (a full disk).
  void line(const Json& object);

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::string path_;
  std::unique_ptr<std::FILE, Close> file_;
};

}  // namespace chalk::app
