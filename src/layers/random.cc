// Layers that drop or disturb values in training, and do nothing in prediction (Graph::noise). y = x·m/(1 − p), where m
// is 0 with probability p, else 1; and y = x + σ·n with a normal n.
#include <array>
#include <cmath>

#include "chalkgrad/layers.h"
#include "src/layers/line_reader.h"
#include "src/layers/registry.h"

namespace chalk {
namespace {

/// x in prediction, in training what `disturbed` makes of it.
template <class F>
Value in_training(Value x, const F& disturbed) {
  const Value y = reshape(x, x.shape());
  x.graph().training_substitute(y, disturbed());
  return y;
}

/// One number for all that are dropped together.
Shape mask_shape(const Shape& x, Dropped what) {
  if (what == Dropped::samples || x.empty()) return {};
  return what == Dropped::values ? x : column_of(x);
}

Value polynomial(Value x, std::span<const double> highest_first) {
  Graph& g = x.graph();
  Value y = g.constant(highest_first[0]);
  for (const double c : highest_first.subspan(1)) y = y * x + g.constant(c);
  return y;
}

/// Standard normal numbers of uniform ones in [0, 1): √2 · erf⁻¹(v), v = 2u − 1 + 2^−24, which is never ±1. By Giles
/// (2012), "Approximating the erfinv function", single precision: within 3e-7, relatively.
Value normal_of(Value u) {
  Graph& g = u.graph();
  constexpr std::array near{2.81022636e-08, 3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 0.00021858087,
                            -0.00125372503, -0.00417768164, 0.246640727,    1.50140941};
  constexpr std::array far{-0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773,
                           -0.0076224613,   0.00943887047,  1.00167406,    2.83297682};
  const Value one = g.constant(1), v = g.constant(2) * u - g.constant(1 - 0x1p-24);
  const Value w = neg(log((one - v) * (one + v)));
  const Value p = select(greater(g.constant(5), w), polynomial(w - g.constant(2.5), near),
                         polynomial(sqrt(w) - g.constant(3), far));
  return g.constant(std::sqrt(2.0)) * (v * p);
}

}  // namespace

Value dropout_layer(Value x, const DropoutLayer& layer) {
  Graph& g = x.graph();
  if (!(layer.rate >= 0 && layer.rate < 1))
    fail_layer(g, "dropout", str("rate is ", layer.rate, "; it must be at least 0 and below 1"));
  return in_training(x, [&] {
    const Value u = g.noise(parameter_name(g, "noise"), mask_shape(x.shape(), layer.of));
    return x * select(greater(g.constant(layer.rate), u), g.constant(0), g.constant(1 / (1 - layer.rate)));
  });
}

Value gaussian_noise_layer(Value x, double deviation) {
  Graph& g = x.graph();
  if (!(deviation >= 0 && std::isfinite(deviation)))
    fail_layer(g, "gaussian_noise", str("deviation is ", deviation, "; it must be a number of at least 0"));
  return in_training(
      x, [&] { return x + g.constant(deviation) * normal_of(g.noise(parameter_name(g, "noise"), x.shape())); });
}

namespace {

struct Dropout : DropoutLayer {
  void visit(FieldVisitor& v) {
    v.field({"rate", Range::from_below(0, 1), "how many are dropped, of all"}, rate);
    auto what = static_cast<std::size_t>(of);
    v.choice({"of"}, kWords, what);
    of = static_cast<Dropped>(what);
  }
  bool operator==(const Dropout&) const = default;

  static constexpr std::array<Word, 3> kWords{{{"values", "each by itself"},
                                               {"channels", "all values of a channel together"},
                                               {"samples", "all values of a sample together"}}};  // as in Dropped
};

Attributes read_dropout(LineReader& in) {
  Dropout layer;
  layer.rate = in.fraction("rate", layer.rate, Range::from_below(0, 1), "the rate must be below 1");
  if (in.take("c")) {
    layer.of = Dropped::channels;
  } else if (in.take("s")) {
    layer.of = Dropped::samples;
  }
  return layer;
}

struct GaussianNoise {
  double deviation = 0.1;

  void visit(FieldVisitor& v) { v.field({"deviation", Range::from_to(0, 1000), "the standard deviation"}, deviation); }
  bool operator==(const GaussianNoise&) const = default;
};

Attributes read_noise(LineReader& in) {
  GaussianNoise layer;
  layer.deviation = in.fraction("standard deviation", layer.deviation, Range::from_to(0, 1000),
                                "the standard deviation must be at most 1000");
  return layer;
}

}  // namespace

const Layer layer_dropout{
    .name = "dropout",
    .meaning = "[dropout](#dropout-and-noise)",
    .details =
        ": in training half of the values become 0, the others twice as large; `drop0.2` drops a fifth, "
        "`drop0.2c` whole channels, `drop0.2s` all of a sample (stochastic depth, at the end of a residual's branch)",
    .options = Dropout{},
    .build = [](std::span<const Value> in,
                const Attributes& options) { return dropout_layer(in[0], options.as<Dropout>()); },
    .line = {.form = Notation::Form::word,
             .word = "drop",
             .example = "drop0.5",
             .read = read_dropout,
             .continuation =
                 "drop may go on with its rate, from 0 to below 1, and then with c (whole channels) or s (all "
                 "of a sample): drop0.2c",
             .samples = "drop drop0.25c drop0.375s drop0"}};

const Layer layer_gaussian_noise{
    .name = "gaussian_noise",
    .meaning = "adds normal [noise](#dropout-and-noise) with the standard deviation 0.1 in training",
    .options = GaussianNoise{},
    .build =
        [](std::span<const Value> in, const Attributes& options) {
          return gaussian_noise_layer(in[0], options.as<GaussianNoise>().deviation);
        },
    .line = {.form = Notation::Form::word,
             .word = "noise",
             .example = "noise0.1",
             .read = read_noise,
             .continuation = "noise may go on with its standard deviation: noise0.1",
             .samples = "noise noise2.5"}};

}  // namespace chalk
