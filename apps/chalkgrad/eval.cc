// chalkgrad eval: how good a model, or several together, is on data it has not seen.
#include <fmt/core.h>

#include <algorithm>

#include "apps/chalkgrad/commands.h"
#include "apps/chalkgrad/common.h"
#include "apps/chalkgrad/json.h"
#include "apps/chalkgrad/table.h"

namespace chalk::app {
namespace {

constexpr std::size_t kMostInMatrix = 20, kMostMistakes = 20;  // classes that are printed as a matrix; lines otherwise

struct Options {
  std::string model, data, part = "test", tta;
  std::vector<std::string> others;
  std::int64_t top = 0;
  int threads = 0;
  bool confusion = false, json = false, skip_bad = false;
};

std::string share(const std::optional<double>& of_all) { return of_all ? percent(*of_all) : "–"; }

/// Row by row: how often samples of a class were predicted as each class.
Json matrix(const Evaluation& result) {
  auto rows = Json::array();
  const auto classes = result.classes.size();
  for (std::size_t truth = 0; truth < classes; ++truth) {
    auto row = Json::array();
    for (std::size_t guess = 0; guess < classes; ++guess) row.push_back(result.confusion[truth * classes + guess]);
    rows.push_back(row);
  }
  return rows;
}

Json to_json(const Evaluation& result, const Options& o) {
  Json json{{"samples", result.samples}, {"loss", result.loss}};
  if (!o.others.empty()) json["models"] = static_cast<std::int64_t>(1 + o.others.size());
  if (!o.tta.empty()) json["views"] = static_cast<std::int64_t>(parse_tta(o.tta).views());
  if (!result.others.empty()) json["objective"] = result.objective;
  for (const auto& other : result.others) {
    Json line{{"name", other.name}, {"measured", name_of(other.measured)}, {"loss", other.loss}};
    if (other.accuracy) line["accuracy"] = *other.accuracy;
    json["outputs"].push_back(line);
  }
  if (result.classes.empty()) return json;
  json["accuracy"] = result.accuracy;
  if (o.top > 0) json[fmt::format("top_{}_accuracy", o.top)] = result.top(o.top);
  for (const auto& c : result.classes) {
    json["classes"].push_back({{"name", c.name},
                               {"samples", c.samples},
                               {"correct", c.correct},
                               {"predicted", c.predicted},
                               {"recall", c.recall()},
                               {"precision", c.precision()},
                               {"f1", c.f1()}});
  }
  const auto means = result.means();
  json["means"] = {{"recall", means.recall}, {"precision", means.precision}, {"f1", means.f1}};
  json["confusion"] = matrix(result);
  return json;
}

void print_matrix(const Evaluation& result) {
  std::vector<std::string> titles{"class"};
  for (const auto& c : result.classes) titles.push_back("→ " + c.name);
  Table table(titles);
  const auto classes = result.classes.size();
  for (std::size_t truth = 0; truth < classes; ++truth) {
    std::vector<std::string> cells{result.classes[truth].name};
    for (std::size_t guess = 0; guess < classes; ++guess) {
      const auto samples = result.confusion[truth * classes + guess];
      cells.push_back(samples == 0 ? "·" : count(samples));
    }
    table.row(cells);
  }
  fmt::print("{}\n", table.text());
}

/// The most frequent ones, for more classes than a matrix could show.
void print_mistakes(const Evaluation& result) {
  struct Mistake {
    std::int64_t samples;
    std::size_t truth, guess;
  };
  std::vector<Mistake> all;
  const auto classes = result.classes.size();
  for (std::size_t at = 0; at < result.confusion.size(); ++at) {
    const auto truth = at / classes, guess = at % classes;
    if (truth != guess && result.confusion[at] > 0) all.push_back({result.confusion[at], truth, guess});
  }
  std::ranges::stable_sort(all, std::ranges::greater(), &Mistake::samples);
  Table table({"class", "taken for", "samples", "of the class"});
  for (const auto& m : std::span(all).first(std::min(all.size(), kMostMistakes))) {
    const auto& truth = result.classes[m.truth];
    table.row({truth.name, result.classes[m.guess].name, count(m.samples),
               percent(static_cast<double>(m.samples) / static_cast<double>(truth.samples))});
  }
  fmt::print("{}", table.text());
  if (all.size() > kMostMistakes) {
    const auto rest = static_cast<std::int64_t>(all.size() - kMostMistakes);
    fmt::print("and {} other pairs of classes, which --json has\n", count(rest));
  }
  fmt::print("\n");
}

void print(const Evaluation& result, const Options& o) {
  if (!result.classes.empty()) {
    Table table({"class", "samples", "found", "answered", "right answers", "F1"});
    for (const auto& c : result.classes)
      table.row({c.name, count(c.samples), share(c.recall()), count(c.predicted), share(c.precision()), share(c.f1())});
    const auto means = result.means();
    table.rule();
    table.row({"mean", "", share(means.recall), "", share(means.precision), share(means.f1)});
    fmt::print("{}\n", table.text());
    if (o.confusion) result.classes.size() <= kMostInMatrix ? print_matrix(result) : print_mistakes(result);
    fmt::print("accuracy {}\n", percent(result.accuracy));
    if (o.top > 0) fmt::print("top-{} accuracy {}\n", o.top, percent(result.top(o.top)));
  }
  const auto called = [](const Loss& loss) { return loss == Loss::cross_entropy ? "loss" : name_of(loss); };
  const auto views = static_cast<std::int64_t>(parse_tta(o.tta).views());
  fmt::print("{} {:.6g}, mean of {} samples{}\n", called(result.measured), result.loss, count(result.samples),
             views == 1 ? "" : fmt::format(", each in {} views", count(views)));
  for (const auto& other : result.others) {
    fmt::print("output {}: {}{} {:.6g}\n", other.name,
               other.accuracy ? fmt::format("accuracy {}, ", percent(*other.accuracy)) : "", called(other.measured),
               other.loss);
  }
  if (!result.others.empty()) fmt::print("sum of all losses, weighted {:.6g}\n", result.objective);
}

/// What needs classes is no option for other data.
void check_options(const Options& o, const Dataset& data) {
  if (data.labels.empty() && (o.top > 0 || o.confusion)) {
    throw UsageError(fmt::format("{} needs data with labels, and {} has values; leave it out",
                                 o.top > 0 ? "--top-k" : "--confusion", data.name));
  }
  if (o.top > std::ssize(data.class_names)) {
    throw UsageError(fmt::format("--top-k {} is more than the {} classes of the data; give a smaller number", o.top,
                                 data.class_names.size()));
  }
}

int eval(const Options& o) {
  const auto views = parse_tta(o.tta);
  std::vector<std::string> files{o.model};
  files.insert(files.end(), o.others.begin(), o.others.end());
  std::vector<Network> networks;
  for (const auto& file : files) networks.push_back(Network::load(file));
  std::vector<Network*> together;
  for (auto& network : networks) together.push_back(&network);
  const auto data = load_part(o.data, networks[0], o.part, o.skip_bad);
  check_options(o, data);
  const auto evaluated = [&] { return evaluate(together, data, o.threads, files, views); };
  const auto result = o.others.empty() ? about_model(o.model, evaluated) : evaluated();
  if (o.json) {
    print_json(to_json(result, o));
  } else {
    print(result, o);
  }
  return kOk;
}

}  // namespace

void add_eval(CommandLine& line) {
  auto options = std::make_shared<Options>();
  auto command = line.command("eval", "Measure a model's accuracy and loss, class by class", options, eval);
  command.text("MODEL", options->model, kModelFile).required();
  command.repeated("--with", options->others, "Another model, which answers together with it; may be repeated",
                   "MODEL");
  command.text("--data", options->data,
               fmt::format("Data: {}; without it, what the model was trained on", data_source_forms()));
  add_skip_bad(command, options->skip_bad);
  add_storage(command);
  add_tta(command, options->tta);
  command
      .word("--part", options->part, {"test", "train", "validation"}, "test, train, or validation: what was held out",
            "PART")
      .shows_default();
  command.whole("--top-k", options->top, {.least = 1}, "Also how often the class is among the K largest outputs", "K");
  command.flag("--confusion", options->confusion, "Also which classes were taken for which");
  add_threads(command, options->threads);
  add_json(command, options->json);
}

}  // namespace chalk::app
