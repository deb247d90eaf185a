// What tests share.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <functional>
#include <string>

#include "chalkgrad/error.h"
#include "src/base/sanitizer.h"

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

/// Of cases that lead through the same code, one in so many is run: all, but fewer under sanitizers, where each takes
/// ten times as long (CHALKGRAD_ONE_IN).
inline std::size_t one_in() {
  const char* set = std::getenv("CHALKGRAD_ONE_IN");
  return set ? std::max<std::size_t>(1, std::strtoull(set, nullptr, 10)) : 1;
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

/// What `check` returns in a process of its own, which may change its rights and limits; or how that process ended.
/// A process that hangs is ended after a while.
inline std::string in_child(const std::function<std::string()>& check) {
  int ends[2];
  if (::pipe(ends) != 0) return "no pipe";
  const auto child = ::fork();
  if (child == 0) {
    ::alarm(60);
    std::string said;
    try {
      said = check();
    } catch (const std::exception& error) {
      said = error.what();
    }
    _exit(::write(ends[1], said.data(), said.size()) == static_cast<ssize_t>(said.size()) ? 0 : 1);
  }
  ::close(ends[1]);
  std::string said;
  char part[4096];
  for (ssize_t n = 0; (n = ::read(ends[0], part, sizeof part)) > 0;) said.append(part, static_cast<std::size_t>(n));
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) said += "(ended by signal " + std::to_string(WTERMSIG(status)) + ")";
  return said;
}

/// ThreadSanitizer ends a forked process that starts threads.
inline constexpr bool kMayForkWithThreads = !CHALK_TSAN;

inline std::filesystem::path source(const std::string& path) {
  return std::filesystem::path(CHALKGRAD_SOURCE_DIR) / path;
}

inline constexpr std::size_t kAnySize = std::size_t{1} << 26U;

}  // namespace chalk::testing_support
