// All samples of a data set that are bytes, one after the other, wherever they are.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "chalkgrad/data.h"

namespace chalk {

/// Calls see(its number, its bytes) for each sample, in their order and on this thread. Of a set that is not in memory,
/// several threads read ahead, and no more than a few megabytes are held. Throws InputError as Dataset::read() does.
void for_each_sample(const Dataset& data, const std::function<void(std::size_t, std::span<const std::uint8_t>)>& see);

/// How many items of `size` bytes make up so many bytes; one at least, and no more than there are.
std::size_t items_in(std::size_t bytes, std::size_t size, std::uint64_t there_are);

}  // namespace chalk
