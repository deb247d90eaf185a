// What holds of everything that judges derivations, whatever is written in them.
#pragma once

#include <stdexcept>
#include <string_view>
#include <utility>

#include "chalkgrad/check.h"
#include "chalkgrad/error.h"

/// Throws std::logic_error unless each line has a verdict, a place and, if it is false, a reason.
inline void check(const chalk::CheckReport& report) {
  if (report.verified + report.errata + report.definitions + report.failed + report.excepted != report.lines.size())
    throw std::logic_error("a line without a verdict");
  for (const auto& line : report.lines) {
    if (line.line < 1) throw std::logic_error("a line that is nowhere");
    if (line.verdict == chalk::Verdict::failed && line.message.empty()) throw std::logic_error("false without a why");
  }
}

/// Calls f. An error must be an InputError that says where it is.
template <class F>
void with_places(F f) {
  try {
    f();
  } catch (const chalk::InputError& e) {
    if (std::string_view(e.what()).find(": line ") == std::string_view::npos)
      throw std::logic_error("an error without a place");
  }
}

/// The two texts that a line "----" divides; the second is empty if there is none.
inline std::pair<std::string_view, std::string_view> divided(std::string_view all) {
  const auto first = all.substr(0, all.find("\n----\n"));
  return {first, first.size() < all.size() ? all.substr(first.size() + 6) : std::string_view()};
}
