// NaN and infinity, looked for.
#pragma once

#include <span>

namespace chalk {

/// The first place of a value that is NaN or infinite; values.size() if all are finite. Costs no more than reading
/// them.
std::size_t first_not_finite(std::span<const float> values);

}  // namespace chalk
