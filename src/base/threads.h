// A team of threads that work together, many thousand times per second.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace chalk {

/// How many a program has that is not told otherwise: Cores::threads(), now.
int available_threads();

/// Throws InputError for a number of threads that no program can be asked for.
void check_threads(int threads);

/// Is given a sentence for people when a team is smaller than it should be. May come on any thread; null at first.
using ThreadNote = void (*)(const std::string& note);
void on_missing_threads(ThreadNote tell);

/// Where some threads of a team wait for each other, again and again.
class Meeting {
 public:
  Meeting() = default;
  Meeting(const Meeting&) = delete;
  Meeting& operator=(const Meeting&) = delete;

 private:
  friend class ThreadTeam;
  std::atomic<int> waiting_{0};
  std::atomic<std::uint32_t> held_{0};  // how many have been
};

class ThreadTeam {
 public:
  /// The caller alone.
  ThreadTeam();
  /// `size` >= 1 threads, the caller's among them: see grow().
  explicit ThreadTeam(int size) : ThreadTeam() { grow(size); }
  ~ThreadTeam();
  ThreadTeam(const ThreadTeam&) = delete;
  ThreadTeam& operator=(const ThreadTeam&) = delete;

  /// Starts threads until there are `size`; before each, prepare(its number), which may book memory for it. Where there
  /// is no memory for one more, or the system starts no more, the team stays as large as it is, and a note says so.
  /// To be called before the first run().
  void grow(int size, const std::function<void(int thread)>& prepare = {});
  int size() const { return static_cast<int>(workers_.size()) + 1; }

  /// Calls work(0) … work(size() − 1), each on its own thread, work(0) on this one; returns when all have. Allocates
  /// nothing. If some throw, rethrows the first exception once all have returned. (Work must not throw while other
  /// threads wait for it in meet().)
  ///
  /// A forked process has no thread but the one that forked. There, the first run() starts the team's anew. A run in
  /// which work(0) forks throws std::logic_error there.
  template <class F>
  void run(F& work) {
    start([](void* f, int thread) { (*static_cast<F*>(f))(thread); }, &work);
  }
  /// Within work: waits until every thread has come here.
  void meet() { meet(of_all_, size()); }
  /// Until `count` threads have come to this meeting.
  void meet(Meeting& meeting, int count);

 private:
  void start(void (*call)(void*, int), void* work);
  void start_threads(int size, const std::function<void(int)>& prepare);
  void forget_threads();
  bool was_forked() const;
  void serve(int thread);
  void call(int thread);
  bool may_spin() const { return size() <= cores_; }

  const int cores_;      // if there are more threads, what one waits for may need this very core
  std::uint32_t forks_;  // that there had been when the threads were started
  std::vector<std::thread> workers_;
  void (*call_)(void*, int) = nullptr;
  void* work_ = nullptr;
  std::atomic<std::uint32_t> round_{0};  // counts calls of run(); the highest bit ends the threads
  std::atomic<int> busy_{0};
  std::atomic<bool> failed_{false};
  std::exception_ptr error_;  // if so
  Meeting of_all_;
};

}  // namespace chalk
