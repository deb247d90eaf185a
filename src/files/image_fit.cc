#include <algorithm>
#include <cstddef>

#include "chalkgrad/error.h"
#include "chalkgrad/image.h"
#include "src/base/text.h"

namespace chalk {
namespace {

// One pixel of the result along one axis: weights of the source pixels from `first` on. They add up to Axis::total.
struct Tap {
  std::int64_t first = 0;
  std::vector<std::uint64_t> weights;
};

struct Axis {
  std::uint64_t total = 1;
  std::vector<Tap> taps;  // one per pixel of the result
};

// Smaller: in units of 1/to of a source pixel, result pixel i covers [i·from, (i+1)·from), source pixel j [j·to,
// (j+1)·to).
Tap area(std::int64_t from, std::int64_t to, std::int64_t i) {
  Tap tap{i * from / to, {}};
  for (auto j = tap.first; j * to < (i + 1) * from; ++j) {
    tap.weights.push_back(
        static_cast<std::uint64_t>(std::min((j + 1) * to, (i + 1) * from) - std::max(j * to, i * from)));
  }
  return tap;
}

// Larger: result pixel i has its centre at source coordinate ((2i+1)·from − to) / (2·to), clamped to the image.
Tap linear(std::int64_t from, std::int64_t to, std::int64_t i) {
  const auto centre = std::clamp((2 * i + 1) * from - to, std::int64_t{0}, (from - 1) * 2 * to);
  const auto second = centre % (2 * to);
  Tap tap{centre / (2 * to), {static_cast<std::uint64_t>(2 * to - second)}};
  if (second != 0) tap.weights.push_back(static_cast<std::uint64_t>(second));
  return tap;
}

Axis make_axis(std::int64_t from, std::int64_t to) {
  const bool smaller = to < from;
  Axis axis{static_cast<std::uint64_t>(smaller ? from : 2 * to), {}};
  for (std::int64_t i = 0; i < to; ++i) axis.taps.push_back(smaller ? area(from, to, i) : linear(from, to, i));
  return axis;
}

// The image with one or three channels, as asked.
Image with_channels(const Image& image, int channels) {
  if (image.channels == channels) return image;
  Image out{channels, image.height, image.width, {}};
  if (channels == 3) {
    for (const auto grey : image.pixels) out.pixels.insert(out.pixels.end(), 3, grey);
    return out;
  }
  for (std::size_t i = 0; i + 2 < image.pixels.size(); i += 3) {
    const auto* rgb = &image.pixels[i];
    out.pixels.push_back(
        static_cast<std::uint8_t>((19595U * rgb[0] + 38470U * rgb[1] + 7471U * rgb[2] + 32768U) >> 16U));
  }
  return out;
}

/// The picture as it is, channel by channel.
std::vector<std::uint8_t> planes_of(const Image& image) {
  const auto channels = static_cast<std::size_t>(image.channels), plane = image.pixels.size() / channels;
  std::vector<std::uint8_t> out(image.pixels.size());
  for (std::size_t c = 0; c < channels; ++c) {
    const auto* from = &image.pixels[c];
    for (std::size_t i = 0; i < plane; ++i) out[c * plane + i] = from[i * channels];
  }
  return out;
}

/// The largest part in the middle whose sides are to each other as height and width are, rounded to whole pixels; of an
/// odd rest, less is left out above and on the left.
Image middle_of(const Image& image, std::int64_t height, std::int64_t width) {
  const auto share = [](std::int64_t side, std::int64_t of, std::int64_t by, std::int64_t most) {
    return std::clamp((2 * side * of + by) / (2 * by), std::int64_t{1}, most);
  };
  const std::int64_t rows = image.height, columns = image.width;
  const bool too_high = rows * width > columns * height;
  const auto part_rows = too_high ? share(columns, height, width, rows) : rows;
  const auto part_columns = too_high ? columns : share(rows, width, height, columns);
  return crop_image(image, {(rows - part_rows) / 2, (columns - part_columns) / 2, part_rows, part_columns});
}

}  // namespace

Image crop_image(const Image& image, const PicturePart& part) {
  const auto [row, column, rows, columns] = part;
  const std::int64_t height = image.height, width = image.width;
  const auto fits = [](std::int64_t first, std::int64_t count, std::int64_t of) {
    return first >= 0 && count >= 1 && count <= of && first <= of - count;
  };
  if (!fits(row, rows, height) || !fits(column, columns, width)) {
    throw InputError(str("image: a part of ", rows, "×", columns, " pixels at (", row, ", ", column,
                         ") is not within its ", height, "×", width, "; choose another part"));
  }
  Image cut{image.channels, static_cast<int>(rows), static_cast<int>(columns), {}};
  const auto stride = width * image.channels, length = columns * image.channels;
  cut.pixels.reserve(static_cast<std::size_t>(rows * length));
  for (auto r = row; r < row + rows; ++r) {
    const auto from = image.pixels.begin() + r * stride + column * image.channels;
    cut.pixels.insert(cut.pixels.end(), from, from + length);
  }
  return cut;
}

std::vector<std::uint8_t> fit_image(const Image& image, int channels, int height, int width, Fit fit) {
  constexpr int kLongest = 65536;
  if (channels != 1 && channels != 3) {
    throw InputError(str("image: cannot become ", channels, " channels; use a network whose input has 1 or 3"));
  }
  if (height < 1 || width < 1 || height > kLongest || width > kLongest || std::int64_t{height} * width > kMostPixels) {
    throw InputError(
        str("image: cannot become ", height, "×", width, " pixels; give 1…65,536 a side and at most 100,000,000"));
  }
  if (fit == Fit::crop) return fit_image(middle_of(image, height, width), channels, height, width);
  const auto source = with_channels(image, channels);
  if (height == image.height && width == image.width) return planes_of(source);
  const auto rows = make_axis(image.height, height), columns = make_axis(image.width, width);
  const auto depth = static_cast<std::size_t>(channels), out_width = static_cast<std::size_t>(width);
  const auto stride = depth * static_cast<std::size_t>(image.width);
  const auto total = rows.total * columns.total;
  const auto plane = static_cast<std::size_t>(height) * out_width;

  std::vector<std::uint8_t> out(depth * plane);
  std::vector<std::uint64_t> sums(depth * out_width);
  for (std::size_t y = 0; y < rows.taps.size(); ++y) {
    const auto& vertical = rows.taps[y];
    std::ranges::fill(sums, 0);
    for (std::size_t j = 0; j < vertical.weights.size(); ++j) {
      const auto* row = source.pixels.data() + (static_cast<std::size_t>(vertical.first) + j) * stride;
      for (std::size_t x = 0; x < out_width; ++x) {
        const auto& horizontal = columns.taps[x];
        const auto* pixel = row + static_cast<std::size_t>(horizontal.first) * depth;
        for (const auto weight : horizontal.weights) {
          for (std::size_t c = 0; c < depth; ++c) sums[c * out_width + x] += vertical.weights[j] * weight * pixel[c];
          pixel += depth;
        }
      }
    }
    for (std::size_t c = 0; c < depth; ++c) {
      for (std::size_t x = 0; x < out_width; ++x) {
        out[c * plane + y * out_width + x] = static_cast<std::uint8_t>((sums[c * out_width + x] + total / 2) / total);
      }
    }
  }
  return out;
}

}  // namespace chalk
