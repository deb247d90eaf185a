// What the tests of this room share.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chalkgrad/check.h"
#include "chalkgrad/error.h"
#include "src/math/declarations.h"
#include "src/math/elaborate.h"
#include "src/math/equation.h"
#include "src/math/error.h"
#include "src/math/evaluate.h"
#include "src/math/part.h"
#include "src/math/statements.h"

namespace chalk::math {

inline CheckReport check(std::string_view text, const CheckOptions& options = {}) {
  return check_derivation(text, "test", options);
}

/// One letter a line: v(erified), e(rratum), d(efinition), F(ailed), (e)x(cept).
inline std::string verdicts(const CheckReport& report) {
  std::string letters;
  for (const auto& line : report.lines) letters += "vedFx"[static_cast<std::size_t>(line.verdict)];
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

/// Where a formula was refused and why, "CHARACTER message", or "nothing".
template <class Read>
std::string refusal(Read read) {
  try {
    read();
  } catch (const FormulaError& e) {
    return std::to_string(e.place().column) + " " + e.what();
  }
  return "nothing";
}

/// A test's name for a text of this language, in letters, digits and underscores; the number keeps names apart.
inline std::string spoken(std::string_view text, std::size_t number) {
  static constexpr std::pair<std::string_view, std::string_view> kWords[] = {
      {":=", "becomes"}, {".*", "times"}, {"./", "over"},     {"=", "is"},  {"+", "plus"},
      {"-", "minus"},    {"*", "times"},  {"/", "over"},      {"@", "dot"}, {"^", "to"},
      {"'", "prime"},    {"[", "at"},     {"\u03b4", "delta"}};
  std::string name = std::to_string(number);
  if (text.empty()) name += "_nothing";
  for (bool apart = true; !text.empty() && name.size() < 70;) {
    const auto word = std::ranges::find_if(kWords, [&](const auto& w) { return text.starts_with(w.first); });
    const bool kept = std::isalnum(static_cast<unsigned char>(text.front())) != 0;
    if (word != std::end(kWords)) {
      name.append("_").append(word->second);
    } else if (kept) {
      name.append(apart ? "_" : "").append(1, text.front());
    }
    apart = !kept;
    text.remove_prefix(word == std::end(kWords) ? 1 : word->first.size());
  }
  return name;
}

/// Declarations, and formulas about them in numbers.
class Bench {
 public:
  explicit Bench(std::string_view declarations) {
    for (const auto& s : split_statements(declarations)) {
      Tokens tokens(lex(s.text, s.place.line, s.place.column));
      if (!declare(part_, tokens, s.text)) throw std::logic_error(s.text + " declares nothing");
    }
  }

  int symbol(std::string_view name) const { return part_.symbols.find_value(name); }
  const Symbol& operator[](std::string_view name) const { return part_.symbols[symbol(name)]; }
  Trial& trial() { return part_.trial(1, 0, 1e-3); }
  const std::vector<double>& value(std::string_view name) { return trial().value(symbol(name), {}); }

  /// Over the free indices in alphabetical order, then over the axes of a vector or matrix. `values`: of trial() if
  /// null.
  std::vector<double> numbers(std::string_view formula, Values* values = nullptr) {
    Elaborator elaborator(part_.symbols, part_.indices);
    part_.indices.begin_statement();
    Tokens tokens(lex(formula));
    const auto e = parse_formula(tokens, part_.symbols);
    apply(read_ranges(tokens), elaborator, part_.indices);
    expect_end(tokens);
    const auto read = elaborator.run(e);
    elaborator.settle();
    std::vector<int> axes;
    for (const auto& [name, id] : elaborator.free()) axes.push_back(id);
    for (const int axis : read.axes) {
      if (axis >= 0) axes.push_back(axis);
    }
    auto& from = values ? *values : trial();
    from.spent(0);
    return spread(Evaluator(part_.symbols, part_.indices, from).run(read.body), axes, part_.indices);
  }
  double number(std::string_view formula) { return numbers(formula).at(0); }

  /// The formula's change with each number of a drawn value, by central differences: derivatives of the formula's
  /// first number by all numbers of the value, then of its second …
  std::vector<double> differences(std::string_view formula, std::string_view by, double step) {
    const int id = symbol(by);
    const auto at = trial().value(id, {});
    std::vector<std::vector<double>> columns;
    for (std::size_t k = 0; k < at.size(); ++k) {
      auto up = at, down = at;
      up[k] += step;
      down[k] -= step;
      const auto above = numbers(formula, trial().with({{id, up}}).get());
      const auto below = numbers(formula, trial().with({{id, down}}).get());
      columns.emplace_back();
      for (std::size_t i = 0; i < above.size(); ++i) columns.back().push_back((above[i] - below[i]) / (2 * step));
    }
    std::vector<double> rows;
    for (std::size_t i = 0; i < columns[0].size(); ++i) {
      for (const auto& column : columns) rows.push_back(column[i]);
    }
    return rows;
  }

 private:
  Part part_;
};

/// Matches numbers that are nearly these.
inline testing::AssertionResult near(const std::vector<double>& found, const std::vector<double>& wanted,
                                     double tolerance = 1e-12) {
  if (found.size() != wanted.size())
    return testing::AssertionFailure() << found.size() << " numbers, not " << wanted.size();
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (!(std::abs(found[i] - wanted[i]) <= tolerance * std::max(1.0, std::abs(wanted[i]))))
      return testing::AssertionFailure() << "number " << i << " is " << found[i] << ", not " << wanted[i];
  }
  return testing::AssertionSuccess();
}

}  // namespace chalk::math
