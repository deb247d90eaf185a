// A derivation as data, and as a notebook, which is JSON, too.
#include <array>

#include "chalkgrad/derive.h"
#include "src/base/shortest.h"
#include "src/base/text.h"
#include "src/derive/document.h"
#include "src/math/expr.h"
#include "src/math/print.h"

namespace chalk {
namespace {

using math::Expr;
using math::Kind;

std::string in_json(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\t' || c == '\r') continue;
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

std::string numbers_of(const DerivedNumbers& n) {
  const auto extents = [](const Shape& shape) {
    return list(shape, [](auto extent) { return std::to_string(extent); });
  };
  return str("{\"shape\":", extents(n.shape), ",\"shown\":", extents(n.shown),
             ",\"numbers\":", list(n.numbers, [](double v) { return shortest(v); }), ",\"norm\":", shortest(n.norm),
             "}");
}

std::string entry_of(const DerivedEntry& e) {
  return str("{\"left\":", formula(e.left), ",\"named\":", formula(e.named), ",\"numbers\":", formula(e.numbers),
             ",\"value\":", shortest(e.value), ",\"left_out\":", e.left_out, "}");
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
             steps, "]", chain.numbers ? ",\"numbers\":" + numbers_of(*chain.numbers) : "",
             chain.entry ? ",\"entry\":" + entry_of(*chain.entry) : "",
             chain.note.empty() ? "" : ",\"note\":" + in_json(chain.note), "}");
}

/// Words, whose signs mean themselves.
std::string in_markdown(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::string_view("\\`*_|$<[]#").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

}  // namespace

std::string to_json(const Derivation& derivation) {
  const auto symbol = [](const DerivedSymbol& s) {
    return str("\n  {\"name\":", in_json(s.name), ",\"meaning\":", in_json(s.meaning),
               ",\"shape\":", list(s.shape, [](auto extent) { return std::to_string(extent); }),
               s.numbers ? ",\"numbers\":" + numbers_of(*s.numbers) : "", "}");
  };
  const auto section = [](const DerivedSection& s) {
    return str("\n  {\"title\":", in_json(s.title), ",\"kind\":", in_json(s.kind),
               ",\"notes\":", list(s.notes, [](const auto& note) { return in_json(note); }),
               ",\"chains\":", list(s.chains, chain_of), "}");
  };
  return str("{\"title\":", in_json(derivation.title), ",\"equations\":", derivation.equations,
             ",\"samples\":", derivation.samples,
             derivation.sample ? ",\"sample\":" + in_json(derivation.sample->about) : "",
             ",\"conventions\":", list(derivation.conventions, [](const auto& c) { return in_json(c); }),
             ",\n\"symbols\":", list(derivation.symbols, symbol),
             ",\n\"sections\":", list(derivation.sections, section), "}\n");
}

std::string to_notebook(const Derivation& derivation) {
  std::string cells;
  int number = 0;
  const auto cell = [&](const std::string& markdown) {
    cells += str(cells.empty() ? "" : ",", "\n  {\"cell_type\":\"markdown\",\"id\":\"cell-", ++number,
                 "\",\"metadata\":{},\"source\":", in_json(markdown), "}");
  };
  const auto code = [](const std::string& text) { return "`" + text + "`"; };
  std::string head = str("# ", in_markdown(derivation.title), "\n\n", derivation.equations,
                         " equations, each verified on the network's values.\n");
  if (derivation.sample) head += str("\nNumbers are those of ", in_markdown(derivation.sample->about), ".\n");
  for (const auto& convention : derivation.conventions)
    head += str("\nBy convention: ", in_markdown(convention), ".\n");
  cell(head);
  std::string symbols = "## Symbols\n\n| symbol | what it is | shape |\n|---|---|---|\n";
  for (const auto& row : calculus::symbol_rows(derivation)) {
    std::string names, shape;
    for (const auto* symbol : row.symbols) {
      const auto [letters, primes] = calculus::without_primes(symbol->name);
      names += str(names.empty()                              ? ""
                   : row.more && symbol == row.symbols.back() ? ", …, "
                                                              : ", ",
                   "$", math::latex_name(letters, primes), "$");
    }
    for (const auto extent : row.symbols[0]->shape) shape += str(shape.empty() ? "" : " × ", extent);
    symbols += str("| ", names, " | ", in_markdown(row.symbols[0]->meaning), " | ", shape.empty() ? "a number" : shape,
                   " |\n");
  }
  cell(symbols);
  for (const auto& section : derivation.sections) {
    std::string text = str("## ", in_markdown(section.title), "\n");
    for (const auto& note : section.notes) text += str("\n", in_markdown(note), "\n");
    for (const auto& chain : section.chains) {
      text += "\n$$\\begin{aligned}\n" + chain.left.latex();
      for (const auto& step : chain.steps)
        text += str(" &= ", step.formula.latex(), " && ", math::latex_words(step.rule), "\\\\\n");
      text += "\\end{aligned}$$\n";
      if (!chain.ranges.empty()) text += str("\n", in_markdown(chain.ranges.substr(1)), "\n");
      if (!chain.note.empty()) text += str("\n", in_markdown(chain.note), "\n");
      if (chain.numbers) text += str("\n≈ ", code(calculus::text_of(*chain.numbers)), "\n");
      if (const auto& entry = chain.entry) {
        text +=
            str("\n$$\\begin{aligned}\n", entry->left.latex(), " &= ", entry->named.latex(), "\\\\\n &\\approx ",
                entry->numbers.latex(), "\\\\\n &\\approx ", calculus::text_of(entry->value), "\n\\end{aligned}$$\n");
        if (entry->left_out > 0) text += str("\n", calculus::left_out_of(*entry), "\n");
      }
    }
    cell(text);
  }
  return str(
      "{\"nbformat\":4,\"nbformat_minor\":5,\"metadata\":{\"kernelspec\":{\"display_name\":\"Python 3\","
      "\"language\":\"python\",\"name\":\"python3\"}},\n\"cells\":[",
      cells, "\n]}\n");
}

}  // namespace chalk
