#include "src/base/file_claim.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "chalkgrad/error.h"
#include "src/base/text.h"

namespace chalk {
namespace {

void close_file(int file) {
  if (file >= 0) ::close(file);
}

bool is_same(const struct stat& a, const struct stat& b) { return a.st_dev == b.st_dev && a.st_ino == b.st_ino; }

}  // namespace

FileClaim::FileClaim(std::filesystem::path path) : path_(std::move(path)) { take(); }
FileClaim::~FileClaim() { close_file(file_); }

void FileClaim::write(const std::function<void()>& replace) {
  take();
  replace();
  take();
}

/// Claims what is at the path now, if that is a file.
void FileClaim::take() {
  struct stat there {};
  struct stat mine {};
  if (::stat(path_.c_str(), &there) != 0 || !S_ISREG(there.st_mode)) return;
  if (file_ >= 0 && ::fstat(file_, &mine) == 0 && is_same(there, mine)) return;
  const int file = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return;
  if (::flock(file, LOCK_EX | LOCK_NB) != 0) {
    const bool taken = errno == EWOULDBLOCK;
    close_file(file);
    if (!taken) return;  // no locks here
    throw InputError(
        str(path_.string(), ": another run is writing this file; wait until it has ended, or write to another file"));
  }
  close_file(std::exchange(file_, file));
}

}  // namespace chalk
