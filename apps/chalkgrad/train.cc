// chalkgrad train: learns, shows how it goes, and keeps the result.
#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cmath>
#include <csignal>

#include "apps/chalkgrad/commands.h"
#include "apps/chalkgrad/common.h"
#include "apps/chalkgrad/json.h"
#include "apps/chalkgrad/progress.h"
#include "apps/chalkgrad/train_log.h"
#include "apps/chalkgrad/training_fields.h"
#include "src/base/threads.h"
#include "src/base/wording.h"

namespace chalk::app {
namespace {

constexpr const char* kDigitsNet =
    "16c3z-relu-mp2-32c3z-relu-mp2-64n-relu-";  // and a dense layer with an output a class

struct Options {
  std::string data = "digits", validation, config, net, from, loss = "cross-entropy", maximise;
  TrainOptions train;  // what is decided without a configuration or an option
  TrainingFields fields;
  std::string out, resume, log, print_after;
  std::int64_t checkpoint_every = 0;
  bool quiet = false, json = false;
  Command command;

  bool given(const char* flag) const { return command.given(flag); }
  /// What is minimised or maximised by the command line.
  Loss objective() const { return *find_loss(maximise.empty() ? loss : maximise); }
  const char* objective_flag() const { return maximise.empty() ? "--loss" : "--maximise"; }
  bool objective_given() const { return given("--loss") || given("--maximise"); }
};

std::atomic<int> signals{0};

extern "C" void on_signal(int signal) {
  signals.store(signal);
  request_stop();
  std::signal(signal, SIG_DFL);  // the second one ends it at once
}

/// A run: what is trained, on what, and how.
struct Run {
  Network network;
  Split data;
  TrainOptions options;
  Dataset held_out{};  // of the training samples
};

constexpr const char* kValidationKey = "validation";  // what --validation says, in a model's metadata

std::string validation_of(const Network& network) {
  const auto found = network.metadata.find(kValidationKey);
  return found == network.metadata.end() ? std::string() : found->second;
}

/// A share of the training samples; 0 if that is not what the text says.
double share_to_hold_out(const std::string& text) {
  double share = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), share);
  return error == std::errc() && end == text.data() + text.size() && share > 0 && share < 1 ? share : 0;
}

void check_validation_text(const std::string& text) {
  if (text != "test" && share_to_hold_out(text) == 0) {
    throw UsageError(fmt::format(
        "--validation is {}; it must be test, or a number above 0 and below 1: a share of the training samples",
        in_quotes(text)));
  }
}

/// Gives the run its validation data, if its model's metadata say some.
void add_validation(Run& run) {
  const auto text = validation_of(run.network);
  if (text.empty()) return;
  check_validation_text(text);
  if (text == "test") {
    if (run.data.test.size() == 0)
      throw InputError(
          "--validation test: the data have no test samples; hold some of the others out: --validation 0.1");
    return;
  }
  auto split = hold_out(std::move(run.data.train), share_to_hold_out(text));
  run.data.train = std::move(split.train);
  run.held_out = std::move(split.test);
}

/// Of a run that stays where it is.
const Dataset* validation_data(const Run& run) {
  const auto text = validation_of(run.network);
  return text.empty() ? nullptr : text == "test" ? &run.data.test : &run.held_out;
}

/// How many classes the data have. If only labels say so, beyond ten, one that is far above the others is a mistake.
std::int64_t count_classes(const Dataset& data) {
  std::vector<bool> has_samples(data.class_names.size());
  for (const auto label : data.labels) has_samples[static_cast<std::size_t>(label)] = true;
  const auto classes = std::ssize(has_samples), usual = std::min<std::ptrdiff_t>(10, classes);
  const auto none = std::find(has_samples.begin() + usual, has_samples.end(), false) - has_samples.begin();
  if (none == classes) return classes;
  const auto highest = std::ranges::find(data.labels, classes - 1) - data.labels.begin();
  throw InputError(fmt::format(
      "{}: sample {} has label {}, but no sample has label {}; correct it, or give a network with an output "
      "for each class: --net {}{}n",
      data.name, count(highest), classes - 1, none, kDigitsNet, classes));
}

std::string default_net(const Dataset& data) {
  const auto outputs = data.labels.empty() ? elements(data.target) : count_classes(data);
  return data.sample.size() == 3 ? fmt::format("{}{}n", kDigitsNet, outputs) : fmt::format("64n-relu-{}n", outputs);
}

/// Options of the table [train] may contradict each other.
void check_optimizer(const TrainOptions& options, const std::string& config) {
  try {
    options.optimizer.check();
  } catch (const InputError& e) {
    throw InputError(fmt::format("{}: {}", config, e.what()));
  }
}

Run new_run(const Options& o) {
  const bool configured = !o.config.empty();
  const auto text = configured ? read_text(o.config) : std::string();
  if (configured && !is_toml(text))
    throw InputError(fmt::format("{}: is no configuration; it needs network = \"…\" or [[layer]]", o.config));
  TrainOptions options = o.train;
  const auto config = read_train_config(text, o.config, options);
  o.fields.apply(options);
  if (o.objective_given()) options.loss = o.objective();
  if (configured) check_optimizer(options, o.config);
  const auto& spec = o.given("--data") ? o.data : config.data.value_or(o.data);
  auto data = load_dataset(spec, Parts::training_at_least);
  const auto& sample = data.train.sample;
  auto network = configured ? chalk::network(text, sample, options.seed, o.config)
                            : make_network(o.given("--net") ? o.net : default_net(data.train), sample, options.seed);
  network.metadata["data"] = spec;
  const auto validation = o.given("--validation") ? o.validation : config.validation.value_or("");
  if (!validation.empty()) network.metadata[kValidationKey] = validation;
  return {std::move(network), std::move(data), options};
}

/// The samples as the network knows them, wherever they come from.
Split data_for(Network& network, const Options& o) {
  if (o.given("--data")) network.metadata["data"] = o.data;
  auto data = load_data("", network, Parts::training_at_least);
  for (auto* part : {&data.train, &data.test}) encode_as_trained(network, *part);
  return data;
}

/// A new run from a model's weights. The loss is the model's, the data too unless others are given, and all else is as
/// in any new run.
Run run_from(const Options& o) {
  auto network = Network::load(o.from);
  TrainOptions options = o.train;
  o.fields.apply(options);
  options.loss = o.objective_given() ? o.objective() : natural_loss(network);
  network.training.reset();
  network.metadata.erase(kValidationKey);
  if (o.given("--validation")) network.metadata[kValidationKey] = o.validation;
  auto data = data_for(network, o);
  return {std::move(network), std::move(data), std::move(options)};
}

/// Gives a run more epochs, if more were asked for, and if its steps so far would have been the same.
void extend(TrainOptions& options, TrainingRecord& record, const Options& o) {
  TrainOptions asked = options;
  o.fields.apply(asked);
  if (asked.epochs <= options.epochs || record.diverged) return;
  if (!options.schedule.open_ended(options.epochs)) {
    throw UsageError(fmt::format(
        "--epochs {} is more than the {} of {}, whose schedule {} depends on them: with more, its steps so far would "
        "have been others; leave it out, or train on from its weights: chalkgrad train --from {} --epochs {}",
        asked.epochs, options.epochs, o.resume, options.schedule.text(), shell_word(o.resume),
        asked.epochs - options.epochs));
  }
  if (record.finished() && record.best.epoch >= 0 && !options.keep_last) {
    throw UsageError(fmt::format(
        "--epochs {} is more than the {} of {}, which has the weights of its best epoch, {}, and no longer "
        "those of its last; leave it out, or train on from its weights: chalkgrad train --from {} --epochs {}",
        asked.epochs, options.epochs, o.resume, record.best.epoch + 1, shell_word(o.resume),
        asked.epochs - options.epochs));
  }
  options.epochs = record.options.epochs = asked.epochs;
}

void check_unfinished(const TrainingRecord& record, const std::string& file) {
  const auto from = fmt::format("begin a new run from its weights by --from {}", shell_word(file));
  const auto epochs = record.options.epochs;
  if (record.diverged)
    throw InputError(fmt::format("{}: its training diverged after step {}; {}, with a smaller --lr", file,
                                 count(record.step), from));
  if (record.stopped_early()) {
    throw InputError(fmt::format("{}: its training stopped early, after epoch {} of {}; there is nothing to resume; {}",
                                 file, record.step / record.steps_per_epoch(), epochs, from));
  }
  if (record.finished()) {
    const bool more = record.options.schedule.open_ended(epochs) && (record.best.epoch < 0 || record.options.keep_last);
    throw InputError(fmt::format("{}: its training of {} epochs is finished; there is nothing to resume; {}{}", file,
                                 epochs, more ? fmt::format("add --epochs with more than {}, or ", epochs) : "", from));
  }
}

/// Goes on with a checkpoint. What it was started with holds; an option that says something else is a mistake.
Run resumed_run(const Options& o) {
  auto network = Network::load(o.resume);
  TrainOptions options = checkpoint_options(network);
  extend(options, *network.training, o);
  const auto agree = [&](const char* flag, std::string_view now, std::string_view began, bool same) {
    if (o.given(flag) && !same) throw differs(flag, now, began, o.resume);
  };
  agree("--net", o.net, is_toml(network.text()) ? "the network" : network.text(),
        !o.given("--net") ||
            make_network(o.net, network.input_shape(), options.seed).graph().print() == network.graph().print());
  agree(o.objective_flag(), name_of(o.objective()), name_of(options.loss), o.objective() == options.loss);
  const auto began = validation_of(network);
  agree("--validation", o.validation, began.empty() ? "none" : began, o.validation == began);
  o.fields.check_agreement(options, o.resume);
  options.threads = o.train.threads;
  check_unfinished(*network.training, o.resume);
  auto data = data_for(network, o);  // whether they are those of the run, their digest tells
  return {std::move(network), std::move(data), std::move(options)};
}

std::vector<std::string> names_of_losses(bool likelihoods) {
  std::vector<std::string> names;
  for (const Loss loss : all_losses()) {
    if (maximised(loss) == likelihoods) names.emplace_back(name_of(loss));
  }
  return names;
}

std::string objective_text(Loss loss) {
  return fmt::format("{} {}", maximised(loss) ? "ascent on" : "descent on", name_of(loss));
}

void introduce(const Run& run, const Options& o) {
  const auto& train = run.data.train;
  const auto tests = static_cast<std::int64_t>(run.data.test.size());
  const auto held_out = static_cast<std::int64_t>(run.held_out.size());
  fmt::print("data     {}: {} samples to train, {}{} to test, {}", run.network.metadata.at("data"),
             count(static_cast<std::int64_t>(train.size())),
             held_out > 0 ? fmt::format("{} to validate, ", count(held_out)) : "", tests > 0 ? count(tests) : "none",
             to_string(train.sample));
  fmt::print("{}\n", train.class_names.empty() ? "" : fmt::format(", {} classes", train.class_names.size()));
  const auto price = cost(run.network.graph());
  const auto& text = run.network.text();
  fmt::print("network  {}: {} parameters, {} multiply-adds\n",
             !is_toml(text)     ? text
             : o.config.empty() ? "from TOML"
                                : o.config,
             count(price.parameters), count(price.forward));
  const int threads = run.options.threads > 0 ? run.options.threads : available_threads();
  const auto& optimizer = run.options.optimizer;
  fmt::print("running  {}batch {}, {}lr {}, {}, seed {}, {} thread{}, {}\n\n",
             run.options.loss == Loss::cross_entropy ? "" : objective_text(run.options.loss) + ", ", run.options.batch,
             optimizer.name() == Optimizer().name() ? "" : fmt::format("{}, ", optimizer.name()), optimizer.lr(),
             run.options.schedule.text(), run.options.seed, threads, threads == 1 ? "" : "s", instruction_set());
  std::fflush(stdout);
}

Json start_line(const Run& run, const Options& o) {
  Json line{{"start", run.network.text()}, {"data", run.network.metadata.at("data")}, {"resume", o.resume}};
  if (!o.from.empty()) line["from"] = o.from;
  if (const auto validation = validation_of(run.network); !validation.empty()) line["validation"] = validation;
  line.merge(to_json(run.options));
  return line;
}

/// How good the network is on the test samples. Nothing is known if there are none; only labels have an accuracy.
struct Tested {
  std::optional<double> loss{}, accuracy{};
  std::int64_t samples = 0;
};

Tested test(Run& run) {
  if (run.data.test.size() == 0) return {};
  const auto found = evaluate(run.network, run.data.test, run.options.threads);
  return {found.loss, found.classes.empty() ? std::nullopt : std::optional(found.accuracy), found.samples};
}

/// What the validation data say of the run in the end; nothing without them.
void add_best(Json& json, const Run& run, const TrainResult& result) {
  const auto& best = run.network.training->best;
  if (best.epoch < 0) return;
  json["best_epoch"] = best.epoch + 1;
  json["validation_loss"] = best.loss;
  if (!run.data.train.labels.empty()) json["validation_accuracy"] = best.accuracy;
  json["stopped_early"] = result.stopped_early;
}

std::string best_text(const Run& run, const TrainResult& result) {
  const auto& best = run.network.training->best;
  return fmt::format("{}best epoch {} of {}: validation loss {:.6g}{}{}\n",
                     result.stopped_early ? "stopped early; " : "", best.epoch + 1, result.last.epoch + 1, best.loss,
                     run.data.train.labels.empty() ? "" : fmt::format(", accuracy {}", percent(best.accuracy)),
                     run.options.keep_last ? "; the last one's weights are kept" : "");
}

bool has_classes(const Run& run) { return !run.data.train.labels.empty(); }

void finish(Run& run, const Options& o, const TrainResult& trained) {
  const auto& last = trained.last;
  const auto result = test(run);
  const auto sha = run.network.weights_sha256();
  if (o.json) {
    Json json{{maximised(run.options.loss) ? "maximise" : "loss", name_of(run.options.loss)},
              {"steps", last.steps},
              {"train_loss", last.mean_loss},
              {"seconds", last.seconds},
              {"test_loss", result.loss}};
    if (has_classes(run)) json["test_accuracy"] = result.accuracy;
    add_best(json, run, trained);
    if (!o.out.empty()) json["model"] = o.out;
    json["weights_sha256"] = sha;
    return print_json(json);
  }
  if (!o.quiet) fmt::print("\n");
  if (run.options.validation) fmt::print("{}", best_text(run, trained));
  if (!result.loss) {
    fmt::print("not tested: the data have no test samples\n");
  } else if (result.accuracy) {
    const auto right = static_cast<std::int64_t>(std::llround(*result.accuracy * static_cast<double>(result.samples)));
    fmt::print("test accuracy {} ({} of {})\n", percent(*result.accuracy), count(right), count(result.samples));
  } else {
    fmt::print("test loss {:.6g}\n", *result.loss);
  }
  if (!o.out.empty()) fmt::print("model {}\n", o.out);
  fmt::print("weights sha256 {}\n", sha);
}

/// Where the network comes from is said once.
void check_origin(const Options& o) {
  const auto& file = o.config;
  if (file.ends_with(".safetensors")) {
    throw UsageError(
        fmt::format("{} is a model, no configuration; to train it further, write --from {}; to go on with "
                    "a run, --resume {}",
                    in_quotes(file), shell_word(file), shell_word(file)));
  }
  if (!file.empty() && !file.ends_with(".toml")) {
    throw UsageError(fmt::format("{} is no configuration; give a FILE.toml, or a network as --net {}", in_quotes(file),
                                 shell_word(file)));
  }
  const auto refuse_both = [&](const std::string& one, const char* other, const char* advice) {
    if (!one.empty() && o.given(other)) throw UsageError(fmt::format("{} and {} were given; {}", one, other, advice));
  };
  const std::string from = o.given("--from") ? "--from" : "";
  refuse_both(file, "--net", "give one of them");
  refuse_both(file, "--resume", "leave out the first: a checkpoint knows its configuration");
  refuse_both(file, "--from", "give one of them");
  refuse_both(from, "--net", "give one of them");
  refuse_both(from, "--resume", "the one begins a new run, the other goes on with one; give one of them");
}

/// What can be done with a model that is where --out would go, before the other advice.
std::string advice_on(const std::string& file) {
  try {
    const auto network = Network::load(file);
    const auto word = shell_word(file);
    return network.training && network.training->unfinished()
               ? fmt::format("go on with it by --resume {} --out {}, ", word, word)
               : fmt::format("train it further by --from {} and another --out, ", word);
  } catch (const Error&) {
    return {};
  }
}

int train_command(const Options& o) {
  check_origin(o);
  if (o.checkpoint_every > 0 && o.out.empty())
    throw UsageError("--checkpoint-every needs a file to write; add --out FILE");
  if (o.given("--validation")) check_validation_text(o.validation);
  TrainLog log(o.log);
  auto run = !o.resume.empty() ? resumed_run(o) : !o.from.empty() ? run_from(o) : new_run(o);
  add_validation(run);
  auto& options = run.options;
  options.validation = validation_data(run);
  options.checkpoint = o.out;
  options.checkpoint_every = o.checkpoint_every;
  if (!o.print_after.empty()) {
    options.compile.print_after = {o.print_after};
    options.compile.print = [](std::string_view pass, const std::string& graph) {
      fmt::print(stderr, "after {}:\n{}\n", pass, graph);
    };
  }
  const bool quiet = o.quiet || o.json;
  if (!quiet) introduce(run, o);
  TrainingDisplay display(options.epochs, quiet, maximised(options.loss) ? "objective" : "loss",
                          options.validation != nullptr);
  bool started = false;
  options.on_step = [&](const Progress& now) {
    display.step(now);
    if (!log.wanted()) return;  // making the line takes longer than a step of a small network
    if (!started) log.line(start_line(run, o));
    started = true;
    log.line({{"step", now.step}, {"epoch", now.epoch + 1}, {"loss", now.loss}, {"lr", now.lr}});
  };
  options.on_epoch = [&](const Progress& now) {
    // Whoever chooses by validation looks at the test samples once, in the end.
    const auto seen = options.validation ? Tested{now.validation_loss, now.validation_accuracy} : test(run);
    const std::string part = options.validation ? "validation" : "test";
    display.epoch(now, seen.accuracy);
    Json line{{"epoch", now.epoch + 1}, {"train_loss", now.mean_loss}, {part + "_loss", seen.loss}};
    if (has_classes(run)) {
      line["train_accuracy"] = now.accuracy;
      line[part + "_accuracy"] = seen.accuracy;
    }
    log.line(line);
  };
  for (const int signal : {SIGINT, SIGTERM}) {
    if (std::signal(signal, on_signal) == SIG_IGN) std::signal(signal, SIG_IGN);  // as nohup and scripts want it
  }
  const auto result = train(run.network, run.data.train, options);
  for (const int signal : {SIGINT, SIGTERM}) {
    if (std::signal(signal, SIG_DFL) == SIG_IGN) std::signal(signal, SIG_IGN);
  }
  if (result.stopped) {
    const auto where = fmt::format("stopped after step {} of {}", count(result.last.step), count(result.last.steps));
    throw Interrupted(128 + signals.load(), o.out.empty()
                                                ? where + "; nothing was kept, for want of --out"
                                                : fmt::format("{}; go on with: chalkgrad train --resume {} --out {}",
                                                              where, shell_word(o.out), shell_word(o.out)));
  }
  finish(run, o, result);
  return kOk;
}

}  // namespace

void add_train(CommandLine& line) {
  auto options = std::make_shared<Options>();
  auto& o = *options;
  o.train.epochs = 12;
  o.train.batch = 32;
  o.train.schedule = OneCycle{};
  auto& command = o.command = line.command(
      "train", "Train a network; with no option at all, on built-in handwritten digits", options, train_command);
  std::vector<std::string> sources;
  for (const auto* source : data_sources())
    sources.push_back(source->form() + (source->hint.empty() ? "" : " ") + std::string(source->hint));
  command.text("FILE", o.config, "A configuration (.toml): a network with a [train] table. Options win over it");
  command.text("--data", o.data, "Data: " + alternatives(sources, ", or ")).shows_default();
  command.text(
      "--validation", o.validation,
      "Judges each epoch: a share of the training samples to hold out, such as 0.1, or test: the test samples. "
      "The weights of the best epoch are kept in the end",
      "SHARE");
  command.text("--net", o.net, "Network: a line such as 20c5-relu-mp2-10n, or FILE.toml", "NET");
  o.fields.add_to(command, o.train);
  const auto losses = names_of_losses(false), likelihoods = names_of_losses(true);
  command.word("--loss", o.loss, losses, "What is minimised: " + alternatives(losses), "LOSS").shows_default();
  command
      .word("--maximise", o.maximise, likelihoods,
            "What is maximised instead, by gradient ascent: " + alternatives(likelihoods), "J")
      .excludes("--loss");
  add_threads(command, o.train.threads);
  command.output("--out", o.out,
                 "Where the model goes (.safetensors); also written after each epoch and when interrupted",
                 {.of = "--resume", .advice = advice_on});
  command.whole("--checkpoint-every", o.checkpoint_every, {.least = 1}, "Write --out every N steps, too");
  command.text("--from", o.from, "Begin a new run with the network and weights of a model", "MODEL");
  command.text("--resume", o.resume, "Go on with an interrupted run, to the same bits as if it had never stopped",
               "FILE");
  command.output("--log", o.log, "Append a line of JSON for each step and epoch", {.beginning = TrainLog::kBeginning});
  command.word("--print-after", o.print_after,
               {"differentiate", "simplify", "fold_scales", "split_variance", "fuse", "plan"},
               "Print what this pass made of the training step to stderr: differentiate, simplify, fold_scales, "
               "split_variance, fuse or plan",
               "PASS");
  command.flag("--quiet", o.quiet, "Print the result only");
  add_json(command, o.json);
  command.footer("Ctrl-C saves --out and stops; again, it stops at once.");
}

}  // namespace chalk::app
