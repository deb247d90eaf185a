// v ← momentum · v + (1 − momentum) · g,   u = v or, with Nesterov's momentum, (1 − momentum) · g + momentum · v,
// w ← w − lr · (scale · NS(u) + weight_decay · w) for weights of two and more axes, seen as matrices: Jordan et al.
// 2024, https://kellerjordan.github.io/posts/muon/; the scales are Jordan's, that of Liu et al. 2025 ("Muon is scalable
// for LLM training") and that of Bernstein 2025 ("Deriving Muon").
//
// As in PyTorch 2.15, except that NS is computed in the precision of everything else, not in bfloat16; that PyTorch
// refuses anything but matrices; and that the rest takes AdamW here, as in Keras. PyTorch's documentation has v without
// the factor (1 − momentum), its code with it; they differ where ‖u‖ < ε. Jordan's own code takes the scale of a
// convolution from its kernel's height and width.
#include <algorithm>
#include <cmath>

#include "chalkgrad/error.h"
#include "chalkgrad/ops.h"
#include "src/base/wording.h"
#include "src/optimizers/moments.h"

namespace chalk {
namespace {

struct Scale {
  std::string_view name;
  double (*of)(double rows, double columns);
};
constexpr Scale kScales[]{
    {"original", [](double rows, double columns) { return std::sqrt(std::max(1.0, rows / columns)); }},
    {"match_rms_adamw", [](double rows, double columns) { return 0.2 * std::sqrt(std::max(rows, columns)); }},
    {"spectral_unclamped", [](double rows, double columns) { return std::sqrt(rows / columns); }},
};

/// Throws InputError if there is none of that name.
const Scale& scale_named(const std::string& name) {
  std::vector<std::string> known;
  for (const auto& scale : kScales) {
    if (scale.name == name) return scale;
    known.emplace_back(scale.name);
  }
  throw InputError("adjust_lr_fn " + in_quotes(name) + " is not known; use " + alternatives(known));
}

}  // namespace

void Muon::visit(FieldVisitor& v) {
  visit_lr(v, lr);
  v.field({"momentum", Range::from_below(0, 1), "Momentum"}, momentum);
  v.field({"nesterov", {}, "Nesterov's momentum"}, nesterov);
  visit_decoupled_weight_decay(v, weight_decay);
  v.field({"ns_steps", Range::from_to(0, 99), "Newton–Schulz iterations"}, ns_steps);
  v.field({"ns_a", {}, "First of their coefficients"}, ns_a);
  v.field({"ns_b", {}, "Second of their coefficients"}, ns_b);
  v.field({"ns_c", {}, "Third of their coefficients"}, ns_c);
  v.field({"epsilon", Range::at_least(1e-30), "Least norm that is divided by"}, epsilon);
  v.field({"adjust_lr_fn", [](const std::string& name) { (void)scale_named(name); },
           "Scale of a matrix: original, match_rms_adamw or spectral_unclamped"},
          adjust_lr_fn);
  v.field({"adamw_lr", Range::above(0), "Learning rate of AdamW, which trains biases and scales"}, adamw_lr);
  v.field({"adamw_beta1", Range::from_below(0, 1), "beta1 of AdamW"}, adamw_beta1);
  v.field({"adamw_beta2", Range::from_below(0, 1), "beta2 of AdamW"}, adamw_beta2);
  v.field({"adamw_epsilon", Range::at_least(1e-30), "epsilon of AdamW"}, adamw_epsilon);
}

namespace {

double adamw_unbias_mean(const Attributes& options, const StepTime& time) {
  return 1 / filled(options.as<Muon>().adamw_beta1, time.step);
}
double adamw_unbias_root(const Attributes& options, const StepTime& time) {
  return 1 / std::sqrt(filled(options.as<Muon>().adamw_beta2, time.step));
}

/// A matrix whose singular values are near 1, with the singular vectors of u.
Value orthogonalised(const Muon& o, Value u) {
  const bool tall = u.shape()[0] > u.shape()[1];
  Graph& graph = u.graph();
  const Value a = graph.constant(o.ns_a), b = graph.constant(o.ns_b), c = graph.constant(o.ns_c);
  Value x = tall ? transpose(u) : u;
  x = x / maximum(sqrt(sum(x * x)), graph.constant(o.epsilon));
  for (std::int64_t i = 0; i < o.ns_steps; ++i) {
    const Value gram = matmul(x, x, false, true);
    x = a * x + matmul(b * gram + c * matmul(gram, gram), x);
  }
  return tall ? transpose(x) : x;
}

void step_of_adamw(const Muon& o, ParameterUpdate& update) {
  const AdamOptions options{o.adamw_beta1,     o.adamw_beta2,     o.adamw_epsilon, false,
                            adamw_unbias_mean, adamw_unbias_root, /*moves=*/false};
  const Value step = adam_step(update, update.gradient(0), options);
  update.descend(update.number(o.adamw_lr / o.lr) * update.lr(),
                 update.decayed(step, o.weight_decay));  // a bias if a group says so
}

void rule(const Attributes& options, ParameterUpdate& update) {
  const auto& o = options.as<Muon>();
  const Shape& shape = update.w().shape();
  if (update.role() != ParameterRole::weight || shape.size() < 2) return step_of_adamw(o, update);
  const Value g = update.gradient(0);
  const Value v = update.average_by_momentum("momentum", g, o.momentum);
  const Value u = o.nesterov ? g + update.momentum(o.momentum) * (v - g) : v;
  const auto rows = shape[0], columns = elements(shape) / rows;
  const Value step = reshape(orthogonalised(o, reshape(u, {rows, columns})), shape);
  const double scale = scale_named(o.adjust_lr_fn).of(static_cast<double>(rows), static_cast<double>(columns));
  update.descend(update.lr(), update.decayed(update.number(scale) * step, o.weight_decay));
}

}  // namespace

const OptimizerDefinition optimizer_muon{
    .help = "Steps with singular values near 1, for matrices and kernels; AdamW for biases and scales",
    .formula =
        "v ← momentum · v + (1 − momentum) · g, u = v, Nesterov: (1 − momentum) · g + momentum · v, "
        "w ← w − lr · (scale · X + weight_decay · w), X = u / max(‖u‖, ε), then ns_steps times "
        "X ← ns_a · X + (ns_b · A + ns_c · A²) X, A = X Xᵀ",
    .defaults = Attributes(Muon{}),
    .rule = rule,
    .momentum = "momentum"};

}  // namespace chalk
