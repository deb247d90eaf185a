// The derivation of a network: its definitions, the forward equations, the gradient of its loss layer by layer, and the
// optimizer's update, in index notation with the network's own sizes.
//
//   auto net = chalk::network("784-30n-sigmoid-10n-sigmoid", {784});
//   auto derivation = chalk::derive(net, chalk::Loss::squared_error);
//   fmt::print("{}", chalk::to_check(derivation));        // what chalkgrad check reads
//
// Steps are found by rewriting: the formula of each operation is differentiated by its indices (Kronecker's δ appear),
// the chain rule put together, sums sifted, products cancelled. Every equation is verified on the network's values, by
// the same means as check_derivation(), before anybody sees it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "chalkgrad/losses.h"
#include "chalkgrad/network.h"
#include "chalkgrad/optimizer.h"

namespace chalk {

namespace math {
struct Expr;
}

/// A formula as a tree, and as it is written.
class DerivedFormula {
 public:
  DerivedFormula() = default;
  explicit DerivedFormula(std::shared_ptr<const math::Expr> tree) : tree_(std::move(tree)) {}
  std::string text() const;    ///< in the language of chalkgrad check
  std::string latex() const;   ///< for a formula in LaTeX
  std::string mathml() const;  ///< for a <math> element
  const std::shared_ptr<const math::Expr>& tree() const { return tree_; }

 private:
  std::shared_ptr<const math::Expr> tree_;
};

/// One equality of a chain: what is on its right, and the rule by which that follows from what stands before it.
struct DerivedStep {
  std::string rule;
  DerivedFormula formula;
  double residual = 0;   ///< verified to this difference, by the largest number that came up
  std::string remark{};  ///< of check: at a kink, by which convention
};

/// left = steps[0] = steps[1] = …
struct DerivedChain {
  DerivedFormula left;
  std::vector<DerivedStep> steps;
  std::string ranges{};  ///< of indices whose range no value says: " for i=0..1, j=0..1"
};

struct DerivedSection {
  std::string title;      ///< "Layer dense2"
  std::string kind;       ///< "forward", "backward" or "update"
  std::string network{};  ///< a network of its own, as a statement of check; empty: that of the derivation
  std::vector<std::string> notes{};
  std::vector<DerivedChain> chains{};
};

/// What a letter stands for.
struct DerivedSymbol {
  std::string name;     ///< as formulas write it: "W1"
  std::string meaning;  ///< "input", "dense1.weight", "place of the maximum …"
  Shape shape;          ///< its indices, in order; axes of extent 1 take none
};

struct Derivation {
  std::string title;                       ///< "Derivation of 30n-sigmoid-10n-sigmoid, squared-error"
  std::string network;                     ///< the network and its loss as a statement of check
  std::vector<DerivedSymbol> symbols;      ///< in the order in which they are defined
  std::vector<DerivedSection> sections;    ///< forward, backward from the loss to the input, update
  std::vector<std::string> conventions{};  ///< what derivatives go by at kinks
  std::int64_t samples = 1;                ///< of the batch, where samples depend on each other
  std::size_t equations = 0;               ///< how many were verified
};

struct DeriveOptions {
  std::optional<Optimizer> optimizer{};  ///< whose update is written, too
  bool brief = false;  ///< of each chain the first and the last formula; layers like one before are referred to it
  std::string notation = "chalkgrad";  ///< whose letters: one of notations()
  std::uint64_t seed = 1;              ///< of the random numbers on which equations are verified
  int trials = 1;                      ///< how often, at least 1
  std::int64_t samples = 3;            ///< of a batch, where samples depend on each other; at least 2
};

/// Derives the gradients of the loss by all parameters and by the input. Throws ShapeError or InputError if the loss
/// does not fit the network or the network has several outputs, and Error, naming the equation, if an equation is not
/// true of the network: then nothing is derived.
Derivation derive(const Network& network, const Loss& loss, const DeriveOptions& options = {});

/// "chalkgrad", "nielsen", "bishop", …: whose letters there are.
std::vector<std::string> notations();

/// The language of check_derivation(), which verifies all of it.
std::string to_check(const Derivation& derivation);
/// For a terminal: equations with their rules.
std::string to_text(const Derivation& derivation);
/// A document that pdflatex compiles as it is.
std::string to_latex(const Derivation& derivation);
/// A page in one file: MathML, without script, for screens of any size, light and dark, and for paper.
std::string to_html(const Derivation& derivation);
/// Sections, chains and steps, each with its rule and the formulas before and after it as text, LaTeX and tree.
std::string to_json(const Derivation& derivation);

}  // namespace chalk
