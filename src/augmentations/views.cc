#include "src/augmentations/views.h"

#include <algorithm>
#include <cstring>

#include "chalkgrad/error.h"
#include "src/base/text.h"
#include "src/base/wording.h"
#include "src/ir/parameters.h"

namespace chalk {
namespace {

constexpr std::size_t kMostViews = 100;

std::size_t count_of(const Augmentation& one) {
  const auto* views = definition_of(one).views;
  if (!views) {
    std::vector<std::string> have;
    const auto forms = Augmentations::forms();
    for (std::size_t i = 0; i < forms.size(); ++i) {
      if (all_augmentations()[i]->views) have.push_back(forms[i]);
    }
    cannot_read("augmentation", Augmentations({one}).text(),
                str(" has no fixed views to look at when testing; use ", alternatives(have)));
  }
  std::size_t count = 0;
  for (std::size_t i = 0; i < views->count; ++i) count += views->weight(one.parameters(), i) > 0 ? 1 : 0;
  return count;
}

void check_size(const AugmentationDefinition& definition, const Augmentation& one, std::int64_t smaller) {
  if (!definition.check_size) return;
  try {
    definition.check_size(one.parameters(), smaller);
  } catch (const InputError& e) {
    cannot_read("augmentation", Augmentations({one}).text(), str(": ", e.what()));
  }
}

}  // namespace

std::size_t Augmentations::views() const {
  check();
  std::size_t count = 1;
  for (const auto& one : list_) {
    count *= count_of(one);
    if (count > kMostViews)
      throw InputError(str("augmentations ", in_quotes(text()), " make more than ", kMostViews,
                           " views of each picture; leave some of them out"));
  }
  return count;
}

Views::Views(const Augmentations& list, const Shape& sample, int threads)
    : list_(list), sample_(sample), views_(1), memory_(static_cast<std::size_t>(elements(sample)), threads) {
  (void)list.views();
  if (sample.size() != 3) {
    throw InputError(str("test-time augmentation is for pictures, {channels, rows, columns}, and the network takes ",
                         to_string(sample), "; leave out ", in_quotes(list.text())));
  }
  for (const auto& one : list_.list()) {
    const auto& definition = definition_of(one);
    check_size(definition, one, std::min(sample[1], sample[2]));
    const auto& views = *definition.views;
    std::vector<View> all;
    for (const auto& before : views_) {
      for (std::size_t number = 0; number < views.count; ++number) {
        auto& view = all.emplace_back(before);
        view.weight *= views.weight(one.parameters(), number);
        view.numbers.push_back(number);
      }
    }
    views_ = std::move(all);
  }
  std::erase_if(views_, [](const View& view) { return view.weight == 0; });
}

void Views::show(std::size_t view, std::span<const Byte> means, Byte* pixels) const {
  const auto& numbers = views_[view].numbers;
  if (std::ranges::count(numbers, std::size_t{0}) == std::ssize(numbers)) return;
  const PictureMemory::Loan loan(memory_);
  Picture picture{.channels = static_cast<std::size_t>(sample_[0]),
                  .rows = static_cast<std::size_t>(sample_[1]),
                  .columns = static_cast<std::size_t>(sample_[2]),
                  .pixels = pixels,
                  .spare = loan.picture(),
                  .means = means};
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const auto& one = list_.list()[i];
    if (numbers[i] > 0) definition_of(one).views->show(one.parameters(), numbers[i], picture);
  }
  if (picture.pixels != pixels) std::memcpy(pixels, picture.pixels, picture.size());
}

}  // namespace chalk
