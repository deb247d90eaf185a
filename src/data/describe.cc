#include "chalkgrad/describe.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <map>
#include <optional>
#include <unordered_map>

#include "src/base/text.h"

namespace chalk {
namespace {

constexpr int kSide = 8;               // of a thumbnail
constexpr double kHardlyAnything = 8;  // deviation of a thumbnail's levels

bool is_picture(const Dataset& data) { return data.sample.size() == 3; }

std::size_t channels_of(const Dataset& data) {
  if (is_picture(data)) return static_cast<std::size_t>(data.sample[0]);
  return static_cast<std::size_t>(elements(data.sample));
}

/// Element i of a sample.
double element(const Dataset& data, std::size_t sample, std::size_t each, std::size_t i) {
  const auto at = sample * each + i;
  return data.bytes.empty() ? static_cast<double>(data.values[at]) : data.bytes[at];
}

std::vector<ChannelSummary> channels(const Dataset& data) {
  const auto each = static_cast<std::size_t>(elements(data.sample)), count = channels_of(data), plane = each / count;
  std::vector<ChannelSummary> all;
  for (std::size_t c = 0; c < count; ++c) {
    const auto visit = [&](auto see) {
      for (std::size_t sample = 0; sample < data.size(); ++sample) {
        for (std::size_t i = c * plane; i < (c + 1) * plane; ++i) see(element(data, sample, each, i));
      }
    };
    const auto number = static_cast<double>(data.size() * plane);
    ChannelSummary summary;
    summary.least = summary.most = element(data, 0, each, c * plane);
    double sum = 0, squares = 0;
    visit([&](double x) {
      sum += x;
      summary.least = std::min(summary.least, x);
      summary.most = std::max(summary.most, x);
    });
    summary.mean = sum / number;
    visit([&](double x) { squares += (x - summary.mean) * (x - summary.mean); });
    summary.deviation = std::sqrt(squares / number);
    all.push_back(summary);
  }
  return all;
}

SampleName name_of(const Split& split, bool test, std::size_t index) {
  const auto& data = test ? split.test : split.train;
  return {test, index, data.files.empty() ? str(test ? "test" : "training", " sample ", index) : data.files[index]};
}

PartSummary part(const Split& split, bool test) {
  const auto& data = test ? split.test : split.train;
  PartSummary summary;
  summary.samples = static_cast<std::int64_t>(data.size());
  summary.of_class.resize(data.class_names.size());
  for (const auto label : data.labels) ++summary.of_class[static_cast<std::size_t>(label)];
  if (data.size() == 0) return summary;
  summary.channels = channels(data);
  if (!is_picture(data)) return summary;
  const auto each = static_cast<std::size_t>(elements(data.sample));
  for (std::size_t sample = 0; sample < data.size(); ++sample) {
    const double first = element(data, sample, each, 0);
    std::size_t i = 1;
    while (i < each && element(data, sample, each, i) == first) ++i;
    if (i == each && each > 1) summary.plain.push_back(name_of(split, test, sample));
  }
  return summary;
}

/// The raw elements of a sample.
std::string_view raw(const Dataset& data, std::size_t sample) {
  const auto each = static_cast<std::size_t>(elements(data.sample));
  if (!data.bytes.empty()) return {reinterpret_cast<const char*>(&data.bytes[sample * each]), each};
  return {reinterpret_cast<const char*>(&data.values[sample * each]), each * sizeof(float)};
}

bool same_answer(const Dataset& a, std::size_t i, const Dataset& b, std::size_t j) {
  if (!a.labels.empty()) return a.labels[i] == b.labels[j];
  const auto each = static_cast<std::size_t>(elements(a.target));
  return std::equal(&a.targets[i * each], &a.targets[i * each] + each, &b.targets[j * each]);
}

/// One picture in few numbers: kSide × kSide of each channel.
using Thumbnail = std::vector<std::uint8_t>;

/// Empty if it says hardly anything.
Thumbnail thumbnail(const Dataset& data, std::size_t sample) {
  const auto each = static_cast<std::size_t>(elements(data.sample)), plane = each / channels_of(data);
  Thumbnail small;
  const int rows = static_cast<int>(data.sample[1]), columns = static_cast<int>(data.sample[2]);
  for (std::size_t c = 0; c < each; c += plane) {
    const auto begin = data.bytes.begin() + static_cast<std::ptrdiff_t>(sample * each + c);
    const auto one =
        fit_image({1, rows, columns, {begin, begin + static_cast<std::ptrdiff_t>(plane)}}, 1, kSide, kSide);
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
      const auto row = i / kSide % kSide, column = i % kSide;
      sums[0] += t[i];
      sums[1] += column < kSide / 2 ? t[i] : -static_cast<double>(t[i]);
      sums[2] += row < kSide / 2 ? t[i] : -static_cast<double>(t[i]);
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

std::vector<Twin> twins(const Split& split) {
  struct Place {
    bool test;
    std::size_t index;
  };
  std::vector<Place> places;
  std::unordered_map<std::string_view, std::size_t> known;
  Neighbours neighbours;
  std::vector<Twin> found;
  for (const bool test : {false, true}) {
    const auto& data = test ? split.test : split.train;
    const bool thumbnails =
        is_picture(data) && !data.bytes.empty() && data.sample[1] >= kSide && data.sample[2] >= kSide;
    for (std::size_t i = 0; i < data.size(); ++i) {
      const auto [equal, is_new] = known.emplace(raw(data, i), places.size());
      auto small = thumbnails ? thumbnail(data, i) : Thumbnail();
      std::optional<std::size_t> other;
      if (!is_new)
        other = equal->second;
      else if (!small.empty())
        other = neighbours.find(small);
      if (other) {
        const auto& [of_test, index] = places[*other];
        found.push_back({name_of(split, of_test, index), name_of(split, test, i), !is_new,
                         same_answer(of_test ? split.test : split.train, index, data, i)});
      }
      neighbours.add(std::move(small));
      places.push_back({test, i});
    }
  }
  return found;
}

}  // namespace

DataSummary describe(const Split& data) { return {part(data, false), part(data, true), twins(data)}; }

}  // namespace chalk
