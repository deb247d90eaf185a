#include "apps/chalkgrad/outcomes.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace chalk::app {
namespace {

struct Spread {
  double mean = 0;
  double deviation = 0;  // of a sample: with n − 1; NaN of one run
  double least = 0, most = 0;
};

Spread spread_of(const std::vector<double>& values) {
  if (values.empty()) return {};
  const auto n = static_cast<double>(values.size());
  const auto [least, most] = std::ranges::minmax(values);
  Spread spread{.least = least, .most = most};
  for (const double value : values) spread.mean += value / n;
  double squares = 0;
  for (const double value : values) squares += (value - spread.mean) * (value - spread.mean);
  spread.deviation = std::sqrt(squares / (n - 1));
  return spread;
}

Json to_json(const Spread& spread) {  // NaN becomes null
  return {
      {"mean", spread.mean}, {"standard_deviation", spread.deviation}, {"least", spread.least}, {"most", spread.most}};
}

std::vector<double> losses_of(const std::vector<Outcome>& all) {
  std::vector<double> values;
  for (const auto& one : all) values.push_back(one.loss);
  return values;
}

std::vector<double> accuracies_of(const std::vector<Outcome>& all) {
  std::vector<double> values;
  for (const auto& one : all) {
    if (one.accuracy) values.push_back(*one.accuracy);
  }
  return values;
}

void print_row(const std::string& name, const std::string& accuracy, const std::string& loss,
               const std::string& best = {}) {
  fmt::print("{:>9}  {:>9}  {:>11}{}\n", name, accuracy, loss, best);
  std::fflush(stdout);
}

void print(const Outcome& one) {
  print_row(one.name, one.accuracy ? percent(*one.accuracy) : "", fmt::format("{:.6g}", one.loss),
            one.best_epoch > 0 ? fmt::format("  best epoch {}", one.best_epoch) : "");
}

void print_summary(const std::vector<Outcome>& all) {
  const auto accuracies = accuracies_of(all);
  const auto loss = spread_of(losses_of(all)), accuracy = spread_of(accuracies);
  const auto row = [&](const char* name, double Spread::*member) {
    print_row(name, accuracies.empty() ? "" : percent(accuracy.*member), fmt::format("{:.6g}", loss.*member));
  };
  row("mean", &Spread::mean);
  if (all.size() == 1) return;
  row("deviation", &Spread::deviation);
  row("least", &Spread::least);
  row("most", &Spread::most);
}

void add_outcome(Json& line, const Outcome& one) {
  line["loss"] = one.loss;
  if (one.accuracy) line["accuracy"] = one.accuracy;
  if (one.best_epoch > 0) line["best_epoch"] = one.best_epoch;
  line["weights_sha256"] = one.weights;
}

void add_summary(Json& json, const std::vector<Outcome>& all) {
  json["loss"] = to_json(spread_of(losses_of(all)));
  if (const auto accuracies = accuracies_of(all); !accuracies.empty())
    json["accuracy"] = to_json(spread_of(accuracies));
}

}  // namespace

Outcome outcome_of(Run& run, std::string name) {
  const auto& best = run.network.training->best;
  Outcome outcome{.name = std::move(name), .best_epoch = best.epoch + 1, .weights = run.network.weights_sha256()};
  const auto tested = test(run);
  outcome.loss = tested.loss.value_or(best.loss);
  if (has_classes(run)) outcome.accuracy = tested.loss ? tested.accuracy : std::optional(best.accuracy);
  return outcome;
}

Comparison::Comparison(const char* what, const char* list, bool json, bool quiet)
    : list_(list), json_(json), quiet_(quiet) {
  if (!json) print_row(what, "accuracy", "loss");
}

void Comparison::add(Json line, Outcome one) {
  add_outcome(line, one);
  lines_.push_back(std::move(line));
  if (!json_ && !quiet_) print(one);
  all_.push_back(std::move(one));
}

void Comparison::finish() const {
  if (!json_) return print_summary(all_);
  Json json;
  json[list_] = lines_;
  add_summary(json, all_);
  print_json(json);
}

}  // namespace chalk::app
