// Convolutions and pooling, of maps and, as maps of one row, of rows.
#include "src/base/text.h"
#include "src/onnx/import.h"

namespace chalk::onnx {
namespace {

/// An operator with windows: sizes of two directions. Rows have the first of them only in name.
struct Windows {
  Extents kernel{}, strides{}, dilations{}, before{}, after{};
  bool of_rows = false;  ///< batch × channels × places
};

/// Channels × rows × columns of the operand.
Value maps(Importer& to, const FileNode& node, bool& of_rows) {
  const Value x = to.value(node, 0);
  of_rows = x.shape().size() == 2;
  if (!x.batched() || (x.shape().size() != 3 && !of_rows))
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
    if (pad < 0 || pad > (1 << 20)) to.fail(node, str("pads are ", toml(pads), "; they must not be negative"));
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
    to.fail(node, str("its weights are ", to_string(weights.extents), ", which does not fit its operand"));
  w.kernel = of_rows ? Extents{1, weights.extents[2]} : Extents{weights.extents[2], weights.extents[3]};
  const auto said = to.wholes(node, "kernel_shape");
  if (!said.empty() && said != Extents(weights.extents.begin() + 2, weights.extents.end()))
    to.fail(node, str("kernel_shape is ", toml(said), ", but its weights are ", to_string(weights.extents)));
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
  if (w.dilations != Extents{1, 1}) to.fail(node, "its windows are dilated, which pooling here is not");
  read_padding(to, node, x.shape(), w);
  return w;
}

/// Padding behind that lets a last window in, as ceil_mode wants it: one that begins before the end of what is padded.
Extents room_for_all(Importer& to, const FileNode& node, const Shape& x, const Windows& w) {
  Extents more{0, 0};
  if (to.whole(node, "ceil_mode", 0) == 0) return more;
  for (std::size_t d = 0; d < 2; ++d) {
    const auto extent = x[d + 1] + w.before[d] + w.after[d], rest = extent - w.kernel[d];
    if (rest < 0) continue;
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

void import_Conv(Importer& to, const FileNode& node) {
  bool of_rows = false;
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
  result(to, node, to.layer(node, "\"conv\"", {x}, keys, weights_of(to, node, static_cast<std::size_t>(filters))),
         of_rows);
}

void import_ConvTranspose(Importer& to, const FileNode& node) {
  bool of_rows = false;
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
      if (all < 0) to.fail(node, "output_shape is larger than what its windows reach");
      w.before[d] = automatic == "SAME_UPPER" ? all / 2 : all - all / 2;
      w.after[d] = all - w.before[d];
    }
  }
  // Padding that differs on both sides is cut off.
  const Extents both{std::min(w.before[0], w.after[0]), std::min(w.before[1], w.after[1])};
  const auto keys =
      str("filters = ", filters, '\n', window_keys(w), pair_key("padding", both), pair_key("output_padding", more),
          "groups = ", groups, "\nbias = ", truth(Importer::has(node, 2)), '\n');
  Value y = to.layer(node, "\"conv_transpose\"", {x}, keys, weights_of(to, node, static_cast<std::size_t>(filters)));
  if (w.before != w.after) {
    const Extents start{0, w.before[0] - both[0], w.before[1] - both[1]};
    const Extents stop{y.shape()[0], y.shape()[1] - (w.after[0] - both[0]), y.shape()[2] - (w.after[1] - both[1])};
    y = to.operation(node, "slice", {y}, str("start = ", toml(start), "\nstop = ", toml(stop), '\n'));
  }
  result(to, node, y, of_rows);
}

void import_MaxPool(Importer& to, const FileNode& node) {
  if (node.outputs.size() > 1 && !node.outputs[1].empty())
    to.fail(node, "its places (Indices) are used, which is not read here");
  bool of_rows = false;
  Value x = maps(to, node, of_rows);
  const auto w = read_pool(to, node, x, of_rows);
  const auto after = sum(w.after, room_for_all(to, node, x.shape(), w));
  if (w.before == after) return result(to, node, to.layer(node, "\"maxpool\"", {x}, pool_keys(w, w.before)), of_rows);
  check_size(to, node, x.shape());
  // Around the maps: zeros, and then so little that no maximum is there.
  const auto inside = x.shape();
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
  result(to, node, to.layer(node, "\"maxpool\"", {x}, pool_keys(w, {0, 0})), of_rows);
}

void import_AveragePool(Importer& to, const FileNode& node) {
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
  Value y = to.layer(node, "\"avgpool\"", {x}, pool_keys(w, padding));
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
  const Value x = to.value(node, 0);
  if (x.shape().size() < 2) to.fail(node, "its operand has no places to go over");
  Extents axes;
  for (std::size_t d = 1; d < x.shape().size(); ++d) axes.push_back(static_cast<std::int64_t>(d));
  to.define(node, 0, to.operation(node, op, {x}, str("axes = ", toml(axes), "\nkeep = true\n")));
}

}  // namespace

void import_GlobalAveragePool(Importer& to, const FileNode& node) { global(to, node, "mean"); }
void import_GlobalMaxPool(Importer& to, const FileNode& node) { global(to, node, "max"); }

}  // namespace chalk::onnx
