#include "src/data/normalise.h"

#include <array>
#include <cmath>
#include <utility>

#include "chalkgrad/data.h"
#include "chalkgrad/error.h"
#include "src/base/moments.h"
#include "src/base/reading.h"
#include "src/base/shortest.h"
#include "src/base/suggest.h"
#include "src/base/text.h"
#include "src/base/wording.h"
#include "src/data/each_sample.h"

namespace chalk {
namespace {

using Kind = Normalisation::Kind;

constexpr std::array<std::string_view, 5> kWords = {"channel", "sample", "min-max", "given", "none"};  // as in Kind
constexpr std::string_view kForms = "channel, sample, min-max, none or given:MEAN,…/DEVIATION,…";

std::size_t channel_count(const Dataset& data) {
  return static_cast<std::size_t>(data.sample.empty() ? 1 : data.sample[0]);
}

/// Of each channel.
std::vector<Moments> moments_of(std::span<const ByteMoments> sums) {
  std::vector<Moments> all;
  for (const auto& sum : sums) all.push_back(sum.moments());
  return all;
}

/// The same.
std::vector<Moments> measured(const Dataset& data) {
  const auto channels = channel_count(data), plane = static_cast<std::size_t>(elements(data.sample)) / channels;
  if (data.has_bytes()) {
    std::vector<ByteMoments> sums(channels);
    for_each_sample(data, [&](std::size_t, std::span<const std::uint8_t> sample) {
      for (std::size_t c = 0; c < channels; ++c) sums[c].add(&sample[c * plane], plane);
    });
    return moments_of(sums);
  }
  const auto samples = data.lent ? data.places.size() : data.values.size() / (channels * plane);
  std::vector<ValueMoments> sums(channels);
  for (const auto add : {&ValueMoments::add, &ValueMoments::add_again}) {
    for (std::size_t i = 0; i < samples; ++i) {
      for (std::size_t c = 0; c < channels; ++c) (sums[c].*add)(data.numbers(i) + c * plane, plane);
    }
  }
  std::vector<Moments> all;
  for (const auto& sum : sums) all.push_back(sum.moments());
  return all;
}

/// How the channels become what the network sees; none: as they are. `known`: their moments, or none if they have to be
/// measured.
std::vector<Affine> affine(const Dataset& data, const Normalisation& how, std::span<const ByteMoments> known = {}) {
  const bool bytes = data.has_bytes();
  if (!bytes && (!data.has_values() || how.kind == Kind::none)) return {};
  const double white = bytes ? kHighestByte : 1, constant = bytes ? kConstantBytes : kConstantValues;
  std::vector<Affine> all;
  if (how.kind == Kind::given) {
    const auto channels = channel_count(data), count = how.mean.size();
    if (count != 1 && count != channels) {
      throw InputError(str("normalisation ", how.text(), ": gives ", count, " means, and the samples are ",
                           to_string(data.sample), "; give ", channels,
                           " and as many deviations, one a channel, or one ", "of each for all"));
    }
    for (std::size_t c = 0; c < channels; ++c) {
      const auto i = count == 1 ? 0 : c;
      all.push_back(standardising(how.mean[i] * white, how.deviation[i] * white, constant));
    }
  } else if (how.kind == Kind::none) {
    all.assign(channel_count(data), standardising(0, white, constant));
  } else {
    for (const auto& found : known.empty() ? measured(data) : moments_of(known)) {
      all.push_back(how.kind == Kind::min_max ? standardising(found.least, found.most - found.least, constant)
                                              : standardising(found.mean, found.deviation, constant));
    }
  }
  return all;
}

void set(Dataset& data, const Normalisation& how, const std::vector<Affine>& channels) {
  data.scale.clear(), data.shift.clear();
  data.per_sample = how.kind == Kind::sample;
  for (const auto& [scale, shift] : channels) {
    data.scale.push_back(scale);
    data.shift.push_back(shift);
  }
}

/// "0.5,0.4" as numbers.
std::vector<double> numbers(std::string_view list, std::string_view text, std::string_view what) {
  std::vector<double> all;
  for (const auto part : split(list, ',')) {
    const auto number = number_in<double>(part);
    if (!number || !std::isfinite(*number)) {
      throw InputError(
          str(in_quotes(text), ": ", what, " ", all.size() + 1, " is ", in_quotes(part), "; it must be a number"));
    }
    all.push_back(*number);
  }
  return all;
}

Normalisation parse_given(std::string_view text) {
  const auto given = text.substr(kWords[3].size() + 1);
  const auto slash = given.find('/');
  if (slash == std::string_view::npos) {
    throw InputError(
        str(in_quotes(text), ": has no deviations; write means, / and as many deviations: given:0.5/0.25"));
  }
  Normalisation how{Kind::given, numbers(given.substr(0, slash), text, "mean"),
                    numbers(given.substr(slash + 1), text, "deviation")};
  if (how.mean.size() != how.deviation.size()) {
    throw InputError(str(in_quotes(text), ": has ", how.mean.size(), " means and ", how.deviation.size(),
                         " deviations; give as many of each"));
  }
  for (std::size_t i = 0; i < how.deviation.size(); ++i) {
    if (how.deviation[i] > 0) continue;
    throw InputError(
        str(in_quotes(text), ": deviation ", i + 1, " is ", how.deviation[i], "; it must be above 0, as it divides"));
  }
  return how;
}

}  // namespace

Normalisation Normalisation::parse(std::string_view text) {
  for (std::size_t i = 0; i < kWords.size(); ++i) {
    const auto kind = static_cast<Kind>(i);
    if (kind == Kind::given && text.starts_with("given:")) return parse_given(text);
    if (kind != Kind::given && text == kWords[i]) return {kind};
  }
  const auto guess = did_you_mean(text, kWords);
  throw InputError(str(in_quotes(text), " is no normalisation", guess, guess.empty() ? "; it is " : " It is ", kForms));
}

std::string Normalisation::text() const {
  std::string text(kWords[static_cast<std::size_t>(kind)]);
  if (kind != Kind::given) return text;
  for (const auto& [separator, list] : {std::pair(':', &mean), std::pair('/', &deviation)}) {
    char before = separator;
    for (const double number : *list) {
      text += before + shortest(number);
      before = ',';
    }
  }
  return text;
}

void normalise(Split& data, const Normalisation& how, const KnownMoments& known) {
  const bool training = data.train.has_bytes() || data.train.has_values();
  const auto channels = affine(training ? data.train : data.test, how, known[training ? 0 : 1]);
  for (auto* part : {&data.train, &data.test}) set(*part, how, channels);
}

void normalise(Split& data, const Normalisation& how) { normalise(data, how, {}); }

void normalise(Dataset& data, const Normalisation& how) { set(data, how, affine(data, how)); }

}  // namespace chalk
