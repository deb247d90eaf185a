// Formulas in presentation MathML, of the elements that MathML Core has: all that browsers draw without a script.
#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/markup.h"
#include "src/base/shortest.h"
#include "src/base/text.h"
#include "src/math/print.h"
#include "src/math/typeset.h"

namespace chalk::math {
namespace {

std::string tag(std::string_view name, std::string_view content) {
  return str("<", name, ">", content, "</", name.substr(0, name.find(' ')), ">");
}
std::string op(std::string_view sign) { return tag("mo", markup_text(sign)); }
std::string row(std::string_view content) { return tag("mrow", content); }
std::string bracketed(std::string_view open, std::string_view content, std::string_view close) {
  return row(str(op(open), row(content), op(close)));
}
std::string number(double value) {
  const auto text = shortest(value);
  return value < 0 ? row(str(op("−"), tag("mn", text.substr(1)))) : tag("mn", text);
}
std::string primes_of(int count) {
  std::string marks;
  for (int k = 0; k < count; ++k) marks += "′";
  return count == 0 ? "" : op(marks);
}

/// What stands between factors: nothing that is seen, or a dot.
constexpr std::string_view kTimes = "<mo lspace=\"0.1em\" rspace=\"0.1em\">\u2062</mo>";

/// base, with what is below and above it; either may be nothing.
std::string with_scripts(const std::string& base, const std::string& below, const std::string& above) {
  if (below.empty() && above.empty()) return base;
  if (above.empty()) return tag("msub", base + row(below));
  if (below.empty()) return tag("msup", base + row(above));
  return tag("msubsup", base + row(below) + row(above));
}

bool is_raised(std::string_view markup) { return markup.starts_with("<msup>") || markup.starts_with("<msubsup>"); }

/// A name with further indices behind those that it has.
std::string name_with(std::string_view name, int primes, const std::string& indices) {
  if (name == ":") return op(":");
  const auto parts = parts_of(name);
  std::string base = parts.letter.empty() ? "" : tag("mi", parts.letter);
  if (!parts.word.empty())
    base += tag(parts.word.size() == 1 ? "mi" : "mi mathvariant=\"italic\"", markup_text(parts.word));
  if (!parts.letter.empty() && !parts.word.empty()) base = row(base);
  if (!parts.accent.empty())
    base = tag("mover", base + op(parts.accent == "hat" ? "^" : parts.accent == "bar" ? "‾" : "~"));
  std::string below =
      parts.below.empty() ? "" : tag(parts.below.size() == 1 ? "mi" : "mtext", markup_text(parts.below));
  if (!indices.empty()) below += (below.empty() ? "" : op(",")) + indices;
  std::string above = parts.layer.empty() ? "" : str(op("("), tag("mn", parts.layer), op(")"));
  return with_scripts(base, below, above + primes_of(primes));
}

class MathMl {
 public:
  /// `last`: nothing follows that a sum at the end would swallow.
  std::string operator()(const Expr& e, bool last = true) const {
    switch (e.kind) {
      case Kind::add:
        return joined(e, kSum, "<mo>+</mo>", kTerm, last);
      case Kind::subtract:
        return joined(e, kSum, "<mo>−</mo>", kTerm, last);
      case Kind::multiply:
      case Kind::matmul:
        return joined(e, kTerm, kTimes, kFactor, last);
      case Kind::hadamard:
        return joined(e, left_of_elementwise(*e.args[0]), "<mo>⊙</mo>", kFactor, last);
      case Kind::quotient:
        return joined(e, left_of_elementwise(*e.args[0]), "<mo>⊘</mo>", kFactor, last);
      case Kind::divide:
        return fraction(e);
      default:
        return other(e, last);
    }
  }

  std::vector<std::string> terms(const Expr& sum) const {
    std::vector<std::string> found;
    const Expr* left = &sum;
    for (; left->kind == Kind::add || left->kind == Kind::subtract; left = left->args[0].get())
      found.push_back(
          str("<mo form=\"infix\">", left->kind == Kind::add ? "+" : "−", "</mo>", in(*left->args[1], kTerm, true)));
    found.push_back(in(*left, kSum, true));
    std::ranges::reverse(found);
    return found;
  }

 private:
  // Chains of operators are deep: a thousand terms are a thousand calls of these, so they keep little on the stack.
  [[gnu::noinline]] std::string joined(const Expr& e, Tightness left, std::string_view sign, Tightness right,
                                       bool last) const {
    std::string markup = in(*e.args[0], left, left == kSum);
    const std::string behind = in(*e.args[1], right, last);
    markup += e.kind == Kind::multiply && behind.starts_with("<mn>") ? "<mo>·</mo>" : sign;
    markup += behind;
    return row(markup);
  }
  [[gnu::noinline]] std::string fraction(const Expr& e) const {
    std::string markup = row((*this)(*e.args[0]));
    markup += row((*this)(*e.args[1]));
    return tag("mfrac", markup);
  }

  [[gnu::noinline]] std::string other(const Expr& e, bool last) const {
    switch (e.kind) {
      case Kind::number:
        return number(e.number);
      case Kind::name:
        return name_with(e.name, e.primes, list(e, 0));
      case Kind::call:
        return call(e);
      case Kind::element:
        return tag("msub", bracketed("[", (*this)(*e.args[0]), "]") + row(list(e, 1)));
      case Kind::negate:
        return row(op("−") + in(*e.args[0], kTerm, last));
      case Kind::power:
        return tag("msup", raised(*e.args[0]) + row((*this)(*e.args[1])));
      case Kind::transpose:
        return tag("msup", raised(*e.args[0]) + tag("mi mathvariant=\"normal\"", "T"));
      case Kind::diag:
        return row(tag("mi", "diag") + bracketed("(", (*this)(*e.args[0]), ")"));
      case Kind::ones:
        return tag("msub", tag("mn", "1") + row((*this)(*e.args[0])));
      case Kind::axis_sum:
        return row(tag("msub", tag("mi", "sum") + row(tag("mtext", "axis ") + number(e.number))) +
                   bracketed("(", (*this)(*e.args[0]), ")"));
      case Kind::reduce:
        return reduce(e);
      case Kind::delta:
        return tag("msub", tag("mi", "δ") + row(list(e, 0)));
      case Kind::compare:
        return bracketed("[", str((*this)(*e.args[0]), op(sign_of(e.comparison)), (*this)(*e.args[1])), "]");
      case Kind::derivative: {
        const auto& top = *e.args[0];
        const auto above = top.kind == Kind::name ? (*this)(top) : bracketed("[", (*this)(top), "]");
        return tag("mfrac", row(op("∂") + above) + row(op("∂") + (*this)(*e.args[1])));
      }
      case Kind::at: {
        std::string below;
        for (std::size_t k = 1; k + 1 < e.args.size(); k += 2)
          below += (k > 1 ? op(",") : "") + (*this)(*e.args[k]) + op("→") + (*this)(*e.args[k + 1]);
        return tag("msub", row(in(*e.args[0], kAtom, false) + op("|")) + row(below));
      }
      default:
        return name_with(e.name, 0, "");
    }
  }
  static std::string_view sign_of(Comparison comparison) {
    constexpr std::array<std::string_view, 6> kSigns{"=", "≠", "<", "≤", ">", "≥"};
    return kSigns[static_cast<std::size_t>(comparison)];
  }
  std::string call(const Expr& e) const {
    const auto argument = (*this)(*e.args.back());
    if (e.name == kNormFunction) return bracketed("‖", argument, "‖");
    if (e.primes == 0) {
      if (e.name == "sqrt") return tag("msqrt", argument);
      if (e.name == "exp") return tag("msup", tag("mi", "e") + row(argument));
      if (e.name == "abs") return bracketed("|", argument, "|");
      if (e.name == "floor") return bracketed("⌊", argument, "⌋");
    }
    const auto index = e.args.size() > 1 ? (*this)(*e.args[0]) : "";
    std::string function = name_with(e.name, e.primes, index);
    for (const std::string_view upright : {"ln", "tanh", "sin", "cos", "exp", "relu", "softmax", "step", "sign",
                                           "linear", "floor", "sqrt", "abs", "erf"}) {
      if (e.name == upright) function = with_scripts(tag("mi", upright), index, primes_of(e.primes));
    }
    if (e.name == "sigmoid") function = with_scripts(tag("mi", "σ"), index, primes_of(e.primes));
    return row(str(function, "<mo>\u2061</mo>", bracketed("(", argument, ")")));  // "function application", unseen
  }
  std::string reduce(const Expr& e) const {
    constexpr std::array<std::string_view, 5> kNames{"∑", "∏", "max", "min", "argmax"};
    const auto k = static_cast<std::size_t>(e.reduction);
    const auto sign = tag("mo", kNames[k]);
    if (e.bounds.empty()) return row(sign + bracketed("(", list(e, 0), ")"));
    if (has_limits(e)) {
      std::string signs;
      for (const auto& bound : e.bounds) {
        const auto limit = [](std::int64_t at) { return number(static_cast<double>(at)); };
        signs += tag("munderover", sign + row(name_with(bound.name, 0, "") + op("=") + limit(bound.range->first)) +
                                       row(limit(bound.range->second)));
      }
      return row(signs + in(*e.args[0], kTerm, true));
    }
    std::string below;
    for (const auto& bound : e.bounds) {
      below += (below.empty() ? "" : op(",")) + name_with(bound.name, 0, "");
      if (bound.range) {
        below += op("=") + number(static_cast<double>(bound.range->first)) + op("…") +
                 number(static_cast<double>(bound.range->second));
      }
    }
    return row(tag("munder", sign + row(below)) + in(*e.args[0], kTerm, true));
  }
  /// The base of a power.
  std::string raised(const Expr& e) const {
    auto markup = in(e, kAtom, false);
    const bool plain = e.kind == Kind::name && e.args.empty();
    return is_raised(markup) && !plain ? bracketed("(", markup, ")") : markup;
  }
  std::string in(const Expr& e, Tightness least, bool last) const {
    return needs_brackets(e, least, last) ? bracketed("(", (*this)(e), ")") : (*this)(e, last);
  }
  std::string list(const Expr& e, std::size_t from) const {
    std::string markup;
    for (auto k = from; k < e.args.size(); ++k) markup += (k > from ? op(",") : "") + (*this)(*e.args[k]);
    return markup;
  }
};

}  // namespace

std::string mathml_name(std::string_view name, int primes) { return name_with(name, primes, ""); }
std::string mathml_words(std::string_view words) { return tag("mtext", markup_text(words)); }
std::string to_mathml(const Expr& formula) { return MathMl()(formula); }
std::vector<std::string> mathml_terms(const Expr& formula) { return MathMl().terms(formula); }

}  // namespace chalk::math
