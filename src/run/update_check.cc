#include "src/run/update_check.h"

#include <cmath>
#include <limits>

#include "chalkgrad/error.h"

namespace chalk {
namespace {

constexpr double kTolerance = 1e-4, kSmall = 0.1;
constexpr double kRounding = 64 * std::numeric_limits<double>::epsilon();  // of a loss, a sum of many products

double value_of(Reference& reference, Value loss) {
  const NodeId wanted[] = {loss.id()};
  reference.run(wanted);
  return reference.value(loss.id())[0];
}

class Stepper {
 public:
  Stepper(Reference& reference, Value loss, NodeId leaf, const std::vector<double>& values,
          const std::vector<double>& gradient, double sign)
      : reference_(reference), loss_(loss), leaf_(leaf), values_(values), gradient_(gradient), sign_(sign) {
    before_ = value_of(reference_, loss_);
    for (const double g : gradient_) square_ += g * g;
  }
  ~Stepper() { reference_.set(leaf_, values_); }
  Stepper(const Stepper&) = delete;
  Stepper& operator=(const Stepper&) = delete;

  double predicted(double alpha) const { return sign_ * alpha * square_; }

  double measured(double alpha) {
    auto moved = values_;
    for (std::size_t i = 0; i < moved.size(); ++i) moved[i] += sign_ * alpha * gradient_[i];
    reference_.set(leaf_, std::move(moved));
    return value_of(reference_, loss_) - before_;
  }

  /// Rounding moves a loss of this size by less than a tenth of what the criterion at α allows.
  bool resolves(double alpha) const {
    return kRounding * std::max(1.0, std::abs(before_)) < 0.1 * kTolerance * std::abs(predicted(alpha / 10));
  }

 private:
  Reference& reference_;
  Value loss_;
  NodeId leaf_;
  const std::vector<double>&values_, &gradient_;
  double sign_, before_ = 0, square_ = 0;
};

}  // namespace

std::vector<UpdateCheck> check_updates(Reference& reference, Value loss, std::span<const Value> parameters,
                                       std::span<const Value> gradients, std::span<const std::vector<double>> values,
                                       double alpha, bool maximise) {
  if (const double before = value_of(reference, loss); !std::isfinite(before))
    throw NumericError("the loss is not finite before any step; check what the last layer gives the loss");
  std::vector<UpdateCheck> checks;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    std::vector<double> gradient(values[i].size(), 0.0);
    if (gradients[i]) {
      const NodeId wanted[] = {gradients[i].id()};
      reference.run(wanted);
      gradient = reference.value(gradients[i].id());
    }
    Stepper step(reference, loss, parameters[i].id(), values[i], gradient, maximise ? 1 : -1);
    UpdateCheck c;
    c.name = parameters[i].name();
    for (double a = alpha; !c.passed && step.resolves(a); a /= 10) {
      c.seen = true;
      c.alpha = a;
      c.predicted = step.predicted(a);
      c.measured = step.measured(a);
      c.error = c.measured / c.predicted - 1;
      c.error_at_tenth = step.measured(a / 10) / step.predicted(a / 10) - 1;
      c.passed = std::abs(c.error) <= kSmall && std::abs(c.error_at_tenth - c.error / 10) <= kTolerance;
    }
    if (!c.seen) c.passed = std::isfinite(step.predicted(alpha));
    checks.push_back(std::move(c));
  }
  return checks;
}

}  // namespace chalk
