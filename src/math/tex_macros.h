// Macros of LaTeX: how they are defined, and those that documents use without defining them.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "src/base/text.h"

namespace chalk::math {

/// What \newcommand, \def, \DeclareMathOperator and their kin say, by name without the backslash.
struct TexMacro {
  int parameters = 0;
  bool optional = false;  // the first parameter has a default
  std::string first{};    // that default
  std::string body{};
};
using TexMacros = std::map<std::string, TexMacro, std::less<>>;

/// Reads the definition of a macro at the beginning of `text` ("\newcommand{\R}[1]{…}"); how many bytes it has, or 0 if
/// it is none that can be read.
std::size_t read_macro(std::string_view text, TexMacros& macros);

/// Of packages that many use: \pdv and \dv of physics, \norm, \abs; null for any other name.
const TexMacro* usual_macro(std::string_view name);

/// Of LaTeX.
inline bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// Text in braces at `at`, which moves behind it; nothing if there are none.
std::string_view braced(std::string_view text, std::size_t& at);
/// The length of a command's name behind its backslash.
std::size_t name_length(std::string_view text);

}  // namespace chalk::math
