#include "src/train/statistics.h"

#include <algorithm>

#include "src/passes/passes.h"
#include "src/train/objective.h"

namespace chalk {
namespace {

constexpr const char* kShare = "statistics.share";

Program program_for(Network& network, const TrainOptions& options) {
  Graph graph = training_form(trained_graph(network), kShare);
  graph.clear_outputs();
  CompileOptions compile;
  compile.threads = options.threads;
  compile.seed = options.seed;
  compile.disabled_passes = options.compile.disabled_passes;
  return {graph, network.variables(), compile};
}

}  // namespace

StatisticsMeter::StatisticsMeter(Network& network, const Feed& samples, const TrainOptions& options)
    : batch_(static_cast<std::size_t>(options.batch)), program_(program_for(network, options)) {
  program_.feed("x", samples);
}

void StatisticsMeter::operator()(std::span<const std::uint32_t> order, std::uint64_t position) {
  std::size_t batches = 0;
  for (std::size_t first = 0; first < order.size(); first += batch_, ++batches) {
    program_.set(kShare, 1.0F / static_cast<float>(batches + 1));
    program_.set_position(position + batches);
    program_.run(std::min(batch_, order.size() - first), order.data() + first);
  }
}

}  // namespace chalk
