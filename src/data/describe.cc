#include "chalkgrad/describe.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <unordered_map>

#include "src/base/text.h"
#include "src/data/each_sample.h"
#include "src/files/sha256.h"

namespace chalk {
namespace {

constexpr int kThumbnail = 8;          // its height and width
constexpr double kHardlyAnything = 8;  // deviation of a thumbnail's levels

bool is_picture(const Dataset& data) { return data.sample.size() == 3; }

std::size_t channels_of(const Dataset& data) {
  if (is_picture(data)) return static_cast<std::size_t>(data.sample[0]);
  return static_cast<std::size_t>(elements(data.sample));
}

/// Calls see(its number, its elements) for each sample; bytes come as such.
template <class See>
void for_each(const Dataset& data, See see) {
  if (data.has_bytes()) return for_each_sample(data, see);
  const auto each = static_cast<std::size_t>(elements(data.sample));
  for (std::size_t i = 0; i < data.size(); ++i) see(i, std::span(data.numbers(i), each));
}

/// What is known of a channel so far. Sums of bytes are exact.
struct Sums {
  double least = 0, most = 0;
  std::uint64_t once = 0, squared = 0;  // of bytes
  double mean = 0, squares = 0;         // of numbers, by Welford's method
  std::int64_t number = 0;

  void add(std::uint8_t byte) {
    once += byte;
    squared += std::uint64_t{byte} * byte;
    see(byte);
  }
  void add(float value) {
    const auto x = static_cast<double>(value), before = x - mean;
    mean += before / static_cast<double>(number + 1);
    squares += before * (x - mean);
    see(x);
  }
  ChannelSummary summary(bool bytes) const {
    const auto n = static_cast<double>(number);
    if (!bytes) return {mean, std::sqrt(squares / n), least, most};
    const double m = static_cast<double>(once) / n;
    return {m, std::sqrt(std::max(0.0, static_cast<double>(squared) / n - m * m)), least, most};
  }

 private:
  void see(double x) {
    least = number == 0 ? x : std::min(least, x);
    most = number == 0 ? x : std::max(most, x);
    ++number;
  }
};

SampleName name_of(const Split& split, bool test, std::size_t index) {
  const auto& data = test ? split.test : split.train;
  auto file = data.file(index);
  return {test, index, file.empty() ? str(test ? "test" : "training", " sample ", index) : std::move(file)};
}

bool same_answer(const Dataset& a, std::size_t i, const Dataset& b, std::size_t j) {
  if (!a.labels.empty()) return a.labels[i] == b.labels[j];
  const auto each = static_cast<std::size_t>(elements(a.target));
  return std::equal(&a.targets[i * each], &a.targets[i * each] + each, &b.targets[j * each]);
}

/// One picture in few numbers: kThumbnail × kThumbnail of each channel.
using Thumbnail = std::vector<std::uint8_t>;

/// Of a picture of bytes; empty if it says hardly anything.
Thumbnail thumbnail(const Shape& shape, std::span<const std::uint8_t> picture) {
  const auto plane = picture.size() / static_cast<std::size_t>(shape[0]);
  Thumbnail small;
  for (std::size_t c = 0; c < picture.size(); c += plane) {
    const auto channel = picture.subspan(c, plane);
    const Image image{1, static_cast<int>(shape[1]), static_cast<int>(shape[2]), {channel.begin(), channel.end()}};
    const auto one = fit_image(image, 1, kThumbnail, kThumbnail);
    small.insert(small.end(), one.begin(), one.end());
  }
  double sum = 0, squares = 0;
  for (const double level : small) {
    sum += level;
    squares += level * level;
  }
  const auto number = static_cast<double>(small.size());
  const double mean = sum / number;
  if (squares / number - mean * mean < kHardlyAnything * kHardlyAnything) return {};
  return small;
}

/// Finds a thumbnail that differs by at most kNearlyEqual in the mean. Then the means of both differ by no more, and so
/// do those of left and right less each other, and of top and bottom, by twice as much: these three make a grid, and
/// only neighbours in it are compared.
class Neighbours {
 public:
  /// The first of those that were added and is near, with its number.
  std::optional<std::size_t> find(const Thumbnail& wanted) const {
    std::optional<std::size_t> first;
    const auto centre = cell(wanted);
    for (int a = -1; a <= 1; ++a) {
      for (int b = -1; b <= 1; ++b) {
        for (int c = -1; c <= 1; ++c) {
          const auto found = cells_.find(key({centre[0] + a, centre[1] + b, centre[2] + c}));
          if (found == cells_.end()) continue;
          for (const auto number : found->second) {
            if (first && number >= *first) break;
            if (is_near(wanted, thumbnails_[number])) first = number;
          }
        }
      }
    }
    return first;
  }
  /// Numbers go up from 0; an empty one is never found.
  void add(Thumbnail thumbnail) {
    if (!thumbnail.empty()) cells_[key(cell(thumbnail))].push_back(thumbnails_.size());
    thumbnails_.push_back(std::move(thumbnail));
  }

 private:
  using Cell = std::array<int, 3>;

  static Cell cell(const Thumbnail& t) {
    std::array<double, 3> sums = {};
    for (std::size_t i = 0; i < t.size(); ++i) {
      const auto row = i / kThumbnail % kThumbnail, column = i % kThumbnail;
      sums[0] += t[i];
      sums[1] += column < kThumbnail / 2 ? t[i] : -static_cast<double>(t[i]);
      sums[2] += row < kThumbnail / 2 ? t[i] : -static_cast<double>(t[i]);
    }
    const auto width = kNearlyEqual * static_cast<double>(t.size());
    Cell at = {};
    for (std::size_t i = 0; i < at.size(); ++i) at[i] = static_cast<int>(std::floor(sums[i] / width));
    return at;
  }
  static std::uint64_t key(const Cell& cell) {
    std::uint64_t key = 0;
    for (const int i : cell) key = key << 20U | static_cast<std::uint64_t>(i + (1 << 19));
    return key;
  }
  static bool is_near(const Thumbnail& a, const Thumbnail& b) {
    const auto most = static_cast<int>(kNearlyEqual * static_cast<double>(a.size()));
    int difference = 0;
    for (std::size_t i = 0; i < a.size() && difference <= most; ++i) {
      const int here = std::abs(a[i] - b[i]);
      difference += here <= kNearlyEqualAnywhere ? here : most + 1;
    }
    return difference <= most;
  }

  std::vector<Thumbnail> thumbnails_;
  std::unordered_map<std::uint64_t, std::vector<std::size_t>> cells_;
};

/// Finds samples that are those before them, or nearly.
class Twins {
 public:
  explicit Twins(const Split& split) : split_(split) {}

  template <class T>
  void add(bool test, std::size_t i, std::span<const T> sample) {
    const auto& data = part(test);
    const std::span raw(reinterpret_cast<const std::uint8_t*>(sample.data()), sample.size_bytes());
    // By its SHA-256, as not all samples are in memory.
    const auto [equal, is_new] = known_.emplace(sha256(raw), places_.size());
    Thumbnail small;
    if constexpr (sizeof(T) == 1) {
      if (is_picture(data) && data.sample[1] >= kThumbnail && data.sample[2] >= kThumbnail)
        small = thumbnail(data.sample, sample);
    }
    std::optional<std::size_t> other;
    if (!is_new)
      other = equal->second;
    else if (!small.empty())
      other = neighbours_.find(small);
    if (other) {
      const auto& [of_test, index] = places_[*other];
      found.push_back({name_of(split_, of_test, index), name_of(split_, test, i), !is_new,
                       same_answer(part(of_test), index, data, i)});
    }
    neighbours_.add(std::move(small));
    places_.push_back({test, i});
  }

  std::vector<Twin> found;

 private:
  struct Place {
    bool test;
    std::size_t index;
  };
  const Dataset& part(bool test) const { return test ? split_.test : split_.train; }

  const Split& split_;
  std::vector<Place> places_;
  std::unordered_map<std::string, std::size_t> known_;
  Neighbours neighbours_;
};

}  // namespace

DataSummary describe(const Split& split) {
  DataSummary summary;
  Twins twins(split);
  for (const bool test : {false, true}) {
    const auto& data = test ? split.test : split.train;
    auto& part = test ? summary.test : summary.train;
    part.samples = static_cast<std::int64_t>(data.size());
    part.of_class.resize(data.class_names.size());
    for (const auto label : data.labels) ++part.of_class[static_cast<std::size_t>(label)];
    if (data.size() == 0) continue;
    std::vector<Sums> sums(channels_of(data));
    for_each(data, [&](std::size_t i, auto sample) {
      const auto plane = sample.size() / sums.size();
      for (std::size_t c = 0; c < sums.size(); ++c) {
        for (const auto x : sample.subspan(c * plane, plane)) sums[c].add(x);
      }
      const bool plain = std::ranges::all_of(sample, [&](auto x) { return x == sample[0]; });
      if (plain && sample.size() > 1 && is_picture(data)) part.plain.push_back(name_of(split, test, i));
      twins.add(test, i, sample);
    });
    for (const auto& sum : sums) part.channels.push_back(sum.summary(data.has_bytes()));
  }
  summary.twins = std::move(twins.found);
  return summary;
}

}  // namespace chalk
