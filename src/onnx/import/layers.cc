// Dense layers, products of matrices, normalisation, dropout.
#include <cmath>

#include "src/base/text.h"
#include "src/onnx/import.h"

namespace chalk::onnx {
namespace {

/// A matrix of the file, its axes exchanged and its numbers multiplied.
Known matrix(const Known& from, bool transposed, double factor) {
  const auto rows = static_cast<std::size_t>(from.extents[0]), columns = static_cast<std::size_t>(from.extents[1]);
  if (!transposed && factor == 1 && from.reals) return from;
  std::vector<float> numbers(rows * columns);
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < columns; ++c)
      numbers[transposed ? c * rows + r : r * columns + c] = static_cast<float>(factor * from.at(r * columns + c));
  }
  auto made = known_reals(transposed ? Extents{from.extents[1], from.extents[0]} : from.extents, std::move(numbers));
  made.name = from.name;
  return made;
}

/// A dense layer of a vector; W is outputs × inputs.
Value dense(Importer& to, const FileNode& node, Value x, std::map<std::string, Known> weights) {
  const auto& extents = weights.at("weight").extents;
  if (extents[1] != x.shape()[0])
    to.fail(node, str("its weights are for ", extents[1], " inputs, but there are ", x.shape()[0]));
  const auto keys = str("outputs = ", extents[0], "\nbias = ", truth(weights.contains("bias")), '\n');
  return to.layer(node, "\"dense\"", {x}, keys, std::move(weights));
}

std::string key(const char* name, double value) { return str(name, " = ", toml(value), '\n'); }

/// γ and β, each with so many numbers.
std::map<std::string, Known> scale_and_bias(Importer& to, const FileNode& node, std::size_t scale, std::size_t bias,
                                            std::size_t count) {
  std::map<std::string, Known> weights{{"weight", to.required(node, scale, "the scale")}};
  if (Importer::has(node, bias)) {
    weights.emplace("bias", to.required(node, bias, "the bias"));
  } else {
    weights.emplace("bias", known_reals({static_cast<std::int64_t>(count)}, std::vector<float>(count)));
  }
  for (const auto& [name, known] : weights) {
    if (known.size() != count)
      to.fail(node, str("its ", name, " has ", known.size(), " numbers; ", count, " are needed"));
  }
  return weights;
}

std::size_t channels(Importer& to, const FileNode& node, Value x) {
  if (!x.batched() || x.shape().empty()) to.fail(node, "its operand has no channels");
  return static_cast<std::size_t>(x.shape()[0]);
}

}  // namespace

void import_Gemm(Importer& to, const FileNode& node) {
  const Value x = to.value(node, 0);
  if (!x.batched() || x.shape().size() != 1 || to.whole(node, "transA", 0) != 0)
    to.fail(node, "its first operand must be a vector of each sample");
  const auto& weights = to.required(node, 1, "weights");
  if (weights.extents.size() != 2) to.fail(node, "its weights are no matrix");
  const bool transposed = to.whole(node, "transB", 0) == 0;
  const auto alpha = to.real(node, "alpha", 1), beta = to.real(node, "beta", 1);
  std::map<std::string, Known> parameters{{"weight", matrix(weights, transposed, alpha)}};
  const auto outputs = parameters.at("weight").extents[0];
  const bool has_bias = Importer::has(node, 2) && beta != 0;
  if (has_bias) {
    const auto& bias = to.required(node, 2, "biases");
    const auto count = static_cast<std::size_t>(outputs);
    if (bias.size() != count && bias.size() != 1)
      to.fail(node, str("has ", bias.size(), " biases for ", count, " outputs"));
    std::vector<float> numbers;
    for (std::size_t i = 0; i < count; ++i)
      numbers.push_back(static_cast<float>(beta * bias.at(bias.size() == 1 ? 0 : i)));
    parameters.emplace("bias", known_reals({outputs}, std::move(numbers)));
  }
  to.define(node, 0, dense(to, node, x, std::move(parameters)));
}

void import_MatMul(Importer& to, const FileNode& node) {
  const Value x = to.value(node, 0);
  const auto* weights = to.known(node, 1);
  if (x.batched() && x.shape().size() == 1 && weights && weights->extents.size() == 2) {
    return to.define(node, 0, dense(to, node, x, {{"weight", matrix(*weights, true, 1)}}));
  }
  const Value y = to.value(node, 1);
  if (x.shape().size() != 2 || y.shape().size() != 2)
    to.fail(node, "is no product of a vector or two matrices of a sample");
  to.define(node, 0, to.operation(node, "matmul", {x, y}));
}

void import_BatchNormalization(Importer& to, const FileNode& node) {
  const Value x = to.value(node, 0);
  const auto count = channels(to, node, x);
  if (to.whole(node, "spatial", 1) == 0) to.fail(node, "spatial = 0, statistics for each place, is not read here");
  auto weights = scale_and_bias(to, node, 1, 2, count);
  weights.emplace("running_mean", to.required(node, 3, "the means"));
  weights.emplace("running_var", to.required(node, 4, "the variances"));
  // ONNX counts what stays, networks here what moves.
  const auto keys =
      str(key("momentum", 1 - to.real(node, "momentum", 0.9F)), key("epsilon", to.real(node, "epsilon", 1e-5F)));
  to.define(node, 0, to.layer(node, "\"batch_norm\"", {x}, keys, std::move(weights)));
}

void import_InstanceNormalization(Importer& to, const FileNode& node) {
  const Value x = to.value(node, 0);
  auto weights = scale_and_bias(to, node, 1, 2, channels(to, node, x));
  const auto keys = str("affine = true\n", key("epsilon", to.real(node, "epsilon", 1e-5F)));
  to.define(node, 0, to.layer(node, "\"instance_norm\"", {x}, keys, std::move(weights)));
}

void import_GroupNormalization(Importer& to, const FileNode& node) {
  const Value x = to.value(node, 0);
  const auto count = channels(to, node, x);
  const auto groups = to.whole(node, "num_groups", 1);
  if (to.opset() < 21) to.fail(node, "has a scale for each group; export it with an opset of 21 or more");
  auto weights = scale_and_bias(to, node, 1, 2, count);
  const auto keys = str("groups = ", groups, '\n', key("epsilon", to.real(node, "epsilon", 1e-5F)));
  to.define(node, 0, to.layer(node, "\"group_norm\"", {x}, keys, std::move(weights)));
}

void import_LayerNormalization(Importer& to, const FileNode& node) {
  const Value x = to.value(node, 0);
  const auto rank = static_cast<std::int64_t>(x.shape().size()) + 1;
  const auto axis = to.axis(node, to.whole(node, "axis", -1), x.shape().size() + 1);
  const auto epsilon = to.real(node, "epsilon", 1e-5F);
  if (axis == 1) {
    auto weights = scale_and_bias(to, node, 1, 2, static_cast<std::size_t>(elements(x.shape())));
    return to.define(node, 0, to.layer(node, "\"layer_norm\"", {x}, key("epsilon", epsilon), std::move(weights)));
  }
  Extents axes;  // of the sample: the last ones
  for (auto each = axis; each < rank; ++each) axes.push_back(each - 1);
  const auto keys = str("axes = ", toml(axes), "\nkeep = true\n");
  const Value deviation = to.operation(node, "sub", {x, to.operation(node, "mean", {x}, keys)});
  const Value variance = to.operation(node, "mean", {to.operation(node, "mul", {deviation, deviation})}, keys);
  const Value root = to.operation(node, "sqrt", {to.operation(node, "add", {variance, to.number(epsilon)})});
  const Value normal = to.operation(node, "div", {deviation, root});
  Value y = to.operation(node, "mul", {normal, to.aligned(node, 1, static_cast<std::size_t>(rank))});
  if (Importer::has(node, 2)) y = to.operation(node, "add", {y, to.aligned(node, 2, static_cast<std::size_t>(rank))});
  to.define(node, 0, y);
}

void import_LRN(Importer& to, const FileNode& node) {
  const auto size = to.whole(node, "size", 1);
  if (size % 2 == 0) to.fail(node, "an even size says not which side has one channel more");
  const auto keys = str("size = ", size, '\n', key("alpha", to.real(node, "alpha", 1e-4F)),
                        key("beta", to.real(node, "beta", 0.75F)), key("k", to.real(node, "bias", 1)));
  to.define(node, 0, to.layer(node, "\"local_response_norm\"", {to.value(node, 0)}, keys));
}

void import_Dropout(Importer& to, const FileNode& node) {
  if (const auto* known = to.known(node, 0)) return to.define(node, 0, *known);
  const Value x = to.value(node, 0);
  double rate = to.real(node, "ratio", 0.5F);
  if (to.opset() >= 12 && Importer::has(node, 1)) rate = to.required(node, 1, "the ratio").at(0);
  if (rate == 0) return to.define(node, 0, x);
  to.define(node, 0, to.layer(node, "\"dropout\"", {x}, key("rate", rate)));
}

}  // namespace chalk::onnx
