#include "chalkgrad/data.h"
#include "src/base/file.h"
#include "src/base/test_support.h"
#include "src/base/text.h"
#include "src/files/gzip.h"
#include "src/files/tar.h"

namespace chalk {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing_support::Folder;
using testing_support::input_error;
using Bytes = std::vector<std::uint8_t>;

fs::path archive_of(const std::string& name) { return testing_support::source("tests/data/sets") / name; }

/// The archive's files, as tar unpacks them.
void unpack(const std::string& name, const fs::path& folder) {
  const auto zipped = read_file(archive_of(name), testing_support::kAnySize);
  const auto archive = gunzip(zipped, testing_support::kAnySize, name);
  for (const auto& file : read_tar(archive, name)) {
    fs::create_directories((folder / file.name).parent_path());
    write_file_atomically(folder / file.name, file.bytes);
  }
}

TEST(Cifar, IsFoundInEveryPlace) {
  for (const std::string word : {"cifar10", "cifar100"}) {
    Folder folder;
    const std::string unpacked = word == "cifar10" ? "cifar-10-binary" : "cifar-100-binary";
    const std::string name = word == "cifar10" ? "cifar-10-batches-bin" : "cifar-100-binary";
    const auto archive = unpacked + ".tar.gz";
    const auto expected = load_dataset(str(word, ":", archive_of(archive).string())).train.digest();
    unpack(archive, folder.path());
    fs::rename(folder / unpacked, folder / "files");
    const auto digest = [&](const fs::path& place) {
      return load_dataset(str(word, ":", place.string())).train.digest();
    };
    EXPECT_EQ(digest(folder / "files"), expected);
    fs::rename(folder / "files", folder / name);
    EXPECT_EQ(digest(folder.path()), expected);
    fs::create_directory(folder / "packed");
    fs::copy(archive_of(archive), folder / "packed");
    EXPECT_EQ(digest(folder / "packed"), expected);
    write_file_atomically(folder / "plain.tar",
                          gunzip(read_file(archive_of(archive), testing_support::kAnySize), 1U << 26U, "a"));
    EXPECT_EQ(digest(folder / "plain.tar"), expected);
  }
}

TEST(Cifar, PartsNeedNoFilesOfOthers) {
  Folder folder;
  unpack("cifar-100-binary.tar.gz", folder.path());
  const auto spec = str("cifar100:", (folder / "cifar-100-binary").string());
  const auto both = load_dataset(spec);
  fs::remove(folder / "cifar-100-binary/test.bin");
  EXPECT_EQ(load_dataset(spec, {.parts = Parts::training_at_least}).train.digest(), both.train.digest());
  EXPECT_EQ(input_error([&] { load_dataset(spec); }),
            (folder / "cifar-100-binary").string() +
                ": test.bin is missing; fetch all of CIFAR-100, cifar-100-binary.tar.gz");
  fs::rename(folder / "cifar-100-binary/train.bin", folder / "cifar-100-binary/test.bin");
  EXPECT_EQ(load_dataset(spec, {.parts = Parts::test}).test.bytes, both.train.bytes);
}

TEST(Cifar, SomeClassesAreChosenByName) {
  const auto some = load_dataset(str("cifar10:", archive_of("cifar-10-binary.tar.gz").string(), "#bird,cat"));
  EXPECT_THAT(some.train.class_names, ElementsAre("bird", "cat"));
}

TEST(Cifar, ClassesWithoutNamesHaveNumbers) {
  Folder folder;
  unpack("cifar-10-binary.tar.gz", folder.path());
  const auto place = folder / "cifar-10-binary";
  write_file_atomically(place / "batches.meta.txt", "one\ntwo\n");
  EXPECT_EQ(input_error([&] { load_dataset(str("cifar10:", place.string())); }),
            (place / "batches.meta.txt").string() + ": has 2 names for 10 classes; fetch the file again");
  fs::remove(place / "batches.meta.txt");
  const auto split = load_dataset(str("cifar10:", place.string()));
  EXPECT_EQ(split.train.class_names.at(9), "9");
  EXPECT_THAT(split.remarks, ElementsAre("the classes have numbers for names, as there is no batches.meta.txt"));
}

TEST(Cifar, TheVersionForPythonIsRefusedWithAdvice) {
  const std::string advice =
      ": is the Python version of CIFAR-10, which only Python can read; fetch the binary version, "
      "cifar-10-binary.tar.gz, from the same page";
  Folder folder;
  const auto error = [&](const fs::path& place) {
    return input_error([&] { load_dataset(str("cifar10:", place.string())); });
  };
  EXPECT_EQ(error(folder.path()),
            folder.path().string() +
                ": holds no files of CIFAR-10; looked for data_batch_1.bin, cifar-10-batches-bin and "
                "cifar-10-binary.tar.gz; put one of them into that folder");
  write_file_atomically(folder / "cifar-10-python.tar.gz", "x");
  EXPECT_EQ(error(folder.path()), (folder / "cifar-10-python.tar.gz").string() + advice);
  fs::create_directory(folder / "cifar-10-batches-py");
  write_file_atomically(folder / "cifar-10-batches-py/data_batch_1", "\x80\x02");
  EXPECT_EQ(error(folder.path()), (folder / "cifar-10-batches-py/data_batch_1").string() + advice);
  EXPECT_EQ(error(folder / "cifar-10-batches-py"), (folder / "cifar-10-batches-py/data_batch_1").string() + advice);
}

TEST(Cifar, SaysWhatIsWrongAndWhere) {
  Folder folder;
  const auto error = [&](const std::string& spec) { return input_error([&] { load_dataset(spec); }); };
  EXPECT_EQ(error("cifar10:/no/such/place"),
            "/no/such/place: cannot be read: No such file or directory; check the spelling and the folder");
  write_file_atomically(folder / "empty", "");
  EXPECT_EQ(error("cifar10:" + (folder / "empty").string()),
            (folder / "empty").string() + ": the file is empty; fetch it again");
  write_file_atomically(folder / "text", "this is no archive");
  EXPECT_EQ(
      error("cifar10:" + (folder / "text").string()),
      (folder / "text").string() + ": the tar archive is damaged (its end is missing at byte 0); fetch the file again");
  unpack("cifar-10-binary.tar.gz", folder.path());
  const auto place = (folder / "cifar-10-binary").string();
  fs::remove(place + "/data_batch_3.bin");
  EXPECT_EQ(error("cifar10:" + place),
            place + ": data_batch_3.bin is missing; fetch all of CIFAR-10, cifar-10-binary.tar.gz");
  write_file_atomically(place + "/data_batch_3.bin", "short");
  EXPECT_EQ(error("cifar10:" + place),
            place +
                "/data_batch_3.bin: has 5 bytes, which is no multiple of 3,073, a label and 3×32×32 pixels; fetch "
                "the file again, in its binary version");
}

}  // namespace
}  // namespace chalk
