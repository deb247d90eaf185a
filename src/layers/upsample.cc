// Enlarges maps [channels, height, width] by whole factors, row by row and column by column.
#include <array>
#include <cmath>

#include "chalkgrad/layers.h"
#include "src/layers/line_reader.h"
#include "src/layers/registry.h"

namespace chalk {
namespace {

constexpr std::int64_t kMostFactor = 1024;

/// Each line along the axis `factor` times.
Value repeated(Value x, std::size_t axis, std::int64_t factor) {
  Shape apart = x.shape(), result = x.shape();
  result[axis] *= factor;
  apart.insert(apart.begin() + static_cast<std::ptrdiff_t>(axis) + 1, 1);
  Shape wide = apart;
  wide[axis + 1] = factor;
  return reshape(broadcast(reshape(x, apart), wide), result);
}

/// The lines along the axis, each by the one before it, or behind it; at the edge, by itself.
Value neighbour(Value x, std::size_t axis, bool behind) {
  const Shape shape = x.shape();
  const auto n = shape[axis];
  const auto lines = [&](std::int64_t first, std::int64_t last) {
    std::vector<std::int64_t> start(shape.size(), 0), stop(shape.begin(), shape.end());
    start[axis] = first, stop[axis] = last;
    return slice(x, start, stop);
  };
  if (n == 1) return x;
  const auto along = static_cast<std::int64_t>(axis);
  return behind ? concat(std::array{lines(1, n), lines(n - 1, n)}, along)
                : concat(std::array{lines(0, 1), lines(0, n - 1)}, along);
}

/// Line i·factor + r is at place i + (r + ½)/factor − ½ of x, between two of its lines.
Value interpolated(Value x, std::size_t axis, std::int64_t factor) {
  Graph& g = x.graph();
  const Value before = neighbour(x, axis, false), after = neighbour(x, axis, true);
  Shape apart = x.shape(), result = x.shape();
  result[axis] *= factor;
  apart.insert(apart.begin() + static_cast<std::ptrdiff_t>(axis) + 1, 1);
  std::vector<Value> lines;
  for (std::int64_t r = 0; r < factor; ++r) {
    const double off = (static_cast<double>(r) + 0.5) / static_cast<double>(factor) - 0.5;
    const Value line =
        off == 0 ? x : g.constant(1 - std::abs(off)) * x + g.constant(std::abs(off)) * (off < 0 ? before : after);
    lines.push_back(reshape(line, apart));
  }
  return reshape(concat(lines, static_cast<std::int64_t>(axis) + 1), result);
}

}  // namespace

Value upsample_layer(Value x, const UpsampleLayer& layer) {
  check_map(x, "upsample");
  for (const std::size_t axis : {1, 2}) {
    const auto factor = layer.factor[axis - 1];
    if (factor < 1 || factor > kMostFactor) {
      fail_layer(x.graph(), "upsample", str("factor is ", factor, "; it must be from 1 to ", kMostFactor));
    }
    if (factor > 1) x = layer.bilinear ? interpolated(x, axis, factor) : repeated(x, axis, factor);
  }
  return x;
}

namespace {

struct Options : UpsampleLayer {
  void visit(FieldVisitor& v) {
    v.pair({"factor", Range::from_to(1, kMostFactor), "how many times as many rows and columns"}, factor, nullptr);
    auto kind = static_cast<std::size_t>(bilinear);
    v.choice({"mode"}, kModes, kind);
    bilinear = kind == 1;
  }
  bool operator==(const Options&) const = default;

  static constexpr std::array<Word, 2> kModes{{{"nearest", "each value several times"}, {"bilinear", "interpolated"}}};
};

Attributes read(LineReader& in) {
  Options layer;
  const auto begin = in.before().size();
  layer.factor = in.sizes("factor", "; write e.g. up2");
  if (layer.factor[0] > kMostFactor || layer.factor[1] > kMostFactor)
    in.fail("the factor must be at most 1,024", in.before().size() - begin);
  layer.bilinear = in.take("b");
  return layer;
}

}  // namespace

const Layer layer_upsample{
    .name = "upsample",
    .meaning = "twice as many rows and columns, each value four times",
    .details =
        " (PyTorch's `Upsample`, Keras' `UpSampling2D`); `up2b` interpolates between them (bilinear, "
        "`align_corners=False`)",
    .options = Options{},
    .build = [](std::span<const Value> in,
                const Attributes& options) { return upsample_layer(in[0], options.as<Options>()); },
    .line = {.form = Notation::Form::word,
             .word = "up",
             .example = "up2",
             .read = read,
             .continuation = "up may go on with its factor, and then with b (bilinear): up2b",
             .samples = "up2b up3x1b up1x3"}};

}  // namespace chalk
