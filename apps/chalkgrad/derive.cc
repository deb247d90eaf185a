// chalkgrad derive: the derivation of a network, every equation verified.
#include "chalkgrad/derive.h"

#include <fmt/core.h>

#include <algorithm>

#include "apps/chalkgrad/commands.h"
#include "apps/chalkgrad/common.h"
#include "apps/chalkgrad/training_fields.h"
#include "src/base/file.h"

namespace chalk::app {
namespace {

struct Options {
  NetworkOptions network;
  std::string loss, optimizer, detail = "full", notation = "chalkgrad", format = "text", data, part = "test", out;
  std::int64_t samples = DeriveOptions().samples, sample = 0;
  TrainingFields fields;
  Command command;
};

using Write = std::string (*)(const Derivation&);
constexpr std::pair<const char*, Write> kFormats[] = {{"text", to_text},        {"check", to_check},
                                                      {"latex", to_latex},      {"html", to_html},
                                                      {"json", chalk::to_json}, {"ipynb", to_notebook}};

Write format_of(const std::string& word) {
  return std::ranges::find(kFormats, word, [](const auto& each) { return each.first; })->second;
}

DerivedNotation notation_of(const std::string& said) {
  if (!said.ends_with(".toml")) return as_usage([&] { return notation(said); }, "--notation: ");
  return notation(read_text(said) + "\n", said);
}

/// The samples' shape is the input's, unless something else says it.
Network network_of(const Options& o) {
  if (o.network.net.empty() || !o.network.input.empty() || o.data.empty()) return make_network(o.network);
  const auto data = load_stored(o.data, {});
  return make_network(o.network, (data.train.size() > 0 ? data.train : data.test).sample);
}

int derive(const Options& o) {
  const auto network = network_of(o);
  TrainOptions train;
  train.loss = o.loss.empty() ? natural_loss(network) : *find_loss(o.loss);
  if (!o.optimizer.empty()) train.optimizer = Optimizer::named(o.optimizer);
  o.fields.apply(train);
  DeriveOptions options;
  if (!o.optimizer.empty()) options.optimizer = train.optimizer;
  options.brief = o.detail == "brief";
  options.samples = o.samples;
  options.notation = notation_of(o.notation);
  Dataset data;
  if (!o.data.empty() || o.command.given("--sample")) {
    data = load_part(o.data, network, o.part);
    options.data = &data;
    options.sample = static_cast<std::size_t>(o.sample);
  } else if (o.command.given("--part")) {
    throw UsageError("--part goes with --data or --sample; add one of them");
  }
  const auto derivation = chalk::derive(network, train.loss, options);
  const auto text = format_of(o.format)(derivation);
  if (o.out.empty()) {
    fmt::print("{}", text);
  } else {
    write_file_atomically(o.out, std::string_view(text));
    fmt::print("{}: {} equations, all verified\n", o.out, derivation.equations);
  }
  return kOk;
}

}  // namespace

void add_derive(CommandLine& line) {
  auto options = std::make_shared<Options>();
  auto& command = options->command =
      line.command("derive", "Derive the gradients of a network, step by step", options, derive);
  add_network(command, options->network, ModelFile::allowed);
  std::vector<std::string> losses;
  for (const auto& loss : all_losses()) losses.emplace_back(name_of(loss));
  command.word("--loss", options->loss, losses,
               "What is minimised or maximised; else what the network was trained with, or its file names", "LOSS");
  options->fields.add_losses_to(command);
  const auto optimizers = Optimizer::names();
  command.word("--optimizer", options->optimizer, {optimizers.begin(), optimizers.end()},
               "Whose update of a parameter is written, too", "NAME");
  options->fields.add_optimizers_to(command);
  command.text("--data", options->data, "Writes numbers beside the equations: of a sample of " + data_source_forms(),
               "SOURCE");
  command
      .whole("--sample", options->sample, {.least = 0},
             "Which sample, from 0; of a model, of the data it was trained on")
      .shows_default();
  command.word("--part", options->part, {"test", "train"}, "Of which part of the data", "PART").shows_default();
  std::string names;
  for (const auto& each : notations()) names += (names.empty() ? "" : ", ") + each;
  command
      .text("--notation", options->notation,
            "Whose letters (z, a, L are nielsen's z, a, C): " + names + ", or those of a file NAME.toml", "NAME")
      .shows_default();
  command
      .word("--detail", options->detail, {"full", "brief"},
            "brief: of each chain the first and the last formula; what is like one before is referred to it", "DETAIL")
      .shows_default();
  command.whole(
      "--samples", options->samples, {2, 16},
      "Of a batch, where samples depend on each other (batch normalisation) or stand in rows (notation 002): 3, "
      "and 2 of a large network");
  std::vector<std::string> formats;
  for (const auto& [name, write] : kFormats) formats.emplace_back(name);
  command
      .word("--format", options->format, formats,
            "text; check: what chalkgrad check reads; latex and html: a document; json: its steps as data; ipynb: a "
            "notebook",
            "FORMAT")
      .shows_default();
  command.output("--out", options->out, "A file to write it to, in place of the screen");
}

}  // namespace chalk::app
