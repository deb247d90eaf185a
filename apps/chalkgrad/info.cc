// chalkgrad info: a network's layers, size, cost and memory.
#include <fmt/core.h>

#include <algorithm>
#include <optional>

#include "apps/chalkgrad/commands.h"
#include "apps/chalkgrad/common.h"
#include "apps/chalkgrad/json.h"
#include "apps/chalkgrad/table.h"
#include "src/base/wording.h"

namespace chalk::app {
namespace {

struct Options {
  NetworkOptions network;
  int threads = 0;
  std::int64_t batch = 64;
  std::size_t memory = 0;
  bool graph = false, json = false;
};

Json to_json(const MemoryUse& m) {
  return {{"parameters", m.parameters},   {"activations_per_thread", m.activations},
          {"gradients", m.gradients},     {"shared", m.shared},
          {"threads", m.threads},         {"total", m.total()},
          {"kept_per_16_samples", m.kept}};
}

std::string to_text(const MemoryUse& m) {
  const auto booked = fmt::format("{} (parameters {}, activations {} × {}, gradients {}, other {})",
                                  megabytes(m.total()), megabytes(m.parameters), megabytes(m.activations),
                                  counted(static_cast<std::uint64_t>(m.threads), "thread"), megabytes(m.gradients),
                                  megabytes(m.shared));
  return m.kept == 0 ? booked : fmt::format("{} and {} for each 16 samples of a batch", booked, megabytes(m.kept));
}

/// What a limit of memory costs.
struct Limited {
  std::int64_t samples = 0;
  std::size_t limit = 0, bytes = 0, without = 0;  // of a step within the limit, and of one without
  std::int64_t again = 0;                         // multiply-adds of a sample, beside
  std::int64_t training = 0;                      // those of a step without the limit
};

Limited limited(const Program& free, const Graph& step, Variables& variables, const Options& o) {
  const auto samples = static_cast<std::size_t>(o.batch);
  const Program within(step, variables, {.threads = o.threads, .memory = o.memory, .memory_samples = samples});
  const auto products = multiply_adds(free.graph());
  return {
      o.batch, o.memory, within.memory_of(samples), free.memory_of(samples), multiply_adds(within.graph()) - products,
      products};
}

std::string to_text(const Limited& m) {
  return fmt::format("a step of {} samples takes {} instead of {}, and {} multiply-adds a sample more ({:.1f} %)",
                     m.samples, megabytes(m.bytes), megabytes(m.without), count(m.again),
                     100 * static_cast<double>(m.again) / static_cast<double>(std::max<std::int64_t>(1, m.training)));
}

Json to_json(const Limited& m) {
  return {{"samples", m.samples},
          {"limit", m.limit},
          {"step", m.bytes},
          {"step_without_limit", m.without},
          {"multiply_adds_again", m.again}};
}

/// How many threads there are, and why.
std::string threads_text(const MemoryUse& use, int asked) {
  const auto cores = usable_cores();
  if (asked == 0) return fmt::format("{}: {}", use.threads, cores.why());
  return fmt::format("{}: --threads says so; without it {}, {}", use.threads, cores.threads(), cores.why());
}

Json to_json(const Cores& cores) {
  return {{"machine", cores.machine},
          {"allowed", cores.allowed},
          {"quota", cores.quota > 0 ? Json(cores.quota) : Json()},
          {"threads", cores.threads()},
          {"why", cores.why()}};
}

/// The epoch that was best on the validation data, and whether the weights are those after it; empty if there is none.
std::string best_text(const Network& network) {
  const auto& record = network.training;
  if (!record || record->best.epoch < 0) return {};
  const bool is_over = record->finished() && !record->diverged;
  return fmt::format(
      "{} of {}, validation loss {:.6g}{}; {}", record->best.epoch + 1, record->options.epochs, record->best.loss,
      network.encoding.class_names.empty() ? "" : fmt::format(", accuracy {}", percent(record->best.accuracy)),
      record->options.keep_last ? "the weights are the last epoch's, as keep_last says"
      : is_over                 ? "the weights are those after it"
                                : "the run is not over: the weights are the last step's");
}

Json to_json(const InputEncoding& encoding) {
  const auto doubles = [](const std::vector<float>& list) { return std::vector<double>(list.begin(), list.end()); };
  return {{"of", encoding.of_values ? "numbers" : "bytes"},
          {"per_sample", encoding.per_sample},
          {"scale", doubles(encoding.scale)},
          {"shift", doubles(encoding.shift)}};
}

/// How it was trained, and whatever else its file says of it.
std::map<std::string, std::string> metadata(const Network& network) {
  auto all = network.metadata;
  if (network.training) all.merge(network.training->metadata());
  return all;
}

/// What the weights are, if they are not simply those of the last step.
std::string weights_text(const Network& network) {
  if (!network.training || !network.training->options.average) return {};
  return fmt::format("averages, {}{}", network.training->options.average.text(),
                     has_raw_weights(network) ? "; those of the last step are there, too, as NAME.raw" : "");
}

int info(const Options& o) {
  auto network = make_network(o.network);
  const Graph step = training_step(network);
  if (o.graph) {
    fmt::print("{}", network.graph().print());
    return kOk;
  }
  const auto layers = layer_costs(network.graph());
  const auto total = cost(network.graph());
  const auto inference = Program(network.graph_of("y"), network.variables(), {.threads = o.threads}).memory();
  network.variables().add(step, 1);  // what training has beside the weights
  const Program program(step, network.variables(), {.threads = o.threads});
  const auto training = program.memory();
  std::optional<Limited> within;
  if (o.memory > 0) within = limited(program, step, network.variables(), o);
  const auto several = network.outputs().size() > 1 ? network.outputs() : std::vector<NetworkOutput>();
  if (o.json) {
    Json json{{"network", network.text()}, {"input", network.input_shape()}, {"output", network.output_shape()}};
    for (const auto& l : layers) {
      json["layers"].push_back(
          {{"name", l.layer}, {"output", l.shape}, {"parameters", l.parameters}, {"multiply_adds", l.forward}});
    }
    for (const auto& output : several) {
      json["outputs"].push_back({{"name", output.name},
                                 {"shape", network.output_shape(output.name)},
                                 {"loss", name_of(output.loss.value_or(natural_loss(network)))},
                                 {"target", output.reconstructs ? "input" : "data"},
                                 {"weight", output.weight}});
    }
    json["parameters"] = total.parameters;
    json["multiply_adds"] = {{"inference", total.forward}, {"training", total.training}};
    json["memory"] = {{"inference", to_json(inference)}, {"training", to_json(training)}};
    if (within) json["memory"]["limited"] = to_json(*within);
    json["instruction_set"] = instruction_set();
    json["threads"] = inference.threads;
    json["cores"] = to_json(usable_cores());
    if (const auto text = weights_text(network); !text.empty()) json["weights"] = text;
    if (network.training && network.training->best.epoch >= 0) json["best_epoch"] = network.training->best.epoch + 1;
    if (!network.encoding.scale.empty()) json["encoding"] = to_json(network.encoding);
    if (!network.encoding.class_names.empty()) json["classes"] = network.encoding.class_names;
    if (const auto all = metadata(network); !all.empty()) json["metadata"] = all;
    json["weights_sha256"] = network.weights_sha256();
    print_json(json);
    return kOk;
  }
  Table table({"layer", "output", "parameters", "multiply-adds"});
  table.row({"x", to_string(network.input_shape()), "", ""});
  for (const auto& l : layers) {
    table.row({l.layer, to_string(l.shape), l.parameters > 0 ? count(l.parameters) : "",
               l.forward > 0 ? count(l.forward) : ""});
  }
  table.rule();
  std::int64_t forward = 0;
  for (const auto& l : layers) forward += l.forward;
  table.row({"total", "", count(total.parameters), count(forward)});
  fmt::print("{}\n", table.text());
  fmt::print("training    {} multiply-adds a sample, {}\n", count(total.training), to_text(training));
  if (within) fmt::print("within {}  {}\n", megabytes(within->limit), to_text(*within));
  fmt::print("inference   {} multiply-adds a sample, {}\n", count(total.forward), to_text(inference));
  if (!several.empty()) fmt::print("outputs     {}\n", outputs_text(network, natural_loss(network)));
  fmt::print("runs on     {}\n", instruction_set());
  fmt::print("threads     {}\n", threads_text(inference, o.threads));
  if (network.training) fmt::print("samples     {}\n", encoding_text(network.encoding));
  if (const auto text = weights_text(network); !text.empty()) fmt::print("weights     {}\n", text);
  if (const auto best = best_text(network); !best.empty()) fmt::print("best epoch  {}\n", best);
  for (const auto& [key, value] : metadata(network)) fmt::print("{}  {}\n", key, value);
  if (!o.network.model.empty()) fmt::print("weights sha256 {}\n", network.weights_sha256());
  return kOk;
}

}  // namespace

void add_info(CommandLine& line) {
  auto options = std::make_shared<Options>();
  auto command = line.command("info", "Show a network's layers, parameters, multiply-adds and memory", options, info);
  add_network(command, options->network, ModelFile::allowed);
  add_threads(command, options->threads);
  command.whole("--batch", options->batch, {1, 1 << 24}, "Samples of a training step, for --step-memory")
      .shows_default();
  add_step_memory(command, options->memory);
  command.flag("--graph", options->graph, "Print the forward graph instead");
  add_json(command, options->json);
}

}  // namespace chalk::app
