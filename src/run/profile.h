// Where the time of a program goes, kernel by kernel. Each thread has its own; nothing is measured without one.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "chalkgrad/program.h"
#include "src/plan/kernel.h"

namespace chalk {

/// Work that is no kernel's, between them.
enum class Between : std::uint8_t { fetch, gather, transpose, deliver, pack, fold, copy };

/// A thread's stopwatch. lap() gives the time since the last lap (or start()) to what has just been done.
class Profile {
 public:
  /// Books a time for each, as a lap must not allocate: other threads may be waiting for this one.
  void expect(const std::vector<std::unique_ptr<PlannedKernel>>& kernels);
  void start() { last_ = Clock::now(); }
  void lap(Between what) { lap(between_[static_cast<std::size_t>(what)]); }
  /// `counts`: it is a call, not another thread's share of one.
  void lap(const PlannedKernel* kernel, bool alone = false, bool counts = true) {
    lap((alone ? alone_ : kernels_)[kernel], counts);
  }

  /// A row for each kernel in this order, one for each as it runs for a sample alone, then one for each kind of work
  /// between them; adds this thread's times.
  void add_to(std::vector<KernelTime>& rows, const std::vector<std::unique_ptr<PlannedKernel>>& kernels) const;

 private:
  using Clock = std::chrono::steady_clock;
  struct Time {
    std::uint64_t calls = 0;
    Clock::duration spent{};
  };
  void lap(Time& time, bool counts = true) {
    const auto now = Clock::now();
    time.spent += now - last_;
    time.calls += counts ? 1 : 0;
    last_ = now;
  }

  Clock::time_point last_;
  std::array<Time, 7> between_;
  std::map<const PlannedKernel*, Time> kernels_, alone_;
};

}  // namespace chalk
