#include "src/net/training_record.h"

#include <type_traits>

#include "chalkgrad/error.h"
#include "src/base/fields.h"
#include "src/base/text.h"
#include "src/base/wording.h"
#include "src/files/json_text.h"
#include "src/losses/loss.h"

namespace chalk {
namespace {

using nlohmann::json;

constexpr std::string_view kFirstOptimizer = "sgd";  // which the first version did not name

/// A name in the file that this program does not have.
[[noreturn]] void unknown(std::string_view what, std::string_view name) {
  throw InputError(str(what, " is ", in_quotes(name), ", which this program does not know; use a newer chalkgrad"));
}

bool is_whole(const json& value) {
  return value.is_number_integer() && (!value.is_number_unsigned() || value.get<std::int64_t>() >= 0);
}
bool is_number(const json& value) { return value.is_number(); }
bool is_flag(const json& value) { return value.is_boolean(); }
bool is_word(const json& value) { return value.is_string(); }
bool is_list(const json& value) {
  bool good = value.is_array();
  for (const json& element : value) good = good && element.is_number();
  return good;
}

/// What the object has under a name. Throws InputError if that is nothing, or not good, or a number out of range.
const json& member(const json& object, std::string_view name, bool (*is_good)(const json&), const std::string& be,
                   const Range& range = {}) {
  const auto found = object.find(std::string(name));
  if (found == object.end()) throw InputError(str(name, " is missing; add it"));
  if (is_good(*found) && (!found->is_number() || range.contains(found->get<double>()))) return *found;
  const auto is = found->is_string() ? in_quotes(found->get<std::string>()) : found->dump();
  throw InputError(str(name, " is ", first_bytes(is, 60), "; it must be ", be));
}

template <class T>
T member(const json& object, std::string_view name, const Range& range = {}) {
  if constexpr (std::is_same_v<T, std::int64_t>) {
    return member(object, name, is_whole, "whole, and " + range.text(), range).template get<T>();
  } else if constexpr (std::is_same_v<T, double>) {
    return member(object, name, is_number, range.text(), range).template get<T>();
  } else if constexpr (std::is_same_v<T, bool>) {
    return member(object, name, is_flag, "true or false").template get<T>();
  } else if constexpr (std::is_same_v<T, std::string>) {
    return member(object, name, is_word, "text").template get<T>();
  } else {
    const auto values = member(object, name, is_list, "a list of numbers").template get<T>();
    for (const auto value : values) {
      if (!range.contains(static_cast<double>(value)))
        throw InputError(str(name, " has ", value, "; each must be ", range.text()));
    }
    return values;
  }
}

/// Sets a field to what the object has under its name.
template <class T>
void read_field(const json& object, const Field& field, T& value) {
  if (field.may_be_absent && !object.contains(std::string(field.name))) {
    value = T{};
    return;
  }
  value = member<T>(object, field.name, field.range);
  if constexpr (std::is_same_v<T, std::string>) {
    try {
      if (field.check_text) field.check_text(value);
    } catch (const InputError&) {
      unknown(field.name, value);
    }
  }
}

Loss loss_of(const json& training) {
  const auto name = member<std::string>(training, "loss");
  const auto loss = find_stored_loss(name);
  if (!loss) unknown("loss", name);
  return *loss;
}

/// The options of a loss by name.
json options_of(const Loss& loss) {
  json object = json::object();
  FieldFunction writer([&](const Field& field, const auto& value) { object[std::string(field.name)] = value; });
  loss.options().show(writer);
  return object;
}

/// What decides a run's result, as it is stored; with `all`, also what files leave out: options of the loss that have
/// their defaults, as the first version, in which losses had none, could read it, and what may be absent.
json options_of(const TrainingRecord& record, bool all = false) {
  json object = json::object();
  TrainOptions options = record.options;
  FieldFunction writer([&]<class T>(const Field& field, const T& value) {
    if (all || !field.may_be_absent || value != T{}) object[std::string(field.name)] = value;
  });
  options.visit(writer);
  if (object["optimizer"] == kFirstOptimizer) object.erase("optimizer");
  object["loss"] = stored_name(options.loss);
  if (all) return object;
  const json defaults = options_of(Loss(options.loss.kind()));
  for (const auto& [name, value] : defaults.items()) {
    if (object.contains(name) && object[name] == value) object.erase(name);
  }
  return object;
}

json observed_as_json(const Observed& seen) {
  return {{"epochs", seen.epochs},
          {"best", seen.best},
          {"bad", seen.bad},
          {"cooldown", seen.cooldown},
          {"reductions", seen.reductions}};
}

void check_object(const json& value, std::string_view name) {
  if (!value.is_object())
    throw InputError(str(name, " is ", first_bytes(value.dump(), 60), "; it must be a JSON object"));
}

void read_best(const json& object, TrainingRecord& record) {
  check_object(object, "best");
  const auto epochs = Range::from_to(0, static_cast<double>(record.options.epochs - 1));
  record.best = {.epoch = member<std::int64_t>(object, "epoch", epochs),
                 .loss = member<double>(object, "loss"),
                 .accuracy = member<double>(object, "accuracy", Range::from_to(0, 1))};
}

void read_observed(const json& object, TrainingRecord& record) {
  check_object(object, "observed");
  const auto epochs = Range::from_to(0, static_cast<double>(record.options.epochs));
  record.observed = {.epochs = member<std::int64_t>(object, "epochs", epochs),
                     .best = member<double>(object, "best"),
                     .bad = member<std::int64_t>(object, "bad", epochs),
                     .cooldown = member<std::int64_t>(object, "cooldown", Range::from_to(0, 1'000'000)),
                     .reductions = member<std::int64_t>(object, "reductions", epochs)};
}

void read_position(const json& position, TrainingRecord& record) {
  record.data = member<std::string>(position, "data");
  record.samples = member<std::int64_t>(position, "samples", Range::from_to(1, 4294967295));
  record.step = member<std::int64_t>(position, "step", Range::from_to(0, static_cast<double>(record.steps())));
  record.loss_sum = member<double>(position, "loss_sum");
  record.correct = member<double>(position, "correct", Range::from_to(0, static_cast<double>(record.samples)));
  if (position.contains("loss_sums")) record.loss_sums = member<std::vector<double>>(position, "loss_sums");
  if (position.contains("digest")) record.digest = member<std::string>(position, "digest");
  if (position.contains("diverged")) record.diverged = member<bool>(position, "diverged");
  if (position.contains("validation")) record.validation = member<std::string>(position, "validation");
  if (position.contains("best")) read_best(position.at("best"), record);
  if (position.contains("observed")) read_observed(position.at("observed"), record);
}

void read_options(const json& training, TrainOptions& options) {
  options.loss = loss_of(training);
  json object = training;
  if (!object.contains("optimizer")) object["optimizer"] = kFirstOptimizer;
  const json defaults = options_of(options.loss);
  for (const auto& [name, value] : defaults.items()) {
    if (!object.contains(name)) object[name] = value;
  }
  FieldFunction reader([&](const Field& field, auto& value) { read_field(object, field, value); });
  options.visit(reader);
  options.optimizer.check();
  options.loss.check();
}

/// Reads the JSON object under a key.
void read(const std::map<std::string, std::string>::node_type& entry, const char* key, auto read_object) {
  try {
    const auto object = parsed_json(entry.mapped());
    if (!object.is_object()) throw InputError("it must be a JSON object");
    read_object(object);
  } catch (const InputError& e) {
    throw InputError(str("metadata ", key, ": ", e.what(), "; or remove ", kTrainingKey, " and ", kPositionKey,
                         ", which only resuming needs"));
  }
}

}  // namespace

std::map<std::string, std::string> TrainingRecord::metadata() const {
  json position{{"step", step}, {"loss_sum", loss_sum}, {"correct", correct}, {"data", data}, {"samples", samples}};
  if (!digest.empty()) position["digest"] = digest;
  if (diverged) position["diverged"] = true;
  if (!loss_sums.empty()) position["loss_sums"] = loss_sums;
  if (!validation.empty()) position["validation"] = validation;
  if (best.epoch >= 0) position["best"] = json{{"epoch", best.epoch}, {"loss", best.loss}, {"accuracy", best.accuracy}};
  if (observed.epochs > 0) position["observed"] = observed_as_json(observed);
  return {{kTrainingKey, options_of(*this).dump()},
          {kPositionKey, position.dump(-1, ' ', false, json::error_handler_t::replace)}};
}

std::optional<TrainingRecord> take_record(std::map<std::string, std::string>& metadata) {
  const auto training = metadata.extract(kTrainingKey), position = metadata.extract(kPositionKey);
  if (training.empty()) return {};
  TrainingRecord record;
  read(training, kTrainingKey, [&](const json& object) { read_options(object, record.options); });
  if (position.empty()) {  // how the network was trained, and nothing to resume
    record.step = record.steps();
  } else {
    read(position, kPositionKey, [&](const json& object) { read_position(object, record); });
  }
  return record;
}

std::string first_difference(const TrainingRecord& before, const TrainingRecord& now) {
  const auto is = before.options.optimizer.name(), wanted = now.options.optimizer.name();
  if (is != wanted) return str("optimizer=", is, ", not ", wanted);
  const json then = options_of(before, true), later = options_of(now, true);
  for (const auto& [key, value] : later.items()) {
    if (then.value(key, json()) != value) return str(key, "=", then.value(key, json()).dump(), ", not ", value.dump());
  }
  return {};
}

}  // namespace chalk
