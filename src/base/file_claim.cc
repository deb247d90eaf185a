#include "src/base/file_claim.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "chalkgrad/error.h"
#include "src/base/file.h"
#include "src/base/text.h"

namespace chalk {
namespace {

constexpr int kMostTries = 1000;  // of a file that somebody replaces each time

void close_file(int file) {
  if (file >= 0) ::close(file);
}

struct OpenFile {
  explicit OpenFile(int number_ = -1) : number(number_) {}
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile() { close_file(number); }
  int number;
};

/// While it lives, files that this thread writes are claimed.
class Hook {
 public:
  explicit Hook(const std::function<void(const std::filesystem::path&)>& claim) { before_rename = &claim; }
  Hook(const Hook&) = delete;
  Hook& operator=(const Hook&) = delete;
  ~Hook() { before_rename = before_; }

 private:
  const std::function<void(const std::filesystem::path&)>* before_ = before_rename;
};

bool is_same(const struct stat& a, const struct stat& b) { return a.st_dev == b.st_dev && a.st_ino == b.st_ino; }

}  // namespace

FileClaim::FileClaim(std::filesystem::path path) : path_(std::move(path)) { take(); }
FileClaim::~FileClaim() { close_file(file_); }

void FileClaim::write(const std::function<void()>& replace) {
  take();
  OpenFile next;  // claimed before it takes the old one's place
  const std::function<void(const std::filesystem::path&)> claim = [&](const std::filesystem::path& temporary) {
    OpenFile file(::open(temporary.c_str(), O_RDONLY | O_CLOEXEC));
    if (file.number >= 0 && ::flock(file.number, LOCK_EX | LOCK_NB) == 0) std::swap(next.number, file.number);
  };
  {
    const Hook hook(claim);
    replace();
  }
  if (next.number >= 0) std::swap(file_, next.number);
  take();
}

/// Claims what is at the path now, if that is a file. One that was replaced between finding and claiming it is not the
/// path's any more: then the new one.
void FileClaim::take() {
  struct stat there {};
  struct stat mine {};
  for (int tries = 0; tries < kMostTries; ++tries) {
    if (::stat(path_.c_str(), &there) != 0 || !S_ISREG(there.st_mode)) return;
    if (file_ >= 0 && ::fstat(file_, &mine) == 0 && is_same(there, mine)) return;
    OpenFile file(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
    if (file.number < 0) return;
    if (::flock(file.number, LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK) return;  // no locks here
      break;
    }
    std::swap(file_, file.number);
  }
  if (file_ >= 0 && ::fstat(file_, &mine) == 0 && ::stat(path_.c_str(), &there) == 0 && is_same(there, mine)) return;
  throw InputError(
      str(path_.string(), ": another run is writing this file; wait until it has ended, or write to another file"));
}

}  // namespace chalk
