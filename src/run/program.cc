#include "chalkgrad/program.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstring>

#include "chalkgrad/error.h"
#include "src/base/aligned.h"
#include "src/base/target.h"
#include "src/base/text.h"
#include "src/base/threads.h"
#include "src/kernels/dense.h"
#include "src/kernels/fold.h"
#include "src/kernels/transfer.h"
#include "src/passes/pipeline.h"
#include "src/plan/plan.h"
#include "src/run/profile.h"
#include "src/run/variable_watch.h"

namespace chalk {

using Space = Location::Space;

struct Program::State {
  State(const Graph& graph, Variables& variables, const CompileOptions& options);

  void run(std::size_t samples, const std::uint32_t* rows);
  MemoryUse memory() const;
  std::vector<KernelTime> profile() const;
  void set(const Location& location, float value) {
    float& at = shared_.data()[location.offset];
    if (std::bit_cast<std::uint32_t>(at) == std::bit_cast<std::uint32_t>(value)) return;
    at = value;
    shared_is_current_ = false;
  }
  const float* shared_value(const Location& location) const {
    return location.space == Space::variable ? variables_.data(location.offset) : shared_.data() + location.offset;
  }

  Plan plan;
  std::vector<Feed> feeds;                    // of Plan::inputs
  std::vector<std::vector<float>> delivered;  // of Plan::outputs that are batched
  std::vector<std::string> unfed;             // batched inputs that no feed was given for yet

 private:
  struct Worker {
    AlignedFloats arena, scratch;
    std::vector<const float*> in;
    std::vector<float*> out;
    Profile profile;
  };
  struct Microbatch {
    std::size_t index = 0;
    int valid = 16;
    bool first_of_slot = true;
    float* slot = nullptr;
    bool alone = false;  // one sample, by the kernels of one sample
  };

  float* at(const Location& location, Worker& worker, const Microbatch& microbatch);
  int valid_in(std::size_t microbatch) const {
    return static_cast<int>(std::min<std::size_t>(16, samples_ - microbatch * 16));
  }
  int owner(const SharedItem& item) const {
    return static_cast<int>(item.begin * static_cast<std::size_t>(team_.size()) / std::max<std::size_t>(1, item.all));
  }
  void do_shared(Phase& phase);
  void do_item(const Phase& phase, const SharedItem& item, Worker& worker);
  void lap(const Phase& phase, const SharedItem& item, Profile& profile) const;
  void do_batched(Phase& phase);
  void do_microbatch(const Phase& phase, const Microbatch& microbatch, Worker& worker);
  void gather(const Phase::Gather& gather, const Microbatch& microbatch, Worker& worker);
  void take(const Plan::Input& input, const Feed& feed, std::size_t row, float* to) const;
  std::size_t row(std::size_t sample) const { return rows_ ? rows_[sample] : sample; }
  void run_step(const Step& step, KernelRun call, const Microbatch& microbatch, Worker& worker);
  void make_room();

  const bool profiled_;
  VariableWatch variables_;
  ThreadTeam team_;
  Barrier barrier_;
  std::vector<Worker> workers_;
  AlignedFloats shared_, slots_;
  std::vector<AlignedFloats> whole_;
  std::size_t whole_microbatches_ = 0;

  // Shared values of the first phase (packed weights, mostly) depend on variables, on set() and on the number of
  // samples alone: a program without updates makes them anew only when one of these has changed.
  bool shared_is_current_ = false;
  std::vector<std::size_t> updated_;  // variables that a run writes to
  std::size_t samples_ = 0, microbatches_ = 0;
  int used_slots_ = 0;
  const std::uint32_t* rows_ = nullptr;
  std::atomic<std::size_t> next_{0};
  std::vector<std::atomic<std::uint32_t>> taken_;  // of each item of a phase: the round in which it was last taken
  std::uint32_t round_ = 0;
};

Program::State::State(const Graph& graph, Variables& variables, const CompileOptions& options)
    : plan(make_plan(run_passes(graph, options), !options.disabled_passes.contains("fuse"), options.guard)),
      profiled_(options.profile),
      variables_(plan.variables, variables),
      team_(options.threads > 0 ? options.threads : available_threads()),
      barrier_(team_.size()),
      workers_(static_cast<std::size_t>(team_.size())),
      shared_(plan.shared),
      slots_(plan.slot * static_cast<std::size_t>(plan.slots)),
      whole_(plan.whole.size()) {
  if (options.print && options.print_after.contains("fuse"))
    options.print("fuse", print_kernels(plan.graph, plan.kernels));
  if (options.print && options.print_after.contains("plan")) options.print("plan", plan.print());
  for (const auto& constant : plan.constants) {
    std::fill_n(shared_.data() + constant.at, constant.count, constant.value);
  }
  for (const auto& [leaf, next] : plan.graph.updates()) {
    const auto found = std::find(plan.variables.begin(), plan.variables.end(), plan.graph.node(leaf).name);
    updated_.push_back(static_cast<std::size_t>(found - plan.variables.begin()));
  }
  std::size_t most_operands = 0, most_items = 0;
  for (const auto& phase : plan.phases) {
    std::size_t items = 0;
    for (const auto& wave : phase.waves) items += wave.size();
    most_items = std::max(most_items, items);
    for (const auto* steps : {&phase.shared_steps, &phase.steps}) {
      for (const auto& step : *steps) most_operands = std::max({most_operands, step.in.size(), step.out.size()});
    }
  }
  taken_ = std::vector<std::atomic<std::uint32_t>>(most_items);
  for (auto& worker : workers_) {
    worker.arena = AlignedFloats(plan.arena);
    worker.scratch = AlignedFloats(plan.scratch);
    worker.in.resize(most_operands);
    worker.out.resize(most_operands);
    guard_red_zones(worker.arena.data(), plan.arena_values);
  }
  feeds.resize(plan.inputs.size());
  delivered.resize(plan.outputs.size());
  for (const auto& input : plan.inputs) {
    if (input.type.batched) unfed.push_back(input.name);
  }
}

float* Program::State::at(const Location& location, Worker& worker, const Microbatch& microbatch) {
  switch (location.space) {
    case Space::arena:
      return worker.arena.data() + location.offset;
    case Space::shared:
      return shared_.data() + location.offset;
    case Space::slots:
      return microbatch.slot + location.offset;
    case Space::whole:
      return whole_[location.offset].data() + microbatch.index * plan.whole[location.offset];
    case Space::variable:
      return variables_.data(location.offset);
    case Space::none:
      break;
  }
  return nullptr;
}

void Program::State::run_step(const Step& step, KernelRun call, const Microbatch& microbatch, Worker& worker) {
  for (std::size_t i = 0; i < step.in.size(); ++i) worker.in[i] = at(step.in[i], worker, microbatch);
  for (std::size_t i = 0; i < step.out.size(); ++i) worker.out[i] = at(step.out[i], worker, microbatch);
  call.in = worker.in.data();
  call.out = worker.out.data();
  call.packed = shared_.data() + step.packed;
  call.scratch = worker.scratch.data();
  microbatch.alone ? step.kernel->run_one(call) : step.kernel->run(call);
}

void Program::State::do_item(const Phase& phase, const SharedItem& item, Worker& worker) {
  switch (item.kind) {
    case SharedItem::Kind::fold:
      fold_slots(slots_.data() + item.from.offset, plan.slot, used_slots_, item.begin, item.end,
                 at(item.to, worker, {}));
      break;
    case SharedItem::Kind::pack: {
      const auto& pack = plan.packs[item.step];
      pack.kernel->pack(at(pack.from, worker, {}), shared_.data() + pack.to);
      break;
    }
    case SharedItem::Kind::run: {
      KernelRun call;
      call.begin = item.begin;
      call.end = item.end;
      call.slot = plan.slot;
      call.slots = used_slots_;
      const Step& step = phase.shared_steps[item.step];
      if (step.kernel->over_batch) {
        call.in_step = step.in_step.data();
        call.out_step = step.out_step.data();
        call.microbatches = microbatches_;
        call.valid = valid_in(microbatches_ - 1);
        call.alone = plan.runs_one && call.valid == 1;
      }
      run_step(step, call, {.slot = slots_.data()}, worker);
      break;
    }
    case SharedItem::Kind::copy:
      std::memcpy(at(item.to, worker, {}) + item.begin, at(item.from, worker, {}) + item.begin,
                  (item.end - item.begin) * sizeof(float));
      break;
  }
}

void Program::State::lap(const Phase& phase, const SharedItem& item, Profile& profile) const {
  switch (item.kind) {
    case SharedItem::Kind::fold:
      return profile.lap(Between::fold);
    case SharedItem::Kind::pack:
      return profile.lap(Between::pack);
    case SharedItem::Kind::run:
      return profile.lap(phase.shared_steps[item.step].kernel);
    case SharedItem::Kind::copy:
      return profile.lap(Between::copy);
  }
}

void Program::State::do_shared(Phase& phase) {
  if (phase.waves.empty()) return;
  ++round_;
  std::atomic<bool> sound{true};
  auto work = [&](int thread) {
    Worker& worker = workers_[static_cast<std::size_t>(thread)];
    std::size_t taken = 0;  // flags of this wave's items
    for (std::size_t wave = 0; wave < phase.waves.size(); ++wave) {
      const auto& items = phase.waves[wave];
      if (profiled_) worker.profile.start();
      // A thread begins with the parts that it has at every step, which its cache may still hold, and then helps.
      for (const bool own : {true, false}) {
        for (std::size_t i = 0; i < items.size(); ++i) {
          if (own != (owner(items[i]) == thread)) continue;
          auto& round = taken_[taken + i];
          if (round.load(std::memory_order_relaxed) == round_ ||
              round.exchange(round_, std::memory_order_relaxed) == round_)
            continue;
          do_item(phase, items[i], worker);
          if (profiled_) lap(phase, items[i], worker.profile);
        }
      }
      taken += items.size();
      barrier_.wait();
      if (static_cast<int>(wave) == phase.guard_wave && !std::isfinite(*at(plan.guard, worker, {}))) {
        sound.store(false, std::memory_order_relaxed);
        return;  // all threads see the same value, so all return
      }
    }
  };
  team_.run(work);
  if (!sound.load(std::memory_order_relaxed)) throw NumericError(str("a guarded value is not finite"));
}

void Program::State::gather(const Phase::Gather& gather, const Microbatch& microbatch, Worker& worker) {
  const auto& input = plan.inputs[gather.input];
  const Feed& feed = feeds[gather.input];
  float* to = at(gather.to, worker, microbatch);
  const auto first = microbatch.index * 16, valid = static_cast<std::size_t>(microbatch.valid);
  if (microbatch.alone) return take(input, feed, row(first), to);
  const auto count = static_cast<std::size_t>(elements(input.type.shape));
  if (gather.rows) {
    for (std::size_t n = 0; n < valid; ++n) take(input, feed, row(first + n), to + n * AlignedFloats::round(count));
    return;
  }
  std::uint32_t rows[16];
  for (std::size_t n = 0; n < 16; ++n) rows[n] = static_cast<std::uint32_t>(row(first + std::min(n, valid - 1)));
  if (feed.values) {
    gather_values(feed.values, count, rows, to);
  } else if (feed.labels) {
    gather_labels(feed.labels, count, rows, to);
  } else {
    const auto channels = input.type.shape.empty() ? std::size_t{1} : static_cast<std::size_t>(input.type.shape[0]);
    gather_bytes(feed.bytes, channels, count / channels, feed.scale, feed.shift, rows, to);
  }
}

void Program::State::take(const Plan::Input& input, const Feed& feed, std::size_t row, float* to) const {
  const auto count = static_cast<std::size_t>(elements(input.type.shape));
  if (feed.values) {
    take_values(feed.values + row * count, count, to);
  } else if (feed.labels) {
    take_label(feed.labels[row], count, to);
  } else {
    const auto channels = input.type.shape.empty() ? std::size_t{1} : static_cast<std::size_t>(input.type.shape[0]);
    take_bytes(feed.bytes + row * count, channels, count / channels, feed.scale, feed.shift, to);
  }
}

void Program::State::do_microbatch(const Phase& phase, const Microbatch& microbatch, Worker& worker) {
  if (profiled_) worker.profile.start();
  for (const auto& g : phase.gathers) gather(g, microbatch, worker);
  if (profiled_ && !phase.gathers.empty()) worker.profile.lap(Between::gather);
  KernelRun call;
  call.valid = microbatch.valid;
  call.accumulate = !microbatch.first_of_slot;
  for (const auto& step : phase.steps) {
    run_step(step, call, microbatch, worker);
    if (profiled_) worker.profile.lap(step.kernel, microbatch.alone);
  }
  for (const auto& [count, from, to] : phase.transpositions)
    dense_transpose(count, at(from, worker, microbatch), at(to, worker, microbatch));
  if (profiled_ && !phase.transpositions.empty()) worker.profile.lap(Between::transpose);
  for (const auto& delivery : phase.deliveries) {
    const auto count = static_cast<std::size_t>(elements(plan.outputs[delivery.output].type.shape));
    const float* from = at(delivery.from, worker, microbatch);
    float* to = delivered[delivery.output].data() + microbatch.index * 16 * count;
    microbatch.alone ? take_values(from, count, to) : scatter_values(from, count, microbatch.valid, to);
  }
  if (profiled_ && !phase.deliveries.empty()) worker.profile.lap(Between::deliver);
}

void Program::State::do_batched(Phase& phase) {
  if (phase.steps.empty() && phase.gathers.empty() && phase.deliveries.empty() && phase.transpositions.empty()) return;
  // Threads take whole slots (or single microbatches if nothing is summed), so who takes what changes no sum.
  const std::size_t stride = phase.sums ? static_cast<std::size_t>(used_slots_) : microbatches_;
  next_.store(0, std::memory_order_relaxed);
  auto work = [&](int thread) {
    Worker& worker = workers_[static_cast<std::size_t>(thread)];
    for (std::size_t slot = next_.fetch_add(1, std::memory_order_relaxed); slot < stride;
         slot = next_.fetch_add(1, std::memory_order_relaxed)) {
      for (std::size_t m = slot; m < microbatches_; m += stride) {
        const int valid = valid_in(m);
        do_microbatch(
            phase,
            {m, valid, m == slot, phase.sums ? slots_.data() + slot * plan.slot : nullptr, plan.runs_one && valid == 1},
            worker);
      }
    }
  };
  if (stride == 1) return work(0);
  team_.run(work);
}

void Program::State::make_room() {
  if (microbatches_ > whole_microbatches_) {
    for (std::size_t i = 0; i < whole_.size(); ++i) whole_[i] = AlignedFloats(plan.whole[i] * microbatches_);
    whole_microbatches_ = microbatches_;
  }
  for (std::size_t i = 0; i < delivered.size(); ++i) {
    if (plan.outputs[i].type.batched)
      delivered[i].resize(samples_ * static_cast<std::size_t>(elements(plan.outputs[i].type.shape)));
  }
}

void Program::State::run(std::size_t samples, const std::uint32_t* rows) {
  if (samples == 0) throw InputError("a run needs at least one sample");
  if (!unfed.empty())
    throw InputError(str("input \"", unfed[0], "\" has no samples; call feed(\"", unfed[0], "\", …) before run()"));
  samples_ = samples;
  rows_ = rows;
  microbatches_ = (samples + 15) / 16;
  used_slots_ = static_cast<int>(std::min<std::size_t>(static_cast<std::size_t>(plan.slots), microbatches_));
  make_room();
  if (plan.batch_size.space == Space::shared) set(plan.batch_size, static_cast<float>(samples));
  for (const auto variable : updated_) variables_.wrote(variable);
  if (variables_.changed() || !updated_.empty()) shared_is_current_ = false;
  for (std::size_t p = 0; p < plan.phases.size(); ++p) {
    if (p > 0 || !shared_is_current_) do_shared(plan.phases[p]);
    shared_is_current_ = true;
    do_batched(plan.phases[p]);
  }
}

MemoryUse Program::State::memory() const {
  MemoryUse use;
  use.parameters = variables_.bytes();
  use.activations = (plan.arena + plan.scratch) * sizeof(float);
  use.gradients = slots_.size() * sizeof(float);
  use.shared = shared_.size() * sizeof(float);
  for (const auto size : plan.whole) use.kept += size * sizeof(float);
  use.threads = team_.size();
  return use;
}

std::vector<KernelTime> Program::State::profile() const {
  std::vector<KernelTime> rows;
  if (profiled_) {
    for (const auto& worker : workers_) worker.profile.add_to(rows, plan.kernels);
  }
  return rows;
}

Program::Program(const Graph& graph, Variables& variables, const CompileOptions& options) {
  choose_target();
  state_ = std::make_unique<State>(graph, variables, options);
}
Program::~Program() = default;
Program::Program(Program&&) noexcept = default;
Program& Program::operator=(Program&&) noexcept = default;

namespace {

template <class T>
std::size_t index_of(const std::vector<T>& all, std::string_view name, std::string_view what) {
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].name == name) return i;
  }
  std::string known;
  for (const auto& one : all) known += (known.empty() ? "" : ", ") + one.name;
  throw InputError(str("the program has no ", what, " \"", name, "\"; it has ", known.empty() ? "none" : known));
}

}  // namespace

void Program::feed(std::string_view input, const Feed& feed) {
  const auto i = index_of(state_->plan.inputs, input, "input");
  if (!state_->plan.inputs[i].type.batched)
    throw InputError(str("input \"", input, "\" is shared by all samples; use set()"));
  if ((feed.values != nullptr) + (feed.bytes != nullptr) + (feed.labels != nullptr) != 1) {
    throw InputError(str("feed of \"", input, "\": give exactly one of values, bytes and labels"));
  }
  if (feed.bytes && !(feed.scale && feed.shift))
    throw InputError(str("feed of \"", input, "\": bytes need scale and shift, one a channel"));
  state_->feeds[i] = feed;
  std::erase(state_->unfed, input);
}

void Program::set(std::string_view input, float value) {
  const auto& found = state_->plan.inputs[index_of(state_->plan.inputs, input, "input")];
  if (found.type.batched || elements(found.type.shape) != 1)
    throw InputError(str("input \"", input, "\" is not one shared number"));
  state_->set(found.location, value);
}

void Program::run(std::size_t samples, const std::uint32_t* rows) { state_->run(samples, rows); }

std::span<const float> Program::output(std::string_view name) const {
  const auto i = index_of(state_->plan.outputs, name, "output");
  const auto& output = state_->plan.outputs[i];
  if (output.type.batched) return state_->delivered[i];
  return {state_->shared_value(output.location), static_cast<std::size_t>(elements(output.type.shape))};
}

MemoryUse Program::memory() const { return state_->memory(); }
std::vector<KernelTime> Program::profile() const { return state_->profile(); }
const Graph& Program::graph() const { return state_->plan.graph; }
std::string Program::print() const { return state_->plan.print(); }

std::string instruction_set() { return target_name(choose_target()); }

}  // namespace chalk
