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
  /// Of the list, whose formulas and sources are in docs/reference: he, glorot, orthogonal, …
  enum Kind : std::uint8_t {
#define CHALK_WEIGHT_INIT(name) name,
#include "chalkgrad/weight_inits.inc"
#undef CHALK_WEIGHT_INIT
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

/// One of them.
struct WeightInitKind {
  std::string_view number{};     ///< what the number is, "σ"; empty: there is none
  double usual = 0;              ///< the number, if none is given
  double least = 0;              ///< and it must be more than this
  std::string_view formula{};    ///< for people to read: "within ±√(6 / fan_in)"
  std::string_view source{};     ///< paper; may be empty
  std::string_view elsewhere{};  ///< PyTorch | Keras
  Init (*init)(double fan_in, double fan_out, double number) = nullptr;
  WeightInit::Kind kind{};
  std::string_view word{};  ///< "truncated_normal"
};
/// In the order of the list.
std::span<const WeightInitKind> weight_inits();

}  // namespace chalk
