#include "chalkgrad/inspect.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "chalkgrad/differentiate.h"
#include "chalkgrad/error.h"
#include "chalkgrad/layers.h"
#include "src/base/text.h"
#include "src/base/wording.h"
#include "src/ir/leaves.h"
#include "src/passes/passes.h"
#include "src/run/reference.h"
#include "src/train/feeds.h"
#include "src/train/objective.h"

namespace chalk {
namespace {

using Feeds = std::map<std::string, std::vector<float>>;

/// A value of the graph and the derivative of the loss with respect to it.
struct Entry {
  std::string name;
  Value value, derivative;
};

/// All values worth showing, by name.
std::vector<Entry> entries(Graph& graph) {
  std::vector<Entry> found;
  std::map<std::string, int> used;
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    if (node.op == &op_constant || node.op == &op_batch_size) continue;
    auto name = node.name;
    if (name.empty()) name = str(node.layer, node.layer.empty() ? "" : ".", node.op->name.value);
    if (const int n = ++used[name]; n > 1) name += str(".", n);
    found.push_back({name, graph.value(id), {}});
  }
  return found;
}

/// What the batch's inputs are, in float: as the engine reads them, which reads them here.
std::vector<float> encoded(const Dataset& data, std::size_t first, std::size_t count) {
  Graph graph;
  graph.output("x", graph.input("x", data.sample));
  Variables none;
  Program program(graph, none, {.threads = 1});
  program.feed("x", sample_feed(data));
  std::vector<std::uint32_t> rows(count);
  std::iota(rows.begin(), rows.end(), static_cast<std::uint32_t>(first));
  program.run(count, rows.data());
  const auto x = program.output("x");
  return {x.begin(), x.end()};
}

std::vector<float> targets(const Dataset& data, std::size_t first, std::size_t count) {
  const auto size = static_cast<std::size_t>(elements(target_shape(data)));
  std::vector<float> t(count * size);
  for (std::size_t n = 0; n < count; ++n) {
    if (!data.labels.empty()) {
      t[n * size + static_cast<std::size_t>(data.labels[first + n])] = 1;
    } else {
      std::copy_n(data.targets.begin() + static_cast<std::ptrdiff_t>((first + n) * size), size,
                  t.begin() + static_cast<std::ptrdiff_t>(n * size));
    }
  }
  return t;
}

void by_reference(std::vector<InspectedValue>& results, Graph& graph, const std::vector<Entry>& all,
                  Variables& variables, const Feeds& feeds, std::size_t count) {
  Reference reference(graph, count);
  for (const auto& [name, values] : feeds) reference.set(graph.find(name).id(), {values.begin(), values.end()});
  for (const NodeId id : parameters_of(graph)) {
    const auto values = variables.at(graph.node(id).name).values();
    reference.set(id, {values.begin(), values.end()});
  }
  reference.run();
  for (std::size_t i = 0; i < all.size(); ++i) {
    results[i].value = reference.value(all[i].value.id());
    results[i].gradient = reference.value(all[i].derivative.id());
  }
}

void by_engine(std::vector<InspectedValue>& results, Graph& graph, const std::vector<Entry>& all, Variables& variables,
               const Feeds& feeds, std::size_t count) {
  graph.clear_outputs();
  for (const auto& e : all) {
    graph.output("v" + e.name, e.value);
    graph.output("d" + e.name, e.derivative);
  }
  Program program(graph, variables, {.threads = 1});
  for (const auto& [name, values] : feeds) program.feed(name, {.values = values.data()});
  program.run(count);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto value = program.output("v" + all[i].name), derivative = program.output("d" + all[i].name);
    results[i].value.assign(value.begin(), value.end());
    results[i].gradient.assign(derivative.begin(), derivative.end());
  }
}

}  // namespace

std::vector<InspectedValue> inspect(Network& network, const Dataset& data, std::size_t first, std::size_t count,
                                    InspectBy by) {
  check_fits(network, data);
  const Loss first_loss = loss_for(network, data);
  auto outputs = outputs_for(network, data);
  std::erase_if(outputs, [](const NetworkOutput& output) { return output.weight == 0; });
  check_targets(network, outputs, data, first_loss);
  if (count == 0 || first >= data.size() || count > data.size() - first) {
    throw InputError(str("data set ", in_quotes(data.name), " has ", grouped(data.size()), " samples; ", grouped(count),
                         " from ", grouped(first), " on are not all there"));
  }
  Graph graph = training_form(network.graph());
  const Value loss = objective(graph, add_losses(graph, outputs, first_loss, target_shape(data)));
  graph.name(loss, "loss");
  auto all = entries(graph);
  std::vector<Value> wrt;
  wrt.reserve(all.size());
  for (const auto& e : all) wrt.push_back(e.value);
  const auto derivatives = gradients(loss, wrt);
  std::vector<InspectedValue> results;
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i].derivative = derivatives[i];
    Shape shape = all[i].value.shape();
    if (all[i].value.batched()) shape.insert(shape.begin(), static_cast<std::int64_t>(count));
    results.push_back({all[i].name, std::move(shape), {}, {}});
  }
  Feeds feeds = drawn_noise(graph, 0, count);
  feeds["x"] = encoded(data, first, count);
  feeds["t"] = targets(data, first, count);
  const auto evaluate_all = by == InspectBy::engine ? by_engine : by_reference;
  evaluate_all(results, graph, all, network.variables(), feeds, count);
  return results;
}

}  // namespace chalk
