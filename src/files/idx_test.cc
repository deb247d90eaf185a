#include "src/files/idx.h"

#include <zlib.h>

#include "src/base/file.h"
#include "src/base/test_support.h"
#include "src/files/gzip.h"

namespace chalk {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing_support::input_error;
using testing_support::kAnySize;
using testing_support::source;

TEST(Idx, ReadsExtentsAndBytes) {
  const auto tensor = load_idx(source("fuzz/corpus/idx/images"), IdxKind::images);
  EXPECT_THAT(tensor.extents, ElementsAre(2, 2, 3));
  EXPECT_THAT(tensor.bytes, ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11));
  EXPECT_THAT(load_idx(source("fuzz/corpus/idx/labels"), IdxKind::labels).bytes, ElementsAre(7, 0, 9));
}

TEST(Idx, KeepsTheMemoryOfBytesGivenAway) {
  auto bytes = read_file(source("fuzz/corpus/idx/images"), kAnySize);
  const auto* memory = bytes.data();
  EXPECT_EQ(parse_idx(std::move(bytes), "images").bytes.data(), memory);
}

TEST(Idx, ReadsGzip) {
  for (const char* name : {"fuzz/corpus/idx/images.gz", "fuzz/corpus/idx/joined.gz"}) {
    const auto tensor = load_idx(source(name), IdxKind::images);
    EXPECT_THAT(tensor.extents, ElementsAre(2, 2, 3));
    EXPECT_EQ(tensor.bytes.size(), 12U);
  }
}

TEST(Idx, MessageGivesTheWholePath) {
  const auto path = source("tests/bad/idx/labels-too-long");
  EXPECT_THAT(input_error([&] { load_idx(path, IdxKind::labels); }), testing::StartsWith(path.string() + ": too long"));
}

// Cut anywhere, a file must not be taken for a whole one.
TEST(Idx, EveryTruncationIsAnError) {
  for (const char* name : {"images", "images.gz"}) {
    const auto bytes = read_file(source("fuzz/corpus/idx/") / name, kAnySize);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const std::vector cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
      EXPECT_THROW(parse_idx(cut, name, IdxKind::images), InputError) << name << " " << size;
    }
  }
}

TEST(Gunzip, StopsAtItsLimit) {
  const auto bomb = read_file(source("tests/bad/idx/labels-bomb.gz"), kAnySize);
  EXPECT_EQ(gunzip(bomb, 1000, "bomb").size(), 1000U);
  EXPECT_EQ(gunzip(bomb, kAnySize, "bomb").size(), 10'000'011U);
}

TEST(Gunzip, EmptyInputIsTruncated) {
  EXPECT_THAT(input_error([] { gunzip({}, 10, "x.gz"); }), HasSubstr("end early"));
}

}  // namespace
}  // namespace chalk
