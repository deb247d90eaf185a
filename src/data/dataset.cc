#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "chalkgrad/data.h"
#include "chalkgrad/error.h"
#include "src/base/text.h"
#include "src/base/wording.h"
#include "src/base/xxh64.h"
#include "src/data/each_sample.h"
#include "src/files/sha256.h"

namespace chalk {
namespace {

// Number of elements; refuses extents below 1 and products too large for any memory.
std::size_t counted(const Shape& shape, const std::string& where) {
  constexpr std::int64_t kMost = std::int64_t{1} << 40U;
  std::int64_t product = 1;
  for (const auto extent : shape) {
    if (extent < 1 || extent > kMost / product) {
      throw InputError(str(where, " has the impossible shape ", to_string(shape), "; every extent must be at least 1"));
    }
    product *= extent;
  }
  return static_cast<std::size_t>(product);
}

void check_finite(std::span<const float> numbers, std::size_t each, const std::string& where, std::size_t first = 0) {
  const auto bad = std::ranges::find_if(numbers, [](float x) { return !std::isfinite(x); });
  if (bad != numbers.end()) {
    const auto at = static_cast<std::size_t>(bad - numbers.begin());
    throw InputError(str(where, ": sample ", first + at / each, " holds ", *bad, " at element ", at % each,
                         "; replace or leave out samples that are not finite"));
  }
}

void check_inputs(const Dataset& data) {
  const auto each = counted(data.sample, data.name + ": a sample");
  const int kinds =
      (data.bytes.empty() ? 0 : 1) + (data.values.empty() ? 0 : 1) + (data.store ? 1 : 0) + (data.lent ? 1 : 0);
  if (kinds > 1) throw InputError(str(data.name, ": has both bytes and values; give one of them"));
  const bool images = data.has_bytes();
  const auto found = data.store || data.lent ? data.places.size() * each
                     : images                ? data.bytes.size()
                                             : data.values.size();
  if (found % each != 0 || found / each != data.size()) {
    throw InputError(str(data.name, ": ", grouped(data.size()), " samples of ", to_string(data.sample), " need ",
                         grouped(data.size() * each), images ? " bytes" : " values", ", found ", grouped(found),
                         "; give as many inputs as labels or targets"));
  }
  const auto channels = data.sample.empty() ? std::size_t{1} : static_cast<std::size_t>(data.sample[0]);
  const bool as_they_are = !images && !data.per_sample && data.scale.empty() && data.shift.empty();
  if (!as_they_are && (data.scale.size() != channels || data.shift.size() != channels)) {
    throw InputError(str(data.name, ": ", data.scale.size(), " scales and ", data.shift.size(), " shifts for ",
                         channels, images ? " channels of bytes" : " channels of values",
                         "; give one of each a channel", images ? "" : ", or none to use values as they are"));
  }
  check_finite(data.scale, 1, data.name + ": scale");
  check_finite(data.shift, 1, data.name + ": shift");
  check_finite(data.values, each, data.name);
  if (!data.lent) return;
  for (std::size_t i = 0; i < data.size(); ++i) check_finite({data.numbers(i), each}, each, data.name, i);
}

void check_weights(const Dataset& data) {
  const auto& weights = data.weights;
  if (weights.empty()) return;
  if (weights.size() != data.size()) {
    throw InputError(str(data.name, ": ", grouped(weights.size()), " weights for ", grouped(data.size()),
                         " samples; give one for each, or none"));
  }
  const auto bad = std::ranges::find_if(weights, [](float w) { return !std::isfinite(w) || w < 0; });
  if (bad != weights.end()) {
    throw InputError(str(data.name, ": sample ", grouped(static_cast<std::uint64_t>(bad - weights.begin())),
                         " has the weight ", *bad, "; it must be a number of at least 0"));
  }
  if (std::ranges::all_of(weights, [](float w) { return w == 0; }))
    throw InputError(str(data.name, ": all weights are 0, so that no sample counts; make one of them larger"));
}

void check_outputs(const Dataset& data) {
  if (!data.labels.empty() && !data.targets.empty()) {
    throw InputError(str(data.name, ": has both labels and targets; give one of them"));
  }
  if (data.labels.empty()) {
    const auto each = counted(data.target, data.name + ": a target");
    if (data.targets.size() % each != 0) {
      throw InputError(str(data.name, ": ", grouped(data.targets.size()), " target values are no multiple of ", each,
                           ", the size of one target; give a whole target for every sample"));
    }
    check_finite(data.targets, each, data.name + ": targets");
  }
  const auto classes = static_cast<std::int64_t>(data.class_names.size());
  const auto wrong = std::ranges::find_if(data.labels, [&](auto label) { return label < 0 || label >= classes; });
  if (wrong != data.labels.end()) {
    throw InputError(str(data.name, ": sample ", grouped(static_cast<std::uint64_t>(wrong - data.labels.begin())),
                         " has label ", *wrong, " but there are ", classes, " class names; labels count from 0"));
  }
}

}  // namespace

void PictureStore::read_part(std::uint32_t, const Choose&, std::uint8_t*) const {
  throw std::logic_error("PictureStore::read_part() of pictures that are in no files");
}

std::size_t Dataset::size() const {
  return labels.empty() ? targets.size() / std::max<std::size_t>(1, static_cast<std::size_t>(elements(target)))
                        : labels.size();
}

const float* Dataset::numbers(std::size_t index) const {
  const auto each = static_cast<std::size_t>(elements(sample));
  return lent ? lent.get() + places[index] * each : &values[index * each];
}

void Dataset::read(std::size_t index, std::uint8_t* to) const {
  if (store) return store->read(places[index], to);
  const auto each = static_cast<std::size_t>(elements(sample));
  std::copy_n(&bytes[index * each], each, to);
}

std::string Dataset::file(std::size_t index) const {
  if (originals) return originals->file(places[index]);
  if (store) return store->file(places[index]);
  return files.empty() ? std::string() : files[index];
}

namespace {

std::span<const std::uint8_t> raw(const float* numbers, std::size_t count) {
  return {reinterpret_cast<const std::uint8_t*>(numbers), count * sizeof(float)};
}

/// SHA-256 of several members, each with its size.
class Members {
 public:
  template <class T>
  void add(const std::vector<T>& numbers) {
    const std::span bytes(reinterpret_cast<const std::uint8_t*>(numbers.data()), std::span(numbers).size_bytes());
    hash.update(std::uint64_t{numbers.size()}).update(bytes);
  }
  /// All but the samples.
  void add_rest(const Dataset& data) {
    add(data.scale), add(data.shift), add(data.labels), add(data.targets), add(data.target);
    hash.update(std::uint64_t{data.class_names.size()});
    if (data.per_sample) hash.update(std::uint64_t{1});  // as older programs did without
    if (!data.weights.empty()) add(data.weights);
  }
  Sha256 hash;
};

/// As programs had it that wrote no version before it.
std::string first_digest(const Dataset& data) {
  Members all;
  all.add(data.sample);
  if (data.store) {
    all.hash.update(std::uint64_t{data.places.size() * static_cast<std::size_t>(elements(data.sample))});
    for_each_sample(data, [&](std::size_t, std::span<const std::uint8_t> picture) { all.hash.update(picture); });
  } else {
    all.add(data.bytes);
  }
  if (data.lent) {
    const auto each = static_cast<std::size_t>(elements(data.sample));
    all.hash.update(std::uint64_t{data.places.size() * each});
    for (std::size_t i = 0; i < data.places.size(); ++i) all.hash.update(raw(data.numbers(i), each));
  } else {
    all.add(data.values);
  }
  all.add_rest(data);
  return all.hash.hex();
}

/// Of each piece of so many bytes.
std::vector<std::uint64_t> hashes_of(std::span<const std::uint8_t> bytes, std::size_t piece) {
  std::vector<std::uint64_t> hashes;
  for (; !bytes.empty(); bytes = bytes.subspan(std::min(piece, bytes.size())))
    hashes.push_back(xxh64(bytes.first(std::min(piece, bytes.size()))));
  return hashes;
}

/// Of each sample.
std::vector<std::uint64_t> hashes_of(const Dataset& data) {
  const auto each = std::max<std::size_t>(1, static_cast<std::size_t>(elements(data.sample)));
  std::vector<std::uint64_t> hashes;
  hashes.reserve(data.places.size());
  if (data.lent) {
    for (std::size_t i = 0; i < data.places.size(); ++i) hashes.push_back(xxh64(raw(data.numbers(i), each)));
    return hashes;
  }
  if (!data.store) {
    return data.bytes.empty() ? hashes_of(raw(data.values.data(), data.values.size()), each * sizeof(float))
                              : hashes_of(data.bytes, each);
  }
  for (const auto place : data.places) {
    const auto known = data.store->hash(place);
    if (!known) break;
    hashes.push_back(*known);
  }
  if (hashes.size() == data.places.size()) return hashes;
  hashes.resize(data.places.size());
  for_each_sample(data, [&](std::size_t i, std::span<const std::uint8_t> picture) { hashes[i] = xxh64(picture); });
  return hashes;
}

constexpr std::string_view kSecondDigest = "2:";

}  // namespace

std::string Dataset::digest() const {
  Members all;
  all.add(sample);
  all.hash.update(std::uint64_t{has_bytes()});
  all.add(hashes_of(*this));
  all.add_rest(*this);
  return str(kSecondDigest, all.hash.hex());
}

bool Dataset::has_digest(std::string_view digest) const {
  return digest == (digest.starts_with(kSecondDigest) ? this->digest() : first_digest(*this));
}

void Dataset::check() const {
  check_outputs(*this);
  if (size() == 0) throw InputError(str(name, ": has no samples; give at least one with its label or target"));
  check_inputs(*this);
  check_weights(*this);
}

}  // namespace chalk
