#include "src/base/threads.h"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <new>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>

#include "chalkgrad/error.h"
#include "src/base/aligned.h"
#include "src/base/arithmetic.h"
#include "src/base/cores.h"
#include "src/base/signals_elsewhere.h"
#include "src/base/text.h"

namespace chalk {
namespace {

constexpr std::uint32_t kGoodbye = 1U << 31;
constexpr int kSpins = 20000;  // a millisecond at most: work comes that often while training
constexpr int kSpinsAtOnce = 500;
constexpr std::size_t kKeptFree = std::size_t{64} << 20;  // bytes; see grow()

inline void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

// A value that another thread may sleep on is changed with seq_cst. libstdc++'s notify first looks whether anybody is
// asleep; a weaker store might still be on its way then, so that neither sees the other: the waiter sleeps on an old
// value, and nobody wakes it.

/// Lets another thread that is queued on this core run. True if there was one.
bool let_others_run() {
  const auto start = std::chrono::steady_clock::now();
  std::this_thread::yield();
  return std::chrono::steady_clock::now() - start > std::chrono::microseconds(20);
}

/// Waits until `value` is no longer `old`: spins first, as the reply is usually near, then sleeps. If others want
/// this core, it sleeps at once: it may be waiting for one of them, and on waking up it is given a free core.
template <class T>
void wait_while(const std::atomic<T>& value, T old, bool spin) {
  for (int i = 1; spin && i <= kSpins; ++i) {
    if (value.load(std::memory_order_acquire) != old) return;
    pause();
    if (i % kSpinsAtOnce == 0 && let_others_run()) break;
  }
  while (value.load(std::memory_order_acquire) == old) value.wait(old, std::memory_order_acquire);
}

std::atomic<ThreadNote> tell_note{nullptr};

void note_missing(int wanted, int got, std::string_view reason) {
  if (const auto tell = tell_note.load()) {
    tell(str(
        "only ", got, " of ", wanted, " threads could be started (", reason,
        "): the results are the same, but take longer; raise the limit on processes (ulimit -u, docker --pids-limit) "
        "or on memory (ulimit -v), or ask for one thread"));
  }
}

/// How often this process and those that it descends from were forked. A handler counts, so that looking costs no
/// system call. It is not called where a child may do nothing but exec (vfork, posix_spawn).
std::atomic<std::uint32_t> forks{0};
[[maybe_unused]] const int counts =
    pthread_atfork(nullptr, nullptr, [] { forks.fetch_add(1, std::memory_order_relaxed); });

/// Read once: it may throw, which threads of a team must not.
int cores_at_start() {
  static const int cores = available_threads();
  return cores;
}

}  // namespace

int available_threads() { return usable_cores().threads(); }

void check_threads(int threads) {
  if (threads < 0 || threads > 1024)
    throw InputError(str("threads is ", threads, "; it must be between 1 and 1024, or 0 for one a core"));
}

void on_missing_threads(ThreadNote tell) { tell_note.store(tell); }

ThreadTeam::ThreadTeam() : cores_(cores_at_start()), forks_(forks.load()) {}

ThreadTeam::~ThreadTeam() {
  if (was_forked()) forget_threads();
  round_.fetch_or(kGoodbye, std::memory_order_seq_cst);
  round_.notify_all();
  for (auto& worker : workers_) worker.join();
}

void ThreadTeam::grow(int size, const std::function<void(int)>& prepare) {
  if (size <= this->size()) return;
  try {
    start_threads(size, prepare);
  } catch (const std::bad_alloc&) {
    note_missing(size, this->size(), "not enough memory");
  } catch (const std::system_error& error) {
    note_missing(size, this->size(), error.code().message());
  }
}

void ThreadTeam::start_threads(int size, const std::function<void(int)>& prepare) {
  // Where the address space is limited, the stacks of many threads would fill it, and nothing else could be done.
  const AlignedFloats kept_free(kKeptFree / sizeof(float));
  workers_.reserve(static_cast<std::size_t>(size) - 1);
  const SignalsElsewhere elsewhere;
  for (int thread = this->size(); thread < size; ++thread) {
    if (prepare) prepare(thread);
    workers_.emplace_back([this, thread] { serve(thread); });
  }
}

bool ThreadTeam::was_forked() const { return forks_ != forks.load(std::memory_order_relaxed); }

/// Those of the process that this one was forked from: they cannot be joined here, and a std::thread holds nothing
/// else.
void ThreadTeam::forget_threads() {
  for (auto& worker : workers_) std::construct_at(&worker);
  workers_.clear();
  round_ = 0;
  busy_ = 0;
  of_all_.waiting_ = 0;
  failed_ = false;
}

void ThreadTeam::start(void (*call_work)(void*, int), void* work) {
  if (was_forked()) {
    const int size = this->size();
    forget_threads();
    forks_ = forks.load();
    grow(size);
  }
  const int others = static_cast<int>(workers_.size());
  call_ = call_work;
  work_ = work;
  if (others > 0) {
    busy_.store(others, std::memory_order_relaxed);
    round_.store((round_.load(std::memory_order_relaxed) + 1) & ~kGoodbye, std::memory_order_seq_cst);
    round_.notify_all();
  }
  call(0);
  if (others > 0 && was_forked()) {
    throw std::logic_error(
        "this process was forked amid a run, so the other threads of the run are not here; let the "
        "child call exec or _exit, or run again");
  }
  for (int left = busy_.load(std::memory_order_acquire); left != 0; left = busy_.load(std::memory_order_acquire)) {
    wait_while(busy_, left, may_spin());
  }
  if (failed_.load(std::memory_order_relaxed)) {
    failed_.store(false, std::memory_order_relaxed);
    std::rethrow_exception(std::exchange(error_, nullptr));
  }
}

void ThreadTeam::call(int thread) {
  try {
    call_(work_, thread);
  } catch (...) {
    if (!failed_.exchange(true, std::memory_order_relaxed)) error_ = std::current_exception();
  }
}

void ThreadTeam::serve(int thread) {
  const PlainArithmetic plain;
  std::uint32_t seen = 0;
  const bool spin = thread < cores_;
  for (;;) {
    wait_while(round_, seen, spin);
    seen = round_.load(std::memory_order_acquire);
    if (seen & kGoodbye) return;
    call(thread);
    if (busy_.fetch_sub(1, std::memory_order_seq_cst) == 1) busy_.notify_one();
  }
}

void ThreadTeam::meet(Meeting& meeting, int count) {
  const std::uint32_t held = meeting.held_.load(std::memory_order_acquire);
  if (meeting.waiting_.fetch_add(1, std::memory_order_acq_rel) + 1 == count) {
    meeting.waiting_.store(0, std::memory_order_relaxed);
    meeting.held_.store(held + 1, std::memory_order_seq_cst);
    meeting.held_.notify_all();
  } else {
    wait_while(meeting.held_, held, may_spin());
  }
}

}  // namespace chalk
