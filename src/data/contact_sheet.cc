#include <algorithm>
#include <cmath>

#include "chalkgrad/describe.h"
#include "chalkgrad/error.h"
#include "src/base/text.h"

namespace chalk {
namespace {

constexpr int kGap = 2;
constexpr std::uint8_t kGapGrey = 128;

/// Up to `columns` of these samples, evenly.
std::vector<std::size_t> some_of(const std::vector<std::size_t>& samples, std::size_t columns) {
  const auto count = std::min(columns, samples.size());
  std::vector<std::size_t> some;
  for (std::size_t i = 0; i < count; ++i) some.push_back(samples[i * samples.size() / count]);
  return some;
}

/// The samples that each row of the sheet shows.
std::vector<std::vector<std::size_t>> rows_of(const Dataset& data, std::size_t rows, std::size_t columns) {
  std::vector<std::vector<std::size_t>> all(data.labels.empty() ? 1 : std::min(rows, data.class_names.size()));
  for (std::size_t i = 0; i < data.size(); ++i) {
    const auto row = data.labels.empty() ? std::size_t{0} : static_cast<std::size_t>(data.labels[i]);
    if (row < all.size()) all[row].push_back(i);
  }
  if (!data.labels.empty()) {
    for (auto& row : all) row = some_of(row, columns);
    return all;
  }
  const auto some = some_of(all[0], rows * columns);
  all.clear();
  for (std::size_t i = 0; i < some.size(); i += columns) {
    all.emplace_back(some.begin() + static_cast<std::ptrdiff_t>(i),
                     some.begin() + static_cast<std::ptrdiff_t>(std::min(some.size(), i + columns)));
  }
  return all;
}

/// A sample as a picture in colour: of three channels these, of others the first in grey.
Image picture(const Dataset& data, std::size_t sample) {
  const auto each = static_cast<std::size_t>(elements(data.sample)),
             plane = each / static_cast<std::size_t>(data.sample[0]);
  const std::size_t channels = data.sample[0] == 3 ? 3 : 1;
  Image image{static_cast<int>(channels), static_cast<int>(data.sample[1]), static_cast<int>(data.sample[2]), {}};
  image.pixels.resize(channels * plane);
  float least = 0, most = 255;
  std::vector<std::uint8_t> bytes(data.has_bytes() ? each : 0);
  if (data.has_bytes()) {
    data.read(sample, bytes.data());
  } else {
    const auto [low, high] = std::minmax_element(data.numbers(sample), data.numbers(sample) + each);
    least = *low;
    most = std::max(*high, std::nextafter(least, INFINITY));
  }
  for (std::size_t c = 0; c < channels; ++c) {
    for (std::size_t i = 0; i < plane; ++i) {
      const auto at = c * plane + i;
      image.pixels[i * channels + c] =
          bytes.empty() ? static_cast<std::uint8_t>((data.numbers(sample)[at] - least) / (most - least) * 255.0F)
                        : bytes[at];
    }
  }
  return image;
}

/// In colour, and of this size: fewer pixels by their means, or each one several times.
Image brought_to(const Image& picture, int height, int width) {
  const auto rows = static_cast<std::size_t>(height), columns = static_cast<std::size_t>(width), plane = rows * columns;
  const auto channels = static_cast<std::size_t>(picture.channels);
  Image out{3, height, width, std::vector<std::uint8_t>(3 * plane)};
  const bool smaller = height < picture.height || width < picture.width;
  const auto planes = smaller ? fit_image(picture, 3, height, width) : std::vector<std::uint8_t>();
  for (std::size_t i = 0; i < plane; ++i) {
    const auto row = i / columns * static_cast<std::size_t>(picture.height) / rows;
    const auto column = i % columns * static_cast<std::size_t>(picture.width) / columns;
    const auto from = (row * static_cast<std::size_t>(picture.width) + column) * channels;
    for (std::size_t k = 0; k < 3; ++k) {
      out.pixels[3 * i + k] = smaller ? planes[k * plane + i] : picture.pixels[from + (channels == 3 ? k : 0)];
    }
  }
  return out;
}

void put(const Image& picture, Image& sheet, std::size_t top, std::size_t left) {
  const auto row = static_cast<std::size_t>(picture.width) * 3, sheet_row = static_cast<std::size_t>(sheet.width) * 3;
  for (std::size_t y = 0; y < static_cast<std::size_t>(picture.height); ++y) {
    std::copy_n(&picture.pixels[y * row], row, &sheet.pixels[(top + y) * sheet_row + left * 3]);
  }
}

}  // namespace

Image contact_sheet(const Split& split, int rows, int columns, int side) {
  const auto& data = split.train.size() > 0 ? split.train : split.test;
  if (data.size() == 0 || data.sample.size() != 3) {
    throw InputError(str(data.name, ": samples of ", to_string(data.sample),
                         " are no pictures; a sheet shows channels×rows×columns"));
  }
  const auto shown = rows_of(data, static_cast<std::size_t>(rows), static_cast<std::size_t>(columns));
  const auto longer = std::max(data.sample[1], data.sample[2]);
  const auto scaled = [&](std::int64_t extent) {
    return static_cast<int>(longer > side ? std::max<std::int64_t>(1, extent * side / longer)
                                          : extent * (side / longer));
  };
  const int height = scaled(data.sample[1]), width = scaled(data.sample[2]);
  Image sheet{3, kGap + static_cast<int>(shown.size()) * (height + kGap), kGap + columns * (width + kGap), {}};
  sheet.pixels.assign(static_cast<std::size_t>(sheet.height) * static_cast<std::size_t>(sheet.width) * 3, kGapGrey);
  for (std::size_t r = 0; r < shown.size(); ++r) {
    for (std::size_t c = 0; c < shown[r].size(); ++c) {
      const auto top = kGap + r * static_cast<std::size_t>(height + kGap);
      const auto left = kGap + c * static_cast<std::size_t>(width + kGap);
      put(brought_to(picture(data, shown[r][c]), height, width), sheet, top, left);
    }
  }
  return sheet;
}

}  // namespace chalk
