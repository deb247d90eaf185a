// y = W·x + b or W·x − b.
#include "chalkgrad/layers.h"
#include "src/layers/layer.h"

namespace chalk {

Value dense_layer(Value x, const DenseLayer& layer) {
  const auto outputs = layer.outputs;
  Graph& g = x.graph();
  if (outputs < 1) fail_layer(g, "dense", str(outputs, " outputs; a dense layer needs at least one"));
  const auto inputs = elements(x.shape());
  if (x.shape().size() != 1) x = reshape(x, {inputs});
  const Value w = g.parameter(parameter_name(g, "weight"), {outputs, inputs},
                              layer.init == WeightInit::he ? Init::he(inputs) : Init::glorot(inputs, outputs));
  return bias_layer(dense(x, w), layer.bias, layer.subtract_bias);
}

}  // namespace chalk
