// chalkgrad gradcheck: the derivative of a network's loss, held against differences and against the fast engine.
#include <fmt/core.h>

#include <cmath>

#include "apps/chalkgrad/commands.h"
#include "apps/chalkgrad/common.h"
#include "apps/chalkgrad/json.h"
#include "apps/chalkgrad/table.h"

namespace chalk::app {
namespace {

constexpr double kMostWork = 2e11;  // multiply-adds, some minutes in the reference

struct Options {
  NetworkOptions network;
  std::int64_t batch = 3;
  std::string corrupt;
  double alpha = 0.1;
  bool by_update = false, json = false;
  Command command;
};

int gradcheck_by_update(const Network& network, const Options& o, const NetworkGradcheckOptions& options) {
  const auto [checks, passed] = check_updates(network, o.alpha, options);
  const auto loss = natural_loss(network);
  if (o.json) {
    Json json{{"passed", passed}, {maximised(loss) ? "maximise" : "loss", name_of(loss)}};
    for (const auto& c : checks) {
      Json line{{"name", c.name}, {"seen", c.seen}, {"passed", c.passed}};
      if (c.seen) {
        line["alpha"] = c.alpha;
        line["predicted"] = c.predicted;
        line["measured"] = c.measured;
        line["ratio"] = c.measured / c.predicted;
        line["error"] = c.error;
        line["error_at_tenth"] = c.error_at_tenth;
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
  Table differences({"rules against differences", "elements", "largest", "error", "allowed", ""});
  for (const auto& c : rules.checks) {
    differences.row({c.name, count(static_cast<std::int64_t>(c.elements)), fmt::format("{:.1e}", c.largest),
                     fmt::format("{:.1e}", std::abs(c.by_rule - c.by_difference)), fmt::format("{:.1e}", c.allowed),
                     c.kinks > 0 && c.passed ? fmt::format("ok, {} at a kink", c.kinks) : verdict(c.passed)});
  }
  fmt::print("{}\n", differences.text());
  Table floats({"engine (float) against rules (double)", "largest", "error", "allowed", ""});
  for (const auto& c : engine) {
    floats.row({c.name, fmt::format("{:.1e}", c.largest), fmt::format("{:.1e}", c.error),
                fmt::format("{:.1e}", c.allowed), verdict(c.passed)});
  }
  fmt::print("{}\n", floats.text());
}

Json to_json(const GradcheckReport& rules, const std::vector<EngineCheck>& engine, bool passed) {
  Json json{{"passed", passed}};
  for (const auto& c : rules.checks) {
    json["rules"].push_back({{"name", c.name},
                             {"elements", c.elements},
                             {"kinks", c.kinks},
                             {"largest", c.largest},
                             {"error", std::abs(c.by_rule - c.by_difference)},
                             {"allowed", c.allowed},
                             {"passed", c.passed}});
  }
  for (const auto& c : engine) {
    json["engine"].push_back(
        {{"name", c.name}, {"largest", c.largest}, {"error", c.error}, {"allowed", c.allowed}, {"passed", c.passed}});
  }
  return json;
}

int gradcheck(const Options& o) {
  if (!o.by_update && o.command.given("--alpha")) throw UsageError("--alpha goes with --by-update; add it");
  const auto network = make_network(o.network);
  const auto batch = static_cast<std::size_t>(o.batch);
  if (gradcheck_work(network, batch, o.by_update) > kMostWork) {
    throw InputError(
        fmt::format("{} parameters are too many to try one by one; use a smaller --input or fewer filters, "
                    "of the same kinds of layers",
                    count(cost(network.graph()).parameters)));
  }
  NetworkGradcheckOptions options;
  options.seed = o.network.seed;
  options.batch = batch;
  if (!o.corrupt.empty()) options.rules = as_usage([&] { return corrupted_rule(network, o.corrupt); }, "--corrupt ");
  if (o.by_update) return gradcheck_by_update(network, o, options);
  const auto [rules, engine, passed] = check_network(network, options);
  if (o.json) {
    print_json(to_json(rules, engine, passed));
  } else {
    print(rules, engine);
    fmt::print("{}\n", passed ? "all derivatives agree" : "FAILED: derivatives disagree");
  }
  return passed ? kOk : kFailed;
}

}  // namespace

void add_gradcheck(CommandLine& line) {
  auto options = std::make_shared<Options>();
  auto& command = options->command =
      line.command("gradcheck", "Check a network's derivatives, parameter by parameter", options, gradcheck);
  add_network(command, options->network, ModelFile::no);
  command.whole("--batch", options->batch, {1, 64}, "Samples").shows_default();
  command.text("--corrupt", options->corrupt, "Make this operation's derivative wrong by 1 %, to see the check fail",
               "OP");
  command.flag("--by-update", options->by_update,
               "Take a step along each parameter's gradient instead: it must change the loss by Σ(Δw)²/α");
  command
      .real("--alpha", options->alpha, Range::above(0), "The first step's α, divided by ten until the criterion holds")
      .shows_default();
  add_json(command, options->json);
  command.footer(
      "Derivatives by the rules are compared in double with central differences (docs/cli.md says how close they must\n"
      "be), then the engine's, in float, with the double ones: within 64 times what rounding does to them.\n\n"
      "--by-update: Δw = −α·∂L/∂w of one parameter alone changes L by −Σ(Δw)²/α and a second-order term. With\n"
      "E = measured/predicted − 1 a gradient is right if |E(α/10) − E(α)/10| ≤ 1e-4 for some α with |E(α)| ≤ 0.1: the\n"
      "error shrinks with α. That of a gradient that is wrong by e does not; 0.9·e of it is left.");
}

}  // namespace chalk::app
