// How the weights of layers start.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "chalkgrad/graph.h"

namespace chalk {

/// The distribution that a layer draws its weights from, before it is told how large they are: `WeightInit::he`,
/// `{WeightInit::truncated_normal, 0.02}`. fan_in is how many inputs go into an output, fan_out how many outputs an
/// input goes into, counted as in PyTorch: for a convolution, fan_in = channels / groups · rows · columns of the kernel
/// and fan_out = filters · rows · columns.
class WeightInit {
 public:
  enum Kind : std::uint8_t {
    he,                ///< normal, σ² = 2 / fan_in (He et al. 2015, eq. 10)
    he_uniform,        ///< uniform of the same variance: within ±√(6 / fan_in)
    glorot,            ///< uniform within ±√(6 / (fan_in + fan_out)) (Glorot & Bengio 2010, eq. 16)
    glorot_normal,     ///< normal of the same variance: σ² = 2 / (fan_in + fan_out)
    lecun,             ///< normal, σ² = 1 / fan_in (LeCun, Bottou, Orr & Müller 1998, section 4.6)
    lecun_uniform,     ///< uniform of the same variance: within ±√(3 / fan_in)
    orthogonal,        ///< rows of outputs, or columns if they are fewer, at right angles, of length `number` (1)
                       ///< (Saxe, McClelland & Ganguli 2014)
    truncated_normal,  ///< normal with σ = `number` (0.02), without what is beyond ±2 σ
    normal,            ///< with σ = `number` (0.05)
    uniform,           ///< within ±`number` (0.05)
    constant,          ///< `number` (0)
  };
  WeightInit(Kind kind = he);  // NOLINT(google-explicit-constructor): its name is enough
  WeightInit(Kind kind, double number) : kind_(kind), number_(number) {}

  /// "he", "truncated_normal", "truncated_normal:0.03". Throws InputError listing what there is, or saying which
  /// numbers may follow.
  static WeightInit parse(std::string_view text);
  std::string text() const;
  Kind kind() const { return kind_; }
  double number() const { return number_; }
  /// What a parameter is drawn from. Throws InputError for a number that is out of range or beyond ±Init::kMost,
  /// and for fans below 1.
  Init init(std::int64_t fan_in, std::int64_t fan_out) const;
  bool operator==(const WeightInit&) const = default;

 private:
  Kind kind_;
  double number_;  // 0 if the kind has none
};

/// One of them, for documentation.
struct WeightInitKind {
  WeightInit::Kind kind;
  std::string_view word;         ///< "truncated_normal"
  std::string_view number;       ///< what the number is, "σ"; empty: there is none
  double usual;                  ///< the number, if none is given
  double least;                  ///< and it must be more than this
  std::string_view formula;      ///< "within ±√(6 / fan_in)"
  std::string_view source;       ///< paper
  std::string_view elsewhere{};  ///< PyTorch | Keras
};
std::span<const WeightInitKind> weight_inits();

}  // namespace chalk
