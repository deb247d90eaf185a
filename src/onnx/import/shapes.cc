// What moves numbers: of samples as operations, of vectors of extents when the file is read.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include "src/base/text.h"
#include "src/base/wording.h"
#include "src/onnx/import.h"
#include "src/onnx/import/moves.h"

namespace chalk::onnx {
namespace {

/// Elements of a known tensor, in order.
template <class F>
Known picked(const Known& from, Extents extents, std::size_t count, F place) {
  Known to{.extents = std::move(extents)};
  if (const auto* number = from.reals.repeated()) {
    to.reals = Reals(count, *number);
  } else if (from.reals) {
    std::vector<float> numbers;
    for (std::size_t i = 0; i < count; ++i) numbers.push_back((*from.reals)[place(i)]);
    to.reals = Reals(std::move(numbers));
  } else {
    std::vector<std::int64_t> numbers;
    for (std::size_t i = 0; i < count; ++i) numbers.push_back((*from.wholes)[place(i)]);
    to.wholes = std::make_shared<const std::vector<std::int64_t>>(std::move(numbers));
  }
  return to;
}

/// Types that stand for float here.
bool is_computed(int type) {
  constexpr int kFloat = 1, kHalf = 10, kDouble = 11, kBrain = 16;
  return type == kFloat || type == kHalf || type == kDouble || type == kBrain;
}

/// The same elements with other extents.
void reshape(Importer& to, const FileNode& node, const Operand& x, const Extents& extents) {
  if (x.known) return to.define(node, 0, shaped(*x.known, extents));
  to.define(node, 0, to.reshaped(node, x.value, of_sample(to, node, x.value, extents)));
}

}  // namespace

/// Of which the file knows the condition: the other branch is not in the network.
void import_If(Importer& to, const FileNode& node) {
  const auto& condition = to.required(node, 0, "the condition");
  const auto* branch = node.attribute(condition.size() > 0 && condition.at(0) != 0 ? "then_branch" : "else_branch");
  if (!branch || !branch->graph) to.fail(node, "has no graph for its condition");
  to.import_graph(node, *branch->graph);
}

void import_Identity(Importer& to, const FileNode& node) {
  if (const auto* known = to.known(node, 0)) return to.define(node, 0, *known);
  to.define(node, 0, to.value(node, 0));
}

namespace {

void cast(Importer& to, const FileNode& node, int type) {
  constexpr int kBool = 9;
  const auto* known = to.known(node, 0);
  if ((!is_whole(type) && !is_computed(type)) || (!known && !is_computed(type) && type != kBool))
    to.fail(node, str("makes ", type_name(type), " of its operand; a network here computes in float"));
  if (!known && type == kBool) {
    const Value is_zero = to.operation(node, "equal", {to.value(node, 0), to.number(0)});
    return to.define(node, 0, to.operation(node, "sub", {to.number(1), is_zero}));
  }
  if (!known) return to.define(node, 0, to.value(node, 0));
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
    numbers.push_back(type == kBool ? (number == 0 ? 0 : 1) : static_cast<std::int64_t>(number));
  }
  to.define(node, 0, known_wholes(known->extents, std::move(numbers)));
}

}  // namespace

void import_Cast(Importer& to, const FileNode& node) { cast(to, node, static_cast<int>(to.whole(node, "to", 0))); }

void import_CastLike(Importer& to, const FileNode& node) {
  constexpr int kFloat = 1, kLong = 7;
  const auto* like = to.known(node, 1);
  const auto type = like ? like->type : kFloat;
  cast(to, node, type == 0 ? (like->reals ? kFloat : kLong) : type);
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
  const auto* value = node.attribute("value");
  const auto* tensor = value && value->tensor && value->tensor->size() == 1 ? &*value->tensor : nullptr;
  const bool of_wholes = tensor && is_whole(tensor->type);
  const auto count = product(extents), most = of_wholes ? static_cast<std::int64_t>(kMostFolded) : kMostParameters;
  if (std::ranges::find(extents, kBatch) != extents.end()) to.fail(node, "takes the number of samples, which is open");
  if (count > most || std::ranges::any_of(extents, [&](std::int64_t extent) { return extent < 0 || extent > most; }))
    to.fail(node,
            str("makes more than ", grouped(static_cast<std::uint64_t>(most)), " numbers; export a smaller model"));
  if (of_wholes)
    return to.define(node, 0,
                     known_wholes(extents, std::vector(static_cast<std::size_t>(count), wholes_of(*tensor)[0])));
  const auto number = tensor ? reals_of(*tensor)[0] : 0.0F;
  to.define(node, 0, count > 0 ? known_repeated(extents, number) : known_reals(extents, {}));
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
  const auto x = operand(to, node);
  const std::size_t first = x.known ? 0 : to.lead(x.value);
  const auto all = product(std::span(extents).subspan(first));
  if (first == 1) {
    if (wanted.empty()) to.fail(node, "makes one number of a batch of samples");
    // The batch stays in front: as itself, as what is left, or as the number that it had when the file was written.
    const std::span rest = std::span(wanted).subspan(1);
    const bool rest_is_known = std::ranges::none_of(rest, [](std::int64_t extent) { return extent < 0; });
    if (wanted[0] != kBatch && !(rest_is_known && product(rest) == all) && wanted[0] < 1)
      to.fail(node, str("does not keep the samples apart: it makes ", in_brief(toml(wanted)), " of batch × ",
                        in_brief(to_string(Shape(extents.begin() + 1, extents.end())))));
  }
  std::int64_t left = 1, open = -1;
  for (std::size_t i = first; i < wanted.size(); ++i) {
    if (wanted[i] == kBatch) to.fail(node, "does not keep the samples apart");
    if (wanted[i] == -1) {
      if (open >= 0) to.fail(node, "leaves two extents open");
      open = static_cast<std::int64_t>(i);
    } else if (__builtin_mul_overflow(left, wanted[i], &left)) {
      to.fail(node, str("makes ", in_brief(toml(wanted)), " of ", all, " numbers"));
    }
  }
  if (open >= 0) wanted[static_cast<std::size_t>(open)] = left > 0 ? all / left : 0;
  const Extents shape(wanted.begin() + static_cast<std::ptrdiff_t>(first), wanted.end());
  if (product(shape) != all || std::ranges::any_of(shape, [](auto extent) { return extent < 0; }))
    to.fail(node, str("makes ", in_brief(to_string(shape)), " of ", all, " numbers"));
  if (first == 1) wanted[0] = kBatch;
  reshape(to, node, x, wanted);
}

void import_Flatten(Importer& to, const FileNode& node) {
  const auto x = operand(to, node);
  auto axis = to.whole(node, "axis", 1);
  const auto rank = std::ssize(x.extents);
  if (axis < 0) axis += rank;
  if (axis < 0 || axis > rank) to.fail(node, str("axis is ", axis, " of ", rank));
  const std::span all(x.extents);
  const auto split = static_cast<std::size_t>(axis);
  if (!x.known && to.lead(x.value) == 1) {
    if (axis != 1) to.fail(node, "does not keep the samples apart: axis must be 1");
    return reshape(to, node, x, {kBatch, product(all.subspan(1))});
  }
  reshape(to, node, x, {product(all.first(split)), product(all.subspan(split))});
}

void import_Squeeze(Importer& to, const FileNode& node) {
  const auto x = operand(to, node);
  const auto& extents = x.extents;
  auto axes = axes_of(to, node, 13);
  if (axes.empty()) {
    for (std::size_t i = 0; i < extents.size(); ++i) {
      if (extents[i] == 1) axes.push_back(static_cast<std::int64_t>(i));
    }
  }
  Extents left;
  for (auto& axis : axes) axis = to.axis(node, axis, extents.size());
  for (std::size_t i = 0; i < extents.size(); ++i) {
    const bool goes = std::ranges::find(axes, static_cast<std::int64_t>(i)) != axes.end();
    if (goes && extents[i] != 1)
      to.fail(node, extents[i] == kBatch ? "removes the batch's axis" : str("removes an axis of ", extents[i]));
    if (!goes) left.push_back(extents[i]);
  }
  reshape(to, node, x, left);
}

void import_Unsqueeze(Importer& to, const FileNode& node) {
  const auto x = operand(to, node);
  auto extents = x.extents;
  auto axes = axes_of(to, node, 13);
  const auto rank = extents.size() + axes.size();
  for (auto& axis : axes) axis = to.axis(node, axis, rank);
  std::ranges::sort(axes);
  for (const auto axis : axes) {
    if (axis > std::ssize(extents)) to.fail(node, "its axes repeat");
    extents.insert(extents.begin() + axis, 1);
  }
  reshape(to, node, x, extents);
}

void import_Transpose(Importer& to, const FileNode& node) {
  const auto* displaced = to.displaced(node, 0);
  const auto rank = displaced ? displaced->value.shape().size() + 1 : to.extents(node, 0).size();
  auto order = to.wholes(node, "perm");
  if (order.empty()) {
    for (auto i = static_cast<std::int64_t>(rank); i-- > 0;) order.push_back(i);
  }
  auto sorted = order;
  std::ranges::sort(sorted);
  if (sorted != places_from(0, 1, static_cast<std::int64_t>(rank)))
    to.fail(node, str("perm is ", in_brief(toml(order)), ", which is no order of ", rank, " axes"));
  if (const auto* known = displaced ? nullptr : to.known(node, 0)) {
    const auto& extents = known->extents;
    Extents made, strides(rank, 1);
    for (auto i = rank; i-- > 1;) strides[i - 1] = strides[i] * extents[i];
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
  // The batch's axis is none of the value's; it may be elsewhere until another transposition brings it back.
  const Value x = displaced ? displaced->value : to.value(node, 0);
  const bool has_batch = displaced || to.lead(x) == 1;
  const auto batch_at = displaced ? displaced->batch_at : 0;
  Extents permutation;
  for (const auto axis : order) {
    if (!has_batch || axis != batch_at) permutation.push_back(axis - (has_batch && axis > batch_at ? 1 : 0));
  }
  const Value y = std::ranges::is_sorted(permutation)
                      ? x
                      : to.operation(node, "transpose", {x}, str("permutation = ", toml(permutation), '\n'));
  if (!has_batch) return to.define(node, 0, y);
  to.displace(node, {y, std::ranges::find(order, batch_at) - order.begin()});
}

void import_Concat(Importer& to, const FileNode& node) {
  if (node.inputs.empty()) to.fail(node, "has no operand");
  bool all_known = true;
  std::size_t sample = 0;  // one that is not known
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    if (!to.known(node, i)) sample = i;
    all_known = all_known && to.known(node, i);
  }
  const auto wanted = to.whole(node, "axis", 1);
  if (all_known) {
    const auto& first = *to.known(node, 0);
    const auto axis = static_cast<std::size_t>(to.axis(node, wanted, first.extents.size()));
    Extents extents = first.extents;
    extents[axis] = 0;
    std::vector<const Known*> parts;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const auto& part = *to.known(node, i);
      Extents others = part.extents;
      if (others.size() == extents.size()) others[axis] = extents[axis];
      if (others != extents || static_cast<bool>(part.reals) != static_cast<bool>(first.reals))
        to.fail(node, "joins tensors that do not fit each other");
      extents[axis] += part.extents[axis];
      if (part.size() > 0) parts.push_back(&part);
    }
    const auto size = room_for(extents);
    const auto inner = product(std::span(extents).subspan(axis + 1));
    std::vector<float> reals;
    std::vector<std::int64_t> wholes;
    for (std::size_t outer = 0; reals.size() + wholes.size() < size; ++outer) {
      for (const auto* part : parts) {
        const auto block = static_cast<std::size_t>(part->extents[axis] * inner);
        for (std::size_t k = outer * block; k < (outer + 1) * block; ++k)
          first.reals ? reals.push_back(part->reals.at(k)) : wholes.push_back((*part->wholes)[k]);
      }
    }
    return to.define(node, 0,
                     first.reals ? known_reals(extents, std::move(reals)) : known_wholes(extents, std::move(wholes)));
  }
  const Value x = to.value(node, sample);
  if (to.lead(x) == 1) {
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      if (to.known(node, i)) to.fail(node, "joins samples and a tensor of the file");
    }
  }
  const auto axis = to.axis(node, wanted, x);
  std::vector<Value> values;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) values.push_back(to.value(node, i));
  if (values.size() == 1) return to.define(node, 0, values[0]);
  to.define(node, 0, to.operation(node, "concat", values, str("axis = ", axis, '\n')));
}

void import_Size(Importer& to, const FileNode& node) {
  const auto extents = to.extents(node, 0);
  if (!extents.empty() && extents[0] == kBatch) to.fail(node, "counts the numbers of all samples");
  to.define(node, 0, known_wholes({}, {product(extents)}));
}

void import_Range(Importer& to, const FileNode& node) {
  const auto start = to.required_number(node, 0, "the start"), limit = to.required_number(node, 1, "the limit"),
             step = to.required_number(node, 2, "the step"), count = std::ceil((limit - start) / step);
  const bool of_wholes = to.known(node, 0)->wholes != nullptr;
  if (step == 0 || !(count < (1 << 20))) to.fail(node, "makes more numbers than one would write in a file");
  std::vector<std::int64_t> wholes;
  std::vector<float> reals;
  for (int i = 0; i < static_cast<int>(count); ++i) {
    const auto value = start + i * step;
    of_wholes ? wholes.push_back(static_cast<std::int64_t>(value)) : reals.push_back(static_cast<float>(value));
  }
  const Extents extents{std::ssize(wholes) + std::ssize(reals)};
  to.define(node, 0, of_wholes ? known_wholes(extents, std::move(wholes)) : known_reals(extents, std::move(reals)));
}

void import_OneHot(Importer& to, const FileNode& node) {
  const auto &indices = to.required(node, 0, "the classes"), &values = to.required(node, 2, "the values");
  const auto depth = to.required_number(node, 1, "the depth");
  if (!(depth >= 1 && depth <= 65536) || values.size() != 2) to.fail(node, str("makes ", depth, " numbers of each"));
  const auto count = static_cast<std::int64_t>(depth);
  auto extents = indices.extents;
  const auto axis = to.axis(node, to.whole(node, "axis", -1), extents.size() + 1);
  extents.insert(extents.begin() + axis, count);
  const auto size = static_cast<std::size_t>(product(extents));
  const auto inner = static_cast<std::size_t>(product(std::span(extents).subspan(static_cast<std::size_t>(axis) + 1)));
  if (size > (1 << 20)) to.fail(node, "makes more numbers than one would write in a file");
  std::vector<float> reals;
  std::vector<std::int64_t> wholes;
  for (std::size_t i = 0; i < size; ++i) {
    const auto place = static_cast<std::int64_t>(i / inner % static_cast<std::size_t>(count));
    const auto index = indices.at(i / (inner * static_cast<std::size_t>(count)) * inner + i % inner);
    const std::size_t on = (index < 0 ? index + depth : index) == static_cast<double>(place) ? 1 : 0;
    values.reals ? reals.push_back(values.reals.at(on)) : wholes.push_back((*values.wholes)[on]);
  }
  to.define(node, 0, values.reals ? known_reals(extents, std::move(reals)) : known_wholes(extents, std::move(wholes)));
}

/// What is not on the side of the diagonal becomes 0.
void import_Trilu(Importer& to, const FileNode& node) {
  const Value x = to.value(node, 0);
  const auto rank = x.shape().size();
  const auto k = Importer::has(node, 1) ? whole_number(to, node, 1, "k") : 0;
  const bool upper = to.whole(node, "upper", 1) != 0;
  if (rank < 2) to.fail(node, "its operand is no matrix of a sample");
  const auto rows = x.shape()[rank - 2], columns = x.shape()[rank - 1];
  std::vector<float> kept;
  kept.reserve(room_for(std::array{rows, columns}));
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t c = 0; c < columns; ++c) kept.push_back((upper ? c - r >= k : c - r <= k) ? 1.0F : 0.0F);
  }
  to.define(node, 0,
            to.operation(node, "select", {to.fixed("triangle", {rows, columns}, std::move(kept)), x, to.number(0)}));
}

void import_CumSum(Importer& to, const FileNode& node) {
  const Value x = to.value(node, 0);
  const auto axis = to.axis(node, whole_number(to, node, 1, "the axis"), x);
  const bool exclusive = to.whole(node, "exclusive", 0) != 0, reverse = to.whole(node, "reverse", 0) != 0;
  const auto extent = x.shape()[static_cast<std::size_t>(axis)];
  if (extent > 2048) to.fail(node, str("adds up ", extent, " numbers; at most 2048 are read here"));
  std::vector<float> matrix;
  for (std::int64_t i = 0; i < extent; ++i) {
    for (std::int64_t j = 0; j < extent; ++j) {
      const auto ahead = reverse ? j - i : i - j;
      matrix.push_back(ahead > 0 || (ahead == 0 && !exclusive) ? 1.0F : 0.0F);
    }
  }
  to.define(node, 0, weighed(to, node, x, axis, extent, std::move(matrix)));
}

}  // namespace chalk::onnx
