#include "src/base/file_in_making.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "chalkgrad/error.h"
#include "src/base/file_errors.h"
#include "src/base/text.h"

namespace chalk {
namespace {

/// Takes the lock; false at once if another has it and `wait` does not say otherwise.
bool lock(int file, bool wait, const std::filesystem::path& path) {
  while (::flock(file, wait ? LOCK_EX : LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return false;
    if (errno == EINTR) continue;
    throw InputError(str(path.string(), ": cannot be locked: ", std::generic_category().message(errno),
                         "; choose a place on another file system"));
  }
  return true;
}

/// Whether a name leads to an open file.
bool leads_to(const std::filesystem::path& path, int file) {
  struct stat there {
  }, here{};
  return ::stat(path.c_str(), &there) == 0 && ::fstat(file, &here) == 0 && there.st_dev == here.st_dev &&
         there.st_ino == here.st_ino;
}

}  // namespace

FileInMaking::FileInMaking(std::filesystem::path path, const std::function<void()>& waiting)
    : path_(std::move(path)), part_(path_.string() + ".part") {
  for (;;) {
    file_ = ::open(part_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (file_ < 0) fail_to_write(path_, errno);
    try {
      if (!lock(file_, /*wait=*/false, path_)) {
        if (waiting) waiting();
        lock(file_, /*wait=*/true, path_);
      }
    } catch (...) {
      ::close(file_);
      throw;
    }
    if (leads_to(part_, file_)) return;  // otherwise the one before has renamed or removed it
    ::close(file_);
  }
}

FileInMaking::~FileInMaking() {
  if (!finished_) ::unlink(part_.c_str());
  ::close(file_);
}

void FileInMaking::begin(std::uint64_t size) {
  if (::ftruncate(file_, 0) != 0) fail_to_write(path_, errno);
  if (size == 0) return;
  if (const int error = ::posix_fallocate(file_, 0, static_cast<off_t>(size)); error != 0) fail_to_write(path_, error);
}

void FileInMaking::write(std::uint64_t offset, std::span<const std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const auto done = ::pwrite(file_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) fail_to_write(path_, done < 0 ? errno : ENOSPC);
    offset += static_cast<std::uint64_t>(done);
    bytes = bytes.subspan(static_cast<std::size_t>(done));
  }
}

void FileInMaking::finish() {
  if (::fsync(file_) != 0 || ::rename(part_.c_str(), path_.c_str()) != 0) fail_to_write(path_, errno);
  finished_ = true;
}

bool read_at(int file, std::uint64_t offset, std::span<std::uint8_t> to) {
  while (!to.empty()) {
    const auto got = ::pread(file, to.data(), to.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    offset += static_cast<std::uint64_t>(got);
    to = to.subspan(static_cast<std::size_t>(got));
  }
  return true;
}

}  // namespace chalk
