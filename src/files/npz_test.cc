#include "chalkgrad/npz.h"

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>

#include "src/base/file.h"
#include "src/base/test_support.h"
#include "src/base/text.h"

namespace chalk {
namespace {

using testing::HasSubstr;
using testing_support::Folder;
using testing_support::input_error;

NpzWriter example_arrays() {
  NpzWriter npz;
  npz.add("x", {2, 3}, std::vector<float>{1, 2, 3, 4, 5, 6});
  npz.add("conv1/W", {}, std::vector<double>{0.1});
  npz.add("labels", {2}, std::vector<std::int64_t>{-1, std::int64_t{1} << 40});
  npz.add("none", {0, 4}, std::vector<float>{});
  return npz;
}

/// What Python finds in an archive, whose checksums it compares: contents by name.
std::map<std::string, std::string> unzipped(const std::vector<std::uint8_t>& archive) {
  Folder folder;
  write_file_atomically(folder / "a.npz", archive);
  std::ofstream(folder / "read.py") << R"(import sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as archive:
    for entry in archive.infolist():
        assert entry.compress_type == zipfile.ZIP_STORED
        assert entry.date_time == (1980, 1, 1, 0, 0, 0)
        data = archive.read(entry)
        sys.stdout.buffer.write(b"%s %d\n%s" % (entry.filename.encode(), len(data), data))
)";
  const char* python = std::getenv("CHALKGRAD_PYTHON");
  const auto command =
      str(python ? python : "python3", " ", folder / "read.py", " ", folder / "a.npz", " >", folder / "out");
  EXPECT_EQ(std::system(command.c_str()), 0);  // NOLINT(cert-env33-c)
  std::ifstream out(folder / "out", std::ios::binary);
  std::map<std::string, std::string> files;
  std::string name;
  for (std::size_t size = 0; out >> name >> size && out.get() == '\n';) {
    std::string data(size, '\0');
    out.read(data.data(), static_cast<std::streamsize>(size));
    files[name] = data;
  }
  return files;
}

TEST(Npz, HoldsNpyFiles) {
  const auto files = unzipped(example_arrays().serialize());
  ASSERT_EQ(files.size(), 4U);
  const auto& x = files.at("x.npy");
  ASSERT_EQ(x.size(), 128 + 6 * sizeof(float));
  EXPECT_EQ(x.substr(0, 8), std::string("\x93NUMPY\x01\0", 8));
  EXPECT_EQ(static_cast<unsigned char>(x[8]) + 256 * static_cast<unsigned char>(x[9]), 118);
  EXPECT_EQ(x.substr(10, 61), "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3, ), }");
  EXPECT_EQ(x[127], '\n');
  float last = 0;
  std::memcpy(&last, x.data() + x.size() - sizeof(last), sizeof(last));
  EXPECT_EQ(last, 6);
  EXPECT_THAT(files.at("conv1/W.npy"), HasSubstr("'<f8', 'fortran_order': False, 'shape': (), }"));
  EXPECT_THAT(files.at("labels.npy"), HasSubstr("'<i8', 'fortran_order': False, 'shape': (2, ), }"));
  EXPECT_THAT(files.at("none.npy"), HasSubstr("'shape': (0, 4, )"));
}

TEST(Npz, LargeSizesAndPlacesAreWrittenIn64Bits) {
  const auto files = unzipped(example_arrays().serialize());
  const auto small = example_arrays().serialize();
  // All arrays; those beyond the first, by their place; only the directory's.
  for (const std::size_t most : {std::size_t{1}, std::size_t{140}, std::size_t{600}}) {
    const auto large = example_arrays().serialize(most);
    EXPECT_GT(large.size(), small.size());
    EXPECT_EQ(unzipped(large), files) << most;
  }
}

TEST(Npz, SameArraysGiveTheSameBytes) { EXPECT_EQ(example_arrays().serialize(), example_arrays().serialize()); }

TEST(Npz, EmptyIsAnArchive) {
  EXPECT_EQ(NpzWriter().serialize().size(), 22U);
  EXPECT_TRUE(unzipped(NpzWriter().serialize()).empty());
}

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
  EXPECT_THAT(input_error([] { example_arrays().save("/no/such/folder/a.npz"); }),
              HasSubstr("/no/such/folder/a.npz: cannot be written: No such file or directory"));
}

}  // namespace
}  // namespace chalk
