// One writer for a file that is replaced again and again.
#pragma once

#include <filesystem>
#include <functional>

namespace chalk {

/// Two programs that save to one file would destroy each other's work without noticing. While a claim lives, another
/// one to the same file, of this process or another, is refused. The system takes it back when the process ends,
/// however that happens, and no file is needed beside the claimed one: the claim is a lock (flock) of the file itself,
/// and moves to each new one that takes its place. Where the file system knows no locks, and of what is no regular
/// file, nothing is claimed.
class FileClaim {
 public:
  /// The file need not be there yet; of two claims to such a file, the second to write it is refused then. Throws
  /// InputError if another claim has it.
  explicit FileClaim(std::filesystem::path path);
  ~FileClaim();
  FileClaim(const FileClaim&) = delete;
  FileClaim& operator=(const FileClaim&) = delete;

  /// Calls `replace`, which puts a new file in the place of the old one by write_file_atomically(). Throws InputError
  /// if another claim has the file, before the call or, if both wrote it at once, after it.
  void write(const std::function<void()>& replace);

 private:
  void take();

  std::filesystem::path path_;
  int file_ = -1;  // the claimed file, open; −1: none
};

}  // namespace chalk
