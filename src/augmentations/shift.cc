// Pictures moved.
#include <algorithm>
#include <array>
#include <cstring>

#include "chalkgrad/error.h"
#include "src/augmentations/changes.h"
#include "src/base/text.h"

namespace chalk {

void Shift::visit(FieldVisitor& v) {
  v.field(Field("pixels", Range::from_to(1, 65535), "By how many pixels at most").required("4"), pixels);
  static constexpr std::array<Word, 4> kBorders{{{"constant"}, {"edge"}, {"reflect"}, {"symmetric"}}};
  auto index = static_cast<std::size_t>(border);
  v.choice(
      {"border", Range{},
       "How the picture goes on: constant (with the fill), edge, reflect (c b | a b c) or symmetric (b a | a b c)"},
      kBorders, index);
  border = static_cast<Border>(index);
  visit_fill(v, fill);
}

namespace {

constexpr std::int64_t kOutside = -1;

/// Which pixel of `size` is at `i`, which may be up to `size` − 1 beyond the border.
std::int64_t pixel_at(std::int64_t i, std::int64_t size, Border border) {
  if (i >= 0 && i < size) return i;
  switch (border) {
    case Border::constant:
      return kOutside;
    case Border::edge:
      return i < 0 ? 0 : size - 1;
    case Border::reflect:
      return i < 0 ? -i : 2 * size - 2 - i;
    case Border::symmetric:
      return i < 0 ? -i - 1 : 2 * size - 1 - i;
  }
  return kOutside;
}

void fill_row(const Picture& picture, Fill fill, Random& random, std::size_t channel, Byte* to, std::size_t count) {
  if (fill == Fill::noise) return draw_bytes(random, to, count);
  std::fill_n(to, count, fill_byte(picture, fill, random, channel));
}

/// The pixel at (i, j) becomes the one that was at (i + down, j + right).
void shift(const Shift& s, Random& random, Picture& picture, std::int64_t down, std::int64_t right) {
  const auto rows = static_cast<std::int64_t>(picture.rows), columns = static_cast<std::int64_t>(picture.columns);
  const auto first = std::max<std::int64_t>(0, -right),
             last = std::min(columns, columns - right);  // of those that stay
  Byte* to = picture.spare;
  for (std::size_t c = 0; c < picture.channels; ++c) {
    for (std::int64_t i = 0; i < rows; ++i, to += columns) {
      const auto r = pixel_at(i + down, rows, s.border);
      if (r == kOutside) {
        fill_row(picture, s.fill, random, c, to, picture.columns);
        continue;
      }
      const Byte* from = picture.row(c, static_cast<std::size_t>(r));
      if (s.border == Border::constant) {
        fill_row(picture, s.fill, random, c, to, static_cast<std::size_t>(first));
        fill_row(picture, s.fill, random, c, to + last, static_cast<std::size_t>(columns - last));
      } else {
        for (std::int64_t j = 0; j < first; ++j) to[j] = from[pixel_at(j + right, columns, s.border)];
        for (std::int64_t j = last; j < columns; ++j) to[j] = from[pixel_at(j + right, columns, s.border)];
      }
      std::memcpy(to + first, from + first + right, static_cast<std::size_t>(last - first));
    }
  }
  picture.take_spare();
}

/// As it is, down and to the right, up and to the left.
constexpr TestViews kShifted{3, [](const Attributes&, std::size_t number) { return number == 0 ? 0.5 : 0.25; },
                             [](const Attributes& parameters, std::size_t number, Picture& picture) {
                               const auto& s = parameters.as<Shift>();
                               const auto by = number == 1 ? -s.pixels : s.pixels;
                               Random same_for_all(0, 0);
                               shift(s, same_for_all, picture, by, by);
                             }};

}  // namespace

void move(Picture& picture, std::int64_t down, std::int64_t right, Fill fill, Random& random) {
  const auto rows = static_cast<std::int64_t>(picture.rows), columns = static_cast<std::int64_t>(picture.columns);
  // Further than a picture is away, there is nothing of it.
  shift({.fill = fill}, random, picture, std::clamp(down, -rows, rows), std::clamp(right, -columns, columns));
}

const AugmentationDefinition augmentation_shift{
    .name = Shift::kName,
    .help = "Moved by up to so many pixels, down and to the right apart: a padded crop",
    .elsewhere =
        "torchvision RandomCrop(size, padding=PIXELS, padding_mode=border); in Keras, padding and RandomCrop, "
        "which crops a batch at one place. Keras' RandomTranslation moves between pixels",
    .defaults = Attributes(Shift{}),
    .nameless = 1,
    .apply =
        [](const Attributes& parameters, Draws& draws, Picture& picture) {
          const auto& s = parameters.as<Shift>();
          const auto places = static_cast<std::uint32_t>(2 * s.pixels + 1);
          const auto down = std::int64_t{draws.now.below(places)} - s.pixels;
          const auto right = std::int64_t{draws.now.below(places)} - s.pixels;
          if (down != 0 || right != 0) shift(s, draws.now, picture, down, right);
        },
    .views = &kShifted,
    .check_size =
        [](const Attributes& parameters, std::int64_t smaller) {
          if (const auto pixels = parameters.as<Shift>().pixels; pixels >= smaller)
            throw InputError(
                str("PIXELS is ", pixels, "; it must be below the smaller side of the pictures, ", smaller));
        }};

}  // namespace chalk
