#include "src/train/checkpoint.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "chalkgrad/error.h"
#include "src/base/text.h"
#include "src/base/wording.h"

namespace chalk {
namespace {

using nlohmann::json;

constexpr const char* kPosition = "chalkgrad.position";

json to_json(const TrainOptions& o) {
  return {{"epochs", o.epochs},
          {"batch", o.batch},
          {"lr", o.optimizer.lr},
          {"momentum", o.optimizer.momentum},
          {"nesterov", o.optimizer.nesterov},
          {"weight_decay", o.optimizer.weight_decay},
          {"schedule", o.schedule.text()},
          {"loss", stored_name(o.loss)},
          {"seed", o.seed}};
}

json parse(const Network& network, const char* key) {
  const auto found = network.metadata.find(key);
  if (found == network.metadata.end()) {
    throw InputError(
        "the model is not a checkpoint: it does not say how it was trained; train it anew instead of resuming");
  }
  auto value = json::parse(std::string_view(found->second), nullptr, /*allow_exceptions=*/false);
  if (!value.is_object())
    throw InputError(str("the model's metadata \"", key, "\" are damaged; resume from another checkpoint"));
  return value;
}

Loss loss_of(const json& training) {
  const auto name = training.at("loss").get<std::string>();
  const auto loss = find_stored_loss(name);
  if (!loss) {
    throw InputError(str("the model was trained with the loss ", in_quotes(name),
                         ", which this program does not know; use a newer chalkgrad"));
  }
  return *loss;
}

}  // namespace

std::string stored_name(Loss loss) {
  std::string name(name_of(loss));
  std::ranges::replace(name, '-', '_');
  return name;
}

std::optional<Loss> find_stored_loss(std::string name) {
  std::ranges::replace(name, '_', '-');
  return find_loss(name);
}

TrainOptions checkpoint_options(const Network& network) {
  const json from = parse(network, kTraining);
  TrainOptions o;
  try {
    o.epochs = from.at("epochs");
    o.batch = from.at("batch");
    o.optimizer.lr = from.at("lr");
    o.optimizer.momentum = from.at("momentum");
    o.optimizer.nesterov = from.at("nesterov");
    o.optimizer.weight_decay = from.at("weight_decay");
    o.schedule = Schedule::parse(from.at("schedule").get<std::string>());
    o.loss = loss_of(from);
    o.seed = from.at("seed");
  } catch (const json::exception& e) {
    throw InputError(
        str("the model's metadata \"", kTraining, "\" are damaged (", e.what(), "); resume from another checkpoint"));
  }
  return o;
}

void write_checkpoint(Network& network, const TrainOptions& options, const std::string& data, std::size_t samples,
                      const Position& position) {
  network.metadata[kTraining] = to_json(options).dump();
  network.metadata[kPosition] = json{
      {"step", position.step},
      {"loss_sum", position.loss_sum},
      {"correct", position.correct},
      {"data", data},
      {"samples", samples}}.dump();
  if (!options.checkpoint.empty()) network.save(options.checkpoint);
}

Position read_checkpoint(const Network& network, const TrainOptions& options, const std::string& data,
                         std::size_t samples) {
  if (!network.metadata.contains(kPosition)) return {};
  const json before = parse(network, kTraining), now = to_json(options), at = parse(network, kPosition);
  Position position;
  try {
    position = {at.at("step"), at.at("loss_sum"), at.at("correct")};
    const std::int64_t per_epoch = (static_cast<std::int64_t>(samples) + options.batch - 1) / options.batch;
    if (position.step < 0) throw InputError("the checkpoint's position is negative; resume from another checkpoint");
    if (before == now && position.step >= per_epoch * options.epochs) return {};  // finished: this is a new run
    for (const auto& [key, value] : now.items()) {
      if (before.value(key, json()) != value) {
        throw InputError(str("the checkpoint was trained with ", key, "=", before.value(key, json()).dump(), ", not ",
                             value.dump(), "; resume with the options it was started with"));
      }
    }
    if (at.at("data") != data || at.at("samples") != samples) {
      throw InputError(str("the checkpoint was trained on ", at.at("samples").dump(), " samples of ",
                           at.at("data").dump(), ", not on ", samples, " of \"", data,
                           "\"; resume with the data it was started with"));
    }
  } catch (const json::exception& e) {
    throw InputError(
        str("the model's metadata \"", kPosition, "\" are damaged (", e.what(), "); resume from another checkpoint"));
  }
  return position;
}

}  // namespace chalk
