#include "src/files/tar.h"

#include "src/base/file.h"
#include "src/base/test_support.h"
#include "src/base/text.h"

namespace chalk {
namespace {

using testing::HasSubstr;
using testing_support::input_error;

using Bytes = std::vector<std::uint8_t>;

Bytes seed(const char* name) {
  return read_file(testing_support::source("fuzz/corpus/tar") / name, testing_support::kAnySize);
}

std::vector<std::string> listing(const Bytes& archive) {
  std::vector<std::string> lines;
  for (const auto& file : read_tar(archive, "a.tar")) {
    lines.push_back(str(file.name, " ", file.bytes.size(), " ", file.bytes.empty() ? 0 : int{file.bytes.back()}));
  }
  return lines;
}

TEST(Tar, EveryFormGivesTheSameFiles) {
  const std::string folder(120, 'f');
  const std::vector<std::string> expected = {"folder/one 600 87", "folder/empty 0 0", folder + "/two 512 255"};
  for (const char* name : {"ustar", "gnu", "pax"}) EXPECT_EQ(listing(seed(name)), expected) << name;
  EXPECT_EQ(listing(seed("v7")), (std::vector<std::string>{"one 600 87"}));
  EXPECT_TRUE(listing(seed("none")).empty());
}

// Nothing but a whole archive is read, and no cut makes it read beyond what is there.
TEST(Tar, IsDamagedIfItIsCutAnywhere) {
  const auto whole = seed("gnu");
  const auto files = listing(whole);
  const std::size_t end = whole.size() - whole.size() % 512;
  std::size_t refused = 0;
  for (std::size_t size = 0; size < end; size += 37) {
    const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    const auto message = input_error([&] { read_tar(cut, "a.tar"); });
    if (message == "(no InputError)") {
      EXPECT_EQ(listing(cut), files) << size;  // only zeros are missing
      continue;
    }
    EXPECT_THAT(message, HasSubstr("a.tar: the tar archive is damaged (")) << size;
    ++refused;
  }
  EXPECT_GT(refused, 50U);
}

TEST(Tar, AChangedBitOfAHeaderIsNoticed) {
  auto archive = seed("ustar");
  for (std::size_t bit = 0; bit < 148 * 8; bit += 7) {
    archive[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    EXPECT_THAT(input_error([&] { read_tar(archive, "a.tar"); }), HasSubstr("checksum")) << bit;
    archive[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
  }
}

}  // namespace
}  // namespace chalk
