// chalkgrad data: what is in a data set.
#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "apps/chalkgrad/commands.h"
#include "apps/chalkgrad/common.h"
#include "apps/chalkgrad/json.h"
#include "apps/chalkgrad/table.h"
#include "src/base/file.h"

namespace chalk::app {
namespace {

constexpr std::size_t kMostRows = 100, kMostNamed = 10;  // of classes and channels; of odd samples

struct Options {
  std::string source, sheet, augment, validation, fold, normalise;
  bool json = false;
};

std::int64_t size_of(const auto& list) { return std::ssize(list); }

/// "3 pictures", "1 picture".
std::string several(std::int64_t number, const char* one, const char* many) {
  return fmt::format("{} {}", count(number), number == 1 ? one : many);
}

struct TwinCount {
  std::int64_t across = 0, within = 0, other_label = 0;
};

TwinCount count_twins(const DataSummary& found, bool exact) {
  TwinCount number;
  for (const auto& twin : found.twins) {
    if (twin.exact != exact) continue;
    ++(twin.first.test != twin.second.test ? number.across : number.within);
    if (!twin.same_label) ++number.other_label;
  }
  return number;
}

/// Names of some, a line each.
void print_some(const std::vector<std::string>& lines) {
  for (std::size_t i = 0; i < std::min(kMostNamed, lines.size()); ++i) fmt::print("  {}\n", lines[i]);
  if (lines.size() > kMostNamed)
    fmt::print("  and {} more, which --json has\n", count(size_of(lines) - static_cast<std::int64_t>(kMostNamed)));
}

/// What a run would be judged on, if that was asked for: how many, and how many of each class.
struct Judges {
  std::int64_t samples = 0;
  std::vector<std::int64_t> of_class{};
};

Judges judges(const Dataset& data) {
  Judges found{static_cast<std::int64_t>(data.size())};
  found.of_class.resize(data.class_names.size());
  for (const auto label : data.labels) ++found.of_class[static_cast<std::size_t>(label)];
  return found;
}

void print_classes(const Split& data, const DataSummary& found, const std::optional<Judges>& validation) {
  const auto& names = data.train.size() > 0 ? data.train.class_names : data.test.class_names;
  if (names.empty()) return;
  std::vector<std::string> titles{"class", "", "train", "of all", "test"};
  if (validation) titles.insert(titles.end() - 1, "validation");
  Table table(titles);
  const auto of = [](const PartSummary& part, std::size_t c) {
    return c < part.of_class.size() ? part.of_class[c] : 0;
  };
  for (std::size_t c = 0; c < std::min(kMostRows, names.size()); ++c) {
    const auto train = of(found.train, c);
    std::vector<std::string> cells{
        names[c], std::to_string(c), count(train),
        found.train.samples == 0 ? "–" : percent(static_cast<double>(train) / static_cast<double>(found.train.samples)),
        count(of(found.test, c))};
    if (validation)
      cells.insert(cells.end() - 1, c < validation->of_class.size() ? count(validation->of_class[c]) : "0");
    table.row(cells);
  }
  fmt::print("\n{}", table.text());
  if (names.size() > kMostRows)
    fmt::print("and {} more classes, which --json has\n", count(size_of(names) - static_cast<std::int64_t>(kMostRows)));
}

void print_channels(const Split& data, const DataSummary& found, const std::string& how) {
  const auto& data_part = data.train.size() > 0 ? data.train : data.test;
  const auto& part = data.train.size() > 0 ? found.train : found.test;
  const bool bytes = data_part.has_bytes();
  Table table({data_part.sample.size() == 3 ? "channel" : "element", "mean", "deviation", "least", "most"});
  for (std::size_t c = 0; c < std::min(kMostRows, part.channels.size()); ++c) {
    const auto& channel = part.channels[c];
    table.row({std::to_string(c), fmt::format("{:.6g}", channel.mean), fmt::format("{:.6g}", channel.deviation),
               fmt::format("{:.6g}", channel.least), fmt::format("{:.6g}", channel.most)});
  }
  fmt::print("\n{}", table.text());
  if (part.channels.size() > kMostRows) {
    fmt::print("and {} more, which --json has\n", count(size_of(part.channels) - static_cast<std::int64_t>(kMostRows)));
  }
  if (bytes)
    fmt::print("of bytes, 0 to 255{}\n", how.empty() ? "; training brings each channel to mean 0 and deviation 1" : "");
  if (how.empty()) return;
  fmt::print("normalised {}: {}\n", how, encoding_text(encoding_of(data_part)));
}

void print_sizes(const Split& data) {
  if (data.sizes.size() < 2) return;
  fmt::print("\n{} sizes of pictures, rows × columns; train needs to be told which they are brought to, by size=\n",
             count(size_of(data.sizes)));
  std::vector<std::string> lines;
  for (const auto& size : data.sizes) {
    lines.push_back(fmt::format("{}×{}: {}, e.g. {}", size.rows, size.columns, count(size.samples), size.example));
  }
  print_some(lines);
}

void print_twins(const DataSummary& found, bool exact) {
  const auto number = count_twins(found, exact);
  if (number.across + number.within == 0) return;
  fmt::print("\n{} {} an earlier one: {} of a test sample to a training sample, {} within a part{}\n",
             several(number.across + number.within, "sample", "samples"),
             exact ? (number.across + number.within == 1 ? "is equal to" : "are equal to")
                   : (number.across + number.within == 1 ? "is nearly equal to" : "are nearly equal to"),
             count(number.across), count(number.within),
             number.other_label > 0 ? fmt::format("; {} with another label", count(number.other_label)) : "");
  std::vector<std::string> lines;
  for (const bool across : {true, false}) {
    for (const auto& twin : found.twins) {
      if (twin.exact != exact || (twin.first.test != twin.second.test) != across) continue;
      lines.push_back(
          fmt::format("{} and {}{}", twin.first.text, twin.second.text, twin.same_label ? "" : ", another label"));
    }
  }
  print_some(lines);
}

void print_plain(const DataSummary& found) {
  std::vector<std::string> lines;
  for (const auto* part : {&found.train, &found.test}) {
    for (const auto& sample : part->plain) lines.push_back(sample.text);
  }
  if (lines.empty()) return;
  fmt::print("\n{} one level throughout\n",
             lines.size() == 1 ? "1 picture has" : count(size_of(lines)) + " pictures have");
  print_some(lines);
}

void print(const Options& o, const Split& data, const DataSummary& found, const std::optional<Judges>& validation) {
  const auto& part = data.train.size() > 0 ? data.train : data.test;
  fmt::print("{}: {} samples to train, {}{} to test, {} {}{}\n", o.source, count(found.train.samples),
             validation ? count(validation->samples) + " to validate, " : "",
             found.test.samples > 0 ? count(found.test.samples) : "none", to_string(part.sample),
             part.has_bytes() ? "bytes" : "numbers",
             part.class_names.empty() ? fmt::format(", {} numbers to learn", elements(part.target))
                                      : ", " + several(size_of(part.class_names), "class", "classes"));
  for (const auto& remark : data.remarks) fmt::print("  {}\n", remark);
  print_classes(data, found, validation);
  print_channels(data, found, o.normalise);
  print_sizes(data);
  if (!data.skipped.empty()) {
    fmt::print("\n{} cannot be used; train needs --skip-bad, or better files\n", count(size_of(data.skipped)));
    print_some(data.skipped);
  }
  print_plain(found);
  print_twins(found, true);
  print_twins(found, false);
}

Json to_json(const SampleName& sample) {
  return {{"part", sample.test ? "test" : "train"}, {"index", sample.index}, {"name", sample.text}};
}

Json to_json(const PartSummary& part) {
  Json json{{"samples", part.samples}, {"classes", part.of_class}};
  auto channels = Json::array();
  for (const auto& c : part.channels)
    channels.push_back({{"mean", c.mean}, {"deviation", c.deviation}, {"least", c.least}, {"most", c.most}});
  json["channels"] = channels;
  return json;
}

Json to_json(const Split& data, const DataSummary& found, const std::optional<Judges>& validation) {
  const auto& part = data.train.size() > 0 ? data.train : data.test;
  Json json{{"sample", part.sample},       {"kind", part.has_bytes() ? "bytes" : "numbers"},
            {"classes", part.class_names}, {"train", to_json(found.train)},
            {"test", to_json(found.test)}, {"remarks", data.remarks},
            {"skipped", data.skipped}};
  if (validation) json["validation"] = Json{{"samples", validation->samples}, {"classes", validation->of_class}};
  if (!part.scale.empty() && !part.per_sample) {
    json["scale"] = std::vector<double>(part.scale.begin(), part.scale.end());
    json["shift"] = std::vector<double>(part.shift.begin(), part.shift.end());
  }
  auto sizes = Json::array(), plain = Json::array(), twins = Json::array();
  for (const auto& s : data.sizes)
    sizes.push_back({{"rows", s.rows}, {"columns", s.columns}, {"samples", s.samples}, {"example", s.example}});
  for (const auto* of : {&found.train, &found.test}) {
    for (const auto& sample : of->plain) plain.push_back(to_json(sample));
  }
  for (const auto& twin : found.twins) {
    twins.push_back({{"first", to_json(twin.first)},
                     {"second", to_json(twin.second)},
                     {"exact", twin.exact},
                     {"same_label", twin.same_label}});
  }
  json["sizes"] = sizes;
  json["plain"] = plain;
  json["twins"] = twins;
  return json;
}

/// The training samples as a run's first epoch sees them. Labels stay, for the rows of the sheet.
void augment(Split& split, const Augmentations& list) {
  auto& part = split.train.size() == 0 ? split.test : split.train;
  auto changed = augmented(part, list, TrainOptions{}.seed, 0);
  part.bytes = std::move(changed.bytes);
  part.store = std::move(changed.store);
  part.places = std::move(changed.places);
  part.originals = std::move(changed.originals);
}

/// The samples that judge, taken from those to train on if they are of these.
Dataset take_validation(const Validation& named, const std::string& source, Split& split) {
  const auto by = named.of_data(source);
  if (by.kind == Validation::Kind::test) return split.test;
  if (!by.holds_out())
    return load_validation(by, split.train.sample, split.fit, split.train.class_names, /*skip_bad=*/true);
  auto parts = hold_out(split.train, by);
  split.train = std::move(parts.train);
  return std::move(parts.test);
}

int data(const Options& o) {
  if (!o.augment.empty() && o.sheet.empty())
    throw UsageError("--augment shows in the sheet; add --sheet FILE.png, or leave it out");
  const auto list = as_usage([&] { return Augmentations::parse(o.augment); }, "--augment: ");
  LoadOptions options{.parts = Parts::training_at_least, .skip_bad = true, .any_size = true};
  if (!o.normalise.empty())
    options.normalisation = as_usage([&] { return Normalisation::parse(o.normalise); }, "--normalise ");
  const auto fold =
      o.fold.empty() ? std::nullopt : std::optional(as_usage([&] { return Fold::parse(o.fold); }, "--fold "));
  const auto by = o.validation.empty()
                      ? std::nullopt
                      : std::optional(as_usage([&] { return Validation::parse(o.validation); }, "--validation "));
  auto split = load_stored(o.source, options);
  if (fold) take_fold(*fold, options.normalisation, split);
  const auto validation = by ? std::optional(judges(take_validation(*by, o.source, split))) : std::nullopt;
  const auto found = describe(split);
  if (o.json) {
    print_json(to_json(split, found, validation));
  } else {
    print(o, split, found, validation);
  }
  if (!o.sheet.empty()) {
    if (!list.empty()) augment(split, list);
    write_file_atomically(o.sheet, encode_png(contact_sheet(split)));
    if (!o.json) fmt::print("\nsheet {}, a row for each class\n", o.sheet);
  }
  return kOk;
}

}  // namespace

void add_data(CommandLine& line) {
  auto options = std::make_shared<Options>();
  auto command = line.command("data", "Describe a data set: counts, statistics, and the odd ones out", options, data);
  command.text("SOURCE", options->source, fmt::format("Data: {}", data_source_forms())).required();
  command.text("--validation", options->validation, "Also count the samples that train --validation SHARE judges by",
               "SHARE");
  command.text("--fold", options->fold, "With fold I of K as the test part, as train --fold I/K has it", "I/K");
  command.text("--normalise", options->normalise, "Also say how train --normalise HOW changes them", "HOW");
  command.output("--sheet", options->sheet, "Also draw some samples of each class (.png)");
  command.text("--augment", options->augment, "In the sheet, as train --augment LIST sees them in its first epoch",
               "LIST");
  add_storage(command);
  add_json(command, options->json);
}

}  // namespace chalk::app
