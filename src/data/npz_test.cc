#include "src/data/npz.h"

#include <zip.h>

#include <cstring>
#include <memory>

#include "src/base/file.h"
#include "src/data/test_support.h"

namespace chalk {
namespace {

using testing::HasSubstr;
using testing_support::Folder;
using testing_support::input_error;

NpzWriter example() {
  NpzWriter npz;
  npz.add("x", {2, 3}, std::vector<float>{1, 2, 3, 4, 5, 6});
  npz.add("conv1/W", {}, std::vector<double>{0.1});
  npz.add("labels", {2}, std::vector<std::int64_t>{-1, std::int64_t{1} << 40});
  npz.add("none", {0, 4}, std::vector<float>{});
  return npz;
}

std::string contents_of(const std::filesystem::path& path, const char* name) {
  const std::unique_ptr<zip_t, void (*)(zip_t*)> archive(zip_open(path.c_str(), ZIP_RDONLY, nullptr), zip_discard);
  zip_stat_t status;
  if (archive == nullptr || zip_stat(archive.get(), name, 0, &status) != 0) return "no such file";
  EXPECT_EQ(status.comp_method, ZIP_CM_STORE);
  std::string text(status.size, '\0');
  auto* file = zip_fopen(archive.get(), name, 0);
  EXPECT_EQ(zip_fread(file, text.data(), text.size()), static_cast<zip_int64_t>(text.size()));
  zip_fclose(file);
  return text;
}

TEST(Npz, HoldsNpyFiles) {
  Folder folder;
  example().save(folder / "a.npz");
  const auto x = contents_of(folder / "a.npz", "x.npy");
  ASSERT_EQ(x.size(), 128 + 6 * sizeof(float));
  EXPECT_EQ(x.substr(0, 8), std::string("\x93NUMPY\x01\0", 8));
  EXPECT_EQ(static_cast<unsigned char>(x[8]) + 256 * static_cast<unsigned char>(x[9]), 118);
  EXPECT_EQ(x.substr(10, 61), "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3, ), }");
  EXPECT_EQ(x[127], '\n');
  float last = 0;
  std::memcpy(&last, x.data() + x.size() - sizeof(last), sizeof(last));
  EXPECT_EQ(last, 6);
  EXPECT_THAT(contents_of(folder / "a.npz", "conv1/W.npy"), HasSubstr("'<f8', 'fortran_order': False, 'shape': (), }"));
  EXPECT_THAT(contents_of(folder / "a.npz", "labels.npy"),
              HasSubstr("'<i8', 'fortran_order': False, 'shape': (2, ), }"));
  EXPECT_THAT(contents_of(folder / "a.npz", "none.npy"), HasSubstr("'shape': (0, 4, )"));
}

TEST(Npz, SameArraysGiveTheSameBytes) { EXPECT_EQ(example().serialize(), example().serialize()); }

TEST(Npz, EmptyIsAnArchive) { EXPECT_EQ(NpzWriter().serialize().size(), 22U); }

TEST(Npz, RefusesBadNamesAndSizes) {
  const std::vector<float> one{1};
  for (const std::string name : {"", "/a", "a/", "a//b", "../a", "a/../b", ".", "a\\b", "a\nb"}) {
    NpzWriter npz;
    EXPECT_THAT(input_error([&] { npz.add(name, {1}, one); }), HasSubstr("; use a name like conv1 or conv1/W")) << name;
  }
  NpzWriter npz;
  npz.add("a", {1}, one);
  EXPECT_EQ(input_error([&] { npz.add("a", {1}, one); }),
            "npz: array \"a\" was added twice; give every array its own name");
  EXPECT_EQ(input_error([&] { npz.add("b", {2}, one); }),
            "npz: array \"b\" of shape 2 has 1 values; give one for each element");
  EXPECT_THAT(input_error([&] { npz.add("b", {-1, -1}, one); }), HasSubstr("has 1 values"));
}

TEST(Npz, UnwritablePlaceIsNamed) {
  EXPECT_THAT(input_error([] { example().save("/no/such/folder/a.npz"); }),
              HasSubstr("/no/such/folder/a.npz: cannot be written: No such file or directory"));
}

}  // namespace
}  // namespace chalk
