// Pooling of [channels, height, width]: each result is made of a window, or of a whole channel.
#include "chalkgrad/layers.h"
#include "src/layers/registry.h"
#include "src/layers/window.h"

namespace chalk {

Value global_average_pool(Value x) {
  if (x.shape().size() != 3) {
    fail_layer(x.graph(), "gap",
               str("takes channels × rows × columns, not ", to_string(x.shape()), "; reshape the input to three axes"));
  }
  return mean(x, {1, 2});
}

namespace {

struct Options : PoolOptions {
  void visit(FieldVisitor& v) {
    const auto size = Range::from_to(1, kMostNumber);
    const Pair usual = window;
    v.pair({"window", size, "rows and columns"}, window, nullptr);
    if (window != usual) stride = window;
    v.pair({"stride", size, "the step; as the window, if it is left out"}, stride, nullptr);
    visit_padding(v, padding, window, {1, 1}, /*with_full=*/false);
  }
  bool operator==(const Options&) const = default;
};

Attributes read(LineReader& in) {
  Options layer;
  layer.window = layer.stride = in.sizes("window", str("; write e.g. ", in.before(), "2"));
  std::string letters = "zs";
  while (const char letter = in.take_one_of(letters)) {
    if (letter == 'z') {
      layer.padding = same_padding(in, layer.window);
    } else {
      layer.stride = read_stride(in);
    }
  }
  return layer;
}

Layer pooling(std::string_view name, std::string_view word, std::string_view example, std::string_view samples) {
  return {.name = name,
          .meaning = "",
          .options = Options{},
          .line = {.form = Notation::Form::word,
                   .word = word,
                   .example = example,
                   .read = read,
                   .continuation = "pooling may go on with s2 (stride) or z (padding), each once",
                   .samples = samples}};
}

}  // namespace

const Layer layer_maxpool = [] {
  auto layer = pooling("maxpool", "mp", "mp2", "mp2x3 mp3s2z mp3s1");
  layer.meaning = "max-pooling over 2×2, in steps of 2";
  layer.details = "; padding never wins. In C++ and among operations it is `max_pool`";
  layer.build = [](std::span<const Value> in, const Attributes& a) { return max_pool(in[0], a.as<Options>()); };
  return layer;
}();

const Layer layer_avgpool = [] {
  auto layer = pooling("avgpool", "ap", "ap2", "ap2x3 ap3s2z ap3s1");
  layer.meaning = "average-pooling over 2×2, in steps of 2";
  layer.details = "; padding counts as zeros. In C++ and among operations it is `average_pool`";
  layer.build = [](std::span<const Value> in, const Attributes& a) { return average_pool(in[0], a.as<Options>()); };
  return layer;
}();

const Layer layer_gap{.name = "gap",
                      .meaning = "global average pooling",
                      .details = ": the mean of each channel, a vector",
                      .build = [](std::span<const Value> in, const Attributes&) { return global_average_pool(in[0]); },
                      .line = {.form = Notation::Form::word, .word = "gap", .example = "gap"}};

}  // namespace chalk
