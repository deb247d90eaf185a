// ai.onnx.preview.training: gradients by the rules of derivation here, and steps of optimizers.
#include <algorithm>
#include <cmath>

#include "chalkgrad/differentiate.h"
#include "chalkgrad/ops.h"
#include "src/base/power.h"
#include "src/base/text.h"
#include "src/onnx/import/moves.h"

namespace chalk::onnx {
namespace {

/// A node of several operands that are updated alike: R, T, then so many of each kind.
struct Step {
  double count = 0;  ///< T: how many steps there have been
  std::size_t tensors = 0;

  std::size_t place(std::size_t kind, std::size_t i) const { return 2 + kind * tensors + i; }
};

Step step(Importer& to, const FileNode& node, std::size_t kinds) {
  if (node.inputs.size() < 2 + kinds || (node.inputs.size() - 2) % kinds != 0)
    to.fail(node, str("has ", node.inputs.size(), " operands; needed are the rate, the step and ", kinds,
                      " for each tensor"));
  return {to.required_number(node, 1, "the step"), (node.inputs.size() - 2) / kinds};
}

/// Arithmetic with numbers, which are not written where they change nothing.
class Formula {
 public:
  Formula(Importer& to, const FileNode& node) : to_(to), node_(node) {}

  Value plus(Value a, Value b) { return to_.operation(node_, "add", {a, b}); }
  Value minus(Value a, Value b) { return to_.operation(node_, "sub", {a, b}); }
  Value times(Value a, Value b) { return to_.operation(node_, "mul", {a, b}); }
  Value over(Value a, Value b) { return to_.operation(node_, "div", {a, b}); }
  Value root(Value a) { return to_.operation(node_, "sqrt", {a}); }
  Value times(double factor, Value a) { return factor == 1 ? a : times(a, to_.number(factor)); }
  Value plus(Value a, double number) { return number == 0 ? a : plus(a, to_.number(number)); }
  /// The operand, and the gradient with its penalty: g + norm_coefficient · x.
  Value operand(std::size_t i) { return to_.value(node_, i); }
  Value gradient(std::size_t x, std::size_t g) {
    const auto penalty = to_.real(node_, "norm_coefficient", 0);
    return penalty == 0 ? operand(g) : plus(times(penalty, operand(x)), operand(g));
  }

 private:
  Importer& to_;
  const FileNode& node_;
};

}  // namespace

/// h' = h + g², x' = x − r / (1 + t·decay) · g / (√h' + ε)
void import_Adagrad(Importer& to, const FileNode& node) {
  const auto s = step(to, node, 3);
  Formula f(to, node);
  const Value rate = f.times(1 / (1 + s.count * to.real(node, "decay_factor", 0)), f.operand(0));
  for (std::size_t i = 0; i < s.tensors; ++i) {
    const Value g = f.gradient(s.place(0, i), s.place(1, i));
    const Value h = f.plus(f.operand(s.place(2, i)), f.times(g, g));
    const Value root = f.plus(f.root(h), to.real(node, "epsilon", 0));
    to.define(node, i, f.minus(f.operand(s.place(0, i)), f.over(f.times(rate, g), root)));
    to.define(node, s.tensors + i, h);
  }
}

/// v' = α·v + (1 − α)·g, h' = β·h + (1 − β)·g², x' = x − r·√(1 − βᵗ)/(1 − αᵗ) · v' / (√h' + ε)
void import_Adam(Importer& to, const FileNode& node) {
  const auto s = step(to, node, 4);
  Formula f(to, node);
  const auto alpha = to.real(node, "alpha", 0.9F), beta = to.real(node, "beta", 0.999F);
  const auto count = static_cast<std::int64_t>(std::max(0.0, s.count));
  const auto correction = count > 0 ? std::sqrt(1 - power(beta, count)) / (1 - power(alpha, count)) : 1;
  const Value rate = f.times(correction, f.operand(0));
  for (std::size_t i = 0; i < s.tensors; ++i) {
    const Value x = f.operand(s.place(0, i)), g = f.gradient(s.place(0, i), s.place(1, i));
    const Value v = f.plus(f.times(alpha, f.operand(s.place(2, i))), f.times(1 - alpha, g));
    const Value h = f.plus(f.times(beta, f.operand(s.place(3, i))), f.times(1 - beta, f.times(g, g)));
    const Value root = f.plus(f.root(h), to.real(node, "epsilon", 0));
    const Value moved = f.minus(x, f.times(rate, f.over(v, root)));
    to.define(node, i, f.times(1 - to.real(node, "norm_coefficient_post", 0), moved));
    to.define(node, s.tensors + i, v);
    to.define(node, 2 * s.tensors + i, h);
  }
}

/// v' = α·v + β·g, β being 1 in the first step; x' = x − r·v', or, Nesterov's, x − r·(g + α·v')
void import_Momentum(Importer& to, const FileNode& node) {
  const auto s = step(to, node, 3);
  Formula f(to, node);
  const auto alpha = to.real(node, "alpha", 0), beta = s.count > 0 ? to.real(node, "beta", 1) : 1;
  const bool nesterov = to.text(node, "mode", "standard") == "nesterov";
  for (std::size_t i = 0; i < s.tensors; ++i) {
    const Value x = f.operand(s.place(0, i)), g = f.gradient(s.place(0, i), s.place(1, i));
    const Value v = f.plus(f.times(alpha, f.operand(s.place(2, i))), f.times(beta, g));
    const Value direction = nesterov ? f.plus(g, f.times(alpha, v)) : v;
    to.define(node, i, f.minus(x, f.times(f.operand(0), direction)));
    to.define(node, s.tensors + i, v);
  }
}

/// dy/dx of each of xs, with 1 for dy: the sum over y's elements.
void import_Gradient(Importer& to, const FileNode& node) {
  const auto* xs = node.attribute("xs");
  const auto* zs = node.attribute("zs");
  const auto y_name = to.text(node, "y", "");
  if (!xs || xs->texts.empty() || y_name.empty()) to.fail(node, "needs xs and y");
  if (xs->texts.size() + (zs ? zs->texts.size() : 0) != node.inputs.size())
    to.fail(node, "has other numbers of operands and names");
  std::vector<Value> from;
  for (std::size_t i = 0; i < xs->texts.size(); ++i) {
    if (node.inputs[i] != xs->texts[i]) to.fail(node, "computes y anew from other operands, which is not read here");
    from.push_back(to.value(node, i));
  }
  FileNode of_y = node;
  of_y.inputs = {std::string(y_name)};
  const Value y = to.value(of_y, 0);
  const Value ones = to.operation(node, "select", {to.operation(node, "equal", {y, y}), to.number(1), y});
  Graph& graph = y.graph();
  const NodeId before = graph.size();
  auto results = differentiate(y, ones, from);
  to.written(node, before);
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (!results[i]) results[i] = to.operation(node, "sub", {from[i], from[i]});
    to.define(node, i, results[i]);
  }
}

}  // namespace chalk::onnx
