// Whole files, read and written so that nothing is ever left half done.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

namespace chalk {

/// Where the callback of write_file_atomically puts its bytes. Every write is checked: InputError on failure.
class FileWriter {
 public:
  virtual ~FileWriter() = default;
  virtual void write(std::span<const std::uint8_t> bytes) = 0;
  void write(std::string_view text);
};

/// Writes `path` so that others see the old file or the whole new one, never a part: the bytes go to
/// PATH.tmp-PID-N in the same folder, are flushed to the disk, and that file is renamed. The permissions of a file that
/// is replaced are kept; a read-only one is not replaced, not even by root; a symbolic link is followed. A device or
/// pipe (/dev/stdout) is written directly.
/// Throws InputError saying what failed, where and why (a missing or read-only folder, a full disk), or whatever
/// `write` throws; then neither the temporary file nor a partial one is left behind.
void write_file_atomically(const std::filesystem::path& path, const std::function<void(FileWriter&)>& write);
void write_file_atomically(const std::filesystem::path& path, std::span<const std::uint8_t> bytes);
void write_file_atomically(const std::filesystem::path& path, std::string_view text);

/// If it is not null, what write_file_atomically() on this thread does with the whole file under its temporary name,
/// before that becomes the file's own: a FileClaim takes it over then, so that nobody finds it unclaimed.
extern thread_local const std::function<void(const std::filesystem::path& temporary)>* before_rename;

/// A new file that grows while the program works: each append is there for others, and stays if the process is killed.
/// It is not flushed to the disk.
class GrowingFile {
 public:
  /// Throws InputError if the file is there already or cannot be made.
  explicit GrowingFile(std::filesystem::path path);
  GrowingFile(const GrowingFile&) = delete;
  GrowingFile& operator=(const GrowingFile&) = delete;
  ~GrowingFile();

  const std::filesystem::path& path() const { return path_; }
  /// All of the bytes; or, with InputError, none of them: what went in before the disk was full is cut off again.
  void append(std::span<const std::uint8_t> bytes);

 private:
  std::filesystem::path path_;
  int fd_;
  std::uint64_t size_ = 0;
};

/// Whether a file that is there is replaced by a new one or added to.
enum class Writing : std::uint8_t { anew, in_place };
/// Throws what write_file_atomically() would for a place that cannot be written, as far as that shows without writing.
void check_writable(const std::filesystem::path& path, Writing how = Writing::anew);

/// Throws what making files in that folder would, as far as that shows without making it; the folder and those above it
/// need not be there yet.
void check_folder_writable(const std::filesystem::path& folder);
/// Makes the folder and those above it, where they are not there. Throws InputError.
void make_folder(const std::filesystem::path& folder);

/// Whether there is something at that place that writing would destroy. A device and an empty file hold nothing.
bool holds_something(const std::filesystem::path& path);

/// Whether two names lead to one file, which need not be there yet. A device is none.
bool same_file(const std::filesystem::path& one, const std::filesystem::path& other);

/// All bytes of a file (or pipe), which may be empty. Throws InputError if it is missing, a folder, unreadable, or
/// longer than `max_bytes`; memory use stays below about twice `max_bytes` whatever is read.
std::vector<std::uint8_t> read_file(const std::filesystem::path& path, std::size_t max_bytes);

}  // namespace chalk
