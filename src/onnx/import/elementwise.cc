// Activations, and arithmetic that broadcasts.
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "src/base/power.h"
#include "src/base/text.h"
#include "src/onnx/import.h"
#include "src/onnx/import/moves.h"

namespace chalk::onnx {

void import_Not(Importer& to, const FileNode& node);

namespace {

/// A function of each value, as a layer or an operation with that many operands.
void layer(Importer& to, const FileNode& node, std::string_view type, std::string_view keys = {}) {
  to.define(node, 0, to.layer(node, str('"', type, '"'), to.value(node, 0), keys));
}

void operation(Importer& to, const FileNode& node, std::string_view op) {
  if (const auto* known = to.known(node, 0); known && known->size() == 0) return to.define(node, 0, *known);
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

constexpr const char* kSteps = "rounds what depends on the sample, through which nothing trains";

/// Of known operands: what exporters calculate of shapes. Extents that are the batch's are moved around only.
bool folded(Importer& to, const FileNode& node, double (*f)(double, double)) {
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    if (!to.known(node, i)) return false;
  }
  Known result = *to.known(node, 0);
  for (std::size_t n = 1; n < node.inputs.size(); ++n) {
    const Known a = std::move(result);
    const auto& b = *to.known(node, n);
    const auto extents = broadcast(to, node, a.extents, b.extents);
    const auto size = static_cast<std::size_t>(product(extents));
    if (size > kMostFolded) to.fail(node, "calculates with more than a million numbers of the file");
    std::vector<std::int64_t> wholes;
    std::vector<float> reals;
    const bool is_whole = a.wholes && b.wholes;
    for (std::size_t i = 0; i < size; ++i) {
      const auto p = source(extents, a.extents, i), q = source(extents, b.extents, i);
      const double value = f(a.at(p), b.at(q));
      if (is_whole && ((*a.wholes)[p] == kBatch || (*b.wholes)[q] == kBatch))
        to.fail(node, "calculates with the number of samples, which is open");
      if (is_whole && !std::isfinite(value)) to.fail(node, "divides by 0");
      is_whole ? wholes.push_back(static_cast<std::int64_t>(value)) : reals.push_back(static_cast<float>(value));
    }
    result = is_whole ? known_wholes(extents, std::move(wholes)) : known_reals(extents, std::move(reals));
  }
  result.name.clear();
  to.define(node, 0, std::move(result));
  return true;
}

/// A function of each number of a known operand, exact in double.
bool each_folded(Importer& to, const FileNode& node, const std::function<double(double)>& f) {
  const auto* known = to.known(node, 0);
  if (!known) return false;
  std::vector<std::int64_t> wholes;
  std::vector<float> reals;
  for (std::size_t i = 0; i < known->size(); ++i) {
    if (known->wholes && (*known->wholes)[i] == kBatch) to.fail(node, "calculates with the number of samples");
    known->wholes ? wholes.push_back(static_cast<std::int64_t>(f(known->at(i))))
                  : reals.push_back(static_cast<float>(f(known->at(i))));
  }
  to.define(
      node, 0,
      known->wholes ? known_wholes(known->extents, std::move(wholes)) : known_reals(known->extents, std::move(reals)));
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

void binary(Importer& to, const FileNode& node, std::string_view op, double (*f)(double, double)) {
  if (node.inputs.empty()) to.fail(node, "has no operand");
  if (!folded(to, node, f)) to.define(node, 0, joined(to, node, op));
}

Value times(Importer& to, const FileNode& node, Value x, double factor) {
  return factor == 1 ? x : to.operation(node, "mul", {x, to.number(factor)});
}

/// Bounds that are operands since version 11, attributes before.
double bound(Importer& to, const FileNode& node, std::size_t i, const char* name, double otherwise) {
  if (to.opset() < 11) return to.real(node, name, otherwise);
  return Importer::has(node, i) ? to.required_number(node, i, name) : otherwise;
}

}  // namespace

void import_Abs(Importer& to, const FileNode& node) {
  if (!each_folded(to, node, [](double x) { return std::abs(x); })) operation(to, node, "abs");
}
void import_Neg(Importer& to, const FileNode& node) {
  if (!each_folded(to, node, [](double x) { return -x; })) operation(to, node, "neg");
}
void import_Floor(Importer& to, const FileNode& node) {
  if (!each_folded(to, node, [](double x) { return std::floor(x); })) to.fail(node, kSteps);
}
void import_Ceil(Importer& to, const FileNode& node) {
  if (!each_folded(to, node, [](double x) { return std::ceil(x); })) to.fail(node, kSteps);
}
void import_Erf(Importer& to, const FileNode& node) { operation(to, node, "erf"); }
void import_Exp(Importer& to, const FileNode& node) { operation(to, node, "exp"); }
void import_Log(Importer& to, const FileNode& node) { operation(to, node, "log"); }
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
  const auto alpha = to.real(node, "alpha", 1);
  if (alpha == 1) return layer(to, node, "silu");
  const Value x = to.value(node, 0);
  to.define(node, 0, to.operation(node, "mul", {x, to.operation(node, "sigmoid", {times(to, node, x, alpha)})}));
}

void import_Selu(Importer& to, const FileNode& node) {
  const auto alpha = to.real(node, "alpha", 1.67326319217681884765625),
             gamma = to.real(node, "gamma", 1.05070102214813232421875);
  if (std::abs(alpha - 1.6732632) < 1e-5 && std::abs(gamma - 1.0507010) < 1e-5) return layer(to, node, "selu");
  const Value elu = to.layer(node, "\"elu\"", to.value(node, 0), key("alpha", alpha));
  to.define(node, 0, times(to, node, elu, gamma));
}

void import_HardSigmoid(Importer& to, const FileNode& node) {
  const auto alpha = to.real(node, "alpha", 0.2F), beta = to.real(node, "beta", 0.5F);
  if (std::abs(alpha - 1.0 / 6) < 1e-6 && beta == 0.5) return layer(to, node, "hard_sigmoid");
  const Value line = to.operation(node, "add", {times(to, node, to.value(node, 0), alpha), to.number(beta)});
  const Value above = to.operation(node, "maximum", {line, to.number(0)});
  to.define(node, 0, to.operation(node, "minimum", {above, to.number(1)}));
}

/// x where x > alpha, else 0.
void import_ThresholdedRelu(Importer& to, const FileNode& node) {
  const Value x = to.value(node, 0);
  const Value above = to.operation(node, "greater", {x, to.number(to.real(node, "alpha", 1))});
  to.define(node, 0, to.operation(node, "select", {above, x, to.number(0)}));
}

/// x + bias below −lambd, x − bias above lambd, else 0.
void import_Shrink(Importer& to, const FileNode& node) {
  const Value x = to.value(node, 0);
  const auto limit = to.real(node, "lambd", 0.5), bias = to.real(node, "bias", 0);
  const Value above = to.operation(node, "greater", {x, to.number(limit)});
  const Value below = to.operation(node, "greater", {to.number(-limit), x});
  const Value low =
      to.operation(node, "select", {below, to.operation(node, "add", {x, to.number(bias)}), to.number(0)});
  to.define(node, 0, to.operation(node, "select", {above, to.operation(node, "sub", {x, to.number(bias)}), low}));
}

void import_Sign(Importer& to, const FileNode& node) {
  if (each_folded(to, node, [](double x) { return x > 0 ? 1.0 : x < 0 ? -1.0 : x; })) return;
  const Value x = to.value(node, 0), zero = to.number(0);
  to.define(
      node, 0,
      to.operation(node, "sub", {to.operation(node, "greater", {x, zero}), to.operation(node, "greater", {zero, x})}));
}

void import_PRelu(Importer& to, const FileNode& node) {
  const auto extents = to.extents(node, 0);
  if (const auto* slopes = to.known(node, 1); slopes && !to.known(node, 0) && to.lead(to.value(node, 0)) == 1) {
    // For each channel: all extents are 1 but that of the second axis.
    const auto ahead = static_cast<std::int64_t>(extents.size()) - static_cast<std::int64_t>(slopes->extents.size());
    const bool one = slopes->size() == 1, fits = ahead < 2 && ahead >= 0;
    const bool of_channels = to.opset() < 7 && slopes->size() == static_cast<std::size_t>(extents[1]);
    if (one || of_channels ||
        (fits && slopes->size() == static_cast<std::size_t>(extents[1]) &&
         slopes->extents[static_cast<std::size_t>(1 - ahead)] == extents[1])) {
      return to.define(
          node, 0,
          to.layer(node, "\"prelu\"", to.value(node, 0), one ? "" : "per_channel = true\n", {{"weight", *slopes}}));
    }
  }
  const Value x = to.value(node, 0), slope = to.aligned(node, 1, extents.size());
  const Value positive = to.operation(node, "greater", {x, to.number(0)});
  to.define(node, 0, to.operation(node, "select", {positive, x, to.operation(node, "mul", {slope, x})}));
}

void import_Clip(Importer& to, const FileNode& node) {
  constexpr double kMost = std::numeric_limits<float>::max();
  const auto low = bound(to, node, 1, "min", -kMost), high = bound(to, node, 2, "max", kMost);
  if (each_folded(to, node, [&](double x) { return std::min(std::max(x, low), high); })) return;
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
  binary(to, node, "div", [](double a, double b) { return a / b; });
}
void import_Max(Importer& to, const FileNode& node) {
  binary(to, node, "maximum", [](double a, double b) { return std::max(a, b); });
}
void import_Min(Importer& to, const FileNode& node) {
  binary(to, node, "minimum", [](double a, double b) { return std::min(a, b); });
}
/// 1 where it is so, else 0.
void import_Greater(Importer& to, const FileNode& node) {
  binary(to, node, "greater", [](double a, double b) { return a > b ? 1.0 : 0.0; });
}
void import_Equal(Importer& to, const FileNode& node) {
  binary(to, node, "equal", [](double a, double b) { return a == b ? 1.0 : 0.0; });
}

// Of what is 1 or 0.
void import_And(Importer& to, const FileNode& node) {
  binary(to, node, "mul", [](double a, double b) { return a * b; });
}
void import_Or(Importer& to, const FileNode& node) {
  binary(to, node, "maximum", [](double a, double b) { return std::max(a, b); });
}
void import_Xor(Importer& to, const FileNode& node) {
  if (folded(to, node, [](double a, double b) { return a != b ? 1.0 : 0.0; })) return;
  to.define(node, 0, to.operation(node, "abs", {joined(to, node, "sub")}));
}

void import_IsNaN(Importer& to, const FileNode& node) {
  const Value x = to.value(node, 0);
  to.define(node, 0, to.operation(node, "sub", {to.number(1), to.operation(node, "equal", {x, x})}));
}

void import_IsInf(Importer& to, const FileNode& node) {
  const Value x = to.value(node, 0);
  const bool negative = to.whole(node, "detect_negative", 1) != 0, positive = to.whole(node, "detect_positive", 1) != 0;
  if (!negative && !positive) to.fail(node, "detects nothing");
  const Value y = negative && positive ? to.operation(node, "abs", {x}) : negative ? to.operation(node, "neg", {x}) : x;
  to.define(node, 0, to.operation(node, "greater", {y, to.number(std::numeric_limits<float>::max())}));
}

/// silu(x) · y; see Swish.
void import_SwiGLU(Importer& to, const FileNode& node) {
  FileNode gate = node;
  gate.inputs = {node.inputs[0]};
  gate.outputs = {str(node.outputs[0], "/gate")};
  import_Swish(to, gate);
  FileNode product = node;
  product.inputs = {gate.outputs[0], node.inputs[1]};
  import_Mul(to, product);
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
  bool all_known = true;
  Extents extents;
  for (std::size_t i = 0; i < 3; ++i) {
    const auto* known = to.known(node, i);
    all_known = all_known && known;
    if (!known) rank = std::max(rank, to.extents(node, i).size());
    if (all_known) extents = broadcast(to, node, extents, known->extents);
  }
  if (all_known) {
    const auto &condition = *to.known(node, 0), &yes = *to.known(node, 1), &no = *to.known(node, 2);
    const auto size = static_cast<std::size_t>(product(extents));
    if (size > kMostFolded) to.fail(node, "chooses from more than a million numbers of the file");
    if (!yes.wholes != !no.wholes) to.fail(node, "chooses between whole numbers and others");
    std::vector<std::int64_t> wholes;
    std::vector<float> reals;
    for (std::size_t i = 0; i < size; ++i) {
      const auto& from = condition.at(source(extents, condition.extents, i)) != 0 ? yes : no;
      const auto at = source(extents, from.extents, i);
      from.wholes ? wholes.push_back((*from.wholes)[at]) : reals.push_back(from.reals.at(at));
    }
    return to.define(node, 0,
                     yes.wholes ? known_wholes(extents, std::move(wholes)) : known_reals(extents, std::move(reals)));
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

namespace {

/// x to a whole number from 1 on.
Value multiplied_out(Importer& to, const FileNode& node, Value x, int exponent) {
  if (exponent == 1) return x;
  const Value half = multiplied_out(to, node, x, exponent / 2), square = to.operation(node, "mul", {half, half});
  return exponent % 2 == 0 ? square : to.operation(node, "mul", {square, x});
}

}  // namespace

/// Whole exponents by products; others, of numbers that are not negative, by e^(b·ln a).
void import_Pow(Importer& to, const FileNode& node) {
  if (node.inputs.size() != 2) to.fail(node, "must have two operands");
  const auto *base = to.known(node, 0), *exponent = to.known(node, 1);
  if (base && base->wholes) {
    if (!exponent) to.fail(node, "raises whole numbers to what depends on the sample");
    bool small = true;
    for (std::size_t i = 0; i < exponent->size(); ++i) {
      const auto e = exponent->at(i);
      small = small && e == std::floor(e) && e >= 0 && e <= 64;
    }
    if (!small) to.fail(node, "raises whole numbers to other exponents than 0 to 64");
    (void)folded(to, node, [](double a, double b) { return chalk::power(a, static_cast<std::int64_t>(b)); });
    return;
  }
  if (exponent && exponent->size() == 1 && !base) {
    const auto number = exponent->at(0);
    const Value x = to.value(node, 0);
    if (number == 0.5) return to.define(node, 0, to.operation(node, "sqrt", {x}));
    if (number == std::floor(number) && std::abs(number) >= 1 && std::abs(number) <= 64) {
      const Value y = multiplied_out(to, node, x, static_cast<int>(std::abs(number)));
      return to.define(node, 0, number > 0 ? y : to.operation(node, "div", {to.number(1), y}));
    }
  }
  const auto rank = std::max(base ? 0 : to.extents(node, 0).size(), exponent ? 0 : to.extents(node, 1).size());
  const Value a = to.aligned(node, 0, rank), b = to.aligned(node, 1, rank);
  to.define(node, 0, to.operation(node, "exp", {to.operation(node, "mul", {b, to.operation(node, "log", {a})})}));
}

}  // namespace chalk::onnx
