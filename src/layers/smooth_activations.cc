// Smooth activations, as formulas of operations.
#include <numbers>

#include "chalkgrad/layers.h"
#include "src/layers/activations.h"
#include "src/layers/registry.h"

namespace chalk {

// y = x · Φ(x), Φ(x) = ½ (1 + erf(x/√2)) (Hendrycks & Gimpel 2016)
Value gelu(Value x) {
  Graph& g = x.graph();
  const Value half = g.constant(0.5);
  return x * (half * erf(g.constant(1 / std::numbers::sqrt2) * x) + half);
}
const Layer layer_gelu =
    activation<gelu>(Activation::gelu, "gelu", "gelu", "x · ½ (1 + erf(x/√2))",
                     ", the exact GELU, which is the default in PyTorch and Keras (JAX: the next)");

// y = ½ x (1 + tanh u) = x · σ(2u), u = √(2/π) (x + 0.044715 x³)
Value gelu_tanh(Value x) {
  Graph& g = x.graph();
  const double slope = 2 * std::numbers::sqrt2 * std::numbers::inv_sqrtpi;  // 2 √(2/π)
  return x * sigmoid(x * (g.constant(slope * 0.044715) * (x * x) + g.constant(slope)));
}
const Layer layer_gelu_tanh =
    activation<gelu_tanh>(Activation::gelu_tanh, "gelu_tanh", "gelutanh", "½ x (1 + tanh(√(2/π) (x + 0.044715 x³)))",
                          ", which is nearly GELU: PyTorch's `approximate=\"tanh\"`");

// y = x · σ(x) (Elfwing, Uchibe & Doya 2017)
Value silu(Value x) { return x * sigmoid(x); }
const Layer layer_silu = activation<silu>(Activation::silu, "silu", "silu", "x / (1 + e^−x)", "; also called swish");

// y = x · tanh(ln(1 + e^x)) (Misra 2019)
Value mish(Value x) { return x * tanh(softplus(x)); }
const Layer layer_mish = activation<mish>(Activation::mish, "mish", "mish", "x · tanh(ln(1 + e^x))");

// y = ln σ(x)
Value log_sigmoid(Value x) { return neg(softplus(neg(x))); }
const Layer layer_log_sigmoid =
    activation<log_sigmoid>(Activation::log_sigmoid, "log_sigmoid", "log-sigmoid", "−ln(1 + e^−x)");

// y = x / (1 + |x|)
Value softsign(Value x) { return x / (x.graph().constant(1) + abs(x)); }
const Layer layer_softsign = activation<softsign>(Activation::softsign, "softsign", "softsign", "x / (1 + abs(x))");

// y = 1.7159 tanh(⅔ x) (LeCun et al. 1998, "Efficient BackProp", section 4.4)
Value scaled_tanh(Value x) {
  Graph& g = x.graph();
  return g.constant(1.7159) * tanh(g.constant(2.0 / 3) * x);
}
const Layer layer_scaled_tanh =
    activation<scaled_tanh>(Activation::scaled_tanh, "scaled_tanh", "scaled-tanh", "1.7159 tanh(2x/3)",
                            ", LeCun's, which is about ±1 at ±1; DeepCL's `scaledtanh`");

}  // namespace chalk
