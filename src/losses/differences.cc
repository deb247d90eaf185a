// Losses of the differences between targets and outputs.
#include "chalkgrad/ops.h"
#include "src/losses/loss.h"

namespace chalk {
namespace {

Value squares(Value y, Value target, std::string_view loss) {
  check_same_shape(y, target, loss);
  const Value d = y - target;
  return sum(d * d);
}

/// ½ d² up to |d| = bound, then bound·(|d| − ½ bound). With c = min(|d|, bound), both are c·(|d| − ½ c).
Value huber_of(Value d, double bound) {
  Graph& g = d.graph();
  const Value size = abs(d), c = minimum(size, g.constant(bound));
  return c * (size - g.constant(0.5) * c);
}

}  // namespace

Value squared_error(Value y, Value target) { return y.graph().constant(0.5) * squares(y, target, "squared_error"); }
const LossDefinition loss_squared_error{
    .formula = "½ Σ (t − y)²", .target = Target::numbers, .build = [](const Attributes&, Value y, Value t) {
      return squared_error(y, t);
    }};

Value sum_of_squares(Value y, Value target) { return squares(y, target, "sum_of_squares"); }
const LossDefinition loss_sum_of_squares{
    .formula = "Σ (t − y)²", .target = Target::numbers, .build = [](const Attributes&, Value y, Value t) {
      return sum_of_squares(y, t);
    }};

Value mean_squared_error(Value y, Value target) {
  check_same_shape(y, target, "mean_squared_error");
  const Value d = y - target;
  return mean(d * d);
}
const LossDefinition loss_mean_squared_error{
    .formula = "Σ (t − y)² / n", .target = Target::numbers, .build = [](const Attributes&, Value y, Value t) {
      return mean_squared_error(y, t);
    }};

Value mean_absolute_error(Value y, Value target) {
  check_same_shape(y, target, "mean_absolute_error");
  return mean(abs(target - y));
}
const LossDefinition loss_mean_absolute_error{
    .formula = "Σ |t − y| / n", .target = Target::numbers, .build = [](const Attributes&, Value y, Value t) {
      return mean_absolute_error(y, t);
    }};

void Huber::visit(FieldVisitor& v) { v.field({"delta", Range::above(0), "Up to here a difference is squared"}, delta); }
Value huber(Value y, Value target, const Huber& options) {
  check_options(options);
  check_same_shape(y, target, Huber::kName);
  return mean(huber_of(target - y, options.delta));
}
const LossDefinition loss_huber{
    .formula = "Σ h / n, with d = |t − y|, h = ½ d² up to d = δ, then δ·(d − ½ δ)",
    .target = Target::numbers,
    .build = [](const Attributes& o, Value y, Value t) { return huber(y, t, o.as<Huber>()); },
    .defaults = [] { return Attributes(Huber{}); }};

void SmoothL1::visit(FieldVisitor& v) {
  v.field({"beta", Range::above(0), "Up to here a difference is squared"}, beta);
}
Value smooth_l1(Value y, Value target, const SmoothL1& options) {
  check_options(options);
  check_same_shape(y, target, SmoothL1::kName);
  return mean(huber_of(target - y, options.beta)) / y.graph().constant(options.beta);
}
const LossDefinition loss_smooth_l1{
    .formula = "Σ h / n, with d = |t − y|, h = ½ d²/β up to d = β, then d − ½ β",
    .target = Target::numbers,
    .build = [](const Attributes& o, Value y, Value t) { return smooth_l1(y, t, o.as<SmoothL1>()); },
    .defaults = [] { return Attributes(SmoothL1{}); }};

Value gaussian_log_likelihood(Value y, Value target) {
  return y.graph().constant(-0.5) * squares(y, target, "gaussian_log_likelihood");
}
const LossDefinition loss_gaussian_log_likelihood{
    .formula = "−½ Σ (t − y)²",
    .target = Target::numbers,
    .maximised = true,
    .build = [](const Attributes&, Value y, Value t) { return gaussian_log_likelihood(y, t); }};

}  // namespace chalk
