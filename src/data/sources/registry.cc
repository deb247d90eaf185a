// The list of sources, and what can be said about all of them.
#include <algorithm>
#include <array>
#include <filesystem>
#include <system_error>

#include "chalkgrad/error.h"
#include "src/base/text.h"
#include "src/base/wording.h"
#include "src/data/sources/source.h"

namespace chalk {
namespace {

constexpr std::array kSources = {
#define CHALK_SOURCE(name) &source_##name,
#include "src/data/sources/sources.inc"
#undef CHALK_SOURCE
};

/// "give digits (built in) or mnist:FOLDER, e.g. mnist:data/mnist"
std::string what_is_known() {
  std::vector<std::string> forms;
  std::string example;
  for (const auto* source : kSources) {
    forms.push_back(source->form() + (source->argument.empty() ? " (built in)" : ""));
    if (!source->argument.empty()) example = str(", e.g. ", source->word, ":", source->example);
  }
  return str("give ", alternatives(forms), example);
}

/// Whether all that follows the word of a source is a path that is there: a # in it is the path's.
bool names_a_path(const std::string& spec) {
  const auto colon = spec.find(':');
  if (colon == std::string::npos) return false;
  const auto takes_path = [&](const DataSource* source) {
    return !source->argument.empty() && source->word == spec.substr(0, colon);
  };
  std::error_code ignored;
  return std::ranges::any_of(kSources, takes_path) && std::filesystem::exists(spec.substr(colon + 1), ignored);
}

}  // namespace

std::string DataSource::form() const { return argument.empty() ? std::string(word) : str(word, ":", argument); }

std::span<const DataSource* const> data_sources() { return kSources; }

std::string data_source_forms() {
  std::vector<std::string> forms;
  forms.reserve(kSources.size());
  for (const auto* source : kSources) forms.push_back(source->form());
  return alternatives(forms);
}

Split load_dataset(const std::string& spec, const LoadOptions& options) {
  if (const auto mark = spec.rfind('#'); mark != std::string::npos && !names_a_path(spec)) {
    const auto names = class_list(std::string_view(spec).substr(mark + 1));
    auto of_all = options;
    of_all.classes.clear();
    Split split = load_dataset(spec.substr(0, mark), of_all);
    for (auto* part : {&split.train, &split.test}) {
      if (part->size() > 0) *part = select_classes(*part, names);
    }
    return split;
  }
  const auto colon = spec.find(':');
  const auto word = spec.substr(0, colon);
  const auto argument = colon == std::string::npos ? "" : spec.substr(colon + 1);
  for (const auto* source : kSources) {
    if (source->word != word) continue;
    if (source->argument.empty() && colon != std::string::npos) break;  // "digits:x" is not known
    if (source->argument.empty() || !argument.empty()) {
      auto split = source->load(argument, options);
      if (options.normalisation && !source->normalises) normalise(split, *options.normalisation);
      return split;
    }
    throw InputError(str("data set ", in_quotes(spec), ": ", source->lacking, "; ", what_is_known()));
  }
  throw InputError(str("data set ", in_quotes(spec), ": is not known; ", what_is_known()));
}

}  // namespace chalk
