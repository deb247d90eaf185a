#include "apps/chalkgrad/training_fields.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>

#include "src/base/fields.h"
#include "src/base/wording.h"

namespace chalk::app {
namespace {

std::string names_of(const std::vector<Loss>& losses, std::string_view last) {
  std::vector<std::string> names;
  for (const Loss& loss : losses) names.emplace_back(name_of(loss));
  return alternatives(names, last);
}

}  // namespace

/// Adds an option for each field that has none yet.
class TrainingFields::Adder : public FieldVisitor {
 public:
  Adder(TrainingFields& fields, Command& command, const std::vector<std::string_view>& without)
      : fields_(fields), command_(command), without_(without) {}

  void field(const Field& field, std::int64_t& value) override {
    if (Row* row = add(field)) {
      row->whole = value;
      const auto [least, most] = whole_numbers(field.range);
      command_.whole(row->flag.c_str(), row->whole, {least, most}, help(field)).shows_default();
    }
  }
  void field(const Field& field, bool& value) override {
    if (Row* row = add(field)) {
      row->truth = value;
      command_.flag(row->flag.c_str(), row->truth, help(field));
    }
  }
  void field(const Field& field, double& value) override {
    if (Row* row = add(field)) {
      row->real = value;
      command_.real(row->flag.c_str(), row->real, field.range, help(field)).shows_default();
    }
  }
  void field(const Field& field, std::string& value) override {
    if (Row* row = add(field)) {
      row->text = value;
      command_.text(row->flag.c_str(), row->text, help(field)).shows_default();
    }
    if (field.name == "optimizer") options_of_all(value);
  }
  void field(const Field&, std::vector<std::int64_t>&) override {}
  void field(const Field& field, std::vector<double>& value) override {
    if (Row* row = add(field)) {
      row->reals = value;
      command_.reals(row->flag.c_str(), row->reals, field.range, help(field));
    }
  }

  /// Those of the default one first; of an option that it does not have it is said whose it is.
  void options_of_all(std::string_view usual) {
    Optimizer::named(usual).options().show(*this);
    for (const auto name : Optimizer::names()) {
      owner_ = name;
      Optimizer::named(name).options().show(*this);
    }
    owner_ = {};
  }
  void options_of_losses() {
    for (const Loss& loss : all_losses()) {
      loss_ = &loss;
      loss.options().show(*this);
    }
    loss_ = nullptr;
  }

 private:
  Row* add(const Field& field) {
    if (std::ranges::find(fields_.rows_, field.name, &Row::name) != fields_.rows_.end()) return nullptr;
    if (std::ranges::find(without_, field.name) != without_.end()) return nullptr;
    auto& row = fields_.rows_.emplace_back();
    row.name = field.name;
    row.flag = "--" + with_dashes(field.name);
    if (loss_) row.losses = losses_with(field.name);
    return &row;
  }
  static std::vector<Loss> losses_with(std::string_view name) {
    std::vector<Loss> have;
    for (const Loss& loss : all_losses()) {
      const auto texts = texts_of([&](FieldVisitor& v) { loss.options().show(v); });
      if (std::ranges::find(texts, name, &std::pair<std::string, std::string>::first) != texts.end())
        have.push_back(loss);
    }
    return have;
  }
  std::string help(const Field& field) const {
    const std::string sentence(field.help);
    if (loss_) return fmt::format("{}: {}", names_of(losses_with(field.name), ", "), sentence);
    if (field.name == "optimizer") {
      const auto names = Optimizer::names();
      return fmt::format("{}: {}", sentence, alternatives({names.begin(), names.end()}));
    }
    const auto explained = sentence + other_defaults(field);
    return owner_.empty() ? explained : fmt::format("{}: {}", alternatives(owners(field), " and "), explained);
  }
  /// The optimizers that have the field.
  static std::vector<std::string> owners(const Field& field) {
    std::vector<std::string> names;
    for (const auto name : Optimizer::names()) {
      if (default_of(name, field)) names.emplace_back(name);
    }
    return names;
  }
  /// "; adagrad, rmsprop: 0.01" where optimizers differ in the value that they have if nothing is said.
  static std::string other_defaults(const Field& field) {
    std::vector<std::pair<std::string, std::string>> owners_of;  // a value, and whose it is
    for (const auto name : Optimizer::names()) {
      const auto value = default_of(name, field);
      if (!value) continue;
      const auto known = std::ranges::find(owners_of, *value, &std::pair<std::string, std::string>::first);
      if (known == owners_of.end()) {
        owners_of.emplace_back(*value, name);
      } else {
        known->second += fmt::format(", {}", name);
      }
    }
    std::string text;
    for (std::size_t i = 1; i < owners_of.size(); ++i)
      text += fmt::format("; {}: {}", owners_of[i].second, owners_of[i].first);
    return text;
  }
  /// As text; none if the optimizer does not have the field.
  static std::optional<std::string> default_of(std::string_view name, const Field& field) {
    const auto options = Optimizer::named(name).options();
    for (const auto& [key, value] : texts_of([&](FieldVisitor& v) { options.show(v); })) {
      if (key == field.name) return value;
    }
    return {};
  }
  TrainingFields& fields_;
  Command& command_;
  const std::vector<std::string_view>& without_;
  std::string_view owner_;
  const Loss* loss_ = nullptr;
};

/// Sets the fields that were given on the command line.
class TrainingFields::Setter : public FieldVisitor {
 public:
  explicit Setter(const TrainingFields& fields) : fields_(fields) {}

  void field(const Field& field, std::int64_t& value) override {
    if (const Row* row = given(field)) value = row->whole;
  }
  void field(const Field& field, bool& value) override {
    if (const Row* row = given(field)) value = row->truth;
  }
  void field(const Field& field, double& value) override {
    if (const Row* row = given(field)) value = row->real;
  }
  void field(const Field& field, std::string& value) override {
    const Row* row = given(field);
    if (!row) return;
    as_usage([&] { field.check_text(row->text); }, row->flag + ": ");
    value = row->text;
  }
  void field(const Field&, std::vector<std::int64_t>&) override {}
  void field(const Field& field, std::vector<double>& value) override {
    if (const Row* row = given(field)) value = row->reals;
  }

  bool has_seen(const Row& row) const { return std::ranges::find(seen_, row.name) != seen_.end(); }

 private:
  const Row* given(const Field& field) {
    seen_.emplace_back(field.name);
    return fields_.given(field.name);
  }

  const TrainingFields& fields_;
  std::vector<std::string> seen_;
};

void TrainingFields::add_to(Command& command, TrainOptions defaults, const std::vector<std::string_view>& without) {
  command_ = &command;
  Adder adder(*this, command, without);
  defaults.loss = Loss::squared_error;  // which has no options: add_losses_to() adds those of all
  defaults.visit(adder);
  command.repeated("--freeze", frozen_, "Parameters that keep their values, by name: 'conv*'. May be repeated",
                   "PATTERN");
}

void TrainingFields::add_losses_to(Command& command) {
  const std::vector<std::string_view> without_none;
  Adder adder(*this, command, without_none);
  adder.options_of_losses();
}

void TrainingFields::add_optimizers_to(Command& command) {
  command_ = &command;
  const std::vector<std::string_view> without_none;
  Adder adder(*this, command, without_none);
  adder.options_of_all(Optimizer().name());
}

const TrainingFields::Row* TrainingFields::given(std::string_view name) const {
  const auto row = std::ranges::find(rows_, name, &Row::name);
  return row != rows_.end() && command_->given(row->flag.c_str()) ? &*row : nullptr;
}

bool TrainingFields::any() const {
  return !frozen_.empty() || std::ranges::any_of(rows_, [&](const Row& row) { return given(row.name) != nullptr; });
}

void TrainingFields::apply(TrainOptions& options) const {
  Setter setter(*this);
  options.visit(setter);
  freeze(options);
  bool any = false;
  for (const auto& row : rows_) {
    any |= given(row.name) != nullptr;
    if (!given(row.name) || setter.has_seen(row)) continue;
    if (!row.losses.empty()) {
      throw UsageError(fmt::format("{} is no option of the loss {}; leave it out, or train with {}", row.flag,
                                   name_of(options.loss), names_of(row.losses, " or ")));
    }
    std::vector<std::string> has;
    for (const auto& [name, value] : texts_of([&](FieldVisitor& v) { options.optimizer.options().show(v); }))
      has.push_back("--" + with_dashes(name));
    throw UsageError(fmt::format("{} is no option of the optimizer {}, which has {}; leave it out", row.flag,
                                 options.optimizer.name(), alternatives(has, " and ")));
  }
  if (!any) return;
  as_usage([&] { options.optimizer.check(); });
  as_usage([&] { options.loss.check(); });
}

/// Groups for what --freeze names, after all others that say of something that it is not frozen. One that is there
/// already stays where it is, so that a run agrees with the options it was started with, in any order.
void TrainingFields::freeze(TrainOptions& options) const {
  auto& groups = options.groups;
  for (const auto& pattern : frozen_) {
    const ParameterGroup group{.pattern = pattern, .frozen = true};
    const auto same = std::find(groups.rbegin(), groups.rend(), group);
    const bool last =
        std::none_of(groups.rbegin(), same, [](const auto& later) { return later.frozen && !*later.frozen; });
    if (last && same != groups.rend()) continue;
    std::erase(groups, group);
    groups.push_back(group);
  }
}

void TrainingFields::check_agreement(const TrainOptions& began, const std::string& file) const {
  const auto texts = [](TrainOptions options) { return texts_of([&](FieldVisitor& v) { options.visit(v); }); };
  TrainOptions asked = began;
  apply(asked);
  const auto before = texts(began), now = texts(asked);
  for (const auto& [name, value] : now) {
    const auto then = std::ranges::find(before, name, &std::pair<std::string, std::string>::first);
    const bool asked_for = given(name) || (name == "groups" && !frozen_.empty());
    if (!asked_for || then == before.end() || then->second == value) continue;
    const auto shown = [](const std::string& text) { return text.empty() ? "none" : text; };
    throw differs("--" + with_dashes(name), shown(value), shown(then->second), file);
  }
}

UsageError differs(std::string_view flag, std::string_view now, std::string_view began, const std::string& file) {
  return UsageError(
      fmt::format("{} {} differs from {}, with which {} was started; leave it out, or begin a new run from "
                  "its weights by --from {}",
                  flag, now, began, file, shell_word(file)));
}

Json to_json(const TrainOptions& options) {
  Json object;
  TrainOptions copy = options;
  FieldFunction writer([&](const Field& field, const auto& value) { object[field.name] = value; });
  copy.visit(writer);
  object[maximised(options.loss) ? "maximise" : "loss"] = name_of(options.loss);
  return object;
}

}  // namespace chalk::app
