// A check that cannot fail is worse than none: every equation of docs/seeds/*.chalk is broken in every way one slips,
// a sign, an index, a factor, a derivative's prime, and must then be reported as false.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "chalkgrad/check.h"
#include "src/base/test_support.h"
#include "src/math/lexer.h"
#include "src/math/statements.h"

namespace chalk::math {
namespace {

std::string read(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// The derivation with each statement on a line of its own: number k on line 2k + 1.
std::vector<std::string> one_liners(const std::string& text) {
  std::vector<std::string> lines;
  for (const auto& statement : split_statements(text)) {
    auto line = statement.text;
    std::replace(line.begin(), line.end(), '\n', ' ');
    lines.push_back(line);
  }
  return lines;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const auto& line : lines) text += line + "\n\n";
  return text;
}

std::size_t byte_of(const std::string& text, int column) {
  std::size_t at = 0;
  for (int n = 1; n < column; ++n) {
    ++at;
    while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U) ++at;
  }
  return at;
}

struct Mutant {
  std::string kind, text;
  std::string dropped{};  // a factor that is gone
};

class Mutator {
 public:
  explicit Mutator(const std::string& line) : line_(line), tokens_(lex(line)) {}

  std::vector<Mutant> run() {
    std::vector<bool> bracket;  // for each open one, whether it holds indices
    std::set<std::string> indices;
    std::vector<std::size_t> places;  // tokens that are indices
    for (std::size_t k = 0; k + 1 < tokens_.size(); ++k) {
      const auto& t = tokens_[k];
      if (is(k, "[") || is(k, "(")) {
        const bool after_value =
            k > 0 && (tokens_[k - 1].kind == Token::Kind::name || is(k - 1, ")") || is(k - 1, "]"));
        bracket.push_back(is(k, "[") && after_value);
      }
      if ((is(k, "]") || is(k, ")")) && !bracket.empty()) bracket.pop_back();
      if (t.kind == Token::Kind::name && !bracket.empty() && bracket.back()) {
        indices.insert(t.text);
        places.push_back(k);
      }
      if (t.kind == Token::Kind::name && t.text == "for") break;  // ranges follow
      sign(k);
      primes(k);
      factor(k);
    }
    for (const auto k : places) {
      for (const auto& other : indices) {
        if (other != tokens_[k].text && !tied(other, tokens_[k].text)) {
          add("index", k, k, other);
          break;
        }
      }
    }
    return std::move(mutants_);
  }

 private:
  bool is(std::size_t k, std::string_view symbol) const {
    return tokens_[k].kind == Token::Kind::symbol && tokens_[k].text == symbol;
  }
  /// Token k is a symbol that ends an operand.
  bool ends_operand(std::size_t k) const {
    return tokens_[k].kind == Token::Kind::name || tokens_[k].kind == Token::Kind::number || is(k, ")") || is(k, "]");
  }

  /// The line with tokens first … last replaced.
  void add(const char* kind, std::size_t first, std::size_t last, const std::string& by) {
    const auto begin = byte_of(line_, tokens_[first].place.column);
    const auto end = byte_of(line_, tokens_[last].place.column + tokens_[last].place.length);
    mutants_.push_back({kind, line_.substr(0, begin) + by + line_.substr(end)});
  }

  void sign(std::size_t k) {
    if (is(k, "+") || is(k, "-")) {
      const bool binary = k > 0 && ends_operand(k - 1);
      add("sign", k, k, is(k, "+") ? "-" : binary ? "+" : "");
    }
    if (is(k, "=") && k + 1 < tokens_.size() && !is(k + 1, "-") && depth(k) == 0) add("sign", k, k, "= -");
  }

  void primes(std::size_t k) {
    if (tokens_[k].primes > 0 && (is(k + 1, "(") || is(k + 1, "["))) add("prime", k, k, tokens_[k].text);
  }

  /// "*value[…]", "*f(…)" or "*dy[…]/dx[…]" goes.
  void factor(std::size_t k) {
    if (!is(k, "*") || tokens_[k + 1].kind != Token::Kind::name) return;
    auto last = end_of_name(k + 1);
    const bool derivative = tokens_[k + 1].text[0] == 'd' && is(last + 1, "/") && tokens_[last + 2].text[0] == 'd';
    if (derivative) last = end_of_name(last + 2);
    if (is(last + 1, "/") || is(last + 1, "^")) return;
    add("factor", k, last, "");
    const auto begin = byte_of(line_, tokens_[k + 1].place.column);
    const auto end = byte_of(line_, tokens_[last].place.column + tokens_[last].place.length);
    mutants_.back().dropped = line_.substr(begin, end - begin);
  }

  /// The last token of a name with what stands in brackets behind it.
  std::size_t end_of_name(std::size_t last) const {
    while (last + 1 < tokens_.size() && (is(last + 1, "[") || is(last + 1, "("))) {
      int open = 0;
      do {
        ++last;
        if (is(last, "[") || is(last, "(")) ++open;
        if (is(last, "]") || is(last, ")")) --open;
      } while (open > 0);
    }
    return last;
  }

  int depth(std::size_t k) const {
    int open = 0;
    for (std::size_t i = 0; i < k; ++i) {
      if (is(i, "[") || is(i, "(")) ++open;
      if (is(i, "]") || is(i, ")")) --open;
    }
    return open;
  }

  /// A delta or bracket makes the two indices the same, so that exchanging them changes nothing.
  bool tied(const std::string& a, const std::string& b) const {
    for (std::size_t k = 0; k + 5 < tokens_.size(); ++k) {
      if (tokens_[k].text != "delta" && !is(k, "[")) continue;
      std::set<std::string> inside;
      for (auto i = k + 1; i < tokens_.size() && !is(i, "]") && !is(i, ")"); ++i) inside.insert(tokens_[i].text);
      const bool compares = tokens_[k].text == "delta" || inside.count("=") > 0;
      if (compares && inside.count(a) > 0 && inside.count(b) > 0) return true;
    }
    return false;
  }

  const std::string& line_;
  std::vector<Token> tokens_;
  std::vector<Mutant> mutants_;
};

/// Changes that leave an equation true, and why.
constexpr std::array<std::string_view, 2> kStillTrue{
    // the derivative of z3[i] by W3[a,…] is 0 unless i = a
    "= sum(h, dS/dy[h]*sum(i, dy[h]/dz3[a]*dz3[i]/dW3[a,f,g]))",
    // the target's probabilities sum to 1
    "= a2[f,g]*(y[a] - sum(h, t[h]*δ(a,h)))",
};

class BrokenEquations : public testing::TestWithParam<const char*> {};

TEST_P(BrokenEquations, AreReportedAsFalse) {
  const std::string name = GetParam();
  const auto lines =
      one_liners(read(std::filesystem::path(CHALKGRAD_SOURCE_DIR) / "docs" / "seeds" / (name + ".chalk")));
  const auto whole = check_derivation(joined(lines), name);
  ASSERT_EQ(whole.failed, 0u);
  std::map<int, const CheckedLine*> rows;
  for (const auto& row : whole.lines) rows[row.line] = &row;

  const auto is_verified = [&](std::size_t k) {
    const auto row = rows.find(static_cast<int>(2 * k + 1));
    return row != rows.end() && row->second->verdict == Verdict::verified && !lines[k].starts_with("corrected");
  };
  auto definitions = lines;  // what equations need of each other: reading those as well would take most of the time
  for (std::size_t k = 0; k < lines.size(); ++k) {
    if (is_verified(k)) definitions[k].clear();
  }

  std::size_t mutants = 0, seen = 0;
  for (std::size_t k = 0; k < lines.size(); ++k) {
    const int number = static_cast<int>(2 * k + 1);
    const bool correction = lines[k].starts_with("corrected");
    if (!correction && !is_verified(k)) continue;
    for (const auto& mutant : Mutator(lines[k]).run()) {
      if (std::find(kStillTrue.begin(), kStillTrue.end(), mutant.text) != kStillTrue.end()) continue;
      if (seen++ % testing_support::one_in() != 0) continue;
      auto broken = definitions;
      broken[k] = mutant.text;
      const auto report = check_derivation(joined(broken), name, {.only_line = number});
      ++mutants;
      if (report.failed == 0 && !mutant.dropped.empty()) {  // nothing is lost with a factor that is 1, as da/db
        broken[k] = (correction ? "corrected " : "") + mutant.dropped + " = 1";
        if (check_derivation(joined(broken), name, {.only_line = number}).failed == 0) continue;
      }
      EXPECT_EQ(report.failed, 1u) << name << ": the " << mutant.kind << " is wrong in\n  " << mutant.text
                                   << "\nwhich was\n  " << lines[k];
    }
  }
  EXPECT_GT(seen, 50u);
  RecordProperty("mutants", static_cast<int>(mutants));
}

/// Of the broken equations, how many are answered with an edit that makes them true.
TEST(OfferedEdits, MendNineInTenBrokenEquations) {
  const bool every = std::getenv("CHALKGRAD_EVERY_MUTANT");  // 40 seconds; else a few
  const std::size_t one_in = every ? 1 : 36 * testing_support::one_in();
  std::size_t seen = 0, mended = 0, broken_ones = 0;
  for (const std::string name : {"000", "001", "002", "003", "004"}) {
    const auto lines =
        one_liners(read(std::filesystem::path(CHALKGRAD_SOURCE_DIR) / "docs" / "seeds" / (name + ".chalk")));
    std::map<int, Verdict> verdicts;
    for (const auto& row : check_derivation(joined(lines), name).lines) verdicts[row.line] = row.verdict;
    for (std::size_t k = 0; k < lines.size(); ++k) {
      const int number = static_cast<int>(2 * k + 1);
      const auto verdict = verdicts.find(number);
      if (verdict == verdicts.end() || verdict->second != Verdict::verified) continue;
      for (const auto& mutant : Mutator(lines[k]).run()) {
        if (seen++ % one_in != 0) continue;
        auto broken = lines;
        broken[k] = mutant.text;
        const auto report = check_derivation(joined(broken), name, {.offer = true, .only_line = number});
        const auto row = std::ranges::find_if(report.lines, [&](const auto& each) { return each.line == number; });
        if (row == report.lines.end() || row->verdict != Verdict::failed) continue;  // it is true all the same
        ++broken_ones;
        mended += row->offer.empty() ? 0 : 1;
      }
    }
  }
  std::printf("%zu of %zu broken equations are answered with an edit that mends them\n", mended, broken_ones);
  EXPECT_GT(broken_ones, 40 / testing_support::one_in());
  EXPECT_GE(static_cast<double>(mended), 0.9 * static_cast<double>(broken_ones));
}

INSTANTIATE_TEST_SUITE_P(Seeds, BrokenEquations, testing::Values("000", "001", "002", "003", "004"),
                         [](const auto& each) { return std::string("Document") + each.param; });

}  // namespace
}  // namespace chalk::math
