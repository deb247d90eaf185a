// The small language of schedules, averages and augmentations: NAME:VALUE,…,PARAMETER=VALUE,…
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "chalkgrad/attributes.h"

namespace chalk {

/// How one of a family is written.
struct ParametersForm {
  std::string_view family;     ///< "schedule": what messages begin with
  std::string_view name;       ///< "step"; empty: numbers alone are written, without a colon before them
  const Attributes& defaults;  ///< its parameters: numbers, lists of numbers, and choices of words
  std::size_t nameless = 0;    ///< how many of them are written first and without their names. A list takes all numbers
                               ///< without names
  bool spare = false;  ///< of the nameless ones, those are left out that have their defaults, need not be given, and
                       ///< are followed by no others
};

/// With its nameless parameters: "step:EPOCHS,FACTOR".
std::string form_of(const ParametersForm& form);
/// What stands before the first colon of a text.
std::string_view name_in(std::string_view text);
/// The parameters of NAME or NAME:…, in their ranges. Throws InputError saying what is wrong: 'FAMILY "TEXT": …', where
/// `text` is all that was written.
Attributes read_parameters(const ParametersForm& form, std::string_view written, std::string_view text);
/// What read_parameters() reads as these parameters. Those that are named and have their defaults are left out.
std::string written(const ParametersForm& form, const Attributes& parameters);
/// Throws InputError 'FAMILY "TEXT"WHAT'.
[[noreturn]] void cannot_read(std::string_view family, std::string_view text, const std::string& what);

}  // namespace chalk
