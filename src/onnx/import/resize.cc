// Other sizes of maps. Whole factors are a layer; everything else is a matrix for each axis.
#include <algorithm>
#include <cmath>
#include <optional>

#include "src/base/text.h"
#include "src/onnx/import/moves.h"

namespace chalk::onnx {
namespace {

/// How one axis is resized.
struct Resizing {
  std::string_view mode, places, nearest;
  double cubic = -0.75, extrapolation = 0;
  bool excludes_outside = false, antialias = false;

  std::int64_t extent = 0, size = 0;
  double scale = 1;
  double begin = 0, end = 1;  ///< of the region that is read

  /// Where the middle of an element of the result is, counted in elements of the operand.
  double origin(double place) const {
    const double length = static_cast<double>(extent), wide = scale * length;
    if (places == "align_corners") return wide == 1 ? 0 : place * (length - 1) / (wide - 1);
    if (places == "asymmetric") return place / scale;
    if (places == "tf_crop_and_resize") {
      return wide == 1 ? (end - begin) * (length - 1) / 2 + begin * (length - 1)
                       : place * (end - begin) * (length - 1) / (wide - 1) + begin * (length - 1);
    }
    if (places == "pytorch_half_pixel" && wide <= 1) return 0;
    if (places == "half_pixel_symmetric") {
      const double adjusted = static_cast<double>(size) / wide;
      return length / 2 * (1 - adjusted) + (place + 0.5) / scale - 0.5;
    }
    return (place + 0.5) / scale - 0.5;
  }

  /// What an element counts that is so far away from the middle.
  double weight(double distance) const {
    const double x = std::abs(distance);
    if (mode != "cubic") return std::max(0.0, 1 - x);
    if (x <= 1) return ((cubic + 2) * x - (cubic + 3)) * x * x + 1;
    return x < 2 ? ((cubic * x - 5 * cubic) * x + 8 * cubic) * x - 4 * cubic : 0;
  }

  std::int64_t nearest_of(double at) const {
    const double below = std::floor(at), rest = at - below;
    bool up = false;
    if (nearest == "ceil") up = rest > 0;
    if (nearest == "round_prefer_floor") up = rest > 0.5;
    if (nearest == "round_prefer_ceil") up = rest >= 0.5;
    return static_cast<std::int64_t>(below) + (up ? 1 : 0);
  }

  /// The row of the matrix for one element of the result; nothing where it is outside.
  std::optional<std::vector<double>> row(std::int64_t place) const {
    std::vector<double> row(static_cast<std::size_t>(extent));
    const auto inside = [&](std::int64_t i) { return std::clamp<std::int64_t>(i, 0, extent - 1); };
    const double at = origin(static_cast<double>(place));
    if (places == "tf_crop_and_resize" && (at < 0 || at > static_cast<double>(extent - 1))) return std::nullopt;
    if (mode == "nearest") {
      row[static_cast<std::size_t>(inside(nearest_of(at)))] = 1;
      return row;
    }
    const double narrow = antialias ? std::min(scale, 1.0) : 1, reach = (mode == "cubic" ? 2 : 1) / narrow;
    double sum = 0;
    for (auto i = static_cast<std::int64_t>(std::floor(at - reach));
         i <= static_cast<std::int64_t>(std::ceil(at + reach)); ++i) {
      const double counts = excludes_outside && i != inside(i) ? 0 : weight((static_cast<double>(i) - at) * narrow);
      row[static_cast<std::size_t>(inside(i))] += counts;
      sum += counts;
    }
    if (antialias || excludes_outside) {
      for (auto& value : row) value /= sum;
    }
    return row;
  }
};

Value resized(Importer& to, const FileNode& node, Value x, std::int64_t axis, const Resizing& how) {
  constexpr std::int64_t kMost = 1 << 22;
  if (how.size < 1 || how.size > kMost / how.extent) to.fail(node, str("makes ", how.size, " of ", how.extent));
  std::vector<float> matrix, outside;
  bool is_inside = true;
  for (std::int64_t i = 0; i < how.size; ++i) {
    const auto row = how.row(i);
    outside.push_back(row ? 0 : static_cast<float>(how.extrapolation));
    is_inside = is_inside && row;
    const auto numbers = row.value_or(std::vector<double>(static_cast<std::size_t>(how.extent)));
    matrix.insert(matrix.end(), numbers.begin(), numbers.end());
  }
  Value y = weighed(to, node, x, axis, how.size, std::move(matrix));
  if (!is_inside) {
    Shape shape(y.shape().size() - static_cast<std::size_t>(axis), 1);
    shape[0] = how.size;
    std::vector<float> inside;
    for (std::int64_t i = 0; i < how.size; ++i) inside.push_back(how.row(i) ? 1.0F : 0.0F);
    y = to.operation(node, "select", {to.fixed("inside", shape, std::move(inside)), y, to.number(how.extrapolation)});
  }
  return y;
}

/// Whole factors of rows and columns, in the two ways that the layer knows.
bool upsampled(Importer& to, const FileNode& node, Value x, const std::vector<Resizing>& axes) {
  if (to.lead(x) == 0 || x.shape().size() != 3 || axes[0].size != axes[0].extent) return false;
  Extents factors;
  for (std::size_t d = 1; d < 3; ++d) {
    const auto& how = axes[d];
    const std::int64_t factor = how.size / how.extent;
    if (how.size % how.extent != 0 || how.scale != static_cast<double>(factor)) return false;
    factors.push_back(factor);
  }
  const auto& how = axes[1];
  const bool repeats =
      how.mode == "nearest" && ((how.places == "asymmetric" && how.nearest == "floor") ||
                                (how.places == "half_pixel" && how.nearest.starts_with("round_prefer")));
  const bool interpolates = how.mode == "linear" &&
                            (how.places == "half_pixel" || how.places == "pytorch_half_pixel") &&
                            !how.excludes_outside && !how.antialias;
  if (!repeats && !interpolates) return false;
  if (std::ranges::any_of(factors, [](auto factor) { return factor > 1024; })) return false;
  to.define(node, 0,
            to.layer(node, "\"upsample\"", x,
                     str("factor = ", toml(factors), "\nmode = \"", repeats ? "nearest" : "bilinear", "\"\n")));
  return true;
}

}  // namespace

void import_Resize(Importer& to, const FileNode& node) {
  Value x = to.value(node, 0);
  const auto first = to.lead(x), rank = x.shape().size() + first;
  const std::size_t operand = node.op == "Upsample" || to.opset() < 11 ? 1 : 2;
  Resizing each{.mode = to.text(node, "mode", "nearest"),
                .places = to.text(node, "coordinate_transformation_mode", operand == 1 ? "asymmetric" : "half_pixel"),
                .nearest = to.text(node, "nearest_mode", operand == 1 ? "floor" : "round_prefer_floor"),
                .cubic = to.real(node, "cubic_coeff_a", -0.75),
                .extrapolation = to.real(node, "extrapolation_value", 0),
                .excludes_outside = to.whole(node, "exclude_outside", 0) != 0,
                .antialias = to.whole(node, "antialias", 0) != 0};
  if (each.mode == "bilinear") each.mode = "linear";
  if (each.mode != "nearest" && each.mode != "linear" && each.mode != "cubic")
    to.fail(node, str("mode is ", each.mode));
  auto axes = to.wholes(node, "axes");
  if (axes.empty()) axes = places_from(0, 1, static_cast<std::int64_t>(rank));
  std::vector<Resizing> of_axes(rank, each);
  for (std::size_t d = 0; d < rank; ++d) of_axes[d].extent = of_axes[d].size = d < first ? 1 : x.shape()[d - first];
  const bool by_sizes = operand == 2 && Importer::has(node, 3);
  const auto attribute = node.attribute("scales");
  const auto numbers = by_sizes ? to.required(node, 3, "sizes")
                       : Importer::has(node, operand)
                           ? to.required(node, operand, "scales")
                           : known_reals({attribute ? std::ssize(attribute->reals) : 0},
                                         attribute ? attribute->reals : std::vector<float>());
  if (numbers.size() != axes.size()) to.fail(node, "has sizes or scales for other axes");
  const auto* region = operand == 2 && Importer::has(node, 1) ? &to.required(node, 1, "the region") : nullptr;
  if (region && region->size() != 2 * axes.size()) region = nullptr;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    auto& how = of_axes[static_cast<std::size_t>(to.axis(node, axes[i], rank))];
    const double number = numbers.at(i), extent = static_cast<double>(how.extent);
    if (!(number > 0 && number * extent < (1 << 22))) to.fail(node, str("has the size or scale ", number));
    how.scale = by_sizes ? number / extent : number;
    // As ONNX Runtime has it: the product is a float.
    how.size = static_cast<std::int64_t>(
        by_sizes ? number : std::floor(static_cast<float>(number) * static_cast<float>(extent)));
    if (region) {
      how.begin = region->at(i);
      how.end = region->at(axes.size() + i);
    }
  }
  const auto policy = to.text(node, "keep_aspect_ratio_policy", "stretch");
  if (by_sizes && policy != "stretch") {
    double scale = policy == "not_larger" ? 1e9 : 0;
    const auto of = [&](std::int64_t axis) -> Resizing& {
      return of_axes[static_cast<std::size_t>(to.axis(node, axis, rank))];
    };
    for (const auto axis : axes)
      scale = policy == "not_larger" ? std::min(scale, of(axis).scale) : std::max(scale, of(axis).scale);
    for (const auto axis : axes) {
      auto& how = of(axis);
      how.scale = scale;
      how.size = std::llround(scale * static_cast<double>(how.extent));
    }
  }
  if (first == 1 && !by_sizes && of_axes[0].scale != 1) to.fail(node, "scales the batch");
  const std::vector<Resizing> of_sample(of_axes.begin() + static_cast<std::ptrdiff_t>(first), of_axes.end());
  if (!of_sample.empty() && upsampled(to, node, x, of_sample)) return;
  for (std::size_t d = 0; d < of_sample.size(); ++d) {
    const auto& how = of_sample[d];
    if (how.size == how.extent && how.scale == 1 && how.begin == 0 && how.end == 1) continue;
    x = resized(to, node, x, static_cast<std::int64_t>(d), how);
  }
  to.define(node, 0, x);
}

void import_Upsample(Importer& to, const FileNode& node) { import_Resize(to, node); }

}  // namespace chalk::onnx
