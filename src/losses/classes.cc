// Losses for one vector of classes per sample. simplify() turns the gradient of cross-entropy into softmax(z) − t.
#include "chalkgrad/ops.h"
#include "src/losses/loss.h"

namespace chalk {
namespace {

constexpr int kMostFactors = 8;

/// u^γ for 0 <= u <= 1, as 0 where rounding has made u negative; by products where γ is a small whole number.
Value power(Value u, double gamma) {
  const auto whole = static_cast<int>(gamma <= kMostFactors ? gamma : 0);
  if (whole > 0 && whole == gamma) {
    Value product = u;
    for (int i = 1; i < whole; ++i) product = product * u;
    return product;
  }
  Graph& g = u.graph();
  const Value inside = greater(u, g.constant(0));
  return select(inside, exp(g.constant(gamma) * log(select(inside, u, g.constant(1)))), g.constant(0));
}

/// Σ w·t: what a sample counts.
Value counted(Value y, Value target, const std::vector<double>& weights, std::string_view loss) {
  return weights.empty() ? Value() : sum(class_weights_of(y, weights, loss) * target);
}

}  // namespace

void CrossEntropy::visit(FieldVisitor& v) {
  v.field({"label_smoothing", Range::from_to(0, 1), "Takes this share of the target and spreads it over all classes"},
          label_smoothing);
  visit_class_weights(v, class_weights);
}

Value cross_entropy(Value logits, Value target, const CrossEntropy& options) {
  check_options(options);
  check_classes(logits, target, CrossEntropy::kName);
  Graph& g = logits.graph();
  const double e = options.label_smoothing, classes = static_cast<double>(elements(logits.shape()));
  Value q = e == 0 ? target : g.constant(1 - e) * target + g.constant(e / classes);
  if (!options.class_weights.empty()) q = class_weights_of(logits, options.class_weights, CrossEntropy::kName) * q;
  return neg(sum(q * log_softmax(logits)));
}
const LossDefinition loss_cross_entropy{
    .formula = "−Σ w·q·ln softmax(y), with q = (1 − ε)·t + ε/C for label_smoothing = ε",
    .target = Target::classes,
    .of_softmax = true,
    .build = [](const Attributes& o, Value y, Value t) { return cross_entropy(y, t, o.as<CrossEntropy>()); },
    .weight = [](const Attributes& o, Value y,
                 Value t) { return counted(y, t, o.as<CrossEntropy>().class_weights, CrossEntropy::kName); },
    .defaults = [] { return Attributes(CrossEntropy{}); }};

Value log_likelihood(Value logits, Value target) {
  check_classes(logits, target, "log_likelihood");
  return sum(target * log_softmax(logits));
}
const LossDefinition loss_log_likelihood{
    .formula = "Σ t·ln softmax(y)",
    .target = Target::classes,
    .of_softmax = true,
    .maximised = true,
    .build = [](const Attributes&, Value y, Value t) { return log_likelihood(y, t); }};

void Focal::visit(FieldVisitor& v) {
  v.field({"gamma", Range::from_to(0, 100), "The larger, the less samples count that are nearly right"}, gamma);
  visit_class_weights(v, class_weights);
}

Value focal(Value logits, Value target, const Focal& options) {
  check_options(options);
  check_classes(logits, target, Focal::kName);
  Value weights = target;
  if (!options.class_weights.empty()) weights = class_weights_of(logits, options.class_weights, Focal::kName) * target;
  if (options.gamma != 0) weights = weights * power(logits.graph().constant(1) - softmax(logits), options.gamma);
  return neg(sum(weights * log_softmax(logits)));
}
const LossDefinition loss_focal{
    .formula = "−Σ w·t·(1 − p)^γ·ln p, with p = softmax(y)",
    .target = Target::classes,
    .of_softmax = true,
    .build = [](const Attributes& o, Value y, Value t) { return focal(y, t, o.as<Focal>()); },
    .weight = [](const Attributes& o, Value y,
                 Value t) { return counted(y, t, o.as<Focal>().class_weights, Focal::kName); },
    .defaults = [] { return Attributes(Focal{}); }};

// t·ln t is 0 where t is 0.
Value kl_divergence(Value logits, Value target) {
  check_classes(logits, target, "kl_divergence");
  Graph& g = logits.graph();
  const Value safe = select(equal(target, g.constant(0)), g.constant(1), target);
  return sum(target * (log(safe) - log_softmax(logits)));
}
const LossDefinition loss_kl_divergence{
    .formula = "Σ t·(ln t − ln softmax(y))",
    .target = Target::classes,
    .of_softmax = true,
    .build = [](const Attributes&, Value y, Value t) { return kl_divergence(y, t); }};

}  // namespace chalk
