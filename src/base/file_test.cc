#include "src/base/file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "chalkgrad/error.h"
#include "src/base/test_support.h"
#include "src/base/text.h"

namespace chalk {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

// Mounts 64 kB of memory on `folder`, seen by this process only: as root, or else as root of a namespace of its own.
bool mount_small_disk(const fs::path& folder) {
  const auto user = ::getuid();
  if (::unshare(CLONE_NEWNS) != 0) {
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
    std::ofstream("/proc/self/uid_map") << "0 " << user << " 1";
  }
  return ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         ::mount("tmpfs", folder.c_str(), "tmpfs", 0, "size=64k") == 0;
}

class FileTest : public testing::Test {
 protected:
  FileTest() {
    std::string pattern = testing::TempDir() + "chalkgrad-file-XXXXXX";
    folder = ::mkdtemp(pattern.data());
  }
  ~FileTest() override {
    ::chmod(folder.c_str(), 0700);
    fs::remove_all(folder);
  }

  std::vector<std::string> names() const {
    std::vector<std::string> found;
    for (const auto& entry : fs::directory_iterator(folder)) found.push_back(entry.path().filename().string());
    return found;
  }

  static std::string text_of(const fs::path& path) {
    const auto bytes = read_file(path, 1000);
    return {bytes.begin(), bytes.end()};
  }

  template <class Action>
  static std::string message_of(Action action) {
    try {
      action();
    } catch (const InputError& error) {
      return error.what();
    }
    return "no InputError";
  }

  // Runs `check` in a process of its own, which may change its rights and limits. It must return true.
  template <class Check>
  static void expect_in_child(Check check) {
    const auto child = ::fork();
    if (child == 0) ::_exit(check() ? 0 : 1);
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "wait status " << status;
  }

  fs::path folder;
};

TEST_F(FileTest, WritesWhatItIsGiven) {
  write_file_atomically(folder / "a", std::string_view("hello"));
  EXPECT_EQ(text_of(folder / "a"), "hello");
  write_file_atomically(folder / "a", [](FileWriter& file) {
    file.write(std::string_view("one, "));
    file.write(std::vector<std::uint8_t>{'t', 'w', 'o'});
  });
  EXPECT_EQ(text_of(folder / "a"), "one, two");
  EXPECT_THAT(names(), UnorderedElementsAre("a"));
}

TEST_F(FileTest, WritesAnEmptyFile) {
  write_file_atomically(folder / "a", std::string_view());
  EXPECT_THAT(read_file(folder / "a", 0), IsEmpty());
}

TEST_F(FileTest, OldFileStandsUntilTheNewOneIsWhole) {
  write_file_atomically(folder / "a", std::string_view("old"));
  write_file_atomically(folder / "a", [&](FileWriter& file) {
    file.write(std::string_view("new"));
    EXPECT_EQ(text_of(folder / "a"), "old");
    EXPECT_EQ(names().size(), 2U);
  });
  EXPECT_EQ(text_of(folder / "a"), "new");
}

TEST_F(FileTest, FailureOfTheWriterLeavesTheOldFileAndNothingElse) {
  write_file_atomically(folder / "a", std::string_view("old"));
  const auto broken = [](FileWriter& file) {
    file.write(std::string_view("half of the new"));
    throw NumericError("step 3: loss is NaN");
  };
  EXPECT_THROW(write_file_atomically(folder / "a", broken), NumericError);
  EXPECT_EQ(text_of(folder / "a"), "old");
  EXPECT_THROW(write_file_atomically(folder / "b", broken), NumericError);
  EXPECT_THAT(names(), UnorderedElementsAre("a"));
}

TEST_F(FileTest, KeepsPermissionsAndFollowsLinks) {
  write_file_atomically(folder / "a", std::string_view("old"));
  ::chmod((folder / "a").c_str(), 0640);
  fs::create_symlink("a", folder / "link");
  write_file_atomically(folder / "link", std::string_view("new"));
  EXPECT_TRUE(fs::is_symlink(folder / "link"));
  EXPECT_EQ(text_of(folder / "a"), "new");
  struct stat status {};
  ASSERT_EQ(::stat((folder / "a").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0640);
}

TEST_F(FileTest, ThreadsWritingTheSameFileLeaveOneOfTheirs) {
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 20; ++i) write_file_atomically(folder / "a", std::string(999, static_cast<char>('0' + t)));
    });
  }
  for (auto& thread : threads) thread.join();
  const auto text = text_of(folder / "a");
  EXPECT_EQ(text, std::string(999, text[0]));
  EXPECT_THAT(names(), UnorderedElementsAre("a"));
}

TEST_F(FileTest, MissingFolderIsNamed) {
  const auto path = folder / "no" / "a";
  EXPECT_EQ(
      message_of([&] { write_file_atomically(path, std::string_view("x")); }),
      path.string() + ": cannot be written: No such file or directory; check the spelling, or create the folder first");
}

TEST_F(FileTest, FolderInPlaceOfAFileIsRefused) {
  EXPECT_THAT(message_of([&] { write_file_atomically(folder, std::string_view("x")); }),
              AllOf(HasSubstr(folder.string() + ": cannot be written: Is a directory"), HasSubstr("name of a file")));
  EXPECT_THAT(message_of([&] { write_file_atomically("", std::string_view("x")); }), HasSubstr("Is a directory"));
  EXPECT_THAT(message_of([&] { read_file(folder, 10); }),
              AllOf(HasSubstr(folder.string() + ": cannot be read: Is a directory"), HasSubstr("name of a file")));
}

TEST_F(FileTest, UnwritableFolderIsNamed) {
  ::chmod(folder.c_str(), 0500);
  const auto path = folder / "a";
  expect_in_child([&] {
    if (::getuid() == 0 && ::setuid(65534) != 0) return false;  // permissions do not bind root
    ::chmod(folder.parent_path().c_str(), 0755);
    const auto message = message_of([&] { write_file_atomically(path, std::string_view("x")); });
    return message.find("a: cannot be written: Permission denied; choose another place") != std::string::npos;
  });
  EXPECT_THAT(names(), IsEmpty());
}

TEST_F(FileTest, AReadOnlyFileStaysAsItIs) {
  const auto path = folder / "a";
  write_file_atomically(path, std::string_view("old"));
  ::chmod(path.c_str(), 0444);
  const auto said =
      path.string() + ": cannot be written: Permission denied; choose another place or change its permissions";
  EXPECT_EQ(message_of([&] { write_file_atomically(path, std::string_view("new")); }), said);
  EXPECT_EQ(message_of([&] { check_writable(path); }), said);
  EXPECT_EQ(text_of(path), "old");
  ::chmod(path.c_str(), 0644);
  write_file_atomically(path, std::string_view("new"));
  EXPECT_EQ(text_of(path), "new");
}

TEST_F(FileTest, WhatCannotBeWrittenIsKnownBeforehand) {
  for (const auto& path :
       {folder / "no" / "a", folder, fs::path(), folder / "file" / "a", folder / std::string(300, 'a')}) {
    write_file_atomically(folder / "file", std::string_view("x"));
    const auto said = message_of([&] { check_writable(path); });
    EXPECT_EQ(said, message_of([&] { write_file_atomically(path, std::string_view("x")); }));
    EXPECT_THAT(said, HasSubstr("cannot be written"));
  }
  for (const auto& path : {folder / "new", folder / "file", fs::path("/dev/null"), fs::path("in_this_folder")})
    check_writable(path);
  EXPECT_THAT(names(), UnorderedElementsAre("file"));
}

TEST_F(FileTest, TwoNamesMayLeadToOneFile) {
  const auto other = folder / ".." / folder.filename() / "a";
  EXPECT_TRUE(same_file(folder / "a", other)) << "which is not there yet";
  EXPECT_FALSE(same_file(folder / "a", folder / "b"));
  EXPECT_FALSE(same_file(folder / "a", "a"));
  write_file_atomically(folder / "a", std::string_view("x"));
  fs::create_symlink("a", folder / "link");
  EXPECT_TRUE(same_file(folder / "a", other));
  EXPECT_TRUE(same_file(folder / "link", other));
  EXPECT_FALSE(same_file(folder / "a", folder / "b"));
  EXPECT_FALSE(same_file("/dev/null", "/dev/null"));
  EXPECT_TRUE(holds_something(folder / "link"));
  EXPECT_FALSE(holds_something(folder));
  EXPECT_FALSE(holds_something("/dev/zero"));
}

TEST_F(FileTest, FullDeviceIsReported) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "there is no /dev/full here";
  EXPECT_EQ(message_of([] { write_file_atomically("/dev/full", std::string_view("x")); }),
            "/dev/full: cannot be written: No space left on device; free some space or choose another place");
  EXPECT_TRUE(fs::is_character_file("/dev/full"));
}

// A full disk, first as a limit on the size of files (works everywhere), then as a real one where that can be mounted.
TEST_F(FileTest, FileTooLongForTheDiskLeavesNothing) {
  write_file_atomically(folder / "a", std::string_view("old"));
  expect_in_child([&] {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{1000, 1000};
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return false;
    const auto message = message_of([&] { write_file_atomically(folder / "a", std::string(5000, 'x')); });
    return message.find("a: cannot be written: File too large; free some space") != std::string::npos;
  });
  EXPECT_EQ(text_of(folder / "a"), "old");
  EXPECT_THAT(names(), UnorderedElementsAre("a"));
}

TEST_F(FileTest, FullDiskLeavesNothing) {
  const auto child = ::fork();
  constexpr int skipped = 77;
  if (child == 0) {
    if (!mount_small_disk(folder)) ::_exit(skipped);
    bool told = false;
    try {
      write_file_atomically(folder / "a", std::string_view("old"));
      const auto message = message_of([&] { write_file_atomically(folder / "a", std::string(200000, 'x')); });
      told = message.find("a: cannot be written: No space left on device; free some") != std::string::npos &&
             names().size() == 1 && text_of(folder / "a") == "old";
    } catch (...) {
    }
    ::_exit(told ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == skipped) GTEST_SKIP() << "a small tmpfs cannot be mounted here";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST_F(FileTest, AGrowingFileIsThereAfterEachAppend) {
  GrowingFile file(folder / "a");
  EXPECT_EQ(text_of(folder / "a"), "");
  for (const std::string text : {"one,", "two,", "", "three"})
    file.append({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  EXPECT_EQ(text_of(folder / "a"), "one,two,three");
  EXPECT_EQ(message_of([&] { GrowingFile(folder / "a"); }),
            (folder / "a").string() + ": cannot be written: File exists; choose another place or try again");
}

TEST_F(FileTest, AnAppendThatFailsLeavesNothing) {
  const auto said = testing_support::in_child([&]() -> std::string {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{10, 10};
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return "no limit";
    GrowingFile file(folder / "a");
    const std::vector<std::uint8_t> six(6, 'x');
    file.append(six);
    const auto message = message_of([&] { file.append(six); });
    return message + " " + text_of(folder / "a");
  });
  EXPECT_EQ(said, (folder / "a").string() +
                      ": cannot be written: File too large; free some space or choose another place xxxxxx");
}

TEST_F(FileTest, AFolderNeedNotBeThereToBeWritable) {
  check_folder_writable(folder);
  check_folder_writable(folder / "not" / "yet");
  EXPECT_THAT(names(), IsEmpty());
  make_folder(folder / "not" / "yet");
  make_folder(folder / "not" / "yet");
  EXPECT_TRUE(fs::is_directory(folder / "not" / "yet"));

  write_file_atomically(folder / "file", std::string_view("x"));
  fs::create_symlink("nowhere", folder / "link");
  const auto refused = [&](const fs::path& path, const std::string& why) {
    EXPECT_EQ(message_of([&] { check_folder_writable(path); }),
              path.string() + ": cannot be written: " + why + "; check the spelling, or create the folder first");
  };
  refused(folder / "file", "Not a directory");
  refused(folder / "file" / "below", "Not a directory");
  refused(folder / "link", "No such file or directory");
}

TEST_F(FileTest, MissingFileIsNamed) {
  EXPECT_EQ(
      message_of([&] { read_file(folder / "none", 10); }),
      (folder / "none").string() + ": cannot be read: No such file or directory; check the spelling and the folder");
}

TEST_F(FileTest, TooLongFileIsRefused) {
  write_file_atomically(folder / "a", std::string_view("12345"));
  EXPECT_EQ(read_file(folder / "a", 5).size(), 5U);
  EXPECT_THAT(message_of([&] { read_file(folder / "a", 4); }),
              AllOf(HasSubstr("a: is too large: 5 bytes, and at most 4 are accepted"), HasSubstr("smaller file")));
}

TEST_F(FileTest, EndlessFileIsRefused) {
  EXPECT_THAT(message_of([] { read_file("/dev/zero", 100000); }),
              HasSubstr("/dev/zero: is too large: more than 100000"));
}

TEST_F(FileTest, ReadsAPipe) {
  const auto pipe = folder / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const std::string text(300000, 'x');
  std::thread writer([&] { write_file_atomically(pipe, text); });
  EXPECT_EQ(read_file(pipe, 1000000).size(), text.size());
  writer.join();
}

}  // namespace
}  // namespace chalk
