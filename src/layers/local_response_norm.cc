// y = x / (k + α/n · Σ x²)^β, the sum over n neighbouring channels at the same place (Krizhevsky et al. 2012, with α/n
// for their α).
#include <cmath>

#include "chalkgrad/layers.h"
#include "src/layers/line_reader.h"
#include "src/layers/registry.h"

namespace chalk {
namespace {

constexpr Range kSizes{.least = 1, .most = kMostNumber}, kFactors{.least = 0, .most = 1000},
    kAdded{.least = 0, .most = 1000, .without_least = true};

}  // namespace

Value local_response_norm_layer(Value x, const LocalResponseNormLayer& layer) {
  Graph& g = x.graph();
  check_map(x, "local_response_norm");
  const Shape& shape = x.shape();
  const auto check = [&](const char* name, auto value, const Range& range) {
    if (!range.contains(static_cast<double>(value)))
      fail_layer(g, "local_response_norm", str(name, " is ", value, "; it must be ", range.text()));
  };
  check("size", layer.size, kSizes);
  check("alpha", layer.alpha, kFactors);
  check("beta", layer.beta, kFactors);
  check("k", layer.k, kAdded);
  // Zeros stand for the channels that are not there: size/2 in front, (size − 1)/2 behind.
  const Value squares = reshape(x * x, {1, shape[0], shape[1] * shape[2]});
  const Value padded = pad(squares, {0, layer.size / 2, 0}, {0, (layer.size - 1) / 2, 0});
  const Value means = average_pool(padded, {.window = {layer.size, 1}, .stride = {1, 1}, .padding = {0, 0}});
  const Value base = g.constant(layer.k) + g.constant(layer.alpha) * reshape(means, shape);
  return x * exp(g.constant(-layer.beta) * log(base));
}

namespace {

struct Options : LocalResponseNormLayer {
  void visit(FieldVisitor& v) {
    v.field({"size", kSizes, "n, how many channels"}, size);
    v.field({"alpha", kFactors, "times the mean of their squares"}, alpha);
    v.field({"beta", kFactors, "the power"}, beta);
    v.field({"k", kAdded, "what is added"}, k);
  }
  bool operator==(const Options&) const = default;
};

Attributes read(LineReader& in) {
  Options layer;
  if (!in.at_digit()) in.fail("the number of channels is missing; write e.g. lrn5");
  layer.size = in.number("the number of channels");
  return layer;
}

}  // namespace

const Layer layer_local_response_norm{
    .name = "local_response_norm",
    .meaning = "[local response normalisation](#other-normalisations) over 5 neighbouring channels",
    .options = Options{},
    .build = [](std::span<const Value> in,
                const Attributes& options) { return local_response_norm_layer(in[0], options.as<Options>()); },
    .line = {.form = Notation::Form::word, .word = "lrn", .example = "lrn5", .read = read, .samples = "lrn2 lrn1"}};

}  // namespace chalk
