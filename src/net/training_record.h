// The training record as metadata of a model file: see docs/formats.md.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "chalkgrad/train_options.h"

namespace chalk {

constexpr const char* kTrainingKey = "chalkgrad.training";
constexpr const char* kPositionKey = "chalkgrad.position";

/// Takes the record out of the metadata; nothing if there is none. Throws InputError saying what is wrong with it.
std::optional<TrainingRecord> take_record(std::map<std::string, std::string>& metadata);

/// "batch=50, not 20": the first option in which two runs differ, or nothing.
std::string first_difference(const TrainingRecord& before, const TrainingRecord& now);

}  // namespace chalk
