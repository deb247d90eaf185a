// Normalisation: which numbers samples are for a network.
//
// Everywhere it ends in x ↦ x · scale + shift, rounded once to float, with a scale and a shift for each channel (the
// first axis of a sample; of a vector each element) or, by `sample`, for each sample. Both are computed in double and
// rounded to float: scale = 1/σ, shift = −μ/σ. Deviations are those of all elements (divided by n, as NumPy's std and
// scikit-learn's StandardScaler do; torch.std divides by n − 1).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace chalk {

struct Dataset;
struct Split;

struct Normalisation {
  enum class Kind : std::uint8_t {
    /// Each channel of the training part has mean 0 and deviation 1 (scikit-learn's StandardScaler). What bytes have if
    /// nothing is said.
    channel,
    /// Each sample has mean 0 and deviation 1, all its elements together (TensorFlow's per_image_standardization; in
    /// Keras a LayerNormalization over all axes without parameters).
    sample,
    /// Each channel of the training part goes from 0 to 1: μ is the least, σ the most less the least (scikit-learn's
    /// MinMaxScaler). Samples of other parts may lie beyond.
    min_max,
    /// By μ and σ as they are given, for pixels as parts of white: x = byte / 255, as torchvision's Normalize(mean,
    /// std)
    /// after ToTensor; for numbers as they are.
    given,
    /// None: bytes as parts of white, 0 … 1, as ToTensor alone leaves them (in Keras Rescaling(1/255); without that,
    /// Keras' pictures go from 0 to 255); numbers as they are, which is what numbers have if nothing is said.
    none,
  };
  Kind kind = Kind::channel;
  std::vector<double> mean{};       ///< of `given`: finite, one for each channel, or one for all
  std::vector<double> deviation{};  ///< as many, above 0

  /// "channel", "sample", "min-max", "none" or "given:MEAN,…/DEVIATION,…". Throws InputError saying what is allowed.
  static Normalisation parse(std::string_view text);
  /// parse(text()) is the same.
  std::string text() const;
  bool operator==(const Normalisation&) const = default;
};

/// Sets scale, shift and per_sample of both parts. What is measured is measured on the training part or, if that has no
/// samples, on the test part. A channel, or by `sample` a sample, that never changes becomes 0: it is divided by 255,
/// as bytes, or by 1, as numbers. Throws InputError if means are given for another number of channels.
void normalise(Split& data, const Normalisation& how = {});
/// The same of data that are no part of others.
void normalise(Dataset& data, const Normalisation& how = {});

}  // namespace chalk
