// y = wᵀ ⋆ x + b: what a convolution with these weights does to a cotangent. Each value of x is spread over a window.
#include <array>

#include "chalkgrad/layers.h"
#include "src/layers/registry.h"
#include "src/layers/window.h"

namespace chalk {
namespace {

void check(Value x, const ConvTransposeLayer& layer) {
  const Graph& g = x.graph();
  const auto fail = [&](const std::string& message) { fail_layer(g, "conv_transpose", message); };
  check_map(x, "conv_transpose");
  const auto channels = x.shape()[0], groups = layer.options.groups;
  if (layer.filters < 1) fail(str(layer.filters, " filters; a convolution needs at least one"));
  if (groups < 1 || channels % groups != 0 || layer.filters % groups != 0)
    fail(not_divided(groups, channels, layer.filters));
  for (const std::size_t i : {0, 1}) {
    if (layer.kernel[i] < 1 || layer.options.stride[i] < 1 || layer.options.dilation[i] < 1)
      fail("kernel, stride and dilation must be at least 1");
    if (layer.output_padding[i] < 0 || layer.output_padding[i] >= layer.options.stride[i]) {
      fail(str("output_padding is ", layer.output_padding[i], "; it must be at least 0 and below the stride, ",
               layer.options.stride[i]));
    }
  }
}

}  // namespace

Value conv_transpose_layer(Value x, const ConvTransposeLayer& layer) {
  check(x, layer);
  Graph& g = x.graph();
  const auto& o = layer.options;
  Shape result{layer.filters, 0, 0};
  for (const std::size_t i : {0, 1}) {
    auto& size = result[i + 1];
    size = (x.shape()[i + 1] - 1) * o.stride[i] - 2 * o.padding[i] + o.dilation[i] * (layer.kernel[i] - 1) +
           layer.output_padding[i] + 1;
    if (size < 1)
      fail_layer(g, "conv_transpose",
                 str("padding ", o.padding[i], " leaves nothing of ", to_string(x.shape()), "; use less"));
  }
  const Shape weights{x.shape()[0], layer.filters / o.groups, layer.kernel[0], layer.kernel[1]};
  const auto strides = o.stride[0] * o.stride[1];  // of the weights, a value of the result meets one in so many
  const auto fan_in = (x.shape()[0] / o.groups * layer.kernel[0] * layer.kernel[1] + strides - 1) / strides;
  const auto fan_out = elements(weights) / weights[0];
  const Value w = layer_parameter(g, "weight", weights, layer.init.init(fan_in, fan_out), ParameterRole::weight);
  return bias_layer(conv2d_input_grad(x, w, result, o), layer.bias ? Bias::shared : Bias::none);
}

namespace {

struct Options : ConvTransposeLayer {
  void visit(FieldVisitor& v) {
    const auto size = Range::from_to(1, kMostNumber), padding = Range::from_to(0, kMostNumber);
    v.field(Field("filters", size, "how many channels the result has").required(), filters);
    v.pair({"kernel", size, "rows and columns of each"}, kernel, nullptr);
    v.pair({"stride", size, "how many rows and columns of the result there are for one"}, options.stride, nullptr);
    v.pair({"dilation", size, "the step within the kernel"}, options.dilation, nullptr);
    v.pair({"padding", padding, "how many rows and columns of the result are cut off on each side"}, options.padding,
           nullptr);
    v.pair({"output_padding", padding, "how many are added behind; below the stride"}, output_padding, nullptr);
    v.field({"groups", size, "into which channels and filters are split"}, options.groups);
    v.field({"bias", {}, "one per filter"}, bias);
    visit_init(v, init);
  }
  bool operator==(const Options&) const = default;
};

Attributes read(LineReader& in) {
  Options layer;
  layer.filters = in.count();
  layer.kernel = in.sizes("kernel size", str("; write e.g. ", in.count(), "t4s2z"));
  std::string letters = "zsg";
  bool multiplies = false;
  std::size_t z = 0;
  while (const char letter = in.take_one_of(letters)) {
    switch (letter) {
      case 'z':
        multiplies = true;
        z = in.before().size();
        break;
      case 's':
        layer.options.stride = read_stride(in);
        break;
      default:
        if (!in.at_digit()) in.fail("the number of groups is missing; write e.g. g2");
        layer.options.groups = in.number("the number of groups");
    }
  }
  for (std::size_t i = 0; multiplies && i < 2; ++i) {
    const auto over = layer.kernel[i] - layer.options.stride[i];
    if (over < 0 || over % 2 != 0) {
      in.fail(str("z cuts off both sides alike, so that there are exactly ", layer.options.stride[i],
                  " times as many rows; the kernel must exceed the stride by an even number, unlike ", layer.kernel[i],
                  " and ", layer.options.stride[i], "; use e.g. 4 and 2, or TOML with padding = …"),
              in.before().size() - z + 1);
    }
    layer.options.padding[i] = over / 2;
  }
  return layer;
}

}  // namespace

const Layer layer_conv_transpose{
    .name = "conv_transpose",
    .meaning = "a transposed convolution with # filters of 4×4 in steps of 2, which doubles rows and columns",
    .details = "; without `s2z` each step is 1, and the size grows by the kernel − 1",
    .options = Options{},
    .build = [](std::span<const Value> in,
                const Attributes& options) { return conv_transpose_layer(in[0], options.as<Options>()); },
    .line = {.form = Notation::Form::counted,
             .word = "t",
             .example = "16t4s2z",
             .read = read,
             .continuation =
                 "a transposed convolution may go on with s2 (stride), z (exactly so many times as large) and "
                 "g4 (groups), each once",
             .samples = "3t3 4t2x3s2x1g2 2t3z"},
    .without_bias =
        [](const Attributes& options) {
          auto changed = options.as<Options>();
          changed.bias = false;
          return Attributes(changed);
        }};

}  // namespace chalk
