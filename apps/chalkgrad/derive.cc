// chalkgrad derive: the derivation of a network, every equation verified.
#include "chalkgrad/derive.h"

#include <fmt/core.h>

#include "apps/chalkgrad/commands.h"
#include "apps/chalkgrad/common.h"

namespace chalk::app {
namespace {

struct Options {
  NetworkOptions network;
  std::string loss = "cross-entropy", format = "text";
};

int derive(const Options& o) {
  const auto network = make_network(o.network);
  const auto loss = find_loss(o.loss);
  const auto derivation = chalk::derive(network, *loss);
  fmt::print("{}", o.format == "check" ? to_check(derivation) : to_text(derivation));
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
  command.word("--format", options->format, {"text", "check"}, "text, or check: what chalkgrad check reads", "FORMAT")
      .shows_default();
}

}  // namespace chalk::app
