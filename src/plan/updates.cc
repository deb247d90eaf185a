#include "src/plan/updates.h"

#include <algorithm>

#include "src/ir/op.h"
#include "src/plan/fuse.h"

namespace chalk {
namespace {

class InPlace {
 public:
  InPlace(const Graph& graph, const KernelList& kernels, const KernelPhases& phases, const Waves& waves)
      : graph_(graph),
        kernels_(kernels),
        phases_(phases),
        waves_(waves),
        readers_(find_readers(graph, kernels)),
        needed_outside_(find_needed_outside(graph)) {}

  /// True if kernel k, run in this wave of the last phase, may write `next` over the parameter `leaf`.
  bool may_overwrite(NodeId leaf, NodeId next, std::size_t k, int wave) const {
    if (needed_outside_[leaf] || reads_after(*kernels_[k], leaf, next)) return false;
    const auto reads_late = [&](const Reader& reader) { return is_late(reader.kernel, k, wave); };
    if (std::any_of(readers_[leaf].begin(), readers_[leaf].end(), reads_late)) return false;
    return wave == waves_.kernel[k] || !others_read_what_is_made_by(k);
  }

 private:
  bool in_last_phase(std::size_t kernel) const { return phases_.kernel[kernel] == phases_.last(); }

  /// A kernel goes through its nodes in order.
  bool reads_after(const PlannedKernel& kernel, NodeId leaf, NodeId next) const {
    return std::any_of(kernel.nodes.begin(), kernel.nodes.end(), [&](NodeId id) {
      const auto& in = graph_.node(id).inputs;
      return id > next &&
             std::any_of(in.begin(), in.end(), [&](NodeId from) { return source_of(graph_, from) == leaf; });
    });
  }

  /// It may run when kernel k has run in this wave.
  bool is_late(std::size_t other, std::size_t k, int wave) const {
    if (other == k || !in_last_phase(other)) return false;
    return kernels_[other]->scope == PlannedKernel::Scope::microbatch || waves_.kernel[other] >= wave;
  }

  bool others_read_what_is_made_by(std::size_t k) const {
    const auto is_other = [&](const Reader& reader) { return reader.kernel != k && in_last_phase(reader.kernel); };
    const auto& made = kernels_[k]->outputs;
    return std::any_of(made.begin(), made.end(),
                       [&](NodeId id) { return std::any_of(readers_[id].begin(), readers_[id].end(), is_other); });
  }

  const Graph& graph_;
  const KernelList& kernels_;
  const KernelPhases& phases_;
  const Waves& waves_;
  const PerNode<std::vector<Reader>> readers_;
  const PerNode<bool> needed_outside_;
};

}  // namespace

std::map<NodeId, NodeId> update_in_place(const Graph& graph, const KernelList& kernels, const KernelPhases& phases,
                                         const std::optional<Guard>& guard, Waves& waves) {
  PerNode<std::optional<std::size_t>> made_by(graph);
  for (std::size_t k = 0; k < kernels.size(); ++k) {
    for (const auto id : kernels[k]->outputs) made_by[id] = k;
  }
  const InPlace in_place(graph, kernels, phases, waves);
  std::map<NodeId, NodeId> written_over;
  for (const auto& [leaf, next] : graph.updates()) {
    const auto k = made_by[next];
    if (!k || written_over.contains(next)) continue;
    if (phases.kernel[*k] != phases.last() || !graph.node(next).op->kernels.value.sweep) continue;
    int& wave = waves.kernel[*k];
    const int earliest = guard && guard->phase == phases.last() ? std::max(wave, guard->wave + 1) : wave;
    if (!in_place.may_overwrite(leaf, next, *k, earliest)) continue;
    wave = earliest;
    written_over[next] = leaf;
  }
  return written_over;
}

}  // namespace chalk
