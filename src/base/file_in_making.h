// A large file that takes a while to make, which several programs may want at once.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>

namespace chalk {

/// The file is made as PATH.part and then renamed, so others see a whole file or none. One that is being made is locked
/// (flock): another program that wants to make it waits. The system takes the lock back when the program ends, however
/// that happens; what it left is written over by the next one.
class FileInMaking {
 public:
  /// Waits until no other program makes the file. `waiting` is called first if it has to wait. Throws InputError if the
  /// place cannot be written, or locked.
  explicit FileInMaking(std::filesystem::path path, const std::function<void()>& waiting = {});
  /// Leaves nothing behind, unless it was finished.
  ~FileInMaking();
  FileInMaking(const FileInMaking&) = delete;
  FileInMaking& operator=(const FileInMaking&) = delete;

  /// Forgets what was written so far, and books room for so many bytes. Throws InputError if there is not as much.
  void begin(std::uint64_t size);
  /// May be called by several threads at once. Throws InputError.
  void write(std::uint64_t offset, std::span<const std::uint8_t> bytes);
  /// What was written is on the disk now and at its place, with the size that it has. Throws InputError.
  void finish();

 private:
  std::filesystem::path path_, part_;
  int file_ = -1;
  bool finished_ = false;
};

/// Reads exactly so many bytes of an open file from an offset on; false if there are not as many, or an error comes.
bool read_at(int file, std::uint64_t offset, std::span<std::uint8_t> to);

}  // namespace chalk
