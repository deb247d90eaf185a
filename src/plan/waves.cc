#include "src/plan/waves.h"

#include <algorithm>

#include "src/plan/fuse.h"

namespace chalk {

Waves find_waves(const Graph& graph, const KernelList& kernels, const KernelPhases& phases, const PerNode<bool>& folded,
                 const std::vector<bool>& packs) {
  Waves waves{std::vector<int>(kernels.size(), Waves::kNone), PerNode<int>(graph, Waves::kNone)};
  for (NodeId id = 0; id < graph.size(); ++id) {
    if (folded[id]) waves.value[id] = 0;
  }
  for (std::size_t k = 0; k < kernels.size(); ++k) {
    const auto& kernel = *kernels[k];
    if (kernel.scope == PlannedKernel::Scope::microbatch) continue;
    const auto after = [&](NodeId id) { return waves.after(phases, source_of(graph, id), phases.kernel[k]); };
    int wave = 0;
    for (const auto id : kernel.inputs) wave = std::max(wave, after(id) + 1);
    if (packs[k]) wave = std::max(wave, after(kernel.packing->from) + 2);
    waves.kernel[k] = wave;
    for (const auto id : kernel.outputs) waves.value[id] = wave;
  }
  return waves;
}

}  // namespace chalk
