// The variance of a batch of maps is taken in two steps, within the samples and between their means,
//   Σₙ mean (x − μ)² = Σₙ mean (x − mₙ)² + Σₙ (mₙ − μ)²,  mₙ = mean xₙ, μ = (1/N) Σₙ mₙ,
// so that the maps are read once, while μ is not known yet.
#include "chalkgrad/ops.h"
#include "src/ops/reduce.h"
#include "src/ops/registry.h"
#include "src/passes/passes.h"
#include "src/passes/rewrite.h"
#include "src/passes/simplify_rules.h"

namespace chalk {
namespace {

using rules::arg;
using rules::made_by;

/// The two sums instead of y, or an empty Value if y is something else.
Value split(Value y) {
  if (!made_by(y, op_batch_sum) || !made_by(arg(y), op_mean)) return {};
  const Value of_sample = arg(y), square = arg(of_sample);
  if (!made_by(square, op_mul) || arg(square, 0) != arg(square, 1) || !made_by(arg(square), op_sub)) return {};
  const Value x = arg(arg(square), 0), mu = arg(arg(square), 1), m = rules::batch_mean_of(mu);
  if (!m || !made_by(m, op_mean) || arg(m) != x) return {};
  const ReduceAttributes over = rules::attributes<ReduceAttributes>(of_sample);
  if (over.axes.empty() || over.axes != rules::attributes<ReduceAttributes>(m).axes || m.shape() != mu.shape())
    return {};
  const Shape& shape = y.shape();
  const Value within = x - m, between = m - mu;
  const Value squares = batch_sum(between * between);
  return batch_sum(mean(within * within, over.axes, over.keep)) +
         (squares.shape() == shape ? squares : reshape(squares, shape));
}

}  // namespace

Graph split_variance(const Graph& graph) {
  Rewriter r(graph);
  for (NodeId id = 0; id < graph.size(); ++id) {
    r.graph().layer(graph.node(id).layer);
    const Value y = r.graph().value(r.append(r.translated(id)));
    const Value sums = y.name().empty() ? split(y) : Value();
    r.map(id, sums ? sums.id() : y.id());
  }
  return without_dead_nodes(r.finish());
}

}  // namespace chalk
