#include "src/data/pictures.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <fstream>

#include "chalkgrad/image.h"
#include "src/base/file.h"
#include "src/base/test_support.h"
#include "src/base/text.h"
#include "src/data/each_sample.h"
#include "src/data/split_testing.h"
#include "src/files/picture_cache.h"

namespace chalk {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing_support::input_error;

/// A folder of pictures of 4×5, of two classes and two parts: grey ones, and, if that is asked for, a last one in
/// colour.
class StoredPictures : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* part : {"train", "test"}) {
      for (const char* name : {"cat", "dog"}) {
        fs::create_directories(folder_ / "photos" / part / name);
        for (int i = 0; i < 6; ++i) put(str(part, "/", name, "/", i, ".png"), 1, i * 7 + (name[0] == 'd' ? 3 : 0));
      }
    }
  }
  fs::path place(const std::string& name) const { return folder_ / "photos" / name; }
  void put(const std::string& name, int channels, int seed, int rows = 4, int columns = 5) const {
    Image image{channels, rows, columns, {}};
    for (int i = 0; i < rows * columns * channels; ++i)
      image.pixels.push_back(static_cast<std::uint8_t>(seed * 31 + i * i * 11));
    write_file_atomically(place(name), encode_png(image));
  }
  Split load(LoadOptions options = {}, const std::string& more = {}) const {
    return load_dataset("folder:" + place("").string() + more, options);
  }
  LoadOptions with_cache() const { return {.cache = folder_ / "cache"}; }
  std::string made(const std::string& why) const {
    return str("the cache ", (folder_ / "cache").string(), " was made: ", why);
  }
  std::string from_cache() const { return str("from the cache ", (folder_ / "cache").string()); }

  testing_support::Folder folder_;
};

TEST_F(StoredPictures, StayInMemoryWhereTheyFit) {
  const auto split = load();
  EXPECT_FALSE(split.train.store);
  EXPECT_EQ(split.train.bytes.size(), 12U * 20);
  EXPECT_THAT(split.remarks, IsEmpty());
  EXPECT_FALSE(load({.memory = 24 * 20}).train.store);  // just so
}

TEST_F(StoredPictures, AreTheSameWhenTheyAreDecodedAsTheyAreNeeded) {
  const auto split = load({.memory = 24 * 20 - 1});
  EXPECT_TRUE(split.train.store);
  EXPECT_THAT(split.train.bytes, IsEmpty());
  EXPECT_THAT(split.train.files, IsEmpty());
  EXPECT_THAT(split.remarks, ElementsAre("24 pictures would take 0 kB of memory, and 0 kB are allowed: each is decoded "
                                         "whenever it is needed"));
  expect_same(split, load());
}

TEST_F(StoredPictures, AreInColourIfOneIsWhereverTheyAre) {
  put("train/dog/5.png", 3, 17);
  const auto expected = load();
  EXPECT_EQ(expected.train.sample, (Shape{3, 4, 5}));
  expect_same(load({.memory = 0}), expected);
  expect_same(load(with_cache()), expected);
  expect_same(load(with_cache()), expected);
}

TEST_F(StoredPictures, ThatAreBadAreLeftOutWhereverTheyAre) {
  write_file_atomically(place("train/cat/2.png"), std::string_view("no picture"));
  const auto what =
      place("train/cat/2.png").string() + ": is none of PNG, JPEG, PNM and BMP by its first bytes; convert it to PNG";
  EXPECT_EQ(input_error([&] { load({.memory = 0}); }), what);
  EXPECT_EQ(input_error([&] { load(with_cache()); }), what);
  EXPECT_FALSE(fs::exists(folder_ / "cache"));
  EXPECT_FALSE(fs::exists(folder_ / "cache.part"));
  const auto expected = load({.skip_bad = true});
  EXPECT_THAT(expected.skipped, ElementsAre(what));
  expect_same(load({.skip_bad = true, .memory = 0}), expected);
  auto options = with_cache();
  options.skip_bad = true;
  expect_same(load(options), expected);
  expect_same(load(options), expected);
  EXPECT_EQ(input_error([&] { load(with_cache()); }), what);  // which the cache knows
}

TEST_F(StoredPictures, ThatVanishAreNamedWhenTheyAreNeeded) {
  const auto split = load({.memory = 0});
  const auto digest = split.train.digest();
  fs::remove(place("train/cat/1.png"));
  std::array<std::uint8_t, 20> sample{};
  split.train.read(0, sample.data());
  EXPECT_EQ(input_error([&] { split.train.read(1, sample.data()); }),
            place("train/cat/1.png").string() +
                ": cannot be read: No such file or directory; check the spelling and the folder");
  EXPECT_EQ(split.train.digest(), digest) << "of what has been seen";
  put("train/cat/1.png", 1, 1, 6, 6);
  EXPECT_THAT(input_error([&] { split.train.read(1, sample.data()); }), HasSubstr("has 6×6 pixels, but "));
}

TEST_F(StoredPictures, AreReadFromACacheOfTheSameFiles) {
  const auto expected = load();
  auto split = load(with_cache());
  EXPECT_THAT(split.remarks, ElementsAre(made("it is not there yet")));
  expect_same(split, expected);
  const auto old = read_file(folder_ / "cache", 1 << 20);
  split = load(with_cache());
  EXPECT_THAT(split.remarks, ElementsAre(from_cache()));
  expect_same(split, expected);
  EXPECT_EQ(read_file(folder_ / "cache", 1 << 20), old);

  // One part alone, and in the size that a network takes.
  auto options = with_cache();
  options.parts = Parts::test;
  options.sample = {1, 4, 5};
  options.classes = {"cat", "dog"};
  split = load(options);
  EXPECT_THAT(split.remarks, ElementsAre(from_cache()));
  options.cache.clear();
  expect_same(split, load(options));
  // The files themselves are not needed any more.
  split = load(with_cache());
  for (const auto& entry : fs::recursive_directory_iterator(place("train"))) {
    if (entry.is_regular_file()) std::ofstream(entry.path()) << "no picture";
  }
  EXPECT_EQ(split.train.digest(), expected.train.digest());
}

/// The same cache as a program of version 1 of its format made it.
void make_first_version(const fs::path& file) {
  auto bytes = read_file(file, 1 << 20);
  auto cache = parse_picture_cache(bytes, "cache");
  cache.version = 1;
  auto at = PictureCache::kData;
  for (auto& part : cache.parts) {
    part.moments.clear();
    for (auto& hash : part.hashes) {
      hash = cache_hash(cache, std::span(bytes).subspan(at, cache.each()));
      at += cache.each();
    }
  }
  bytes.resize(at);
  const auto tail = cache_tail(cache), head = cache_head(cache, tail);
  std::ranges::copy(head, bytes.begin());
  bytes.insert(bytes.end(), tail.begin(), tail.end());
  write_file_atomically(file, bytes);
}

TEST_F(StoredPictures, AreReadFromACacheOfAnEarlierProgram) {
  (void)load(with_cache());
  make_first_version(folder_ / "cache");
  const auto split = load(with_cache());
  EXPECT_THAT(split.remarks, ElementsAre(from_cache()));
  expect_same(split, load());
  auto changed = read_file(folder_ / "cache", 1 << 20);
  changed[PictureCache::kData] ^= 1;
  write_file_atomically(folder_ / "cache", changed);
  EXPECT_THAT(input_error([&] { load(with_cache()); }),
              HasSubstr(": picture 0 has been changed: the cache is damaged"));
}

TEST_F(StoredPictures, AreDecodedAnewIfAFileHasChanged) {
  (void)load(with_cache());
  put("test/dog/3.png", 1, 99);
  auto split = load(with_cache());
  EXPECT_THAT(split.remarks, ElementsAre(made("it was made of other files, or of these before they were changed")));
  expect_same(split, load());
  fs::last_write_time(place("test/dog/3.png"), fs::file_time_type::clock::now() - std::chrono::hours(1));
  EXPECT_THAT(load(with_cache()).remarks,
              ElementsAre(made("it was made of other files, or of these before they were changed")));
  put("train/cat/6.png", 1, 98);
  split = load(with_cache());
  EXPECT_EQ(split.train.size(), 13U);
  expect_same(split, load());
  for (const char* more : {",background=black", ",size=3x2,fit=crop"}) {
    split = load(with_cache(), more);
    EXPECT_THAT(split.remarks, ElementsAre(made("it was made of other files, or of these before they were changed")));
    expect_same(split, load({}, more));
  }
}

TEST_F(StoredPictures, AreDecodedAnewForAnotherForm) {
  (void)load(with_cache());
  const auto anew = made("its pictures have another size or other channels");
  for (const char* more : {",size=3", ",size=3,channels=3", "", ",channels=1"}) {
    auto split = load(with_cache(), more);
    EXPECT_THAT(split.remarks, ElementsAre(std::string(more) == ",channels=1" ? from_cache() : anew)) << more;
    expect_same(split, load({}, more));
  }
  (void)load(with_cache(), ",size=4x5,channels=1");
  EXPECT_THAT(load(with_cache()).remarks, ElementsAre(from_cache()));
  (void)load(with_cache(), ",channels=3");
  EXPECT_THAT(load(with_cache()).remarks, ElementsAre(anew));  // as they are grey
}

TEST_F(StoredPictures, OfManySizesAreNoOneSizeInACache) {
  put("train/dog/0.png", 1, 5, 7, 7);
  auto options = with_cache();
  options.any_size = true;
  const auto split = load(options);
  EXPECT_EQ(split.sizes.size(), 2U);
  EXPECT_THAT(load(options).remarks, ElementsAre(from_cache()));
  EXPECT_THAT(input_error([&] { load(with_cache()); }), HasSubstr("has 7×7 pixels, but "));
  EXPECT_TRUE(fs::exists(folder_ / "cache"));  // the old one
  EXPECT_THAT(load(with_cache(), ",size=4x5").remarks, ElementsAre(from_cache()));
}

TEST_F(StoredPictures, OfADamagedCacheAreNoticed) {
  (void)load(with_cache());
  const auto file = folder_ / "cache";
  const auto good = read_file(file, 1 << 20);
  const auto expected = load();
  for (const std::size_t size : {good.size() - 1, std::size_t{4096}, std::size_t{50}}) {
    fs::resize_file(file, size);
    const auto split = load(with_cache());
    EXPECT_THAT(split.remarks, ElementsAre(HasSubstr("; the cache is damaged: remove it")));
    expect_same(split, expected);
    EXPECT_EQ(read_file(file, 1 << 20), good);
  }
  auto changed = good;
  changed[PictureCache::kData + 3 * 20] ^= 1;
  write_file_atomically(file, changed);
  std::array<std::uint8_t, 20> sample{};
  EXPECT_EQ(input_error([&] { load(with_cache()).train.read(3, sample.data()); }),
            file.string() + ": picture 3 has been changed: the cache is damaged; remove it");
  // Cut off while it is used.
  write_file_atomically(file, good);
  const auto split = load(with_cache());
  fs::resize_file(file, PictureCache::kData + 30);
  split.train.read(0, sample.data());
  EXPECT_EQ(input_error([&] { split.train.read(1, sample.data()); }),
            file.string() + ": picture 1 cannot be read: the cache is damaged; remove it");
}

TEST_F(StoredPictures, NeverReplaceAFileThatIsNoCache) {
  const auto file = folder_ / "cache";
  write_file_atomically(file, std::string_view("my thesis, the only copy"));
  EXPECT_EQ(input_error([&] { load(with_cache()); }), file.string() + ": is no cache of pictures; give another file");
  EXPECT_EQ(fs::file_size(file), 24U);
  auto options = with_cache();
  options.cache = folder_ / "none" / "cache";
  EXPECT_EQ(input_error([&] { load(options); }),
            options.cache.string() +
                ": cannot be written: No such file or directory; check the spelling, or create the "
                "folder first");
  options.cache = place("");
  EXPECT_THAT(input_error([&] { load(options); }), HasSubstr("is no file; give another one for the cache"));
}

TEST_F(StoredPictures, AreDecodedOnceByProgramsThatWantTheCacheAtOnce) {
  const auto expected = load().train.digest();
  std::vector<pid_t> children;
  for (int i = 0; i < 4; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      int code = 1;
      try {
        const auto split = load(with_cache());
        const bool made_it = split.remarks.at(0).starts_with("the cache");
        if (split.train.digest() == expected) code = made_it ? 10 : 20;
      } catch (...) {
        code = 2;
      }
      _exit(code);
    }
    children.push_back(child);
  }
  int makers = 0;
  for (const pid_t child : children) {
    int status = 0;
    waitpid(child, &status, 0);
    ASSERT_TRUE(WIFEXITED(status));
    EXPECT_THAT(WEXITSTATUS(status), testing::AnyOf(10, 20));
    makers += WEXITSTATUS(status) == 10 ? 1 : 0;
  }
  EXPECT_EQ(makers, 1);
  EXPECT_FALSE(fs::exists(folder_ / "cache.part"));
}

TEST_F(StoredPictures, TakeOverWhatAKilledProgramLeft) {
  std::ofstream(folder_ / "cache.part") << std::string(10'000, 'x');
  expect_same(load(with_cache()), load());
  EXPECT_FALSE(fs::exists(folder_ / "cache.part"));
}

TEST(PictureIndex, KeepsPathsAndLabels) {
  PictureIndex index;
  const std::vector<std::string> paths = {"a/b/1.png", "a/b/2.png", "top.png", "/x/1.png", "a/c/", "a/b/3.png"};
  for (std::size_t i = 0; i < paths.size(); ++i) index.add(paths[i], static_cast<std::int32_t>(i * i));
  index.fit();
  ASSERT_EQ(index.size(), paths.size());
  for (std::size_t i = 0; i < paths.size(); ++i) {
    EXPECT_EQ(index.path(i), paths[i]);
    EXPECT_EQ(index.label(i), static_cast<std::int32_t>(i * i));
  }
}

TEST(EachSample, GoesThroughSamplesInTheirOrder) {
  const auto data = digits().train;
  std::size_t next = 0;
  for_each_sample(data, [&](std::size_t i, std::span<const std::uint8_t> sample) {
    ASSERT_EQ(i, next++);
    ASSERT_TRUE(std::equal(sample.begin(), sample.end(), data.bytes.begin() + static_cast<std::ptrdiff_t>(i * 64)));
  });
  EXPECT_EQ(next, data.size());
}

}  // namespace
}  // namespace chalk
