#include "src/base/threads.h"

#include <sched.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace chalk {
namespace {

constexpr std::uint32_t kGoodbye = 1U << 31;
constexpr int kSpins = 20000;  // a millisecond at most: work comes that often while training
constexpr int kSpinsAtOnce = 500;

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

bool may_spin(int threads) {
  static const int cores = available_threads();
  return threads <= cores;  // otherwise, what we wait for may need this very core
}

}  // namespace

int available_threads() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

ThreadTeam::ThreadTeam(int size) {
  for (int thread = 1; thread < size; ++thread) workers_.emplace_back([this, thread] { serve(thread); });
}

ThreadTeam::~ThreadTeam() {
  round_.fetch_or(kGoodbye, std::memory_order_seq_cst);
  round_.notify_all();
  for (auto& worker : workers_) worker.join();
}

void ThreadTeam::start(void (*call_work)(void*, int), void* work) {
  const int others = static_cast<int>(workers_.size());
  call_ = call_work;
  work_ = work;
  if (others > 0) {
    busy_.store(others, std::memory_order_relaxed);
    round_.store((round_.load(std::memory_order_relaxed) + 1) & ~kGoodbye, std::memory_order_seq_cst);
    round_.notify_all();
  }
  call(0);
  for (int left = busy_.load(std::memory_order_acquire); left != 0; left = busy_.load(std::memory_order_acquire)) {
    wait_while(busy_, left, may_spin(size()));
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
  std::uint32_t seen = 0;
  const bool spin = may_spin(thread + 1);
  for (;;) {
    wait_while(round_, seen, spin);
    seen = round_.load(std::memory_order_acquire);
    if (seen & kGoodbye) return;
    call(thread);
    if (busy_.fetch_sub(1, std::memory_order_seq_cst) == 1) busy_.notify_one();
  }
}

void Barrier::wait() {
  const std::uint32_t round = round_.load(std::memory_order_acquire);
  if (waiting_.fetch_add(1, std::memory_order_acq_rel) + 1 == size_) {
    waiting_.store(0, std::memory_order_relaxed);
    round_.store(round + 1, std::memory_order_seq_cst);
    round_.notify_all();
  } else {
    wait_while(round_, round, may_spin(size_));
  }
}

}  // namespace chalk
