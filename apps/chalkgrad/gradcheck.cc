// chalkgrad gradcheck: the derivative of a network's loss, held against differences and against the fast engine.
#include "src/run/gradcheck.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "apps/chalkgrad/commands.h"
#include "apps/chalkgrad/common.h"
#include "apps/chalkgrad/table.h"
#include "src/base/random.h"
#include "src/base/suggest.h"
#include "src/ir/leaves.h"
#include "src/net/build.h"
#include "src/net/cost.h"
#include "src/ops/registry.h"
#include "src/passes/passes.h"
#include "src/run/reference.h"
#include "src/run/update_check.h"
#include "src/train/diagnose.h"
#include "src/train/training_graph.h"

namespace chalk::app {
namespace {

constexpr double kEngineTolerance = 1e-4;  // relative to the largest derivative of a parameter: float against double
constexpr double kZero = 1e-12;  // relative to the largest of all: a derivative that is zero, but for rounding
constexpr double kCorruption = 1.01;
constexpr double kMostWork = 2e11;  // multiply-adds, some minutes in the reference

struct Options {
  NetworkOptions network;
  std::int64_t batch = 3;
  std::string corrupt;
  double alpha = 0.1;
  bool by_update = false, json = false;
  CLI::App* command = nullptr;
};

/// The loss of a network, and what it is differentiated with respect to.
struct Problem {
  Graph graph;
  Value loss;
  std::vector<Value> wrt;  // the parameters, and the input
};

void pose(Problem& problem, const Network& network) {
  auto& graph = problem.graph = with_batch_statistics(network.graph());
  problem.loss = batch_mean(add_loss(graph, natural_loss(network), network.output_shape()));
  problem.wrt = graph.parameters();
  problem.wrt.push_back(graph.find("x"));
}

/// The rule of that operation, wrong by one per cent.
DerivativeRules corrupted(const std::string& name, const Graph& graph) {
  if (name.empty()) return {};
  std::vector<std::string_view> there;
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Op& op = *graph.node(id).op;
    if (!is_leaf(op) && op.derivative.value && std::find(there.begin(), there.end(), op.name.value) == there.end()) {
      there.push_back(op.name.value);
    }
  }
  if (std::find(there.begin(), there.end(), name) == there.end()) {
    throw UsageError(fmt::format("--corrupt {}: this network has no such operation with a derivative; it has {}", name,
                                 fmt::join(there, ", ")));
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

/// Samples and targets, in float: as the engine reads them.
std::map<std::string, std::vector<float>> draw_samples(const Network& network, Graph& graph, const Options& o) {
  const auto batch = static_cast<std::size_t>(o.batch);
  Random random(o.network.seed, hash_name("gradcheck"));
  std::map<std::string, std::vector<float>> feeds;
  for (const char* name : {"x", "t"}) {
    auto& values = feeds[name];
    values.resize(batch * static_cast<std::size_t>(elements(graph.find(name).shape())));
    for (auto& v : values) v = static_cast<float>(random.uniform());
  }
  const auto classes = static_cast<std::size_t>(elements(network.output_shape()));
  if (of_softmax(natural_loss(network))) {
    for (std::size_t i = 0; i < batch * classes; ++i)
      feeds["t"][i] = i % classes == i / classes % classes ? 1.0F : 0.0F;
  }
  return feeds;
}

/// Binary cross-entropy of an output that has no logarithm is NaN, which says little.
void check_logarithms(const Network& network, const Problem& p, Reference& reference) {
  if (natural_loss(network) != Loss::binary_cross_entropy) return;
  const NodeId y[] = {output_node(network.graph())};  // the same in both graphs
  reference.run(y);
  const auto& values = reference.value(y[0]);
  const auto found = std::find_if(values.begin(), values.end(), [](double v) { return v <= 0 || v >= 1; });
  if (found == values.end() || p.graph.node(y[0]).op == &op_sigmoid) return;
  const auto at = static_cast<std::size_t>(found - values.begin()), size = values.size() / reference.batch();
  throw NumericError(without_logarithm(network.graph(), *found, at % size, at / size));
}

struct EngineCheck {
  std::string name;
  double largest = 0, error = 0;  // error relative to the largest, or, where that is zero, to the largest of all
  bool passed = false;
};

/// The same gradients by the engine, in float, and by the reference, in double, from the same numbers.
std::vector<EngineCheck> check_engine(const Network& network, const Options& o, const DerivativeRules& rules) {
  Problem p;
  pose(p, network);
  auto& graph = p.graph;
  const auto derivatives = gradients(p.loss, p.wrt, rules);
  graph.clear_outputs();
  graph.output("loss", p.loss);
  for (std::size_t i = 0; i < p.wrt.size(); ++i) graph.output("d " + p.wrt[i].name(), derivatives[i]);

  const auto batch = static_cast<std::size_t>(o.batch);
  Variables variables(graph, o.network.seed);
  const auto feeds = draw_samples(network, graph, o);
  Program program(graph, variables, {.threads = 1});
  Reference reference(graph, batch);
  for (const auto& [name, values] : feeds) {
    program.feed(name, {.values = values.data()});
    reference.set(graph.find(name).id(), {values.begin(), values.end()});
  }
  for (const auto& [name, tensor] : variables.all()) {
    const auto values = tensor.values();
    reference.set(graph.find(name).id(), {values.begin(), values.end()});
  }
  check_logarithms(network, p, reference);
  program.run(batch);
  reference.run();

  const auto largest = [&](NodeId id) {
    double most = 0;
    for (const auto v : reference.value(id)) most = std::max(most, std::abs(v));
    return most;
  };
  double largest_of_all = 0;
  for (const auto& d : derivatives) largest_of_all = std::max(largest_of_all, largest(d.id()));

  std::vector<EngineCheck> checks;
  for (const auto& [name, id] : graph.outputs()) {
    const auto& right = reference.value(id);
    const auto fast = program.output(name);
    EngineCheck check{name.starts_with("d ") ? name.substr(2) : name, largest(id)};
    const double scale = check.largest > kZero * largest_of_all ? check.largest : largest_of_all;
    bool finite = fast.size() == right.size();
    for (std::size_t i = 0; finite && i < right.size(); ++i) {
      const double difference = std::abs(static_cast<double>(fast[i]) - right[i]);
      finite = std::isfinite(difference);
      check.error = std::max(check.error, scale > 0 ? difference / scale : difference);
    }
    check.passed = finite && check.error <= kEngineTolerance;
    checks.push_back(std::move(check));
  }
  return checks;
}

std::vector<UpdateCheck> check_by_update(const Network& network, const Options& o) {
  Problem p;
  pose(p, network);
  auto& graph = p.graph;
  p.wrt.pop_back();  // the input is not trained
  const auto derivatives = gradients(p.loss, p.wrt, corrupted(o.corrupt, graph));
  Reference reference(graph, static_cast<std::size_t>(o.batch));
  for (const auto& [name, values] : draw_samples(network, graph, o))
    reference.set(graph.find(name).id(), {values.begin(), values.end()});
  const Variables variables(graph, o.network.seed);
  std::map<std::string, std::vector<double>> all;
  for (const auto& [name, tensor] : variables.all()) {
    const auto values = tensor.values();
    auto& moved = all[name] = {values.begin(), values.end()};
    const NodeId id = graph.find(name).id();
    if (graph.node(id).attributes.as<ParameterAttributes>().init.kind == Init::Kind::constant) {
      Random random(o.network.seed, hash_name(name));  // zero is where relu has no derivative
      for (auto& v : moved) v += random.uniform() - 0.5;
    }
    reference.set(id, moved);
  }
  check_logarithms(network, p, reference);
  std::vector<std::vector<double>> values;
  for (const auto& w : p.wrt) values.push_back(all.at(w.name()));
  return check_updates(reference, p.loss, p.wrt, derivatives, values, o.alpha, maximised(natural_loss(network)));
}

int gradcheck_by_update(const Network& network, const Options& o) {
  const auto checks = check_by_update(network, o);
  bool passed = false;  // something must have been seen
  for (const auto& c : checks) passed |= c.seen;
  for (const auto& c : checks) passed &= c.passed;
  const auto loss = natural_loss(network);
  if (o.json) {
    nlohmann::ordered_json json{{"passed", passed}, {maximised(loss) ? "maximise" : "loss", name_of(loss)}};
    for (const auto& c : checks) {
      nlohmann::ordered_json line{{"name", c.name}, {"seen", c.seen}, {"passed", c.passed}};
      if (c.seen) {
        line.update({{"alpha", c.alpha},
                     {"predicted", c.predicted},
                     {"measured", c.measured},
                     {"ratio", c.measured / c.predicted},
                     {"error", c.error},
                     {"error_at_tenth", c.error_at_tenth}});
      }
      json["updates"].push_back(line);
    }
    print_json(json);
    return passed ? kOk : kFailed;
  }
  Table table({"a step along", "α", "predicted", "measured", "ratio", "at α/10", ""});
  for (const auto& c : checks) {
    if (c.seen) {
      table.row({c.name, fmt::format("{:.0e}", c.alpha), fmt::format("{:.4e}", c.predicted),
                 fmt::format("{:.4e}", c.measured), fmt::format("{:.6f}", c.measured / c.predicted),
                 fmt::format("{:.6f}", 1 + c.error_at_tenth), c.passed ? "ok" : "FAILED"});
    } else {
      table.row({c.name, "", "", "", "", "", c.passed ? "too small to see" : "FAILED"});
    }
  }
  fmt::print("{}\n", table.text());
  fmt::print("{}\n",
             passed ? fmt::format("each step changes the {} by what its gradient says", name_of(loss))
                    : fmt::format("FAILED: steps do not change the {} by what their gradients say", name_of(loss)));
  return passed ? kOk : kFailed;
}

void print(const GradcheckReport& rules, const std::vector<EngineCheck>& engine) {
  const auto verdict = [](bool passed) { return passed ? "ok" : "FAILED"; };
  Table differences({"rules against differences", "elements", "largest", "error", "relative", ""});
  for (const auto& c : rules.checks) {
    differences.row({c.name, count(static_cast<std::int64_t>(c.elements)), fmt::format("{:.1e}", c.largest),
                     fmt::format("{:.1e}", c.absolute_error), fmt::format("{:.1e}", c.relative_error),
                     verdict(c.passed)});
  }
  fmt::print("{}\n", differences.text());
  Table floats({"engine (float) against rules (double)", "largest", "relative error", ""});
  for (const auto& c : engine) {
    floats.row({c.name, fmt::format("{:.1e}", c.largest), fmt::format("{:.1e}", c.error), verdict(c.passed)});
  }
  fmt::print("{}\n", floats.text());
}

nlohmann::ordered_json to_json(const GradcheckReport& rules, const std::vector<EngineCheck>& engine, bool passed) {
  nlohmann::ordered_json json{{"passed", passed}};
  for (const auto& c : rules.checks) {
    json["rules"].push_back({{"name", c.name},
                             {"elements", c.elements},
                             {"largest", c.largest},
                             {"absolute_error", c.absolute_error},
                             {"relative_error", c.relative_error},
                             {"passed", c.passed}});
  }
  json["engine_tolerance"] = kEngineTolerance;
  for (const auto& c : engine) {
    json["engine"].push_back(
        {{"name", c.name}, {"largest", c.largest}, {"relative_error", c.error}, {"passed", c.passed}});
  }
  return json;
}

void check_work(const Network& network, const Options& o) {
  const auto price = cost(network.graph());
  const auto numbers = price.parameters + elements(network.input_shape()) * o.batch;
  const double points = o.by_update ? 16.0 * static_cast<double>(layer_costs(network.graph()).size())  // steps
                                    : 2.0 * static_cast<double>(numbers);
  if (points * static_cast<double>(price.forward) * static_cast<double>(o.batch) <= kMostWork) return;
  throw InputError(
      fmt::format("{} parameters are too many to try one by one; use a smaller --input or fewer filters, "
                  "of the same kinds of layers",
                  count(price.parameters)));
}

int gradcheck(const Options& o) {
  if (!o.by_update && o.command->count("--alpha") > 0) throw UsageError("--alpha goes with --by-update; add it");
  const auto network = make_network(o.network);
  check_work(network, o);
  if (o.by_update) return gradcheck_by_update(network, o);
  Problem p;
  pose(p, network);
  const auto rules = corrupted(o.corrupt, p.graph);
  const Value outputs[] = {p.loss, p.graph.value(p.graph.outputs()[0].second)};
  GradcheckOptions options;
  options.seed = o.network.seed;
  options.batch = static_cast<std::size_t>(o.batch);
  options.rules = rules;
  const auto engine = check_engine(network, o, rules);
  const auto report = check_gradients(p.graph, outputs, p.wrt, options);
  bool passed = report.passed;
  for (const auto& c : engine) passed &= c.passed;
  if (o.json) {
    print_json(to_json(report, engine, passed));
  } else {
    print(report, engine);
    fmt::print("{}\n", passed ? "all derivatives agree" : "FAILED: derivatives disagree");
  }
  return passed ? kOk : kFailed;
}

}  // namespace

void add_gradcheck(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  auto* command = options->command =
      app.add_subcommand("gradcheck", "Check a network's derivatives, parameter by parameter");
  add_network(command, options->network, ModelFile::no);
  command->add_option("--batch", options->batch, "Samples")
      ->capture_default_str()
      ->check(at_least(1, 64))
      ->type_name("N");
  command
      ->add_option("--corrupt", options->corrupt,
                   "Make this operation's derivative wrong by 1 %, to see the check fail")
      ->type_name("OP");
  command->add_flag("--by-update", options->by_update,
                    "Take a step along each parameter's gradient instead: it must change the loss by Σ(Δw)²/α");
  command->add_option("--alpha", options->alpha, "The first step's α, divided by ten until the criterion holds")
      ->capture_default_str()
      ->check(number_where("a number above 0", [](double v) { return v > 0; }))
      ->type_name("X");
  add_json(command, options->json);
  command->footer(
      "Derivatives by the rules are compared in double with central differences (docs/cli.md says how close they must\n"
      "be), then the engine's, in float, with the double ones, within 1e-4 of a parameter's largest.\n\n"
      "--by-update: Δw = −α·∂L/∂w of one parameter alone changes L by −Σ(Δw)²/α and a second-order term. With\n"
      "E = measured/predicted − 1 a gradient is right if |E(α/10) − E(α)/10| ≤ 1e-4 for some α with |E(α)| ≤ 0.1: the\n"
      "error shrinks with α. That of a gradient that is wrong by e does not; 0.9·e of it is left.");
  set_action(command, action, options, gradcheck);
}

}  // namespace chalk::app
