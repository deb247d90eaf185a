// Parameters that are trained otherwise than the rest.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace chalk {

/// What holds for the parameters whose names match a pattern: what it does not say stays as it is for all. Where
/// several groups match a parameter, each says what it says, and of two that say the same thing the later one counts.
struct ParameterGroup {
  std::string pattern;                ///< of names: * stands for any characters, ? for one; "conv*.weight"
  std::optional<double> lr_factor{};  ///< > 0: their learning rate is that of the step times this
  std::optional<double>
      weight_decay{};            ///< >= 0: instead of the optimizer's, which must have one; of biases and scales, too
  std::optional<bool> frozen{};  ///< they keep their values: no update, no state, no gradient
  std::optional<std::int64_t>
      epochs{};  ///< 1 … 1,000,000: in so many epochs they are trained, from then on their rate is 0

  /// "conv*.weight: lr_factor=0.1, weight_decay=0; *.bias: frozen": any number of groups, none if it is empty. Throws
  /// InputError saying how they are written.
  static std::vector<ParameterGroup> parse(std::string_view text);
  /// What parse() reads as these groups. Throws InputError for a pattern that has : or ; in it or a space at an end.
  static std::string text(std::span<const ParameterGroup> groups);
  bool operator==(const ParameterGroup&) const = default;
};

}  // namespace chalk
