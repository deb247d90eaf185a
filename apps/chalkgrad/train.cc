// chalkgrad train: learns, shows how it goes, and keeps the result.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "apps/chalkgrad/commands.h"
#include "apps/chalkgrad/common.h"
#include "apps/chalkgrad/folds.h"
#include "apps/chalkgrad/json.h"
#include "apps/chalkgrad/progress.h"
#include "apps/chalkgrad/run_events.h"
#include "apps/chalkgrad/seeds.h"
#include "apps/chalkgrad/train_log.h"
#include "apps/chalkgrad/training_run.h"
#include "src/base/file.h"
#include "src/base/file_claim.h"
#include "src/base/threads.h"
#include "src/base/wording.h"

namespace chalk::app {
namespace {

struct Options : RunOptions {
  std::string out, resume, log, tensorboard, print_after, seeds, folds;
  std::int64_t checkpoint_every = 0;
  bool quiet = false, json = false, profile = false;
};

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
  const auto same_network = [&] {
    const auto given = make_network(o.net, network.input_shape(), options.seed);
    return given.graph().print() == network.graph().print() && given.outputs() == network.outputs();
  };
  agree("--net", o.net, is_toml(network.text()) ? "the network" : network.text(), !o.given("--net") || same_network());
  agree(o.objective_flag(), name_of(o.objective()), name_of(options.loss), options.loss == o.objective().kind());
  const auto agree_on = [&](const char* flag, const std::string& now, const std::string& began, auto plain) {
    agree(flag, now, began.empty() ? "none" : began, o.given(flag) && !began.empty() && plain(now) == plain(began));
  };
  agree_on("--validation", o.validation, validation_of(network),
           [](const std::string& text) { return Validation::parse(text).text(); });
  agree_on("--fold", o.fold, fold_of(network), [](const std::string& text) { return Fold::parse(text).text(); });
  o.fields.check_agreement(options, o.resume);
  options.threads = o.train.threads;
  options.compile.memory = o.train.compile.memory;
  check_unfinished(*network.training, o.resume);
  auto data = data_for(network, o);  // whether they are those of the run, their digest tells
  agree_on("--normalise", o.normalise, normalisation_of(network, data.train.has_bytes()),
           [](const std::string& text) { return Normalisation::parse(text).text(); });
  return {std::move(network), std::move(data), std::move(options)};
}

std::string objective_text(const Loss& loss) {
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
  if (const auto fold = fold_of(run.network); !fold.empty()) fmt::print("fold     {}, to test\n", fold);
  if (const auto how = run.network.metadata.find(kNormaliseKey); how != run.network.metadata.end())
    fmt::print("samples  normalised: {}\n", how->second);
  for (const auto& remark : run.data.remarks) fmt::print("         {}\n", remark);
  const auto price = cost(run.network.graph());
  const auto& text = run.network.text();
  fmt::print("network  {}: {} parameters, {} multiply-adds\n",
             !is_toml(text)     ? text
             : o.config.empty() ? "from TOML"
                                : o.config,
             count(price.parameters), count(price.forward));
  if (run.network.outputs().size() > 1) fmt::print("outputs  {}\n", outputs_text(run.network, run.options.loss));
  if (!o.init.empty()) print_taken(run, o.init);
  const int threads = run.options.threads > 0 ? run.options.threads : available_threads();
  const auto& optimizer = run.options.optimizer;
  const auto& augment = run.options.augment;
  if (!augment.empty()) fmt::print("augment  {}\n", augment.text());
  if (augment.of_files())
    fmt::print("         parts are taken from the files, in every epoch anew; no cache keeps them\n");
  fmt::print("running  {}batch {}, {}lr {}, {}, seed {}, {}, {}\n\n",
             run.options.loss == Loss::cross_entropy ? "" : objective_text(run.options.loss) + ", ", run.options.batch,
             optimizer.name() == Optimizer().name() ? "" : fmt::format("{}, ", optimizer.name()), optimizer.lr(),
             run.options.schedule.text(), run.options.seed, counted(static_cast<std::uint64_t>(threads), "thread"),
             instruction_set());
  std::fflush(stdout);
}

Json start_line(const Run& run, const Options& o) {
  Json line{{"start", run.network.text()}, {"data", run.network.metadata.at("data")}, {"resume", o.resume}};
  if (!o.from.empty()) line["from"] = o.from;
  if (!o.init.empty()) line["init"] = o.init;
  for (const char* key : {kValidationKey, kFoldKey, kNormaliseKey}) {
    const auto said = run.network.metadata.find(key);
    if (said != run.network.metadata.end()) line[key] = said->second;
  }
  line.merge(to_json(run.options));
  return line;
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

/// How much of the steps' time was waiting for samples.
double share_waited(const Progress& last) {
  return last.step_seconds > 0 ? last.waited_seconds / last.step_seconds : 0;
}

void print_profile(const Progress& last) {
  fmt::print("steps {:.2f} s, of which waiting for data {:.2f} s ({}); between them {:.2f} s\n", last.step_seconds,
             last.waited_seconds, percent(share_waited(last)), last.seconds - last.step_seconds);
}

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
    for (const auto& output : last.outputs) json["train_loss." + output.name] = output.mean_loss;
    add_best(json, run, trained);
    if (last.replaced > 0) json["replaced"] = last.replaced;
    if (o.profile) json["profile"] = {{"step_seconds", last.step_seconds}, {"waited", share_waited(last)}};
    if (!o.out.empty()) json["model"] = o.out;
    json["weights_sha256"] = sha;
    return print_json(json);
  }
  if (!o.quiet) fmt::print("\n");
  if (o.profile) print_profile(last);
  if (last.replaced > 0) fmt::print("replaced {} that could not be read any more\n", count(last.replaced));
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

/// The options that say where a run is told, for one that goes on.
std::string told_to(const Options& o) {
  std::string text;
  if (!o.log.empty()) text += " --log " + shell_word(o.log);
  if (!o.tensorboard.empty()) text += " --tensorboard " + shell_word(o.tensorboard);
  if (const auto memory = o.train.compile.memory; memory > 0) text += fmt::format(" --step-memory {}", memory);
  return text + storage_text();
}

Json log_line(Json line, const std::vector<Measure>& measures) {
  for (const auto& measure : measures) line[measure.name] = measure.value;
  return line;
}

int compare_seeds(const Options& o) {
  const auto refuse = [&](const std::string& option, const std::string& why) {
    if (o.given(option.c_str()))
      throw UsageError(fmt::format("--seeds and {} were given; leave one of them out: {}", option, why));
  };
  for (const auto* file : {"--out", "--log"}) refuse(file, "several runs do not go into one file");
  refuse("--checkpoint-every", "of runs that are compared no model is kept");
  refuse("--print-after", "the graph of each run would be the same; print that of one, with its --seed");
  refuse("--resume", "runs that are compared begin anew");
  refuse("--seed", "each run has its own");
  return compare_seeds(o, parse_seeds(o.seeds), o.tensorboard, {.quiet = o.quiet, .json = o.json});
}

/// What --folds says or, without --fold, a configuration; empty: nothing.
std::string folds_of(const Options& o) {
  if (!o.folds.empty() || !o.fold.empty() || o.config.empty()) return o.folds;
  TrainOptions of_no_interest;
  return read_train_config(read_text(o.config), o.config, of_no_interest).folds.value_or("");
}

int cross_validate(const Options& o, const std::string& folds) {
  const auto refuse = [&](const std::string& option, const std::string& why) {
    if (!o.given(option.c_str())) return;
    throw UsageError(fmt::format("{} and {} were given; leave one of them out: {}",
                                 o.folds.empty() ? "folds in " + o.config : "--folds", option, why));
  };
  refuse("--fold", "the one trains all folds, the other one of them");
  refuse("--seeds", "compare seeds on one --fold");
  refuse("--log", "several runs do not go into one file");
  refuse("--print-after", "the graph of each run would be the same; print that of one, with --fold");
  if (!o.resume.empty() && !o.out.empty() && o.resume != o.out)
    throw UsageError("--folds: --resume and --out name different files; give --resume what --out was");
  return cross_validate(o, folds,
                        {.out = o.out.empty() ? o.resume : o.out,
                         .resume = o.resume,
                         .tensorboard = o.tensorboard,
                         .checkpoint_every = o.checkpoint_every,
                         .quiet = o.quiet,
                         .json = o.json});
}

int train_command(const Options& o) {
  check_origin(o);
  check_data_texts(o);
  const auto folds = folds_of(o);
  if (o.checkpoint_every > 0 && o.out.empty() && o.seeds.empty() && (folds.empty() || o.resume.empty()))
    throw UsageError("--checkpoint-every needs a file to write; add --out FILE");
  if (!folds.empty()) return cross_validate(o, folds);
  if (!o.resume.empty() && !o.config.empty())
    throw UsageError(
        fmt::format("{} and --resume were given; leave out the first: a checkpoint knows its configuration", o.config));
  if (!o.resume.empty() && !o.init.empty())
    throw UsageError("--init and --resume were given; leave out the first: a run that goes on has its weights");
  if (!o.resume.empty() && !o.from.empty())
    throw UsageError(
        "--from and --resume were given; the one begins a new run, the other goes on with one; give one of them");
  if (!o.seeds.empty()) return compare_seeds(o);
  const auto there = !o.resume.empty() ? Events::go_on : o.given("--overwrite") ? Events::replace : Events::refuse;
  if (!o.tensorboard.empty()) check_events_folder(o.tensorboard, there);
  TrainLog log(o.log);
  std::optional<FileClaim> claim;  // or what another run saves there from now on would be lost
  if (!o.resume.empty() && !o.out.empty() && same_file(o.resume, o.out)) claim.emplace(o.out);
  auto run = !o.resume.empty() ? resumed_run(o) : !o.from.empty() ? run_from(o) : new_run(o);
  add_validation(run);
  auto& options = run.options;
  options.checkpoint = o.out;
  options.checkpoint_every = o.checkpoint_every;
  options.skip_bad = run.network.metadata.contains(kSkipBadKey);
  options.on_replaced = [](const std::string& why) { print_error("the next sample takes the place of one: " + why); };
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
  RunEvents events(o.tensorboard, there, run);
  bool started = false;
  options.on_step = [&](const Progress& now) {
    display.step(now);
    events.step(now);
    if (!log.wanted()) return;  // making the line takes longer than a step of a small network
    if (!started) log.line(start_line(run, o));
    started = true;
    log.line(log_line({{"step", now.step}, {"epoch", now.epoch + 1}}, step_measures(now, options)));
  };
  options.on_epoch = [&](const Progress& now) {
    if (quiet && !log.wanted() && !events.wanted()) return;  // then nobody sees what testing costs
    const auto by = judged(run, now);
    display.epoch(now, by.accuracy);
    log.line(log_line({{"epoch", now.epoch + 1}}, epoch_measures(now, has_classes(run), by)));
    events.epoch(now, by);
  };
  claim.reset();  // the run takes one of its own
  const auto result = train_until_signal(run);
  if (result.stopped) {
    const auto where = fmt::format("stopped after step {} of {}", count(result.last.step), count(result.last.steps));
    throw Interrupted(exit_code_of_signal(),
                      o.out.empty() ? where + "; nothing was kept, for want of --out"
                                    : fmt::format("{}; go on with: chalkgrad train --resume {} --out {}{}", where,
                                                  shell_word(o.out), shell_word(o.out), told_to(o)));
  }
  finish(run, o, result);
  return kOk;
}

}  // namespace

void add_train(CommandLine& line) {
  auto options = std::make_shared<Options>();
  auto& o = *options;
  auto& command = o.command = line.command(
      "train", "Train a network; with no option at all, on built-in handwritten digits", options, train_command);
  add_run(o);
  command.text(
      "--validation", o.validation,
      "Judges each epoch: a share of the training samples to hold out, such as 0.1 or 0.1,stratified,seed=3; "
      "samples:FILE, a list of them; test, the test samples; val, a folder's part of that name; or other data, "
      "such as folder:FOLDER. "
      "The weights of the best epoch are kept in the end",
      "SHARE");
  command.text("--folds", o.folds,
               "Cross-validation: train on all training samples but one of K folds, K times, and test on that; with "
               "--out m.safetensors, models go to m.fold1.safetensors and so on. K,seed=N deals others",
               "K");
  command.text("--fold", o.fold, "Train on all training samples but those of fold I of K, and test on these", "I/K");
  command.output("--out", o.out,
                 "Where the model goes (.safetensors); also written after each epoch and when interrupted",
                 {.of = "--resume", .advice = advice_on});
  command.whole("--checkpoint-every", o.checkpoint_every, {.least = 1}, "Write --out every N steps, too");
  command.text("--resume", o.resume, "Go on with an interrupted run, to the same bits as if it had never stopped",
               "FILE");
  command.output("--log", o.log, "Append a line of JSON for each step and epoch", {.beginning = TrainLog::kBeginning});
  command.text("--tensorboard", o.tensorboard,
               "Write what TensorBoard shows to this folder: losses, rates, weights, a picture of the first filters",
               "DIR");
  command.word("--print-after", o.print_after,
               {"differentiate", "simplify", "fold_scales", "split_variance", "fuse", "plan"},
               "Print what this pass made of the training step to stderr: differentiate, simplify, fold_scales, "
               "split_variance, fuse or plan",
               "PASS");
  command.text("--seeds", o.seeds,
               "Train once for each of these seeds, such as 1..5 or 1,4,9, and compare: mean and deviation", "SEEDS");
  command.flag("--profile", o.profile, "Also print how long steps took, and how long they waited for data");
  command.flag("--quiet", o.quiet, "Print the result only");
  add_json(command, o.json);
  command.footer(
      "docs/reference has a page for each layer, loss, optimizer and schedule: its formula, its options, their "
      "ranges.\n\n"
      "Ctrl-C saves --out and stops; again, it stops at once.");
}

}  // namespace chalk::app
