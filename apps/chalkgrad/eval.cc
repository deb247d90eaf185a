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

double ratio(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

Json to_json(const Evaluation& result) {
  Json json{{"samples", result.samples}, {"loss", result.loss}};
  if (result.classes.empty()) return json;
  json["accuracy"] = result.accuracy;
  for (const auto& c : result.classes) {
    json["classes"].push_back(
        {{"name", c.name}, {"samples", c.samples}, {"correct", c.correct}, {"predicted", c.predicted}});
  }
  return json;
}

void print(const Evaluation& result, std::string_view loss) {
  if (!result.classes.empty()) {
    Table table({"class", "samples", "found", "answered", "right answers"});
    for (const auto& c : result.classes) {
      table.row({c.name, count(c.samples), percent(ratio(c.correct, c.samples)), count(c.predicted),
                 percent(ratio(c.correct, c.predicted))});
    }
    fmt::print("{}\naccuracy {}\n", table.text(), percent(result.accuracy));
  }
  fmt::print("{} {:.6g}, mean of {} samples\n", loss, result.loss, count(result.samples));
}

int eval(const Options& o) {
  auto network = Network::load(o.model);
  const auto data = load_data(o.data, network);
  const auto result = evaluate(network, o.part == "test" ? data.test : data.train, o.threads);
  if (o.json) {
    print_json(to_json(result));
  } else {
    const auto trained = trained_loss(network);
    print(result, trained && *trained != Loss::cross_entropy ? name_of(*trained) : "loss");
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
