#include "src/augmentations/augmenter.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <memory>
#include <numeric>
#include <string>

#include "src/base/text.h"
#include "src/base/threads.h"

namespace chalk {
namespace {

/// What one of that name, and the how-manyeth of it, draws from. So a list may grow and shrink, and others stay.
std::uint64_t key_of(std::uint64_t seed, std::string_view name, int number) {
  Random random(seed, hash_name(str("augmentation ", name, " ", number)));
  const std::uint64_t first = random.bits();
  return first << 32 | random.bits();
}

Draws draws_of(std::uint64_t key, std::uint32_t row, std::uint64_t epoch) {
  constexpr std::uint64_t kAlways = 0xFFFFFFFF;  // an epoch that is none
  return {Random(key, epoch << 32 | row), Random(key, kAlways << 32 | row), epoch};
}

}  // namespace

Augmenter::Augmenter(const Dataset& data, const Augmentations& augmentations, std::uint64_t seed, int threads)
    : data_(data),
      size_(static_cast<std::size_t>(elements(data.sample))),
      memory_(augmentations.mixes() ? 2 * size_ : size_, threads) {
  augmentations.check(data);
  std::map<std::string_view, int> numbers;
  for (const auto& one : augmentations.list()) {
    const auto& definition = definition_of(one);
    auto& steps = definition.mix ? mixers_ : steps_;
    steps.push_back({&definition, one.parameters(), key_of(seed, one.name(), ++numbers[one.name()])});
  }
  if (augmentations.of_files()) of_file_ = steps_[0].definition->of_file;
  for (std::size_t c = 0; c < data.scale.size(); ++c) means_.push_back(mean_byte(data.scale[c], data.shift[c]));
}

/// With which row a sample is mixed, by what, and the random numbers for that.
struct Augmenter::Mixture {
  const Step* mixer;
  std::uint32_t other;
  Random random;
};

Picture Augmenter::picture_at(Byte* pixels, Byte* spare) const {
  return {.channels = static_cast<std::size_t>(data_.sample[0]),
          .rows = static_cast<std::size_t>(data_.sample[1]),
          .columns = static_cast<std::size_t>(data_.sample[2]),
          .pixels = pixels,
          .spare = spare,
          .means = means_};
}

void Augmenter::begin(std::uint32_t row, std::uint64_t epoch, Byte* to) const {
  if (!of_file_) return data_.read(row, to);
  const auto& step = steps_[0];
  auto draws = draws_of(step.key, row, epoch);
  const auto choose = [&](std::int64_t rows, std::int64_t columns) {
    return of_file_->part(step.parameters, draws.now, rows, columns);
  };
  data_.originals->read_part(data_.places[row], choose, to);
}

void Augmenter::augment_alone(std::uint32_t row, std::uint64_t epoch, Byte* to, Byte* spare) const {
  Picture picture = picture_at(to, spare);
  begin(row, epoch, to);
  for (const auto& step : std::span(steps_).subspan(of_file_ ? 1 : 0)) {
    auto draws = draws_of(step.key, row, epoch);
    step.definition->apply.value(step.parameters, draws, picture);
  }
  if (picture.pixels != to) std::memcpy(to, picture.pixels, size_);
}

Augmenter::Mixture Augmenter::mixture(std::uint32_t row, std::uint64_t epoch) const {
  for (const auto& mixer : mixers_) {
    auto random = draws_of(mixer.key, row, epoch).now;
    if (!chance(random, mixer.definition->p(mixer.parameters))) continue;
    const auto other = random.below(static_cast<std::uint32_t>(data_.size()));
    return {&mixer, other, random};
  }
  return {nullptr, row, Random(0, 0)};
}

void Augmenter::augment(std::uint32_t row, std::uint64_t epoch, Byte* to) const {
  const PictureMemory::Loan loan(memory_);
  augment_alone(row, epoch, to, loan.picture());
  auto mix = mixture(row, epoch);
  if (!mix.mixer) return;
  Byte* other = loan.picture() + size_;
  augment_alone(mix.other, epoch, other, loan.picture());
  Picture picture = picture_at(to, loan.picture());
  mix.mixer->definition->mix(mix.mixer->parameters, mix.random, picture, other);
}

void Augmenter::target(std::uint32_t row, std::uint64_t epoch, float* to) const {
  auto mix = mixture(row, epoch);
  float own = 1;
  if (mix.mixer) {
    Picture picture = picture_at(nullptr, nullptr);
    own = static_cast<float>(mix.mixer->definition->mix(mix.mixer->parameters, mix.random, picture, nullptr));
  }
  if (data_.labels.empty()) {
    const auto size = static_cast<std::size_t>(elements(data_.target));
    const float *one = &data_.targets[row * size], *other = &data_.targets[mix.other * size];
    for (std::size_t i = 0; i < size; ++i) to[i] = own * one[i] + (1 - own) * other[i];
    return;
  }
  std::fill_n(to, data_.class_names.size(), 0.0F);
  to[data_.labels[row]] += own;
  to[data_.labels[mix.other]] += 1 - own;
}

namespace {

/// Pictures that are augmented when they are needed, as they are not in memory.
class AugmentedStore : public PictureStore {
 public:
  AugmentedStore(const Dataset& data, const Augmentations& augmentations, std::uint64_t seed, std::uint64_t epoch)
      : data_(data), augmenter_(data_, augmentations, seed, available_threads()), epoch_(epoch) {}
  void read(std::uint32_t picture, std::uint8_t* to) const override { augmenter_.augment(picture, epoch_, to); }
  std::string file(std::uint32_t picture) const override { return data_.file(picture); }

 private:
  const Dataset data_;
  const Augmenter augmenter_;
  const std::uint64_t epoch_;
};

}  // namespace

Dataset augmented(const Dataset& data, const Augmentations& augmentations, std::uint64_t seed, std::int64_t epoch) {
  Dataset result = data;
  if (augmentations.empty()) return result;
  const Augmenter augmenter(data, augmentations, seed, 1);
  const auto size = static_cast<std::size_t>(elements(data.sample)), rows = data.size();
  const auto now = static_cast<std::uint64_t>(epoch);
  if (data.store || augmenter.of_files()) {
    result.bytes.clear();
    result.originals = nullptr;
    result.store = std::make_shared<AugmentedStore>(data, augmentations, seed, now);
    result.places.resize(rows);
    std::iota(result.places.begin(), result.places.end(), 0U);
  } else {
    for (std::uint32_t row = 0; row < rows; ++row) augmenter.augment(row, now, &result.bytes[row * size]);
  }
  if (!augmenter.mixes()) return result;
  if (!data.labels.empty()) result.target = {static_cast<std::int64_t>(data.class_names.size())};
  const auto targets = static_cast<std::size_t>(elements(result.target));
  result.labels.clear();
  result.targets.resize(rows * targets);
  for (std::uint32_t row = 0; row < rows; ++row) augmenter.target(row, now, &result.targets[row * targets]);
  return result;
}

}  // namespace chalk
