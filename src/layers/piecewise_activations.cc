// Activations in pieces: a select with one slope on each side, never a sum of functions with kinks, so that what the
// derivative is at a corner is one of the slopes: PyTorch's (docs/conventions.md). NaN stays NaN.
#include <cmath>

#include "chalkgrad/layers.h"
#include "src/layers/activations.h"
#include "src/layers/line_reader.h"
#include "src/layers/registry.h"

namespace chalk {
namespace {

Value number(Value x, double c) { return x.graph().constant(c); }

/// `below`, a number, where x is at most that, else x: with the derivative 0 on the edge.
Value at_least(Value x, double below) {
  return select(relu(x - number(x, below)), x, number(x, below));  // a condition that is NaN is not 0
}
Value at_most(Value x, double above) { return select(relu(number(x, above) - x), x, number(x, above)); }

/// x where x > 0, else alpha·(e^(x/scale) − 1).
Value exponential_below(const char* name, Value x, double alpha, double scale) {
  if (!(alpha > 0 && std::isfinite(alpha)))
    fail_layer(x.graph(), name, str("alpha is ", alpha, "; it must be a number above 0"));
  const Value positive = greater(x, number(x, 0));
  const Value negative = select(positive, number(x, 0), x);  // so that nothing overflows where it is not chosen
  return select(positive, x, number(x, alpha) * expm1(number(x, 1 / scale) * negative));
}

}  // namespace

// One product with a slope that depends on x, so that the derivative at 0 is one of the two, never their sum.
Value leaky_relu(Value x, double slope) {
  Graph& g = x.graph();
  if (!(slope >= 0 && slope <= 1)) fail_layer(g, "leaky_relu", str("slope is ", slope, "; it must be between 0 and 1"));
  return x * select(greater(x, g.constant(0)), g.constant(1), g.constant(slope));
}

namespace {

struct LeakyRelu {
  double slope = 0.01;

  void visit(FieldVisitor& v) { v.field({"slope", Range::from_to(0, 1), "of what is not above 0"}, slope); }
  bool operator==(const LeakyRelu&) const = default;
};

Attributes read_leaky_relu(LineReader& in) {
  LeakyRelu layer;
  layer.slope = in.fraction("slope", layer.slope, Range::from_to(0, 1), "the slope must be between 0 and 1");
  return layer;
}

}  // namespace

const Layer layer_leaky_relu{
    .name = "leaky_relu",
    .meaning = "x where x > 0, else 0.01·x",
    .details = "; `leaky-relu0.2` has another slope. That slope is the derivative at 0",
    .options = LeakyRelu{},
    .build = [](std::span<const Value> in,
                const Attributes& options) { return leaky_relu(in[0], options.as<LeakyRelu>().slope); },
    .line = {.form = Notation::Form::word,
             .word = "leaky-relu",
             .example = "leaky-relu",
             .read = read_leaky_relu,
             .continuation = "leaky-relu may go on with its slope, from 0 to 1: leaky-relu0.2",
             .samples = "leaky-relu0.2 leaky-relu0 leaky-relu1"},
    .activation = Activation::leaky_relu};

// y = min(max(x, 0), 6) (Krizhevsky 2010)
Value relu6(Value x) { return select(relu(number(x, 6) - x), relu(x), number(x, 6)); }
const Layer layer_relu6 =
    activation<relu6>(Activation::relu6, "relu6", "relu6", "min(max(0, x), 6)", ". Its derivative at 0 and 6 is 0");

// y = min(max(x, −1), 1)
Value hard_tanh(Value x) { return at_most(at_least(x, -1), 1); }
const Layer layer_hard_tanh = activation<hard_tanh>(Activation::hard_tanh, "hard_tanh", "hard-tanh",
                                                    "min(max(−1, x), 1)", ". Its derivative at −1 and 1 is 0");

// y = min(max(x + 3, 0), 6) / 6
Value hard_sigmoid(Value x) { return number(x, 1.0 / 6) * relu6(x + number(x, 3)); }
const Layer layer_hard_sigmoid =
    activation<hard_sigmoid>(Activation::hard_sigmoid, "hard_sigmoid", "hard-sigmoid", "min(max(0, x + 3), 6) / 6",
                             ", as in PyTorch and Keras 3 (Keras 2: 0.2x + 0.5). Its derivative at −3 and 3 is 0");

// y = x · min(max(x + 3, 0), 6) / 6 (Howard et al. 2019)
Value hard_swish(Value x) { return x * hard_sigmoid(x); }
const Layer layer_hard_swish =
    activation<hard_swish>(Activation::hard_swish, "hard_swish", "hard-swish", "x · min(max(0, x + 3), 6) / 6",
                           ". Its derivative at −3 is 0, at 3 it is 1");

// y = x where x > 0, else α (e^x − 1) (Clevert, Unterthiner & Hochreiter 2015)
Value elu(Value x, double alpha) { return exponential_below("elu", x, alpha, 1); }

// y = x where x > 0, else α (e^(x/α) − 1) (Barron 2017): smooth for every α
Value celu(Value x, double alpha) { return exponential_below("celu", x, alpha, alpha); }

// y = λx where x > 0, else λα (e^x − 1) (Klambauer et al. 2017, whose λ and α these are)
Value selu(Value x) { return number(x, 1.0507009873554804934193349852946) * elu(x, 1.6732632423543772848170429916717); }
const Layer layer_selu = activation<selu>(
    Activation::selu, "selu", "selu", "λx where x > 0, else λα (e^x − 1)",
    ", λ = 1.0507…, α = 1.6733…, which keep a mean of 0 and a variance of 1. Its derivative at 0 is λα");

namespace {

struct Alpha {
  double alpha = 1;

  void visit(FieldVisitor& v) {
    v.field({"alpha", {.least = 0, .most = 1000, .without_least = true}, "−α is the limit for large negative x"},
            alpha);
  }
  bool operator==(const Alpha&) const = default;
};

Attributes read_alpha(LineReader& in) {
  Alpha layer;
  layer.alpha = in.fraction("α", layer.alpha, {.least = 0, .most = 1000, .without_least = true},
                            "α must be above 0 and at most 1000");
  return layer;
}

template <Value (*formula)(Value, double)>
Layer activation_with_alpha(Activation which, std::string_view name, std::string_view meaning, std::string_view details,
                            std::string_view continuation, std::string_view samples) {
  return {.name = name,
          .meaning = meaning,
          .details = details,
          .options = Alpha{},
          .build = [](std::span<const Value> in,
                      const Attributes& options) { return formula(in[0], options.as<Alpha>().alpha); },
          .line = {.form = Notation::Form::word,
                   .word = name,
                   .example = name,
                   .read = read_alpha,
                   .continuation = continuation,
                   .samples = samples},
          .activation = which};
}

}  // namespace

const Layer layer_elu = activation_with_alpha<elu>(Activation::elu, "elu", "x where x > 0, else α (e^x − 1), α = 1",
                                                   "; `elu0.5` has another α, which is the derivative at 0",
                                                   "elu may go on with its α: elu0.5", "elu0.5 elu2");
const Layer layer_celu = activation_with_alpha<celu>(
    Activation::celu, "celu", "x where x > 0, else α (e^(x/α) − 1), α = 1", "; `celu0.5` has another α. It is smooth",
    "celu may go on with its α: celu0.5", "celu0.5 celu2");

}  // namespace chalk
