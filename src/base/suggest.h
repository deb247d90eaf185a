// "did you mean …?" for words that are not known.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace chalk {

/// The known word nearest to `word`, if it may be what was meant, otherwise "". Letter case counts for little.
std::string nearest(std::string_view word, std::span<const std::string_view> known);

/// `; did you mean "relu"?`, or nothing.
std::string did_you_mean(std::string_view word, std::span<const std::string_view> known);

}  // namespace chalk
