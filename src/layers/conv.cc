// y = w ⋆ x + b, one b per filter or per place; flipped: y = w ∗ x + b, where w[a,b] meets x[p−a,q−b].
#include "chalkgrad/layers.h"
#include "src/layers/layer.h"

namespace chalk {

Value conv_layer(Value x, const ConvLayer& layer) {
  Graph& g = x.graph();
  if (x.shape().size() != 3) {
    fail_layer(g, "conv2d",
               str("takes channels × rows × columns, not ", to_string(x.shape()), "; reshape the input to three axes"));
  }
  if (layer.filters < 1) fail_layer(g, "conv2d", str(layer.filters, " filters; a convolution needs at least one"));
  if (layer.kernel[0] < 1 || layer.kernel[1] < 1) {
    fail_layer(g, "conv2d", str("kernel ", layer.kernel[0], "×", layer.kernel[1], "; a kernel is at least 1×1"));
  }
  const auto channels = x.shape()[0], groups = layer.options.groups;
  if (groups < 1 || channels % groups != 0 || layer.filters % groups != 0) {
    fail_layer(g, "conv2d",
               str(groups, " groups do not divide ", channels, " channels into ", layer.filters,
                   " filters; use a divisor of both"));
  }
  const Shape weights{layer.filters, channels / groups, layer.kernel[0], layer.kernel[1]};
  const Value w = g.parameter(parameter_name(g, "weight"), weights, Init::he(elements(weights) / layer.filters));
  const Value y = conv2d(x, layer.flipped ? reverse(w, {2, 3}) : w, layer.options);
  return bias_layer(y, layer.bias, layer.subtract_bias);
}

}  // namespace chalk
