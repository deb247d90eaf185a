// Formulas in LaTeX.
#include <array>
#include <string>
#include <string_view>

#include "src/base/shortest.h"
#include "src/base/text.h"
#include "src/math/print.h"
#include "src/math/typeset.h"

namespace chalk::math {
namespace {

/// z^{(2)} with primes is {z^{(2)}}': TeX refuses two superscripts.
std::string with_primes(const std::string& name, int primes) {
  if (primes == 0) return name;
  const std::string marks(static_cast<std::size_t>(primes), '\'');
  return name.find('^') == std::string::npos ? name + marks : "{" + name + "}" + marks;
}

class Latex {
 public:
  /// `last`: nothing follows that a sum at the end would swallow.
  std::string operator()(const Expr& e, bool last = true) const {
    switch (e.kind) {
      case Kind::number:
        return shortest(e.number);
      case Kind::name:
        return value(e);
      case Kind::call:
        return call(e);
      case Kind::element:
        return "\\left[" + (*this)(*e.args[0]) + "\\right]_{" + list(e, 1) + "}";
      case Kind::negate:
        return "-" + in(*e.args[0], kTerm, last);
      case Kind::add:
        return in(*e.args[0], kSum, true) + " + " + in(*e.args[1], kTerm, last);
      case Kind::subtract:
        return in(*e.args[0], kSum, true) + " - " + in(*e.args[1], kTerm, last);
      case Kind::multiply: {
        const auto left = in(*e.args[0], kTerm, false), right = in(*e.args[1], kFactor, last);
        const bool number = right[0] >= '0' && right[0] <= '9';
        return left + (number ? " \\cdot " : "\\, ") + right;
      }
      case Kind::divide:
        return "\\frac{" + (*this)(*e.args[0]) + "}{" + (*this)(*e.args[1]) + "}";
      case Kind::matmul:
        return in(*e.args[0], kTerm, false) + "\\, " + in(*e.args[1], kFactor, last);
      case Kind::hadamard:
        return in(*e.args[0], left_of_elementwise(*e.args[0]), false) + " \\odot " + in(*e.args[1], kFactor, last);
      case Kind::quotient:
        return in(*e.args[0], left_of_elementwise(*e.args[0]), false) + " \\oslash " + in(*e.args[1], kFactor, last);
      case Kind::power:
        return raised(*e.args[0]) + "^{" + (*this)(*e.args[1]) + "}";
      case Kind::transpose:
        return raised(*e.args[0]) + "^{\\mathsf{T}}";
      case Kind::diag:
        return "\\operatorname{diag}\\left(" + (*this)(*e.args[0]) + "\\right)";
      case Kind::ones:
        return "\\mathbf{1}_{" + (*this)(*e.args[0]) + "}";
      case Kind::axis_sum:
        return "\\operatorname{sum}_{\\text{axis }" + shortest(e.number) + "}\\left(" + (*this)(*e.args[0]) +
               "\\right)";
      case Kind::reduce:
        return reduce(e);
      case Kind::delta:
        return "\\delta_{" + list(e, 0) + "}";
      case Kind::compare:
        return "\\left[" + (*this)(*e.args[0]) + " " + std::string(sign_of(e.comparison)) + " " + (*this)(*e.args[1]) +
               "\\right]";
      case Kind::derivative: {
        const auto& top = *e.args[0];
        return "\\frac{\\partial " + (top.kind == Kind::name ? (*this)(top) : "\\left[" + (*this)(top) + "\\right]") +
               "}{\\partial " + (*this)(*e.args[1]) + "}";
      }
      case Kind::at: {
        std::string text = "\\left." + in(*e.args[0], kAtom, false) + "\\right|_{";
        for (std::size_t k = 1; k + 1 < e.args.size(); k += 2)
          text += (k > 1 ? ",\\; " : "") + (*this)(*e.args[k]) + " \\to " + (*this)(*e.args[k + 1]);
        return text + "}";
      }
      default:
        return latex_name(e.name);
    }
  }

 private:
  static std::string_view sign_of(Comparison comparison) {
    constexpr std::array<std::string_view, 6> kSigns{"=", "\\neq", "<", "\\leq", ">", "\\geq"};
    return kSigns[static_cast<std::size_t>(comparison)];
  }
  std::string value(const Expr& e) const {
    auto text = latex_name(e.name, e.primes);
    if (e.args.empty()) return text;
    const bool has_index = !parts_of(e.name).below.empty() && e.primes == 0;  // z_out: one more index
    return has_index ? text.substr(0, text.size() - 1) + "," + list(e, 0) + "}" : text + "_{" + list(e, 0) + "}";
  }
  std::string call(const Expr& e) const {
    const auto argument = (*this)(*e.args.back());
    if (e.name == kNormFunction) return "\\left\\lVert " + argument + "\\right\\rVert";
    if (e.name == "abs" && e.primes == 0) return "\\left\\lvert " + argument + "\\right\\rvert";
    if (e.name == "floor" && e.primes == 0) return "\\left\\lfloor " + argument + "\\right\\rfloor";
    if (e.name == "sqrt" && e.primes == 0) return "\\sqrt{" + argument + "}";
    if (e.name == "exp" && e.primes == 0) return "e^{" + argument + "}";
    std::string function = latex_name(e.name);
    for (const std::string_view known : {"ln", "tanh", "sin", "cos", "exp"}) {
      if (e.name == known) function = "\\" + e.name;
    }
    for (const std::string_view named : {"relu", "softmax", "step", "sign", "linear", "floor", "sqrt", "abs", "erf"}) {
      if (e.name == named) function = "\\operatorname{" + e.name + "}";
    }
    if (e.name == "sigmoid") function = "\\sigma";
    function = with_primes(function, e.primes);
    if (e.args.size() > 1) function += "_{" + (*this)(*e.args[0]) + "}";
    return function + "\\left(" + argument + "\\right)";
  }
  std::string reduce(const Expr& e) const {
    constexpr std::array<std::string_view, 5> kNames{"\\sum", "\\prod", "\\max", "\\min", "\\operatorname{argmax}"};
    std::string text{kNames[static_cast<std::size_t>(e.reduction)]};
    if (e.bounds.empty()) {
      text += "\\left(";
      for (std::size_t k = 0; k < e.args.size(); ++k) text += (k > 0 ? ", " : "") + (*this)(*e.args[k]);
      return text + "\\right)";
    }
    if (has_limits(e)) {
      const auto sign = text;
      text.clear();
      for (const auto& bound : e.bounds) {
        text += str(sign, "_{", latex_name(bound.name), "=", bound.range->first, "}^{", bound.range->second, "} ");
      }
      return text + in(*e.args[0], kTerm, true);
    }
    std::string below;
    for (const auto& bound : e.bounds) {
      below += (below.empty() ? "" : ",") + latex_name(bound.name);
      if (bound.range)
        below += "=" + std::to_string(bound.range->first) + "\\ldots " + std::to_string(bound.range->second);
    }
    return text + "_{" + below + "} " + in(*e.args[0], kTerm, true);
  }
  /// The base of a power.
  std::string raised(const Expr& e) const {
    auto text = in(e, kAtom, false);
    if (text.find('^') == std::string::npos) return text;
    if (text.starts_with("\\left(") && text.ends_with("\\right)")) return text;
    return e.kind == Kind::name && e.args.empty() ? "{" + text + "}" : "\\left(" + text + "\\right)";
  }
  std::string in(const Expr& e, Tightness least, bool last) const {
    return needs_brackets(e, least, last) ? "\\left(" + (*this)(e) + "\\right)" : (*this)(e, last);
  }
  std::string list(const Expr& e, std::size_t from) const {
    std::string text;
    for (auto k = from; k < e.args.size(); ++k) text += (k > from ? "," : "") + (*this)(*e.args[k]);
    return text;
  }
};

}  // namespace

std::string latex_name(std::string_view name, int primes) {
  if (name == ":") return ":";
  const auto parts = parts_of(name);
  std::string text = parts.greek.empty() ? "" : "\\" + std::string(parts.greek);
  if (!parts.word.empty()) {
    if (!text.empty()) text += ' ';
    text += parts.word.size() == 1 ? std::string(parts.word) : "\\mathit{" + std::string(parts.word) + "}";
  }
  if (!parts.accent.empty()) text = str("\\", parts.accent, "{", text, "}");
  if (!parts.layer.empty()) text += "^{(" + std::string(parts.layer) + ")}";
  if (!parts.below.empty()) {
    std::string escaped;
    for (const char c : parts.below) escaped += c == '_' ? std::string("\\_") : std::string(1, c);
    text += "_{" + escaped + "}";
  }
  return with_primes(text, primes);
}

std::string latex_words(std::string_view words) {
  std::string text;
  for (const char c : words) {
    if (c == '\\') {
      text += "\\textbackslash{}";
    } else if (c == '^' || c == '~') {
      text += str("\\", c, "{}");
    } else {
      if (std::string_view("%$&#_{}").find(c) != std::string_view::npos) text += '\\';
      text += c;
    }
  }
  return "\\text{" + text + "}";
}

std::string to_latex(const Expr& formula) { return Latex()(formula); }

}  // namespace chalk::math
