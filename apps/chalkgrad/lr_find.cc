// chalkgrad lr-find: which learning rates a network can be trained with.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "apps/chalkgrad/commands.h"
#include "apps/chalkgrad/common.h"
#include "apps/chalkgrad/json.h"
#include "apps/chalkgrad/table.h"
#include "apps/chalkgrad/training_run.h"
#include "src/base/fields.h"

namespace chalk::app {
namespace {

struct Options : RunOptions {
  LrFindOptions find;
  bool json = false;
};

std::string rate(double lr) { return fmt::format("{:.2g}", lr); }

/// The smooth loss over the logarithm of the rate; below it, where the suggested rate is.
class Chart {
 public:
  Chart(const std::vector<LrTrial>& trials, double suggested) : trials_(trials), suggested_(suggested) {
    for (const auto& trial : trials) {
      low_ = std::min(low_, trial.smooth);
      high_ = std::max(high_, trial.smooth);
    }
  }

  std::string text() const {
    std::vector<std::vector<bool>> dots(kRows, std::vector<bool>(kColumns));
    for (const auto& trial : trials_) dots[row(trial.smooth)][column(trial.lr)] = true;
    std::string text;
    for (std::size_t r = 0; r < kRows; ++r) {
      const bool labelled = r == 0 || r == kRows - 1;
      text += labelled ? fmt::format("{:>9.4g} ┤", r == 0 ? high_ : low_) : fmt::format("{:>9} │", "");
      for (const bool dot : dots[r]) text += dot ? "•" : " ";
      text.erase(text.find_last_not_of(' ') + 1);
      text += '\n';
    }
    std::string axis(kColumns, ' ');
    const auto first = rate(trials_.front().lr), last = rate(trials_.back().lr);
    axis.replace(0, first.size(), first);
    axis.replace(kColumns - last.size(), last.size(), last);
    if (suggested_ > 0) {
      const auto here = "^ " + rate(suggested_);
      const auto at = std::clamp(column(suggested_), first.size() + 1, kColumns - last.size() - here.size() - 1);
      axis.replace(at, here.size(), here);
    }
    return text + fmt::format("{:>9} {}\n", "lr", " " + axis);
  }

 private:
  static constexpr std::size_t kRows = 12, kColumns = 64;

  static std::size_t place(double share, std::size_t of) {
    return static_cast<std::size_t>(std::lround(std::clamp(share, 0.0, 1.0) * static_cast<double>(of - 1)));
  }
  std::size_t row(double loss) const { return place(high_ > low_ ? (high_ - loss) / (high_ - low_) : 1, kRows); }
  std::size_t column(double lr) const {
    const double first = trials_.front().lr, last = trials_.back().lr;
    return place(last > first ? std::log(lr / first) / std::log(last / first) : 0, kColumns);
  }

  const std::vector<LrTrial>& trials_;
  double suggested_;
  double low_ = trials_.front().smooth, high_ = low_;
};

/// The rates that are suggested, by their options: "lr" and, for an optimizer that has others, theirs.
std::vector<std::pair<std::string, double>> suggested_rates(const LrFound& found, const Optimizer& optimizer) {
  return optimizer.with_lr(found.suggested()).rates();
}

void print(const LrFound& found, const Optimizer& optimizer) {
  constexpr std::size_t kMostRows = 16;
  Table table({"lr", "loss", "smooth"});
  const auto& trials = found.trials;
  const auto rows = std::min(kMostRows, trials.size());
  for (std::size_t i = 0; i < rows; ++i) {
    const auto& trial = trials[i * (trials.size() - 1) / std::max<std::size_t>(1, rows - 1)];
    table.row({rate(trial.lr), fmt::format("{:.5f}", trial.loss), fmt::format("{:.5f}", trial.smooth)});
  }
  fmt::print("{}\n{}\n", table.text(), Chart(trials, found.suggested()).text());
  fmt::print("{}\n", found.diverged ? fmt::format("beyond {} the loss explodes", rate(trials.back().lr))
                                    : fmt::format("up to {} the loss does not explode", rate(trials.back().lr)));
  if (found.suggested() == 0) {
    fmt::print("no rate made the loss fall; try more --steps, or others by --least and --most\n");
    return;
  }
  fmt::print("the loss falls fastest at {} and is lowest at {}\n", rate(found.steepest), rate(found.lowest));
  std::string options;
  for (const auto& [name, lr] : suggested_rates(found, optimizer))
    options += fmt::format(" --{} {}", with_dashes(name), rate(lr));
  fmt::print("try{}\n", options);
}

Json to_json(const LrFound& found, const Optimizer& optimizer) {
  Json json{{"suggested", found.suggested() > 0 ? std::optional(found.suggested()) : std::nullopt},
            {"steepest", found.steepest > 0 ? std::optional(found.steepest) : std::nullopt},
            {"lowest", found.lowest},
            {"diverged", found.diverged}};
  if (found.suggested() > 0) {
    for (const auto& [name, lr] : suggested_rates(found, optimizer)) {
      if (name != "lr") json["suggested_" + name] = lr;
    }
  }
  for (const auto& trial : found.trials)
    json["trials"].push_back({{"lr", trial.lr}, {"loss", trial.loss}, {"smooth", trial.smooth}});
  return json;
}

int lr_find(const Options& o) {
  check_origin(o);
  check_data_texts(o);
  if (o.find.least >= o.find.most) {
    throw UsageError(fmt::format("--least {} and --most {} leave no rates to try; give a --most above --least",
                                 o.find.least, o.find.most));
  }
  auto run = o.from.empty() ? new_run(o) : run_from(o);
  add_validation(run);  // what is held out is not for this either
  const auto found = find_lr(run.network, run.data.train, run.options, o.find);
  if (found.trials.empty())
    throw NumericError(
        fmt::format("the loss is not finite from the first step on, at lr {}; use other weights or smaller "
                    "samples",
                    rate(o.find.least)));
  if (o.json) {
    print_json(to_json(found, run.options.optimizer));
  } else {
    print(found, run.options.optimizer);
  }
  return kOk;
}

}  // namespace

void add_lr_find(CommandLine& line) {
  auto options = std::make_shared<Options>();
  auto& o = *options;
  auto& command = o.command =
      line.command("lr-find", "Try growing learning rates on a network, and suggest one", options, lr_find);
  add_run(o, {"epochs", "lr", "schedule", "average", "patience", "by_accuracy", "keep_last"});
  command.real("--least", o.find.least, LrFindOptions::rates(), "Rate of the first step").shows_default();
  command.real("--most", o.find.most, LrFindOptions::rates(), "Rate of the last step").shows_default();
  command.whole("--steps", o.find.steps, {.least = 10, .most = 1'000'000}, "Steps, each with a larger rate")
      .shows_default();
  add_json(command, o.json);
  command.footer("Nothing is kept: the rates are tried on a copy of the network.");
}

}  // namespace chalk::app
