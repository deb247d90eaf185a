// What moves numbers: of samples as operations, of vectors of extents when the file is read.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "src/base/text.h"
#include "src/onnx/import.h"

namespace chalk::onnx {
namespace {

/// Whole numbers that must be known.
std::vector<std::int64_t> whole_numbers(Importer& to, const FileNode& node, std::size_t i, const char* what) {
  const auto& known = to.required(node, i, what);
  if (!known.wholes) to.fail(node, str(what, " must be whole numbers"));
  return *known.wholes;
}

/// An operand or, in older versions, the attribute of that name.
Extents axes_of(Importer& to, const FileNode& node, std::int64_t since, const char* key = "axes",
                std::size_t operand = 1) {
  if (to.opset() < since) return to.wholes(node, key);
  return Importer::has(node, operand) ? whole_numbers(to, node, operand, key) : Extents{};
}

/// The operand's numbers with other extents.
Known shaped(const Known& known, Extents extents) {
  Known other = known;
  other.extents = std::move(extents);
  return other;
}

/// For each axis of the sample.
std::string keys_of(const char* first, const Extents& a, const char* second, const Extents& b) {
  return str(first, " = ", toml(a), '\n', second, " = ", toml(b), '\n');
}

std::int64_t product(std::span<const std::int64_t> numbers) {
  std::int64_t all = 1;
  for (const auto number : numbers) all *= number;
  return all;
}

/// [start, stop) of one axis of a value.
Value sliced(Importer& to, const FileNode& node, Value x, std::int64_t axis, std::int64_t start, std::int64_t stop) {
  Extents from(x.shape().size(), 0), until = x.shape();
  from[static_cast<std::size_t>(axis - 1)] = start;
  until[static_cast<std::size_t>(axis - 1)] = stop;
  if (from == Extents(from.size(), 0) && until == x.shape()) return x;
  return to.operation(node, "slice", {x}, keys_of("start", from, "stop", until));
}

/// Elements of a known tensor, in order.
template <class F>
Known picked(const Known& from, Extents extents, std::size_t count, F place) {
  Known to{.extents = std::move(extents)};
  if (from.reals) {
    std::vector<float> numbers;
    for (std::size_t i = 0; i < count; ++i) numbers.push_back((*from.reals)[place(i)]);
    to.reals = std::make_shared<const std::vector<float>>(std::move(numbers));
  } else {
    std::vector<std::int64_t> numbers;
    for (std::size_t i = 0; i < count; ++i) numbers.push_back((*from.wholes)[place(i)]);
    to.wholes = std::make_shared<const std::vector<std::int64_t>>(std::move(numbers));
  }
  return to;
}

}  // namespace

void import_Identity(Importer& to, const FileNode& node) {
  if (const auto* known = to.known(node, 0)) return to.define(node, 0, *known);
  to.define(node, 0, to.value(node, 0));
}

void import_Cast(Importer& to, const FileNode& node) {
  const auto type = static_cast<int>(to.whole(node, "to", 0));
  const auto* known = to.known(node, 0);
  if (!known) {
    if (!is_real(type)) to.fail(node, str("makes samples ", type_name(type), "; a network here computes in float"));
    return to.define(node, 0, to.value(node, 0));
  }
  if (is_real(type) == static_cast<bool>(known->reals)) return to.define(node, 0, *known);
  if (is_real(type)) {
    std::vector<float> numbers;
    for (std::size_t i = 0; i < known->size(); ++i) numbers.push_back(static_cast<float>(known->at(i)));
    return to.define(node, 0, known_reals(known->extents, std::move(numbers)));
  }
  std::vector<std::int64_t> numbers;
  for (std::size_t i = 0; i < known->size(); ++i) {
    const auto number = known->at(i);
    if (!(std::abs(number) < 9e18)) to.fail(node, "has a number that no whole one is near");
    numbers.push_back(static_cast<std::int64_t>(number));
  }
  to.define(node, 0, known_wholes(known->extents, std::move(numbers)));
}

void import_Constant(Importer& to, const FileNode& node) {
  if (node.attributes.size() != 1) to.fail(node, "must have one attribute");
  const auto& value = node.attributes[0];
  if (value.name == "value" && value.tensor) {
    const auto& tensor = *value.tensor;
    if (is_whole(tensor.type)) return to.define(node, 0, known_wholes(tensor.extents, wholes_of(tensor)));
    return to.define(node, 0, known_reals(tensor.extents, reals_of(tensor)));
  }
  if (value.name == "value_int") return to.define(node, 0, known_wholes({}, {value.whole}));
  if (value.name == "value_float") return to.define(node, 0, known_reals({}, {value.real}));
  if (value.name == "value_ints") return to.define(node, 0, known_wholes({std::ssize(value.wholes)}, value.wholes));
  if (value.name == "value_floats") return to.define(node, 0, known_reals({std::ssize(value.reals)}, value.reals));
  to.fail(node, str(value.name, " is no number"));
}

void import_ConstantOfShape(Importer& to, const FileNode& node) {
  const auto extents = whole_numbers(to, node, 0, "the extents");
  std::size_t count = 1;
  for (const auto extent : extents) {
    count *= static_cast<std::size_t>(std::clamp<std::int64_t>(extent, 0, 1 << 21));
    if (extent < 0 || count > (1 << 20)) to.fail(node, "makes more numbers than one would write in a file");
  }
  const auto* value = node.attribute("value");
  if (value && value->tensor && is_whole(value->tensor->type) && value->tensor->size() == 1)
    return to.define(node, 0, known_wholes(extents, std::vector(count, wholes_of(*value->tensor)[0])));
  const auto number = value && value->tensor && value->tensor->size() == 1 ? reals_of(*value->tensor)[0] : 0.0F;
  to.define(node, 0, known_reals(extents, std::vector(count, number)));
}

void import_Shape(Importer& to, const FileNode& node) {
  const auto extents = to.extents(node, 0);
  const auto rank = std::ssize(extents);
  const auto place = [&](const char* key, std::int64_t otherwise) {
    const auto at = to.whole(node, key, otherwise);
    return std::clamp<std::int64_t>(at < 0 ? at + rank : at, 0, rank);
  };
  const auto start = place("start", 0), stop = std::max(start, place("end", rank));
  to.define(node, 0, known_wholes({stop - start}, {extents.begin() + start, extents.begin() + stop}));
}

void import_Reshape(Importer& to, const FileNode& node) {
  auto wanted = whole_numbers(to, node, 1, "the extents");
  const auto extents = to.extents(node, 0);
  const bool keeps = to.whole(node, "allowzero", 0) == 0;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i] != 0 || !keeps) continue;
    if (i >= extents.size()) to.fail(node, "keeps an extent that its operand does not have");
    wanted[i] = extents[i];
  }
  const auto* known = to.known(node, 0);
  const auto all = known ? static_cast<std::int64_t>(known->size()) : product(std::span(extents).subspan(1));
  const auto begin = known ? 0 : 1;
  if (!known) {
    if (wanted.empty()) to.fail(node, "makes one number of a batch of samples");
    // The batch stays in front: as itself, as what is left, or as the number that it had when the file was written.
    const std::span rest = std::span(wanted).subspan(1);
    const bool rest_is_known = std::ranges::none_of(rest, [](std::int64_t extent) { return extent < 0; });
    if (wanted[0] != kBatch && !(rest_is_known && product(rest) == all) && wanted[0] < 1)
      to.fail(node, str("does not keep the samples apart: it makes ", toml(wanted), " of batch × ",
                        to_string(Shape(extents.begin() + 1, extents.end()))));
  }
  std::int64_t left = 1, open = -1;
  for (std::size_t i = static_cast<std::size_t>(begin); i < wanted.size(); ++i) {
    if (wanted[i] == kBatch) to.fail(node, "does not keep the samples apart");
    if (wanted[i] == -1) {
      if (open >= 0) to.fail(node, "leaves two extents open");
      open = static_cast<std::int64_t>(i);
    } else {
      left *= wanted[i];
    }
  }
  if (open >= 0) wanted[static_cast<std::size_t>(open)] = left > 0 ? all / left : 0;
  const Extents shape(wanted.begin() + begin, wanted.end());
  if (product(shape) != all || std::ranges::any_of(shape, [](auto extent) { return extent < 1; }))
    to.fail(node, str("makes ", to_string(shape), " of ", all, " numbers"));
  if (known) return to.define(node, 0, shaped(*known, shape));
  to.define(node, 0, to.reshaped(node, to.value(node, 0), shape));
}

void import_Flatten(Importer& to, const FileNode& node) {
  const Value x = to.value(node, 0);
  const auto axis = to.whole(node, "axis", 1), rank = static_cast<std::int64_t>(x.shape().size()) + 1;
  if ((axis < 0 ? axis + rank : axis) != 1) to.fail(node, "does not keep the samples apart: axis must be 1");
  to.define(node, 0, to.reshaped(node, x, {elements(x.shape())}));
}

void import_Squeeze(Importer& to, const FileNode& node) {
  const auto extents = to.extents(node, 0);
  auto axes = axes_of(to, node, 13);
  const bool is_known = to.known(node, 0) != nullptr;
  if (axes.empty()) {
    for (std::size_t i = 0; i < extents.size(); ++i) {
      if (extents[i] == 1) axes.push_back(static_cast<std::int64_t>(i));
    }
  }
  Extents left;
  for (auto& axis : axes) axis = to.axis(node, axis, extents.size(), !is_known);
  for (std::size_t i = 0; i < extents.size(); ++i) {
    const bool goes = std::ranges::find(axes, static_cast<std::int64_t>(i)) != axes.end();
    if (goes && extents[i] != 1) to.fail(node, str("removes an axis of ", extents[i]));
    if (!goes) left.push_back(extents[i]);
  }
  if (is_known) return to.define(node, 0, shaped(*to.known(node, 0), left));
  to.define(node, 0, to.reshaped(node, to.value(node, 0), Shape(left.begin() + 1, left.end())));
}

void import_Unsqueeze(Importer& to, const FileNode& node) {
  auto extents = to.extents(node, 0);
  auto axes = axes_of(to, node, 13);
  const auto rank = extents.size() + axes.size();
  const bool is_known = to.known(node, 0) != nullptr;
  for (auto& axis : axes) axis = to.axis(node, axis, rank, !is_known);
  std::ranges::sort(axes);
  for (const auto axis : axes) {
    if (axis > std::ssize(extents)) to.fail(node, "its axes repeat");
    extents.insert(extents.begin() + axis, 1);
  }
  if (is_known) return to.define(node, 0, shaped(*to.known(node, 0), extents));
  to.define(node, 0, to.reshaped(node, to.value(node, 0), Shape(extents.begin() + 1, extents.end())));
}

void import_Transpose(Importer& to, const FileNode& node) {
  const auto extents = to.extents(node, 0);
  auto order = to.wholes(node, "perm");
  if (order.empty()) {
    for (auto i = std::ssize(extents); i-- > 0;) order.push_back(i);
  }
  auto sorted = order;
  std::ranges::sort(sorted);
  Extents all(extents.size());
  std::iota(all.begin(), all.end(), 0);
  if (sorted != all) to.fail(node, str("perm is ", toml(order), ", which is no order of ", extents.size(), " axes"));
  if (const auto* known = to.known(node, 0)) {
    Extents made, strides(extents.size(), 1);
    for (auto i = extents.size(); i-- > 1;) strides[i - 1] = strides[i] * extents[i];
    for (const auto axis : order) made.push_back(extents[static_cast<std::size_t>(axis)]);
    auto moved = picked(*known, made, known->size(), [&](std::size_t i) {
      std::int64_t at = 0, rest = static_cast<std::int64_t>(i);
      for (auto d = made.size(); d-- > 0; rest /= made[d])
        at += rest % made[d] * strides[static_cast<std::size_t>(order[d])];
      return static_cast<std::size_t>(at);
    });
    moved.name = known->name;
    return to.define(node, 0, std::move(moved));
  }
  if (order[0] != 0) to.fail(node, "does not keep the samples apart: the batch must stay in front");
  Extents permutation;
  for (std::size_t i = 1; i < order.size(); ++i) permutation.push_back(order[i] - 1);
  to.define(node, 0,
            to.operation(node, "transpose", {to.value(node, 0)}, str("permutation = ", toml(permutation), '\n')));
}

void import_Concat(Importer& to, const FileNode& node) {
  if (node.inputs.empty()) to.fail(node, "has no operand");
  bool all_known = true;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) all_known = all_known && to.known(node, i);
  if (all_known) {
    std::vector<std::int64_t> numbers;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const auto& known = *to.known(node, i);
      if (!known.wholes || known.extents.size() != 1) to.fail(node, "joins tensors of the file that are no extents");
      numbers.insert(numbers.end(), known.wholes->begin(), known.wholes->end());
    }
    return to.define(node, 0, known_wholes({std::ssize(numbers)}, numbers));
  }
  std::vector<Value> values;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    if (to.known(node, i)) to.fail(node, "joins samples and a tensor of the file");
    values.push_back(to.value(node, i));
  }
  const auto axis = to.axis(node, to.whole(node, "axis", 1), values[0].shape().size() + 1);
  if (values.size() == 1) return to.define(node, 0, values[0]);
  to.define(node, 0, to.operation(node, "concat", values, str("axis = ", axis - 1, '\n')));
}

void import_Slice(Importer& to, const FileNode& node) {
  const bool by_operands = to.opset() >= 10;
  const auto numbers = [&](const char* key, std::size_t i) {
    if (!by_operands) return to.wholes(node, key);
    return Importer::has(node, i) ? whole_numbers(to, node, i, key) : Extents{};
  };
  const auto starts = numbers("starts", 1), ends = numbers("ends", 2);
  auto axes = numbers("axes", 3), steps = by_operands ? numbers("steps", 4) : Extents{};
  if (axes.empty()) {
    axes.resize(starts.size());
    std::iota(axes.begin(), axes.end(), 0);
  }
  if (steps.empty()) steps.assign(starts.size(), 1);
  if (ends.size() != starts.size() || axes.size() != starts.size() || steps.size() != starts.size())
    to.fail(node, "has other numbers of starts, ends, axes and steps");
  const auto extents = to.extents(node, 0);
  const auto* known = to.known(node, 0);
  if (known && extents.size() != 1) to.fail(node, "cuts a tensor of the file that is no vector");
  Value value = known ? Value() : to.value(node, 0);
  for (std::size_t i = 0; i < starts.size(); ++i) {
    const auto axis = to.axis(node, axes[i], extents.size(), /*not_batch=*/false);
    const auto extent = extents[static_cast<std::size_t>(axis)];
    if (extent == kBatch) {
      if (starts[i] == 0 && steps[i] == 1 && ends[i] >= std::numeric_limits<std::int32_t>::max()) continue;
      to.fail(node, "takes some of the samples of a batch");
    }
    const auto limited = [&](std::int64_t at) {
      return std::clamp<std::int64_t>(at < 0 ? at + extent : at, 0, extent);
    };
    if (!known && steps[i] == -1 && (starts[i] == -1 || starts[i] >= extent - 1) && ends[i] < -extent) {
      value = to.operation(node, "reverse", {value}, str("axes = [", axis - 1, "]\n"));
      continue;
    }
    if (steps[i] != 1) to.fail(node, str("has a step of ", steps[i]));
    const auto start = limited(starts[i]), stop = limited(ends[i]);
    if (start >= stop && !known) to.fail(node, "leaves nothing over");
    if (!known) {
      value = sliced(to, node, value, axis, start, stop);
      continue;
    }
    const auto count = std::max<std::int64_t>(0, stop - start);
    return to.define(node, 0, picked(*known, {count}, static_cast<std::size_t>(count), [&](std::size_t k) {
                       return static_cast<std::size_t>(start) + k;
                     }));
  }
  if (known) return to.define(node, 0, *known);
  to.define(node, 0, value);
}

void import_Split(Importer& to, const FileNode& node) {
  const Value x = to.value(node, 0);
  const auto axis = to.axis(node, to.whole(node, "axis", 0), x.shape().size() + 1);
  const auto extent = x.shape()[static_cast<std::size_t>(axis - 1)], count = std::ssize(node.outputs);
  auto sizes = axes_of(to, node, 13, "split");
  if (sizes.empty()) {
    const auto each = (extent + count - 1) / count;
    for (std::int64_t i = 0; i < count; ++i) sizes.push_back(std::min(each, extent - i * each));
  }
  if (std::ssize(sizes) != count || std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0}) != extent ||
      std::ranges::any_of(sizes, [](auto size) { return size < 1; }))
    to.fail(node, str("splits ", extent, " into ", toml(sizes)));
  std::int64_t start = 0;
  for (std::size_t i = 0; i < sizes.size(); start += sizes[i++])
    to.define(node, i, sliced(to, node, x, axis, start, start + sizes[i]));
}

void import_Gather(Importer& to, const FileNode& node) {
  const auto& indices = to.required(node, 1, "the places");
  if (!indices.wholes) to.fail(node, "the places must be whole numbers");
  const auto extents = to.extents(node, 0);
  const auto axis = to.axis(node, to.whole(node, "axis", 0), extents.size(), /*not_batch=*/false);
  const auto extent = extents[static_cast<std::size_t>(axis)];
  std::vector<std::int64_t> places = *indices.wholes;
  for (auto& place : places) {
    if (extent != kBatch && place < 0) place += extent;
    if (place < 0 || (extent != kBatch && place >= extent)) to.fail(node, str("place ", place, " of ", extent));
  }
  if (const auto* known = to.known(node, 0)) {
    if (extents.size() != 1) to.fail(node, "takes from a tensor of the file that is no vector");
    return to.define(node, 0, picked(*known, indices.extents, places.size(), [&](std::size_t i) {
                       return static_cast<std::size_t>(places[i]);
                     }));
  }
  if (axis == 0) to.fail(node, "takes some of the samples of a batch");
  const bool in_order = std::ranges::adjacent_find(places, [](auto a, auto b) { return b != a + 1; }) == places.end();
  if (places.empty() || !in_order || indices.extents.size() > 1)
    to.fail(node, "takes places that do not follow each other");
  Value value = sliced(to, node, to.value(node, 0), axis, places.front(), places.back() + 1);
  if (indices.extents.empty()) {
    Shape shape = value.shape();
    shape.erase(shape.begin() + axis - 1);
    value = to.reshaped(node, value, shape);
  }
  to.define(node, 0, value);
}

void import_Expand(Importer& to, const FileNode& node) {
  const auto wanted = whole_numbers(to, node, 1, "the extents");
  const Value x = to.value(node, 0);
  auto extents = Importer::extents_of(x);
  if (wanted.size() > extents.size()) to.fail(node, "gives its operand more axes");
  const auto ahead = extents.size() - wanted.size();
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    auto& extent = extents[ahead + i];
    if (wanted[i] == 1 || wanted[i] == extent || (ahead + i == 0 && x.batched())) continue;
    if (extent != 1 || wanted[i] < 1) to.fail(node, "its extents do not fit its operand");
    extent = wanted[i];
  }
  const Shape shape(extents.begin() + (x.batched() ? 1 : 0), extents.end());
  if (shape == x.shape()) return to.define(node, 0, x);
  to.define(node, 0, to.operation(node, "broadcast", {x}, str("shape = ", toml(shape), '\n')));
}

void import_Pad(Importer& to, const FileNode& node) {
  const Value x = to.value(node, 0);
  const auto mode = to.text(node, "mode", "constant");
  if (mode != "constant") to.fail(node, str("mode is ", mode, "; only constant is read here"));
  auto pads = to.opset() < 11 ? to.wholes(node, "pads") : whole_numbers(to, node, 1, "pads");
  double value = to.opset() < 11 ? to.real(node, "value", 0) : 0;
  if (to.opset() >= 11 && Importer::has(node, 2)) value = to.required(node, 2, "the value").at(0);
  if (value != 0) to.fail(node, str("pads with ", value, "; only zeros are read here"));
  const auto rank = x.shape().size() + 1;
  if (to.opset() >= 18 && Importer::has(node, 3)) {
    const auto axes = whole_numbers(to, node, 3, "axes");
    if (pads.size() != 2 * axes.size()) to.fail(node, "has other numbers of pads and axes");
    Extents all(2 * rank, 0);
    for (std::size_t i = 0; i < axes.size(); ++i) {
      const auto axis = static_cast<std::size_t>(to.axis(node, axes[i], rank, false));
      all[axis] = pads[i];
      all[rank + axis] = pads[axes.size() + i];
    }
    pads = all;
  }
  if (pads.size() != 2 * rank) to.fail(node, str("has ", pads.size(), " pads for ", rank, " axes"));
  if (pads[0] != 0 || pads[rank] != 0) to.fail(node, "pads the batch");
  for (const auto pad : pads) {
    if (pad < 0 || pad > (1 << 20)) to.fail(node, str("pads are ", toml(pads), "; they must not be negative"));
  }
  const Extents before(pads.begin() + 1, pads.begin() + static_cast<std::ptrdiff_t>(rank));
  const Extents after(pads.begin() + static_cast<std::ptrdiff_t>(rank) + 1, pads.end());
  if (before == Extents(before.size(), 0) && after == before) return to.define(node, 0, x);
  to.define(node, 0, to.operation(node, "pad", {x}, keys_of("before", before, "after", after)));
}

namespace {

Value reduced(Importer& to, const FileNode& node, const char* op, std::int64_t since, Value x) {
  auto axes = axes_of(to, node, since);
  const auto rank = x.shape().size() + 1;
  if (axes.empty() && to.whole(node, "noop_with_empty_axes", 0) != 0) return x;
  if (axes.empty()) to.fail(node, "goes over the samples of a batch, too");
  Extents of_sample;
  for (const auto axis : axes) of_sample.push_back(to.axis(node, axis, rank) - 1);
  std::ranges::sort(of_sample);
  const bool keeps = to.whole(node, "keepdims", 1) != 0;
  return to.operation(node, op, {x}, str("axes = ", toml(of_sample), "\nkeep = ", truth(keeps), '\n'));
}

/// Along an axis; before version 13, of all axes from that one on together.
void softmax(Importer& to, const FileNode& node, const char* op) {
  const Value x = to.value(node, 0);
  const auto rank = x.shape().size() + 1;
  const bool together = to.opset() < 13;
  const auto axis = to.axis(node, to.whole(node, "axis", together ? 1 : -1), rank);
  if (!together || axis + 1 == static_cast<std::int64_t>(rank))
    return to.define(node, 0, to.operation(node, op, {x}, str("axis = ", axis - 1, '\n')));
  if (axis != 1) to.fail(node, "takes several axes together, but not all of a sample");
  const Value flat = to.reshaped(node, x, {elements(x.shape())});
  to.define(node, 0, to.reshaped(node, to.operation(node, op, {flat}), x.shape()));
}

}  // namespace

void import_ReduceMean(Importer& to, const FileNode& node) {
  to.define(node, 0, reduced(to, node, "mean", 18, to.value(node, 0)));
}
void import_ReduceSum(Importer& to, const FileNode& node) {
  to.define(node, 0, reduced(to, node, "sum", 13, to.value(node, 0)));
}
void import_ReduceMax(Importer& to, const FileNode& node) {
  to.define(node, 0, reduced(to, node, "max", 18, to.value(node, 0)));
}
void import_ReduceMin(Importer& to, const FileNode& node) {
  const Value most = reduced(to, node, "max", 18, to.operation(node, "neg", {to.value(node, 0)}));
  to.define(node, 0, to.operation(node, "neg", {most}));
}
void import_Softmax(Importer& to, const FileNode& node) { softmax(to, node, "softmax"); }
void import_LogSoftmax(Importer& to, const FileNode& node) { softmax(to, node, "log_softmax"); }

void import_Resize(Importer& to, const FileNode& node) {
  const Value x = to.value(node, 0);
  const auto rank = x.shape().size() + 1;
  if (rank != 4) to.fail(node, "its operand must be channels × rows × columns");
  const std::size_t scales = node.op == "Upsample" || to.opset() < 11 ? 1 : 2;
  Extents factors;
  if (Importer::has(node, 3) && scales == 2) {
    const auto sizes = whole_numbers(to, node, 3, "sizes");
    if (sizes.size() != rank) to.fail(node, "has sizes for other axes");
    for (std::size_t d = 2; d < rank; ++d) {
      const auto extent = x.shape()[d - 1];
      if (sizes[d] < extent || sizes[d] % extent != 0)
        to.fail(node, str("makes ", sizes[d], " of ", extent, "; only whole factors are read here"));
      factors.push_back(sizes[d] / extent);
    }
    if (sizes[1] != x.shape()[0]) to.fail(node, "changes the number of channels");
  } else {
    const auto attribute = node.attribute("scales");
    const auto known = Importer::has(node, scales)
                           ? to.required(node, scales, "scales")
                           : known_reals({}, attribute ? attribute->reals : std::vector<float>());
    if (known.size() != rank || known.at(0) != 1 || known.at(1) != 1) to.fail(node, "scales the batch or the channels");
    for (std::size_t d = 2; d < rank; ++d) {
      const auto factor = known.at(d);
      if (factor < 1 || factor > 1024 || factor != std::floor(factor))
        to.fail(node, str("has the scale ", factor, "; only whole factors are read here"));
      factors.push_back(static_cast<std::int64_t>(factor));
    }
  }
  const auto mode = to.text(node, "mode", "nearest");
  const auto places = to.text(node, "coordinate_transformation_mode", scales == 1 ? "asymmetric" : "half_pixel");
  const auto nearest = to.text(node, "nearest_mode", scales == 1 ? "floor" : "round_prefer_floor");
  const bool repeats = mode == "nearest" && ((places == "asymmetric" && nearest == "floor") ||
                                             (places == "half_pixel" && nearest.starts_with("round_prefer")));
  const bool interpolates =
      (mode == "linear" || mode == "bilinear") && (places == "half_pixel" || places == "pytorch_half_pixel");
  if (!repeats && !interpolates)
    to.fail(node, str("mode ", mode, " with ", places, " and ", nearest, " is not read here"));
  to.define(node, 0,
            to.layer(node, "\"upsample\"", {x},
                     str("factor = ", toml(factors), "\nmode = \"", repeats ? "nearest" : "bilinear", "\"\n")));
}

void import_Upsample(Importer& to, const FileNode& node) { import_Resize(to, node); }

}  // namespace chalk::onnx
