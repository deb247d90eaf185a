// Convolutions and pooling, of maps and, as maps of one row, of rows.
#include <algorithm>
#include <array>
#include <limits>

#include "src/base/text.h"
#include "src/base/wording.h"
#include "src/onnx/import/moves.h"

namespace chalk::onnx {
namespace {

/// An operator with windows: sizes of two directions. Rows have the first of them only in name.
struct Windows {
  Extents kernel{}, strides{}, dilations{}, before{}, after{};
  bool of_rows = false;  ///< batch × channels × places
};

/// Channels × rows × columns of the operand.
Value maps(Importer& to, const FileNode& node, bool& of_rows) {
  const Value x = to.samples(node, "channels and places");
  of_rows = x.shape().size() == 2;
  if (x.shape().size() != 3 && !of_rows)
    to.fail(node, str("its operand is ", to_string(x.type()),
                      "; it must be channels × rows × columns, or channels × places"));
  return of_rows ? to.reshaped(node, x, {x.shape()[0], 1, x.shape()[1]}) : x;
}

void result(Importer& to, const FileNode& node, Value y, bool of_rows) {
  to.define(node, 0, of_rows ? to.reshaped(node, y, {y.shape()[0], y.shape()[2]}) : y);
}

/// A pair of numbers; of rows, what stands for the other direction comes first.
Extents pair_of(Importer& to, const FileNode& node, const char* key, std::int64_t otherwise, bool of_rows) {
  auto numbers = to.wholes(node, key);
  const std::size_t count = of_rows ? 1 : 2;
  if (numbers.empty()) numbers.assign(count, otherwise);
  if (numbers.size() != count) to.fail(node, str(key, " has ", numbers.size(), " numbers, not ", count));
  if (of_rows) numbers.insert(numbers.begin(), 1);
  for (const auto number : numbers) {
    if (number < 1 || number > (1 << 20)) to.fail(node, str(key, " is ", number));
  }
  return numbers;
}

/// How many windows there are without padding that is not asked for, as SAME_UPPER wants it.
std::int64_t rounded_up(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

/// Padding by attributes, or as auto_pad says for this operand.
void read_padding(Importer& to, const FileNode& node, const Shape& x, Windows& w) {
  auto pads = to.wholes(node, "pads");
  const auto automatic = to.text(node, "auto_pad", "NOTSET");
  w.before = w.after = {0, 0};
  if (automatic == "SAME_UPPER" || automatic == "SAME_LOWER") {
    if (!pads.empty()) to.fail(node, "has both pads and auto_pad, which say different things");
    for (std::size_t d = 0; d < 2; ++d) {
      const auto extent = x[d + 1], reach = (w.kernel[d] - 1) * w.dilations[d] + 1;
      const auto all =
          std::max<std::int64_t>(0, (rounded_up(extent, w.strides[d]) - 1) * w.strides[d] + reach - extent);
      w.before[d] = automatic == "SAME_UPPER" ? all / 2 : all - all / 2;
      w.after[d] = all - w.before[d];
    }
    return;
  }
  if (automatic != "NOTSET" && automatic != "VALID" && !automatic.empty())
    to.fail(node, str("auto_pad is ", automatic));
  if (pads.empty() || automatic == "VALID") return;
  if (w.of_rows && pads.size() == 2) pads = {0, pads[0], 0, pads[1]};
  if (pads.size() != 4) to.fail(node, str("pads has ", pads.size(), " numbers"));
  for (const auto pad : pads) {
    if (pad < 0 || pad > (1 << 20))
      to.fail(node, str("pads are ", in_brief(toml(pads)), "; they must not be negative"));
  }
  w.before = {pads[0], pads[1]};
  w.after = {pads[2], pads[3]};
}

/// The maps with zeros around them.
Value padded(Importer& to, const FileNode& node, Value x, const Extents& before, const Extents& after) {
  if (before == Extents{0, 0} && after == before) return x;
  const auto keys =
      str("before = ", toml({0, before[0], before[1]}), "\nafter = ", toml({0, after[0], after[1]}), '\n');
  return to.operation(node, "pad", {x}, keys);
}

std::string pair_key(const char* name, const Extents& pair) { return str(name, " = ", toml(pair), '\n'); }

/// Weights and, if there is one, the bias.
std::map<std::string, Known> weights_of(Importer& to, const FileNode& node, std::size_t filters) {
  std::map<std::string, Known> weights{{"weight", to.required(node, 1, "weights")}};
  if (!Importer::has(node, 2)) return weights;
  const auto& bias = to.required(node, 2, "biases");
  if (bias.size() != filters) to.fail(node, str("has ", bias.size(), " biases for ", filters, " filters"));
  weights.emplace("bias", bias);
  return weights;
}

/// Kernel, stride, dilation and groups, which both kinds of convolution have.
Windows read_windows(Importer& to, const FileNode& node, const Known& weights, bool of_rows) {
  Windows w{.of_rows = of_rows};
  if (weights.extents.size() != (of_rows ? 3 : 4))
    to.fail(node, str("its weights are ", in_brief(to_string(weights.extents)), ", which does not fit its operand"));
  w.kernel = of_rows ? Extents{1, weights.extents[2]} : Extents{weights.extents[2], weights.extents[3]};
  const auto said = to.wholes(node, "kernel_shape");
  if (!said.empty() && said != Extents(weights.extents.begin() + 2, weights.extents.end()))
    to.fail(node, str("kernel_shape is ", in_brief(toml(said)), ", but its weights are ",
                      in_brief(to_string(weights.extents))));
  w.strides = pair_of(to, node, "strides", 1, of_rows);
  w.dilations = pair_of(to, node, "dilations", 1, of_rows);
  return w;
}

std::string window_keys(const Windows& w) {
  return str(pair_key("kernel", w.kernel), pair_key("stride", w.strides), pair_key("dilation", w.dilations));
}

/// Pooling reads the kernel from its attribute.
Windows read_pool(Importer& to, const FileNode& node, Value x, bool of_rows) {
  Windows w{.of_rows = of_rows};
  if (to.wholes(node, "kernel_shape").empty()) to.fail(node, "has no kernel_shape");
  w.kernel = pair_of(to, node, "kernel_shape", 1, of_rows);
  w.strides = pair_of(to, node, "strides", 1, of_rows);
  w.dilations = pair_of(to, node, "dilations", 1, of_rows);
  read_padding(to, node, x.shape(), w);
  return w;
}

/// Padding behind that lets a last window in, as ceil_mode wants it: one that begins before the end of what is padded.
Extents room_for_all(Importer& to, const FileNode& node, const Shape& x, const Windows& w) {
  Extents more{0, 0};
  if (to.whole(node, "ceil_mode", 0) == 0) return more;
  for (std::size_t d = 0; d < 2; ++d) {
    const auto extent = x[d + 1] + w.before[d] + w.after[d], rest = extent - w.kernel[d];
    if (rest <= -w.strides[d]) continue;  // too small even for a window that reaches beyond it
    auto last = rounded_up(rest, w.strides[d]) * w.strides[d];
    if (last >= x[d + 1] + w.before[d]) last -= w.strides[d];
    more[d] = std::max<std::int64_t>(0, last - rest);
  }
  return more;
}

Extents sum(const Extents& a, const Extents& b) { return {a[0] + b[0], a[1] + b[1]}; }

/// Of maps for which a number is kept for each place.
void check_size(Importer& to, const FileNode& node, const Shape& maps) {
  constexpr std::int64_t kMost = std::int64_t{1} << 22;
  if (maps[1] > kMost / maps[2]) to.fail(node, "its maps are too large to be padded so");
}

std::string pool_keys(const Windows& w, const Extents& padding) {
  return str(pair_key("window", w.kernel), pair_key("stride", w.strides), pair_key("padding", padding));
}

}  // namespace

namespace {

/// Windows of three directions: one convolution of maps for each place of the first, whose kernel's places are
/// channels.
void conv_of_volumes(Importer& to, const FileNode& node, const Known& weights) {
  Value x = to.samples(node, "channels and places");
  const auto &of = weights.extents, three = Extents{1, 1, 1};
  const auto strides = to.wholes(node, "strides", three), dilations = to.wholes(node, "dilations", three),
             pads = to.wholes(node, "pads", Extents(6, 0));
  if (x.shape().size() != 4 || strides.size() != 3 || dilations.size() != 3 || pads.size() != 6 ||
      to.text(node, "auto_pad", "NOTSET") != "NOTSET")
    to.fail(node, "is no convolution of volumes with pads in numbers");
  const auto depth = of[2], reach = (depth - 1) * dilations[0] + 1;
  if (pads != Extents(6, 0)) {
    const Extents before{0, pads[0], pads[1], pads[2]}, after{0, pads[3], pads[4], pads[5]};
    x = to.operation(node, "pad", {x}, keys_of("before", before, "after", after));
  }
  const auto layers = (x.shape()[1] - reach) / strides[0] + 1;
  if (x.shape()[1] < reach || layers > 64)
    to.fail(node, str("makes ", layers, " places of a volume; at most 64 are read here"));
  const Value w = to.parameter(node, 1, {of[0], of[1] * depth, of[3], of[4]});
  const auto keys =
      str("stride = ", toml({strides[1], strides[2]}), "\ndilation = ", toml({dilations[1], dilations[2]}),
          "\ngroups = ", to.whole(node, "group", 1), '\n');
  std::vector<Value> made;
  for (std::int64_t p = 0; p < layers; ++p) {
    const Value part = taken(to, node, x, 1, places_from(p * strides[0], dilations[0], depth));
    const auto& shape = part.shape();
    const Value maps = to.reshaped(node, part, {shape[0] * depth, shape[2], shape[3]});
    const Value y = to.operation(node, "conv2d", {maps, w}, keys);
    made.push_back(to.reshaped(node, y, {y.shape()[0], 1, y.shape()[1], y.shape()[2]}));
  }
  Value y = made.size() == 1 ? made[0] : to.operation(node, "concat", made, "axis = 1\n");
  if (Importer::has(node, 2)) y = to.operation(node, "add", {y, to.parameter(node, 2, {of[0], 1, 1, 1})});
  to.define(node, 0, y);
}

}  // namespace

void import_Conv(Importer& to, const FileNode& node) {
  bool of_rows = false;
  if (const auto& weights = to.required(node, 1, "weights"); weights.extents.size() == 5)
    return conv_of_volumes(to, node, weights);
  Value x = maps(to, node, of_rows);
  const auto& weights = to.required(node, 1, "weights");
  auto w = read_windows(to, node, weights, of_rows);
  read_padding(to, node, x.shape(), w);
  if (w.before != w.after) {
    x = padded(to, node, x, w.before, w.after);
    w.before = {0, 0};
  }
  const auto filters = weights.extents[0];
  const auto keys = str("filters = ", filters, '\n', window_keys(w), pair_key("padding", w.before),
                        "groups = ", to.whole(node, "group", 1), "\nbias = ", truth(Importer::has(node, 2)), '\n');
  result(to, node, to.layer(node, "\"conv\"", x, keys, weights_of(to, node, static_cast<std::size_t>(filters))),
         of_rows);
}

namespace {

/// Zeros between the elements along an axis.
Value spread(Importer& to, const FileNode& node, Value x, std::size_t axis, std::int64_t stride) {
  if (stride == 1) return x;
  Shape apart = x.shape(), together = apart;
  apart.insert(apart.begin() + static_cast<std::ptrdiff_t>(axis) + 1, 1);
  together[axis] *= stride;
  Extents none(apart.size(), 0), after = none;
  after[axis + 1] = stride - 1;
  const Value wide = to.operation(node, "pad", {to.reshaped(node, x, apart)}, keys_of("before", none, "after", after));
  return taken(to, node, to.reshaped(node, wide, together), static_cast<std::int64_t>(axis),
               places_from(0, 1, together[axis] - stride + 1));
}

/// The convolution with the reversed kernel of what has zeros between its elements and around them.
void conv_transpose_of_volumes(Importer& to, const FileNode& node, const Known& weights) {
  Value x = to.samples(node, "channels and places");
  const auto& of = weights.extents;
  const auto three = Extents{1, 1, 1};
  const auto strides = to.wholes(node, "strides", three), dilations = to.wholes(node, "dilations", three),
             more = to.wholes(node, "output_padding", {0, 0, 0});
  auto pads = to.wholes(node, "pads", Extents(6, 0));
  if (x.shape().size() != 4 || strides.size() != 3 || dilations.size() != 3 || pads.size() != 6 || more.size() != 3 ||
      to.whole(node, "group", 1) != 1 || node.attribute("output_shape") ||
      to.text(node, "auto_pad", "NOTSET") != "NOTSET")
    to.fail(node, "is no transposed convolution of volumes in one group, with pads in numbers");
  for (std::size_t d = 0; d < 3; ++d) {
    const auto reach = (of[d + 2] - 1) * dilations[d];
    pads[d] = reach - pads[d];
    pads[d + 3] = reach - pads[d + 3] + more[d];
    if (strides[d] < 1 || pads[d] < 0 || pads[d + 3] < 0) to.fail(node, "its strides and pads do not fit its kernel");
    x = spread(to, node, x, d + 1, strides[d]);
  }
  const auto places = product(std::span(of).subspan(2));
  std::vector<float> kernel;
  for (std::int64_t f = 0; f < of[1]; ++f) {
    for (std::int64_t c = 0; c < of[0]; ++c) {
      for (auto k = places; k-- > 0;)
        kernel.push_back(static_cast<float>(weights.at(static_cast<std::size_t>((c * of[1] + f) * places + k))));
    }
  }
  Known reversed = known_reals({of[1], of[0], of[2], of[3], of[4]}, std::move(kernel));
  reversed.name = weights.name;
  FileNode conv = node, operands = node;
  operands.outputs = {str(node.outputs[0], "/spread"), str(node.outputs[0], "/reversed")};
  to.define(operands, 0, x);
  to.define(operands, 1, std::move(reversed));
  std::ranges::copy(operands.outputs, conv.inputs.begin());
  conv.attributes = {{.name = "dilations", .wholes = dilations}, {.name = "pads", .wholes = pads}};
  conv_of_volumes(to, conv, to.required(conv, 1, "weights"));
}

}  // namespace

void import_ConvTranspose(Importer& to, const FileNode& node) {
  bool of_rows = false;
  if (const auto& kernel = to.required(node, 1, "weights"); kernel.extents.size() == 5)
    return conv_transpose_of_volumes(to, node, kernel);
  const Value x = maps(to, node, of_rows);
  const auto& weights = to.required(node, 1, "weights");
  auto w = read_windows(to, node, weights, of_rows);
  const auto groups = to.whole(node, "group", 1), filters = weights.extents[1] * groups;
  auto more = to.wholes(node, "output_padding", {});
  if (more.empty()) more.assign(2, 0);
  if (of_rows && more.size() == 1) more.insert(more.begin(), 0);
  if (more.size() != 2) to.fail(node, "output_padding does not fit its operand");
  auto wanted = to.wholes(node, "output_shape", {});
  if (wanted.size() > 2) wanted.erase(wanted.begin(), wanted.end() - (of_rows ? 1 : 2));
  if (of_rows && wanted.size() == 1) wanted.insert(wanted.begin(), 1);
  const auto automatic = to.text(node, "auto_pad", "NOTSET");
  const bool same = automatic == "SAME_UPPER" || automatic == "SAME_LOWER";
  if (same && wanted.empty()) wanted = {x.shape()[1] * w.strides[0], x.shape()[2] * w.strides[1]};
  if (wanted.empty()) {
    read_padding(to, node, x.shape(), w);
  } else {
    w.before = w.after = {0, 0};
    for (std::size_t d = 0; d < 2; ++d) {
      const auto all =
          (x.shape()[d + 1] - 1) * w.strides[d] + (w.kernel[d] - 1) * w.dilations[d] + 1 + more[d] - wanted[d];
      if (all < 0) {  // zeros behind
        more[d] -= all;
        continue;
      }
      w.before[d] = automatic == "SAME_UPPER" ? all / 2 : all - all / 2;
      w.after[d] = all - w.before[d];
    }
  }
  // Padding that differs on both sides is cut off.
  const Extents both{std::min(w.before[0], w.after[0]), std::min(w.before[1], w.after[1])};
  const auto keys =
      str("filters = ", filters, '\n', window_keys(w), pair_key("padding", both), pair_key("output_padding", more),
          "groups = ", groups, "\nbias = ", truth(Importer::has(node, 2)), '\n');
  Value y = to.layer(node, "\"conv_transpose\"", x, keys, weights_of(to, node, static_cast<std::size_t>(filters)));
  if (w.before != w.after) {
    const Extents start{0, w.before[0] - both[0], w.before[1] - both[1]};
    const Extents stop{y.shape()[0], y.shape()[1] - (w.after[0] - both[0]), y.shape()[2] - (w.after[1] - both[1])};
    y = to.operation(node, "slice", {y}, str("start = ", toml(start), "\nstop = ", toml(stop), '\n'));
  }
  result(to, node, y, of_rows);
}

namespace {

enum class Pool { max, average, power };

/// Windows along one axis of any number, dilated or not.
struct Line {
  std::int64_t kernel, stride, dilation, before, after, count;
};

/// Each direction by itself: a maximum of maxima, a sum of sums; and how many elements each sum has, if some have
/// others.
Value pooled_by_lines(Importer& to, const FileNode& node, Value x, Pool pool, const std::vector<Line>& lines,
                      bool counts_padding) {
  for (std::size_t d = 0; d < lines.size(); ++d) {
    const auto& line = lines[d];
    const auto axis = static_cast<std::int64_t>(d) + 1, extent = x.shape()[d + 1];
    const auto reach = (line.kernel - 1) * line.dilation + (line.count - 1) * line.stride + 1;
    const auto behind = std::max<std::int64_t>(line.after, reach - extent - line.before);
    if (line.kernel > 256 || line.count < 1) to.fail(node, str("has windows of ", line.kernel));
    (void)room_for(std::array{extent + line.before + behind});  // numbers for each place
    Extents before(x.shape().size(), 0), after = before;
    before[d + 1] = line.before;
    after[d + 1] = behind;
    if (line.before > 0 || behind > 0) x = to.operation(node, "pad", {x}, keys_of("before", before, "after", after));
    Shape column(x.shape().size() - d - 1, 1);
    if (pool == Pool::max && (line.before > 0 || behind > 0)) {
      std::vector<float> depth(static_cast<std::size_t>(x.shape()[d + 1]), std::numeric_limits<float>::lowest());
      std::fill_n(depth.begin() + line.before, extent, 0.0F);
      column[0] = x.shape()[d + 1];
      x = to.operation(node, "add", {x, to.fixed("padding", column, std::move(depth))});
    }
    Value y = taken(to, node, x, axis, places_from(0, line.stride, line.count));
    for (std::int64_t a = 1; a < line.kernel; ++a) {
      y = to.operation(node, pool == Pool::max ? "maximum" : "add",
                       {y, taken(to, node, x, axis, places_from(a * line.dilation, line.stride, line.count))});
    }
    if (pool == Pool::average) {
      std::vector<float> shares;
      const auto low = counts_padding ? -line.before : 0, high = extent + (counts_padding ? line.after : 0);
      for (std::int64_t p = 0; p < line.count; ++p) {
        std::int64_t counted = 0;
        for (std::int64_t a = 0; a < line.kernel; ++a) {
          const auto at = p * line.stride + a * line.dilation - line.before;
          counted += at >= low && at < high ? 1 : 0;
        }
        if (counted < 1) to.fail(node, "has a window with padding alone");
        shares.push_back(static_cast<float>(1.0 / static_cast<double>(counted)));
      }
      column[0] = line.count;
      y = to.operation(node, "mul", {y, to.fixed("shares", column, std::move(shares))});
    }
    x = y;
  }
  return x;
}

/// Dilated windows, those of volumes, and sums.
Value pooled(Importer& to, const FileNode& node, Value x, Pool pool) {
  const auto kernel = to.wholes(node, "kernel_shape");
  const auto directions = kernel.size();
  if (directions == 0 || x.shape().size() != directions + 1) to.fail(node, "its kernel_shape does not fit its operand");
  const Extents ones(directions, 1);
  const auto strides = to.wholes(node, "strides", ones), dilations = to.wholes(node, "dilations", ones);
  auto pads = to.wholes(node, "pads", Extents(2 * directions, 0));
  const auto automatic = to.text(node, "auto_pad", "NOTSET");
  if (strides.size() != directions || dilations.size() != directions || pads.size() != 2 * directions)
    to.fail(node, "its strides, dilations or pads do not fit its kernel_shape");
  std::vector<Line> lines;
  for (std::size_t d = 0; d < directions; ++d) {
    Line line{kernel[d], strides[d], dilations[d], pads[d], pads[d + directions], 0};
    for (const auto number : {line.kernel, line.stride, line.dilation, line.before + 1, line.after + 1}) {
      if (number < 1 || number > (1 << 20)) to.fail(node, str("its windows have ", number));
    }
    const auto extent = x.shape()[d + 1], reach = (line.kernel - 1) * line.dilation + 1;
    if (automatic == "VALID") line.before = line.after = 0;
    if (automatic == "SAME_UPPER" || automatic == "SAME_LOWER") {
      const auto all = std::max<std::int64_t>(0, (rounded_up(extent, line.stride) - 1) * line.stride + reach - extent);
      line.before = automatic == "SAME_UPPER" ? all / 2 : all - all / 2;
      line.after = all - line.before;
    }
    const auto rest = extent + line.before + line.after - reach;
    const bool rounds_up = to.whole(node, "ceil_mode", 0) != 0;
    if (rest < 0 && (!rounds_up || rest <= -line.stride))
      to.fail(node, str("its window of ", reach, " is larger than what is padded"));
    line.count = rest < 0 ? 1 : rest / line.stride + 1;
    if (rounds_up && rest > 0 && rest % line.stride != 0 && line.count * line.stride < extent + line.before)
      ++line.count;
    lines.push_back(line);
  }
  return pooled_by_lines(to, node, x, pool, lines, to.whole(node, "count_include_pad", 0) != 0);
}

/// Whether it takes more than the layers for pooling do.
bool by_lines(Importer& to, const FileNode& node) {
  const auto dilations = to.wholes(node, "dilations");
  return to.wholes(node, "kernel_shape").size() > 2 ||
         std::ranges::any_of(dilations, [](std::int64_t dilation) { return dilation != 1; });
}

/// Where the maxima were, as ONNX counts: in the sample's tensor, rows first or, with storage_order, columns first.
void define_places(Importer& to, const FileNode& node, Value x, const Windows& w, const std::string& keys,
                   const Shape& inside, bool of_rows) {
  const Value window = to.operation(node, "pool_argmax", {x}, keys);  // row · kernel's columns + column
  const auto& shape = window.shape();
  const auto rows = inside[1], columns = inside[2];
  (void)room_for(inside);  // floats count them
  const bool by_columns = to.whole(node, "storage_order", 0) != 0;
  const auto of_row = by_columns ? 1 : columns, of_column = by_columns ? rows : 1;
  std::vector<float> first;
  for (std::int64_t c = 0; c < shape[0]; ++c) {
    for (std::int64_t p = 0; p < shape[1]; ++p) {
      for (std::int64_t q = 0; q < shape[2]; ++q) {
        const auto row = p * w.strides[0] - w.before[0], column = q * w.strides[1] - w.before[1];
        first.push_back(static_cast<float>(c * rows * columns + row * of_row + column * of_column));
      }
    }
  }
  Value row = window;  // how many rows of the window lie before
  for (std::int64_t a = 1; a < w.kernel[0]; ++a) {
    const Value beyond = to.operation(node, "greater", {window, to.number(static_cast<double>(a * w.kernel[1]) - 0.5)});
    row = a == 1 ? beyond : to.operation(node, "add", {row, beyond});
  }
  const auto times = [&](Value v, std::int64_t factor) {
    return factor == 1 ? v : to.operation(node, "mul", {v, to.number(static_cast<double>(factor))});
  };
  Value place = to.operation(node, "add", {times(window, of_column), to.fixed("first", shape, std::move(first))});
  const auto step = of_row - of_column * w.kernel[1];
  if (w.kernel[0] > 1 && step != 0) place = to.operation(node, "add", {place, times(row, step)});
  to.define(node, 1, of_rows ? to.reshaped(node, place, {shape[0], shape[2]}) : place);
  to.pooled(node, window, keys);
}

}  // namespace

void import_MaxPool(Importer& to, const FileNode& node) {
  const bool wants_places = node.outputs.size() > 1 && !node.outputs[1].empty();
  if (by_lines(to, node)) {
    if (wants_places)
      to.fail(node, "its places (Indices) are used, which is not read here where windows are dilated or of volumes");
    return to.define(node, 0, pooled(to, node, to.samples(node, "channels and places"), Pool::max));
  }
  bool of_rows = false;
  Value x = maps(to, node, of_rows);
  const auto w = read_pool(to, node, x, of_rows);
  const auto after = sum(w.after, room_for_all(to, node, x.shape(), w));
  const auto inside = x.shape();
  auto keys = pool_keys(w, w.before);
  if (w.before != after) {
    check_size(to, node, x.shape());
    // Around the maps: zeros, and then so little that no maximum is there.
    x = padded(to, node, x, w.before, after);
    std::vector<float> depth;
    for (std::int64_t r = 0; r < x.shape()[1]; ++r) {
      for (std::int64_t c = 0; c < x.shape()[2]; ++c) {
        const auto row = r - w.before[0], column = c - w.before[1];
        const bool is_inside = row >= 0 && row < inside[1] && column >= 0 && column < inside[2];
        depth.push_back(is_inside ? 0 : std::numeric_limits<float>::lowest());
      }
    }
    x = to.operation(node, "add", {x, to.fixed("padding", {x.shape()[1], x.shape()[2]}, std::move(depth))});
    keys = pool_keys(w, {0, 0});
  }
  result(to, node, to.layer(node, "\"maxpool\"", x, keys), of_rows);
  if (wants_places) define_places(to, node, x, w, keys, inside, of_rows);
}

/// To the places that a MaxPool gave, or that the file has.
void import_MaxUnpool(Importer& to, const FileNode& node) {
  Extents wanted;
  if (Importer::has(node, 2)) wanted = whole_numbers(to, node, 2, "the extents");
  const auto kernel = to.wholes(node, "kernel_shape"), pads = to.wholes(node, "pads", Extents(2 * kernel.size(), 0));
  const auto strides = to.wholes(node, "strides", Extents(kernel.size(), 1));
  Value x = to.value(node, 0);
  const auto first = to.lead(x);
  if (x.shape().size() + first != kernel.size() + 2 || strides.size() != kernel.size() ||
      pads.size() != 2 * kernel.size())
    to.fail(node, "its kernel_shape does not fit its operand");
  Shape made(x.shape().begin(), x.shape().begin() + static_cast<std::ptrdiff_t>(2 - first));
  for (std::size_t d = 0; d < kernel.size(); ++d)
    made.push_back((x.shape()[2 - first + d] - 1) * strides[d] + kernel[d] - pads[d] - pads[kernel.size() + d]);
  if (const auto* pool = to.pool_of(node, 1)) {
    if (!wanted.empty()) made.assign(wanted.begin() + static_cast<std::ptrdiff_t>(first), wanted.end());
    if (first == 0 || made.size() != 3) to.fail(node, "must have channels × rows × columns of samples");
    return to.define(
        node, 0, to.operation(node, "pool_scatter", {x, pool->first}, str(pool->second, "shape = ", toml(made), '\n')));
  }
  const auto places = whole_numbers(to, node, 1, "the places");
  const auto columns = static_cast<std::size_t>(elements(x.shape())), rows = static_cast<std::size_t>(elements(made));
  if (first == 1 || places.size() != columns || rows > (1 << 22) / columns)
    to.fail(node, "its places (Indices) are neither a MaxPool's nor few numbers of the file");
  std::vector<float> matrix(rows * columns);
  for (std::size_t i = 0; i < columns; ++i) {
    if (places[i] < 0 || places[i] >= static_cast<std::int64_t>(rows))
      to.fail(node, str("place ", places[i], " of ", rows));
    matrix[static_cast<std::size_t>(places[i]) * columns + i] = 1;
  }
  const Value flat =
      weighed(to, node, to.reshaped(node, x, {elements(x.shape())}), 0, elements(made), std::move(matrix));
  x = to.reshaped(node, flat, made);
  if (!wanted.empty() && wanted != made) {
    Extents after;
    for (std::size_t d = 0; d < made.size(); ++d) after.push_back(wanted.at(d) - made[d]);
    x = to.operation(node, "pad", {x}, keys_of("before", Extents(made.size(), 0), "after", after));
  }
  to.define(node, 0, x);
}

/// (Σ |x|ᵖ)^(1/p) of each window, p being 1, 2 or even.
void import_LpPool(Importer& to, const FileNode& node) {
  const auto p = to.whole(node, "p", 2);
  if (p < 1 || p > 4) to.fail(node, str("p is ", p, "; 1 to 4 are read here"));
  const Value x = to.operation(node, "abs", {to.samples(node, "channels and places")});
  Value powers = x;
  for (std::int64_t i = 1; i < p; ++i) powers = to.operation(node, "mul", {powers, x});
  const Value all = pooled(to, node, powers, Pool::power);
  if (p == 1) return to.define(node, 0, all);
  if (p == 3) {
    const Value third = to.operation(node, "mul", {to.operation(node, "log", {all}), to.number(1.0 / 3)});
    return to.define(node, 0, to.operation(node, "exp", {third}));
  }
  const Value root = to.operation(node, "sqrt", {all});
  to.define(node, 0, p == 2 ? root : to.operation(node, "sqrt", {root}));
}

void import_AveragePool(Importer& to, const FileNode& node) {
  if (by_lines(to, node))
    return to.define(node, 0, pooled(to, node, to.samples(node, "channels and places"), Pool::average));
  bool of_rows = false;
  Value x = maps(to, node, of_rows);
  const auto w = read_pool(to, node, x, of_rows);
  const auto after = sum(w.after, room_for_all(to, node, x.shape(), w));
  const bool counts_padding = to.whole(node, "count_include_pad", 0) != 0;
  const auto inside = x.shape();
  Extents padding = w.before;
  if (w.before != after) {
    x = padded(to, node, x, w.before, after);
    padding = {0, 0};
  }
  Value y = to.layer(node, "\"avgpool\"", x, pool_keys(w, padding));
  check_size(to, node, y.shape());
  // Where a window reaches into what does not count, its sum is divided by less.
  std::vector<float> factors;
  bool needed = false;
  for (std::int64_t p = 0; p < y.shape()[1]; ++p) {
    for (std::int64_t q = 0; q < y.shape()[2]; ++q) {
      std::int64_t counted = 1;
      const Extents place{p, q};
      for (std::size_t d = 0; d < 2; ++d) {
        const auto first = place[d] * w.strides[d] - w.before[d];
        const auto low = counts_padding ? -w.before[d] : 0, high = inside[d + 1] + (counts_padding ? w.after[d] : 0);
        counted *= std::min(first + w.kernel[d], high) - std::max(first, low);
      }
      if (counted < 1) to.fail(node, "has a window with padding alone");
      factors.push_back(
          static_cast<float>(static_cast<double>(w.kernel[0] * w.kernel[1]) / static_cast<double>(counted)));
      needed = needed || counted != w.kernel[0] * w.kernel[1];
    }
  }
  if (needed) y = to.operation(node, "mul", {y, to.fixed("shares", {y.shape()[1], y.shape()[2]}, std::move(factors))});
  result(to, node, y, of_rows);
}

namespace {

void global(Importer& to, const FileNode& node, const char* op) {
  const Value x = to.samples(node, "channels and places");
  if (x.shape().size() < 2) to.fail(node, "its operand has no places to go over");
  Extents axes;
  for (std::size_t d = 1; d < x.shape().size(); ++d) axes.push_back(static_cast<std::int64_t>(d));
  to.define(node, 0, to.operation(node, op, {x}, str("axes = ", toml(axes), "\nkeep = true\n")));
}

}  // namespace

void import_GlobalAveragePool(Importer& to, const FileNode& node) { global(to, node, "mean"); }
void import_GlobalMaxPool(Importer& to, const FileNode& node) { global(to, node, "max"); }

}  // namespace chalk::onnx
