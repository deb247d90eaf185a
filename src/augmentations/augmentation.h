// What an augmentation is. Each has a few lines in a file of src/augmentations/ and one in augmentations.inc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "chalkgrad/augmentation.h"
#include "chalkgrad/augmentations.h"
#include "chalkgrad/data.h"
#include "chalkgrad/shape.h"
#include "src/base/random.h"
#include "src/ir/op.h"

namespace chalk {

using Byte = std::uint8_t;

/// One picture on its way.
struct Picture {
  std::size_t channels, rows, columns;
  Byte* pixels;                 ///< [channel][row][column]
  Byte* spare;                  ///< as much memory again, for what is not done in place
  std::span<const Byte> means;  ///< Fill::mean of each channel

  std::size_t area() const { return rows * columns; }
  std::size_t size() const { return channels * area(); }
  Byte* plane(std::size_t channel) const { return pixels + channel * area(); }
  Byte* row(std::size_t channel, std::size_t r) const { return plane(channel) + r * columns; }
  /// What was written to `spare` is the picture.
  void take_spare() { std::swap(pixels, spare); }
};

/// Random numbers for one augmentation of one sample.
struct Draws {
  Random now;           ///< others in each epoch
  Random always;        ///< the same in each epoch
  std::uint64_t epoch;  ///< 0, 1, …
};

/// What test-time augmentation looks at of a picture: fixed views, whose answers have a weighted mean.
struct TestViews {
  std::size_t count;  ///< the picture as it is, which is number 0, among them
  /// How much each counts; they sum to 1.
  double (*weight)(const Attributes& parameters, std::size_t number);
  /// Makes the one of a number from 1 on of the picture.
  void (*show)(const Attributes& parameters, std::size_t number, Picture& picture);
};

/// A part of a picture that may be taken from its file, before it is brought to the size of the samples.
struct FilePart {
  bool (*wanted)(const Attributes& parameters);
  /// Of so many rows and columns.
  PicturePart (*part)(const Attributes& parameters, Random& random, std::int64_t rows, std::int64_t columns);
};

struct AugmentationDefinition {
  Required<std::string_view> name;
  Required<std::string_view> help;       // a few words
  Required<std::string_view> elsewhere;  // what torchvision and Keras call it, and where theirs is another one
  Required<Attributes> defaults;
  /// How many parameters may be written first and without their names.
  Required<std::size_t> nameless;
  /// Null for one that mixes.
  Required<void (*)(const Attributes& parameters, Draws& draws, Picture& picture)> apply;
  /// Mixes a picture of the same shape into it, and returns which share of the target stays. Without one (null) the
  /// picture stays as it is, and the share is the same.
  double (*mix)(const Attributes& parameters, Random& random, Picture& picture, const Byte* other) = nullptr;
  double (*p)(const Attributes& parameters) = nullptr;  ///< how probable that is
  bool of_colour = false;                               ///< takes pictures of three channels only
  const TestViews* views = nullptr;                     ///< null: it has none
  const FilePart* of_file = nullptr;                    ///< null: it is always done to samples
  /// Throws InputError if the parameters, though each is in its range, contradict each other.
  void (*check)(const Attributes& parameters) = nullptr;
  /// Throws InputError if pictures whose smaller side is this are too small.
  void (*check_size)(const Attributes& parameters, std::int64_t smaller) = nullptr;
};

const AugmentationDefinition& definition_of(const Augmentation& augmentation);
/// Whether its parameters say that it is done to the picture as it is in its file.
bool is_of_file(const Augmentation& augmentation);
/// In the order of the list.
std::span<const AugmentationDefinition* const> all_augmentations();

#define CHALK_AUGMENTATION(name) extern const AugmentationDefinition augmentation_##name;
#include "src/augmentations/augmentations.inc"
#undef CHALK_AUGMENTATION

// ---- What several have

void visit_probability(FieldVisitor& v, double& p);
void visit_fill(FieldVisitor& v, Fill& fill);
/// Throws InputError unless least <= most.
void check_order(std::string_view least_name, double least, std::string_view most_name, double most);

/// Uniform in least … most.
inline double between(Random& random, double least, double most) { return least + (most - least) * random.uniform(); }
/// Log-uniform in least … most; 0 < least <= most.
double between_ratios(Random& random, double least, double most);
inline bool chance(Random& random, double p) { return random.uniform() < p; }
/// The byte that enters the network as about 0.
Byte mean_byte(float scale, float shift);
/// Uniform bytes.
void draw_bytes(Random& random, Byte* to, std::size_t count);

/// Fills rows × columns pixels of every channel from (row, column) on.
void fill_rectangle(Picture& picture, Fill fill, Random& random, std::size_t row, std::size_t column, std::size_t rows,
                    std::size_t columns);
/// The byte that a channel is filled with; for Fill::noise a new one at each call.
Byte fill_byte(const Picture& picture, Fill fill, Random& random, std::size_t channel);

/// (19595 R + 38470 G + 7471 B) / 65536, rounded: ITU-R 601, as Pillow has it.
inline Byte grey_of(unsigned red, unsigned green, unsigned blue) {
  return static_cast<Byte>((19595U * red + 38470U * green + 7471U * blue + 32768U) >> 16U);
}
/// A picture of one channel is grey as it is.
inline Byte grey_of(const Picture& p, std::size_t at) {
  if (p.channels != 3) return p.pixels[at];
  return grey_of(p.pixels[at], p.pixels[p.area() + at], p.pixels[2 * p.area() + at]);
}

inline Byte to_byte(std::int64_t value) { return static_cast<Byte>(value < 0 ? 0 : value > 255 ? 255 : value); }

}  // namespace chalk
