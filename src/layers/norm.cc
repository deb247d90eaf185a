// y = γ·(x − μ)/√(σ² + ε) + β, where μ and σ² are those of values of the same sample: all of them, those of each place,
// of each group of channels or of each channel. So there is no difference between training and prediction.
#include <array>
#include <cmath>

#include "chalkgrad/layers.h"
#include "src/layers/line_reader.h"
#include "src/layers/registry.h"

namespace chalk {
namespace {

void check_epsilon(const Graph& g, const char* name, double epsilon) {
  if (!(epsilon > 0 && std::isfinite(epsilon)))
    fail_layer(g, name, str("epsilon is ", epsilon, "; it must be a number above 0"));
}

/// (x − μ)/√(σ² + ε) with the mean and variance over the axes.
Value normalised(Value x, const std::vector<std::int64_t>& axes, double epsilon) {
  const Value deviation = x - mean(x, axes, /*keep=*/true);
  const Value variance = mean(deviation * deviation, axes, /*keep=*/true);
  return deviation / sqrt(variance + x.graph().constant(epsilon));
}

/// γ·y + β, with parameters of that shape, seen as `as`.
Value affine(Value y, const Shape& shape, const Shape& as) {
  Graph& g = y.graph();
  const auto parameter = [&](const char* name, double start, ParameterRole role) {
    const Value p = layer_parameter(g, name, shape, Init::constant(start), role);
    return shape == as ? p : reshape(p, as);
  };
  const Value gamma = parameter("weight", 1, ParameterRole::scale);
  return gamma * y + parameter("bias", 0, ParameterRole::bias);
}

void refuse_single_values(const Graph& g, const char* name, const Shape& shape) {
  fail_layer(g, name,
             str("normalises single values of ", to_string(shape),
                 ", which have no variance; normalise more of them together"));
}

/// Of each group of channels.
Value group_normalised(const char* name, Value x, std::int64_t groups, double epsilon, bool with_affine) {
  const Graph& g = x.graph();
  check_epsilon(g, name, epsilon);
  const Shape& shape = x.shape();
  const auto together = elements(shape) / groups;
  if (together == 1) refuse_single_values(g, name, shape);
  const Value y = reshape(normalised(reshape(x, {groups, together}), {1}, epsilon), shape);
  return with_affine ? affine(y, {shape[0]}, column_of(shape)) : y;
}

}  // namespace

Value layer_norm_layer(Value x, const LayerNormLayer& layer) {
  const Graph& g = x.graph();
  check_epsilon(g, "layer_norm", layer.epsilon);
  const Shape& shape = x.shape();
  if (elements(shape) == 1 || (layer.over_channels && shape[0] == 1)) refuse_single_values(g, "layer_norm", shape);
  if (layer.over_channels) {
    const Value y = normalised(x, {0}, layer.epsilon);
    return layer.affine ? affine(y, {shape[0]}, column_of(shape)) : y;
  }
  std::vector<std::int64_t> axes;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) axes.push_back(static_cast<std::int64_t>(axis));
  const Value y = normalised(x, axes, layer.epsilon);
  return layer.affine ? affine(y, shape, shape) : y;
}

Value group_norm_layer(Value x, const GroupNormLayer& layer) {
  const Shape& shape = x.shape();
  if (shape.empty())
    fail_layer(x.graph(), "group_norm", "takes channels, not a single number; give it a map or a vector");
  if (layer.groups < 1 || shape[0] % layer.groups != 0) {
    fail_layer(x.graph(), "group_norm",
               str(layer.groups, " groups do not divide ", shape[0], " channels; use a divisor of ", shape[0]));
  }
  return group_normalised("group_norm", x, layer.groups, layer.epsilon, layer.affine);
}

Value instance_norm_layer(Value x, const InstanceNormLayer& layer) {
  if (x.shape().size() < 2) {
    fail_layer(x.graph(), "instance_norm",
               str("takes channels with places, not ", to_string(x.shape()), "; use layer_norm for a vector"));
  }
  return group_normalised("instance_norm", x, x.shape()[0], layer.epsilon, layer.affine);
}

namespace {

void visit_rest(FieldVisitor& v, double& epsilon, bool& affine) {
  v.field({"epsilon", {.least = 0, .most = 1, .without_least = true}, "added to σ²"}, epsilon);
  v.field({"affine", {}, "with γ and β"}, affine);
}

struct LayerNorm : LayerNormLayer {
  void visit(FieldVisitor& v) {
    auto what = static_cast<std::size_t>(over_channels);
    v.choice({"over"}, kWords, what);
    over_channels = what == 1;
    visit_rest(v, epsilon, affine);
  }
  bool operator==(const LayerNorm&) const = default;

  static constexpr std::array<Word, 2> kWords{
      {{"sample", "all values, with a γ and β for each"},
       {"channels", "the channels of each place, with a γ and β for each channel"}}};
};

struct GroupNorm : GroupNormLayer {
  void visit(FieldVisitor& v) {
    v.field(Field("groups", Range::from_to(1, kMostNumber), "into which channels are split").required(), groups);
    visit_rest(v, epsilon, affine);
  }
  bool operator==(const GroupNorm&) const = default;
};

struct InstanceNorm : InstanceNormLayer {
  void visit(FieldVisitor& v) { visit_rest(v, epsilon, affine); }
  bool operator==(const InstanceNorm&) const = default;
};

Attributes read_layer_norm(LineReader& in) {
  LayerNorm layer;
  layer.over_channels = in.take("c");
  return layer;
}

Attributes read_group_norm(LineReader& in) {
  GroupNorm layer;
  if (!in.at_digit()) in.fail("the number of groups is missing; write e.g. gn8");
  layer.groups = in.number("the number of groups");
  return layer;
}

}  // namespace

const Layer layer_layer_norm{
    .name = "layer_norm",
    .meaning = "[layer normalisation](#other-normalisations) of all values of a sample",
    .details = "; `lnc`: of the channels of each place, as in ConvNeXt",
    .options = LayerNorm{},
    .build = [](std::span<const Value> in,
                const Attributes& options) { return layer_norm_layer(in[0], options.as<LayerNorm>()); },
    .line = {.form = Notation::Form::word,
             .word = "ln",
             .example = "ln",
             .read = read_layer_norm,
             .letters = "c",
             .continuation = "ln may go on with c (the channels of each place): lnc",
             .samples = "lnc"}};

const Layer layer_group_norm{
    .name = "group_norm",
    .meaning = "[group normalisation](#other-normalisations) with 2 groups of channels",
    .options = GroupNorm{},
    .build = [](std::span<const Value> in,
                const Attributes& options) { return group_norm_layer(in[0], options.as<GroupNorm>()); },
    .line = {.form = Notation::Form::word, .word = "gn", .example = "gn2", .read = read_group_norm, .samples = "gn1"}};

const Layer layer_instance_norm{
    .name = "instance_norm",
    .meaning = "[instance normalisation](#other-normalisations) of each channel, by its own places",
    .options = InstanceNorm{},
    .build = [](std::span<const Value> in,
                const Attributes& options) { return instance_norm_layer(in[0], options.as<InstanceNorm>()); },
    .line = {.form = Notation::Form::word, .word = "in", .example = "in"},
    .centres = true};

}  // namespace chalk
