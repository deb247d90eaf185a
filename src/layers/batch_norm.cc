// y = γ·(x − μ)/√(σ² + ε) + β, one of each a channel.
#include <cmath>

#include "chalkgrad/layers.h"
#include "src/layers/registry.h"

namespace chalk {
namespace {

void check(Value x, const BatchNormLayer& layer) {
  const Graph& g = x.graph();
  if (x.shape().empty() || !x.batched()) {
    fail_layer(g, "batch_norm",
               str("takes channels of each sample, not ", to_string(x.type()), "; give it a map or a vector"));
  }
  if (!(layer.momentum >= 0 && layer.momentum <= 1))
    fail_layer(g, "batch_norm", str("momentum is ", layer.momentum, "; it must be between 0 and 1"));
  if (!(layer.epsilon > 0 && std::isfinite(layer.epsilon)))
    fail_layer(g, "batch_norm", str("epsilon is ", layer.epsilon, "; it must be a number above 0"));
  if (!std::isfinite(layer.scale)) fail_layer(g, "batch_norm", str("scale is ", layer.scale, "; it must be a number"));
}

/// The mean over the samples and, with `keep`, the places of each channel.
Value channel_mean(Value x) {
  std::vector<std::int64_t> places;
  for (std::size_t axis = 1; axis < x.shape().size(); ++axis) places.push_back(static_cast<std::int64_t>(axis));
  return batch_mean(places.empty() ? x : mean(x, places, /*keep=*/true));
}

/// n/(n − 1) σ² over n values; σ² of a single one, which is 0.
Value unbiased(Value variance, std::int64_t places) {
  Graph& g = variance.graph();
  const Value one = g.constant(1), n = g.constant(static_cast<double>(places)) * g.batch_size();
  const Value less = n - one;
  return n / (places > 1 ? less : less + equal(n, one)) * variance;
}

}  // namespace

Value batch_norm_layer(Value x, const BatchNormLayer& layer) {
  check(x, layer);
  Graph& g = x.graph();
  const Shape& all = x.shape();
  const Shape channels{all[0]};
  const auto places = elements(all) / all[0];
  const Shape column = column_of(all);
  const auto parameter = [&](const char* name, double start, ParameterRole role) {
    return layer_parameter(g, name, channels, Init::constant(start), role);
  };
  const auto running = [&](const char* name, double start) {
    return g.parameter(parameter_name(g, name), channels, Init::constant(start), /*trainable=*/false);
  };
  const auto as = [](Value v, const Shape& shape) { return v.shape() == shape ? v : reshape(v, shape); };
  const Value gamma =
      layer.fixed_scale ? g.constant(layer.scale, channels) : parameter("weight", layer.scale, ParameterRole::scale);
  const Value beta = parameter("bias", 0, ParameterRole::bias);
  const Value running_mean = running("running_mean", 0), running_var = running("running_var", 1);

  const Value mean_of_batch = channel_mean(x), deviation = x - mean_of_batch;
  const Value mean = as(mean_of_batch, channels), variance = as(channel_mean(deviation * deviation), channels);
  g.running_average(running_mean, mean, mean, layer.momentum, places);
  g.running_average(running_var, variance, unbiased(variance, places), layer.momentum, places);

  const Value normal = (x - as(running_mean, column)) / sqrt(as(running_var, column) + g.constant(layer.epsilon));
  return as(gamma, column) * normal + as(beta, column);
}

namespace {

struct Options : BatchNormLayer {
  void visit(FieldVisitor& v) {
    v.field({"momentum", Range::from_to(0, 1), "how far the running statistics move towards those of a batch"},
            momentum);
    v.field({"epsilon", {.least = 0, .most = 1, .without_least = true}, "added to σ²"}, epsilon);
    v.field({"scale", {}, "where γ starts"}, scale);
    v.field({"fixed_scale", {}, "true: γ stays there and is no parameter"}, fixed_scale);
  }
  bool operator==(const Options&) const = default;
};

}  // namespace

const Layer layer_batch_norm{
    .name = "batch_norm",
    .meaning = "[batch normalisation](#batch-normalisation) of each channel",
    .details = ", or of each value of a vector. In TOML, give the layer before it `bias = false`",
    .options = Options{},
    .build = [](std::span<const Value> in,
                const Attributes& options) { return batch_norm_layer(in[0], options.as<Options>()); },
    .line = {.form = Notation::Form::word, .word = "bn", .example = "bn"},
    .centres = true};

}  // namespace chalk
