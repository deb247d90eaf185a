#include "src/math/print.h"

#include <array>

#include "src/base/shortest.h"
#include "src/math/typeset.h"

namespace chalk::math {
namespace {

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

}  // namespace

std::string to_text(const Expr& formula) { return Text()(formula); }

}  // namespace chalk::math
