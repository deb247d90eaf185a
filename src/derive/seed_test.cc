// The derivation of the network of docs/seeds/000.chalk has that document's own steps, up to the names of indices.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "chalkgrad/derive.h"
#include "src/base/shortest.h"
#include "src/base/text.h"
#include "src/math/parser.h"
#include "src/math/symbols.h"

namespace chalk {
namespace {

using math::ExprPtr;
using math::Kind;

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// A formula as a text that is the same however its factors and terms are ordered, how far its sums reach, and what
/// their indices are called.
class Form {
 public:
  /// `names`: what free names are called.
  explicit Form(std::map<std::string, std::string> names) : names_(std::move(names)) {}

  std::string of(const ExprPtr& e) {
    Product p;
    gather(e, p, /*below=*/false);
    return text(p);
  }

 private:
  struct Product {
    double number = 1;
    std::vector<std::string> factors;
  };

  static std::string text(Product& p) {
    std::ranges::sort(p.factors);
    auto all = shortest(p.number);
    for (const auto& factor : p.factors) all += "·" + factor;
    return all;
  }

  void gather(const ExprPtr& e, Product& p, bool below) {
    if (e->kind == Kind::number) {
      p.number *= below ? 1 / e->number : e->number;
    } else if (e->kind == Kind::negate) {
      p.number = -p.number;
      gather(e->args[0], p, below);
    } else if (e->kind == Kind::multiply || e->kind == Kind::divide) {
      gather(e->args[0], p, below);
      gather(e->args[1], p, below != (e->kind == Kind::divide));
    } else if (e->kind == Kind::reduce) {
      const auto before = names_;
      std::vector<std::string> bound;
      for (const auto& each : e->bounds)
        bound.push_back(names_[each.name] = str("#", before.size(), "/", bound.size(), "#"));
      Product body, inside;
      gather(e->args[0], body, /*below=*/false);
      names_ = before;
      p.number *= body.number;
      for (auto& factor : body.factors) {
        const bool depends = std::ranges::any_of(bound, [&](const auto& name) { return has(factor, name); });
        (depends ? inside.factors : p.factors).push_back(factor);
      }
      p.factors.push_back("Σ(" + text(inside) + ")");
    } else {
      p.factors.push_back((below ? "1/" : "") + single(*e));
    }
  }

  std::string single(const math::Expr& e) {
    std::vector<std::string> args;
    if (e.kind == Kind::add || e.kind == Kind::subtract) {
      terms(e, 1, args);
    } else {
      for (const auto& arg : e.args) args.push_back(of(arg));
    }
    if (e.kind != Kind::name) std::ranges::sort(args);
    std::string all;
    for (const auto& arg : args) all += (all.empty() ? "" : ", ") + arg;
    const auto name = names_.find(e.name);
    return str(name == names_.end() ? e.name : name->second, "[", static_cast<int>(e.kind), ": ", all, "]");
  }
  void terms(const math::Expr& e, double sign, std::vector<std::string>& found) {
    for (std::size_t k = 0; k < e.args.size(); ++k) {
      const double own = k == 1 && e.kind == Kind::subtract ? -sign : sign;
      const auto& arg = *e.args[k];
      if (arg.kind == Kind::add || arg.kind == Kind::subtract) {
        terms(arg, own, found);
        continue;
      }
      Product p{.number = own, .factors = {}};
      gather(e.args[k], p, /*below=*/false);
      found.push_back(text(p));
    }
  }

  std::map<std::string, std::string> names_;
};

/// The right side of an equation of 000.chalk.
std::string printed(const std::string& label) {
  std::ifstream file(std::filesystem::path(CHALKGRAD_SOURCE_DIR) / "docs" / "seeds" / "000.chalk");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("(" + label + ")")) return line.substr(line.find('=') + 1);
  }
  ADD_FAILURE() << "there is no (" << label << ")";
  return "0";
}

TEST(SeedNetwork, SoftmaxAndCrossEntropyAreSimplifiedAsTheDocumentDoes) {
  const auto d = derive(network("1c3wfu-relu-mp2-bias-relu-3n-softmax", {1, 6, 6}), Loss::cross_entropy);
  math::Symbols symbols;
  for (const char* name : {"t", "y", "a2", "a3"}) symbols.add({.name = name}, {});
  const auto in_their_names = [&](const std::string& text) {
    return Form({{"a3", "a2"}, {"i", "a"}, {"p", "f"}, {"q", "g"}}).of(math::parse_formula(text, symbols));
  };
  // dS/dW[a,f,g] is dS/dz[a] times a2[f,g]: so are its steps.
  std::vector<std::string> steps;
  for (const auto& section : d.sections) {
    for (const auto& chain : section.chains) {
      for (const auto& step : chain.steps) {
        if (chain.left.text() == "dL/dz4[i]" && !has(step.formula.text(), "dL"))
          steps.push_back(in_their_names("(" + step.formula.text() + ")*a3[p,q]"));
        if (chain.left.text() == "dL/dW4[i,4*p + q]" && step.formula.text() == "dL/dz4[i]*a3[p,q]")
          steps.emplace_back("the product");
      }
    }
  }
  EXPECT_THAT(steps, testing::Contains("the product"));
  for (const char* label : {"32", "33", "34", "35"})
    EXPECT_THAT(steps, testing::Contains(in_their_names(printed(label)))) << label << ": " << printed(label);
}

}  // namespace
}  // namespace chalk
