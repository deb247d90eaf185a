#include "src/math/typeset.h"

#include <algorithm>
#include <array>

namespace chalk::math {

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

bool needs_brackets(const Expr& e, Tightness least, bool last) {
  const bool sum = e.kind == Kind::reduce && !e.bounds.empty() && (!last || least == kAtom);
  const bool fraction = e.kind == Kind::divide || e.kind == Kind::derivative;
  return fraction ? least == kAtom : tightness(e) < least || sum;
}

bool has_limits(const Expr& e) {
  const bool sign = e.reduction == Reduction::sum || e.reduction == Reduction::product;
  return sign && std::ranges::all_of(e.bounds, [](const Bound& bound) { return bound.range.has_value(); });
}

Tightness left_of_elementwise(const Expr& left) { return left.kind == Kind::matmul ? kFactor : kTerm; }

namespace {

struct Greek {
  std::string_view name, letter;
};
constexpr std::array<Greek, 35> kGreek{
    {{"alpha", "α"},   {"beta", "β"},  {"gamma", "γ"},  {"delta", "δ"},   {"epsilon", "ϵ"}, {"zeta", "ζ"},
     {"eta", "η"},     {"theta", "θ"}, {"iota", "ι"},   {"kappa", "κ"},   {"lambda", "λ"},  {"mu", "μ"},
     {"nu", "ν"},      {"xi", "ξ"},    {"pi", "π"},     {"rho", "ρ"},     {"sigma", "σ"},   {"tau", "τ"},
     {"upsilon", "υ"}, {"phi", "φ"},   {"chi", "χ"},    {"psi", "ψ"},     {"omega", "ω"},   {"Gamma", "Γ"},
     {"Delta", "Δ"},   {"Theta", "Θ"}, {"Lambda", "Λ"}, {"Xi", "Ξ"},      {"Phi", "Φ"},     {"Psi", "Ψ"},
     {"Omega", "Ω"},   {"Pi", "Π"},    {"Sigma", "Σ"},  {"Upsilon", "Υ"}, {"ell", "ℓ"}}};

bool is_small(char c) { return c >= 'a' && c <= 'z'; }

}  // namespace

NameParts parts_of(std::string_view name) {
  NameParts parts;
  for (const auto& greek : kGreek) {
    const auto rest = name.substr(std::min(greek.name.size(), name.size()));
    const bool word = rest.size() > 1 && is_small(rest[0]) && is_small(rest[1]);  // "pixel" is no pi
    if (!name.starts_with(greek.name) || word || greek.name.size() <= parts.greek.size()) continue;
    parts.greek = greek.name;
    parts.letter = greek.letter;
  }
  auto rest = name.substr(parts.greek.size());
  const auto low = std::min(rest.find('_'), rest.size());
  if (low < rest.size()) {
    const auto below = rest.substr(low + 1);
    (below == "hat" || below == "bar" || below == "tilde" ? parts.accent : parts.below) = below;
  }
  rest = rest.substr(0, low);
  auto end = rest.size();
  while (end > 0 && rest[end - 1] >= '0' && rest[end - 1] <= '9') --end;
  parts.word = rest.substr(0, end);
  parts.layer = rest.substr(end);
  return parts;
}

}  // namespace chalk::math
