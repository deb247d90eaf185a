#include "src/train/step_flaw.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "src/base/finite.h"
#include "src/base/text.h"
#include "src/ir/leaves.h"
#include "src/passes/pipeline.h"
#include "src/train/diagnose.h"

namespace chalk {
namespace {

constexpr std::size_t kMostFloats = std::size_t{64} << 20U;  // of the values that are looked at in one run

/// A value that is not finite.
struct Flaw {
  NodeId id;
  float value;
  std::size_t at;  // which of its elements, over all samples
};

/// The values that one needs, itself among them, in their order. No leaves.
std::vector<NodeId> needed_for(const Graph& graph, NodeId wanted) {
  std::vector<bool> needed(static_cast<std::size_t>(graph.size()), false);
  needed[static_cast<std::size_t>(wanted)] = true;
  std::vector<NodeId> found;
  for (NodeId id = wanted; id >= 0; --id) {
    if (!needed[static_cast<std::size_t>(id)] || is_leaf(*graph.node(id).op)) continue;
    found.push_back(id);
    for (const auto input : graph.node(id).inputs) needed[static_cast<std::size_t>(input)] = true;
  }
  std::ranges::reverse(found);
  return found;
}

class Search {
 public:
  Search(const TrainingGraph& step, Variables& variables, const Snapshot& before, CompileOptions options,
         const std::function<void(Program&)>& prepare, std::size_t samples, const std::uint32_t* rows)
      : optimizer_(step.optimizer),
        variables_(variables),
        before_(before),
        options_(std::move(options)),
        prepare_(prepare),
        samples_(samples),
        rows_(rows) {
    options_.print_after.clear();
    options_.guard.clear();
    options_.memory = 0;                        // what is searched takes more than a step
    graph_ = run_passes(step.graph, options_);  // the values that the step really has
    options_.disabled_passes.insert({"simplify", "fold_scales", "split_variance"});
  }

  StepFlaw run() {
    std::vector<NodeId> results;
    for (const auto& [leaf, next] : graph_.updates()) {
      if (!is_leaf(*graph_.node(next).op)) results.push_back(next);
    }
    const auto result = first_flaw(results);
    if (!result) return {};
    const auto updated = std::ranges::find(graph_.updates(), result->id, &std::pair<NodeId, NodeId>::second);
    StepFlaw found{graph_.node(updated->first).name, name_of_flaw(result->value), {}};
    if (const auto first = first_flaw(needed_for(graph_, result->id)); first && !is_of_update(first->id))
      found.where = described(*first);
    return found;
  }

 private:
  std::size_t floats(NodeId id) const {
    const Type& type = graph_.node(id).type;
    return static_cast<std::size_t>(elements(type.shape)) * (type.batched ? samples_ : 1);
  }

  /// The first of these values, in their order, that is not finite.
  std::optional<Flaw> first_flaw(std::span<const NodeId> ids) {
    while (!ids.empty()) {
      std::size_t count = 0;
      for (std::size_t sum = 0; count < ids.size() && (count == 0 || sum + floats(ids[count]) <= kMostFloats); ++count)
        sum += floats(ids[count]);
      if (const auto found = first_flaw_of_run(ids.first(count))) return found;
      ids = ids.subspan(count);
    }
    return {};
  }

  std::optional<Flaw> first_flaw_of_run(std::span<const NodeId> ids) {
    Graph graph = graph_;
    graph.clear_outputs();
    for (const auto id : ids) graph.output(str("%", id), graph.value(id));
    std::optional<Flaw> found;
    Program program(graph, variables_, options_);
    prepare_(program);
    program.run(samples_, rows_);
    for (const auto id : ids) {
      const auto values = program.output(str("%", id));
      const auto at = first_not_finite(values);
      if (at == values.size()) continue;
      found = Flaw{id, values[at], at};
      break;
    }
    before_.restore();
    return found;
  }

  bool is_of_update(NodeId id) const {
    const Node& node = graph_.node(id);
    return !node.type.batched &&
           (node.layer == optimizer_ || node.layer == kLookaheadLayer || node.layer == kAverageLayer);
  }

  std::string described(const Flaw& flaw) const {
    NodeId loss = 0;
    for (const auto& [name, id] : graph_.outputs()) {
      if (name == "loss") loss = id;
    }
    const auto forward = needed_for(graph_, loss);
    const bool derivative = !std::ranges::binary_search(forward, flaw.id);
    return str(derivative ? "the derivative of " : "", place_of_flaw(graph_, flaw.id, flaw.value, flaw.at, rows_));
  }

  const std::string& optimizer_;
  Variables& variables_;
  const Snapshot& before_;
  CompileOptions options_;
  const std::function<void(Program&)>& prepare_;
  const std::size_t samples_;
  const std::uint32_t* const rows_;
  Graph graph_;
};

}  // namespace

StepFlaw find_step_flaw(const TrainingGraph& step, Variables& variables, const Snapshot& before,
                        const CompileOptions& options, const std::function<void(Program&)>& prepare,
                        std::size_t samples, const std::uint32_t* rows) {
  return Search(step, variables, before, options, prepare, samples, rows).run();
}

}  // namespace chalk
