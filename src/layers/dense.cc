// y = W·x + b or W·x − b.
#include "chalkgrad/layers.h"
#include "src/layers/line_reader.h"
#include "src/layers/registry.h"

namespace chalk {

Value dense_layer(Value x, const DenseLayer& layer) {
  const auto outputs = layer.outputs;
  Graph& g = x.graph();
  if (outputs < 1) fail_layer(g, "dense", str(outputs, " outputs; a dense layer needs at least one"));
  const auto inputs = elements(x.shape());
  if (x.shape().size() != 1) x = reshape(x, {inputs});
  const Value w =
      layer_parameter(g, "weight", {outputs, inputs}, layer.init.init(inputs, outputs), ParameterRole::weight);
  return bias_layer(dense(x, w), layer.bias, layer.subtract_bias);
}

namespace {

struct Options : DenseLayer {
  void visit(FieldVisitor& v) {
    v.field(Field("outputs", Range::from_to(1, kMostNumber), "how many").required(), outputs);
    bool biased = bias != Bias::none;
    v.field({"bias", {}, "one for each output"}, biased);
    bias = biased ? Bias::shared : Bias::none;
    v.field({"subtract_bias", {}, "W·x − b instead of W·x + b"}, subtract_bias);
    if (subtract_bias && !biased) v.refuse("subtract_bias", "= true needs a bias; leave out one of the two");
    visit_init(v, init);
  }
  bool operator==(const Options&) const = default;
};

Attributes read(LineReader& in) {
  Options layer;
  layer.outputs = in.count();
  return layer;
}

}  // namespace

const Layer layer_dense{
    .name = "dense",
    .meaning = "a dense layer with # outputs",
    .details = ", and a bias for each; its input is flattened first",
    .options = Options{},
    .build = [](std::span<const Value> in,
                const Attributes& options) { return dense_layer(in[0], options.as<Options>()); },
    .line = {.form = Notation::Form::counted, .word = "n", .example = "100n", .read = read, .samples = "3n"},
    .without_bias = without_shared_bias<Options>};

}  // namespace chalk
