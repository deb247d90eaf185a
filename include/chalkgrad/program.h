// Running a graph: compile once for its shapes, run with any number of samples.
//
//   Variables variables(graph, /*seed=*/1);
//   Program program(graph, variables, {.threads = 2});
//   program.feed("x", {.values = images.data()});
//   program.run(64);
//   float loss = program.output("loss")[0];
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "chalkgrad/compile_options.h"
#include "chalkgrad/graph.h"

namespace chalk {

/// One parameter's numbers, 64-byte aligned and padded with zeros to a multiple of 16.
class Tensor {
 public:
  /// All zeros. Throws ShapeError for extents that are none.
  explicit Tensor(Shape shape);
  Tensor(const Tensor& other);
  Tensor(Tensor&&) noexcept = default;
  /// Gives the elements the values of the other's, which must have the same shape (InputError).
  Tensor& operator=(const Tensor& other);
  const Shape& shape() const { return shape_; }
  /// For reading. The second form may also be written through, now and later, and programs see it. But they cannot know
  /// when that happens, so every run compares the tensor with what it was at the run before. Where that time matters
  /// (predicting one sample at a time, in microseconds), read through a const Tensor and write with assign().
  std::span<const float> values() const { return {data_.get(), static_cast<std::size_t>(elements(shape_))}; }
  std::span<float> values();
  /// Gives all elements new values. Throws InputError if their number is wrong.
  void assign(std::span<const float> values);
  /// Gives all elements the same new value.
  void fill(float value);

 private:
  friend class Variables;
  friend class VariableWatch;  // src/run
  struct History {
    mutable std::atomic<std::uint64_t> changes{0};  // by assign() and by programs
    std::atomic<bool> handed_out{false};            // somebody may hold a span to write through
  };
  struct Free {
    void operator()(float* p) const;
  };
  Shape shape_;
  std::unique_ptr<float[], Free> data_;
  std::unique_ptr<History> history_ = std::make_unique<History>();
};

/// The parameters of a graph by name. Their addresses never change, so several programs may share them. A copy has
/// numbers of its own.
class Variables {
 public:
  Variables() = default;
  Variables(const Variables&) = default;
  Variables(Variables&&) noexcept = default;
  /// Then has the same variables as the other, with the same numbers. Those that it had before, in the same shape, keep
  /// their addresses, so programs go on with the new numbers; a program that uses one of the others must not run again.
  Variables& operator=(const Variables& other);
  /// All parameters of the graph, initialised from the seed (each by its own name, so adding one changes no other).
  Variables(const Graph& graph, std::uint64_t seed);

  /// Adds those of the graph's parameters that are missing.
  void add(const Graph& graph, std::uint64_t seed);
  /// Throws InputError naming it if there is none.
  Tensor& at(std::string_view name);
  const Tensor& at(std::string_view name) const;
  bool contains(std::string_view name) const { return tensors_.contains(name); }
  const std::map<std::string, Tensor, std::less<>>& all() const { return tensors_; }

 private:
  std::map<std::string, Tensor, std::less<>> tensors_;
};

/// Fetches samples for a run: writes those of `rows` (1 to 16 of them) to `to`, one after the other and every element.
/// `position` is what Program::set_position() last said.
///
/// Each thread of the program calls it for the samples it works on, in any order and concurrently; `to` is memory that
/// no other call writes to. In one run, each sample of the batch is fetched once. What it writes for a row may depend
/// only on that row and the position, so that results are the same bits on any number of threads and however a batch is
/// divided among runs. If it throws, run() ends and throws the same; parameters whose updates depend on samples are
/// then unchanged, and the program can be run again.
template <class T>
using Fetch = std::function<void(std::span<const std::uint32_t> rows, std::uint64_t position, std::span<T> to)>;

/// Where a batched input's samples come from: exactly one of values, bytes and labels, or of functions that fetch them.
/// The memory, or what the function uses, must live until the last run that uses it; it may change between runs.
struct Feed {
  const float* values = nullptr;         ///< samples × elements, entering as they are, or with a scale as bytes do, or
  const std::uint8_t* bytes = nullptr;   ///< samples × elements, each entering as byte · scale[c] + shift[c], or
  const std::int32_t* labels = nullptr;  ///< one a sample, from 0, entering as a one-hot vector
  const float* scale = nullptr;          ///< per channel (first axis): bytes need both, values may have them
  const float* shift = nullptr;
  Fetch<float> fetch_values{};         ///< elements of each row, or
  Fetch<std::uint8_t> fetch_bytes{};   ///< elements of each row, with scale and shift, or
  Fetch<std::int32_t> fetch_labels{};  ///< one for each row
  bool per_sample = false;  ///< then scale and shift are those that bring each sample to mean 0 and deviation 1,
                            ///< whatever is given; all elements count alike. Equal ones become 0 (see normalisation.h)
};

/// How much memory a program uses, in bytes.
struct MemoryUse {
  std::size_t parameters = 0;   ///< all parameters, momentum included
  std::size_t activations = 0;  ///< of each thread: one microbatch of 16 samples, with what was fetched for it
  std::size_t gradients = 0;    ///< slots of sums over samples
  std::size_t shared = 0;       ///< shared values and packed weights
  int threads = 1;
  std::size_t kept = 0;  ///< beyond the total, per 16 samples of the largest batch so far: values and samples that a
                         ///< graph that couples its samples (batch normalisation in training) needs again later
  std::size_t total() const {
    return parameters + activations * static_cast<std::size_t>(threads) + gradients + shared;
  }
};

/// The time taken by one kernel, or by one kind of work between kernels, on all threads together.
struct KernelTime {
  std::string kernel;         ///< the operations it runs as one: "conv2d+add+relu"; or "gather samples"
  std::vector<NodeId> nodes;  ///< what it computes of Program::graph(); empty for work between kernels
  std::uint64_t calls = 0;
  double seconds = 0;
};

/// An executable form of a graph's outputs and updates. Runs allocate nothing, with two exceptions: the first run with
/// more samples than ever before, if the graph has batched outputs or couples its samples; and the first run after a
/// variable's values() were handed out for writing. A program may be used by one thread at a time.
///
/// It runs on threads of its own beside the caller's, which see none of the process's signals. A process that is forked
/// while no run is under way may run and destroy it in parent and child: the child starts threads of its own. A program
/// that was forked amid a run can only be destroyed in the child, and the parameters it updates may be half new.
class Program {
 public:
  /// The graph is copied; `variables` must hold its parameters and outlive the program. Throws InputError if one is
  /// missing or has another shape, and for options that fit no program.
  Program(const Graph& graph, Variables& variables, const CompileOptions& options = {});
  ~Program();
  Program(Program&&) noexcept;
  Program& operator=(Program&&) noexcept;

  /// Gives a batched input its samples. Throws InputError if there is no such input, or not exactly one kind of feed.
  void feed(std::string_view input, const Feed& feed);
  /// Gives a shared scalar input its value.
  void set(std::string_view input, float value);
  /// Tells the following runs where they are, e.g. the step or the epoch: what is fetched and what noise is drawn may
  /// depend on it. 0 at first.
  void set_position(std::uint64_t position);
  /// Runs on `samples` >= 1 samples: the rows named by `rows` of every feed (null: 0, 1, 2, …), then applies the
  /// updates. Throws InputError if an input was not fed (noise need not be), NumericError if the guarded value is not
  /// finite, what a feed's function throws, and std::logic_error if it is running already, also in a forked process's
  /// parent.
  void run(std::size_t samples, const std::uint32_t* rows = nullptr);
  /// Of the last run: the elements of a shared output; samples × elements of a batched one. Throws InputError for an
  /// unknown name.
  std::span<const float> output(std::string_view name) const;

  /// How many it runs on, the caller's among them: fewer than CompileOptions say if the system starts no more, as where
  /// processes (ulimit -u, docker --pids-limit) or memory (ulimit -v) are limited.
  int threads() const;
  MemoryUse memory() const;
  /// The bytes that a run of so many samples takes: parameters and all else that the program books, but not what it is
  /// fed. CompileOptions::memory limits them.
  std::size_t memory_of(std::size_t samples) const;
  /// Of all runs so far, if CompileOptions::profile is set: the kernels in the order in which they run, then those for
  /// single samples, then the work between kernels. Otherwise empty.
  std::vector<KernelTime> profile() const;
  /// The graph that runs: what the passes made of the given one.
  const Graph& graph() const;
  /// The plan: phase by phase, one line per kernel with the locations of its values.
  std::string print() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The instruction set in use: "avx512", "avx2", "neon" or "portable". CHALKGRAD_TARGET=avx2 in the environment forces
/// one. Results do not depend on it.
std::string instruction_set();

}  // namespace chalk
