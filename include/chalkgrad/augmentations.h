// What can be done to pictures while a network is trained on them: augmentations.
#pragma once

#include <cstdint>
#include <string_view>

#include "chalkgrad/fields.h"

namespace chalk {

// Every augmentation is a struct of its parameters. It takes pictures of bytes, {channels, rows, columns}, to pictures
// of the same shape, before scale and shift make numbers of them. What is random about it is drawn anew for each sample
// in each epoch, and depends on the seed, the epoch, the row of the data set, the augmentation's name and on how many
// of that name come before it in the list: on no thread, batch or other augmentation. Everything is computed in
// integers, or in double without the C library's functions, so that every machine makes the same bytes. Pixels are
// rounded to the nearest byte, halves up.

/// What is where a picture does not reach, or where it is erased.
enum class Fill : std::uint8_t {
  black,  ///< 0, which is also the paper of most pictures of ink, such as MNIST's
  white,  ///< 255
  mean,   ///< of each channel: the byte that enters the network as about 0
  noise,  ///< each pixel of each channel another byte, uniform in 0 … 255
};

/// How a picture goes on beyond its border.
enum class Border : std::uint8_t {
  constant,   ///< with the fill
  edge,       ///< a a a | a b c
  reflect,    ///< c b | a b c: the outermost pixel is not repeated (NumPy, torchvision; SciPy calls it mirror)
  symmetric,  ///< b a | a b c: it is (SciPy and Keras call it reflect)
};

/// Mirrored left to right.
struct Flip {
  double p = 0.5;  ///< 0 … 1: how probable it is

  static constexpr std::string_view kName = "flip";
  void visit(FieldVisitor& v);
  bool operator==(const Flip&) const = default;
};

/// Mirrored top to bottom.
struct VerticalFlip {
  double p = 0.5;  ///< 0 … 1

  static constexpr std::string_view kName = "vflip";
  void visit(FieldVisitor& v);
  bool operator==(const VerticalFlip&) const = default;
};

/// Mirrored left to right in every second epoch; in which ones of the two is drawn for each sample once (Jordan 2024,
/// "94% on CIFAR-10 in 3.29 seconds on a single GPU", section 3.6). So two epochs show each picture from both sides.
struct AlternatingFlip {
  static constexpr std::string_view kName = "alternating-flip";
  void visit(FieldVisitor&) {}
  bool operator==(const AlternatingFlip&) const = default;
};

/// Moved by −pixels … pixels, down and to the right apart, each of the (2 · pixels + 1)² places as probable: the padded
/// crop of torchvision's RandomCrop(size, padding=pixels).
struct Shift {
  std::int64_t pixels = 4;  ///< 1 … below the smaller side
  Border border = Border::constant;
  Fill fill = Fill::black;

  static constexpr std::string_view kName = "shift";
  void visit(FieldVisitor& v);
  bool operator==(const Shift&) const = default;
};

/// A square with its middle on any pixel, as probable as any other, is filled, as far as it is within the picture
/// (DeVries & Taylor 2017). Its rows are r − ⌊side / 2⌋ … r − ⌊side / 2⌋ + side − 1, if r is that of the pixel. (The
/// authors' code makes squares of an odd side one pixel smaller.)
struct Cutout {
  std::int64_t side = 8;  ///< 1 … the smaller side of the picture
  Fill fill = Fill::black;

  static constexpr std::string_view kName = "cutout";
  void visit(FieldVisitor& v);
  bool operator==(const Cutout&) const = default;
};

/// A rectangle within the picture is filled (Zhong et al. 2017), as by torchvision's RandomErasing: its share of the
/// area is uniform in least … most, its height by its width log-uniform in ratio_least … ratio_most, sides are rounded,
/// and if one is not below the picture's, another is drawn, up to ten times; then the picture stays as it is.
struct Erase {
  double p = 0.5;                              ///< 0 … 1
  double least = 0.02, most = 0.33;            ///< 0 < least <= most <= 1
  double ratio_least = 0.3, ratio_most = 3.3;  ///< 0.01 <= ratio_least <= ratio_most <= 100
  Fill fill = Fill::black;

  static constexpr std::string_view kName = "erase";
  void visit(FieldVisitor& v);
  bool operator==(const Erase&) const = default;
};

// The next four read the picture between its pixels, by linear interpolation in 1/65536 of a pixel (the nearest pixel
// for nothing but RandAugment's kin), about its middle, which is at ((rows − 1) / 2, (columns − 1) / 2). At the border
// the fill, or what the mean is, is mixed in over a pixel. Pillow, which cuts where others round, gives half a level
// less.

/// Turned by −degrees … degrees, uniform; positive is counter-clockwise.
struct Rotate {
  double degrees = 15;  ///< 0 … 180
  Fill fill = Fill::black;

  static constexpr std::string_view kName = "rotate";
  void visit(FieldVisitor& v);
  bool operator==(const Rotate&) const = default;
};

/// Made larger by a factor uniform in least … most, both sides alike.
struct Scale {
  double least = 0.9, most = 1.1;  ///< 0.1 <= least <= most <= 10
  Fill fill = Fill::black;

  static constexpr std::string_view kName = "scale";
  void visit(FieldVisitor& v);
  bool operator==(const Scale&) const = default;
};

/// Slanted: what is y below the middle moves to the right by y · tan φ, with φ uniform in −degrees … degrees.
struct Shear {
  double degrees = 10;  ///< 0 … 80
  Fill fill = Fill::black;

  static constexpr std::string_view kName = "shear";
  void visit(FieldVisitor& v);
  bool operator==(const Shear&) const = default;
};

/// A part of the picture fills it (Szegedy et al. 2015), as by torchvision's RandomResizedCrop: its share of the area
/// is uniform in least … most, its width by its height log-uniform in ratio_least … ratio_most, and ten tries are made
/// to fit it; then it is the largest part in the middle with a ratio in this range. Interpolated linearly.
///
/// What it is a part of may be the picture as it is in its file, before it was brought to the size of the samples
/// (`of`). The part is then brought to that size as fit_image() does; torchvision has it so, as its transforms begin
/// with the file. It has to be the first of the list then, and the data have to be pictures in files of their own.
struct ResizedCrop {
  enum class Of : std::uint8_t { sample, file };

  double least = 0.08, most = 1;                    ///< 0 < least <= most <= 1
  double ratio_least = 0.75, ratio_most = 4.0 / 3;  ///< 0.01 <= ratio_least <= ratio_most <= 100
  Of of = Of::sample;

  static constexpr std::string_view kName = "resized-crop";
  void visit(FieldVisitor& v);
  bool operator==(const ResizedCrop&) const = default;
};

// In the next three a byte b becomes f · b + (1 − f) · c, limited to 0 … 255, with f uniform in max(0, 1 − strength) …
// 1 + strength, as in torchvision's ColorJitter. (Keras and others add brightness.)

/// c = 0
struct Brightness {
  double strength = 0.4;  ///< 0 … 10

  static constexpr std::string_view kName = "brightness";
  void visit(FieldVisitor& v);
  bool operator==(const Brightness&) const = default;
};

/// c is the mean of the picture in grey, rounded.
struct Contrast {
  double strength = 0.4;  ///< 0 … 10

  static constexpr std::string_view kName = "contrast";
  void visit(FieldVisitor& v);
  bool operator==(const Contrast&) const = default;
};

/// c is the pixel in grey, (19595 R + 38470 G + 7471 B) / 65536. Pictures in colour only.
struct Saturation {
  double strength = 0.4;  ///< 0 … 10

  static constexpr std::string_view kName = "saturation";
  void visit(FieldVisitor& v);
  bool operator==(const Saturation&) const = default;
};

/// Colours turned around the circle by −turns … turns, uniform. Pictures in colour only.
struct Hue {
  double turns = 0.1;  ///< 0 … 0.5

  static constexpr std::string_view kName = "hue";
  void visit(FieldVisitor& v);
  bool operator==(const Hue&) const = default;
};

/// All channels become the pixel in grey. Pictures in colour only.
struct Grey {
  double p = 0.1;  ///< 0 … 1

  static constexpr std::string_view kName = "grey";
  void visit(FieldVisitor& v);
  bool operator==(const Grey&) const = default;
};

/// To each byte is added a normal number of mean 0 and standard deviation 255 · deviation.
struct Noise {
  double deviation = 0.1;  ///< 0 … 1

  static constexpr std::string_view kName = "noise";
  void visit(FieldVisitor& v);
  bool operator==(const Noise&) const = default;
};

/// So many of fourteen operations, each drawn from all of them (Cubuk et al. 2020), as by torchvision's RandAugment
/// with its defaults: identity, shear and translation along each axis, rotation, brightness, colour, contrast,
/// sharpness, posterize, solarize, autocontrast, equalize. With m = magnitude / 30: slants of tangent 0.3 m about the
/// upper left corner, ⌊150/331 m · side⌋ pixels, 30 m degrees, factors 1 ± 0.9 m, 8 − round(4 m) bits, what is at least
/// 255 (1 − m) inverted; signs by a coin; of places the nearest pixel. Solarize inverts what is white even where m = 0.
struct RandAugment {
  std::int64_t operations = 2;  ///< 1 … 14
  std::int64_t magnitude = 9;   ///< 0 … 30
  Fill fill = Fill::black;

  static constexpr std::string_view kName = "randaugment";
  void visit(FieldVisitor& v);
  bool operator==(const RandAugment&) const = default;
};

/// One of these operations with m any of 0, 1/30, …, 1 (Müller & Hutter 2021), as by torchvision's TrivialAugmentWide:
/// slants of 0.99 m, ⌊32 m⌋ pixels whatever the size of the picture, 135 m degrees, factors 1 ± 0.99 m, 8 − round(6 m)
/// bits, and as above.
struct TrivialAugment {
  Fill fill = Fill::black;

  static constexpr std::string_view kName = "trivialaugment";
  void visit(FieldVisitor& v);
  bool operator==(const TrivialAugment&) const = default;
};

/// Each channel folded with a Gaussian of a σ uniform in least … most pixels, cut off at 3 σ; the picture goes on
/// beyond its border as by Border::reflect.
struct Blur {
  double least = 0.1, most = 2;  ///< 0 < least <= most <= 10

  static constexpr std::string_view kName = "blur";
  void visit(FieldVisitor& v);
  bool operator==(const Blur&) const = default;
};

// The next two mix a picture with another one of the data set, as it is in the same epoch after all augmentations
// before them: any, as probable as another, drawn for each sample. The target becomes the same mixture of the two
// targets: of labels, a distribution over the classes; the accuracy in training is then the share of the target that is
// found. They come last in a list, and if both are there, a sample is mixed by the first whose p comes true. λ is drawn
// from a Beta(alpha, alpha) distribution for each sample. (torchvision and timm mix a batch with itself, with one λ for
// all.)

/// λ · picture + (1 − λ) · other (Zhang et al. 2018), λ in 1/65536.
struct Mixup {
  double alpha = 0.2;  ///< 0.05 … 4; small: one of the two prevails
  double p = 1;        ///< 0 … 1

  static constexpr std::string_view kName = "mixup";
  void visit(FieldVisitor& v);
  bool operator==(const Mixup&) const = default;
};

/// A rectangle of the other is put into the picture (Yun et al. 2019), by torchvision's rule: 2 · ⌊½ √(1 − λ) · side⌋
/// pixels along each side, its middle uniform over pixels, clipped. λ of the targets is the share of pixels that are
/// left: for alpha = 1 it is 0.70 on average, not ½, for 32 pixels.
struct Cutmix {
  double alpha = 1;  ///< 0.05 … 4
  double p = 1;      ///< 0 … 1

  static constexpr std::string_view kName = "cutmix";
  void visit(FieldVisitor& v);
  bool operator==(const Cutmix&) const = default;
};

}  // namespace chalk
