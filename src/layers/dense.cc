// y = W·x + b.
#include "chalkgrad/layers.h"
#include "src/layers/layer.h"

namespace chalk {

Value dense_layer(Value x, std::int64_t outputs, bool bias, WeightInit init) {
  Graph& g = x.graph();
  if (outputs < 1) fail_layer(g, "dense", str(outputs, " outputs; a dense layer needs at least one"));
  const auto inputs = elements(x.shape());
  if (x.shape().size() != 1) x = reshape(x, {inputs});
  const Value w = g.parameter(parameter_name(g, "weight"), {outputs, inputs},
                              init == WeightInit::he ? Init::he(inputs) : Init::glorot(inputs, outputs));
  const Value y = dense(x, w);
  return bias ? y + g.parameter(parameter_name(g, "bias"), {outputs}) : y;
}

}  // namespace chalk
