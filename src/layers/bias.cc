// y = x + b or x − b: the biases of all layers.
#include "chalkgrad/layers.h"
#include "src/layers/layer.h"

namespace chalk {

Value bias_layer(Value x, Bias bias, bool subtract) {
  if (bias == Bias::none) return x;
  const Shape shape = x.shape();
  const bool by_channel = bias == Bias::shared && shape.size() > 1;
  Graph& g = x.graph();
  Value b = g.parameter(parameter_name(g, "bias"), by_channel ? Shape{shape[0]} : shape);
  if (by_channel) {
    Shape column(shape.size(), 1);
    column[0] = shape[0];
    b = reshape(b, column);
  }
  return subtract ? x - b : x + b;
}

}  // namespace chalk
