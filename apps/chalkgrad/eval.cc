// chalkgrad eval: how good a model is on data it has not seen.
#include <fmt/core.h>

#include "apps/chalkgrad/commands.h"
#include "apps/chalkgrad/common.h"
#include "apps/chalkgrad/json.h"
#include "apps/chalkgrad/table.h"

namespace chalk::app {
namespace {

struct Options {
  std::string model, data, part = "test";
  int threads = 0;
  bool json = false;
};

std::string share(const std::optional<double>& of_all) { return of_all ? percent(*of_all) : "–"; }

Json to_json(const Evaluation& result) {
  Json json{{"samples", result.samples}, {"loss", result.loss}};
  if (result.classes.empty()) return json;
  json["accuracy"] = result.accuracy;
  for (const auto& c : result.classes) {
    json["classes"].push_back({{"name", c.name},
                               {"samples", c.samples},
                               {"correct", c.correct},
                               {"predicted", c.predicted},
                               {"recall", c.recall()},
                               {"precision", c.precision()}});
  }
  return json;
}

void print(const Evaluation& result) {
  if (!result.classes.empty()) {
    Table table({"class", "samples", "found", "answered", "right answers"});
    for (const auto& c : result.classes) {
      table.row({c.name, count(c.samples), share(c.recall()), count(c.predicted), share(c.precision())});
    }
    fmt::print("{}\naccuracy {}\n", table.text(), percent(result.accuracy));
  }
  const auto loss = result.measured == Loss::cross_entropy ? "loss" : name_of(result.measured);
  fmt::print("{} {:.6g}, mean of {} samples\n", loss, result.loss, count(result.samples));
}

int eval(const Options& o) {
  auto network = Network::load(o.model);
  const auto data = load_part(o.data, network, o.part);
  const auto result = about_model(o.model, [&] { return evaluate(network, data, o.threads); });
  if (o.json) {
    print_json(to_json(result));
  } else {
    print(result);
  }
  return kOk;
}

}  // namespace

void add_eval(CommandLine& line) {
  auto options = std::make_shared<Options>();
  auto command = line.command("eval", "Measure a model's accuracy and loss, class by class", options, eval);
  command.text("MODEL", options->model, "A model file (.safetensors)").required();
  command.text("--data", options->data,
               fmt::format("Data: {}; without it, what the model was trained on", data_source_forms()));
  command.word("--part", options->part, {"test", "train"}, "test or train", "PART").shows_default();
  add_threads(command, options->threads);
  add_json(command, options->json);
}

}  // namespace chalk::app
