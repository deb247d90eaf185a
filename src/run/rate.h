// How much a team of threads does in a second.
#pragma once

#include <chrono>
#include <cstddef>
#include <vector>

#include "src/base/threads.h"

namespace chalk {

/// turn(thread) says how much it has done; each thread takes turns for about `seconds`. The sum of all, a second.
template <class Turn>
double rate(ThreadTeam& team, double seconds, const Turn& turn) {
  using Clock = std::chrono::steady_clock;
  struct alignas(64) Done {
    double amount = 0;
  };
  std::vector<Done> done(static_cast<std::size_t>(team.size()));
  const auto start = Clock::now();
  const auto elapsed = [&] { return std::chrono::duration<double>(Clock::now() - start).count(); };
  auto work = [&](int thread) {
    auto& amount = done[static_cast<std::size_t>(thread)].amount;
    do {
      amount += turn(thread);
    } while (elapsed() < seconds);
  };
  team.run(work);
  const double spent = elapsed();
  double all = 0;
  for (const auto& of_one : done) all += of_one.amount;
  return all / spent;
}

}  // namespace chalk
