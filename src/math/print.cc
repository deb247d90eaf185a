#include "src/math/print.h"

#include <algorithm>
#include <array>
#include <vector>

#include "src/base/shortest.h"
#include "src/base/text.h"

namespace chalk::math {
namespace {

// How tightly an expression binds; brackets are needed where a looser one is an operand of a tighter one.
enum Tightness : int { kSum = 1, kTerm = 2, kFactor = 3, kPower = 4, kAtom = 5 };

Tightness tightness(const Expr& e) {
  switch (e.kind) {
    case Kind::add:
    case Kind::subtract:
    case Kind::negate:
      return kSum;
    case Kind::multiply:
    case Kind::divide:
    case Kind::matmul:
    case Kind::hadamard:
    case Kind::quotient:
      return kTerm;
    case Kind::derivative:
      return kPower;
    case Kind::power:
      return kFactor;
    case Kind::number:
      return e.number < 0 ? kSum : kAtom;
    default:
      return kAtom;
  }
}

/// A @ B .* C is read from the left; brackets say so to people.
Tightness left_of_elementwise(const Expr& left) { return left.kind == Kind::matmul ? kFactor : kTerm; }

std::string_view sign(Comparison comparison) {
  constexpr std::array<std::string_view, 6> kSigns{"=", "!=", "<", "<=", ">", ">="};
  return kSigns[static_cast<std::size_t>(comparison)];
}

std::string_view name_of(Reduction reduction) {
  constexpr std::array<std::string_view, 5> kNames{"sum", "prod", "max", "min", "argmax"};
  return kNames[static_cast<std::size_t>(reduction)];
}

std::string primed(const Expr& e) { return e.name + std::string(static_cast<std::size_t>(e.primes), '\''); }

class Text {
 public:
  std::string operator()(const Expr& e) const {
    switch (e.kind) {
      case Kind::number:
        return shortest(e.number);
      case Kind::name:
        return primed(e) + (e.indexed ? "[" + list(e, 0, ",") + "]" : "");
      case Kind::call:
        if (e.name == kNormFunction) return "‖" + (*this)(*e.args[0]) + "‖";
        return primed(e) + (e.args.size() > 1 ? "[" + (*this)(*e.args[0]) + "]" : "") + "(" + (*this)(*e.args.back()) +
               ")";
      case Kind::element:
        return in(*e.args[0], kAtom) + "[" + list(e, 1, ",") + "]";
      case Kind::negate:
        return "-" + in(*e.args[0], kTerm);
      case Kind::add:
        return in(*e.args[0], kSum) + " + " + in(*e.args[1], kTerm);
      case Kind::subtract:
        return in(*e.args[0], kSum) + " - " + in(*e.args[1], kTerm);
      case Kind::multiply:
        return in(*e.args[0], kTerm) + "*" + in(*e.args[1], kFactor);
      case Kind::divide:
        return in(*e.args[0], kTerm) + "/" + in(*e.args[1], kFactor);
      case Kind::matmul:
        return in(*e.args[0], kTerm) + " @ " + in(*e.args[1], kFactor);
      case Kind::hadamard:
        return in(*e.args[0], left_of_elementwise(*e.args[0])) + " .* " + in(*e.args[1], kFactor);
      case Kind::quotient:
        return in(*e.args[0], left_of_elementwise(*e.args[0])) + " ./ " + in(*e.args[1], kFactor);
      case Kind::power:
        return in(*e.args[0], kAtom) + "^" + in(*e.args[1], kAtom);
      case Kind::transpose:
        return in(*e.args[0], kAtom) + "^T";
      case Kind::diag:
        return "diag(" + (*this)(*e.args[0]) + ")";
      case Kind::ones:
        return "ones(" + (*this)(*e.args[0]) + ")";
      case Kind::axis_sum:
        return "sum(" + (*this)(*e.args[0]) + ", axis=" + shortest(e.number) + ")";
      case Kind::reduce: {
        std::string text = std::string(name_of(e.reduction)) + "(";
        for (const auto& bound : e.bounds) text += bound.name + range(bound) + ", ";
        return text + list(e, 0, ", ") + ")";
      }
      case Kind::delta:
        return "delta(" + list(e, 0, ",") + ")";
      case Kind::compare:
        return "[" + (*this)(*e.args[0]) + " " + std::string(sign(e.comparison)) + " " + (*this)(*e.args[1]) + "]";
      case Kind::derivative: {
        const auto& top = *e.args[0];
        return (!e.indexed ? "d" + (*this)(top) : "d(" + (*this)(top) + ")") + "/d" + (*this)(*e.args[1]);
      }
      case Kind::at: {
        std::string text = "at(" + (*this)(*e.args[0]);
        for (std::size_t k = 1; k + 1 < e.args.size(); k += 2)
          text += ", " + (*this)(*e.args[k]) + " := " + (*this)(*e.args[k + 1]);
        return text + ")";
      }
      default:
        return e.name;
    }
  }

 private:
  static std::string range(const Bound& bound) {
    return bound.range ? "=" + std::to_string(bound.range->first) + ".." + std::to_string(bound.range->second) : "";
  }
  std::string in(const Expr& e, Tightness least) const {
    const auto text = (*this)(e);
    return tightness(e) >= least ? text : "(" + text + ")";
  }
  std::string list(const Expr& e, std::size_t from, std::string_view between) const {
    std::string text;
    for (auto k = from; k < e.args.size(); ++k) text += (k > from ? std::string(between) : "") + (*this)(*e.args[k]);
    return text;
  }
};

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
    const bool has_index = e.name.find('_') != std::string::npos && e.primes == 0;  // z_out: one more index
    return has_index ? text.substr(0, text.size() - 1) + "," + list(e, 0) + "}" : text + "_{" + list(e, 0) + "}";
  }
  std::string call(const Expr& e) const {
    const auto argument = (*this)(*e.args.back());
    if (e.name == kNormFunction) return "\\left\\lVert " + argument + "\\right\\rVert";
    if (e.name == "sqrt" && e.primes == 0) return "\\sqrt{" + argument + "}";
    if (e.name == "exp" && e.primes == 0) return "e^{" + argument + "}";
    std::string function = latex_name(e.name);
    for (const std::string_view known : {"ln", "tanh", "sin", "cos", "exp"}) {
      if (e.name == known) function = "\\" + e.name;
    }
    for (const std::string_view named : {"relu", "softmax", "step", "sign", "linear", "floor", "sqrt", "abs"}) {
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
    // A sum reaches as far to the right as it can; a fraction holds itself together.
    const bool sum = e.kind == Kind::reduce && !e.bounds.empty() && (!last || least == kAtom);
    const bool fraction = e.kind == Kind::divide || e.kind == Kind::derivative;
    const bool whole = fraction ? least < kAtom : tightness(e) >= least && !sum;
    return whole ? (*this)(e, last) : "\\left(" + (*this)(e) + "\\right)";
  }
  std::string list(const Expr& e, std::size_t from) const {
    std::string text;
    for (auto k = from; k < e.args.size(); ++k) text += (k > from ? "," : "") + (*this)(*e.args[k]);
    return text;
  }
};

constexpr std::array<std::string_view, 35> kGreek{
    "alpha", "beta",  "gamma",  "delta", "epsilon", "zeta", "eta",     "theta", "iota",  "kappa",   "lambda", "mu",
    "nu",    "xi",    "pi",     "rho",   "sigma",   "tau",  "upsilon", "phi",   "chi",   "psi",     "omega",  "Gamma",
    "Delta", "Theta", "Lambda", "Xi",    "Phi",     "Psi",  "Omega",   "Pi",    "Sigma", "Upsilon", "ell"};

}  // namespace

std::string latex_name(std::string_view name, int primes) {
  if (name == ":") return ":";
  std::string_view letter;
  for (const auto greek : kGreek) {
    const auto rest = name.substr(std::min(greek.size(), name.size()));
    const bool word = rest.size() > 1 && rest[0] >= 'a' && rest[0] <= 'z' && rest[1] >= 'a' && rest[1] <= 'z';
    if (name.starts_with(greek) && !word && greek.size() > letter.size()) letter = greek;  // and not "pixel"
  }
  std::string text = letter.empty() ? "" : "\\" + std::string(letter);
  auto rest = name.substr(letter.size());
  const auto low = rest.find('_');
  const auto sub = low == std::string_view::npos ? std::string_view() : rest.substr(low + 1);
  rest = rest.substr(0, low);
  auto end = rest.size();
  while (end > 0 && rest[end - 1] >= '0' && rest[end - 1] <= '9') --end;
  const auto word = rest.substr(0, end), layer = rest.substr(end);
  if (!word.empty()) {
    if (letter.empty()) {
      text = word.size() == 1 ? std::string(word) : "\\mathit{" + std::string(word) + "}";
    } else {
      text += word.size() == 1 ? " " + std::string(word) : " \\mathit{" + std::string(word) + "}";
    }
  }
  if (!layer.empty()) text += "^{(" + std::string(layer) + ")}";
  if (!sub.empty()) {
    std::string escaped;
    for (const char c : sub) escaped += c == '_' ? std::string("\\_") : std::string(1, c);
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

std::string to_text(const Expr& formula) { return Text()(formula); }
std::string to_latex(const Expr& formula) { return Latex()(formula); }

}  // namespace chalk::math
