#include "src/base/threads.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>

#include <atomic>
#include <cfenv>
#include <chrono>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#include "src/base/arithmetic.h"
#include "src/base/test_support.h"

namespace chalk {
namespace {

using testing_support::in_child;
using testing_support::kMayForkWithThreads;

TEST(ThreadTeam, RunsTheWorkOnceAThreadEachTime) {
  for (const int size : {1, 2, 3, 7}) {  // more than there are cores, too
    ThreadTeam team(size);
    EXPECT_EQ(team.size(), size);
    std::vector<int> done(static_cast<std::size_t>(size), 0);
    auto work = [&](int thread) { ++done[static_cast<std::size_t>(thread)]; };
    for (int i = 0; i < 200; ++i) team.run(work);
    for (const int times : done) EXPECT_EQ(times, 200);
  }
}

TEST(ThreadTeam, WhatThreadsWroteIsThereAfterwards) {
  ThreadTeam team(3);
  long total = 0;
  for (int i = 0; i < 500; ++i) {
    std::vector<long> part(3, 0);
    auto work = [&](int thread) { part[static_cast<std::size_t>(thread)] = thread + 1; };
    team.run(work);
    total += part[0] + part[1] + part[2];
  }
  EXPECT_EQ(total, 500 * 6);
}

TEST(ThreadTeam, ThrowsWhatAThreadThrewWhenAllHaveEnded) {
  for (const int size : {1, 2, 4}) {
    ThreadTeam team(size);
    for (int thrower = 0; thrower < size; ++thrower) {
      std::atomic<int> ended{0};
      auto work = [&](int thread) {
        if (thread == thrower) throw std::out_of_range("thread " + std::to_string(thread));
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        ended.fetch_add(1);
      };
      try {
        team.run(work);
        ADD_FAILURE() << "nothing was thrown";
      } catch (const std::out_of_range& e) {
        EXPECT_EQ(e.what(), "thread " + std::to_string(thrower));
      }
      EXPECT_EQ(ended.load(), size - 1);
    }
    auto all_throw = [](int) { throw std::runtime_error("each"); };
    EXPECT_THROW(team.run(all_throw), std::runtime_error);
    std::atomic<int> done{0};
    auto sound = [&](int) { done.fetch_add(1); };
    team.run(sound);
    EXPECT_EQ(done.load(), size) << "the team works on";
  }
}

// A worker falls asleep some time after its work; a call that comes at that very moment must wake it. (It once slept
// on, and training stood still, after 138,000 calls. So this seldom catches it; raise the time to look for it.)
TEST(ThreadTeam, NobodySleepsThroughACall) {
  ThreadTeam team(2);
  int done = 0;  // by the worker
  auto work = [&](int thread) {
    if (thread == 1) ++done;
  };
  std::atomic<int> spent{0};
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(200);
  for (int round = 0; std::chrono::steady_clock::now() < end; ++round) {
    for (int i = 0; i < (round % 512) * 2048; ++i)
      spent.store(i, std::memory_order_relaxed);  // until spinning ends, sooner or later
    team.run(work);
    ASSERT_EQ(done, round + 1);
  }
}

TEST(ThreadTeam, MeetsWhenAllHaveCome) {
  constexpr int kThreads = 4, kRounds = 100;
  ThreadTeam team(kThreads);
  std::atomic<int> arrived{0};
  std::atomic<bool> early{false};
  auto work = [&](int) {
    for (int round = 1; round <= kRounds; ++round) {
      ++arrived;
      team.meet();
      if (arrived < round * kThreads) early = true;
      team.meet();
    }
  };
  team.run(work);
  EXPECT_FALSE(early);
}

/// Which threads work, as "0 1 2", having met.
std::string workers_of(ThreadTeam& team) {
  std::vector<std::atomic<int>> came(16);
  auto work = [&](int thread) {
    ++came[static_cast<std::size_t>(thread)];
    team.meet();
  };
  team.run(work);
  std::string all;
  for (std::size_t i = 0; i < came.size(); ++i) {
    for (int n = 0; n < came[i]; ++n) all += (all.empty() ? "" : " ") + std::to_string(i);
  }
  return all;
}

std::string last_note;
class MissingThreads : public testing::Test {
 protected:
  void SetUp() override {
    last_note = "no note";
    on_missing_threads([](const std::string& note) { last_note = note; });
  }
  void TearDown() override { on_missing_threads(nullptr); }
};

constexpr const char* kAdvice =
    "): the results are the same, but take longer; raise the limit on processes (ulimit -u, docker --pids-limit) or on "
    "memory (ulimit -v), or ask for one thread";

TEST_F(MissingThreads, ForWantOfMemoryAreDoneWithout) {
  const auto memory_for_three = [](int thread) {
    if (thread == 3) throw std::bad_alloc();
  };
  ThreadTeam team;
  team.grow(8, memory_for_three);
  EXPECT_EQ(team.size(), 3);
  EXPECT_EQ(last_note, std::string("only 3 of 8 threads could be started (not enough memory") + kAdvice);
  EXPECT_EQ(workers_of(team), "0 1 2");
}

TEST_F(MissingThreads, ThatTheSystemDoesNotStartAreDoneWithout) {
  if (!kMayForkWithThreads) GTEST_SKIP() << "SKIPPED: ThreadSanitizer starts a thread of its own";
  const auto limited = [] {  // the limit is one on a user's processes and threads, and root has none
    if (::getuid() == 0 && ::setuid(54321) != 0) return std::string("no other user");
    const rlimit three{3, 3};
    ::setrlimit(RLIMIT_NPROC, &three);
    ThreadTeam team(8);
    const int started = team.size();  // none, if this user has other processes
    const auto expected = "only " + std::to_string(started) +
                          " of 8 threads could be started (Resource temporarily unavailable" + kAdvice;
    if (started > 3 || last_note != expected) return last_note;
    last_note = "no note";
    ThreadTeam one(1);
    if (last_note != "no note") return "though only one was asked for: " + last_note;
    return workers_of(one) == "0" && workers_of(team) == std::string("0 1 2", static_cast<std::size_t>(2 * started - 1))
               ? std::string("good")
               : "not all work";
  };
  const auto said = in_child(limited);
  if (said == "no other user") GTEST_SKIP() << "SKIPPED: this container has " << said;
  EXPECT_EQ(said, "good");
}

TEST_F(MissingThreads, ThatPreparingRefusesForAnotherReasonAreNot) {
  ThreadTeam team;
  EXPECT_THROW(team.grow(3, [](int) { throw std::out_of_range("no"); }), std::out_of_range);
  EXPECT_EQ(team.size(), 1);
  EXPECT_EQ(last_note, "no note");
}

TEST(ForkedThreadTeam, HasItsThreadsInParentAndChild) {
  if (!kMayForkWithThreads) GTEST_SKIP() << "SKIPPED: ThreadSanitizer ends a forked process that starts threads";
  for (const int size : {1, 2, 4}) {
    ThreadTeam team(size);
    const auto all = workers_of(team);
    EXPECT_EQ(in_child([&] { return workers_of(team) + ", " + workers_of(team); }), all + ", " + all);
    EXPECT_EQ(in_child([&] { return in_child([&] { return workers_of(team); }); }), all) << "the child of a child";
    EXPECT_EQ(workers_of(team), all) << "in the parent";
  }
}

TEST(ForkedThreadTeam, CanBeDestroyedInTheChild) {
  auto team = std::make_unique<ThreadTeam>(3);
  EXPECT_EQ(in_child([&] {
              team.reset();
              return "destroyed";
            }),
            "destroyed");
  EXPECT_EQ(workers_of(*team), "0 1 2");
}

TEST(ForkedThreadTeam, ThrowsInTheChildOfARun) {
  if (!kMayForkWithThreads) GTEST_SKIP() << "SKIPPED: ThreadSanitizer ends a forked process that starts threads";
  ThreadTeam team(3);
  std::string said;
  pid_t parent = ::getpid();
  auto forks = [&](int thread) {
    if (thread == 0) said = in_child([] { return "exec or _exit"; });
  };
  team.run(forks);
  EXPECT_EQ(said, "exec or _exit");
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  auto goes_on = [&](int thread) {
    if (thread == 0 && ::fork() == 0) ::alarm(60);
  };
  try {
    team.run(goes_on);
  } catch (const std::logic_error&) {
    const auto again = ::getpid() != parent && workers_of(team) == "0 1 2" ? 'y' : 'n';
    _exit(::write(ends[1], &again, 1) == 1 ? 0 : 1);
  }
  if (::getpid() != parent) _exit(1);
  char again = 0;
  ::close(ends[1]);
  EXPECT_EQ(::read(ends[0], &again, 1), 1) << "the child got no exception";
  EXPECT_EQ(again, 'y');
  ::close(ends[0]);
  ::wait(nullptr);
}

TEST(ThreadTeam, LeavesSignalsToTheProgramAround) {
  sigset_t of_worker, mine, before;
  sigemptyset(&mine);
  sigaddset(&mine, SIGUSR2);
  pthread_sigmask(SIG_BLOCK, &mine, &before);
  ThreadTeam team(2);
  auto work = [&](int thread) {
    if (thread == 1) pthread_sigmask(SIG_BLOCK, nullptr, &of_worker);
  };
  team.run(work);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGCHLD, SIGALRM, SIGUSR1, SIGUSR2})
    EXPECT_EQ(sigismember(&of_worker, signal), 1) << signal;
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGPROF})
    EXPECT_EQ(sigismember(&of_worker, signal), 0) << signal;
  pthread_sigmask(SIG_SETMASK, &before, &mine);
  EXPECT_EQ(sigismember(&mine, SIGUSR2), 1);
  EXPECT_EQ(sigismember(&mine, SIGTERM), 0) << "those of the caller are as they were";
}

/// fegetround() of glibc asks the other unit of an x86 processor.
bool rounds_upward() {
  const volatile float one = 1, tiny = 0x1p-30F;
  return one + tiny > 1;
}

TEST(ThreadTeam, RoundsToNearestOnItsThreads) {
  std::fesetround(FE_UPWARD);  // which a new thread would inherit
  ThreadTeam team(2);
  bool upward = true;
  auto work = [&](int thread) {
    if (thread == 1) upward = rounds_upward();
  };
  team.run(work);
  EXPECT_FALSE(upward);
  EXPECT_TRUE(rounds_upward());
  {
    const PlainArithmetic plain;
    EXPECT_FALSE(rounds_upward());
  }
  EXPECT_TRUE(rounds_upward());
  std::fesetround(FE_TONEAREST);
}

}  // namespace
}  // namespace chalk
