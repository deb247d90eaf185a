// Pooling. Which place of its window a maximum has is a value of the graph; in ONNX, places are counted through the
// whole tensor, and here through their channel.
#include "src/base/text.h"
#include "src/onnx/ops/maps.h"
#include "src/ops/pool.h"
#include "src/ops/registry.h"

namespace chalk::onnx {
namespace {

constexpr std::int64_t kWhole = number_of(Element::int64);

CallAttributes window_attributes(const PoolAttributes& pool) {
  const auto& p = pool.padding;
  return {{"kernel_shape", pool.window}, {"strides", pool.stride}, {"pads", Ints{p[0], p[1], p[0], p[1]}}};
}

const PoolAttributes& pool_of(Emitter& to, NodeId id) { return to.node(id).attributes.as<PoolAttributes>(); }

/// Whether the graph asks for the places, too: then one call gives both.
bool asks_for_places(const Graph& graph, NodeId x, const PoolAttributes& pool) {
  for (NodeId id = 0; id < graph.size(); ++id) {
    const auto& node = graph.node(id);
    if (node.op == &op_pool_argmax && node.inputs[0] == x && node.attributes.as<PoolAttributes>() == pool) return true;
  }
  return false;
}

std::string key_of(NodeId x, const PoolAttributes& pool) {
  return str(x, to_string(pool.window), to_string(pool.stride), to_string(pool.padding));
}

/// The maxima, or where they are, counted row by row through their channel.
std::string pooled(Emitter& to, NodeId x, const PoolAttributes& pool, bool places) {
  const auto key = key_of(x, pool);
  const auto make = [&] {
    if (!asks_for_places(to.graph(), x, pool)) return to.call("MaxPool", {as_maps(to, x)}, window_attributes(pool));
    const auto both = to.call(2, "MaxPool", {as_maps(to, x)}, window_attributes(pool));
    const auto& shape = to.type(x).shape;
    to.once(str("places ", key), [&] { return to.call("Mod", {both[1], to.ints({shape[1] * shape[2]})}); });
    return both[0];
  };
  const auto maxima = to.once(str("maxima ", key), make);
  return places ? to.once(str("places ", key), [] { return std::string(); }) : maxima;
}

std::string write_max_pool(Emitter& to, NodeId id, std::span<const NodeId> operands) {
  return from_maps(to, id, pooled(to, operands[0], pool_of(to, id), /*places=*/false));
}

/// Numbers first + step·i for i = 0 … count − 1 as extents×1 or 1×extents, to be added to all maps.
std::string along(Emitter& to, std::int64_t count, std::int64_t step, std::int64_t first, bool rows) {
  Ints numbers;
  for (std::int64_t i = 0; i < count; ++i) numbers.push_back(first + step * i);
  return to.reshape(to.ints(numbers), rows ? Ints{count, 1} : Ints{1, count});
}

/// The place in its window, row by row, as a number.
std::string write_argmax(Emitter& to, NodeId id, std::span<const NodeId> operands) {
  const auto& pool = pool_of(to, id);
  const auto &x = to.type(operands[0]).shape, &y = to.type(id).shape;
  const auto place = pooled(to, operands[0], pool, /*places=*/true), columns = to.ints({x[2]});
  const auto row =
      to.call("Sub", {to.call("Div", {place, columns}), along(to, y[1], pool.stride[0], -pool.padding[0], true)});
  const auto column =
      to.call("Sub", {to.call("Mod", {place, columns}), along(to, y[2], pool.stride[1], -pool.padding[1], false)});
  const auto in_window = to.call("Add", {to.call("Mul", {row, to.ints({pool.window[1]})}), column});
  return from_maps(to, id, to.call("Cast", {in_window}, {{"to", number_of(Element::float32)}}));
}

/// The channels' places that an index names, as batch × channels × windows, and 1 where they are no padding.
struct Places {
  std::string at, inside;
};
Places places_of(Emitter& to, NodeId index, const PoolAttributes& pool, const Shape& x, bool batched) {
  const auto& shape = to.type(index).shape;
  const Ints flat{0, shape[0], shape[1] * shape[2]};
  if (const auto& node = to.node(index);
      node.op == &op_pool_argmax && to.type(index).batched &&
      pool_attributes(pool_options(node.attributes.as<PoolAttributes>())) == pool_attributes(pool_options(pool)) &&
      to.type(node.inputs[0]).shape == x)
    return {to.reshape(pooled(to, node.inputs[0], node.attributes.as<PoolAttributes>(), /*places=*/true), flat), ""};
  const auto number = to.call("Cast", {as_maps(to, index, batched)}, {{"to", kWhole}}),
             across = to.ints({pool.window[1]});
  const auto row =
      to.call("Add", {to.call("Div", {number, across}), along(to, shape[1], pool.stride[0], -pool.padding[0], true)});
  const auto column =
      to.call("Add", {to.call("Mod", {number, across}), along(to, shape[2], pool.stride[1], -pool.padding[1], false)});
  auto at = to.call("Add", {to.call("Mul", {row, to.ints({x[2]})}), column});
  if (pool.padding == Ints{0, 0}) return {to.reshape(at, flat), ""};
  const auto zero = to.ints({0});
  const auto within = [&](const std::string& place, std::int64_t extent) {
    return to.call("And", {to.call("GreaterOrEqual", {place, zero}), to.call("Less", {place, to.ints({extent})})});
  };
  const auto inside = to.call("And", {within(row, x[1]), within(column, x[2])});
  at = to.call("Where", {inside, at, zero});
  return {to.reshape(at, flat), to.reshape(to.call("Cast", {inside}, {{"to", number_of(Element::float32)}}), flat)};
}

std::string write_gather(Emitter& to, NodeId id, std::span<const NodeId> operands) {
  const bool batched = to.type(id).batched;
  const auto& x = to.type(operands[0]).shape;
  const auto places = places_of(to, operands[1], pool_of(to, id), x, batched);
  const auto maps = to.reshape(as_maps(to, operands[0], batched), {0, x[0], x[1] * x[2]});
  auto found = to.call("GatherElements", {maps, places.at}, {{"axis", std::int64_t{2}}});
  if (!places.inside.empty()) found = to.call("Mul", {found, places.inside});
  return to.reshape(found, Emitter::shape_of(to.type(id)));
}

std::string write_scatter(Emitter& to, NodeId id, std::span<const NodeId> operands) {
  const bool batched = to.type(id).batched;
  const auto &x = to.type(id).shape, &y = to.type(operands[0]).shape;
  const auto places = places_of(to, operands[1], pool_of(to, id), x, batched);
  auto values = to.reshape(as_maps(to, operands[0], batched), {0, y[0], y[1] * y[2]});
  if (!places.inside.empty()) values = to.call("Mul", {values, places.inside});
  const auto zeros = to.zeros(batched ? Type{{x[0], x[1] * x[2]}, true} : Type{{1, x[0], x[1] * x[2]}, false});
  const auto sums = to.call("ScatterElements", {zeros, places.at, values},
                            {{"axis", std::int64_t{2}}, {"reduction", std::string("add")}});
  return to.reshape(sums, Emitter::shape_of(to.type(id)));
}

std::string write_average_pool(Emitter& to, NodeId id, std::span<const NodeId> operands) {
  auto attributes = window_attributes(pool_of(to, id));
  attributes.emplace_back("count_include_pad", std::int64_t{1});
  return from_maps(to, id, to.call("AveragePool", {as_maps(to, operands[0])}, std::move(attributes)));
}

/// A transposed convolution of each channel by a window of equal weights.
std::string write_average_pool_grad(Emitter& to, NodeId id, std::span<const NodeId> operands) {
  const auto& pool = pool_of(to, id);
  const auto &dy = to.type(operands[0]).shape, &x = to.type(id).shape;
  const auto weight = to.number(1.0 / static_cast<double>(pool.window[0] * pool.window[1]));
  const auto weights = to.call("Expand", {weight, to.ints({x[0], 1, pool.window[0], pool.window[1]})});
  Ints beyond;
  for (std::size_t d = 0; d < 2; ++d)
    beyond.push_back(x[d + 1] - ((dy[d + 1] - 1) * pool.stride[d] + pool.window[d] - 2 * pool.padding[d]));
  auto attributes = window_attributes(pool);
  attributes.emplace_back("group", x[0]);
  attributes.emplace_back("output_padding", beyond);
  return from_maps(to, id, to.call("ConvTranspose", {as_maps(to, operands[0]), weights}, std::move(attributes)));
}

}  // namespace

extern const Translation onnx_max_pool{.write = write_max_pool}, onnx_pool_argmax{.write = write_argmax},
    onnx_pool_gather{.write = write_gather}, onnx_pool_scatter{.write = write_scatter},
    onnx_average_pool{.write = write_average_pool}, onnx_average_pool_grad{.write = write_average_pool_grad};

}  // namespace chalk::onnx
