// Runs a plan: phase after phase, first the waves of work on shared values, then the microbatches.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <span>
#include <vector>

#include "chalkgrad/program.h"
#include "src/base/aligned.h"
#include "src/base/share.h"
#include "src/base/threads.h"
#include "src/plan/plan.h"
#include "src/run/gather.h"
#include "src/run/profile.h"
#include "src/run/variable_watch.h"

namespace chalk {

class Executor {
 public:
  /// The plan and its variables must outlive the executor.
  Executor(const Plan& plan, Variables& variables, const CompileOptions& options);

  void feed(std::size_t input, const Feed& feed) { samples_.feed(input, feed); }
  /// Gives the shared value at this location another number.
  void set(const Location& location, float value);
  void set_position(std::uint64_t position) { samples_.set_position(position); }
  /// See Program::run(). Every input has been fed.
  void run(std::size_t samples, const std::uint32_t* rows);
  std::span<const float> output(std::size_t output) const;

  int threads() const { return team_.size(); }
  MemoryUse memory() const;
  std::vector<KernelTime> profile() const;

 private:
  struct Circle;
  struct Worker {
    AlignedFloats arena, scratch;
    std::vector<const float*> in;
    std::vector<float*> out;
    Profile profile;
    int thread = 0;  // which it is
    // What it is working on:
    std::size_t microbatch = 0;
    float* slot = nullptr;
    float* values = nullptr;   // an arena,
    Share share;               // which other threads may work on as well,
    Circle* circle = nullptr;  // those of this circle
  };
  /// Threads that work on one microbatch together.
  struct Circle {
    Meeting meeting;
    std::atomic<bool> failed{false};  // samples could not be fetched
  };
  /// What a run is about.
  struct Batch {
    std::size_t samples = 0, microbatches = 0;
    int slots = 0;                        // that hold sums
    const std::uint32_t* rows = nullptr;  // of the feeds; null: 0, 1, 2, …

    int valid(std::size_t microbatch) const;
    Microbatch microbatch(std::size_t index, bool runs_one) const;
  };

  std::vector<Worker> start_workers(int threads);
  void start(std::size_t samples, const std::uint32_t* rows);
  void make_room();

  void do_waves(const Phase& phase);
  void do_wave(const Phase& phase, std::span<const SharedItem> items, std::atomic<std::uint32_t>* taken, int thread);
  void do_item(const Phase& phase, const SharedItem& item, Worker& worker);
  void run_parts(const Step& step, const SharedItem& item, Worker& worker);
  int owner(const SharedItem& item) const;

  bool fetches_in(const Phase& phase) const { return samples_.fetches() && &phase == plan_.phases.data(); }
  void do_microbatches(const Phase& phase);
  std::size_t divided_microbatches(const Phase& phase, std::size_t count) const;
  void join_circle(std::size_t circles, Worker& worker);
  void do_slot(const Phase& phase, std::size_t slot, std::size_t stride, Worker& worker);
  void bring_samples(const Phase& phase, const Microbatch& microbatch, Worker& worker);
  [[noreturn]] void leave_circle(const std::exception_ptr& error, Worker& worker);
  void meet(Worker& worker);
  void do_microbatch(const Phase& phase, const Microbatch& microbatch, bool first_of_slot, Worker& worker);
  void fetch(const Microbatch& microbatch, const Worker& worker);
  void deliver(const Phase::Delivery& delivery, const Microbatch& microbatch, Worker& worker);

  void run_step(const Step& step, KernelRun call, bool alone, Worker& worker);
  float* at(const Location& location, const Worker& worker);
  template <class... What>
  void lap(Worker& worker, What... what) const {
    if (profiled_) worker.profile.lap(what...);
  }

  const Plan& plan_;
  const bool profiled_;
  VariableWatch variables_;
  AlignedFloats shared_, slots_;
  AlignedFloats whole_;                        // Plan::kept, for as many
  std::size_t whole_microbatches_ = 0;         // microbatches
  std::vector<std::vector<float>> delivered_;  // of Plan::outputs that are batched

  // Shared values of the first phase (packed weights, mostly) depend on variables, on set() and on the number of
  // samples alone: a program without updates computes them again only when one of these has changed.
  bool shared_is_current_ = false;
  std::vector<std::size_t> updated_;  // variables that a run writes to

  Batch batch_;
  std::atomic<std::size_t> next_{0};               // slot, or microbatch, that no thread has taken yet
  std::vector<std::atomic<std::uint32_t>> taken_;  // of each item of a phase: the round in which it was last taken
  std::uint32_t round_ = 0;
  std::atomic<bool> running_{false};

  ThreadTeam team_;
  std::vector<Worker> workers_;  // one a thread of the team
  std::vector<Circle> circles_;
  Gatherer samples_;
};

}  // namespace chalk
