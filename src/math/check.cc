#include "chalkgrad/check.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <utility>

#include "src/base/text.h"
#include "src/base/wording.h"
#include "src/math/elaborate.h"
#include "src/math/error.h"
#include "src/math/evaluate.h"
#include "src/math/parser.h"
#include "src/math/print.h"
#include "src/math/statements.h"
#include "src/math/system.h"

namespace chalk {
namespace math {
namespace {

constexpr double kTolerance = 1e-10;                 // of the largest magnitude on the way
constexpr std::array<double, 2> kSmall{1e-3, 1e-4};  // what ≈ lets a small value be
constexpr double kShrinks = 1.0 / 30;  // an error of second order falls by 100 from one to the other, of first by 10
constexpr std::size_t kMostTokens = 3000;
constexpr int kMostTrials = 1000;

std::string shown(double value) {
  std::ostringstream out;
  out.precision(6);
  out << value;
  return out.str();
}

/// What belongs together: a network, what is declared, and numbers drawn for it.
struct Part {
  std::string name;
  Symbols symbols;
  Indices indices;
  System system;
  std::map<std::pair<int, double>, std::unique_ptr<Trial>> trials;

  Trial& trial(std::uint64_t seed, int number, double small) {
    auto& trial = trials[{number, small}];
    if (!trial)
      trial = std::make_unique<Trial>(system, symbols, indices, seed + 1000003ULL * static_cast<std::uint64_t>(number),
                                      small);
    return *trial;
  }
};

/// The members of `a = b ≈ c`, and ranges given for indices.
struct Equation {
  std::vector<ExprPtr> members;
  std::vector<bool> approximate;  // before each member
  std::vector<Bound> ranges;
  bool continues = false;  // begins with "="
};

/// How two sides compare over all trials.
struct Outcome {
  bool equal = true, finite = true, all_zero = true;
  std::string where;  // the first place where they differ
  double left = 0, right = 0, most = 0;
  std::size_t places = 0, of = 0;
  std::optional<double> factor;  // left = factor · right everywhere
};

class Checker {
 public:
  Checker(std::string_view origin, const CheckOptions& options) : origin_(origin), options_(options) { begin_part(""); }

  CheckReport run(std::string_view text) {
    try {
      for (const auto& statement : split_statements(text)) one(statement);
      finish_erratum();
    } catch (const FormulaError& e) {
      throw InputError(str(origin_, ": line ", e.place().line, ", character ", e.place().column, ": ", e.what()));
    }
    for (const auto& line : report_.lines) {
      switch (line.verdict) {
        case Verdict::verified:
          ++report_.verified;
          break;
        case Verdict::erratum:
          ++report_.errata;
          break;
        case Verdict::definition:
          ++report_.definitions;
          break;
        case Verdict::failed:
          ++report_.failed;
          break;
      }
    }
    return std::move(report_);
  }

 private:
  void begin_part(const std::string& name) {
    part_ = std::make_unique<Part>();
    part_->name = name;
    chain_ = {};
  }

  // ---- statements ----

  void one(const Statement& s) {
    const auto word = s.text.substr(0, s.text.find_first_of(" \t\n"));
    const auto rest = [&] {
      const auto at = s.text.find_first_not_of(" \t\n", word.size());
      return at == std::string::npos ? std::string() : s.text.substr(at);
    };
    if (word == "erratum") return erratum(s, rest());
    if (word != "corrected") finish_erratum();
    if (word == "part") return begin_part(rest());
    Tokens tokens(lex(s.text, s.place.line, s.place.column));
    if (tokens.count() > kMostTokens)
      throw FormulaError(s.place, str("a statement of more than ", kMostTokens, " words"));
    if (tokens.peek().kind == Token::Kind::text) return words(s, tokens);
    if (word == "corrected") return corrected(s, tokens);
    if (tokens.take_word("network")) return network(s, tokens);
    if (tokens.take_word("samples")) return samples(tokens);
    if (tokens.take_word("given")) return given(tokens);
    if (tokens.take_word("functions")) return functions(s, tokens);
    if (tokens.peek().kind == Token::Kind::name && (tokens.at_word("in", 1) || lists_domain(tokens)))
      return domain(tokens);
    if (defines(tokens)) return definition(s, tokens);
    equation(s, tokens);
  }

  static bool lists_domain(const Tokens& tokens) {
    std::size_t k = 0;
    while (tokens.peek(k).kind == Token::Kind::name && tokens.at(",", k + 1)) k += 2;
    return k > 0 && tokens.peek(k).kind == Token::Kind::name && tokens.at_word("in", k + 1);
  }

  static bool defines(const Tokens& tokens) {
    int depth = 0;
    for (std::size_t k = 0; tokens.peek(k).kind != Token::Kind::end; ++k) {
      if (tokens.at("(", k) || tokens.at("[", k)) ++depth;
      if (tokens.at(")", k) || tokens.at("]", k)) --depth;
      if (depth == 0 && tokens.at(":=", k)) return true;
    }
    return false;
  }

  static void end(const Tokens& tokens) {
    if (!tokens.done())
      tokens.fail(
          str(in_quotes(tokens.peek().text), " was not expected here; a statement ends with its line, or with ;"));
  }

  void network(const Statement& s, Tokens& tokens) {
    if (!part_->system.empty()) throw FormulaError(s.place, "a second network; begin it with a line \"part NAME\"");
    part_->system.build(tokens, part_->symbols);
    if (!s.label.empty() || !s.source.empty()) row(s, Verdict::definition, s.text);
  }

  void samples(Tokens& tokens) {
    const Place place = tokens.peek().place;
    const auto count = tokens.whole_number("the number of samples");
    end(tokens);
    if (count < 2 || count > 256) throw FormulaError(place, "from 2 to 256 samples; without this line there is one");
    if (!part_->system.empty() || part_->symbols.size() > 0)
      throw FormulaError(place, "the number of samples must be said first, before the network");
    part_->system = System(count);
  }

  /// given t: 4 distribution; given a, b in 0..1; given alpha small
  void given(Tokens& tokens) {
    std::vector<std::pair<std::string, Place>> names;
    do {
      const Token token = tokens.peek();
      tokens.next();
      if (token.kind != Token::Kind::name) throw FormulaError(token.place, "a name expected after given");
      names.emplace_back(token.text + std::string(static_cast<std::size_t>(token.primes), '\''), token.place);
    } while (tokens.take(","));
    Symbol symbol;
    if (tokens.take(":")) symbol.extents = read_shape(tokens);
    std::erase(symbol.extents, 1);
    symbol.domain = read_domain(tokens, symbol.extents);
    end(tokens);
    for (const auto& [name, place] : names) {
      symbol.name = name;
      part_->symbols.add(symbol, place);
    }
  }

  static Domain read_domain(Tokens& tokens, const Shape& extents) {
    Domain domain;
    const Place place = tokens.peek().place;
    if (tokens.take_word("in")) {
      domain.low = real(tokens);
      tokens.expect("..", "\"..\"");
      domain.high = real(tokens);
      if (!(domain.low < domain.high)) throw FormulaError(place, "the range is empty; write in 0..1");
    } else if (tokens.take_word("distribution")) {
      domain.distribution = true;
      domain.low = 0.1, domain.high = 1;
    } else if (tokens.at_word("one") && tokens.at("-", 1) && tokens.at_word("hot", 2)) {
      tokens.next(), tokens.next(), tokens.next();
      domain.one_hot = true;
    } else if (tokens.take_word("small")) {
      domain.small = true;
      if (!extents.empty()) throw FormulaError(place, "only a number can be small, not a vector");
    }
    if ((domain.one_hot || domain.distribution) && extents.empty())
      throw FormulaError(place, "this needs a shape: given t: 4 distribution");
    return domain;
  }

  static double real(Tokens& tokens) {
    const double sign = tokens.take("-") ? -1 : 1;
    if (tokens.peek().kind != Token::Kind::number) tokens.fail("a number expected");
    return sign * tokens.next().number;
  }

  /// W1, b1 in 0.1..1
  void domain(Tokens& tokens) {
    std::vector<int> ids;
    do {
      const Token token = tokens.peek();
      tokens.next();
      const int id = part_->symbols.find_value(token.text, token.primes);
      if (id < 0)
        throw FormulaError(token.place, str(in_quotes(token.text), " is not a value that is known here",
                                            part_->symbols.suggestion(token.text)));
      if (part_->symbols[id].kind != Symbol::Kind::drawn)
        throw FormulaError(
            token.place,
            str(token.text, " follows from other values; only inputs, parameters and given values can be chosen"));
      ids.push_back(id);
    } while (tokens.take(","));
    for (const int id : ids) {
      auto copy = tokens;
      part_->symbols[id].domain = read_domain(copy, part_->symbols[id].extents);
      if (id == ids.back()) tokens = copy;
    }
    end(tokens);
    part_->trials.clear();
  }

  /// functions f = sigmoid, tanh, relu
  void functions(const Statement& s, Tokens& tokens) {
    Symbol symbol;
    const Place place = tokens.peek().place;
    symbol.kind = Symbol::Kind::functions;
    symbol.name = tokens.name("the name of the functions");
    tokens.expect("=", "\"=\"");
    do {
      const Place each = tokens.peek().place;
      symbol.names.emplace_back(canonical(tokens.name("a function")));
      if (!is_builtin(symbol.names.back()))
        throw FormulaError(each,
                           str(in_quotes(symbol.names.back()), " is not a function; there are ", builtin_names()));
    } while (tokens.take(","));
    end(tokens);
    part_->symbols.add(std::move(symbol), place);
    if (!s.label.empty() || !s.source.empty()) row(s, Verdict::definition, s.text);
  }

  /// f(x) := …, v[i,j] := …, V := …
  void definition(const Statement& s, Tokens& tokens) {
    auto& symbols = part_->symbols;
    Symbol symbol;
    const Token token = tokens.peek();
    if (token.kind != Token::Kind::name) tokens.fail("a name expected before :=");
    tokens.next();
    symbol.name = token.text + std::string(static_cast<std::size_t>(token.primes), '\'');
    if (symbols.find(symbol.name) >= 0 || is_reserved(symbol.name) || is_builtin(symbol.name))
      throw FormulaError(token.place, str(in_quotes(symbol.name), " has a meaning already; use another name"));
    std::string text = symbol.name,
                latex = latex_name(token.text) + std::string(static_cast<std::size_t>(token.primes), '\'');
    Elaborator elaborator(symbols, part_->indices);
    ExprPtr formula;
    std::string spans;
    if (tokens.take("(")) {
      symbol.kind = Symbol::Kind::function;
      symbol.parameter = tokens.name("the parameter");
      tokens.expect(")", "\")\"; a function has one parameter");
      tokens.expect(":=", "\":=\"");
      formula = symbol.body = parse_formula(tokens, symbols, symbol.parameter);
      end(tokens);
      text += "(" + symbol.parameter + ")";
      latex += "(" + latex_name(symbol.parameter) + ")";
      const int id = symbols.add(std::move(symbol), token.place);
      try_function(id, token.place);
    } else {
      symbol.kind = Symbol::Kind::defined;
      bool indexed = false;
      std::vector<Place> places;
      if (tokens.take("[")) {
        indexed = true;
        std::string list;
        do {
          places.push_back(tokens.peek().place);
          const auto name = tokens.name("an index");
          if (elaborator.free().count(name) != 0)
            throw FormulaError(places.back(), str(in_quotes(name), " stands here twice"));
          symbol.axes.push_back(elaborator.free_index(name, places.back()));
          list += (list.empty() ? "" : ",") + name;
        } while (tokens.take(","));
        tokens.expect("]", "\"]\"");
        text += "[" + list + "]";
        latex += "_{" + list + "}";
      }
      tokens.expect(":=", "\":=\"");
      formula = parse_formula(tokens, symbols);
      const auto written = ranges(tokens);
      apply(written, elaborator);
      end(tokens);
      spans = text_of(written);
      const auto body = elaborator.run(formula);
      elaborator.settle();
      define(symbol, body, elaborator, indexed, places, token.place);
      symbols.add(std::move(symbol), token.place);
    }
    row(s, Verdict::definition, text + " := " + to_text(*formula) + spans, latex + " := " + to_latex(*formula));
  }

  void define(Symbol& symbol, const Indexed& body, const Elaborator& elaborator, bool indexed,
              const std::vector<Place>& places, Place place) {
    if (indexed && !body.axes.empty())
      throw FormulaError(place,
                         "the right side is a vector or matrix; give its indices, or leave out those on the left");
    for (const auto& [name, id] : elaborator.free()) {
      if (std::find(symbol.axes.begin(), symbol.axes.end(), id) == symbol.axes.end())
        throw FormulaError(part_->indices[id].place, str("the index ", name, " does not stand on the left side of :="));
    }
    if (!indexed) {
      std::copy_if(body.axes.begin(), body.axes.end(), std::back_inserter(symbol.axes),
                   [](int axis) { return axis >= 0; });
    }
    std::int64_t size = 1;
    for (std::size_t k = 0; k < symbol.axes.size(); ++k) {
      const auto& range = *part_->indices[symbol.axes[k]].range;
      if (range.first != 0)
        throw FormulaError(k < places.size() ? places[k] : place, "an index on the left side of := must begin at 0");
      symbol.extents.push_back(range.second + 1);
      size *= range.second + 1;
      if (size > (1 << 22)) throw FormulaError(place, "this value has too many elements; use smaller shapes");
    }
    symbol.body = body.body;
    mentioned(*body.body, symbol.from);
  }

  /// A function is read when it is called; calling it once shows what is wrong with it here.
  void try_function(int id, Place place) {
    const Symbol& f = part_->symbols[id];
    Expr call;
    call.kind = Kind::call;
    call.place = place;
    call.name = f.name;
    call.args = {number(0.5, place)};
    Elaborator elaborator(part_->symbols, part_->indices);
    const auto result = elaborator.run(std::make_shared<const Expr>(std::move(call)));
    elaborator.settle();
    if (!result.axes.empty() || !elaborator.free().empty())
      throw FormulaError(place, "a function's value must be one number, with no index left open");
  }

  // ---- equations ----

  void apply(const std::vector<Bound>& ranges, Elaborator& elaborator) {
    for (const auto& bound : ranges) part_->indices[elaborator.free_index(bound.name, bound.place)].range = bound.range;
  }

  /// for i=0..3, j=1..2
  static std::vector<Bound> ranges(Tokens& tokens) {
    std::vector<Bound> found;
    if (!tokens.take_word("for")) return found;
    do {
      Bound bound;
      bound.place = tokens.peek().place;
      bound.name = tokens.name("an index");
      tokens.expect("=", "\"=\" and the range of the index");
      const auto first = tokens.whole_number("the first value");
      tokens.expect("..", "\"..\"");
      const auto last = tokens.whole_number("the last value");
      if (last < first || last - first > 4096) throw FormulaError(bound.place, "a range is written i=0..3");
      bound.range = {first, last};
      found.push_back(bound);
    } while (tokens.take(","));
    return found;
  }

  Equation read_equation(Tokens& tokens) {
    Equation equation;
    const auto take = [&] { return tokens.at("=") || tokens.at("~=") || tokens.at("=="); };
    equation.continues = take();
    if (!equation.continues) {
      equation.members.push_back(parse_formula(tokens, part_->symbols));
      equation.approximate.push_back(false);
    }
    while (take()) {
      equation.approximate.push_back(tokens.next().text == "~=");
      equation.members.push_back(parse_formula(tokens, part_->symbols));
    }
    equation.ranges = ranges(tokens);
    end(tokens);
    return equation;
  }

  void equation(const Statement& s, Tokens& tokens) {
    Equation equation;
    try {
      equation = read_equation(tokens);
    } catch (const FormulaError& e) {
      row(s, Verdict::failed, s.text);
      point(report_.lines.back(), e);
      chain_broken_ = true;
      return;
    }
    if (equation.continues && !chain_.head) {
      row(s, Verdict::failed, text_of(equation), latex_of(equation));
      auto& line = report_.lines.back();
      line.line = s.place.line;
      line.column = s.place.column;
      line.message = chain_broken_ ? "the line above, which this goes on from, cannot be read"
                                   : "there is no line above that this could go on from";
      return;
    }
    if (!equation.continues) chain_ = {equation.members[0], nullptr, equation.ranges, true};
    chain_broken_ = false;
    const bool alone = equation.members.size() == 1 && !equation.continues;
    row(s, alone ? Verdict::definition : Verdict::verified, text_of(equation), latex_of(equation));
    judge(equation, report_.lines.back(), s);
  }

  /// The line as far as it is the beginning of a chain, or holds.
  void judge(const Equation& equation, CheckedLine& line, const Statement& s) {
    if (options_.only_line > 0 && options_.only_line != s.place.line) {
      chain_.last = equation.members.back();
      return;
    }
    try {
      std::vector<ExprPtr> members{chain_.head};
      const std::size_t first = equation.continues ? 0 : 1;
      if (equation.continues && chain_.last && !chain_.last_holds) members.push_back(chain_.last);
      const auto given = members.size();
      members.insert(members.end(), equation.members.begin() + static_cast<std::ptrdiff_t>(first),
                     equation.members.end());
      Elaborator elaborator(part_->symbols, part_->indices);
      apply(chain_.ranges, elaborator);
      apply(equation.ranges, elaborator);
      std::vector<Indexed> read;
      for (const auto& member : members) {
        read.push_back(elaborator.run(member));
        if (read.size() > 1) read.back() = elaborator.aligned(read[0], read.back(), member->place);
      }
      elaborator.settle();
      if (members.size() == 1) evaluate_once(read[0]);  // to see that it has a value at all
      for (std::size_t k = given; k < read.size(); ++k) {
        const bool approximate = equation.approximate[k - given + first];
        const auto result = compare(read[0], read[k], approximate);
        chain_.last = equation.members[k - given + first];
        chain_.last_holds = result.equal;
        if (result.equal) {
          if (result.all_zero) line.message = "both sides are 0 in every trial";
          continue;
        }
        line.verdict = Verdict::failed;
        line.message = explain(result, approximate);
        if (read.size() > 2 && given == 2 && compare(read[1], read[k], approximate).equal)
          line.message += "; this step itself is right: it follows from the line above, which is false";
        if (!approximate) one_sided(read[0], read[k], line.message);
        break;
      }
    } catch (const FormulaError& e) {
      line.verdict = Verdict::failed;
      point(line, e);
    }
  }

  static void point(CheckedLine& line, const FormulaError& e) {
    line.line = e.place().line;
    line.column = e.place().column;
    line.message = e.what();
  }

  void evaluate_once(const Indexed& side) {
    Evaluator(part_->symbols, part_->indices, part_->trial(options_.seed, 0, kSmall[0])).run(side.body);
  }

  Outcome compare(const Indexed& left, const Indexed& right, bool approximate) {
    Outcome result;
    for (int trial = 0; trial < std::clamp(options_.trials, 1, kMostTrials) && result.equal && result.finite; ++trial) {
      if (!approximate) {
        const auto most = compare_once(left, right, trial, kSmall[0], result);
        result.equal = result.places == 0 && result.finite && !std::isnan(most);
      } else {
        Outcome coarse = result, fine;
        compare_once(left, right, trial, kSmall[0], coarse);
        compare_once(left, right, trial, kSmall[1], fine);
        result = coarse;
        result.equal = coarse.finite && fine.finite && (fine.places == 0 || fine.most <= coarse.most * kShrinks);
      }
    }
    return result;
  }

  double compare_once(const Indexed& left, const Indexed& right, int number, double small, Outcome& result) {
    auto& part = *part_;
    auto& trial = part.trial(options_.seed, number, small);
    Evaluator evaluator(part.symbols, part.indices, trial);
    const Array a = evaluator.run(left.body), b = evaluator.run(right.body);
    std::vector<int> axes;
    std::set_union(a.axes.begin(), a.axes.end(), b.axes.begin(), b.axes.end(), std::back_inserter(axes));
    const auto l = spread(a, axes, part.indices), r = spread(b, axes, part.indices);
    const double tolerance = kTolerance * evaluator.magnitude();
    result.of = l.size();
    result.places = 0;
    double ratio = 0;
    bool constant = true;
    for (std::size_t i = 0; i < l.size(); ++i) {
      const bool finite = std::isfinite(l[i]) && std::isfinite(r[i]);
      const double difference = std::abs(l[i] - r[i]);
      if (l[i] != 0 || r[i] != 0) result.all_zero = false;
      if (std::abs(r[i]) > tolerance) {
        if (ratio == 0) ratio = l[i] / r[i];
        constant = constant && std::abs(l[i] - ratio * r[i]) <= tolerance * std::max(1.0, std::abs(ratio));
      } else {
        constant = constant && std::abs(l[i]) <= tolerance;
      }
      if (finite && difference <= tolerance) continue;
      if (result.places++ == 0 || (!finite && result.finite)) {
        result.left = l[i], result.right = r[i];
        result.where = place_of(i, axes);
      }
      result.finite = result.finite && finite;
      result.most = std::max(result.most, difference);
    }
    if (constant && ratio != 0) result.factor = ratio;
    return result.most;
  }

  /// "at d=0, e=3", or "at [0,3]" for the axes of vectors and matrices.
  std::string place_of(std::size_t i, const std::vector<int>& axes) const {
    std::vector<std::string> parts(axes.size());
    bool named = true;
    for (auto k = axes.size(); k-- > 0;) {
      const Index& index = part_->indices[axes[k]];
      const auto extent = static_cast<std::size_t>(index.extent());
      const auto at = index.range->first + static_cast<std::int64_t>(i % extent);
      i /= extent;
      named = named && !index.name.empty();
      parts[k] = (index.name.empty() ? "" : index.name + "=") + std::to_string(at);
    }
    std::string text;
    for (const auto& part : parts) text += (text.empty() ? "" : named ? ", " : ",") + part;
    return text.empty() ? "" : named ? " at " + text : " at [" + text + "]";
  }

  static std::string explain(const Outcome& c, bool approximate) {
    auto text = str("left is ", shown(c.left), ", right is ", shown(c.right), c.where);
    if (!c.finite)
      return text +
             ": not a number, as of a logarithm of 0 or less, or a division by 0; choose the values' range (NAME in "
             "0.1..1)";
    if (c.of > 1) text += str("; they differ at ", c.places, " of ", c.of, " places, by up to ", shown(c.most));
    if (approximate) return text + "; the difference is not small of second order";
    if (c.factor && *c.factor != 0) {
      const double f = *c.factor;
      if (std::abs(f + 1) < 1e-9) {
        text += "; left is right with the opposite sign";
      } else {
        text += str("; left is ", shown(f), " times right everywhere");
      }
    }
    return text;
  }

  /// An index that stands on one side only is seldom meant.
  void one_sided(const Indexed& left, const Indexed& right, std::string& message) {
    const Evaluated l = free_of(left), r = free_of(right);
    for (const auto& [mine, theirs, side] : {std::tuple{&l, &r, "left"}, std::tuple{&r, &l, "right"}}) {
      for (const int id : *mine) {
        if (std::find(theirs->begin(), theirs->end(), id) == theirs->end() && !part_->indices[id].name.empty())
          message += str("; the index ", part_->indices[id].name, " stands on the ", side, " only");
      }
    }
  }

  using Evaluated = std::vector<int>;
  Evaluated free_of(const Indexed& side) {
    return Evaluator(part_->symbols, part_->indices, part_->trial(options_.seed, 0, kSmall[0])).run(side.body).axes;
  }

  // ---- what the document says ----

  void words(const Statement& s, Tokens& tokens) {
    const auto text = tokens.next().text;
    end(tokens);
    row(s, Verdict::definition, "\"" + text + "\"", "\\text{" + text + "}");
  }

  void erratum(const Statement& s, const std::string& why) {
    finish_erratum();
    if (report_.lines.empty() || !last_is_equation_)
      throw FormulaError(s.place, "an erratum follows the equation that is wrong");
    if (why.empty()) throw FormulaError(s.place, "say what is wrong: erratum the sign is lost");
    auto& line = report_.lines.back();
    const bool skipped = options_.only_line > 0 && options_.only_line != last_line_;
    if (line.verdict == Verdict::failed || skipped) {
      line.verdict = Verdict::erratum;
      line.column = 0;
      line.line = last_line_;
      line.difference = std::exchange(line.message, why);
      awaits_correction_ = true;
    } else {
      line.verdict = Verdict::failed;
      line.message = "is called an erratum, but holds as it stands";
    }
  }

  void corrected(const Statement& s, Tokens& tokens) {
    if (!awaits_correction_) throw FormulaError(s.place, "a correction follows a line \"erratum …\"");
    awaits_correction_ = false;
    tokens.next();
    auto& line = report_.lines.back();
    CheckedLine judged;
    try {
      const auto equation = read_equation(tokens);
      if (equation.continues && !chain_.head)
        throw FormulaError(s.place, "there is no line above that this could go on from");
      if (!equation.continues) chain_ = {equation.members[0], nullptr, equation.ranges, true};
      judged.verdict = Verdict::verified;
      chain_.last_holds = true;  // the erratum is not what this goes on from
      line.corrected = text_of(equation);
      line.corrected_latex = latex_of(equation);
      judge(equation, judged, s);
    } catch (const FormulaError& e) {
      judged.verdict = Verdict::failed;
      point(judged, e);
    }
    if (judged.verdict != Verdict::failed) return;
    line.verdict = Verdict::failed;
    line.message = "the correction does not hold: " + judged.message;
    line.line = judged.column > 0 ? judged.line : s.place.line;
    line.column = judged.column;
  }

  void finish_erratum() {
    if (!awaits_correction_) return;
    awaits_correction_ = false;
    auto& line = report_.lines.back();
    line.verdict = Verdict::failed;
    line.message = "an erratum needs its correction: add a line \"corrected …\"";
  }

  // ---- rows ----

  static std::string text_of(const std::vector<Bound>& ranges) {
    std::string text;
    for (const auto& bound : ranges) {
      text += str(text.empty() ? " for " : ", ", bound.name, "=", bound.range->first, "..", bound.range->second);
    }
    return text;
  }
  static std::string join(const Equation& equation, std::string (*print)(const Expr&), const char* equal,
                          const char* about) {
    std::string text;
    for (std::size_t k = 0; k < equation.members.size(); ++k) {
      if (k > 0 || equation.continues)
        text += (text.empty() ? "" : " ") + std::string(equation.approximate[k] ? about : equal) + " ";
      text += print(*equation.members[k]);
    }
    if (print == to_text) text += text_of(equation.ranges);
    return text;
  }
  static std::string text_of(const Equation& e) { return join(e, to_text, "=", "~="); }
  static std::string latex_of(const Equation& e) { return join(e, to_latex, "=", "\\approx"); }

  void row(const Statement& s, Verdict verdict, const std::string& text, const std::string& latex = {}) {
    CheckedLine line;
    line.part = part_->name;
    line.label = s.label;
    line.line = s.place.line;
    line.verdict = verdict;
    for (const char c : text) {  // what was written on several lines is shown on one
      const bool space = c == '\n' || c == ' ' || c == '\t' || c == '\r';
      if (!space) line.text += c;
      if (space && !line.text.empty() && line.text.back() != ' ') line.text += ' ';
    }
    line.latex = latex;
    for (const auto& each : s.source) line.source += (line.source.empty() ? "" : "\n") + each;
    last_line_ = s.place.line;
    last_is_equation_ = true;
    report_.lines.push_back(std::move(line));
  }

  std::string_view origin_;
  CheckOptions options_;
  CheckReport report_;
  std::unique_ptr<Part> part_;
  struct Chain {
    ExprPtr head, last;  // the first member, and the one of the line above
    std::vector<Bound> ranges;
    bool last_holds = true;
  } chain_;
  bool chain_broken_ = false, awaits_correction_ = false, last_is_equation_ = false;
  int last_line_ = 0;
};

}  // namespace
}  // namespace math

CheckReport check_derivation(std::string_view text, std::string_view origin, const CheckOptions& options) {
  return math::Checker(origin, options).run(text);
}

}  // namespace chalk
