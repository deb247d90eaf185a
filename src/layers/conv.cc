// y = w ⋆ x + b, one b per filter or per place; flipped: y = w ∗ x + b, where w[a,b] meets x[p−a,q−b].
#include <algorithm>
#include <array>

#include "chalkgrad/layers.h"
#include "src/layers/registry.h"
#include "src/layers/window.h"

namespace chalk {

Value conv_layer(Value x, const ConvLayer& layer) {
  Graph& g = x.graph();
  check_map(x, "conv2d");
  if (layer.filters < 1) fail_layer(g, "conv2d", str(layer.filters, " filters; a convolution needs at least one"));
  if (layer.kernel[0] < 1 || layer.kernel[1] < 1) {
    fail_layer(g, "conv2d", str("kernel ", layer.kernel[0], "×", layer.kernel[1], "; a kernel is at least 1×1"));
  }
  const auto channels = x.shape()[0], groups = layer.options.groups;
  if (groups < 1 || channels % groups != 0 || layer.filters % groups != 0)
    fail_layer(g, "conv2d", not_divided(groups, channels, layer.filters));
  const Shape weights{layer.filters, channels / groups, layer.kernel[0], layer.kernel[1]};
  const auto fan_in = elements(weights) / layer.filters, fan_out = layer.filters * layer.kernel[0] * layer.kernel[1];
  const Value w = layer_parameter(g, "weight", weights, layer.init.init(fan_in, fan_out), ParameterRole::weight);
  const Value y = conv2d(x, layer.flipped ? reverse(w, {2, 3}) : w, layer.options);
  return bias_layer(y, layer.bias, layer.subtract_bias);
}

namespace {

struct Options : ConvLayer {
  void visit(FieldVisitor& v) {
    const auto size = Range::from_to(1, kMostNumber);
    v.field(Field("filters", size, "how many").required(), filters);
    v.pair({"kernel", size, "rows and columns of each"}, kernel, nullptr);
    v.pair({"stride", size, "the step"}, options.stride, nullptr);
    v.pair({"dilation", size, "the step within the kernel"}, options.dilation, nullptr);
    visit_padding(v, options.padding, kernel, options.dilation, /*with_full=*/true);
    v.field({"groups", size, "into which channels and filters are split"}, options.groups);
    v.field({"flipped", {}, "true reverses the kernel in both directions"}, flipped);
    auto kind = static_cast<std::size_t>(std::ranges::find(kKinds, bias) - kKinds.begin());
    v.choice({"bias"}, kWords, kind);
    bias = kKinds[kind];
    v.field({"subtract_bias", {}, "w ⋆ x − b instead of w ⋆ x + b"}, subtract_bias);
    if (subtract_bias && bias == Bias::none) v.refuse("subtract_bias", "= true needs a bias; leave out one of the two");
    visit_init(v, init);
  }
  bool operator==(const Options&) const = default;

  static constexpr std::array kKinds{Bias::shared, Bias::untied, Bias::none};
  static constexpr std::array<Word, 3> kWords{
      {{"true", "one per filter"}, {"untied", "one for each value of the result"}, {"false"}}};
};

Attributes read(LineReader& in) {
  Options layer;
  layer.filters = in.count();
  layer.kernel = in.sizes("kernel size", str("; write e.g. ", in.count(), "c5"));
  std::string letters = "zwsgfu";
  while (const char letter = in.take_one_of(letters)) {
    switch (letter) {
      case 'z':
        std::erase(letters, 'w');
        layer.options.padding = same_padding(in, layer.kernel);
        break;
      case 'w':
        std::erase(letters, 'z');
        layer.options.padding = {layer.kernel[0] - 1, layer.kernel[1] - 1};
        break;
      case 's':
        layer.options.stride = read_stride(in);
        break;
      case 'g':
        if (!in.at_digit()) in.fail("the number of groups is missing; write e.g. g2");
        layer.options.groups = in.number("the number of groups");
        break;
      case 'f':
        layer.flipped = true;
        break;
      default:
        layer.bias = Bias::untied;
    }
  }
  return layer;
}

}  // namespace

const Layer layer_conv{
    .name = "conv",
    .meaning = "a convolution with # filters of 5×5",
    .details = ", and a bias for each filter",
    .options = Options{},
    .build = [](std::span<const Value> in,
                const Attributes& options) { return conv_layer(in[0], options.as<Options>()); },
    .line = {.form = Notation::Form::counted,
             .word = "c",
             .example = "20c5",
             .read = read,
             .continuation =
                 "a convolution may go on with z (padding that keeps the size) or w (the widest padding), s2 (stride), "
                 "g4 (groups), f (flipped kernel) and u (untied bias), each once",
             .samples = "2c3 4c3x1zs2g2f 2c2s1x2wu"},
    .without_bias = without_shared_bias<Options>};

}  // namespace chalk
