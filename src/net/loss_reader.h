// A loss in TOML, with its options.
#pragma once

#include <optional>

#include "chalkgrad/losses.h"
#include "src/net/toml_reader.h"

namespace chalk {

/// What is minimised under the key "loss" or maximised under "maximise", with its default options; nothing if neither
/// key is there. Throws InputError, also if both are.
std::optional<Loss> read_loss(TableReader& reader);
/// Throws InputError for a key that is an option of another loss than this one.
void refuse_other_losses(TableReader& reader, const Loss& loss);

}  // namespace chalk
