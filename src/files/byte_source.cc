#include "src/files/byte_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "chalkgrad/error.h"
#include "src/base/file_in_making.h"
#include "src/base/text.h"
#include "src/base/wording.h"
#include "src/files/array.h"
#include "src/files/gzip.h"

namespace chalk {
namespace {

class InMemory : public ByteSource {
 public:
  explicit InMemory(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}
  explicit InMemory(std::vector<std::uint8_t> bytes) : own_(std::move(bytes)), bytes_(own_) {}
  std::uint64_t size() const override { return bytes_.size(); }
  bool in_memory() const override { return true; }
  void read(std::uint64_t at, std::span<std::uint8_t> to) const override {
    std::ranges::copy(bytes_.subspan(static_cast<std::size_t>(at), to.size()), to.begin());
  }

 private:
  std::vector<std::uint8_t> own_;
  std::span<const std::uint8_t> bytes_;
};

/// A file that is open. Others may replace it meanwhile: what is open stays.
class InFile : public ByteSource {
 public:
  InFile(int file, std::uint64_t size, std::string name) : file_(file), size_(size), name_(std::move(name)) {}
  ~InFile() override { ::close(file_); }
  InFile(const InFile&) = delete;
  InFile& operator=(const InFile&) = delete;
  std::uint64_t size() const override { return size_; }
  bool in_memory() const override { return false; }
  void read(std::uint64_t at, std::span<std::uint8_t> to) const override {
    if (read_at(file_, at, to)) return;
    throw InputError(str(name_, ": cannot be read at byte ", grouped(at), " of ", grouped(size_),
                         ", which it had when it was opened; leave it as it is while it is used, or check the disk"));
  }

 private:
  int file_;
  std::uint64_t size_;
  std::string name_;
};

}  // namespace

SharedBytes bytes_of(std::span<const std::uint8_t> bytes) { return std::make_shared<InMemory>(bytes); }

SharedBytes open_unpacked(const std::filesystem::path& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file >= 0) {
    struct stat about {};
    std::array<std::uint8_t, 2> mark{};
    if (::fstat(file, &about) == 0 && S_ISREG(about.st_mode) && read_at(file, 0, mark) && !is_gzip(mark))
      return std::make_shared<InFile>(file, static_cast<std::uint64_t>(about.st_size), path.string());
    ::close(file);
  }
  return std::make_shared<InMemory>(read_unpacked(path));
}

}  // namespace chalk
