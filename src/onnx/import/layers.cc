// Dense layers, products of matrices, normalisation, dropout.
#include <cmath>

#include "src/base/text.h"
#include "src/onnx/import/moves.h"

namespace chalk::onnx {
namespace {

/// A matrix of the file, its axes exchanged and its numbers multiplied.
Known matrix(const Known& from, bool transposed, double factor) {
  const auto rows = static_cast<std::size_t>(from.extents[0]), columns = static_cast<std::size_t>(from.extents[1]);
  const auto extents = transposed ? Extents{from.extents[1], from.extents[0]} : from.extents;
  if (!transposed && factor == 1 && from.reals) return from;
  if (const auto* number = from.reals.repeated()) return known_repeated(extents, factor * *number);
  std::vector<float> numbers(rows * columns);
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < columns; ++c)
      numbers[transposed ? c * rows + r : r * columns + c] = static_cast<float>(factor * from.at(r * columns + c));
  }
  auto made = known_reals(extents, std::move(numbers));
  made.name = from.name;
  return made;
}

/// A dense layer of a vector; W is outputs × inputs.
Value dense(Importer& to, const FileNode& node, Value x, std::map<std::string, Known> weights) {
  const auto& extents = weights.at("weight").extents;
  if (extents[1] != x.shape()[0])
    to.fail(node, str("its weights are for ", extents[1], " inputs, but there are ", x.shape()[0]));
  const auto keys = str("outputs = ", extents[0], "\nbias = ", truth(weights.contains("bias")), '\n');
  return to.layer(node, "\"dense\"", x, keys, std::move(weights));
}

/// γ and β, each with so many numbers.
std::map<std::string, Known> scale_and_bias(Importer& to, const FileNode& node, std::size_t scale, std::size_t bias,
                                            std::size_t count) {
  std::map<std::string, Known> weights{{"weight", to.required(node, scale, "the scale")}};
  if (Importer::has(node, bias)) {
    weights.emplace("bias", to.required(node, bias, "the bias"));
  } else {
    weights.emplace("bias", known_repeated({static_cast<std::int64_t>(count)}, 0));
  }
  for (const auto& [name, known] : weights) {
    if (known.size() != count)
      to.fail(node, str("its ", name, " has ", known.size(), " numbers; ", count, " are needed"));
  }
  return weights;
}

std::size_t channels(Importer& to, const FileNode& node, Value x) {
  if (x.shape().empty()) to.fail(node, "its operand has no channels");
  return static_cast<std::size_t>(x.shape()[0]);
}

/// (x − μ) / √(σ² + ε) over axes of the value's shape; μ and 1 / √(σ² + ε) as results 1 and 2.
Value normalised(Importer& to, const FileNode& node, Value x, const Extents& axes) {
  const Value mean = reduced(to, node, "mean", x, axes), deviation = to.operation(node, "sub", {x, mean});
  const Value variance = reduced(to, node, "mean", to.operation(node, "mul", {deviation, deviation}), axes);
  const Value epsilon = to.number(to.real(node, "epsilon", 1e-5F));
  const Value root = to.operation(node, "sqrt", {to.operation(node, "add", {variance, epsilon})});
  to.define(node, 1, mean);
  if (node.outputs.size() > 2) to.define(node, 2, to.operation(node, "div", {to.number(1), root}));
  return to.operation(node, "div", {deviation, root});
}

/// A matrix for each of the leading axes, which broadcast: one product after the other.
Value products(Importer& to, const FileNode& node, Value a, Value b) {
  constexpr std::int64_t kMost = 256;
  if (a.shape().size() < 2 || b.shape().size() < 2) to.fail(node, "is no product of vectors or matrices of a sample");
  const auto leading = [](Value v) { return Extents(v.shape().begin(), v.shape().end() - 2); };
  const auto last = [](Value v) { return Extents(v.shape().end() - 2, v.shape().end()); };
  Extents outer = leading(a), other = leading(b);
  if (outer.size() < other.size()) std::swap(outer, other);
  const auto ahead = outer.size() - other.size();
  for (std::size_t d = 0; d < other.size(); ++d) {
    auto& extent = outer[ahead + d];
    if (extent != other[d] && extent != 1 && other[d] != 1) to.fail(node, "its operands' shapes do not fit each other");
    if (extent == 1) extent = other[d];
  }
  const auto count = product(outer);
  if (count > kMost) to.fail(node, str("multiplies ", count, " pairs of matrices; at most ", kMost, " are read here"));
  const auto flat = [&](Value v) {
    Shape all = outer;
    const auto matrix = last(v);
    all.insert(all.end(), matrix.begin(), matrix.end());
    if (v.shape() != all) v = to.operation(node, "broadcast", {v}, str("shape = ", toml(all), '\n'));
    return to.reshaped(node, v, {count, matrix[0], matrix[1]});
  };
  const auto rows = last(a)[0], columns = last(b)[1];
  const Value all_a = flat(a), all_b = flat(b);
  std::vector<Value> made;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto matrix = [&](Value v) {
      return to.reshaped(node, taken(to, node, v, 0, {i}), {v.shape()[1], v.shape()[2]});
    };
    const Value y = to.operation(node, "matmul", {matrix(all_a), matrix(all_b)});
    made.push_back(to.reshaped(node, y, {1, rows, columns}));
  }
  Shape shape = outer;
  shape.insert(shape.end(), {rows, columns});
  const Value joined = made.size() == 1 ? made[0] : to.operation(node, "concat", made, "axis = 0\n");
  return to.reshaped(node, joined, shape);
}

/// A vector counts as a matrix of one row, or of one column; its axis of 1 is not in the result.
Value multiplied(Importer& to, const FileNode& node, Value a, Value b) {
  const bool row = a.shape().size() == 1, column = b.shape().size() == 1;
  if (row) a = to.reshaped(node, a, {1, a.shape()[0]});
  if (column) b = to.reshaped(node, b, {b.shape()[0], 1});
  Value y =
      a.shape().size() == 2 && b.shape().size() == 2 ? to.operation(node, "matmul", {a, b}) : products(to, node, a, b);
  Shape shape = y.shape();
  if (row) shape.erase(shape.end() - 2);
  if (column) shape.pop_back();
  return to.reshaped(node, y, shape);
}

}  // namespace

void import_Gemm(Importer& to, const FileNode& node) {
  const auto alpha = to.real(node, "alpha", 1), beta = to.real(node, "beta", 1);
  const bool transpose_a = to.whole(node, "transA", 0) != 0, transpose_b = to.whole(node, "transB", 0) != 0;
  const bool has_bias = Importer::has(node, 2) && beta != 0;
  const Value x = to.value(node, 0);
  const auto* weights = to.known(node, 1);
  if (to.lead(x) == 1 && (!weights || x.shape().size() != 1 || transpose_a))
    to.fail(node, "must multiply a vector of each sample with weights of the file");
  if (to.lead(x) == 0) {  // matrices of one sample
    const Value b = to.value(node, 1);
    const auto keys = str("transpose_a = ", truth(transpose_a), "\ntranspose_b = ", truth(transpose_b), '\n');
    Value y = to.operation(node, "matmul", {x, b}, keys);
    if (alpha != 1) y = to.operation(node, "mul", {y, to.number(alpha)});
    if (has_bias) {
      Value c = to.aligned(node, 2, 2);
      if (beta != 1) c = to.operation(node, "mul", {c, to.number(beta)});
      y = to.operation(node, "add", {y, c});
    }
    return to.define(node, 0, y);
  }
  if (weights->extents.size() != 2) to.fail(node, "its weights are no matrix");
  std::map<std::string, Known> parameters{{"weight", matrix(*weights, !transpose_b, alpha)}};
  const auto outputs = parameters.at("weight").extents[0];
  if (has_bias) {
    const auto& bias = to.required(node, 2, "biases");
    const auto count = static_cast<std::size_t>(outputs);
    if (bias.size() != count && bias.size() != 1)
      to.fail(node, str("has ", bias.size(), " biases for ", count, " outputs"));
    std::vector<float> numbers;
    for (std::size_t i = 0; i < bias.size(); ++i) numbers.push_back(static_cast<float>(beta * bias.at(i)));
    parameters.emplace(
        "bias", bias.size() == 1 ? known_repeated({outputs}, numbers[0]) : known_reals({outputs}, std::move(numbers)));
  }
  to.define(node, 0, dense(to, node, x, std::move(parameters)));
}

void import_MatMul(Importer& to, const FileNode& node) {
  const Value x = to.value(node, 0);
  const auto* weights = to.known(node, 1);
  if (to.lead(x) == 1 && x.shape().size() == 1 && weights && weights->extents.size() == 2) {
    return to.define(node, 0, dense(to, node, x, {{"weight", matrix(*weights, true, 1)}}));
  }
  const Value y = to.value(node, 1);
  if (to.lead(x) == 1 && x.shape().size() == 1)
    to.fail(node, "multiplies vectors of samples with what is no matrix of the file");
  if (to.lead(x) != to.lead(y)) {  // what all samples share has no axis of theirs
    const Value shared = to.lead(x) == 0 ? x : y;
    if (shared.shape().size() > 2) to.fail(node, "has another matrix for each sample");
  }
  to.define(node, 0, multiplied(to, node, x, y));
}

namespace {

/// By the statistics of the batch itself, which is one sample here: y, and what the running ones become.
void in_training(Importer& to, const FileNode& node, Value x) {
  Extents axes;
  Shape of_channels(x.shape().size(), 1);
  of_channels.at(1) = x.shape()[1];
  for (std::size_t d = 0; d < x.shape().size(); ++d) {
    if (d != 1) axes.push_back(static_cast<std::int64_t>(d));
  }
  FileNode plain = node;
  plain.outputs = {node.outputs[0], str(node.outputs[0], "/mean")};
  const auto channel = [&](std::size_t i) { return to.reshaped(node, to.value(node, i), of_channels); };
  const Value normal = normalised(to, plain, x, axes);
  to.define(node, 0, to.operation(node, "add", {to.operation(node, "mul", {normal, channel(1)}), channel(2)}));
  const Value mean = reduced(to, node, "mean", x, axes), deviation = to.operation(node, "sub", {x, mean});
  const Value variance = reduced(to, node, "mean", to.operation(node, "mul", {deviation, deviation}), axes);
  const auto stays = to.real(node, "momentum", 0.9F);
  const auto moved = [&](std::size_t i, Value now) {
    const Value kept = to.operation(node, "mul", {to.value(node, 2 + i), to.number(stays)});
    const Value added = to.operation(node, "mul", {to.reshaped(node, now, {of_channels[1]}), to.number(1 - stays)});
    return to.operation(node, "add", {kept, added});
  };
  if (node.outputs.size() > 1) to.define(node, 1, moved(1, mean));
  if (node.outputs.size() > 2) to.define(node, 2, moved(2, variance));
}

}  // namespace

void import_BatchNormalization(Importer& to, const FileNode& node) {
  const Value x = to.value(node, 0);
  if (to.lead(x) == 0 && to.whole(node, "training_mode", 0) != 0) return in_training(to, node, x);
  to.samples(node, "channels");
  const auto count = channels(to, node, x);
  if (to.whole(node, "spatial", 1) == 0) to.fail(node, "spatial = 0, statistics for each place, is not read here");
  auto weights = scale_and_bias(to, node, 1, 2, count);
  weights.emplace("running_mean", to.required(node, 3, "the means"));
  weights.emplace("running_var", to.required(node, 4, "the variances"));
  // ONNX counts what stays, networks here what moves.
  const auto keys =
      str(key("momentum", 1 - to.real(node, "momentum", 0.9F)), key("epsilon", to.real(node, "epsilon", 1e-5F)));
  if (x.shape().size() == 1 || x.shape().size() == 3)
    return to.define(node, 0, to.layer(node, "\"batch_norm\"", x, keys, std::move(weights)));
  const Value maps = to.reshaped(node, x, {x.shape()[0], 1, elements(x.shape()) / x.shape()[0]});
  to.define(node, 0, to.reshaped(node, to.layer(node, "\"batch_norm\"", maps, keys, std::move(weights)), x.shape()));
}

void import_InstanceNormalization(Importer& to, const FileNode& node) {
  const Value x = to.samples(node, "channels and places");
  auto weights = scale_and_bias(to, node, 1, 2, channels(to, node, x));
  const auto keys = str("affine = true\n", key("epsilon", to.real(node, "epsilon", 1e-5F)));
  to.define(node, 0, to.layer(node, "\"instance_norm\"", x, keys, std::move(weights)));
}

void import_GroupNormalization(Importer& to, const FileNode& node) {
  const Value x = to.samples(node, "channels and places");
  const auto count = channels(to, node, x);
  const auto groups = to.whole(node, "num_groups", 1);
  if (to.opset() < 21) to.fail(node, "has a scale for each group; export it with an opset of 21 or more");
  auto weights = scale_and_bias(to, node, 1, 2, count);
  const auto keys = str("groups = ", groups, '\n', key("epsilon", to.real(node, "epsilon", 1e-5F)));
  to.define(node, 0, to.layer(node, "\"group_norm\"", x, keys, std::move(weights)));
}

void import_LayerNormalization(Importer& to, const FileNode& node) {
  const Value x = to.value(node, 0);
  const auto rank = x.shape().size() + to.lead(x);
  const auto axis = to.axis(node, to.whole(node, "axis", -1), x);
  if (axis == 0 && to.lead(x) == 1 && node.outputs.size() == 1) {
    auto weights = scale_and_bias(to, node, 1, 2, static_cast<std::size_t>(elements(x.shape())));
    return to.define(
        node, 0,
        to.layer(node, "\"layer_norm\"", x, key("epsilon", to.real(node, "epsilon", 1e-5F)), std::move(weights)));
  }
  const Value normal = normalised(to, node, x, places_from(axis, 1, std::ssize(x.shape()) - axis));
  Value y = to.operation(node, "mul", {normal, to.aligned(node, 1, rank)});
  if (Importer::has(node, 2)) y = to.operation(node, "add", {y, to.aligned(node, 2, rank)});
  to.define(node, 0, y);
}

void import_LRN(Importer& to, const FileNode& node) {
  const auto size = to.whole(node, "size", 1);
  if (size % 2 == 0) to.fail(node, "an even size says not which side has one channel more");
  const auto keys = str("size = ", size, '\n', key("alpha", to.real(node, "alpha", 1e-4F)),
                        key("beta", to.real(node, "beta", 0.75F)), key("k", to.real(node, "bias", 1)));
  to.define(node, 0, to.layer(node, "\"local_response_norm\"", to.samples(node, "channels × rows × columns"), keys));
}

void import_Dropout(Importer& to, const FileNode& node) {
  const auto extents = to.extents(node, 0);
  double rate = to.opset() >= 12 ? 0.5 : to.real(node, "ratio", 0.5F);
  if (to.opset() >= 12 && Importer::has(node, 1)) rate = to.required_number(node, 1, "the ratio");
  const bool always = to.opset() >= 12 && Importer::has(node, 2) && to.required_number(node, 2, "training_mode") != 0;
  if (node.outputs.size() > 1 && !node.outputs[1].empty()) {  // the mask: nothing is dropped
    if (always && rate != 0) to.fail(node, "gives its mask away, which is drawn anew in each step");
    const Value x = to.value(node, 0);
    to.define(node, 1, to.operation(node, "select", {to.operation(node, "equal", {x, x}), to.number(1), to.number(1)}));
  }
  if (const auto* known = to.known(node, 0)) return to.define(node, 0, *known);
  const Value x = to.value(node, 0);
  if (rate == 0) return to.define(node, 0, x);
  to.define(node, 0, to.layer(node, "\"dropout\"", x, key("rate", rate)));
}

}  // namespace chalk::onnx
