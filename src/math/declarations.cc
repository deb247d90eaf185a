#include "src/math/declarations.h"

#include <algorithm>
#include <cmath>

#include "src/base/text.h"
#include "src/base/wording.h"
#include "src/math/elaborate.h"
#include "src/math/equation.h"
#include "src/math/error.h"
#include "src/math/print.h"
#include "src/math/substitute.h"

namespace chalk::math {
namespace {

constexpr std::int64_t kMostElementsOfValue = std::int64_t{1} << 22;
constexpr std::int64_t kMostSamples = 256;

class DeclarationReader {
 public:
  DeclarationReader(Part& part, Tokens& tokens) : part_(part), t_(tokens) {}

  std::optional<Declaration> read(const std::string& text) {
    const Place place = t_.peek().place;
    Declaration as_written{.text = text, .latex = {}, .mathml = {}};
    if (t_.take_word("network")) {
      network(place);
    } else if (t_.at_word("optimizer") && t_.peek(1).kind == Token::Kind::name && t_.at("(", 2)) {
      t_.next();
      part_.system.add_update(t_, part_.symbols);
      part_.trials.clear();
    } else if (t_.take_word("samples")) {
      samples();
    } else if (t_.take_word("given")) {
      given();
    } else if (t_.take_word("functions")) {
      functions();
    } else if (chooses_domain()) {
      domain();
    } else if (defines()) {
      return definition();
    } else {
      return std::nullopt;
    }
    return as_written;
  }

 private:
  /// NAME, NAME in …
  bool chooses_domain() const {
    std::size_t k = 0;
    while (t_.peek(k).kind == Token::Kind::name && t_.at(",", k + 1)) k += 2;
    return t_.peek(k).kind == Token::Kind::name && t_.at_word("in", k + 1);
  }

  /// There is a := outside brackets.
  bool defines() const {
    int depth = 0;
    for (std::size_t k = 0; t_.peek(k).kind != Token::Kind::end; ++k) {
      if (t_.at("(", k) || t_.at("[", k)) ++depth;
      if (t_.at(")", k) || t_.at("]", k)) --depth;
      if (depth == 0 && t_.at(":=", k)) return true;
    }
    return false;
  }

  void network(Place place) {
    if (!part_.system.empty()) throw FormulaError(place, "a second network; begin it with a line \"part NAME\"");
    part_.system.build(t_, part_.symbols);
  }

  void samples() {
    const Place place = t_.peek().place;
    const auto count = t_.whole_number("the number of samples");
    expect_end(t_);
    if (count < 2 || count > kMostSamples)
      throw FormulaError(place, str("from 2 to ", kMostSamples, " samples; without this line there is one"));
    if (!part_.system.empty())
      throw FormulaError(place, "the number of samples must be said first, before the network");
    part_.system = System(count);
  }

  /// given t: 4 distribution; given a, b in 0..1; given alpha small
  void given() {
    std::vector<std::pair<std::string, Place>> names;
    do {
      const Token token = t_.peek();
      t_.next();
      if (token.kind != Token::Kind::name) throw FormulaError(token.place, "a name expected after given");
      names.emplace_back(token.text + std::string(static_cast<std::size_t>(token.primes), '\''), token.place);
    } while (t_.take(","));
    Symbol symbol;
    if (t_.take(":")) symbol.extents = read_shape(t_);
    std::erase(symbol.extents, 1);
    symbol.domain = read_domain(symbol.extents);
    expect_end(t_);
    for (const auto& [name, place] : names) {
      symbol.name = name;
      part_.symbols.add(symbol, place);
    }
  }

  Domain read_domain(const Shape& extents) {
    Domain domain;
    const Place place = t_.peek().place;
    if (t_.take_word("in")) {
      domain.chosen = true;
      domain.low = real();
      t_.expect("..", "\"..\"");
      domain.high = real();
      domain.whole = t_.take_word("whole");
      if (domain.whole && (domain.low != std::floor(domain.low) || domain.high != std::floor(domain.high)))
        throw FormulaError(place, "whole numbers begin and end with one; write in 0..2 whole");
      if (!(domain.low < domain.high)) throw FormulaError(place, "the range is empty; write in 0..1");
    } else if (t_.take_word("distribution")) {
      domain.distribution = true;
      domain.low = 0.1, domain.high = 1;
    } else if (t_.at_word("one") && t_.at("-", 1) && t_.at_word("hot", 2)) {
      t_.next(), t_.next(), t_.next();
      domain.one_hot = true;
    } else if (t_.take_word("small")) {
      domain.small = true;
      if (!extents.empty()) throw FormulaError(place, "only a number can be small, not a vector");
    }
    if ((domain.one_hot || domain.distribution) && extents.empty())
      throw FormulaError(place, str("this needs a shape: given t: 4 ", domain.one_hot ? "one-hot" : "distribution"));
    return domain;
  }

  double real() {
    const double sign = t_.take("-") ? -1 : 1;
    if (t_.peek().kind != Token::Kind::number) t_.expect("a number", "a number");
    return sign * t_.next().number;
  }

  /// W1, b1 in 0.1..1
  void domain() {
    std::vector<int> ids;
    do {
      const Token token = t_.peek();
      t_.next();
      const int id = part_.symbols.find_value(token.text, token.primes);
      if (id < 0)
        throw FormulaError(token.place, str(in_quotes(token.text), " is not a value that is known here",
                                            part_.symbols.suggestion(token.text)));
      if (part_.symbols[id].kind != Symbol::Kind::drawn)
        throw FormulaError(
            token.place,
            str(token.text, " follows from other values; only inputs, parameters and given values can be chosen"));
      ids.push_back(id);
    } while (t_.take(","));
    const auto begin = t_.position();
    for (const int id : ids) {
      t_.position(begin);
      part_.symbols[id].domain = read_domain(part_.symbols[id].extents);
    }
    expect_end(t_);
    part_.trials.clear();
  }

  /// functions f = sigmoid, tanh, relu
  void functions() {
    Symbol symbol;
    const Place place = t_.peek().place;
    symbol.kind = Symbol::Kind::functions;
    symbol.name = t_.name("the name of the functions");
    t_.expect("=", "\"=\"");
    do {
      const Place each = t_.peek().place;
      symbol.names.emplace_back(canonical(t_.name("a function")));
      if (!is_builtin(symbol.names.back()))
        throw FormulaError(each,
                           str(in_quotes(symbol.names.back()), " is not a function; there are ", builtin_names()));
    } while (t_.take(","));
    expect_end(t_);
    part_.symbols.add(std::move(symbol), place);
  }

  /// f(x) := …, v[i,j] := …, V := …
  Declaration definition() {
    auto& symbols = part_.symbols;
    Symbol symbol;
    const Token token = t_.peek();
    if (token.kind != Token::Kind::name) t_.fail("a name expected before :=");
    t_.next();
    symbol.name = token.text + std::string(static_cast<std::size_t>(token.primes), '\'');
    if (symbols.find(symbol.name) >= 0 || is_reserved(symbol.name) || is_builtin(symbol.name))
      throw FormulaError(token.place, str(in_quotes(symbol.name), " has a meaning already; use another name"));
    part_.indices.begin_statement();
    Elaborator elaborator(symbols, part_.indices);
    ExprPtr formula;
    Declaration made{.text = {}, .latex = {}, .mathml = {}, .names = true};
    if (t_.take("(")) {
      symbol.kind = Symbol::Kind::function;
      symbol.parameter = t_.name("the parameter");
      t_.expect(")", "\")\"; a function has one parameter");
      t_.expect(":=", "\":=\"");
      formula = symbol.body = parse_formula(t_, symbols, symbol.parameter);
      expect_end(t_);
      made.text = symbol.name + "(" + symbol.parameter + ")";
      made.latex = latex_name(token.text, token.primes) + "(" + latex_name(symbol.parameter) + ")";
      made.mathml =
          str(mathml_name(token.text, token.primes), "<mo>(</mo>", mathml_name(symbol.parameter), "<mo>)</mo>");
      const int id = symbols.add(std::move(symbol), token.place);
      try_function(id, token.place);
    } else {
      symbol.kind = Symbol::Kind::defined;
      Expr name;
      name.kind = Kind::name;
      name.place = token.place;
      name.name = token.text;
      name.primes = token.primes;
      std::vector<Place> places;
      if (t_.take("[")) {
        name.indexed = true;
        do {
          Expr index;
          index.kind = Kind::name;
          index.place = t_.peek().place;
          index.name = t_.name("an index");
          if (elaborator.free().count(index.name) != 0)
            throw FormulaError(index.place, str(in_quotes(index.name), " stands here twice"));
          symbol.axes.push_back(elaborator.free_index(index.name, index.place));
          places.push_back(index.place);
          name.args.push_back(node(std::move(index)));
        } while (t_.take(","));
        t_.expect("]", "\"]\"");
      }
      t_.expect(":=", "\":=\"");
      formula = parse_formula(t_, symbols);
      made.ranges = read_ranges(t_);
      apply(made.ranges, elaborator, part_.indices);
      expect_end(t_);
      const auto body = elaborator.run(formula);
      if (name.indexed && !body.axes.empty())
        throw FormulaError(token.place,
                           "the right side is a vector or matrix; give its indices, or leave out those on the left");
      elaborator.settle();
      define(symbol, body, elaborator, name.indexed, places, token.place);
      symbols.add(std::move(symbol), token.place);
      made.text = to_text(name);
      made.latex = to_latex(name);
      made.mathml = to_mathml(name);
      made.defined = node(std::move(name));
    }
    made.text += " := " + to_text(*formula) + to_text(made.ranges);
    made.latex += " := " + to_latex(*formula);
    made.mathml = str("<mrow>", made.mathml, "<mo>≔</mo>", to_mathml(*formula), "</mrow>");
    return made;
  }

  void define(Symbol& symbol, const Indexed& body, const Elaborator& elaborator, bool indexed,
              const std::vector<Place>& places, Place place) {
    for (const auto& [name, id] : elaborator.free()) {
      if (std::find(symbol.axes.begin(), symbol.axes.end(), id) == symbol.axes.end())
        throw FormulaError(part_.indices[id].place, str("the index ", name, " does not stand on the left side of :="));
    }
    if (!indexed) {
      std::copy_if(body.axes.begin(), body.axes.end(), std::back_inserter(symbol.axes),
                   [](int axis) { return axis >= 0; });
    }
    std::int64_t size = 1;
    for (std::size_t k = 0; k < symbol.axes.size(); ++k) {
      const auto& range = *part_.indices[symbol.axes[k]].range;
      if (range.first != 0)
        throw FormulaError(k < places.size() ? places[k] : place, "an index on the left side of := must begin at 0");
      symbol.extents.push_back(range.second + 1);
      size *= range.second + 1;
      if (size > kMostElementsOfValue)
        throw FormulaError(place, "this value has too many elements; use smaller shapes");
    }
    symbol.body = body.body;
    symbol.from = part_.symbols.with_all_before(mentioned(*body.body));
  }

  /// A function is read when it is called; calling it once shows what is wrong with it here.
  void try_function(int id, Place place) {
    const Symbol& f = part_.symbols[id];
    Expr call;
    call.kind = Kind::call;
    call.place = place;
    call.name = f.name;
    Expr any;  // not a number, which would have to do for every index it is in
    any.kind = Kind::index;
    any.place = place;
    any.id = part_.indices.fresh(1);
    call.args = {node(std::move(any))};
    Elaborator elaborator(part_.symbols, part_.indices);
    const auto result = elaborator.run(node(std::move(call)));
    elaborator.settle();
    if (!result.axes.empty() || !elaborator.free().empty())
      throw FormulaError(place, "a function's value must be one number, with no index left open");
  }

  Part& part_;
  Tokens& t_;
};

}  // namespace

std::optional<Declaration> declare(Part& part, Tokens& tokens, const std::string& text) {
  return DeclarationReader(part, tokens).read(text);
}

}  // namespace chalk::math
