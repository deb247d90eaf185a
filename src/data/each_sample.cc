#include "src/data/each_sample.h"

#include <algorithm>

#include "src/base/read_ahead.h"
#include "src/base/threads.h"

namespace chalk {

std::size_t items_in(std::size_t bytes, std::size_t size, std::uint64_t there_are) {
  return static_cast<std::size_t>(std::clamp<std::uint64_t>(bytes / size, 1, std::max<std::uint64_t>(1, there_are)));
}

void for_each_sample(const Dataset& data, const std::function<void(std::size_t, std::span<const std::uint8_t>)>& see) {
  constexpr std::size_t kAhead = 8 << 20;  // bytes
  const auto each = static_cast<std::size_t>(elements(data.sample)), samples = data.places.size();
  if (!data.store) {
    for (std::size_t i = 0; i < data.bytes.size() / each; ++i) see(i, std::span(data.bytes).subspan(i * each, each));
    return;
  }
  // This thread makes items, too, wherever the others fall behind.
  ReadAhead ahead({.item = each, .items = items_in(kAhead, each, samples), .end = samples}, available_threads(),
                  [&](std::uint64_t i, std::uint8_t* to) { data.read(static_cast<std::size_t>(i), to); });
  for (std::size_t i = 0; i < samples; ++i) {
    see(i, {ahead.item(i), each});
    ahead.go_to(i + 1);
  }
}

}  // namespace chalk
