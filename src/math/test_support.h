// What the tests of this room share.
#pragma once

#include <gtest/gtest.h>

#include <cstdio>
#include <string>
#include <string_view>

#include "chalkgrad/check.h"
#include "chalkgrad/error.h"

namespace chalk::math {

inline CheckReport check(std::string_view text, const CheckOptions& options = {}) {
  return check_derivation(text, "test", options);
}

/// One letter a line: v(erified), e(rratum), d(efinition), F(ailed).
inline std::string verdicts(const CheckReport& report) {
  std::string letters;
  for (const auto& line : report.lines) letters += "vedF"[static_cast<std::size_t>(line.verdict)];
  return letters;
}

inline std::string verdicts(std::string_view text) { return verdicts(check(text)); }

/// What went wrong first: "LINE:CHARACTER message", of the text as a whole or of its first failed line; or "nothing".
inline std::string complaint(std::string_view text, const CheckOptions& options = {}) {
  try {
    for (const auto& line : check(text, options).lines) {
      if (line.verdict == Verdict::failed)
        return std::to_string(line.line) + ":" + std::to_string(line.column) + " " + line.message;
    }
  } catch (const InputError& e) {
    int line = 0, column = 0, length = 0;
    const std::string what = e.what();
    if (std::sscanf(what.c_str(), "test: line %d, character %d: %n", &line, &column, &length) != 2) return what;
    return std::to_string(line) + ":" + std::to_string(column) + " " + what.substr(static_cast<std::size_t>(length));
  }
  return "nothing";
}

/// The message of the last line.
inline std::string last_message(std::string_view text) { return check(text).lines.back().message; }

}  // namespace chalk::math
