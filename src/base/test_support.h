// What the tests of this room share.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "chalkgrad/error.h"

namespace chalk::testing_support {

/// What the InputError thrown by `action` says.
template <class Action>
std::string input_error(Action action) {
  try {
    action();
  } catch (const InputError& error) {
    return error.what();
  }
  return "(no InputError)";
}

/// A temporary folder, removed at the end.
class Folder {
 public:
  Folder() {
    std::string pattern = testing::TempDir() + "chalkgrad-XXXXXX";
    path_ = ::mkdtemp(pattern.data());
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path_); }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline std::filesystem::path source(const std::string& path) {
  return std::filesystem::path(CHALKGRAD_SOURCE_DIR) / path;
}

inline constexpr std::size_t kAnySize = std::size_t{1} << 26U;

}  // namespace chalk::testing_support
