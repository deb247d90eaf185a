// The small language of augmentations: NAME:VALUE,…,PARAMETER=VALUE,…,NAME:VALUE,….
#include "src/base/text.h"

#include <algorithm>
#include <optional>

#include "chalkgrad/data.h"
#include "chalkgrad/error.h"
#include "src/augmentations/augmentation.h"
#include "src/base/fields.h"
#include "src/base/reading.h"
#include "src/base/suggest.h"
#include "src/base/wording.h"
#include "src/ir/parameters.h"

namespace chalk {
namespace {

constexpr std::string_view kKind = "augmentation", kNone = "none";

ParametersForm form_of(const AugmentationDefinition& definition) {
  return {kKind, definition.name.value, definition.defaults.value, definition.nameless.value, /*spare=*/true};
}

VisitFields fields_of(const Attributes& parameters) {
  return [&parameters](FieldVisitor& v) { parameters.show(v); };
}

const AugmentationDefinition& definition_named(std::string_view name, std::string_view text) {
  for (const auto* definition : all_augmentations()) {
    if (definition->name.value == name) return *definition;
  }
  const auto guess = did_you_mean(name, Augmentations::names());
  cannot_read(kKind, text,
              str(" is not known", guess.empty() ? str("; use ", alternatives(Augmentations::forms())) : guess));
}

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// Whether what stands between two commas begins an augmentation, instead of being one more of its parameters.
bool begins_one(std::string_view part) {
  return !part.empty() && is_letter(part[0]) && part.find_first_of(":=") == part.find(':');
}

/// Each augmentation as it is written, without the blanks around it and around commas.
std::vector<std::string> parts_of(std::string_view text) {
  std::vector<std::string> parts;
  for (const auto each : split(text, ',')) {
    const auto part = trimmed(each);
    if (part.empty())
      throw InputError(str("augmentations ", in_quotes(text), ": a name is missing; write e.g. flip,shift:4"));
    if (begins_one(part)) {
      parts.emplace_back(part);
      continue;
    }
    const auto message = [&](std::string_view after) {
      return InputError(
          str("augmentations ", in_quotes(text), ": ", in_quotes(part), " belongs to no augmentation; ", after));
    };
    if (parts.empty()) throw message("begin with the name of one, as in flip,shift:4");
    if (parts.back().find(':') == std::string::npos) throw message(str("write ", parts.back(), ":", part));
    parts.back() += str(",", part);
  }
  return parts;
}

std::string text_of(const Augmentation& one) { return written(form_of(definition_of(one)), one.parameters()); }

void check_parameters(const AugmentationDefinition& definition, const Attributes& parameters) {
  check_fields(fields_of(parameters));
  if (definition.check) definition.check(parameters);
}

/// Two pictures are mixed when all else is done, so that each is what it would be by itself; and what is done to the
/// file's picture comes before that is brought to the size of the samples.
void check_order(const std::vector<Augmentation>& list) {
  for (std::size_t i = 1; i < list.size(); ++i) {
    if (!is_of_file(list[i])) continue;
    throw InputError(str("augmentation ", in_quotes(text_of(list[i])),
                         ": begins with the picture as it is in its file, but stands behind ",
                         in_quotes(text_of(list[i - 1])), "; write it first"));
  }
  for (std::size_t i = 1; i < list.size(); ++i) {
    if (!definition_of(list[i - 1]).mix || definition_of(list[i]).mix) continue;
    throw InputError(str("augmentation ", in_quotes(text_of(list[i])), " stands behind ",
                         in_quotes(text_of(list[i - 1])), ", which mixes samples; write what mixes last"));
  }
}

/// Of what `check` throws, says which augmentation it is about.
template <class Check>
void about(std::string_view text, Check check) {
  try {
    check();
  } catch (const InputError& e) {
    cannot_read(kKind, text, str(": ", e.what()));
  }
}

}  // namespace

std::vector<std::string> Augmentations::forms() {
  std::vector<std::string> all;
  for (const auto* definition : all_augmentations()) all.push_back(chalk::form_of(form_of(*definition)));
  return all;
}

Augmentations Augmentations::parse(std::string_view text) {
  text = trimmed(text);
  Augmentations all;
  if (text.empty() || text == kNone) return all;
  for (const auto& part : parts_of(text)) {
    const auto& definition = definition_named(name_in(part), part);
    const auto parameters = read_parameters(form_of(definition), part, part);
    about(part, [&] { check_parameters(definition, parameters); });
    all.list_.push_back(Augmentation(definition.name, parameters));
  }
  check_order(all.list_);
  return all;
}

std::string Augmentations::text() const {
  std::string text;
  for (const auto& one : list_) text += str(text.empty() ? "" : ",", text_of(one));
  return text;
}

bool Augmentations::mixes() const {
  return std::ranges::any_of(list_, [](const auto& one) { return definition_of(one).mix != nullptr; });
}

bool Augmentations::of_files() const { return !list_.empty() && is_of_file(list_[0]); }

void Augmentations::check() const {
  for (const auto& one : list_) about(text_of(one), [&] { check_parameters(definition_of(one), one.parameters()); });
  check_order(list_);
}

void Augmentations::check(const Dataset& data) const {
  if (list_.empty()) return;
  check();
  const auto refuse = [&](std::string_view what, const std::string& but) {
    throw InputError(
        str(what, ", and data set ", in_quotes(data.name), " has ", but, "; leave out ", in_quotes(text())));
  };
  if (data.sample.size() != 3)
    refuse("augmentations are for pictures, {channels, rows, columns}", str("samples of ", to_string(data.sample)));
  if (!data.has_bytes()) refuse("augmentations are for pictures in bytes", "numbers");
  for (const auto& one : list_) {
    const auto& definition = definition_of(one);
    about(text_of(one), [&] {
      if (definition.of_colour && data.sample[0] != 3) {
        throw InputError(str("it takes pictures of 3 channels, red, green and blue, and those of ",
                             in_quotes(data.name), " have ", data.sample[0], "; leave it out"));
      }
      if (is_of_file(one) && !data.originals) {
        throw InputError(str("takes parts of pictures from their files, and those of ", in_quotes(data.name),
                             " are in no files of their own; leave out of=file"));
      }
      if (definition.check_size) definition.check_size(one.parameters(), std::min(data.sample[1], data.sample[2]));
    });
  }
}

}  // namespace chalk
