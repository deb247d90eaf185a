#include "chalkgrad/splits.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <unordered_map>
#include <utility>

#include "chalkgrad/error.h"
#include "src/base/file.h"
#include "src/base/random.h"
#include "src/base/reading.h"
#include "src/base/shortest.h"
#include "src/base/text.h"
#include "src/base/wording.h"
#include "src/data/sources/source.h"

namespace chalk {
namespace {

using Places = std::vector<std::uint32_t>;

/// The first `count` of the list become a sample of all of it, in the order in which they were drawn.
void draw(Places& list, std::size_t count, Random& random) {
  for (std::size_t i = 0; i < count; ++i)
    std::swap(list[i], list[i + random.below(static_cast<std::uint32_t>(list.size() - i))]);
}

Places all_of(std::size_t samples) {
  Places list(samples);
  std::iota(list.begin(), list.end(), 0U);
  return list;
}

std::vector<Places> by_class(const Dataset& data) {
  std::vector<Places> lists(data.class_names.size());
  for (std::size_t i = 0; i < data.labels.size(); ++i)
    lists[static_cast<std::size_t>(data.labels[i])].push_back(static_cast<std::uint32_t>(i));
  return lists;
}

/// How many of each class are taken, `count` in all.
std::vector<std::size_t> in_proportion(const std::vector<Places>& classes, std::size_t count, std::size_t samples) {
  std::vector<std::size_t> taken, order(classes.size());
  for (const auto& list : classes) taken.push_back(count * list.size() / samples);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::ranges::greater(),
                           [&](std::size_t c) { return count * classes[c].size() % samples; });
  auto rest = count - std::accumulate(taken.begin(), taken.end(), std::size_t{0});
  for (std::size_t i = 0; rest > 0; ++i, --rest) ++taken[order[i]];
  return taken;
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

Split parted(const Dataset& data, const std::vector<bool>& is_taken) {
  Split split;
  for (const bool test : {true, false}) {
    Dataset& part = test ? split.test : split.train;
    part = {.name = data.name,
            .sample = data.sample,
            .bytes = chosen(data.bytes, is_taken, test),
            .store = data.store,
            .places = chosen(data.places, is_taken, test),
            .values = chosen(data.values, is_taken, test),
            .lent = data.lent,
            .scale = data.scale,
            .shift = data.shift,
            .per_sample = data.per_sample,
            .labels = chosen(data.labels, is_taken, test),
            .targets = chosen(data.targets, is_taken, test),
            .target = data.target,
            .weights = chosen(data.weights, is_taken, test),
            .class_names = data.class_names,
            .files = chosen(data.files, is_taken, test),
            .originals = data.originals};
  }
  return split;
}

/// ",seed=3", ",stratified": what may follow the first part of a text.
struct Extras {
  bool word = false;
  std::uint64_t seed = 0;
};

/// Nothing if there is anything else, or the same twice.
std::optional<Extras> extras(const std::vector<std::string_view>& parts, std::string_view word) {
  constexpr std::string_view kSeed = "seed=";
  Extras found;
  bool has_seed = false;
  for (std::size_t i = 1; i < parts.size(); ++i) {
    if (parts[i] == word && !found.word) {
      found.word = true;
      continue;
    }
    const auto seed =
        parts[i].starts_with(kSeed) ? number_in<std::int64_t>(parts[i].substr(kSeed.size())) : std::nullopt;
    if (!seed || *seed < 0 || has_seed) return {};
    found.seed = static_cast<std::uint64_t>(*seed);
    has_seed = true;
  }
  return found;
}

std::string extras_text(bool has_word, const char* word, std::uint64_t seed) {
  return str(has_word ? str(",", word) : "", seed > 0 ? str(",seed=", seed) : "");
}

bool is_share(double share) { return share > 0 && share < 1; }
bool is_fold(int number, int of) { return of >= 2 && of <= 1000 && number >= 1 && number <= of; }

/// A hold-out, or nothing.
std::optional<HoldOut> hold_out_in(std::string_view text) {
  const auto parts = split(text, ',');
  const auto share = number_in<double>(parts[0]);
  const auto more = extras(parts, "stratified");
  if (!share || !is_share(*share) || !more) return {};
  return HoldOut{*share, more->word, more->seed};
}

std::optional<Fold> fold_in(std::string_view text, std::optional<int> number, std::string_view count) {
  const auto parts = split(text, ',');
  const auto of = number_in<int>(count);
  const auto more = extras(parts, "plain");
  if (!number || !of || !is_fold(*number, *of) || !more) return {};
  return Fold{*number, *of, more->word, more->seed};
}

/// How many samples have a path that ends like this, and which is the first.
struct Found {
  std::size_t samples = 0, first = 0;
};
using Endings = std::unordered_map<std::string_view, Found>;

Endings endings_of(const std::vector<std::string>& files) {
  Endings endings;
  for (std::size_t i = 0; i < files.size(); ++i) {
    const std::string_view path = files[i];
    const auto add = [&](std::string_view ending) {
      auto& found = endings[ending];
      if (found.samples++ == 0) found.first = i;
    };
    add(path);
    for (std::size_t at = 0; (at = path.find('/', at)) != std::string_view::npos;) add(path.substr(++at));
  }
  return endings;
}

}  // namespace

HoldOut HoldOut::parse(std::string_view text) {
  if (const auto found = hold_out_in(text)) return *found;
  throw InputError(str(in_quotes(text),
                       " is no share to hold out; it must be above 0 and below 1, and stratified and a "
                       "seed may follow: 0.1,stratified,seed=3"));
}

std::string HoldOut::text() const { return shortest(share) + extras_text(stratified, "stratified", seed); }

Split hold_out(const Dataset& data, double share) { return hold_out(data, HoldOut{.share = share}); }

Split hold_out(const Dataset& data, const HoldOut& how) {
  if (!is_share(how.share))
    throw InputError(str("the share to hold out is ", how.share, "; it must be above 0 and below 1"));
  const auto samples = data.size();
  if (samples < 2) throw InputError(str(data.name, ": ", samples, " samples are too few to hold some of them out"));
  if (how.stratified && data.labels.empty()) {
    throw InputError(str(data.name, ": has values and no classes to hold out in proportion; leave out stratified"));
  }
  const auto wanted = static_cast<std::size_t>(std::llround(how.share * static_cast<double>(samples)));
  const auto count = std::clamp<std::size_t>(wanted, 1, samples - 1);
  auto lists = how.stratified ? by_class(data) : std::vector<Places>(1, all_of(samples));
  const auto taken = in_proportion(lists, count, samples);
  Random random(how.seed, hash_name("hold out"));
  std::vector<bool> is_taken(samples, false);
  for (std::size_t c = 0; c < lists.size(); ++c) {
    draw(lists[c], taken[c], random);
    for (std::size_t i = 0; i < taken[c]; ++i) is_taken[lists[c][i]] = true;
  }
  return parted(data, is_taken);
}

Split hold_out_listed(const Dataset& data, const std::string& file) {
  constexpr std::size_t kMostBytes = std::size_t{1} << 30U;
  const auto bytes = read_file(file, kMostBytes);
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  std::vector<std::string> files;
  for (std::size_t i = 0; i < data.size(); ++i) {
    if (auto path = data.file(i); !path.empty()) files.push_back(std::move(path));
  }
  const auto endings = endings_of(files);
  std::vector<bool> is_taken(data.size(), false);
  std::size_t line = 0, taken = 0;
  const auto fail = [&](const std::string& what) { throw InputError(str(file, ": line ", line, ": ", what)); };
  for (const auto whole : split(text, '\n')) {
    ++line;
    const auto name = trimmed(whole);
    if (name.empty()) continue;
    std::size_t place = 0;
    if (const auto number = number_in<std::uint64_t>(name)) {
      if (*number >= data.size()) {
        fail(str("there is no training sample ", *number, "; ", grouped(data.size()), " count from 0 to ",
                 data.size() - 1));
      }
      place = *number;
    } else {
      const auto found = endings.find(name);
      if (found == endings.end()) {
        fail(str("no training sample is ", in_quotes(name),
                 files.empty() ? "; those of this source have no files, so give their numbers, from 0"
                               : "; give a number, from 0, or the end of the path of its file, such as ",
                 files.empty() ? "" : in_quotes(files[0])));
      }
      if (found->second.samples > 1) {
        fail(str(in_quotes(name), " may be any of ", found->second.samples, " samples, such as ",
                 in_quotes(files[found->second.first]), "; give more of its path"));
      }
      place = found->second.first;
    }
    if (is_taken[place]) fail(str(in_quotes(name), " is listed twice; list each sample once"));
    is_taken[place] = true;
    ++taken;
  }
  if (taken == 0 || taken == data.size()) {
    throw InputError(str(file, ": lists ", taken == 0 ? "no samples" : "all samples",
                         "; list some of the training samples, a line each, and leave some to train on"));
  }
  return parted(data, is_taken);
}

Fold Fold::parse(std::string_view text) {
  const auto first = split(text, ',')[0];
  const auto slash = first.find('/');
  if (slash != std::string_view::npos) {
    if (const auto found = fold_in(text, number_in<int>(first.substr(0, slash)), first.substr(slash + 1)))
      return *found;
  }
  throw InputError(str(in_quotes(text),
                       " is no fold; it is its number, from 1, and how many there are, from 2 to 1000, "
                       "and a seed and plain may follow: 2/5,seed=3"));
}

Fold Fold::parse_all(std::string_view text) {
  if (const auto found = fold_in(text, 1, split(text, ',')[0])) return *found;
  throw InputError(str(in_quotes(text),
                       " is no number of folds from 2 to 1000, which a seed and plain may follow: "
                       "5,seed=3"));
}

std::string Fold::text() const { return str(number, "/", of, extras_text(plain, "plain", seed)); }

Split fold_of(const Dataset& data, const Fold& fold) {
  if (!is_fold(fold.number, fold.of)) {
    throw InputError(
        str("fold ", fold.number, " of ", fold.of, " is none; folds count from 1, and there are 2 to 1000"));
  }
  const auto samples = data.size(), folds = static_cast<std::size_t>(fold.of);
  if (samples < folds) {
    throw InputError(str(data.name, ": ", grouped(samples), " samples are too few for ", folds,
                         " folds; use as many folds as samples at most"));
  }
  const bool stratified = !fold.plain && !data.labels.empty();
  auto lists = stratified ? by_class(data) : std::vector<Places>(1, all_of(samples));
  Random random(fold.seed, hash_name("folds"));
  std::vector<bool> is_taken(samples, false);
  std::size_t dealt = 0;
  for (std::size_t c = 0; c < lists.size(); ++c) {
    auto& list = lists[c];
    if (!list.empty() && list.size() < folds && stratified) {
      throw InputError(str(data.name, ": the class ", in_quotes(data.class_names[c]), " has ", list.size(),
                           list.size() == 1 ? " sample" : " samples", ", fewer than the ", folds,
                           " folds; use fewer folds, or deal samples without regard to their classes: ", folds,
                           ",plain"));
    }
    draw(list, list.size(), random);
    for (const auto place : list) is_taken[place] = dealt++ % folds + 1 == static_cast<std::size_t>(fold.number);
  }
  return parted(data, is_taken);
}

Validation Validation::parse(std::string_view text) {
  constexpr std::string_view kSamples = "samples:";
  if (text == "test") return {};
  if (text == "val") return {Kind::val, {}, {}};
  if (const auto share = hold_out_in(text)) return {Kind::share, *share, {}};
  if (text.starts_with(kSamples) && text.size() > kSamples.size())
    return {Kind::samples, {}, std::string(text.substr(kSamples.size()))};
  const auto colon = text.find(':');
  for (const auto* source : data_sources()) {
    if (colon != std::string_view::npos && source->word == text.substr(0, colon) && colon + 1 < text.size())
      return {Kind::source, {}, std::string(text)};
  }
  throw InputError(
      str("is ", in_quotes(text),
          "; it must be test, or a number above 0 and below 1: a share of the training samples, "
          "which stratified and a seed may follow, as in 0.1,stratified,seed=3; or samples:FILE, a list of them; or "
          "val, the part of a folder that is called so; or other data, such as mnist:FOLDER"));
}

std::string Validation::text() const {
  switch (kind) {
    case Kind::test:
      return "test";
    case Kind::share:
      return share.text();
    case Kind::samples:
      return "samples:" + text_of;
    case Kind::val:
      return "val";
    case Kind::source:
      break;
  }
  return text_of;
}

Validation Validation::of_data(const std::string& source) const {
  return kind == Kind::val ? folder_validation(source) : *this;
}

Split hold_out(const Dataset& data, const Validation& how) {
  return how.kind == Validation::Kind::samples ? hold_out_listed(data, how.text_of) : hold_out(data, how.share);
}

}  // namespace chalk
