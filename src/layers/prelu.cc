// y = x where x > 0, else a·x (He et al. 2015), with an a for all channels or one for each.
#include <array>
#include <cmath>

#include "chalkgrad/layers.h"
#include "src/layers/line_reader.h"
#include "src/layers/registry.h"

namespace chalk {

// As leaky_relu(): one product with a slope that depends on x.
Value prelu_layer(Value x, const PreluLayer& layer) {
  Graph& g = x.graph();
  if (!std::isfinite(layer.start)) fail_layer(g, "prelu", str("start is ", layer.start, "; it must be a number"));
  const Shape& shape = x.shape();
  if (layer.per_channel && shape.empty()) {
    fail_layer(g, "prelu", "a slope per channel takes a map or a vector, not a single number; use one slope");
  }
  const Shape slopes{layer.per_channel ? shape[0] : 1};
  Value a = layer_parameter(g, "weight", slopes, Init::constant(layer.start), ParameterRole::scale);
  if (layer.per_channel && shape.size() > 1) {
    a = reshape(a, column_of(shape));
  } else if (shape.empty()) {
    a = reshape(a, {});
  }
  return x * select(greater(x, g.constant(0)), g.constant(1), a);
}

namespace {

struct Options : PreluLayer {
  void visit(FieldVisitor& v) {
    v.field({"start", Range::from_to(-1, 1), "what slopes start at"}, start);
    v.field({"per_channel", {}, "a slope for each channel, or for each value of a vector, instead of one for all"},
            per_channel);
  }
  bool operator==(const Options&) const = default;
};

Attributes read(LineReader& in) {
  Options layer;
  layer.start =
      in.fraction("start of the slope", layer.start, Range::from_to(0, 1), "the slope must start at a number up to 1");
  layer.per_channel = in.take("c");
  return layer;
}

}  // namespace

const Layer layer_prelu{
    .name = "prelu",
    .meaning = "x where x > 0, else a·x with a learned a, which starts at 0.25",
    .details = "; `prelu0.1` starts at 0.1, `prelu0.25c` has an a for each channel. That a is the derivative at 0",
    .options = Options{},
    .build = [](std::span<const Value> in,
                const Attributes& options) { return prelu_layer(in[0], options.as<Options>()); },
    .line = {.form = Notation::Form::word,
             .word = "prelu",
             .example = "prelu",
             .read = read,
             .continuation = "prelu may go on with what its slope starts at, from 0 to 1, and then with c (a slope for "
                             "each channel): prelu0.25c",
             .samples = "prelu0.5 prelu0.25c prelu1c"}};

}  // namespace chalk
