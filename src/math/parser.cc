#include "src/math/parser.h"

#include <algorithm>
#include <cmath>

#include "src/base/text.h"
#include "src/base/wording.h"
#include "src/math/error.h"

namespace chalk::math {
namespace {

constexpr int kDeepestBrackets = 200;  // brackets within brackets
constexpr double kMostIndex = 1e6;

std::string shown(const Token& token) {
  if (token.kind == Token::Kind::end) return "the end";
  return in_quotes(token.text + std::string(static_cast<std::size_t>(token.primes), '\''));
}

class FormulaParser {
 public:
  FormulaParser(Tokens& tokens, const Symbols& symbols, std::string_view parameter)
      : t_(tokens), symbols_(symbols), parameter_(parameter) {}

  ExprPtr sum() {
    const Deeper deeper(*this);
    ExprPtr left;
    if (t_.at("-")) {
      const Place place = t_.next().place;
      left = make(Kind::negate, place, {term()});
    } else {
      left = term();
    }
    while (t_.at("+") || t_.at("-")) {
      const Token& op = t_.next();
      left = make(op.text == "+" ? Kind::add : Kind::subtract, op.place, {left, term()});
    }
    return left;
  }

 private:
  struct Deeper {
    explicit Deeper(FormulaParser& parser) : parser_(parser) {
      if (++parser_.depth_ > kDeepestBrackets)
        parser_.t_.fail(str("more than ", kDeepestBrackets, " brackets within brackets; name a part with :="));
    }
    Deeper(const Deeper&) = delete;
    Deeper& operator=(const Deeper&) = delete;
    ~Deeper() { --parser_.depth_; }
    FormulaParser& parser_;
  };

  ExprPtr term() {
    ExprPtr left = factor();
    for (;;) {
      Kind kind{};
      if (t_.at("*")) {
        kind = Kind::multiply;
      } else if (t_.at("/")) {
        kind = Kind::divide;
      } else if (t_.at("@")) {
        kind = Kind::matmul;
      } else if (t_.at(".*")) {
        kind = Kind::hadamard;
      } else if (t_.at("./")) {
        kind = Kind::quotient;
      } else {
        return left;
      }
      const Token op = t_.next();
      const auto right = factor();
      if (op.implied && is_array(*left) && is_array(*right)) kind = Kind::matmul;
      left = make(kind, op.place, {left, right});
    }
  }

  /// Whether it is a vector or a matrix, as far as one can see.
  bool is_array(const Expr& e) const {
    const auto any = [&] { return std::ranges::any_of(e.args, [&](const auto& arg) { return is_array(*arg); }); };
    switch (e.kind) {
      case Kind::name: {
        if (e.indexed) return std::ranges::any_of(e.args, [](const auto& arg) { return arg->name == ":"; });
        const int id = e.name == parameter_ ? -1 : symbols_.find_value(e.name, e.primes);
        return id >= 0 && !symbols_[id].extents.empty();
      }
      case Kind::call:
        return e.name != kNormFunction && is_array(*e.args.back());
      case Kind::power:
      case Kind::at:
        return is_array(*e.args[0]);
      case Kind::reduce:
        return !(e.bounds.empty() && e.args.size() == 1) && any();
      case Kind::number:
      case Kind::element:
      case Kind::delta:
        return false;
      case Kind::ones:
        return true;
      default:
        return any();
    }
  }

  ExprPtr factor() {
    if (t_.at("-")) {
      const Deeper deeper(*this);
      const Place place = t_.next().place;
      return make(Kind::negate, place, {factor()});
    }
    ExprPtr base = postfix();
    if (!t_.at("^")) return base;
    const Deeper deeper(*this);
    const Place place = t_.next().place;
    return make(Kind::power, place, {base, factor()});
  }

  ExprPtr postfix() {
    ExprPtr e = primary();
    for (;;) {
      if (t_.at("^T") || (t_.at("^") && t_.at_word("T", 1))) {
        const Place place = t_.peek().place;
        if (t_.next().text == "^") t_.next();
        e = make(Kind::transpose, place, {e});
      } else if (t_.at("[")) {
        auto args = indices();
        args.insert(args.begin(), e);
        e = make(Kind::element, e->place, std::move(args));
      } else {
        return e;
      }
    }
  }

  ExprPtr primary() {
    const Token& token = t_.peek();
    if (token.kind == Token::Kind::number) {
      t_.next();
      no_neighbour(token);
      return number(token.number, token.place);
    }
    if (t_.take("(")) {
      auto inside = sum();
      t_.expect(")", str("\")\" to close the one at character ", token.place.column));
      no_neighbour(token);
      return inside;
    }
    if (t_.at("[")) return indicator();
    if (t_.take("||")) {
      const Deeper deeper(*this);
      auto inside = sum();
      t_.expect("||", str("\"‖\" to close the one at character ", token.place.column));
      no_neighbour(token);
      return call_of(kNormFunction, inside, token.place);
    }
    if (token.kind != Token::Kind::name) t_.fail(str("a value, number or \"(\" expected, not ", shown(token)));
    auto e = named();
    no_neighbour(token);
    return e;
  }

  /// "2 x" and "a b" lack an operator.
  void no_neighbour(const Token& before) const {
    const Token& after = t_.peek();
    const bool starts = after.kind == Token::Kind::number || t_.at("(") ||
                        (after.kind == Token::Kind::name && after.text != "for" && after.text != "axis");
    if (starts) t_.fail(str("an operator is missing between ", shown(before), " and ", shown(after), "; write *"));
  }

  ExprPtr named() {
    if (auto e = derivative()) return e;
    const Token token = t_.next();
    const auto& name = token.text;
    if (name == parameter_ && token.primes == 0) return leaf(token);
    if (t_.at("(") && symbols_.find_value(name, token.primes) < 0) return call(token);
    const int id = symbols_.find(name, 0);
    if (id >= 0 && symbols_[id].kind == Symbol::Kind::functions && symbols_.find_value(name, token.primes) < 0)
      return family(token);
    if (token.primes > 0 && symbols_.find_value(name, token.primes) < 0) {
      throw FormulaError(token.place, str(shown(token), " is neither a value nor a function's derivative; write ", name,
                                          "'(…), or define it with :="));
    }
    if (!t_.at("[")) return leaf(token);
    if (name == "delta") return kronecker(token, "[", "]");
    if (symbols_.find_value(name, token.primes) < 0) {
      const auto hint = symbols_.suggestion(name);
      throw FormulaError(token.place, str(in_quotes(name), " is not a value that is known here",
                                          hint.empty() ? "; declare it above" : hint));
    }
    return with_indices(token);
  }

  static ExprPtr leaf(const Token& token) { return node(named_by(token)); }

  static Expr named_by(const Token& token) {
    Expr e;
    e.kind = Kind::name;
    e.place = token.place;
    e.name = token.text;
    e.primes = token.primes;
    return e;
  }

  /// A name, with the indices that follow if any do.
  ExprPtr with_indices(const Token& token) {
    Expr e = named_by(token);
    e.indexed = t_.at("[");
    if (e.indexed) e.args = indices();
    return node(std::move(e));
  }

  /// [i, j-k, :]
  std::vector<ExprPtr> indices() {
    t_.expect("[", "\"[\"");
    std::vector<ExprPtr> args;
    do {
      if (t_.at(":")) {
        Token whole = t_.next();
        whole.kind = Token::Kind::name;
        args.push_back(leaf(whole));
      } else {
        args.push_back(sum());
      }
    } while (t_.take(","));
    t_.expect("]", "\",\" or \"]\" after an index");
    return args;
  }

  /// [i = j], [2*f <= d]
  ExprPtr indicator() {
    const Place place = t_.next().place;
    const auto left = sum();
    static const std::vector<std::pair<std::string_view, Comparison>> kSigns{
        {"=", Comparison::equal},         {"==", Comparison::equal},      {"!=", Comparison::not_equal},
        {"<", Comparison::less},          {"<=", Comparison::less_equal}, {">", Comparison::greater},
        {">=", Comparison::greater_equal}};
    for (const auto& [sign, comparison] : kSigns) {
      if (!t_.take(sign)) continue;
      Expr e;
      e.kind = Kind::compare;
      e.place = place;
      e.comparison = comparison;
      e.args = {left, sum()};
      t_.expect("]", "\"]\" after the comparison");
      return node(std::move(e));
    }
    t_.fail("a comparison expected: [a = b], [a < b] … is 1 where it holds, else 0");
  }

  // ---- derivatives ----

  /// The value that "dW3" or "∂W3" names, or −1.
  bool is_differential(const Token& token) const {
    return token.kind == Token::Kind::name && token.text.size() > 1 && token.text[0] == 'd' &&
           symbols_.find_value(std::string_view(token.text).substr(1), token.primes) >= 0;
  }

  static Token without_d(Token token) {
    token.text.erase(0, 1);
    return token;
  }

  ExprPtr derivative() {
    const Token top = t_.peek();
    const bool of_expression = top.text == "d" && top.primes == 0 && t_.at("(", 1) && symbols_.find_value("d") < 0;
    if (!of_expression && (!is_differential(top) || symbols_.find_value(top.text, top.primes) >= 0)) return nullptr;
    const auto begin = t_.position();
    t_.next();
    ExprPtr numerator;
    if (of_expression) {
      t_.expect("(", "\"(\"");
      numerator = sum();
      t_.expect(")", "\")\"");
    } else {
      numerator = differential(top);
    }
    if (!t_.at("/") || !is_differential(t_.peek(1))) {
      if (of_expression) t_.fail("\"/d\" and a value expected after d(…), as in d(a*b)/da");
      t_.position(begin);
      return nullptr;
    }
    const Place place = t_.next().place;
    const Token bottom = t_.next();
    Expr e;
    e.kind = Kind::derivative;
    e.place = place;
    e.indexed = of_expression;
    e.args = {numerator, differential(bottom)};
    return node(std::move(e));
  }

  ExprPtr differential(const Token& token) { return with_indices(without_d(token)); }

  // ---- calls ----

  ExprPtr call(const Token& token) {
    const auto& name = token.text;
    if (token.primes == 0) {
      if (name == "sum") return reduce(token, Reduction::sum);
      if (name == "prod") return reduce(token, Reduction::product);
      if (name == "argmax") return reduce(token, Reduction::argmax);
      if (name == "max" || name == "min") return reduce(token, name == "max" ? Reduction::maximum : Reduction::minimum);
      if (name == "delta") return kronecker(token, "(", ")");
      if (name == "at") return at(token);
      if (name == "diag" || name == "ones") {
        t_.next();
        auto e = make(name == "diag" ? Kind::diag : Kind::ones, token.place, {sum()});
        t_.expect(")", "\")\"");
        return e;
      }
    }
    const int id = symbols_.find(name);
    const bool function = is_builtin(name) || name == "softmax" || (id >= 0 && !symbols_[id].is_value());
    if (!function) {
      const auto hint = symbols_.suggestion(name);
      throw FormulaError(
          token.place,
          str(in_quotes(name), " is not a function",
              hint.empty() ? "; there are " + builtin_names() + ", softmax, and those defined with :=" : hint));
    }
    return with_argument(token, {});
  }

  /// f[j](x), f'[j](x); f(v) and f'(v) of a vector take each its own.
  ExprPtr family(const Token& token) {
    if (t_.at("(")) return with_argument(token, {});
    auto which = indices();
    if (which.size() != 1) throw FormulaError(token.place, str(token.text, "[…] takes one index"));
    return with_argument(token, std::move(which));
  }

  ExprPtr with_argument(const Token& token, std::vector<ExprPtr> args) {
    t_.expect("(", str("\"(\" and the argument of ", in_quotes(token.text)));
    args.push_back(sum());
    t_.expect(")", "\")\"");
    Expr e;
    e.kind = Kind::call;
    e.place = token.place;
    e.name = canonical(token.text);
    e.primes = token.primes;
    e.args = std::move(args);
    return node(std::move(e));
  }

  ExprPtr kronecker(const Token& token, std::string_view open, std::string_view close) {
    t_.expect(open, "\"(\"");
    const auto a = sum();
    t_.expect(",", "\",\" and a second index");
    const auto b = sum();
    t_.expect(close, str("\"", close, "\""));
    return make(Kind::delta, token.place, {a, b});
  }

  /// sum(i, j=1..3, body), sum(A), sum(A, axis=0), max(a, b)
  ExprPtr reduce(const Token& token, Reduction reduction) {
    t_.next();
    Expr e;
    e.kind = Kind::reduce;
    e.place = token.place;
    e.reduction = reduction;
    while (bound_follows(reduction)) {
      const Token& index = t_.next();
      Bound bound{.name = index.text, .place = index.place};
      if (t_.take("=")) {
        const auto first = t_.whole_number("the first value of the index");
        t_.expect("..", "\"..\" and the last value of the index");
        bound.range = {first, t_.whole_number("the last value of the index")};
        if (bound.range->second < first) throw FormulaError(index.place, "the range is empty; write first..last");
        if (std::abs(static_cast<double>(bound.range->second)) > kMostIndex ||
            std::abs(static_cast<double>(first)) > kMostIndex)
          throw FormulaError(index.place, "the range is too large; at most 1,000,000");
      }
      t_.expect(",", "\",\"");
      for (const auto& other : e.bounds) {
        if (other.name == bound.name) throw FormulaError(index.place, str(in_quotes(bound.name), " stands here twice"));
      }
      e.bounds.push_back(std::move(bound));
    }
    e.args.push_back(sum());
    if (e.bounds.empty()) {
      if (t_.take(",")) {
        if (reduction == Reduction::sum && t_.take_word("axis")) {
          t_.expect("=", "\"=\"");
          e.kind = Kind::axis_sum;
          e.number = static_cast<double>(t_.whole_number("the axis"));
        } else if (reduction == Reduction::maximum || reduction == Reduction::minimum) {
          e.args.push_back(sum());
        } else {
          t_.fail("an index, or axis=0, expected here; sums are written sum(i, …)");
        }
      }
    }
    t_.expect(")", "\")\"");
    return node(std::move(e));
  }

  bool bound_follows(Reduction reduction) const {
    const Token& token = t_.peek();
    if (token.kind != Token::Kind::name || token.primes > 0) return false;
    if (t_.at("=", 1)) return t_.at("..", 3) || t_.at("..", 4);
    if (!t_.at(",", 1) || t_.at_word("axis", 2)) return false;
    const bool pair = reduction == Reduction::maximum || reduction == Reduction::minimum;
    return !pair || (symbols_.find_value(token.text) < 0 && token.text != parameter_);
  }

  /// at(L, w := w - a*dL/dw)
  ExprPtr at(const Token& token) {
    t_.next();
    Expr e;
    e.kind = Kind::at;
    e.place = token.place;
    e.args.push_back(sum());
    while (t_.take(",")) {
      const Token name = t_.next();
      if (symbols_.find_value(name.text, name.primes) < 0)
        throw FormulaError(name.place, str(shown(name), " is not a value; write at(…, w := …)"));
      const auto target = with_indices(name);
      t_.expect(":=", "\":=\" and what the value becomes");
      e.args.push_back(target);
      e.args.push_back(sum());
    }
    t_.expect(")", "\")\"");
    if (e.args.size() == 1) throw FormulaError(token.place, "at(…) needs a value that changes: at(L, w := 2*w)");
    return node(std::move(e));
  }

  Tokens& t_;
  const Symbols& symbols_;
  std::string_view parameter_;
  int depth_ = 0;
};

}  // namespace

void Tokens::fail(std::string_view message) const { throw FormulaError(peek().place, std::string(message)); }

void Tokens::expect(std::string_view symbol, std::string_view what) {
  if (!take(symbol)) fail(str(what, " expected, not ", shown(peek())));
}

std::string Tokens::name(std::string_view what) {
  if (peek().kind != Token::Kind::name || peek().primes > 0) fail(str(what, " expected, not ", shown(peek())));
  return next().text;
}

std::int64_t Tokens::whole_number(std::string_view what) {
  const bool minus = take("-");
  const Token& token = peek();
  if (token.kind != Token::Kind::number || token.number != std::floor(token.number) || token.number > 1e9)
    fail(str(what, " expected, a whole number, not ", shown(token)));
  next();
  const auto value = static_cast<std::int64_t>(token.number);
  return minus ? -value : value;
}

Shape read_shape(Tokens& t) {
  constexpr std::int64_t kMostExtent = 1 << 20, kMostElements = 1 << 23;
  Shape extents;
  const Place begin = t.peek().place;
  const auto add = [&](std::int64_t extent, Place place) {
    if (extent < 1 || extent > kMostExtent)
      throw FormulaError(place, str("extents are from 1 to ", kMostExtent, ", not ", extent));
    extents.push_back(extent);
    if (extents.size() > 6 || elements(extents) > kMostElements)
      throw FormulaError(begin, "this shape is too large to check formulas on");
  };
  const auto number = [&] {
    const Place place = t.peek().place;
    add(t.whole_number("a shape such as 1x8x8"), place);
  };
  number();
  for (;;) {
    const Token token = t.peek();
    if (t.at("*") && t.peek(1).kind == Token::Kind::number) {  // ×
      t.next();
      number();
      continue;
    }
    // What is typed "8x8" is a number and a name.
    const bool goes_on = token.kind == Token::Kind::name && token.primes == 0 && token.text.size() > 1 &&
                         token.text.find_first_not_of("x0123456789") == std::string::npos && token.text[0] == 'x';
    if (!goes_on) return extents;
    t.next();
    for (std::size_t at = 0; at < token.text.size();) {
      std::int64_t value = 0;
      const auto first = at + 1;
      for (++at; at < token.text.size() && token.text[at] != 'x'; ++at)
        value = std::min(value * 10 + (token.text[at] - '0'), kMostExtent + 1);
      if (at == first) throw FormulaError(token.place, "a shape is written 1x8x8");
      add(value, token.place);
    }
  }
}

ExprPtr parse_formula(Tokens& tokens, const Symbols& symbols, std::string_view parameter) {
  return FormulaParser(tokens, symbols, parameter).sum();
}

ExprPtr parse_formula(std::string_view text, const Symbols& symbols) {
  Tokens tokens(lex(text));
  auto e = parse_formula(tokens, symbols);
  if (!tokens.done()) tokens.fail(str("nothing may follow the formula, but ", shown(tokens.peek()), " does"));
  return e;
}

}  // namespace chalk::math
