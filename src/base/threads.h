// A fixed team of threads that work together, many thousand times per second.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <thread>
#include <vector>

namespace chalk {

/// One per core that this process may run on.
int available_threads();

class ThreadTeam {
 public:
  /// `size` >= 1 threads, the caller's among them.
  explicit ThreadTeam(int size);
  ~ThreadTeam();
  ThreadTeam(const ThreadTeam&) = delete;
  ThreadTeam& operator=(const ThreadTeam&) = delete;

  int size() const { return static_cast<int>(workers_.size()) + 1; }

  /// Calls work(0) … work(size() − 1), each on its own thread, work(0) on this one; returns when all have. Allocates
  /// nothing. If some throw, rethrows the first exception once all have returned. (Work must not throw while other
  /// threads wait for it at a Barrier.)
  template <class F>
  void run(F& work) {
    start([](void* f, int thread) { (*static_cast<F*>(f))(thread); }, &work);
  }

 private:
  void start(void (*call)(void*, int), void* work);
  void serve(int thread);
  void call(int thread);

  std::vector<std::thread> workers_;
  void (*call_)(void*, int) = nullptr;
  void* work_ = nullptr;
  std::atomic<std::uint32_t> round_{0};  // counts calls of run(); the highest bit ends the threads
  std::atomic<int> busy_{0};
  std::atomic<bool> failed_{false};
  std::exception_ptr error_;  // if so
};

/// Makes the threads of a team wait for each other.
class Barrier {
 public:
  explicit Barrier(int size) : size_(size) {}
  void wait();

 private:
  const int size_;
  std::atomic<int> waiting_{0};
  std::atomic<std::uint32_t> round_{0};
};

}  // namespace chalk
