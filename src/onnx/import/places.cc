// What takes elements of one operand, or repeats them.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <limits>
#include <numeric>

#include "src/base/text.h"
#include "src/base/wording.h"
#include "src/onnx/import/moves.h"

namespace chalk::onnx {

void import_Slice(Importer& to, const FileNode& node) {
  const bool by_operands = to.opset() >= 10;
  const auto numbers = [&](const char* key, std::size_t i) {
    if (!by_operands) return to.wholes(node, key);
    return Importer::has(node, i) ? whole_numbers(to, node, i, key) : Extents{};
  };
  const auto starts = numbers("starts", 1), ends = numbers("ends", 2);
  auto axes = numbers("axes", 3), steps = by_operands ? numbers("steps", 4) : Extents{};
  if (axes.empty()) axes = places_from(0, 1, std::ssize(starts));
  if (steps.empty()) steps.assign(starts.size(), 1);
  if (ends.size() != starts.size() || axes.size() != starts.size() || steps.size() != starts.size())
    to.fail(node, "has other numbers of starts, ends, axes and steps");
  auto [known, value, extents] = operand(to, node);
  Known part = known ? *known : Known();
  for (std::size_t i = 0; i < starts.size(); ++i) {
    const auto axis = to.axis(node, axes[i], extents.size());
    const auto extent = extents[static_cast<std::size_t>(axis)], step = steps[i];
    if (step == 0) to.fail(node, "has a step of 0");
    if (extent == kBatch) {
      if (starts[i] == 0 && step == 1 && ends[i] >= std::numeric_limits<std::int32_t>::max()) continue;
      to.fail(node, "takes some of the samples of a batch");
    }
    const auto limited = [&](std::int64_t at, std::int64_t low, std::int64_t high) {
      return std::clamp<std::int64_t>(at < 0 ? std::max<std::int64_t>(at, -extent - 1) + extent : at, low, high);
    };
    const auto start = step > 0 ? limited(starts[i], 0, extent) : limited(starts[i], 0, extent - 1);
    const auto stop = step > 0 ? limited(ends[i], 0, extent) : limited(ends[i], -1, extent - 1);
    const auto reach = step > 0 ? stop - start : start - stop, stride = std::abs(std::clamp(step, -extent, extent));
    const auto count = extent == 0 ? 0 : std::max<std::int64_t>(0, (reach + stride - 1) / stride);
    const auto places = places_from(start, std::clamp(step, -extent, extent), count);
    if (known) {
      part = taken(part, axis, places);
    } else {
      value = taken(to, node, value, axis - static_cast<std::int64_t>(to.lead(value)), places);
    }
  }
  if (known) return to.define(node, 0, std::move(part));
  to.define(node, 0, value);
}

void import_Split(Importer& to, const FileNode& node) {
  const auto x = operand(to, node);
  const auto axis = x.known ? to.axis(node, to.whole(node, "axis", 0), x.extents.size())
                            : to.axis(node, to.whole(node, "axis", 0), x.value);
  const auto first = x.known ? 0 : static_cast<std::int64_t>(to.lead(x.value));
  const auto extent = x.extents[static_cast<std::size_t>(axis + first)], count = std::ssize(node.outputs);
  auto sizes = axes_of(to, node, 13, "split");
  if (sizes.empty()) {
    const auto each = (extent + count - 1) / count;
    for (std::int64_t i = 0; i < count; ++i) sizes.push_back(std::min(each, extent - i * each));
  }
  if (std::ssize(sizes) != count || std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0}) != extent ||
      std::ranges::any_of(sizes, [](auto size) { return size < 0; }))
    to.fail(node, str("splits ", extent, " into ", in_brief(toml(sizes))));
  std::int64_t start = 0;
  for (std::size_t i = 0; i < sizes.size(); start += sizes[i++]) {
    const auto places = places_from(start, 1, sizes[i]);
    if (x.known) {
      to.define(node, i, taken(*x.known, axis, places));
    } else {
      to.define(node, i, taken(to, node, x.value, axis, places));
    }
  }
}

void import_Gather(Importer& to, const FileNode& node) {
  const auto& indices = to.required(node, 1, "the places");
  if (!indices.wholes) to.fail(node, "the places must be whole numbers");
  const auto x = operand(to, node);
  const auto axis = to.axis(node, to.whole(node, "axis", 0), x.extents.size());
  const auto extent = x.extents[static_cast<std::size_t>(axis)];
  std::vector<std::int64_t> places = *indices.wholes;
  for (auto& place : places) {
    if (extent != kBatch && place < 0) place += extent;
    if (place < 0 || (extent != kBatch && place >= extent)) to.fail(node, str("place ", place, " of ", extent));
  }
  if (extent == kBatch) to.fail(node, "takes some of the samples of a batch");
  auto extents = x.extents;
  extents.erase(extents.begin() + axis);
  extents.insert(extents.begin() + axis, indices.extents.begin(), indices.extents.end());
  if (x.known) return to.define(node, 0, shaped(taken(*x.known, axis, places), extents));
  const Value value = taken(to, node, x.value, axis - static_cast<std::int64_t>(to.lead(x.value)), places);
  to.define(node, 0, to.reshaped(node, value, of_sample(to, node, x.value, extents)));
}

/// Slices at places of the first axes, as PyTorch writes adaptive pooling, with the batch behind them.
void import_GatherND(Importer& to, const FileNode& node) {
  const auto& indices = to.required(node, 1, "the places");
  if (!indices.wholes || indices.extents.empty() || to.whole(node, "batch_dims", 0) != 0)
    to.fail(node, "takes slices in another way than by whole numbers of the file");
  const auto* displaced = to.displaced(node, 0);
  const Value x = displaced ? displaced->value : to.value(node, 0);
  if (!displaced && to.lead(x) == 1) to.fail(node, "takes some of the samples of a batch");
  const auto depth = static_cast<std::size_t>(indices.extents.back());
  if (depth < 1 || depth > x.shape().size() || (displaced && std::ssize(x.shape()) < displaced->batch_at) ||
      (displaced && displaced->batch_at < indices.extents.back()))
    to.fail(node, str("has ", depth, " numbers for each place"));
  const std::span all(x.shape());
  Extents places, extents(indices.extents.begin(), indices.extents.end() - 1);
  for (std::size_t i = 0; i < indices.size(); i += depth) {
    std::int64_t place = 0;
    for (std::size_t d = 0; d < depth; ++d) {
      auto at = (*indices.wholes)[i + d];
      if (at < 0) at += all[d];
      if (at < 0 || at >= all[d]) to.fail(node, str("place ", at, " of ", all[d]));
      place = place * all[d] + at;
    }
    places.push_back(place);
  }
  const auto before = std::ssize(extents);
  extents.insert(extents.end(), all.begin() + indices.extents.back(), all.end());
  const Value rows = to.reshaped(node, x, {product(all.first(depth)), product(all.subspan(depth))});
  const Value y = to.reshaped(node, taken(to, node, rows, 0, places), extents);
  if (!displaced) return to.define(node, 0, y);
  to.displace(node, {y, before + displaced->batch_at - indices.extents.back()});
}

/// The elements along an axis at places that differ for each row: chosen one place after the other.
void import_GatherElements(Importer& to, const FileNode& node) {
  const auto& indices = to.required(node, 1, "the places");
  if (!indices.wholes) to.fail(node, "the places must be whole numbers");
  Value x = to.value(node, 0);
  if (to.lead(x) == 1) to.fail(node, "takes other places for each of the samples");
  const auto axis = to.axis(node, to.whole(node, "axis", 0), x);
  if (indices.extents.size() != x.shape().size()) to.fail(node, "the places have other axes");
  for (std::size_t d = 0; d < indices.extents.size(); ++d) {  // other axes may be cut short
    if (static_cast<std::int64_t>(d) != axis && indices.extents[d] < x.shape()[d])
      x = taken(to, node, x, static_cast<std::int64_t>(d), places_from(0, 1, indices.extents[d]));
  }
  const auto extent = x.shape()[static_cast<std::size_t>(axis)];
  std::vector<Value> pieces;
  for (std::int64_t i = 0; i < indices.extents[static_cast<std::size_t>(axis)]; ++i) {
    const auto row = taken(indices, axis, {i});
    std::vector<float> chosen(room_for(x.shape()));
    const auto inner =
        static_cast<std::size_t>(product(std::span(x.shape()).subspan(static_cast<std::size_t>(axis) + 1)));
    for (std::size_t k = 0; k < row.size(); ++k) {
      auto place = (*row.wholes)[k];
      if (place < 0) place += extent;
      if (place < 0 || place >= extent) to.fail(node, str("place ", place, " of ", extent));
      const auto outer = k / inner, rest = k % inner;
      chosen[(outer * static_cast<std::size_t>(extent) + static_cast<std::size_t>(place)) * inner + rest] = 1;
    }
    const Value one = to.fixed("chosen", x.shape(), std::move(chosen));
    pieces.push_back(reduced(to, node, "sum", to.operation(node, "select", {one, x, to.number(0)}), {axis}));
  }
  if (pieces.empty()) to.fail(node, "leaves nothing over");
  to.define(node, 0, pieces.size() == 1 ? pieces[0] : to.operation(node, "concat", pieces, str("axis = ", axis, '\n')));
}

void import_Tile(Importer& to, const FileNode& node) {
  const auto repeats = whole_numbers(to, node, 1, "the repeats");
  auto [known, x, extents] = operand(to, node);
  if (repeats.size() != extents.size()) to.fail(node, "has other numbers of repeats and axes");
  Known part = known ? *known : Known();
  for (std::size_t d = 0; d < repeats.size(); ++d) {
    if (repeats[d] == 1) continue;
    if (extents[d] == kBatch) to.fail(node, "repeats the samples of a batch");
    if (repeats[d] < 0 || (extents[d] > 0 && repeats[d] > (1 << 20) / extents[d])) to.fail(node, "repeats too often");
    Extents places;
    for (std::int64_t i = 0; i < repeats[d]; ++i) {
      for (std::int64_t k = 0; k < extents[d]; ++k) places.push_back(k);
    }
    const auto axis = static_cast<std::int64_t>(d);
    if (known) {
      part = taken(part, axis, places);
    } else {
      x = taken(to, node, x, axis - static_cast<std::int64_t>(to.lead(x)), places);
    }
  }
  if (known) return to.define(node, 0, std::move(part));
  to.define(node, 0, x);
}

namespace {

/// Blocks of rows and columns out of channels, or the other way round.
struct Blocks {
  Value x;
  std::int64_t size, channels, rows, columns;
};
Blocks blocks(Importer& to, const FileNode& node) {
  const Value x = to.samples(node, "channels × rows × columns");
  const auto size = to.whole(node, "blocksize", 0);
  if (x.shape().size() != 3 || size < 1 || size > 1024)
    to.fail(node, str("makes blocks of ", size, " of ", to_string(x.shape())));
  return {x, size, x.shape()[0], x.shape()[1], x.shape()[2]};
}

Value permuted(Importer& to, const FileNode& node, Value x, const Shape& apart, const char* order, const Shape& made) {
  const Value moved =
      to.operation(node, "transpose", {to.reshaped(node, x, apart)}, str("permutation = ", order, '\n'));
  return to.reshaped(node, moved, made);
}

}  // namespace

void import_DepthToSpace(Importer& to, const FileNode& node) {
  const auto [x, size, channels, rows, columns] = blocks(to, node);
  if (channels % (size * size) != 0) to.fail(node, str("makes blocks of ", size, " of ", channels, " channels"));
  const auto left = channels / (size * size);
  const bool depth_first = to.text(node, "mode", "DCR") == "DCR";
  const Shape apart = depth_first ? Shape{size, size, left, rows, columns} : Shape{left, size, size, rows, columns};
  to.define(node, 0,
            permuted(to, node, x, apart, depth_first ? "[2, 3, 0, 4, 1]" : "[0, 3, 1, 4, 2]",
                     {left, rows * size, columns * size}));
}

void import_SpaceToDepth(Importer& to, const FileNode& node) {
  const auto [x, size, channels, rows, columns] = blocks(to, node);
  if (rows % size != 0 || columns % size != 0) to.fail(node, str("its maps are no multiple of ", size));
  const bool depth_first = to.text(node, "mode", "DCR") == "DCR";
  to.define(node, 0,
            permuted(to, node, x, {channels, rows / size, size, columns / size, size},
                     depth_first ? "[2, 4, 0, 1, 3]" : "[0, 2, 4, 1, 3]",
                     {channels * size * size, rows / size, columns / size}));
}

void import_Expand(Importer& to, const FileNode& node) {
  const auto wanted = whole_numbers(to, node, 1, "the extents");
  auto [known, x, extents] = operand(to, node);
  const bool has_batch = !known && to.lead(x) == 1;
  if (wanted.size() > extents.size()) {
    if (has_batch) to.fail(node, "gives its operand more axes");
    extents.insert(extents.begin(), wanted.size() - extents.size(), 1);
  }
  const auto before = extents;
  const auto ahead = extents.size() - wanted.size();
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    auto& extent = extents[ahead + i];
    const bool is_batch = ahead + i == 0 && has_batch;
    if (wanted[i] == 1 || wanted[i] == extent || (is_batch && wanted[i] == to.batch())) continue;
    if (is_batch) to.fail(node, "repeats the samples of a batch");
    if (extent != 1 || wanted[i] < 0) to.fail(node, "its extents do not fit its operand");
    extent = wanted[i];
  }
  if (known) {
    Known y = shaped(*known, before);
    for (std::size_t d = 0; d < extents.size(); ++d) {
      if (extents[d] != before[d]) y = taken(y, static_cast<std::int64_t>(d), places_from(0, 0, extents[d]));
    }
    return to.define(node, 0, std::move(y));
  }
  const Shape shape = of_sample(to, node, x, extents);
  if (shape == x.shape()) return to.define(node, 0, x);
  to.define(node, 0, to.operation(node, "broadcast", {x}, str("shape = ", toml(shape), '\n')));
}

namespace {

/// Which place of an axis a padded place shows.
std::int64_t shown(std::int64_t place, std::int64_t extent, std::string_view mode) {
  if (mode == "edge") return std::clamp<std::int64_t>(place, 0, extent - 1);
  if (mode == "wrap") return ((place % extent) + extent) % extent;
  if (extent == 1) return 0;
  const auto period = 2 * (extent - 1), at = ((place % period) + period) % period;
  return at < extent ? at : period - at;
}

}  // namespace

void import_Pad(Importer& to, const FileNode& node) {
  Value x = to.value(node, 0);
  const auto mode = to.text(node, "mode", "constant");
  if (mode != "constant" && mode != "edge" && mode != "reflect" && mode != "wrap") to.fail(node, str("mode is ", mode));
  auto pads = to.opset() < 11 ? to.wholes(node, "pads") : whole_numbers(to, node, 1, "pads");
  double value = to.opset() < 11 ? to.real(node, "value", 0) : 0;
  if (to.opset() >= 11 && Importer::has(node, 2)) value = to.required_number(node, 2, "the value");
  const auto first = to.lead(x), rank = x.shape().size() + first;
  if (to.opset() >= 18 && Importer::has(node, 3)) {
    const auto axes = whole_numbers(to, node, 3, "axes");
    if (pads.size() != 2 * axes.size()) to.fail(node, "has other numbers of pads and axes");
    Extents all(2 * rank, 0);
    for (std::size_t i = 0; i < axes.size(); ++i) {
      const auto axis = static_cast<std::size_t>(to.axis(node, axes[i], rank));
      all[axis] = pads[i];
      all[rank + axis] = pads[axes.size() + i];
    }
    pads = all;
  }
  if (pads.size() != 2 * rank) to.fail(node, str("has ", pads.size(), " pads for ", rank, " axes"));
  if (first == 1 && (pads[0] != 0 || pads[rank] != 0)) to.fail(node, "pads the batch");
  for (const auto pad : pads) {
    if (pad < -(1 << 20) || pad > (1 << 20)) to.fail(node, str("pads are ", in_brief(toml(pads))));
  }
  Extents before(x.shape().size()), after = before;
  for (std::size_t d = 0; d < before.size(); ++d) {
    const auto extent = x.shape()[d], low = pads[d + first], high = pads[rank + d + first];
    if (low == 0 && high == 0) continue;
    if (mode != "constant" || low < 0 || high < 0) {  // what is cut off, and what shows elements again
      Extents places;
      places.reserve(room_for(std::array{extent + std::abs(low) + std::abs(high)}));
      const bool constant = mode == "constant";
      for (auto i = constant ? std::max<std::int64_t>(0, -low) : -low;
           i < extent + (constant ? std::min<std::int64_t>(0, high) : high); ++i)
        places.push_back(shown(i, extent, mode));
      x = taken(to, node, x, static_cast<std::int64_t>(d), places);
      if (!constant) continue;
    }
    before[d] = std::max<std::int64_t>(0, low);
    after[d] = std::max<std::int64_t>(0, high);
  }
  const Extents none(before.size(), 0);
  if (before == none && after == none) return to.define(node, 0, x);
  Value y = to.operation(node, "pad", {x}, keys_of("before", before, "after", after));
  if (value != 0) {  // zeros and ones say where the padding is
    const Value ones = to.fixed("inside", x.shape(), std::vector(room_for(x.shape()), 1.0F));
    const Value inside = to.operation(node, "pad", {ones}, keys_of("before", before, "after", after));
    y = to.operation(node, "select", {inside, y, to.number(value)});
  }
  to.define(node, 0, y);
}

}  // namespace chalk::onnx
