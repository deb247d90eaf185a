// Every file in tests/bad/KIND, for the kinds below, must give an InputError that says what expected.txt says.
#include <fstream>
#include <map>

#include "chalkgrad/image.h"
#include "src/base/file.h"
#include "src/base/test_support.h"
#include "src/base/text.h"
#include "src/files/array.h"
#include "src/files/cifar.h"
#include "src/files/idx.h"
#include "src/files/picture_cache.h"
#include "src/files/safetensors.h"
#include "src/files/tar.h"

namespace chalk {
namespace {

using testing_support::input_error;
using testing_support::kAnySize;
using testing_support::source;

std::map<std::string, std::string> expectations() {
  std::map<std::string, std::string> lines;
  std::ifstream file(source("tests/bad/expected.txt"));
  for (std::string name, message; std::getline(file, name, '\t') && std::getline(file, message);) lines[name] = message;
  return lines;
}

void read_npz(std::span<const std::uint8_t> bytes, const std::string& name) {
  const NpzReader archive(bytes_of(bytes), name);
  for (const auto& array : archive.names()) {
    archive.read(array);
    archive.stored(array);
  }
}

void parse(const std::string& kind, const std::string& name) {
  const auto bytes = read_file(source("tests/bad") / kind / name, kAnySize);
  if (kind == "idx") {
    parse_idx(bytes, name,
              name.starts_with("labels")   ? IdxKind::labels
              : name.starts_with("images") ? IdxKind::images
                                           : IdxKind::any);
  } else if (kind == "safetensors") {
    parse_safetensors(bytes, name);
  } else if (kind == "tar") {
    read_tar(bytes, name);
  } else if (kind == "cifar") {
    CifarRecords records;
    const std::vector<int> one = {10}, two = {20, 100};
    add_cifar(records, bytes, name, name.starts_with("two") ? two : one);
  } else if (kind == "npy") {
    parse_npy(bytes, name);
  } else if (kind == "npz") {
    read_npz(bytes, name);
  } else if (kind == "norb") {
    parse_norb_matrix(bytes, name);
  } else if (kind == "cache") {
    parse_picture_cache(bytes, name);
  } else {
    decode_image(bytes, name);
  }
}

class BadInputs : public testing::TestWithParam<const char*> {};

TEST_P(BadInputs, EachGivesItsError) {
  const std::string kind = GetParam();
  const auto expected = expectations();
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(source("tests/bad/" + kind))) {
    const auto name = entry.path().filename().string();
    const auto line = expected.find(str(kind, "/", name));
    ASSERT_NE(line, expected.end()) << kind << "/" << name << " has no line in tests/bad/expected.txt";
    const auto message = input_error([&] { parse(kind, name); });
    EXPECT_THAT(message, testing::HasSubstr(line->second)) << name;
    EXPECT_THAT(message, testing::StartsWith(name));
    EXPECT_EQ(message.find('\n'), std::string::npos) << name;
    EXPECT_THAT(message, testing::HasSubstr("; ")) << name << " does not say what to do";
    ++count;
  }
  EXPECT_GE(count, 4);
}

INSTANTIATE_TEST_SUITE_P(Kinds, BadInputs,
                         testing::Values("idx", "safetensors", "image", "tar", "cifar", "npy", "npz", "norb", "cache"),
                         [](const auto& kind) { return std::string(kind.param); });

TEST(GoodInputs, SeedsOfTheFuzzersAreRead) {
  const auto each = [](const std::string& kind, auto read) {
    int count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(source("fuzz/corpus/" + kind))) {
      const auto bytes = read_file(entry.path(), kAnySize);
      EXPECT_NO_THROW(read(bytes, entry.path().filename().string())) << entry.path();
      ++count;
    }
    EXPECT_GE(count, 4) << kind;
  };
  each("idx", [](const auto& bytes, const auto& name) { parse_idx(bytes, name); });
  each("safetensors", [](const auto& bytes, const auto& name) { parse_safetensors(bytes, name); });
  each("image", [](const auto& bytes, const auto& name) { decode_image(bytes, name); });
  each("npy", [](const auto& bytes, const auto& name) { parse_npy(bytes, name); });
  each("npz", [](const auto& bytes, const auto& name) { read_npz(bytes, name); });
  each("norb", [](const auto& bytes, const auto& name) { parse_norb_matrix(bytes, name); });
  each("cache", [](const auto& bytes, const auto& name) { parse_picture_cache(bytes, name); });
  each("tar", [](const auto& bytes, const auto& name) { read_tar(bytes, name); });
}

}  // namespace
}  // namespace chalk
