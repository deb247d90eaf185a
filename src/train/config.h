// Training configurations: a network's TOML with a table [train]. The format is described in docs/networks.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "chalkgrad/train.h"

namespace chalk {

/// What a configuration says; what it leaves out is empty.
struct TrainConfig {
  std::optional<std::string> data;
  std::optional<std::int64_t> epochs, batch, seed;
  std::optional<double> lr, momentum, weight_decay;
  std::optional<bool> nesterov;
  std::optional<Loss> loss;  // minimised or maximised
  std::optional<Schedule> schedule;
};

/// The table [train] of TOML text; all empty if there is none, or if the text is a chain. Throws InputError "ORIGIN:
/// line 3, column 7: …".
TrainConfig read_train_config(std::string_view text, std::string_view origin);

}  // namespace chalk
