#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "chalkgrad/data.h"
#include "chalkgrad/error.h"
#include "src/base/random.h"
#include "src/base/text.h"

namespace chalk {
namespace {

/// Which samples are taken: a permutation by counter decides.
std::vector<bool> taken(std::size_t samples, std::size_t count) {
  std::vector<std::uint32_t> order(samples);
  std::iota(order.begin(), order.end(), 0U);
  Random random(0, hash_name("hold out"));
  std::vector<bool> is_taken(samples, false);
  for (std::size_t i = 0; i < count; ++i) {
    std::swap(order[i], order[i + random.below(static_cast<std::uint32_t>(samples - i))]);
    is_taken[order[i]] = true;
  }
  return is_taken;
}

/// The elements of those samples for which `is_taken` is `wanted`.
template <class T>
std::vector<T> chosen(const std::vector<T>& all, const std::vector<bool>& is_taken, bool wanted) {
  std::vector<T> some;
  const std::size_t each = all.size() / is_taken.size();
  some.reserve(each * static_cast<std::size_t>(std::ranges::count(is_taken, wanted)));
  for (std::size_t i = 0; i < is_taken.size() && each > 0; ++i) {
    if (is_taken[i] == wanted) some.insert(some.end(), &all[i * each], &all[i * each] + each);
  }
  return some;
}

}  // namespace

Split hold_out(const Dataset& data, double share) {
  if (!(share > 0 && share < 1))
    throw InputError(str("the share to hold out is ", share, "; it must be above 0 and below 1"));
  const auto samples = data.size();
  if (samples < 2) throw InputError(str(data.name, ": ", samples, " samples are too few to hold some of them out"));
  const auto wanted = static_cast<std::size_t>(std::llround(share * static_cast<double>(samples)));
  const auto is_taken = taken(samples, std::clamp<std::size_t>(wanted, 1, samples - 1));
  Split split;
  for (const bool test : {true, false}) {
    Dataset& part = test ? split.test : split.train;
    part = {.name = data.name,
            .sample = data.sample,
            .bytes = chosen(data.bytes, is_taken, test),
            .store = data.store,
            .places = chosen(data.places, is_taken, test),
            .values = chosen(data.values, is_taken, test),
            .scale = data.scale,
            .shift = data.shift,
            .labels = chosen(data.labels, is_taken, test),
            .targets = chosen(data.targets, is_taken, test),
            .target = data.target,
            .class_names = data.class_names,
            .files = chosen(data.files, is_taken, test)};
  }
  return split;
}

}  // namespace chalk
