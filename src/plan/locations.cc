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
    place_kept();
    found_.arena = book(found_.arena_values);
    for (const auto& [id, lifetime] : in_arena_)
      found_.lanes[id] = {Space::arena, found_.arena_values[lifetime].offset};
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
  /// A value that is kept from the phase it is made in to the last one that reads it.
  struct Kept {
    NodeId id;
    bool rows;  // transposed
    int first, last;
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
  void live(NodeId id, int first_phase, int first_kernel, int last_phase, int last_kernel) {
    const auto time = [&](int phase, int kernel) { return phase * static_cast<int>(kernels_.size() + 2) + kernel + 1; };
    in_arena_.emplace_back(id, found_.arena_values.size());
    found_.arena_values.push_back(
        {floats_of(graph_.node(id).type), time(first_phase, first_kernel), time(last_phase, last_kernel), 0});
  }
  int end_of_phase() const { return static_cast<int>(kernels_.size()); }

  void place_made(NodeId id, const Use& use) {
    const int last_read = last_phase(use.kernels);
    if (over_batch(use.made) || any_over_batch(use.kernels) || last_read > use.phase) {
      kept_.push_back({id, false, use.phase, std::max(use.phase, last_read)});
      return;
    }
    int last = use.made;
    for (const auto kernel : use.kernels) last = std::max(last, kernel);
    live(id, use.phase, use.made, use.phase, use.output || !use.rows.empty() ? end_of_phase() : last);
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
    const int last_read = std::max(gather.front(), last_phase(use.kernels));
    if (any_over_batch(use.kernels)) {
      gather.resize(1);
      use.phase = gather.front();
      kept_.push_back({id, false, use.phase, last_read});
      return;
    }
    int last = -1;
    for (const auto kernel : use.kernels) {
      if (phase(kernel) == last_read) last = std::max(last, kernel);
    }
    use.phase = last_read;
    live(id, gather.front(), -1, last_read, use.output ? end_of_phase() : last);
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
    kept_.push_back({id, true, made, last_phase(use.rows)});
  }

  /// Values that are kept one after the other share a location: the smallest that holds them.
  void place_kept() {
    std::stable_sort(kept_.begin(), kept_.end(), [](const Kept& a, const Kept& b) { return a.first < b.first; });
    auto& whole = found_.whole;
    std::vector<int> taken_to;  // phase, of each location
    for (const auto& value : kept_) {
      const Type& type = graph_.node(value.id).type;
      const auto size = value.rows ? dense_transposed(elements(type.shape)) : floats_of(type);
      std::size_t best = whole.size();
      for (std::size_t i = 0; i < whole.size(); ++i) {
        const bool fits = taken_to[i] < value.first && whole[i] >= size;
        if (fits && (best == whole.size() || whole[i] < whole[best])) best = i;
      }
      if (best == whole.size()) {
        whole.push_back(size);
        taken_to.push_back(0);
      }
      taken_to[best] = value.last;
      (value.rows ? found_.rows : found_.lanes)[value.id] = {Space::whole, best};
    }
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
