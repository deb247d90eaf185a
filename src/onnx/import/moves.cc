#include "src/onnx/import/moves.h"

#include <algorithm>
#include <array>
#include <limits>

#include "chalkgrad/error.h"
#include "src/base/text.h"

namespace chalk::onnx {
namespace {

constexpr std::size_t kMostPieces = 64;                     // that are joined; beyond it a matrix chooses
constexpr std::size_t kMostMatrix = std::size_t{1} << 22U;  // numbers of a matrix

std::string shape_key(const Shape& shape) { return str("shape = ", toml(shape), '\n'); }

/// [start, stop) along an axis.
Value sliced(Importer& to, const FileNode& node, Value x, std::int64_t axis, std::int64_t start, std::int64_t stop) {
  Extents from(x.shape().size(), 0), until = x.shape();
  from[static_cast<std::size_t>(axis)] = start;
  until[static_cast<std::size_t>(axis)] = stop;
  if (from == Extents(from.size(), 0) && until == x.shape()) return x;
  return to.operation(node, "slice", {x}, keys_of("start", from, "stop", until));
}

/// start, start + step, …
Value stepped(Importer& to, const FileNode& node, Value x, std::int64_t axis, std::int64_t start, std::int64_t step,
              std::int64_t count) {
  const auto a = static_cast<std::size_t>(axis);
  if (step < 0) {
    start = x.shape()[a] - 1 - start;
    step = -step;
    x = to.operation(node, "reverse", {x}, str("axes = [", axis, "]\n"));
  }
  if (step == 1 || count == 1) return sliced(to, node, x, axis, start, start + count);
  const auto stop = start + count * step, missing = std::max<std::int64_t>(0, stop - x.shape()[a]);
  if (missing > 0) {
    Extents none(x.shape().size(), 0), after = none;
    after[a] = missing;
    x = to.operation(node, "pad", {x}, keys_of("before", none, "after", after));
  }
  x = sliced(to, node, x, axis, start, stop);
  Shape apart = x.shape(), together = x.shape();
  apart[a] = count;
  apart.insert(apart.begin() + axis + 1, step);
  together[a] = count;
  x = to.reshaped(node, x, apart);
  return to.reshaped(node, sliced(to, node, x, axis + 1, 0, 1), together);
}

/// How many places from i on are as far from each other as the first two.
std::size_t run_from(const Extents& places, std::size_t i) {
  if (i + 1 >= places.size()) return 1;
  const auto step = places[i + 1] - places[i];
  std::size_t end = i + 2;
  while (end < places.size() && places[end] - places[end - 1] == step) ++end;
  return end - i;
}

}  // namespace

std::int64_t product(std::span<const std::int64_t> numbers) {
  std::int64_t all = 1;
  for (const auto number : numbers) {
    if (__builtin_mul_overflow(all, number, &all)) return std::numeric_limits<std::int64_t>::max();
  }
  return all;
}

std::size_t room_for(std::span<const std::int64_t> extents) {
  constexpr std::int64_t kMost = std::int64_t{1} << 24;
  const auto all = product(extents);
  if (all < 0 || all > kMost)
    throw InputError("would make more than 16 million numbers of its own; export the model otherwise");
  return static_cast<std::size_t>(all);
}

std::string keys_of(const char* first, const Extents& a, const char* second, const Extents& b) {
  return str(first, " = ", toml(a), '\n', second, " = ", toml(b), '\n');
}

Operand operand(Importer& to, const FileNode& node) {
  const auto* known = to.known(node, 0);
  return {known, known ? Value() : to.value(node, 0), to.extents(node, 0)};
}

Known shaped(const Known& known, Extents extents) {
  Known other = known;
  other.extents = std::move(extents);
  return other;
}

Shape of_sample(Importer& to, const FileNode& node, Value x, const Extents& extents) {
  if (to.lead(x) == 0) return extents;
  if (extents.empty() || extents[0] != kBatch) to.fail(node, "does not keep the samples apart");
  return {extents.begin() + 1, extents.end()};
}

std::vector<std::int64_t> whole_numbers(Importer& to, const FileNode& node, std::size_t i, const char* what) {
  const auto& known = to.required(node, i, what);
  if (!known.wholes) to.fail(node, str(what, " must be whole numbers"));
  return *known.wholes;
}

std::int64_t whole_number(Importer& to, const FileNode& node, std::size_t i, const char* what) {
  const auto numbers = whole_numbers(to, node, i, what);
  if (numbers.size() != 1) to.fail(node, str(what, " must be one number"));
  return numbers[0];
}

Extents axes_of(Importer& to, const FileNode& node, std::int64_t since, const char* key, std::size_t operand) {
  if (to.opset() < since) return to.wholes(node, key);
  return Importer::has(node, operand) ? whole_numbers(to, node, operand, key) : Extents{};
}

Extents places_from(std::int64_t start, std::int64_t step, std::int64_t count) {
  Extents places;
  places.reserve(room_for(std::array{std::max<std::int64_t>(0, count)}));
  for (std::int64_t i = 0; i < count; ++i) places.push_back(start + i * step);
  return places;
}

Value taken(Importer& to, const FileNode& node, Value x, std::int64_t axis, const Extents& places) {
  if (places.empty()) to.fail(node, "leaves nothing over");
  const auto extent = x.shape()[static_cast<std::size_t>(axis)];
  for (const auto place : places) {
    if (place < 0 || place >= extent) to.fail(node, str("place ", place, " of ", extent));
  }
  std::vector<Value> pieces;
  for (std::size_t i = 0; i < places.size() && pieces.size() < kMostPieces;) {
    const auto count = run_from(places, i);
    const auto step = count > 1 ? places[i + 1] - places[i] : 1;
    Value piece =
        stepped(to, node, x, axis, places[i], step == 0 ? 1 : step, step == 0 ? 1 : static_cast<std::int64_t>(count));
    if (step == 0) {
      Shape repeated = piece.shape();
      repeated[static_cast<std::size_t>(axis)] = static_cast<std::int64_t>(count);
      piece = to.operation(node, "broadcast", {piece}, shape_key(repeated));
    }
    pieces.push_back(piece);
    i += count;
    if (i == places.size()) {
      return pieces.size() == 1 ? pieces[0] : to.operation(node, "concat", pieces, str("axis = ", axis, '\n'));
    }
  }
  const auto columns = static_cast<std::size_t>(extent);
  if (places.size() > kMostMatrix / columns) to.fail(node, "takes too many places here and there");
  std::vector<float> matrix(places.size() * columns);
  for (std::size_t i = 0; i < places.size(); ++i) matrix[i * columns + static_cast<std::size_t>(places[i])] = 1;
  return weighed(to, node, x, axis, std::ssize(places), std::move(matrix));
}

Known taken(const Known& x, std::int64_t axis, const Extents& places) {
  const auto a = static_cast<std::size_t>(axis);
  const std::span all(x.extents);
  const auto outer = product(all.first(a)), inner = product(all.subspan(a + 1));
  Known y{.extents = x.extents};
  y.extents[a] = std::ssize(places);
  const bool is_empty = room_for(y.extents) == 0;
  std::vector<float> reals;
  std::vector<std::int64_t> wholes;
  for (std::int64_t o = 0; o < outer && !is_empty; ++o) {
    for (const auto place : places) {
      const auto first = static_cast<std::size_t>((o * x.extents[a] + place) * inner);
      for (std::size_t i = first; i < first + static_cast<std::size_t>(inner); ++i)
        x.reals ? reals.push_back(x.reals.at(i)) : wholes.push_back((*x.wholes)[i]);
    }
  }
  return x.reals ? known_reals(std::move(y.extents), std::move(reals))
                 : known_wholes(std::move(y.extents), std::move(wholes));
}

Value weighed(Importer& to, const FileNode& node, Value x, std::int64_t axis, std::int64_t rows,
              std::vector<float> matrix) {
  const auto a = static_cast<std::size_t>(axis);
  const auto columns = x.shape()[a];
  Shape shape = x.shape();
  shape[a] = rows;
  const std::span all(x.shape());
  const auto outer = product(all.first(a)), inner = product(all.subspan(a + 1));
  const Value m = to.fixed("matrix", {rows, columns}, std::move(matrix));
  if (outer == 1) {
    const Value y = to.operation(node, "matmul", {m, to.reshaped(node, x, {columns, inner})});
    return to.reshaped(node, y, shape);
  }
  if (inner == 1) {
    const Value y = to.operation(node, "matmul", {to.reshaped(node, x, {outer, columns}), m}, "transpose_b = true\n");
    return to.reshaped(node, y, shape);
  }
  const auto exchanged = [&](Value v) { return to.operation(node, "transpose", {v}, "permutation = [0, 2, 1]\n"); };
  const Value last = exchanged(to.reshaped(node, x, {outer, columns, inner}));
  const Value y =
      to.operation(node, "matmul", {to.reshaped(node, last, {outer * inner, columns}), m}, "transpose_b = true\n");
  return to.reshaped(node, exchanged(to.reshaped(node, y, {outer, inner, rows})), shape);
}

Value reduced(Importer& to, const FileNode& node, const char* op, Value x, const Extents& axes, bool keeps) {
  if (axes.empty()) return x;
  return to.operation(node, op, {x}, str("axes = ", toml(axes), "\nkeep = ", truth(keeps), '\n'));
}

}  // namespace chalk::onnx
