// Pooling of [channels, height, width]: each result is made of a window, or of a whole channel.
#include "chalkgrad/layers.h"
#include "src/layers/registry.h"
#include "src/layers/window.h"

namespace chalk {

Value global_average_pool(Value x) {
  check_map(x, "gap");
  return mean(x, {1, 2});
}

Value global_max_pool(Value x) {
  check_map(x, "gmp");
  return max(x, {1, 2});
}

namespace {

constexpr std::int64_t kMostAdaptive = 256;  // rows and columns of a result

/// Line i of the result is the mean of lines ⌊i·n/size⌋ … ⌈(i + 1)·n/size⌉ − 1 of the n along the axis.
Value averaged_along(Value x, std::size_t axis, std::int64_t size) {
  const Shape& shape = x.shape();
  const auto n = shape[axis], along = static_cast<std::int64_t>(axis);
  std::vector<Value> lines;
  for (std::int64_t i = 0; i < size; ++i) {
    std::vector<std::int64_t> start(shape.size(), 0), stop(shape.begin(), shape.end());
    start[axis] = i * n / size;
    stop[axis] = ((i + 1) * n + size - 1) / size;
    lines.push_back(mean(slice(x, start, stop), {along}, /*keep=*/true));
  }
  return concat(lines, along);
}

}  // namespace

Value adaptive_average_pool(Value x, const Pair& size) {
  check_map(x, "adaptive_avgpool");
  const Shape& shape = x.shape();
  for (const auto extent : size) {
    if (extent < 1 || extent > kMostAdaptive)
      fail_layer(x.graph(), "adaptive_avgpool", str("size is ", extent, "; it must be from 1 to ", kMostAdaptive));
  }
  if (shape[1] % size[0] == 0 && shape[2] % size[1] == 0) {
    const Pair window{shape[1] / size[0], shape[2] / size[1]};
    return average_pool(x, {.window = window, .stride = window, .padding = {0, 0}});
  }
  return averaged_along(averaged_along(x, 1, size[0]), 2, size[1]);
}

namespace {

struct Adaptive {
  Pair size{1, 1};

  void visit(FieldVisitor& v) {
    v.pair({"size", Range::from_to(1, kMostAdaptive), "rows and columns of the result"}, size, nullptr);
  }
  bool operator==(const Adaptive&) const = default;
};

Attributes read_adaptive(LineReader& in) {
  Adaptive layer;
  const auto begin = in.before().size();
  layer.size = in.sizes("size", "; write e.g. aap4");
  if (layer.size[0] > kMostAdaptive || layer.size[1] > kMostAdaptive)
    in.fail("the size must be at most 256", in.before().size() - begin);
  return layer;
}

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

const Layer layer_gmp{.name = "gmp",
                      .meaning = "global max-pooling",
                      .details = ": the maximum of each channel, a vector; the first of equal ones has the derivative",
                      .build = [](std::span<const Value> in, const Attributes&) { return global_max_pool(in[0]); },
                      .line = {.form = Notation::Form::word, .word = "gmp", .example = "gmp"}};

const Layer layer_adaptive_avgpool{
    .name = "adaptive_avgpool",
    .meaning = "average-pooling to 4×4, whatever the size was",
    .details =
        ": place i of m is the mean of the places from ⌊i·n/m⌋ to below ⌈(i + 1)·n/m⌉ of n (PyTorch's "
        "`AdaptiveAvgPool2d`)",
    .options = Adaptive{},
    .build = [](std::span<const Value> in,
                const Attributes& options) { return adaptive_average_pool(in[0], options.as<Adaptive>().size); },
    .line = {.form = Notation::Form::word,
             .word = "aap",
             .example = "aap4",
             .read = read_adaptive,
             .continuation = "aap goes on with the size of its result: aap4 or aap3x5",
             .samples = "aap2 aap3x4 aap7x1"}};

}  // namespace chalk
