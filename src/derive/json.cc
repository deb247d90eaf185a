// A derivation as data.
#include <array>

#include "chalkgrad/derive.h"
#include "src/base/shortest.h"
#include "src/base/text.h"
#include "src/math/expr.h"

namespace chalk {
namespace {

using math::Expr;
using math::Kind;

std::string in_json(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

template <class List, class Write>
std::string list(const List& items, Write write) {
  std::string out;
  for (const auto& item : items) out += (out.empty() ? "" : ",") + write(item);
  return "[" + out + "]";
}

std::string tree(const Expr& e);
std::string arguments(const Expr& e) {
  return list(e.args, [](const auto& arg) { return tree(*arg); });
}
std::string operation(std::string_view name, const Expr& e, const std::string& more = {}) {
  return str("{\"op\":", in_json(name), more, ",\"args\":", arguments(e), "}");
}

std::string tree(const Expr& e) {
  switch (e.kind) {
    case Kind::number:
      return shortest(e.number);
    case Kind::name:
      return str("{\"name\":", in_json(e.name), e.args.empty() ? "" : ",\"indices\":" + arguments(e), "}");
    case Kind::call:
      return operation(e.name, e);
    case Kind::negate:
      return operation("negate", e);
    case Kind::add:
      return operation("add", e);
    case Kind::subtract:
      return operation("subtract", e);
    case Kind::multiply:
      return operation("multiply", e);
    case Kind::divide:
      return operation("divide", e);
    case Kind::power:
      return operation("power", e);
    case Kind::matmul:
      return operation("matmul", e);
    case Kind::hadamard:
      return operation("hadamard", e);
    case Kind::transpose:
      return operation("transpose", e);
    case Kind::delta:
      return operation("delta", e);
    case Kind::derivative:
      return operation("derivative", e);
    case Kind::compare: {
      static constexpr std::array<std::string_view, 6> kSigns{"=", "!=", "<", "<=", ">", ">="};
      return operation("where", e, str(",\"is\":", in_json(kSigns[static_cast<std::size_t>(e.comparison)])));
    }
    case Kind::reduce: {
      static constexpr std::array<std::string_view, 5> kNames{"sum", "product", "max", "min", "argmax"};
      const auto over = list(e.bounds, [](const math::Bound& b) {
        return str("{\"index\":", in_json(b.name), ",\"from\":", b.range->first, ",\"to\":", b.range->second, "}");
      });
      return operation(kNames[static_cast<std::size_t>(e.reduction)], e, e.bounds.empty() ? "" : ",\"over\":" + over);
    }
    default:
      return operation("other", e);
  }
}

std::string formula(const DerivedFormula& f) {
  return str("{\"text\":", in_json(f.text()), ",\"latex\":", in_json(f.latex()), ",\"tree\":", tree(*f.tree()), "}");
}

std::string chain_of(const DerivedChain& chain) {
  std::string steps;
  const auto* before = &chain.left;
  for (const auto& step : chain.steps) {
    steps += str(steps.empty() ? "" : ",\n      ", "{\"rule\":", in_json(step.rule), ",\"before\":", formula(*before),
                 ",\"after\":", formula(step.formula), ",\"residual\":", shortest(step.residual),
                 step.remark.empty() ? "" : ",\"remark\":" + in_json(step.remark), "}");
    before = &step.formula;
  }
  return str("\n    {\"left\":", formula(chain.left), ",\"ranges\":", in_json(chain.ranges), ",\"steps\":[\n      ",
             steps, "]}");
}

}  // namespace

std::string to_json(const Derivation& derivation) {
  const auto symbol = [](const DerivedSymbol& s) {
    return str("\n  {\"name\":", in_json(s.name), ",\"meaning\":", in_json(s.meaning),
               ",\"shape\":", list(s.shape, [](auto extent) { return std::to_string(extent); }), "}");
  };
  const auto section = [](const DerivedSection& s) {
    return str("\n  {\"title\":", in_json(s.title), ",\"kind\":", in_json(s.kind),
               ",\"chains\":", list(s.chains, chain_of), "}");
  };
  return str("{\"title\":", in_json(derivation.title), ",\"equations\":", derivation.equations,
             ",\"samples\":", derivation.samples,
             ",\"conventions\":", list(derivation.conventions, [](const auto& c) { return in_json(c); }),
             ",\n\"symbols\":", list(derivation.symbols, symbol),
             ",\n\"sections\":", list(derivation.sections, section), "}\n");
}

}  // namespace chalk
