#include "chalkgrad/program.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

#include "chalkgrad/error.h"
#include "src/base/arithmetic.h"
#include "src/base/target.h"
#include "src/base/text.h"
#include "src/base/threads.h"
#include "src/base/wording.h"
#include "src/ir/leaves.h"
#include "src/passes/pipeline.h"
#include "src/plan/plan.h"
#include "src/run/executor.h"

namespace chalk {

namespace {

/// Variables may be of another graph.
void check_shapes(const Graph& graph, const Variables& variables) {
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    if (node.op != &op_parameter || !variables.contains(node.name)) continue;
    if (const auto& shape = variables.at(node.name).shape(); shape != node.type.shape) {
      throw InputError(str("parameter \"", node.name, "\" is ", to_string(node.type.shape), ", but its variable is ",
                           to_string(shape), "; make Variables of this graph"));
    }
  }
}

template <class T>
std::size_t index_of(const std::vector<T>& all, std::string_view name, std::string_view what) {
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].name == name) return i;
  }
  std::string known;
  for (const auto& one : all) known += (known.empty() ? "" : ", ") + one.name;
  throw InputError(str("the program has no ", what, " \"", name, "\"; it has ", known.empty() ? "none" : known));
}

/// Rounded up, as options take it: "1800 kB".
std::string size_text(std::size_t bytes) {
  for (const auto& [unit, name] : {std::pair{1'000'000, " MB"}, std::pair{1'000, " kB"}}) {
    const auto size = static_cast<std::size_t>(unit);
    if (bytes >= 10 * size) return std::to_string((bytes + size - 1) / size) + name;
  }
  return std::to_string(bytes) + " B";
}

MemoryLimit limit_of(const CompileOptions& options) {
  if (options.memory == 0) return {};
  if (options.memory_samples == 0) throw InputError("a limit of memory needs memory_samples");
  return {options.memory, options.memory_samples, options.threads > 0 ? options.threads : available_threads()};
}

void check_memory(const Plan& plan, const MemoryLimit& limit) {
  if (limit.bytes == 0) return;
  const auto needed = plan.bytes(limit.samples, limit.threads);
  if (needed <= limit.bytes) return;
  throw InputError(str("a run of ", counted(limit.samples, "sample"), " on ",
                       counted(static_cast<std::uint64_t>(limit.threads), "thread"), " takes ", size_text(needed),
                       " at least, more than the limit of ", size_text(limit.bytes),
                       "; allow more, or take fewer samples or threads"));
}

void check_guard(const Plan& plan, const std::string& guard) {
  if (guard.empty()) return;
  const auto& type = plan.outputs[index_of(plan.outputs, guard, "output")].type;
  if (type.batched || elements(type.shape) != 1)
    throw InputError(str("guard \"", guard, "\" is ", to_string(type), "; it must be one number for all samples"));
}

Plan plan_of(const Graph& graph, const CompileOptions& options) {
  const MemoryLimit limit = limit_of(options);
  Plan plan = make_plan(run_passes(graph, options), !options.disabled_passes.contains("fuse"), options.guard, limit);
  check_memory(plan, limit);
  check_guard(plan, options.guard);
  if (options.print && options.print_after.contains("fuse"))
    options.print("fuse", print_kernels(plan.graph, plan.kernels));
  if (options.print && options.print_after.contains("plan")) options.print("plan", plan.print());
  return plan;
}

}  // namespace

struct Program::State {
  State(const Graph& graph, Variables& variables, const CompileOptions& options)
      : plan(plan_of(graph, options)), executor(plan, variables, options) {
    for (const auto& input : plan.inputs) {
      if (input.type.batched && !input.noise) unfed.push_back(input.name);
    }
  }

  const Plan plan;
  Executor executor;
  std::vector<std::string> unfed;  // batched inputs that no feed was given for yet
};

Program::Program(const Graph& graph, Variables& variables, const CompileOptions& options) {
  check_threads(options.threads);
  const PlainArithmetic plain;  // constants are folded here
  choose_target();
  check_shapes(graph, variables);
  state_ = std::make_unique<State>(graph, variables, options);
}
Program::~Program() = default;
Program::Program(Program&&) noexcept = default;
Program& Program::operator=(Program&&) noexcept = default;

void Program::feed(std::string_view input, const Feed& feed) {
  const auto i = index_of(state_->plan.inputs, input, "input");
  if (!state_->plan.inputs[i].type.batched)
    throw InputError(str("input \"", input, "\" is shared by all samples; use set()"));
  const bool given[] = {feed.values != nullptr,  feed.bytes != nullptr,  feed.labels != nullptr,
                        bool(feed.fetch_values), bool(feed.fetch_bytes), bool(feed.fetch_labels)};
  if (std::count(std::begin(given), std::end(given), true) != 1) {
    throw InputError(
        str("feed of \"", input, "\": give exactly one of values, bytes and labels, or a function to fetch them"));
  }
  if ((feed.bytes || feed.fetch_bytes) && !feed.per_sample && !(feed.scale && feed.shift))
    throw InputError(str("feed of \"", input, "\": bytes need scale and shift, one a channel"));
  if ((feed.scale == nullptr) != (feed.shift == nullptr))
    throw InputError(str("feed of \"", input, "\": has a scale or a shift alone; give both"));
  state_->executor.feed(i, feed);
  std::erase(state_->unfed, input);
}

void Program::set(std::string_view input, float value) {
  const auto& found = state_->plan.inputs[index_of(state_->plan.inputs, input, "input")];
  if (found.type.batched || elements(found.type.shape) != 1)
    throw InputError(str("input \"", input, "\" is not one shared number"));
  state_->executor.set(found.location, value);
}

void Program::set_position(std::uint64_t position) { state_->executor.set_position(position); }

void Program::run(std::size_t samples, const std::uint32_t* rows) {
  if (samples > 0xffffffffU) throw InputError(str("a run of ", samples, " samples; at most 2^32 − 1 are possible"));
  if (samples == 0) throw InputError("a run needs at least one sample");
  if (const auto& unfed = state_->unfed; !unfed.empty())
    throw InputError(str("input \"", unfed[0], "\" has no samples; call feed(\"", unfed[0], "\", …) before run()"));
  state_->executor.run(samples, rows);
}

std::span<const float> Program::output(std::string_view name) const {
  return state_->executor.output(index_of(state_->plan.outputs, name, "output"));
}

int Program::threads() const { return state_->executor.threads(); }
MemoryUse Program::memory() const { return state_->executor.memory(); }
std::size_t Program::memory_of(std::size_t samples) const { return state_->plan.bytes(samples, threads()); }
std::vector<KernelTime> Program::profile() const { return state_->executor.profile(); }
const Graph& Program::graph() const { return state_->plan.graph; }
std::string Program::print() const { return state_->plan.print(); }

std::string instruction_set() { return target_name(choose_target()); }

}  // namespace chalk
