#include "src/data/arrays.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <numeric>
#include <utility>

#include "chalkgrad/error.h"
#include "src/base/reading.h"
#include "src/base/text.h"
#include "src/base/wording.h"
#include "src/data/array_store.h"
#include "src/data/class_words.h"

namespace chalk {
namespace {

constexpr std::size_t kChannelsLast = 2;  // ArrayOptions::layout
constexpr std::int64_t kMostClasses = 1'000'000;

/// How well an extent would be that of channels: grey and colour are the most usual.
int likely_channels(std::int64_t extent) { return extent == 1 || extent == 3 ? 2 : extent == 2 || extent == 4 ? 1 : 0; }

/// Whether samples of three axes have the channels as their last one.
bool channels_last(const Shape& sample, const NamedArray& x, const ArrayOptions& own, Split& split) {
  if (own.layout != 0) return own.layout == kChannelsLast;
  const auto first = likely_channels(sample[0]), last = likely_channels(sample[2]);
  if (first == last) {
    throw InputError(str(x.name, ": samples of ", to_string(sample),
                         " may be channels×rows×columns or rows×columns×channels; "
                         "say it by the option layout=nchw or layout=nhwc"));
  }
  const bool is_last = last > first;
  const auto remark =
      str("samples of ", to_string(sample), " were taken for ",
          is_last ? "rows×columns×channels" : "channels×rows×columns", " (layout=", is_last ? "nhwc)" : "nchw)");
  if (std::ranges::find(split.remarks, remark) == split.remarks.end()) split.remarks.push_back(remark);
  return is_last;
}

/// From rows × columns × channels to channels × rows × columns, sample by sample.
template <class T>
void turn_samples(std::vector<T>& elements, std::size_t channels, std::size_t plane) {
  std::vector<T> sample(channels * plane);
  for (std::size_t begin = 0; begin < elements.size(); begin += sample.size()) {
    put_channels_first(&elements[begin], channels, plane, sample.data());
    std::ranges::copy(sample, elements.begin() + static_cast<std::ptrdiff_t>(begin));
  }
}

/// Whether there is one for each sample, whatever axes of 1 follow.
bool one_each(const Array& y) {
  return std::all_of(y.shape.begin() + 1, y.shape.end(), [](auto extent) { return extent == 1; });
}

}  // namespace

void ArrayOptions::visit_arrays(FieldVisitor& v) {
  static constexpr std::array layouts = {Word{"auto", "channels are 1 or 3, or else 2 or 4"},
                                         Word{"nchw", "channels, rows, columns"},
                                         Word{"nhwc", "rows, columns, channels"}};
  v.choice({"layout", {}, "the axes of images"}, layouts, layout);
  v.field({"shape",
           [](const std::string& text) {
             for (const auto part : split(text, 'x')) {
               const auto extent = number_in<std::int64_t>(part);
               if (extent && *extent >= 1 && *extent <= (1 << 20)) continue;
               throw InputError(str("must be a shape such as 1x28x28, not ", in_quotes(text)));
             }
           },
           "the shape of a sample that the array has as a row, as `1x28x28`"},
          shape);
}

Dataset samples_of(NamedArray x, const NamedArray& y, const ArrayOptions& own, const std::string& source, Split& split,
                   std::vector<ByteMoments>* moments) {
  if (x.array.type == Array::Type::words) {
    throw InputError(str(x.name, ": holds texts, where numbers are samples; give the array of the samples"));
  }
  for (const auto* each : {static_cast<const NamedArray*>(&x), &y}) {
    if (each->array.shape.empty() || each->array.shape[0] == 0) {
      throw InputError(str(each->name, ": has no samples; its first axis must count them"));
    }
  }
  if (x.array.shape[0] != y.array.shape[0]) {
    throw InputError(str(
        y.name, ": has ", grouped(static_cast<std::uint64_t>(y.array.shape[0])), " labels or targets, but ", x.name,
        " has ", grouped(static_cast<std::uint64_t>(x.array.shape[0])), " samples; the arrays do not belong together"));
  }
  Dataset data;
  data.name = source;
  Shape sample(x.array.shape.begin() + 1, x.array.shape.end());
  if (!own.shape.empty()) {
    Shape given;
    for (const auto part : chalk::split(own.shape, 'x')) given.push_back(*number_in<std::int64_t>(part));
    if (elements(given) != elements(sample)) {
      throw InputError(str(x.name, ": has samples of ", to_string(sample), ", which are not ", to_string(given), " = ",
                           elements(given), "; correct the option shape"));
    }
    sample = given;
  }
  if (elements(sample) == 0)
    throw InputError(str(x.name, ": has samples of ", to_string(sample), ", which hold nothing; give others"));
  data.bytes = std::move(x.array.bytes);
  data.values.reserve(x.array.numbers.size());
  for (const double number : x.array.numbers) data.values.push_back(static_cast<float>(number));
  x.array.numbers = {};
  if (sample.empty()) sample = {1};
  const bool turned = sample.size() == 3 && channels_last(sample, x, own, split);
  if (sample.size() == 2) {
    sample.insert(sample.begin(), 1);
  } else if (turned) {
    const auto channels = static_cast<std::size_t>(sample[2]), plane = static_cast<std::size_t>(sample[0] * sample[1]);
    turn_samples(data.bytes, channels, plane);
    turn_samples(data.values, channels, plane);
    sample = {sample[2], sample[0], sample[1]};
  }
  data.sample = sample;
  if (x.stored) {
    const auto store = std::make_shared<ArrayStore>(std::move(*x.stored), sample, turned, x.name);
    if (moments) *moments = store->moments();
    data.store = store;
    data.places.resize(static_cast<std::size_t>(x.array.shape[0]));
    std::iota(data.places.begin(), data.places.end(), 0U);
  }
  const auto& answers = y.array;
  const bool whole = answers.type == Array::Type::bytes || answers.type == Array::Type::whole;
  if (answers.type == Array::Type::words && !one_each(answers)) {
    throw InputError(str(y.name, ": has ", to_string(answers.shape), " texts; give one for each sample, its class"));
  }
  if (answers.type == Array::Type::words || (whole && one_each(answers))) {
    for (std::size_t i = 0; i < answers.size(); ++i) {
      const auto label = answers.number(i);
      if (label < 0 || label >= static_cast<double>(kMostClasses)) {
        throw InputError(str(y.name, ": sample ", grouped(i), " has the label ", label, "; labels count from 0, up to ",
                             grouped(kMostClasses - 1)));
      }
      data.labels.push_back(static_cast<std::int32_t>(label));
    }
    return data;
  }
  data.target = Shape(answers.shape.begin() + 1, answers.shape.end());
  if (data.target.empty()) data.target = {1};
  for (std::size_t i = 0; i < answers.size(); ++i) data.targets.push_back(static_cast<float>(answers.number(i)));
  return data;
}

void name_classes(Split& split, const NamedArray& train, const NamedArray& test, const LoadOptions& options,
                  const std::vector<std::string>& names) {
  const bool in_words = train.array.type == Array::Type::words || test.array.type == Array::Type::words;
  if (in_words) {
    ClassWords classes(options.classes);
    const auto number = [&](const NamedArray& y, Dataset& part) {
      if (!y.array.words.empty()) part.labels.clear();
      for (std::size_t i = 0; i < y.array.words.size(); ++i)
        part.labels.push_back(classes.number(y.array.words[i], str(y.name, ": sample ", grouped(i))));
    };
    number(train, split.train);
    std::vector<std::int32_t> none;
    if (!train.array.words.empty()) classes.sort_and_fix(split.train.labels);
    number(test, split.test);
    classes.sort_and_fix(split.test.labels);
    for (auto* part : {&split.train, &split.test}) part->class_names = classes.names();
    return;
  }
  if (split.train.labels.empty() && split.test.labels.empty()) return;
  auto all = names;
  const auto& known = split.train.labels.empty() ? split.test.labels : split.train.labels;
  if (all.empty()) {
    const auto classes = *std::ranges::max_element(known) + 1;
    for (std::int32_t c = 0; c < classes; ++c) all.push_back(std::to_string(c));
  }
  for (const auto& [y, part] : {std::pair(&train, &split.train), {&test, &split.test}}) {
    const auto wrong = std::ranges::find_if(part->labels, [&](auto label) { return label >= std::ssize(all); });
    if (wrong != part->labels.end()) {
      throw InputError(str(y->name, ": sample ", grouped(static_cast<std::uint64_t>(wrong - part->labels.begin())),
                           " has the label ", *wrong, ", but the classes end at ", all.size() - 1,
                           "; the arrays do not belong together"));
    }
    part->class_names = all;
  }
}

}  // namespace chalk
