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

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "chalkgrad/data.h"
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

/// Numbers of a value, or of a derivative, for the sample that was chosen: all of them if they are few, else a corner.
struct DerivedNumbers {
  Shape shape;                    ///< its indices, in order
  Shape shown{};                  ///< of `numbers`: how far each index runs, from 0; `shape` if all are there
  std::vector<double> numbers{};  ///< row-major
  double norm = 0;                ///< √Σ x² of all of them
  bool whole() const { return shown == shape; }
};

/// One number of a chain, computed term by term: W1[0,0]·x[0] + W1[0,1]·x[1] + … = 0.5·2 + … = 1.25.
struct DerivedEntry {
  DerivedFormula left, named, numbers;
  double value = 0;
  std::size_t left_out = 0;  ///< terms that "..." stands for in both formulas; in the second, with what they come to
};

/// left = steps[0] = steps[1] = …
struct DerivedChain {
  DerivedFormula left;
  std::vector<DerivedStep> steps;
  std::string ranges{};                     ///< of indices whose range no value says: " for i=0..1, j=0..1"
  std::optional<DerivedNumbers> numbers{};  ///< of the left side, if a sample was chosen and that has a shape
  std::optional<DerivedEntry> entry{};
  std::string note{};  ///< "likewise z3, z5 and z7"
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
  std::optional<DerivedNumbers> numbers{};
};

/// The sample whose numbers stand beside the equations.
struct DerivedSample {
  std::string about;                    ///< "sample 5 of digits, label 3"
  std::vector<std::uint8_t> picture{};  ///< a PNG file; empty where samples are no pictures
};

struct Derivation {
  std::string title;                       ///< "Derivation of 30n-sigmoid-10n-sigmoid, squared-error"
  std::string network;                     ///< the network and its loss as a statement of check
  std::vector<DerivedSymbol> symbols;      ///< in the order in which they are defined
  std::vector<DerivedSection> sections;    ///< forward, backward from the loss to the input, update
  std::vector<std::string> conventions{};  ///< what derivatives go by at kinks
  std::optional<DerivedSample> sample{};   ///< whose numbers are there
  bool brief = false;                      ///< DeriveOptions::brief
  std::int64_t samples = 1;                ///< of the batch, where samples depend on each other
  std::size_t equations = 0;               ///< how many were verified
};

/// What a derivation calls things. Some letters are followed by the number of a layer: z1, W1.
struct DerivedNotation {
  std::string sum = "z";                                                  ///< what a layer's weights make, numbered
  std::string activation = "a";                                           ///< what a function makes of that, numbered
  std::string weight = "W", bias = "b", scale = "gamma", shift = "beta";  ///< numbered; the last two of normalisations
  std::string input = "x", output = "y", target = "t", loss = "L";
  bool batch = false;  ///< samples are the rows of matrices, and the losses of a batch are added up
  std::map<std::string, std::string> names{};  ///< of single values, in place of those that they would have: W1 → V
  std::string origin = "notation";             ///< begins messages about `names`
};

/// The names of books: "chalkgrad", "nielsen", "bishop", …
std::vector<std::string> notations();
/// The letters of one of those or, from a text that has a newline or '=', of TOML (docs/derive.md), whose messages
/// begin with `origin`. Throws InputError naming line and key, or the notations that there are.
DerivedNotation notation(std::string_view text, std::string_view origin = "notation");

struct DeriveOptions {
  std::optional<Optimizer> optimizer{};  ///< whose update is written, too
  bool brief = false;  ///< of each chain the first and the last formula; layers like one before are referred to it
  DerivedNotation notation{};  ///< whose letters
  std::uint64_t seed = 1;      ///< of the random numbers on which equations are verified
  int trials = 1;              ///< how often, at least 1
  /// Of a batch, where samples depend on each other; at least 2, or 0: 3, and 2 of a network of more than 10⁷
  /// multiplications a sample, so that it does not take long.
  std::int64_t samples = 0;
  /// A sample of these data, `sample` from 0, with whose numbers equations are written, beside the network's own
  /// weights; of a batch it is the first, and those after it follow. Null: there are no numbers.
  const Dataset* data = nullptr;
  std::size_t sample = 0;
};

/// Derives the gradients of the loss by all parameters and by the input. Throws ShapeError or InputError if the loss
/// or the data do not fit the network, or for letters that cannot be; and Error, naming the equation, if an equation is
/// not true of the network: then nothing is derived. `loss` is that of the first output, and of others without their
/// own.
Derivation derive(const Network& network, const Loss& loss, const DeriveOptions& options = {});

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
/// A notebook for Jupyter (nbformat 4.5), which typesets it.
std::string to_notebook(const Derivation& derivation);

}  // namespace chalk
