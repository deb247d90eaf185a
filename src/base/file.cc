#include "src/base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "chalkgrad/error.h"
#include "src/base/file_errors.h"
#include "src/base/text.h"

namespace chalk {
namespace {

namespace fs = std::filesystem;

std::string reason(int error) { return std::generic_category().message(error); }

// What to do about an error, as far as its number tells.
const char* advice(int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return "check the spelling, or create the folder first";
    case EACCES:
    case EPERM:
    case EROFS:
      return "choose another place or change its permissions";
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return "free some space or choose another place";
    case EISDIR:
      return "give the name of a file";
    default:
      return "choose another place or try again";
  }
}

}  // namespace

void fail_to_write(const fs::path& path, int error) {
  throw InputError(str(path.string(), ": cannot be written: ", reason(error), "; ", advice(error)));
}

namespace {

// An open file descriptor, closed at the end of its scope.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  int close() {  // late errors (quota, network disks) are reported by close()
    const int fd = fd_;
    fd_ = -1;
    return ::close(fd);
  }

 private:
  int fd_;
};

// Removes the temporary file unless it was renamed.
class Temporary {
 public:
  explicit Temporary(fs::path path) : path_(std::move(path)) {}
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;
  ~Temporary() {
    if (!renamed_) ::unlink(path_.c_str());
  }
  const fs::path& path() const { return path_; }
  void rename_to(const fs::path& target) {
    if (::rename(path_.c_str(), target.c_str()) != 0) fail_to_write(target, errno);
    renamed_ = true;
  }

 private:
  fs::path path_;
  bool renamed_ = false;
};

class DescriptorWriter : public FileWriter {
 public:
  DescriptorWriter(int fd, const fs::path& path) : fd_(fd), path_(path) {}
  using FileWriter::write;
  void write(std::span<const std::uint8_t> bytes) override {
    while (!bytes.empty()) {
      const auto chunk = std::min(bytes.size(), std::size_t{1} << 30);
      const ssize_t done = ::write(fd_, bytes.data(), chunk);
      if (done < 0 && errno == EINTR) continue;
      if (done < 0) fail_to_write(path_, errno);
      bytes = bytes.subspan(static_cast<std::size_t>(done));
    }
  }

 private:
  int fd_;
  const fs::path& path_;
};

// The file that is written: what a symbolic link leads to.
fs::path target_of(const fs::path& path) {
  std::error_code error;
  auto target = fs::is_symlink(path, error) ? fs::canonical(path, error) : path;
  return error ? path : target;
}

fs::path folder_of(const fs::path& path) {
  auto folder = path.parent_path();
  return folder.empty() ? "." : folder;
}

// Makes the rename itself durable. Some file systems cannot; the file is whole all the same.
void flush_folder(const fs::path& file) {
  const Descriptor fd(::open(folder_of(file).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() >= 0) static_cast<void>(::fsync(fd.get()));
}

void write_device(const fs::path& path, const std::function<void(FileWriter&)>& write) {
  Descriptor fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (fd.get() < 0) fail_to_write(path, errno);
  DescriptorWriter writer(fd.get(), path);
  write(writer);
  if (fd.close() != 0) fail_to_write(path, errno);
}

}  // namespace

void FileWriter::write(std::string_view text) {
  write(std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
}

bool holds_something(const fs::path& path) {
  struct stat there {};
  return ::stat(path.c_str(), &there) == 0 && S_ISREG(there.st_mode) && there.st_size > 0;
}

bool same_file(const fs::path& one, const fs::path& other) {
  struct stat a {};
  struct stat b {};
  const bool first = ::stat(one.c_str(), &a) == 0, second = ::stat(other.c_str(), &b) == 0;
  if (!first && !second && one.filename() == other.filename()) {
    return ::stat(folder_of(one).c_str(), &a) == 0 && ::stat(folder_of(other).c_str(), &b) == 0 &&
           a.st_dev == b.st_dev && a.st_ino == b.st_ino;
  }
  return first && second && S_ISREG(a.st_mode) && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

void check_writable(const fs::path& path, Writing how) {
  if (!path.has_filename()) fail_to_write(path.empty() ? "(no name)" : path, EISDIR);
  const auto check = [&](const fs::path& place, int rights) {
    if (::faccessat(AT_FDCWD, place.c_str(), rights, AT_EACCESS) != 0) fail_to_write(path, errno);
  };
  struct stat old {};
  if (::stat(path.c_str(), &old) == 0) {
    if (S_ISDIR(old.st_mode)) fail_to_write(path, EISDIR);
    // To rename over a file takes no right to write it, and root has every right.
    if ((old.st_mode & (S_IWUSR | S_IWGRP | S_IWOTH)) == 0) fail_to_write(path, EACCES);
    check(path, W_OK);
    if (!S_ISREG(old.st_mode) || how == Writing::in_place) return;
  } else if (errno != ENOENT) {
    fail_to_write(path, errno);
  }
  check(folder_of(target_of(path)), W_OK | X_OK);
}

void check_folder_writable(const fs::path& folder) {
  auto place = folder.empty() ? fs::path(".") : folder;
  struct stat there {};
  while (::stat(place.c_str(), &there) != 0) {
    // A link that leads nowhere is no place to make a folder in.
    if (errno != ENOENT || ::lstat(place.c_str(), &there) == 0) fail_to_write(folder, errno);
    place = place.has_filename() ? folder_of(place) : place.parent_path();
  }
  if (!S_ISDIR(there.st_mode)) fail_to_write(folder, ENOTDIR);
  if (::faccessat(AT_FDCWD, place.c_str(), W_OK | X_OK, AT_EACCESS) != 0) fail_to_write(folder, errno);
}

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) fail_to_write(folder, error.value());
}

GrowingFile::GrowingFile(fs::path path)
    : path_(std::move(path)), fd_(::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666)) {
  if (fd_ < 0) fail_to_write(path_, errno);
}

GrowingFile::~GrowingFile() { ::close(fd_); }

void GrowingFile::append(std::span<const std::uint8_t> bytes) {
  DescriptorWriter writer(fd_, path_);
  try {
    writer.write(bytes);
  } catch (const InputError&) {
    static_cast<void>(::ftruncate(fd_, static_cast<off_t>(size_)));
    throw;
  }
  size_ += bytes.size();
}

thread_local const std::function<void(const fs::path& temporary)>* before_rename = nullptr;

void write_file_atomically(const fs::path& path, const std::function<void(FileWriter&)>& write) {
  check_writable(path);
  struct stat old {};
  const bool exists = ::stat(path.c_str(), &old) == 0;
  if (exists && !S_ISREG(old.st_mode)) return write_device(path, write);

  const auto target = target_of(path);
  static std::atomic<unsigned> serial = 0;  // two threads may write the same file: the last rename wins
  const auto name = str(target.string(), ".tmp-", ::getpid(), "-", serial++);
  Descriptor fd(::open(name.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666));
  if (fd.get() < 0) fail_to_write(path, errno);
  Temporary temporary(name);
  if (exists) static_cast<void>(::fchmod(fd.get(), old.st_mode & 07777));
  DescriptorWriter writer(fd.get(), path);
  write(writer);
  if (::fsync(fd.get()) != 0 && errno != EINVAL) fail_to_write(path, errno);
  if (fd.close() != 0) fail_to_write(path, errno);
  if (before_rename) (*before_rename)(temporary.path());
  temporary.rename_to(target);
  flush_folder(target);
}

void write_file_atomically(const fs::path& path, std::span<const std::uint8_t> bytes) {
  write_file_atomically(path, [&](FileWriter& file) { file.write(bytes); });
}

void write_file_atomically(const fs::path& path, std::string_view text) {
  write_file_atomically(path, [&](FileWriter& file) { file.write(text); });
}

std::vector<std::uint8_t> read_file(const fs::path& path, std::size_t max_bytes) {
  const auto fail = [&](int error) {
    throw InputError(str(path.string(), ": cannot be read: ", reason(error), "; ",
                         error == EISDIR   ? "give the name of a file in it"
                         : error == ENOENT ? "check the spelling and the folder"
                                           : "check its permissions and the disk"));
  };
  Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) fail(errno);
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) fail(errno);
  if (S_ISDIR(status.st_mode)) fail(EISDIR);
  const auto fail_long = [&](const std::string& found) {
    throw InputError(str(path.string(), ": is too large: ", found, " bytes, and at most ", max_bytes,
                         " are accepted here; give a smaller file, or check that this is the one you mean"));
  };
  const auto promised = static_cast<std::uint64_t>(std::max<off_t>(status.st_size, 0));
  if (promised > max_bytes) fail_long(std::to_string(promised));

  // Pipes and files in /proc say 0 bytes, and a file may grow: read until the end, whatever was promised.
  std::vector<std::uint8_t> bytes(std::min<std::size_t>(max_bytes, promised) + 1);
  std::size_t size = 0;
  for (;;) {
    if (size == bytes.size()) bytes.resize(std::min(max_bytes + 1, std::max<std::size_t>(2 * size, 65536)));
    const ssize_t got = ::read(fd.get(), bytes.data() + size, std::min(bytes.size() - size, std::size_t{1} << 30));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(errno);
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
    if (size > max_bytes) fail_long("more than " + std::to_string(max_bytes));
  }
  bytes.resize(size);
  return bytes;
}

}  // namespace chalk
