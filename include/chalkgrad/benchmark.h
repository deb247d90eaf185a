// How fast a network trains and predicts on this machine, and where the time goes, on random samples.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "chalkgrad/network.h"

namespace chalk {

struct BenchmarkOptions {
  std::size_t batch = 64;  ///< samples per step, >= 1
  int threads = 1;         ///< >= 1
  std::uint64_t seed = 1;  ///< of the parameters
  Optimizer optimizer{};   ///< of a training step
  bool training = true, inference = true;
  std::size_t memory = 0;  ///< the most bytes that a training step may take: CompileOptions::memory
  bool profile = false;    ///< for Benchmark::profile(): kernels are timed, which itself takes time
  bool roofline = false;   ///< for Benchmark::profile(): also measures memory, which takes up to 400 MB of it
};

/// Of training or of inference. Each multiply-add that the mathematics needs counts as two FLOPs, whatever the
/// algorithm does.
struct Speed {
  double samples_per_second = 0, seconds_per_step = 0;
  std::int64_t multiply_adds = 0;  ///< of one sample
  double gflops = 0;               ///< 10⁹ FLOPs per second
  double of_peak = 0;              ///< 0 … 1
};
struct Speeds {
  std::optional<Speed> training, inference;
  std::size_t rounds = 0;  ///< of which these are medians
  double peak = 0;         ///< FLOPs per second of fused multiply-adds in registers, measured in the same run
};

/// The share of one kernel, or of one kind of work between kernels.
struct KernelShare {
  std::string kernel;  ///< "conv2d+add+relu", "fold sums"; "waiting and the rest" for what no kernel accounts for
  std::string layer;   ///< of the first of its values
  std::string part;    ///< "forward", "backward", "update" (parameters and sums over samples) or "between" kernels
  double calls_per_step = 0, seconds_per_step = 0;
  double of_time = 0;              ///< of the time of all threads, 0 … 1
  std::int64_t multiply_adds = 0;  ///< of one sample
  double gflops = 0, of_peak = 0;
  std::int64_t bytes = 0;  ///< of a step: of each value that it reads or writes, once, as float; 0 between kernels
  /// With BenchmarkOptions::roofline: the time that its arithmetic or its bytes take at the machine's peaks, whichever
  /// is more, as a share of its time (Williams, Waterman, Patterson 2009). Above 1 where values come from a cache, or
  /// where an algorithm does less than `multiply_adds`.
  double of_bound = 0;
  bool memory_bound = false;  ///< it is the bytes that take longer
};
struct Shares {
  std::int64_t steps = 0;
  double seconds_per_step = 0;
  std::size_t rounds = 0;
  double peak = 0;
  double bandwidth =
      0;  ///< with BenchmarkOptions::roofline: bytes a second to and from memory, measured in the same run
  std::vector<KernelShare> kernels;  ///< in the order in which they run
};

class Benchmark {
 public:
  /// Builds the programs and runs each of them once. Throws InputError for samples without an axis.
  explicit Benchmark(Network network, const BenchmarkOptions& options = {});
  ~Benchmark();
  Benchmark(Benchmark&&) noexcept;
  Benchmark& operator=(Benchmark&&) noexcept;

  const Network& network() const;
  /// That its programs run on: fewer than asked for if the system started no more.
  int threads() const;
  /// Measures for about `seconds`, alternating between training, inference and the machine's peak.
  Speeds speeds(double seconds);
  /// Where the time of a training step goes or, without training, of a prediction. BenchmarkOptions::profile must be
  /// set.
  Shares profile(double seconds);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The most memory this process has used so far, in bytes; 0 if the system does not say.
std::size_t peak_memory();

}  // namespace chalk
