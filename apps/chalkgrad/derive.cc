// chalkgrad derive: the derivation of a network, every equation verified.
#include "chalkgrad/derive.h"

#include <fmt/core.h>

#include <algorithm>

#include "apps/chalkgrad/commands.h"
#include "apps/chalkgrad/common.h"
#include "src/base/file.h"

namespace chalk::app {
namespace {

struct Options {
  NetworkOptions network;
  std::string loss = "cross-entropy", optimizer, detail = "full", notation = DeriveOptions().notation, format = "text",
              out;
  std::int64_t samples = DeriveOptions().samples;
};

using Write = std::string (*)(const Derivation&);
constexpr std::pair<const char*, Write> kFormats[] = {
    {"text", to_text}, {"check", to_check}, {"latex", to_latex}, {"html", to_html}, {"json", to_json}};

Write format_of(const std::string& word) {
  return std::ranges::find(kFormats, word, [](const auto& each) { return each.first; })->second;
}

int derive(const Options& o) {
  const auto network = make_network(o.network);
  const auto loss = find_loss(o.loss);
  DeriveOptions options;
  if (!o.optimizer.empty()) options.optimizer = Optimizer::named(o.optimizer);
  options.brief = o.detail == "brief";
  options.samples = o.samples;
  options.notation = o.notation;
  const auto derivation = chalk::derive(network, *loss, options);
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
  auto command = line.command("derive", "Derive the gradients of a network, step by step", options, derive);
  add_network(command, options->network, ModelFile::allowed);
  std::vector<std::string> losses;
  for (const auto& loss : all_losses()) losses.emplace_back(name_of(loss));
  command.word("--loss", options->loss, losses, "What is minimised or maximised", "LOSS").shows_default();
  command.word("--notation", options->notation, notations(), "Whose letters: z, a, L are nielsen's z, a, C", "NAME")
      .shows_default();
  const auto optimizers = Optimizer::names();
  command.word("--optimizer", options->optimizer, {optimizers.begin(), optimizers.end()},
               "Whose update of a parameter is written, too", "NAME");
  command
      .word("--detail", options->detail, {"full", "brief"},
            "brief: of each chain the first and the last formula; a layer like one before is referred to it", "DETAIL")
      .shows_default();
  command
      .whole("--samples", options->samples, {2, 16},
             "Of a batch, where samples depend on each other (batch normalisation)")
      .shows_default();
  std::vector<std::string> formats;
  for (const auto& [name, write] : kFormats) formats.emplace_back(name);
  command
      .word("--format", options->format, formats,
            "text; check: what chalkgrad check reads; latex and html: a document; json: its steps as data", "FORMAT")
      .shows_default();
  command.output("--out", options->out, "A file to write it to, in place of the screen");
}

}  // namespace chalk::app
