// chalkgrad export: a network, or a step of its training, as ONNX.
#include <fmt/core.h>

#include <charconv>

#include "apps/chalkgrad/commands.h"
#include "apps/chalkgrad/common.h"
#include "apps/chalkgrad/training_fields.h"
#include "src/base/wording.h"

namespace chalk::app {
namespace {

/// What a step does not have, or its caller decides.
const std::vector<std::string_view> kNotInStep{"epochs",  "batch", "schedule", "augment",     "lookahead",
                                               "average", "seed",  "patience", "by_accuracy", "keep_last"};

struct Options {
  Command command;
  NetworkOptions network;
  TrainingFields fields;
  std::string out, loss, batch = "dynamic";
  OnnxOptions onnx;
  bool training = false;
};

/// How the step trains: as the model was trained, but for what the command line says.
TrainOptions step_options(const Options& o, const Network& network) {
  TrainOptions options;
  if (network.training) options = network.training->options;
  options.lookahead = {};
  options.average = {};
  options.loss = natural_loss(network);
  if (!o.loss.empty() && options.loss != find_loss(o.loss)->kind()) options.loss = *find_loss(o.loss);
  o.fields.apply(options);
  return options;
}

std::int64_t samples_of(const std::string& text) {
  if (text == "dynamic") return 0;
  std::int64_t number = 0;
  const auto* end = text.data() + text.size();
  if (const auto [at, error] = std::from_chars(text.data(), end, number);
      error == std::errc() && at == end && number > 0)
    return number;
  throw UsageError(fmt::format("--batch {} must be a whole number of at least 1, or dynamic", text));
}

int export_model(const Options& o) {
  auto onnx = o.onnx;
  onnx.batch = samples_of(o.batch);
  const auto network = make_network(o.network);
  if (!o.training) {
    if (o.fields.any() || !o.loss.empty())
      throw UsageError("a prediction has no loss and no optimizer; add --training for a step");
    export_onnx(network, o.out, onnx);
    fmt::print("{}: x {} → y {}, opset {}\n", o.out, to_string(network.input_shape()),
               to_string(network.output_shape()), onnx.opset);
    return kOk;
  }
  if (onnx.fold)
    throw UsageError("--fold-bn is for predictions: a step trains what it would fold; leave one of them out");
  const auto options = step_options(o, network);
  export_onnx_step(network, o.out, options, onnx);
  fmt::print("{}: a step of {} on {}, opset {}\n", o.out, options.optimizer.name(), name_of(options.loss), onnx.opset);
  return kOk;
}

}  // namespace

void add_export(CommandLine& line) {
  auto options = std::make_shared<Options>();
  auto& o = *options;
  auto& command = o.command =
      line.command("export", "Write a network, or a step of its training, as ONNX", options, export_model);
  add_network(command, o.network, ModelFile::allowed);
  command.output("--out", o.out, "Where it goes (.onnx)").required();
  command.whole("--opset", o.onnx.opset, {.least = 17, .most = 22}, "Version of the standard's operators")
      .shows_default();
  command.text("--batch", o.batch, "Samples in a run: a number, or dynamic", "N").shows_default();
  command.flag("--fold-bn", o.onnx.fold, "Make batch normalisation part of the weights before it");
  command.flag("--bytes", o.onnx.bytes,
               "The input is bytes, 0 to 255, which the file scales as the network wants them");
  command.flag("--open", o.onnx.open, "Parameters can be given to a run, too; otherwise it uses those in the file");
  command.flag("--training", o.training, "Write a step of training, which any engine runs: loss, gradients and update");
  std::vector<std::string> losses;
  for (const Loss& loss : all_losses()) losses.emplace_back(name_of(loss));
  command.word("--loss", o.loss, losses,
               "Of a step, what is minimised or maximised; without it, the model's: " + alternatives(losses), "LOSS");
  o.fields.add_to(command, TrainOptions(), kNotInStep);
  o.fields.add_losses_to(command);
}

}  // namespace chalk::app
