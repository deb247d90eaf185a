#include "apps/chalkgrad/folds.h"

#include <fmt/core.h>

#include <filesystem>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "apps/chalkgrad/outcomes.h"
#include "apps/chalkgrad/run_events.h"
#include "src/base/fields.h"
#include "src/base/file.h"
#include "src/base/file_claim.h"

namespace chalk::app {
namespace {

/// m.safetensors → m.fold2.safetensors; nothing if there is no file.
std::string file_of(const std::string& out, const Fold& fold) {
  if (out.empty()) return {};
  const std::filesystem::path path(out);
  const auto name = fmt::format("{}.fold{}{}", path.stem().string(), fold.number, path.extension().string());
  return (path.parent_path() / name).string();
}

/// All that decides the run, by name.
std::map<std::string, std::string> texts(TrainOptions options) {
  std::map<std::string, std::string> all{{"loss", std::string(name_of(options.loss))}};
  for (auto& [name, text] : texts_of([&](FieldVisitor& v) { options.visit(v); })) all[name] = std::move(text);
  return all;
}

/// A run that is in a file already must be the one that the command line asks for.
void check_same(const Run& asked, const Network& there, const std::string& file) {
  const auto refuse = [&](const std::string& what, const std::string& was, const std::string& now) {
    throw UsageError(
        fmt::format("{}: was trained with {} {}, and {} is asked for; go on with the options that the folds were "
                    "started with, or give another --out",
                    file, what, was.empty() ? "none" : was, now.empty() ? "none" : now));
  };
  if (!there.training) {
    throw InputError(fmt::format("{}: does not say how it was trained; remove it, or give another --out", file));
  }
  const auto of_metadata = [](const Network& network, const char* key) {
    const auto found = network.metadata.find(key);
    return found == network.metadata.end() ? std::string() : found->second;
  };
  for (const char* key : {kFoldKey, kValidationKey, kNormaliseKey}) {
    const auto was = of_metadata(there, key), now = of_metadata(asked.network, key);
    if (was != now) refuse(key, was, now);
  }
  if (there.text() != asked.network.text()) refuse("the network", there.text(), asked.network.text());
  const auto was = texts(there.training->options), now = texts(asked.options);
  for (const auto& [name, value] : now) {
    const auto before = was.find(name);
    if (before == was.end() || before->second != value)
      refuse(with_dashes(name), before == was.end() ? "" : before->second, value);
  }
  if (!asked.data.train.has_digest(there.training->digest)) {
    throw InputError(fmt::format(
        "{}: was trained on other samples than these; go on with the data that the folds were started with", file));
  }
}

/// Of one fold, trained as far as it is not yet.
Outcome trained(const RunOptions& o, const Fold& fold, const FoldsOutput& output, Events there) {
  const Variation variation{.fold = fold};
  auto run = o.from.empty() ? new_run(o, variation) : run_from(o, variation);
  add_validation(run);
  const auto file = file_of(output.out, fold), name = fmt::format("{}/{}", fold.number, fold.of);
  run.options.checkpoint = file;
  run.options.checkpoint_every = output.checkpoint_every;
  std::optional<FileClaim> claim;  // or what another run saves there from now on would be lost
  if (!output.resume.empty() && std::filesystem::exists(file)) {
    claim.emplace(file);
    auto network = Network::load(file);
    check_same(run, network, file);
    run.network = std::move(network);
    if (run.network.training->diverged) {
      throw InputError(fmt::format("{}: its training diverged; remove it, and train with a smaller --lr", file));
    }
    if (!run.network.training->unfinished()) return outcome_of(run, name);
  }
  RunEvents events(output.tensorboard.empty() ? "" : fmt::format("{}/fold-{}", output.tensorboard, fold.number), there,
                   run);
  events.listen(run);
  claim.reset();  // the run takes one of its own
  const auto result = about_model("fold " + name, [&] { return train_until_signal(run); });
  if (result.stopped) {
    const auto how = file.empty() ? "nothing was kept, for want of --out"
                                  : fmt::format("go on with the same options and --resume {}", shell_word(output.out));
    throw Interrupted(exit_code_of_signal(), fmt::format("stopped in fold {}; {}", name, how));
  }
  return outcome_of(run, name);
}

}  // namespace

int cross_validate(const RunOptions& o, const std::string& folds, const FoldsOutput& output) {
  auto fold = as_usage([&] { return Fold::parse_all(folds); }, "--folds ");
  const bool goes_on = !output.resume.empty();
  const auto there = goes_on ? Events::go_on : o.given("--overwrite") ? Events::replace : Events::refuse;
  for (fold.number = 1; fold.number <= fold.of && !output.out.empty(); ++fold.number) {
    const auto file = file_of(output.out, fold);
    if (there == Events::refuse && std::filesystem::exists(file)) {
      throw UsageError(
          fmt::format("--out: {} is there already; go on with these folds by --resume {}, give another --out, or add "
                      "--overwrite to replace them",
                      file, shell_word(output.out)));
    }
    check_writable(file);
  }
  Comparison comparison("fold", "folds", output.json, output.quiet);
  for (fold.number = 1; fold.number <= fold.of; ++fold.number) {
    auto one = trained(o, fold, output, there);
    Json line{{"fold", fold.number}};
    if (const auto file = file_of(output.out, fold); !file.empty()) line["model"] = file;
    comparison.add(std::move(line), std::move(one));
  }
  comparison.finish();
  return kOk;
}

}  // namespace chalk::app
