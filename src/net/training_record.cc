#include "src/net/training_record.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <type_traits>

#include "chalkgrad/error.h"
#include "src/base/fields.h"
#include "src/base/text.h"
#include "src/base/wording.h"
#include "src/losses/loss.h"

namespace chalk {
namespace {

using nlohmann::json;

constexpr std::string_view kFirstOptimizer = "sgd";  // which the first version did not name

class UnknownName : public InputError {
 public:
  using InputError::InputError;
};

/// A name in the file that this program does not have.
[[noreturn]] void unknown(std::string_view what, std::string_view name) {
  throw UnknownName(str("the model was trained with the ", what, " ", in_quotes(name),
                        ", which this program does not know; use a newer chalkgrad"));
}

template <class T>
bool holds(const json& value) {
  if constexpr (std::is_same_v<T, std::int64_t>) return value.is_number_integer();
  if constexpr (std::is_same_v<T, double>) return value.is_number();
  if constexpr (std::is_same_v<T, bool>) return value.is_boolean();
  if constexpr (std::is_same_v<T, std::string>) return value.is_string();
  return value.is_array();
}

/// Sets a field to what the object has under its name. Throws InputError if that is missing or of another type.
template <class T>
void read_field(const json& object, const Field& field, T& value) {
  const auto found = object.find(std::string(field.name));
  if (found == object.end()) throw InputError(str("it does not say ", field.name));
  if (!holds<T>(*found)) throw InputError(str(field.name, " is ", found->dump()));
  value = found->get<T>();
  if constexpr (std::is_same_v<T, std::string>) {
    try {
      if (field.check_text) field.check_text(value);
    } catch (const InputError&) {
      unknown(field.name, value);
    }
  }
}

Loss loss_of(const json& training) {
  const auto found = training.find("loss");
  if (found == training.end() || !found->is_string()) throw InputError("it does not say loss");
  const auto name = found->get<std::string>();
  const auto loss = find_stored_loss(name);
  if (!loss) unknown("loss", name);
  return *loss;
}

/// What decides a run's result, as it is stored.
json options_of(const TrainingRecord& record) {
  json object = json::object();
  TrainOptions options = record.options;
  FieldFunction writer([&](const Field& field, const auto& value) { object[std::string(field.name)] = value; });
  options.visit(writer);
  if (object["optimizer"] == kFirstOptimizer) object.erase("optimizer");
  object["loss"] = stored_name(options.loss);
  return object;
}

/// A number of the position, within a range.
double number(const json& position, const char* name, const Range& range) {
  const auto found = position.find(name);
  const double value = found != position.end() && found->is_number() ? found->get<double>() : std::nan("");
  if (!range.contains(value)) {
    throw InputError(
        str(name, " is ", found == position.end() ? "missing" : found->dump(), "; it must be ", range.text()));
  }
  return value;
}

void read_position(const json& position, TrainingRecord& record) {
  const auto data = position.find("data");
  if (data == position.end() || !data->is_string()) throw InputError("it does not say data");
  record.data = data->get<std::string>();
  record.samples = static_cast<std::int64_t>(number(position, "samples", Range::from_to(1, 4294967295)));
  record.step =
      static_cast<std::int64_t>(number(position, "step", Range::from_to(0, static_cast<double>(record.steps()))));
  record.loss_sum = number(position, "loss_sum", {});
  record.correct = number(position, "correct", Range::at_least(0));
}

void read_options(const json& training, TrainOptions& options) {
  options.loss = loss_of(training);
  json object = training;
  if (!object.contains("optimizer")) object["optimizer"] = kFirstOptimizer;
  FieldFunction reader([&](const Field& field, auto& value) { read_field(object, field, value); });
  options.visit(reader);
  check_fields([&](FieldVisitor& v) { options.visit(v); });
}

/// Reads the JSON object under a key, if there is such a key.
void read(const std::map<std::string, std::string>::node_type& entry, const char* key, auto read_object) {
  try {
    if (entry.empty()) throw InputError("they are missing");
    const auto object = json::parse(std::string_view(entry.mapped()), nullptr, /*allow_exceptions=*/false);
    if (!object.is_object()) throw InputError("no JSON object");
    read_object(object);
  } catch (const UnknownName&) {
    throw;
  } catch (const InputError& e) {
    throw InputError(
        str("the model's metadata \"", key, "\" are damaged (", e.what(), "); resume from another checkpoint"));
  }
}

}  // namespace

std::map<std::string, std::string> TrainingRecord::metadata() const {
  const json position{
      {"step", step}, {"loss_sum", loss_sum}, {"correct", correct}, {"data", data}, {"samples", samples}};
  return {{kTrainingKey, options_of(*this).dump()},
          {kPositionKey, position.dump(-1, ' ', false, json::error_handler_t::replace)}};
}

std::optional<TrainingRecord> take_record(std::map<std::string, std::string>& metadata) {
  const auto training = metadata.extract(kTrainingKey), position = metadata.extract(kPositionKey);
  if (training.empty()) return {};
  TrainingRecord record;
  read(training, kTrainingKey, [&](const json& object) { read_options(object, record.options); });
  read(position, kPositionKey, [&](const json& object) { read_position(object, record); });
  return record;
}

std::string first_difference(const TrainingRecord& before, const TrainingRecord& now) {
  const auto is = before.options.optimizer.name(), wanted = now.options.optimizer.name();
  if (is != wanted) return str("optimizer=", is, ", not ", wanted);
  const json then = options_of(before), later = options_of(now);
  for (const auto& [key, value] : later.items()) {
    if (then.value(key, json()) != value) return str(key, "=", then.value(key, json()).dump(), ", not ", value.dump());
  }
  return {};
}

}  // namespace chalk
