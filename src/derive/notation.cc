#include "src/derive/notation.h"

#include <algorithm>
#include <array>
#include <set>

#include "chalkgrad/error.h"
#include "src/base/suggest.h"
#include "src/base/text.h"
#include "src/base/wording.h"
#include "src/math/error.h"
#include "src/math/lexer.h"
#include "src/math/symbols.h"
#include "src/net/toml_reader.h"

namespace chalk {
namespace {

struct Letter {
  std::string_view key;
  std::string DerivedNotation::*letter;
  bool numbered;  // the number of a layer follows
};
constexpr std::array<Letter, 10> kLetters{{{"sum", &DerivedNotation::sum, true},
                                           {"activation", &DerivedNotation::activation, true},
                                           {"weight", &DerivedNotation::weight, true},
                                           {"bias", &DerivedNotation::bias, true},
                                           {"scale", &DerivedNotation::scale, true},
                                           {"shift", &DerivedNotation::shift, true},
                                           {"input", &DerivedNotation::input, false},
                                           {"output", &DerivedNotation::output, false},
                                           {"target", &DerivedNotation::target, false},
                                           {"loss", &DerivedNotation::loss, false}}};

struct Book {
  std::string_view name;
  DerivedNotation letters;
};
/// The first one is this program's own: Bishop's softmax and target, Nielsen's z and a.
const std::vector<Book>& books() {
  static const std::vector<Book> all{
      {"chalkgrad", {}},
      {"nielsen", {.weight = "w", .output = "p", .target = "y", .loss = "C"}},
      {"001", {.sum = "s", .activation = "o", .weight = "w", .output = "p", .target = "ystar", .loss = "E"}},
      {"002", {.sum = "a", .activation = "z", .loss = "J", .batch = true}},
      {"004", {.sum = "s", .activation = "o", .weight = "w", .output = "p", .loss = "e"}},
      {"bishop", {.sum = "a", .activation = "z", .weight = "w", .loss = "E"}},
      {"goodfellow", {.sum = "a", .activation = "h", .output = "yhat", .target = "y", .loss = "J"}}};
  return all;
}

/// What is wrong with a name, and what to do; nothing if it can be one.
std::string flaw(const std::string& name, bool numbered) {
  std::vector<math::Token> tokens;
  try {
    tokens = math::lex(name);
  } catch (const math::FormulaError&) {
    tokens.clear();
  }
  if (tokens.size() != 2 || tokens[0].kind != math::Token::Kind::name || tokens[0].primes > 0)
    return "is no name; use letters, as in W, theta or W_out";
  if (math::is_reserved(name) || math::is_builtin(name)) return "is a word of the language; use another name";
  if (name[0] == 'd') return "begins with d, as derivatives do; use another letter";
  if (numbered && name.back() >= '0' && name.back() <= '9')
    return "ends with a digit, where numbers of layers follow; leave the digit out";
  return {};
}

/// As formulas write it: "θ" is theta.
std::string typed(const std::string& name) {
  const auto tokens = math::lex(name);
  return tokens[0].text;
}

DerivedNotation read(std::string_view text, const TomlOrigin& origin) {
  const auto table = parse_toml(text, origin);
  TableReader reader(table, origin, "a notation");
  const auto base = reader.text("base").value_or(std::string(books()[0].name));
  const auto book = std::ranges::find(books(), base, &Book::name);
  if (book == books().end()) {
    reader.fail("base",
                str("is ", in_quotes(base), ", which is no notation; there are ", alternatives(notations(), " and ")));
  }
  DerivedNotation letters = book->letters;
  letters.origin = origin.name;
  const auto checked = [&](std::string_view key, const std::string& name, bool numbered, const TableReader& where) {
    if (const auto wrong = flaw(name, numbered); !wrong.empty())
      where.fail(key, str("is ", in_quotes(name), ", which ", wrong));
    return typed(name);
  };
  for (const auto& [key, letter, numbered] : kLetters) {
    const auto given = reader.text(key);
    if (given) letters.*letter = checked(key, *given, numbered, reader);
  }
  letters.batch = reader.boolean("batch").value_or(letters.batch);
  for (const auto& one : kLetters) {
    for (const auto& other : kLetters) {
      if (&other == &one) break;
      if (letters.*one.letter != letters.*other.letter) continue;
      const auto at = reader.has(one.key) ? one.key : other.key;
      reader.fail(at, str("is ", in_quotes(letters.*one.letter), ", and so is ", at == one.key ? other.key : one.key,
                          "; give one of them another letter"));
    }
  }
  if (const auto* names = reader.node("names")) {
    if (!names->is_table()) reader.fail("names", "must be a table: [names], then W1 = \"V\"");
    TableReader own(*names->as_table(), origin, "names");
    for (const auto& [key, value] : *names->as_table()) {
      const std::string name(key.str());
      letters.names[name] = checked(name, own.text(name).value_or(""), false, own);
    }
  }
  reader.finish();
  return letters;
}

}  // namespace

std::vector<std::string> notations() {
  std::vector<std::string> names;
  for (const auto& each : books()) names.emplace_back(each.name);
  return names;
}

DerivedNotation notation(std::string_view text, std::string_view origin) {
  if (is_toml(text)) return read(text, {std::string(origin)});
  const auto book = std::ranges::find(books(), text, &Book::name);
  if (book != books().end()) return book->letters;
  throw InputError(str("there is no notation ", in_quotes(text), "; there are ", alternatives(notations(), " and ")));
}

namespace calculus {

void rename(std::map<NodeId, std::string>& names, const DerivedNotation& notation) {
  std::set<std::string> all;
  std::vector<std::string> known;
  for (const auto& [id, name] : names) known.push_back(name);
  for (const auto& [from, to] : notation.names) {
    if (std::ranges::find(known, from) != known.end()) continue;
    std::vector<std::string_view> views(known.begin(), known.end());
    throw InputError(str(notation.origin, ": names: no value is called ", in_quotes(from), did_you_mean(from, views),
                         "; there are ", alternatives(known, " and ")));
  }
  for (auto& [id, name] : names) {
    const auto found = notation.names.find(name);
    if (found != notation.names.end()) name = found->second;
    if (all.insert(name).second) continue;
    throw InputError(
        str(notation.origin, ": names: two values are called ", in_quotes(name), "; give one of them another name"));
  }
}

}  // namespace calculus
}  // namespace chalk
