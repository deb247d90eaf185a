#include "src/run/executor.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <exception>
#include <stdexcept>

#include "chalkgrad/error.h"
#include "src/base/arithmetic.h"
#include "src/base/text.h"
#include "src/kernels/dense.h"
#include "src/kernels/fold.h"
#include "src/kernels/transfer.h"

namespace chalk {

using Space = Location::Space;

namespace {

/// A program runs once at a time. Ends with the run.
class Running {
 public:
  explicit Running(std::atomic<bool>& flag) : flag_(flag) {
    if (flag_.exchange(true)) {
      throw std::logic_error(
          "this program is running already: on another thread, around a function of its feed, or in "
          "the process that this one was forked from; make another program");
    }
  }
  ~Running() { flag_.store(false); }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

 private:
  std::atomic<bool>& flag_;
};

}  // namespace

Executor::Executor(const Plan& plan, Variables& variables, const CompileOptions& options)
    : plan_(plan),
      profiled_(options.profile),
      variables_(plan.variables, variables),
      shared_(plan.shared),
      slots_(plan.slot * static_cast<std::size_t>(plan.slots)),
      delivered_(plan.outputs.size()),
      workers_(start_workers(options.threads)),
      circles_(workers_.size()),
      samples_(plan, team_.size(), options.seed) {
  for (const auto& constant : plan.constants) {
    std::fill_n(shared_.data() + constant.at, constant.count, constant.value);
  }
  for (const auto& [leaf, next] : plan.graph.updates()) {
    const auto found = std::find(plan.variables.begin(), plan.variables.end(), plan.graph.node(leaf).name);
    updated_.push_back(static_cast<std::size_t>(found - plan.variables.begin()));
  }
  std::size_t most_items = 0;
  for (const auto& phase : plan.phases) {
    std::size_t items = 0;
    for (const auto& wave : phase.waves) items += wave.size();
    most_items = std::max(most_items, items);
  }
  taken_ = std::vector<std::atomic<std::uint32_t>>(most_items);
}

/// A thread's memory is booked just before the thread is started, so that there are as many as there is room for both.
std::vector<Executor::Worker> Executor::start_workers(int threads) {
  std::size_t most_operands = 0;
  for (const auto& phase : plan_.phases) {
    for (const auto* steps : {&phase.shared_steps, &phase.steps}) {
      for (const auto& step : *steps) most_operands = std::max({most_operands, step.in.size(), step.out.size()});
    }
  }
  std::vector<Worker> workers;
  const auto book = [&](int thread) {
    Worker& worker = workers.emplace_back();
    worker.thread = thread;
    worker.arena = AlignedFloats(plan_.arena);
    worker.scratch = AlignedFloats(plan_.scratch);
    worker.in.resize(most_operands);
    worker.out.resize(most_operands);
    if (profiled_) worker.profile.expect(plan_.kernels);
    guard_red_zones(worker.arena.data(), plan_.arena_values);
  };
  book(0);
  team_.grow(threads > 0 ? threads : available_threads(), book);
  workers.erase(workers.begin() + team_.size(), workers.end());
  return workers;
}

void Executor::set(const Location& location, float value) {
  float& at = shared_.data()[location.offset];
  if (std::bit_cast<std::uint32_t>(at) == std::bit_cast<std::uint32_t>(value)) return;
  at = value;
  shared_is_current_ = false;
}

std::span<const float> Executor::output(std::size_t output) const {
  const auto& [name, type, location] = plan_.outputs[output];
  if (type.batched) return delivered_[output];
  const float* values =
      location.space == Space::variable ? variables_.data(location.offset) : shared_.data() + location.offset;
  return {values, static_cast<std::size_t>(elements(type.shape))};
}

MemoryUse Executor::memory() const {
  MemoryUse use;
  use.parameters = variables_.bytes();
  use.activations = (plan_.arena + plan_.scratch) * sizeof(float) + samples_.bytes_a_thread();
  use.gradients = slots_.size() * sizeof(float);
  use.shared = shared_.size() * sizeof(float);
  use.kept = samples_.bytes_a_microbatch() + plan_.kept * sizeof(float);
  use.threads = team_.size();
  return use;
}

std::vector<KernelTime> Executor::profile() const {
  std::vector<KernelTime> rows;
  if (profiled_) {
    for (const auto& worker : workers_) worker.profile.add_to(rows, plan_.kernels);
  }
  return rows;
}

// A run.

int Executor::Batch::valid(std::size_t microbatch) const {
  return static_cast<int>(std::min<std::size_t>(16, samples - microbatch * 16));
}

Microbatch Executor::Batch::microbatch(std::size_t index, bool runs_one) const {
  Microbatch one;
  one.index = index;
  one.valid = valid(index);
  one.alone = runs_one && one.valid == 1;
  for (int n = 0; n < 16; ++n) {
    const std::size_t sample = index * 16 + static_cast<std::size_t>(std::min(n, one.valid - 1));
    one.rows[n] = rows ? rows[sample] : static_cast<std::uint32_t>(sample);
  }
  return one;
}

void Executor::run(std::size_t samples, const std::uint32_t* rows) {
  const Running once(running_);
  const PlainArithmetic plain;
  start(samples, rows);
  for (std::size_t p = 0; p < plan_.phases.size(); ++p) {
    if (p > 0 || !shared_is_current_) do_waves(plan_.phases[p]);
    shared_is_current_ = true;
    do_microbatches(plan_.phases[p]);
  }
}

void Executor::start(std::size_t samples, const std::uint32_t* rows) {
  const std::size_t microbatches = microbatches_of(samples);
  batch_ = {samples, microbatches,
            static_cast<int>(std::min<std::size_t>(static_cast<std::size_t>(plan_.slots), microbatches)), rows};
  make_room();
  if (plan_.batch_size.space == Space::shared) set(plan_.batch_size, static_cast<float>(samples));
  for (const auto variable : updated_) variables_.wrote(variable);
  if (variables_.changed() || !updated_.empty()) shared_is_current_ = false;
}

void Executor::make_room() {
  samples_.make_room(batch_.microbatches);
  if (batch_.microbatches > whole_microbatches_) {
    whole_microbatches_ = 0;   // if there is no room for more
    whole_ = AlignedFloats();  // not both at a time
    whole_ = AlignedFloats(plan_.kept * batch_.microbatches);
    for (std::size_t m = 0; m < batch_.microbatches; ++m)
      guard_red_zones(whole_.data() + m * plan_.kept, plan_.kept_values);
    whole_microbatches_ = batch_.microbatches;
  }
  for (std::size_t i = 0; i < delivered_.size(); ++i) {
    const Type& type = plan_.outputs[i].type;
    if (type.batched) delivered_[i].resize(batch_.samples * static_cast<std::size_t>(elements(type.shape)));
  }
}

// Shared values.

void Executor::do_waves(const Phase& phase) {
  if (phase.waves.empty()) return;
  ++round_;
  std::atomic<bool> sound{true};
  auto work = [&](int thread) {
    Worker& worker = workers_[static_cast<std::size_t>(thread)];
    worker.microbatch = 0;
    worker.slot = slots_.data();
    auto* taken = taken_.data();
    for (std::size_t wave = 0; wave < phase.waves.size(); ++wave) {
      const auto& items = phase.waves[wave];
      do_wave(phase, items, taken, thread);
      taken += items.size();
      team_.meet();
      if (static_cast<int>(wave) == phase.guard_wave && !std::isfinite(*at(plan_.guard, worker))) {
        sound.store(false, std::memory_order_relaxed);
        return;  // all threads see the same value, so all return
      }
    }
  };
  team_.run(work);
  if (!sound.load(std::memory_order_relaxed)) throw NumericError(str("a guarded value is not finite"));
}

void Executor::do_wave(const Phase& phase, std::span<const SharedItem> items, std::atomic<std::uint32_t>* taken,
                       int thread) {
  Worker& worker = workers_[static_cast<std::size_t>(thread)];
  if (profiled_) worker.profile.start();
  // A thread begins with the parts that it has at every step, which its cache may still hold, and then helps.
  for (const bool own : {true, false}) {
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (own != (owner(items[i]) == thread)) continue;
      if (taken[i].load(std::memory_order_relaxed) == round_ ||
          taken[i].exchange(round_, std::memory_order_relaxed) == round_)
        continue;
      do_item(phase, items[i], worker);
    }
  }
}

int Executor::owner(const SharedItem& item) const {
  return static_cast<int>(item.begin * static_cast<std::size_t>(team_.size()) / std::max<std::size_t>(1, item.all));
}

void Executor::do_item(const Phase& phase, const SharedItem& item, Worker& worker) {
  switch (item.kind) {
    case SharedItem::Kind::fold:
      fold_slots(slots_.data() + item.from.offset, plan_.slot, batch_.slots, item.begin, item.end, at(item.to, worker));
      return lap(worker, Between::fold);
    case SharedItem::Kind::pack: {
      const auto& pack = plan_.packs[item.step];
      const Share share{.index = static_cast<int>(item.begin), .count = static_cast<int>(item.all)};
      pack.kernel->pack(at(pack.from, worker), shared_.data() + pack.to, share);
      return lap(worker, Between::pack);
    }
    case SharedItem::Kind::run: {
      const Step& step = phase.shared_steps[item.step];
      run_parts(step, item, worker);
      return lap(worker, step.kernel);
    }
    case SharedItem::Kind::copy:
      std::memcpy(at(item.to, worker) + item.begin, at(item.from, worker) + item.begin,
                  (item.end - item.begin) * sizeof(float));
      return lap(worker, Between::copy);
  }
}

void Executor::run_parts(const Step& step, const SharedItem& item, Worker& worker) {
  KernelRun call;
  call.begin = item.begin;
  call.end = item.end;
  call.slot = plan_.slot;
  call.slots = batch_.slots;
  if (step.kernel->scope == PlannedKernel::Scope::batch) {
    call.in_step = step.in_step.data();
    call.out_step = step.out_step.data();
    call.microbatches = batch_.microbatches;
    call.valid = batch_.valid(batch_.microbatches - 1);
    call.alone = plan_.runs_one && call.valid == 1;
  }
  run_step(step, call, false, worker);
}

// Batched values.

void Executor::do_microbatches(const Phase& phase) {
  if (phase.steps.empty() && phase.gathers.empty() && phase.deliveries.empty() && phase.transpositions.empty() &&
      !fetches_in(phase))
    return;
  // Threads take whole slots (or single microbatches if nothing is summed), so who takes what changes no sum.
  const std::size_t stride = phase.sums ? static_cast<std::size_t>(batch_.slots) : batch_.microbatches;
  const std::size_t divided = divided_microbatches(phase, stride), whole = stride - divided;
  next_.store(0, std::memory_order_relaxed);
  for (std::size_t i = 0; i < divided; ++i) circles_[i].failed = false;
  auto work = [&](int thread) {
    Worker& worker = workers_[static_cast<std::size_t>(thread)];
    worker.values = worker.arena.data();
    worker.share = {};
    std::exception_ptr error;
    try {
      for (std::size_t slot = next_.fetch_add(1, std::memory_order_relaxed); slot < whole;
           slot = next_.fetch_add(1, std::memory_order_relaxed))
        do_slot(phase, slot, stride, worker);
    } catch (...) {
      if (divided == 0) throw;
      error = std::current_exception();
    }
    if (divided == 0) return;
    join_circle(divided, worker);
    if (error) leave_circle(error, worker);
    do_slot(phase, whole + static_cast<std::size_t>(worker.circle - circles_.data()), stride, worker);
  };
  if (stride == 1 && divided == 0) return work(0);
  team_.run(work);
}

/// Of so many slots (or microbatches), how many threads had better work on together, as there are too few to go round:
/// the last ones, if that leaves each of them two threads at least. Shares change no sum.
std::size_t Executor::divided_microbatches(const Phase& phase, std::size_t count) const {
  const std::size_t threads = workers_.size(), left = count % threads;
  if (2 * left > threads) return 0;
  const bool alone = plan_.runs_one && batch_.samples == 1;
  const auto worth_it = [&](const Step& step) { return (alone ? step.kernel->shares_one : step.kernel->shares) > 1; };
  return std::any_of(phase.steps.begin(), phase.steps.end(), worth_it) ? left : 0;
}

/// A circle has one arena, that of its first thread.
void Executor::join_circle(std::size_t circles, Worker& worker) {
  const std::size_t threads = workers_.size(), circle = static_cast<std::size_t>(worker.thread) * circles / threads;
  const auto first = [&](std::size_t of) { return (of * threads + circles - 1) / circles; };
  worker.values = workers_[first(circle)].arena.data();
  worker.share = {.index = worker.thread - static_cast<int>(first(circle)),
                  .count = static_cast<int>(first(circle + 1) - first(circle))};
  worker.circle = &circles_[circle];
}

/// Tells the others where they meet once the samples are there.
void Executor::leave_circle(const std::exception_ptr& error, Worker& worker) {
  worker.circle->failed = true;
  meet(worker);
  std::rethrow_exception(error);
}

/// Waits for the others of the circle.
void Executor::meet(Worker& worker) {
  team_.meet(worker.circle->meeting, worker.share.count);
  if (profiled_) worker.profile.start();
}

void Executor::do_slot(const Phase& phase, std::size_t slot, std::size_t stride, Worker& worker) {
  worker.slot = phase.sums ? slots_.data() + slot * plan_.slot : nullptr;
  for (std::size_t m = slot; m < batch_.microbatches; m += stride) {
    do_microbatch(phase, batch_.microbatch(m, plan_.runs_one), m == slot, worker);
    if (worker.share.count > 1 && worker.circle->failed) return;
  }
}

/// The threads of a circle meet before and after each step that they share; what is not worth sharing is done by the
/// first of them.
void Executor::do_microbatch(const Phase& phase, const Microbatch& microbatch, bool first_of_slot, Worker& worker) {
  worker.microbatch = microbatch.index;
  if (profiled_) worker.profile.start();
  bring_samples(phase, microbatch, worker);
  if (worker.share.count > 1 && worker.circle->failed) return;
  KernelRun call;
  call.valid = microbatch.valid;
  call.accumulate = !first_of_slot;
  int before = 1;  // threads that shared the step before
  for (const auto& step : phase.steps) {
    const int worth = microbatch.alone ? step.kernel->shares_one : step.kernel->shares;
    call.share = {.index = worker.share.index, .count = std::min(worth, worker.share.count)};
    if (std::max(before, call.share.count) > 1) meet(worker);  // not ||: findings/clang14-…
    before = call.share.count;
    if (call.share.index >= call.share.count) continue;
    run_step(step, call, microbatch.alone, worker);
    lap(worker, step.kernel, microbatch.alone, call.share.index == 0);
  }
  if (before > 1) meet(worker);
  if (worker.share.index > 0) return;
  for (const auto& [count, from, to] : phase.transpositions) dense_transpose(count, at(from, worker), at(to, worker));
  if (!phase.transpositions.empty()) lap(worker, Between::transpose);
  for (const auto& delivery : phase.deliveries) deliver(delivery, microbatch, worker);
  if (!phase.deliveries.empty()) lap(worker, Between::deliver);
}

/// Is done by the first thread of a circle.
void Executor::bring_samples(const Phase& phase, const Microbatch& microbatch, Worker& worker) {
  const bool together = worker.share.count > 1;
  if (fetches_in(phase)) {
    if (worker.share.index == 0) {
      try {
        fetch(microbatch, worker);
      } catch (...) {
        if (!together) throw;
        leave_circle(std::current_exception(), worker);
      }
      lap(worker, Between::fetch);
    }
    if (together) meet(worker);
    if (together && worker.circle->failed) return;
  }
  if (worker.share.index > 0) return;
  for (const auto& gather : phase.gathers) samples_.gather(gather, microbatch, worker.thread, at(gather.to, worker));
  if (!phase.gathers.empty()) lap(worker, Between::gather);
}

/// Functions of feeds may throw. Then no thread begins another microbatch, as run() is going to throw the same.
void Executor::fetch(const Microbatch& microbatch, const Worker& worker) {
  try {
    samples_.fetch(microbatch, worker.thread);
  } catch (...) {
    next_.store(batch_.microbatches, std::memory_order_relaxed);
    throw;
  }
}

void Executor::deliver(const Phase::Delivery& delivery, const Microbatch& microbatch, Worker& worker) {
  const auto count = static_cast<std::size_t>(elements(plan_.outputs[delivery.output].type.shape));
  const float* from = at(delivery.from, worker);
  float* to = delivered_[delivery.output].data() + microbatch.index * 16 * count;
  microbatch.alone ? take_values(from, count, to) : scatter_values(from, count, microbatch.valid, to);
}

void Executor::run_step(const Step& step, KernelRun call, bool alone, Worker& worker) {
  for (std::size_t i = 0; i < step.in.size(); ++i) worker.in[i] = at(step.in[i], worker);
  for (std::size_t i = 0; i < step.out.size(); ++i) worker.out[i] = at(step.out[i], worker);
  call.in = worker.in.data();
  call.out = worker.out.data();
  call.packed = shared_.data() + step.packed;
  call.scratch = worker.scratch.data();
  alone ? step.kernel->run_one(call) : step.kernel->run(call);
}

float* Executor::at(const Location& location, const Worker& worker) {
  switch (location.space) {
    case Space::arena:
      return worker.values + location.offset;
    case Space::shared:
      return shared_.data() + location.offset;
    case Space::slots:
      return worker.slot + location.offset;
    case Space::whole:
      return whole_.data() + worker.microbatch * plan_.kept + location.offset;
    case Space::variable:
      return variables_.data(location.offset);
    case Space::none:
      break;
  }
  return nullptr;
}

}  // namespace chalk
