#include "src/math/lexer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "src/base/text.h"
#include "src/base/utf8.h"
#include "src/base/wording.h"
#include "src/math/error.h"

namespace chalk::math {
namespace {

constexpr std::size_t kLongestName = 60;
constexpr int kMostPrimes = 4;

bool is_ascii(char c) { return (static_cast<unsigned char>(c) & 0x80U) == 0; }
bool is_letter_of_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

/// Longest first, so that the first that fits is meant.
constexpr std::array<std::string_view, 26> kSymbols{"||", ":=", "<=", ">=", "!=", "==", "~=", "..", ".*",
                                                    "./", "**", "+",  "-",  "*",  "/",  "^",  "(",  ")",
                                                    "[",  "]",  ",",  "=",  "<",  ">",  "@",  ":"};

struct Spelling {
  std::string_view character, ascii;
};
constexpr std::array<Spelling, 19> kSpellings{{{"·", "*"},
                                               {"⋅", "*"},
                                               {"∗", "*"},
                                               {"×", "*"},
                                               {"÷", "/"},
                                               {"∕", "/"},
                                               {"⁄", "/"},
                                               {"−", "-"},
                                               {"–", "-"},
                                               {"⊙", ".*"},
                                               {"∘", ".*"},
                                               {"ᵀ", "^T"},
                                               {"≠", "!="},
                                               {"≤", "<="},
                                               {"≥", ">="},
                                               {"≈", "~="},
                                               {"…", ".."},
                                               {"≔", ":="},
                                               {"‖", "||"}}};

/// What an exponent is written with, above the line: x² is x^2, x⁻¹² is x^-12.
constexpr std::array<Spelling, 12> kSuperscripts{{{"⁰", "0"},
                                                  {"¹", "1"},
                                                  {"²", "2"},
                                                  {"³", "3"},
                                                  {"⁴", "4"},
                                                  {"⁵", "5"},
                                                  {"⁶", "6"},
                                                  {"⁷", "7"},
                                                  {"⁸", "8"},
                                                  {"⁹", "9"},
                                                  {"⁻", "-"},
                                                  {"⁺", "+"}}};

/// What could have been meant by characters that mean nothing.
constexpr std::array<Spelling, 6> kHints{{{"ⁿ", "write ^n"},
                                          {"ⁱ", "write ^i"},
                                          {"√", "write sqrt(…)"},
                                          {"½", "write 1/2"},
                                          {"|", "write abs(…)"},
                                          {"\\", "write α or alpha for \\alpha, sum(i, …) for \\sum_i"}}};

/// The bytes of the character that begins the text: 1 for what is not UTF-8.
std::size_t length_of_character(std::string_view text) {
  std::size_t n = 1;
  while (n < text.size() && n < 4 && !begins_character(text[n])) ++n;
  return is_ascii(text[0]) ? 1 : n;
}

/// Letters and what one would type for them.
constexpr std::array<Spelling, 37> kLetters{
    {{"α", "alpha"}, {"β", "beta"},  {"γ", "gamma"}, {"δ", "delta"},  {"ε", "epsilon"}, {"ζ", "zeta"},   {"η", "eta"},
     {"θ", "theta"}, {"ι", "iota"},  {"κ", "kappa"}, {"λ", "lambda"}, {"μ", "mu"},      {"ν", "nu"},     {"ξ", "xi"},
     {"π", "pi"},    {"ρ", "rho"},   {"σ", "sigma"}, {"τ", "tau"},    {"υ", "upsilon"}, {"φ", "phi"},    {"χ", "chi"},
     {"ψ", "psi"},   {"ω", "omega"}, {"Γ", "Gamma"}, {"Δ", "Delta"},  {"Θ", "Theta"},   {"Λ", "Lambda"}, {"Ξ", "Xi"},
     {"Π", "prod"},  {"Σ", "sum"},   {"Φ", "Phi"},   {"Ψ", "Psi"},    {"Ω", "Omega"},   {"∂", "d"},      {"∑", "sum"},
     {"∏", "prod"},  {"∆", "Delta"}}};

/// The one that begins the text, which is not empty; null if none does.
template <std::size_t N>
const Spelling* spelling_at(std::string_view text, const std::array<Spelling, N>& spellings) {
  if (is_ascii(text[0])) return nullptr;  // most are, and derivations are read many times by their tests
  const auto found = std::find_if(spellings.begin(), spellings.end(),
                                  [&](const auto& spelling) { return text.starts_with(spelling.character); });
  return found == spellings.end() ? nullptr : found;
}

class Lexer {
 public:
  Lexer(std::string_view text, int line, int column) : text_(text), line_(line), column_(column) {}

  std::vector<Token> run() {
    std::vector<Token> tokens;
    for (;;) {
      skip_space();
      begin_ = {line_, column_, 1};
      if (at_ == text_.size()) break;
      if (spelling_at(text_.substr(at_), kSuperscripts)) {
        superscript(tokens);
        continue;
      }
      add(tokens, next());
    }
    Token end;
    end.place = begin_;
    tokens.push_back(end);
    return tokens;
  }

 private:
  void skip_space() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '\n') {
        ++line_, column_ = 1, ++at_;
      } else if (c == ' ' || c == '\t' || c == '\r') {
        ++column_, ++at_;
      } else {
        return;
      }
    }
  }

  void take(std::size_t bytes) {
    column_ += static_cast<int>(characters(text_.substr(at_, bytes)));
    at_ += bytes;
  }

  /// Puts the token behind the others, with its place.
  void add(std::vector<Token>& tokens, Token token) const {
    token.place = begin_;
    token.place.length = std::max(1, column_ - begin_.column);
    tokens.push_back(std::move(token));
  }

  /// x² as "^" and "2", x⁻¹ as "^", "-" and "1".
  void superscript(std::vector<Token>& tokens) {
    std::string digits;
    while (at_ < text_.size()) {
      const auto* spelling = spelling_at(text_.substr(at_), kSuperscripts);
      if (!spelling) break;
      digits += spelling->ascii;
      take(spelling->character.size());
    }
    const auto sign = digits.find_last_not_of("0123456789");
    const bool readable = digits.size() < 10 && digits.back() >= '0' && (sign == std::string::npos || sign == 0);
    const auto begin = begin_;
    skip_space();
    const auto rest = text_.substr(at_);
    const bool again = rest.starts_with('^') || rest.starts_with("**");
    begin_ = begin;
    if (!readable || again)
      throw FormulaError(begin_, str("this exponent is not understood; write x^2 for x², ",
                                     again ? "(x^2)^3 for a power of a power" : "x^(-2) for x⁻²"));
    Token token;
    token.kind = Token::Kind::symbol;
    for (const std::string_view symbol : {"^", "-", "+"}) {
      if (symbol != "^" && !digits.starts_with(symbol)) continue;
      token.text = symbol;
      if (symbol != "+") add(tokens, token);
    }
    token.kind = Token::Kind::number;
    token.text = digits.substr(sign == 0 ? 1 : 0);
    token.number = static_cast<double>(std::stoi(token.text));
    add(tokens, token);
  }

  Token next() {
    const auto rest = text_.substr(at_);
    if (is_digit(rest[0])) return a_number();
    if (is_letter_of_name(rest[0]) || spelling_at(rest, kLetters)) return a_name();
    if (rest[0] == '"') return a_text();
    Token token;
    token.kind = Token::Kind::symbol;
    if (const auto* spelling = spelling_at(rest, kSpellings)) {
      token.text = spelling->ascii;
      take(spelling->character.size());
      return token;
    }
    for (const auto symbol : kSymbols) {
      if (!rest.starts_with(symbol)) continue;
      token.text = symbol == "**" ? "^" : symbol;
      take(symbol.size());
      return token;
    }
    if (rest[0] == '\'') throw FormulaError(begin_, "a ' must follow the name of a function or value directly");
    const auto hint =
        std::find_if(kHints.begin(), kHints.end(), [&](const auto& each) { return rest.starts_with(each.character); });
    throw FormulaError(begin_, str(in_quotes(rest.substr(0, length_of_character(rest))), " cannot stand in a formula; ",
                                   hint == kHints.end() ? "docs/check.md lists what can" : hint->ascii));
  }

  Token a_number() {
    Token token;
    token.kind = Token::Kind::number;
    std::size_t n = 0;
    const auto rest = text_.substr(at_);
    const auto digits = [&] {
      while (n < rest.size() && is_digit(rest[n])) ++n;
    };
    digits();
    if (n + 1 < rest.size() && rest[n] == '.' && is_digit(rest[n + 1])) ++n, digits();  // and not the .. of a range
    if (n < rest.size() && (rest[n] == 'e' || rest[n] == 'E')) {
      auto k = n + 1;
      if (k < rest.size() && (rest[k] == '-' || rest[k] == '+')) ++k;
      if (k < rest.size() && is_digit(rest[k])) n = k, digits();
    }
    const auto result = std::from_chars(rest.data(), rest.data() + n, token.number);
    if (result.ec != std::errc() || !std::isfinite(token.number))
      throw FormulaError(begin_, str(in_quotes(rest.substr(0, n)), " is too large or too small for a number"));
    token.text = rest.substr(0, n);
    take(n);
    return token;
  }

  Token a_name() {
    Token token;
    token.kind = Token::Kind::name;
    while (at_ < text_.size()) {
      if (is_letter_of_name(text_[at_]) || is_digit(text_[at_])) {
        token.text += text_[at_];
        take(1);
      } else if (const auto* letter = spelling_at(text_.substr(at_), kLetters)) {
        token.text += letter->ascii;
        take(letter->character.size());
      } else {
        break;
      }
    }
    if (token.text.size() > kLongestName)
      throw FormulaError(begin_, str("a name of ", token.text.size(), " letters; names have at most ", kLongestName));
    while (at_ < text_.size() && (text_[at_] == '\'' || text_.substr(at_).starts_with("′"))) {
      if (++token.primes > kMostPrimes)
        throw FormulaError(begin_, str("more than ", kMostPrimes, " primes; use another name"));
      take(text_[at_] == '\'' ? 1 : std::string_view("′").size());
    }
    return token;
  }

  Token a_text() {
    Token token;
    token.kind = Token::Kind::text;
    const auto end = text_.find('"', at_ + 1);
    if (end == std::string_view::npos) throw FormulaError(begin_, "a text that begins here has no second \"");
    token.text = text_.substr(at_ + 1, end - at_ - 1);
    take(end + 1 - at_);
    return token;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int line_, column_;
  Place begin_{};
};

}  // namespace

std::string_view typed(std::string_view text) {
  const auto* spelling = text.empty() ? nullptr : spelling_at(text, kSpellings);
  return spelling ? spelling->ascii : std::string_view();
}

std::string_view typed_letter(std::string_view text) {
  const auto* spelling = text.empty() ? nullptr : spelling_at(text, kLetters);
  return spelling ? spelling->ascii : std::string_view();
}

std::string_view typed_letter_named(std::string_view name) {
  if (name == "d" || name == "sum" || name == "prod") return {};
  if (name.starts_with("var")) name.remove_prefix(3);  // \varepsilon
  const auto found = std::ranges::find_if(kLetters, [&](const auto& each) { return each.ascii == name; });
  return found == kLetters.end() ? std::string_view() : found->ascii;
}

std::vector<Token> lex(std::string_view text, int line, int column) { return Lexer(text, line, column).run(); }

}  // namespace chalk::math
