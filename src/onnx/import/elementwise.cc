// Activations, and arithmetic that broadcasts.
#include <algorithm>
#include <cmath>
#include <limits>

#include "src/base/text.h"
#include "src/onnx/import.h"

namespace chalk::onnx {

void import_Not(Importer& to, const FileNode& node);

namespace {

/// A function of each value, as a layer or an operation with that many operands.
void layer(Importer& to, const FileNode& node, std::string_view type, const std::string& keys = {}) {
  to.define(node, 0, to.layer(node, str('"', type, '"'), {to.value(node, 0)}, keys));
}

void operation(Importer& to, const FileNode& node, std::string_view op) {
  to.define(node, 0, to.operation(node, op, {to.value(node, 0)}));
}

/// The extents that NumPy's broadcasting makes of two.
Extents broadcast(Importer& to, const FileNode& node, Extents a, Extents b) {
  if (a.size() < b.size()) std::swap(a, b);
  const auto ahead = a.size() - b.size();
  for (std::size_t i = 0; i < b.size(); ++i) {
    auto& extent = a[ahead + i];
    if (extent == 1) extent = b[i];
    if (b[i] != 1 && b[i] != extent) to.fail(node, "its operands' shapes do not fit each other");
  }
  return a;
}

/// Where a broadcast operand has the element that meets element i of the result.
std::size_t source(const Extents& result, const Extents& operand, std::size_t i) {
  std::size_t at = 0, stride = 1;
  for (std::size_t d = result.size(); d-- > 0;) {
    const auto place = i % static_cast<std::size_t>(result[d]);
    i /= static_cast<std::size_t>(result[d]);
    const auto ahead = result.size() - operand.size();
    if (d < ahead) break;
    const auto extent = static_cast<std::size_t>(operand[d - ahead]);
    if (extent != 1) at += place * stride;
    stride *= extent;
  }
  return at;
}

constexpr std::size_t kMostFolded = std::size_t{1} << 20;  // elements of what is calculated when a file is read

/// Of known operands: what exporters calculate of shapes. Extents that are the batch's are moved around only.
template <class F>
bool folded(Importer& to, const FileNode& node, F f) {
  if (node.inputs.size() != 2) return false;
  const auto *a = to.known(node, 0), *b = to.known(node, 1);
  if (!a || !b) return false;
  const auto extents = broadcast(to, node, a->extents, b->extents);
  std::size_t size = 1;
  for (const auto extent : extents) size *= static_cast<std::size_t>(extent);
  if (size > kMostFolded) to.fail(node, "calculates with more than a million numbers of the file");
  std::vector<std::int64_t> wholes;
  std::vector<float> reals;
  for (std::size_t i = 0; i < size; ++i) {
    const auto p = source(extents, a->extents, i), q = source(extents, b->extents, i);
    if (a->wholes && b->wholes) {
      const auto x = (*a->wholes)[p], y = (*b->wholes)[q];
      if (x == kBatch || y == kBatch) to.fail(node, "calculates with the number of samples, which is open");
      wholes.push_back(static_cast<std::int64_t>(f(static_cast<double>(x), static_cast<double>(y))));
    } else {
      reals.push_back(static_cast<float>(f(a->at(p), b->at(q))));
    }
  }
  to.define(node, 0,
            a->wholes && b->wholes ? known_wholes(extents, std::move(wholes)) : known_reals(extents, std::move(reals)));
  return true;
}

/// All operands, two by two, from the left.
Value joined(Importer& to, const FileNode& node, std::string_view op) {
  std::size_t rank = 0;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    if (!to.known(node, i)) rank = std::max(rank, to.extents(node, i).size());
  }
  Value value = to.aligned(node, 0, rank);
  for (std::size_t i = 1; i < node.inputs.size(); ++i)
    value = to.operation(node, op, {value, to.aligned(node, i, rank)});
  return value;
}

template <class F>
void binary(Importer& to, const FileNode& node, std::string_view op, F f) {
  if (node.inputs.empty()) to.fail(node, "has no operand");
  if (!folded(to, node, f)) to.define(node, 0, joined(to, node, op));
}

std::string key(const char* name, double value) { return str(name, " = ", toml(value), '\n'); }

/// Bounds that are operands since version 11, attributes before.
double bound(Importer& to, const FileNode& node, std::size_t i, const char* name, double otherwise) {
  if (to.opset() < 11) return to.real(node, name, otherwise);
  if (!Importer::has(node, i)) return otherwise;
  const auto& known = to.required(node, i, "bounds");
  if (known.size() != 1) to.fail(node, str(name, " must be one number"));
  return known.at(0);
}

}  // namespace

void import_Abs(Importer& to, const FileNode& node) { operation(to, node, "abs"); }
void import_Erf(Importer& to, const FileNode& node) { operation(to, node, "erf"); }
void import_Exp(Importer& to, const FileNode& node) { operation(to, node, "exp"); }
void import_Log(Importer& to, const FileNode& node) { operation(to, node, "log"); }
void import_Neg(Importer& to, const FileNode& node) { operation(to, node, "neg"); }
void import_Sqrt(Importer& to, const FileNode& node) { operation(to, node, "sqrt"); }

void import_Relu(Importer& to, const FileNode& node) { layer(to, node, "relu"); }
void import_Sigmoid(Importer& to, const FileNode& node) { layer(to, node, "sigmoid"); }
void import_Softplus(Importer& to, const FileNode& node) { layer(to, node, "softplus"); }
void import_Softsign(Importer& to, const FileNode& node) { layer(to, node, "softsign"); }
void import_Tanh(Importer& to, const FileNode& node) { layer(to, node, "tanh"); }
void import_HardSwish(Importer& to, const FileNode& node) { layer(to, node, "hard_swish"); }
void import_Mish(Importer& to, const FileNode& node) { layer(to, node, "mish"); }

void import_Elu(Importer& to, const FileNode& node) { layer(to, node, "elu", key("alpha", to.real(node, "alpha", 1))); }
void import_Celu(Importer& to, const FileNode& node) {
  layer(to, node, "celu", key("alpha", to.real(node, "alpha", 1)));
}
void import_LeakyRelu(Importer& to, const FileNode& node) {
  layer(to, node, "leaky_relu", key("slope", to.real(node, "alpha", 0.01F)));
}

void import_Gelu(Importer& to, const FileNode& node) {
  layer(to, node, to.text(node, "approximate", "none") == "tanh" ? "gelu_tanh" : "gelu");
}

void import_Swish(Importer& to, const FileNode& node) {
  if (to.real(node, "alpha", 1) != 1) to.fail(node, "alpha is not 1");
  layer(to, node, "silu");
}

void import_Selu(Importer& to, const FileNode& node) {
  const auto alpha = to.real(node, "alpha", 1.67326319217681884765625),
             gamma = to.real(node, "gamma", 1.05070102214813232421875);
  if (std::abs(alpha - 1.6732632) > 1e-5 || std::abs(gamma - 1.0507010) > 1e-5)
    to.fail(node, str("alpha and gamma are ", alpha, " and ", gamma, "; only those of the paper can be read"));
  layer(to, node, "selu");
}

void import_HardSigmoid(Importer& to, const FileNode& node) {
  const auto alpha = to.real(node, "alpha", 0.2F), beta = to.real(node, "beta", 0.5F);
  if (std::abs(alpha - 1.0 / 6) < 1e-6 && beta == 0.5) return layer(to, node, "hard_sigmoid");
  const Value line =
      to.operation(node, "add", {to.operation(node, "mul", {to.value(node, 0), to.number(alpha)}), to.number(beta)});
  const Value above = to.operation(node, "maximum", {line, to.number(0)});
  to.define(node, 0, to.operation(node, "minimum", {above, to.number(1)}));
}

void import_PRelu(Importer& to, const FileNode& node) {
  const auto& slopes = to.required(node, 1, "the slopes");
  const auto extents = to.extents(node, 0);
  const bool one = slopes.size() == 1,
             channels = extents.size() > 1 && slopes.size() == static_cast<std::size_t>(extents[1]);
  if (!one && !channels) to.fail(node, "has neither one slope nor one for each channel");
  to.define(node, 0,
            to.layer(node, "\"prelu\"", {to.value(node, 0)}, one ? "" : "per_channel = true\n", {{"weight", slopes}}));
}

void import_Clip(Importer& to, const FileNode& node) {
  constexpr double kMost = std::numeric_limits<float>::max();
  const auto low = bound(to, node, 1, "min", -kMost), high = bound(to, node, 2, "max", kMost);
  if (low == 0 && high == 6) return layer(to, node, "relu6");
  Value value = to.value(node, 0);
  if (low > -kMost) value = to.operation(node, "maximum", {value, to.number(low)});
  if (high < kMost) value = to.operation(node, "minimum", {value, to.number(high)});
  to.define(node, 0, value);
}

void import_Add(Importer& to, const FileNode& node) {
  binary(to, node, "add", [](double a, double b) { return a + b; });
}
void import_Sub(Importer& to, const FileNode& node) {
  binary(to, node, "sub", [](double a, double b) { return a - b; });
}
void import_Mul(Importer& to, const FileNode& node) {
  binary(to, node, "mul", [](double a, double b) { return a * b; });
}
void import_Div(Importer& to, const FileNode& node) {
  binary(to, node, "div", [](double a, double b) { return b == 0 ? 0 : a / b; });
}
void import_Max(Importer& to, const FileNode& node) {
  binary(to, node, "maximum", [](double a, double b) { return std::max(a, b); });
}
void import_Min(Importer& to, const FileNode& node) {
  binary(to, node, "minimum", [](double a, double b) { return std::min(a, b); });
}
/// 1 where it is so, else 0.
void import_Greater(Importer& to, const FileNode& node) {
  binary(to, node, "greater", [](double a, double b) { return a > b ? 1 : 0; });
}
void import_Equal(Importer& to, const FileNode& node) {
  binary(to, node, "equal", [](double a, double b) { return a == b ? 1 : 0; });
}

void import_Less(Importer& to, const FileNode& node) {
  FileNode other = node;
  std::ranges::reverse(other.inputs);
  import_Greater(to, other);
}

namespace {

/// 1 − what the rule makes.
void negated(Importer& to, const FileNode& node, ImportRule rule) {
  FileNode inner = node;
  inner.outputs = {str(node.outputs[0], "/not")};
  rule(to, inner);
  inner.inputs = inner.outputs;
  inner.outputs = node.outputs;
  import_Not(to, inner);
}

}  // namespace

void import_Not(Importer& to, const FileNode& node) {
  if (const auto* known = to.known(node, 0); known && known->wholes) {
    std::vector<std::int64_t> numbers;
    for (const auto number : *known->wholes) numbers.push_back(number == 0 ? 1 : 0);
    return to.define(node, 0, known_wholes(known->extents, std::move(numbers)));
  }
  to.define(node, 0, to.operation(node, "sub", {to.number(1), to.value(node, 0)}));
}
void import_GreaterOrEqual(Importer& to, const FileNode& node) { negated(to, node, import_Less); }
void import_LessOrEqual(Importer& to, const FileNode& node) { negated(to, node, import_Greater); }

void import_Where(Importer& to, const FileNode& node) {
  if (node.inputs.size() != 3) to.fail(node, "must have three operands");
  std::size_t rank = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    if (!to.known(node, i)) rank = std::max(rank, to.extents(node, i).size());
  }
  std::vector<Value> operands;
  for (std::size_t i = 0; i < 3; ++i) operands.push_back(to.aligned(node, i, rank));
  to.define(node, 0, to.operation(node, "select", operands));
}

void import_Sum(Importer& to, const FileNode& node) {
  if (node.inputs.size() == 1) return to.define(node, 0, to.value(node, 0));
  import_Add(to, node);
}

void import_Mean(Importer& to, const FileNode& node) {
  const Value sum = joined(to, node, "add");
  to.define(node, 0, to.operation(node, "mul", {sum, to.number(1.0 / static_cast<double>(node.inputs.size()))}));
}

void import_Reciprocal(Importer& to, const FileNode& node) {
  to.define(node, 0, to.operation(node, "div", {to.number(1), to.value(node, 0)}));
}

void import_Pow(Importer& to, const FileNode& node) {
  const auto& exponent = to.required(node, 1, "exponents");
  const Value x = to.value(node, 0);
  if (exponent.size() == 1 && exponent.at(0) == 2) return to.define(node, 0, to.operation(node, "mul", {x, x}));
  if (exponent.size() == 1 && exponent.at(0) == 0.5) return to.define(node, 0, to.operation(node, "sqrt", {x}));
  if (exponent.size() == 1 && exponent.at(0) == 3)
    return to.define(node, 0, to.operation(node, "mul", {to.operation(node, "mul", {x, x}), x}));
  to.fail(node, "the exponent is not 2, 3 or 0.5");
}

}  // namespace chalk::onnx
