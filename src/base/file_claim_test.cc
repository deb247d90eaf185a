#include "src/base/file_claim.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <optional>
#include <thread>

#include "chalkgrad/error.h"
#include "src/base/file.h"
#include "src/base/text.h"

namespace chalk {
namespace {

namespace fs = std::filesystem;

class FileClaims : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) / str("chalkgrad_claims_", ::getpid());
    fs::create_directory(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  fs::path file(const char* name = "m") const { return folder_ / name; }
  static std::string error_of(const std::function<void()>& run) {
    try {
      run();
    } catch (const InputError& e) {
      return e.what();
    }
    return "no error";
  }
  std::string refusal() const {
    return str(file().string(),
               ": another run is writing this file; wait until it has ended, or write to another file");
  }
  void replace(const char* text = "new") const { write_file_atomically(file(), std::string_view(text)); }

  fs::path folder_;
};

TEST_F(FileClaims, RefuseAnotherUntilTheyEnd) {
  replace();
  std::optional<FileClaim> first(file());
  EXPECT_EQ(error_of([&] { FileClaim second(file()); }), refusal());
  first->write([&] { replace("newer"); });
  EXPECT_EQ(error_of([&] { FileClaim second(file()); }), refusal());
  first.reset();
  EXPECT_EQ(error_of([&] { FileClaim second(file()); }), "no error");
}

TEST_F(FileClaims, OfAFileThatIsNotThereRefuseTheSecondToWriteIt) {
  FileClaim first(file()), second(file());
  first.write([&] { replace("of the first"); });
  bool called = false;
  EXPECT_EQ(error_of([&] { second.write([&] { called = true; }); }), refusal());
  EXPECT_FALSE(called);
  first.write([&] { replace("of the first again"); });
}

TEST_F(FileClaims, OfTwoThatWriteAtOnceOneGoesOn) {
  FileClaim first(file()), second(file());
  EXPECT_EQ(error_of([&] { first.write([&] { second.write([&] { replace(); }); }); }), refusal());
  second.write([&] { replace(); });
}

TEST_F(FileClaims, HoldWhileTheFileIsReplaced) {
  FileClaim claim(file());
  claim.write([&] { replace(); });
  std::atomic<bool> over = false;
  std::thread other([&] {
    while (!over) EXPECT_EQ(error_of([&] { FileClaim second(file()); }), refusal());
  });
  for (int i = 0; i < 60; ++i) claim.write([&] { replace(i % 2 == 0 ? "one" : "another"); });
  over = true;
  other.join();
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 1);
}

TEST_F(FileClaims, StayWhatTheyWereWhereReplacingFails) {
  FileClaim claim(file());
  claim.write([&] { replace(); });
  EXPECT_EQ(error_of([&] { claim.write([&] { throw InputError("the disk is full"); }); }), "the disk is full");
  EXPECT_EQ(error_of([&] { FileClaim second(file()); }), refusal());
}

TEST_F(FileClaims, TakeAFileThatSomebodyElseReplaced) {
  FileClaim claim(file());
  claim.write([&] { replace(); });
  replace("of a program that claims nothing");
  claim.write([&] { replace(); });
  EXPECT_EQ(error_of([&] { FileClaim second(file()); }), refusal());
}

TEST_F(FileClaims, LeaveNothingBehindAProcessThatIsKilled) {
  replace();
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const FileClaim claim(file());
    const char done = 1;
    static_cast<void>(::write(ready[1], &done, 1) + 0);
    for (;;) ::pause();
  }
  char done = 0;
  ASSERT_EQ(::read(ready[0], &done, 1), 1);
  EXPECT_EQ(error_of([&] { FileClaim second(file()); }), refusal());
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_EQ(error_of([&] { FileClaim second(file()); }), "no error");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 1);
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST_F(FileClaims, OfDevicesAndFoldersAreNone) {
  for (const fs::path& path : {fs::path("/dev/null"), folder_, folder_ / "no" / "m"}) {
    FileClaim first(path), second(path);
    second.write([] {});
  }
}

}  // namespace
}  // namespace chalk
