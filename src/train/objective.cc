#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "chalkgrad/train.h"
#include "src/train/checkpoint.h"
#include "src/train/config.h"

namespace chalk {
namespace {

constexpr std::array<std::pair<Loss, std::string_view>, 6> kNames{
    {{Loss::cross_entropy, "cross-entropy"},
     {Loss::binary_cross_entropy, "binary-cross-entropy"},
     {Loss::squared_error, "squared-error"},
     {Loss::sum_of_squares, "sum-of-squares"},
     {Loss::log_likelihood, "log-likelihood"},
     {Loss::gaussian_log_likelihood, "gaussian-log-likelihood"}}};

}  // namespace

bool maximised(Loss loss) { return loss == Loss::log_likelihood || loss == Loss::gaussian_log_likelihood; }

std::string_view name_of(Loss loss) {
  return std::ranges::find(kNames, loss, &std::pair<Loss, std::string_view>::first)->second;
}

std::optional<Loss> find_loss(std::string_view name) {
  const auto* found = std::ranges::find(kNames, name, &std::pair<Loss, std::string_view>::second);
  return found == kNames.end() ? std::nullopt : std::optional(found->first);
}

std::optional<Loss> trained_loss(const Network& network) {
  const auto found = network.metadata.find(kTraining);
  if (found == network.metadata.end()) return {};
  const auto value = nlohmann::json::parse(std::string_view(found->second), nullptr, /*allow_exceptions=*/false);
  if (!value.is_object() || !value.contains("loss") || !value["loss"].is_string()) return {};
  return find_stored_loss(value["loss"].get<std::string>());
}

Loss natural_loss(const Network& network) {
  if (const auto trained = trained_loss(network)) return *trained;
  if (const auto configured = read_train_config(network.text(), "the network").loss) return *configured;
  return network.output_shape().size() == 1 ? Loss::cross_entropy : Loss::squared_error;
}

}  // namespace chalk
