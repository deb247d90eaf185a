#include "src/plan/locations.h"

#include <algorithm>

#include "src/ir/leaves.h"
#include "src/kernels/dense.h"
#include "src/plan/fuse.h"

namespace chalk {
namespace {

using Space = Location::Space;

class Placing {
 public:
  Placing(const Graph& graph, const KernelList& kernels, const std::vector<int>& phases)
      : graph_(graph), kernels_(kernels), phases_(phases) {}

  BatchedLocations run() {
    find_uses();
    for (auto& [id, use] : uses_) {
      use.made >= 0 ? place_made(id, use) : place_input(id, use);
      if (!use.rows.empty()) place_rows(id, use);
      if (use.output) found_.deliver[id] = use.phase;
    }
    found_.arena = book(found_.arena_values);
    found_.kept = book(found_.kept_values);
    for (const auto& [id, lifetime] : in_arena_)
      found_.lanes[id] = {Space::arena, found_.arena_values[lifetime].offset};
    for (const auto& [id, rows, lifetime] : kept_)
      (rows ? found_.rows : found_.lanes)[id] = {Space::whole, found_.kept_values[lifetime].offset};
    return std::move(found_);
  }

 private:
  struct Use {
    std::vector<int> kernels;  // that read it
    std::vector<int> rows;     // that read it transposed
    int made = -1;             // by which kernel; −1: an input
    int phase = -1;            // in which it is made
    bool output = false;
  };
  /// A value that is kept for all microbatches.
  struct Kept {
    NodeId id;
    bool rows;  // transposed
    std::size_t lifetime;
  };
  /// A microbatch's steps run in this order. Before those of its phase, kernels run over the whole batch.
  struct Moment {
    int phase, kernel;
  };

  bool batched(NodeId id) const { return graph_.node(id).type.batched; }
  int phase(int kernel) const { return phases_[static_cast<std::size_t>(kernel)]; }
  bool over_batch(int kernel) const {
    return kernels_[static_cast<std::size_t>(kernel)]->scope == PlannedKernel::Scope::batch;
  }
  int last_phase(const std::vector<int>& kernels) const {
    int last = -1;
    for (const int kernel : kernels) last = std::max(last, phase(kernel));
    return last;
  }
  bool any_over_batch(const std::vector<int>& kernels) const {
    return std::any_of(kernels.begin(), kernels.end(), [&](int kernel) { return over_batch(kernel); });
  }

  void find_uses() {
    for (NodeId id = 0; id < graph_.size(); ++id) {
      if (graph_.node(id).op == &op_input && batched(id)) uses_[id] = {};
    }
    const int count = static_cast<int>(kernels_.size());
    for (int k = 0; k < count; ++k) {
      for (const auto id : kernels_[static_cast<std::size_t>(k)]->outputs) {
        if (!batched(id)) continue;
        uses_[id].made = k;
        uses_[id].phase = phase(k);
      }
    }
    for (int k = 0; k < count; ++k) {
      const auto& kernel = *kernels_[static_cast<std::size_t>(k)];
      for (std::size_t i = 0; i < kernel.inputs.size(); ++i) {
        if (!batched(kernel.inputs[i])) continue;
        Use& use = uses_.at(source_of(graph_, kernel.inputs[i]));
        (kernel.reads_rows == i ? use.rows : use.kernels).push_back(k);
      }
    }
    for (const auto& [name, id] : graph_.outputs()) {
      if (batched(id)) uses_.at(source_of(graph_, id)).output = true;
    }
  }

  /// Phases run one after the other, so lifetimes of different phases may share memory.
  int time(Moment at) const { return at.phase * static_cast<int>(kernels_.size() + 2) + at.kernel + 1; }
  Moment start_of(int phase) const { return {phase, -1}; }
  Moment end_of(int phase) const { return {phase, static_cast<int>(kernels_.size())}; }
  Moment moment(int kernel) const {
    return over_batch(kernel) ? start_of(phase(kernel)) : Moment{phase(kernel), kernel};
  }
  Moment later(Moment a, Moment b) const { return time(a) < time(b) ? b : a; }
  Moment last_of(const std::vector<int>& kernels, Moment last) const {
    for (const int kernel : kernels) last = later(last, moment(kernel));
    return last;
  }

  void live(NodeId id, Moment first, Moment last) {
    in_arena_.emplace_back(id, found_.arena_values.size());
    found_.arena_values.push_back({floats_of(graph_.node(id).type), time(first), time(last)});
  }
  void keep(NodeId id, bool rows, Moment first, Moment last) {
    const Type& type = graph_.node(id).type;
    kept_.push_back({id, rows, found_.kept_values.size()});
    found_.kept_values.push_back(
        {rows ? dense_transposed(elements(type.shape)) : floats_of(type), time(first), time(last)});
  }

  void place_made(NodeId id, const Use& use) {
    const Moment made = moment(use.made);
    const bool leaves = use.output || !use.rows.empty();
    const Moment last = last_of(use.kernels, leaves ? end_of(use.phase) : made);
    if (over_batch(use.made) || any_over_batch(use.kernels) || last.phase > use.phase) {
      keep(id, false, made, last);
    } else {
      live(id, made, last);
    }
  }

  /// An input is gathered again, before the first kernel, in each phase that reads it, into one location; or once, if a
  /// kernel over the batch reads it.
  void place_input(NodeId id, Use& use) {
    auto& gather = found_.gather[id];
    for (const auto kernel : use.kernels) gather.push_back(phase(kernel) - (over_batch(kernel) ? 1 : 0));
    if (use.output && gather.empty()) gather.push_back(0);
    if (gather.empty()) return;
    std::sort(gather.begin(), gather.end());
    gather.erase(std::unique(gather.begin(), gather.end()), gather.end());
    const bool kept = any_over_batch(use.kernels);
    if (kept) gather.resize(1);
    const Moment first = start_of(gather.front()), last_read = last_of(use.kernels, first);
    use.phase = kept ? first.phase : last_read.phase;
    const Moment last = use.output ? later(last_read, end_of(use.phase)) : last_read;
    kept ? keep(id, false, first, last) : live(id, first, last);
  }

  void place_rows(NodeId id, const Use& use) {
    int made = use.phase;
    if (use.made < 0) {  // gathered along with the lanes, if those are early enough
      made = last_phase(use.rows);
      for (const auto kernel : use.rows) made = std::min(made, phase(kernel) - 1);
      const auto& gather = found_.gather[id];
      if (!gather.empty()) made = std::min(made, gather.front());
      found_.gather_rows[id] = made;
    }
    const Moment first = use.made < 0 ? start_of(made) : end_of(made);
    keep(id, true, first, last_of(use.rows, first));
  }

  const Graph& graph_;
  const KernelList& kernels_;
  const std::vector<int>& phases_;
  std::map<NodeId, Use> uses_;
  std::vector<std::pair<NodeId, std::size_t>> in_arena_;  // and which lifetime
  std::vector<Kept> kept_;
  BatchedLocations found_;
};

}  // namespace

std::size_t floats_of(const Type& type) {
  const auto count = static_cast<std::size_t>(elements(type.shape));
  return type.batched ? count * 16 : (count + 15) / 16 * 16;
}

BatchedLocations locate_batched(const Graph& graph, const KernelList& kernels, const std::vector<int>& phases) {
  return Placing(graph, kernels, phases).run();
}

}  // namespace chalk
