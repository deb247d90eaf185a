#include "chalkgrad/network_gradcheck.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "chalkgrad/cost.h"
#include "chalkgrad/error.h"
#include "chalkgrad/layers.h"
#include "chalkgrad/ops.h"
#include "chalkgrad/train.h"
#include "src/base/random.h"
#include "src/base/text.h"
#include "src/ir/leaves.h"
#include "src/net/build.h"
#include "src/ops/registry.h"
#include "src/passes/passes.h"
#include "src/run/reference.h"
#include "src/run/rounding.h"
#include "src/run/update_check.h"
#include "src/train/diagnose.h"
#include "src/train/feeds.h"
#include "src/train/objective.h"

namespace chalk {
namespace {

constexpr double kFloatUnit = 0x1p-24;
constexpr double kCorruption = 1.01;

using Feeds = std::map<std::string, std::vector<float>>;

/// The loss of a network, Σ weight · loss if there are several, and what it is differentiated with respect to.
struct Problem {
  explicit Problem(const Network& network);
  Graph graph;
  std::vector<OutputLoss> losses;
  Value loss;
  std::vector<Value> wrt;  // the parameters, and the input
};

Problem::Problem(const Network& network) : graph(training_form(network.graph())) {
  const Loss kind = natural_loss(network);
  losses = add_losses(graph, network, kind, target_shape(kind, network.output_shape()));
  loss = objective(graph, losses);
  wrt = graph.parameters();
  wrt.push_back(graph.find("x"));
}

/// Samples, targets and noise, in float: as the engine reads them.
Feeds draw_samples(const Network& network, Graph& graph, const NetworkGradcheckOptions& o) {
  Random random(o.seed, hash_name("gradcheck"));
  Feeds feeds = drawn_noise(graph, o.seed, o.batch);  // one mask for all that is compared
  for (const char* name : {"x", "t"}) {
    auto& values = feeds[name];
    values.resize(o.batch * static_cast<std::size_t>(elements(graph.find(name).shape())));
    for (auto& v : values) v = static_cast<float>(random.uniform());
  }
  const auto classes = static_cast<std::size_t>(elements(network.output_shape()));
  const Loss loss = natural_loss(network);
  const auto outputs = trained_outputs(network);
  const bool labels = std::ranges::any_of(
      outputs, [&](const NetworkOutput& output) { return !output.reconstructs && of_classes(loss_of(output, loss)); });
  if (definition_of(loss).target.value == Target::places) {
    for (auto& t : feeds["t"]) t = std::floor(t * static_cast<float>(network.output_shape()[0]));
  }
  if (labels) {
    for (std::size_t i = 0; i < o.batch * classes; ++i)
      feeds["t"][i] = i % classes == i / classes % classes ? 1.0F : 0.0F;
  }
  return feeds;
}

/// If a loss does not take an output, the result is NaN, which says little.
void check_outputs(const Network& network, const Problem& p, Reference& reference) {
  std::vector<NodeId> wanted{p.loss.id()};  // outputs have the same ids in both graphs
  for (const auto& each : p.losses) wanted.push_back(output_node(network.graph(), each.output.name));
  reference.run(wanted);
  if (std::isfinite(reference.value(p.loss.id())[0])) return;
  for (const auto& each : p.losses) {
    const Graph graph = network.graph_of(each.output.name);
    const auto& values = reference.value(graph.outputs()[0].second);
    const auto size = values.size() / reference.batch();
    for (std::size_t at = 0; at < values.size(); ++at) {
      const auto what = outside_domain(graph, each.loss, values[at], at % size, at / size);
      if (!what.empty()) throw NumericError(what);
    }
  }
}

/// The engine and the reference, after running on the same numbers.
struct Both {
  Both(const Network& network, Problem& problem, const NetworkGradcheckOptions& o)
      : variables(problem.graph, o.seed),
        feeds(draw_samples(network, problem.graph, o)),
        program(problem.graph, variables, {.threads = 1}),
        reference(problem.graph, o.batch) {
    for (const auto& [name, values] : feeds) program.feed(name, {.values = values.data()});
    set_leaves(problem.graph, reference);
    check_outputs(network, problem, reference);
    program.run(o.batch);
    reference.run();
  }

  void set_leaves(const Graph& graph, Reference& of) const {
    for (NodeId id = 0; id < graph.size(); ++id) {
      const Node& node = graph.node(id);
      if (node.op != &op_input && node.op != &op_parameter) continue;
      const auto values =
          node.op == &op_input ? std::span<const float>(feeds.at(node.name)) : variables.at(node.name).values();
      of.set(id, {values.begin(), values.end()});
    }
  }

  /// How far rounding to floats moves the program's outputs, in their order. It is a matter of the graph that runs.
  std::vector<std::vector<double>> rounding() const {
    Reference rounded(program.graph(), reference.batch());
    set_leaves(program.graph(), rounded);
    std::vector<NodeId> outputs;
    for (const auto& [name, id] : program.graph().outputs()) outputs.push_back(id);
    return rounding_of(rounded, outputs, kFloatUnit);
  }

  Variables variables;
  Feeds feeds;
  Program program;
  Reference reference;
};

EngineCheck compare(std::string name, std::span<const float> fast, const std::vector<double>& right,
                    const std::vector<double>& rounding) {
  EngineCheck check{.name = std::move(name), .passed = fast.size() == right.size() && rounding.size() == right.size()};
  double worst = -1;
  for (std::size_t i = 0; check.passed && i < right.size(); ++i) {
    const double error = std::abs(static_cast<double>(fast[i]) - right[i]);
    const double allowed = kSafety * rounding[i] + std::numeric_limits<float>::min();
    check.largest = std::max(check.largest, std::abs(right[i]));
    check.passed = error <= allowed;
    if (check.passed && error / allowed <= worst) continue;
    worst = error / allowed;
    check.error = error;
    check.allowed = allowed;
  }
  return check;
}

std::vector<EngineCheck> check_engine(const Network& network, const NetworkGradcheckOptions& o) {
  Problem p(network);
  auto& graph = p.graph;
  const auto derivatives = gradients(p.loss, p.wrt, o.rules);
  graph.clear_outputs();
  graph.output("loss", p.loss);
  for (std::size_t i = 0; i < p.wrt.size(); ++i) graph.output("d " + p.wrt[i].name(), derivatives[i]);
  const Both both(network, p, o);
  const auto roundings = both.rounding();
  std::vector<EngineCheck> checks;
  for (const auto& [name, id] : graph.outputs()) {
    checks.push_back(compare(name.starts_with("d ") ? name.substr(2) : name, both.program.output(name),
                             both.reference.value(id), roundings[checks.size()]));
  }
  return checks;
}

/// Gives the reference its parameters, moved off constants: zero is where relu has no derivative.
std::map<std::string, std::vector<double>> set_parameters(Reference& reference, Graph& graph, std::uint64_t seed) {
  std::map<std::string, std::vector<double>> all;
  const Variables variables(graph, seed);
  for (const auto& [name, tensor] : variables.all()) {
    const auto values = tensor.values();
    auto& moved = all[name] = {values.begin(), values.end()};
    const NodeId id = graph.find(name).id();
    if (graph.node(id).attributes.as<ParameterAttributes>().init.kind == Init::Kind::constant) {
      Random random(seed, hash_name(name));
      for (auto& v : moved) v += random.uniform() - 0.5;
    }
    reference.set(id, moved);
  }
  return all;
}

}  // namespace

NetworkGradcheck check_network(const Network& network, const NetworkGradcheckOptions& options) {
  NetworkGradcheck result;
  result.engine = check_engine(network, options);
  Problem p(network);
  std::vector<Value> outputs{p.loss};
  for (const auto& [name, id] : p.graph.outputs()) outputs.push_back(p.graph.value(id));
  GradcheckOptions by_difference;
  by_difference.seed = options.seed;
  by_difference.batch = options.batch;
  by_difference.rules = options.rules;
  result.rules = check_gradients(p.graph, outputs, p.wrt, by_difference);
  result.passed =
      result.rules.passed && std::ranges::all_of(result.engine, [](const auto& check) { return check.passed; });
  return result;
}

UpdateReport check_updates(const Network& network, double alpha, const NetworkGradcheckOptions& options) {
  Problem p(network);
  p.wrt.pop_back();  // the input is not trained
  const auto derivatives = gradients(p.loss, p.wrt, options.rules);
  Reference reference(p.graph, options.batch);
  for (const auto& [name, values] : draw_samples(network, p.graph, options))
    reference.set(p.graph.find(name).id(), {values.begin(), values.end()});
  const auto all = set_parameters(reference, p.graph, options.seed);
  check_outputs(network, p, reference);
  std::vector<std::vector<double>> values;
  for (const auto& w : p.wrt) values.push_back(all.at(w.name()));
  UpdateReport report;
  report.checks = check_updates(reference, p.loss, p.wrt, derivatives, values, alpha, maximised(natural_loss(network)));
  report.passed = std::ranges::any_of(report.checks, &UpdateCheck::seen) &&
                  std::ranges::all_of(report.checks, &UpdateCheck::passed);
  return report;
}

double gradcheck_work(const Network& network, std::size_t batch, bool by_update) {
  const auto price = cost(network.graph());
  const auto samples = static_cast<std::int64_t>(batch);
  const auto numbers = price.parameters + elements(network.input_shape()) * samples;
  const double points = by_update ? 16.0 * static_cast<double>(layer_costs(network.graph()).size())  // steps
                                  : 2.0 * static_cast<double>(numbers);
  return points * static_cast<double>(price.forward) * static_cast<double>(samples);
}

namespace {

/// The operations whose rules give derivatives of the loss: nothing goes through a select's condition.
std::set<std::string_view> ruling_operations(Problem& p) {
  std::set<std::string_view> used;
  DerivativeRules noting;
  for (NodeId id = 0; id < p.graph.size(); ++id) {
    const Op* op = p.graph.node(id).op;
    if (is_leaf(*op) || !op->derivative.value) continue;
    noting[std::string(op->name.value)] = [&used, op](const Node& node, std::span<const Value> in, Value y, Value dy) {
      used.insert(op->name.value);
      return op->derivative.value(node, in, y, dy);
    };
  }
  gradients(p.loss, p.wrt, noting);
  return used;
}

}  // namespace

DerivativeRules corrupted_rule(const Network& network, const std::string& name) {
  Problem p(network);
  const NodeId size = p.graph.size();
  const auto ruling = ruling_operations(p);
  std::vector<std::string_view> there;
  std::string list;
  std::vector<bool> matters(
      static_cast<std::size_t>(p.graph.size()));  // derivatives pass through it to what is checked
  for (const Value& leaf : p.wrt) matters[static_cast<std::size_t>(leaf.id())] = true;
  for (NodeId id = 0; id < size; ++id) {
    const Node& node = p.graph.node(id);
    const Op& op = *node.op;
    if (is_leaf(op) || !op.derivative.value) continue;
    const bool passes_on = std::ranges::any_of(
        node.inputs, [&](NodeId input) { return static_cast<bool>(matters[static_cast<std::size_t>(input)]); });
    if (!passes_on) continue;  // a select between constants
    matters[static_cast<std::size_t>(id)] = true;
    if (!ruling.contains(op.name.value) || std::ranges::find(there, op.name.value) != there.end()) continue;
    there.push_back(op.name.value);
    list += (list.empty() ? "" : ", ") + std::string(op.name.value);
  }
  if (std::ranges::find(there, name) == there.end()) {
    throw InputError(str(name, ": this network has no such operation with a derivative; it has ", list));
  }
  const auto rule = find_op(name)->derivative.value;
  return {{name, [rule](const Node& node, std::span<const Value> inputs, Value y, Value dy) {
             auto cotangents = rule(node, inputs, y, dy);
             for (auto& c : cotangents) {
               if (c) c = c * c.graph().constant(kCorruption);
             }
             return cotangents;
           }}};
}

}  // namespace chalk
