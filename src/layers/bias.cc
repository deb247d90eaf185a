// y = x + b or x − b: the biases of all layers.
#include "chalkgrad/layers.h"
#include "src/layers/registry.h"

namespace chalk {

Value bias_layer(Value x, Bias bias, bool subtract) {
  if (bias == Bias::none) return x;
  const Shape shape = x.shape();
  const bool by_channel = bias == Bias::shared && shape.size() > 1;
  Graph& g = x.graph();
  Value b = layer_parameter(g, "bias", by_channel ? Shape{shape[0]} : shape, Init::constant(0), ParameterRole::bias);
  if (by_channel) b = reshape(b, column_of(shape));
  return subtract ? x - b : x + b;
}

namespace {

struct Options {
  bool untied = true, subtract = false;

  void visit(FieldVisitor& v) {
    v.field({"untied", {}, "one for each value; false: one per channel"}, untied);
    v.field({"subtract", {}, "x − b instead of x + b"}, subtract);
  }
  bool operator==(const Options&) const = default;
};

Value build(std::span<const Value> in, const Attributes& attributes) {
  const auto& options = attributes.as<Options>();
  return bias_layer(in[0], options.untied ? Bias::untied : Bias::shared, options.subtract);
}

}  // namespace

const Layer layer_bias{.name = "bias",
                       .meaning = "adds a bias of its own to each value",
                       .options = Options{},
                       .build = build,
                       .line = {.form = Notation::Form::word, .word = "bias", .example = "bias"}};

}  // namespace chalk
