#include "src/data/table.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "chalkgrad/error.h"
#include "src/base/file.h"
#include "src/base/reading.h"
#include "src/base/suggest.h"
#include "src/base/text.h"
#include "src/base/wording.h"
#include "src/files/gzip.h"

namespace chalk {
namespace {

constexpr std::size_t kMostBytesOfTable = std::size_t{1} << 34U;
constexpr std::size_t kMostWords = 1000;
constexpr std::size_t kDropLine = 1, kMean = 2;  // TableOptions::missing

/// "1x28x28".
Shape read_shape(std::string_view text) {
  Shape shape;
  for (const auto part : split(text, 'x')) {
    const auto extent = number_in<std::int64_t>(part);
    if (!extent || *extent < 1 || *extent > (1 << 20)) {
      throw InputError(str("must be a shape such as 1x28x28 (channels, rows, columns), not ", in_quotes(text)));
    }
    shape.push_back(*extent);
  }
  return shape;
}

bool fits_number(std::string_view text) { return is_missing(text) || number_of_table(text).has_value(); }

/// Whether the first record names columns: one of its words stands above a number, or it has nothing but words.
bool names_columns(const std::vector<std::string_view>& first, const std::vector<std::string_view>& second) {
  bool number = false;
  for (std::size_t i = 0; i < first.size(); ++i) {
    if (fits_number(first[i])) {
      number = number || !trimmed(first[i]).empty();
    } else if (i < second.size() && fits_number(second[i])) {
      return true;
    }
  }
  return !number;
}

/// "a, b and 12 others".
std::string listed(const std::vector<Column>& columns) {
  constexpr std::size_t kMostNamed = 12;
  std::vector<std::string> names;
  for (const auto& column : columns) {
    if (names.size() < kMostNamed) names.push_back(column.name);
  }
  if (columns.size() > kMostNamed) names.push_back(str(columns.size() - kMostNamed, " others"));
  return alternatives(names, " and ");
}

}  // namespace

void TableOptions::visit(FieldVisitor& v) {
  static constexpr std::array headers = {Word{"auto", "decided by what is there"}, Word{"yes", {}}, Word{"no", {}}};
  static constexpr std::array separators = {Word{"auto", "the one that the first line has most of"}, Word{"comma", {}},
                                            Word{"semicolon", {}}, Word{"tab", {}}};
  static constexpr std::array policies = {Word{"error", {}}, Word{"drop", "the line is left out"},
                                          Word{"mean", "that of the column's training samples"}};
  v.field({"label",
           {},
           "the column of the classes, by name or by number from 1 (without it, the one called `label`, `class` "
           "or `target`, or the only one of words)"},
          label);
  v.field({"target", {}, "columns of numbers to learn instead of classes, with `+` between them"}, target);
  v.field({"drop", {}, "columns that are left out, with `+` between them"}, drop);
  v.field({"shape", [](const std::string& text) { read_shape(text); },
           "the shape of a sample, as `1x28x28`; with three numbers, whole numbers from 0 to 255 are pixels"},
          shape);
  v.field({"test", {}, "the file of the test part"}, test);
  v.choice({"header", {}, "whether the first line has the names of the columns"}, headers, header);
  v.choice({"separator", {}, "what is between values"}, separators, separator);
  v.choice({"missing", {}, "what is done where a number is missing (empty, `NA`, `NaN`, `null` or `?`)"}, policies,
           missing);
}

bool is_missing(std::string_view text) {
  text = trimmed(text);
  if (text.empty() || text == "?") return true;
  if (text.size() > 4) return false;
  const auto word = lower_case(text);
  return word == "na" || word == "nan" || word == "null";
}

std::optional<float> number_of_table(std::string_view text) {
  text = trimmed(text);
  if (text.size() > 1 && text[0] == '+' && text[1] != '-' && text[1] != '+') text.remove_prefix(1);
  if (text.empty()) return {};
  if (text.size() <= 3 && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; })) {  // most pixels
    int value = 0;
    for (const char c : text) value = 10 * value + (c - '0');
    return static_cast<float>(value);
  }
  const auto* end = text.data() + text.size();
  float value = 0;
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (rest != end || error == std::errc::invalid_argument) return {};
  if (error != std::errc::result_out_of_range) return value;
  // Too large or too small for a float: the double says which, or, beyond that as well, the sign of the exponent.
  double wide = 0;
  const bool tiny =
      std::from_chars(text.data(), end, wide).ec == std::errc()
          ? std::abs(wide) < 1
          : text.find_first_of("eE") != std::string_view::npos && text.find('-', 1) != std::string_view::npos;
  return tiny ? static_cast<float>(wide) : std::numeric_limits<float>::infinity();
}

TableFile::TableFile(const std::filesystem::path& path, const TableOptions& own)
    : TableFile(read_file(path, kMostBytesOfTable), path.string(), own) {}

TableFile::TableFile(std::vector<std::uint8_t> bytes, std::string name, const TableOptions& own)
    : bytes_(std::move(bytes)), path_(std::move(name)) {
  if (is_gzip(bytes_)) bytes_ = gunzip(bytes_, kMostBytesOfTable, path_);
  constexpr std::string_view separators = ",;\t";
  separator_ = own.separator == 0 ? guess_separator(text()) : separators[own.separator - 1];
  auto reader = records();
  std::vector<std::string_view> fields;
  if (!reader.next(fields)) throw InputError(str(path_, ": has no lines; give a file with a sample in each"));
  for (const auto field : fields) first_.emplace_back(trimmed(field));
  std::vector<std::string_view> second;
  const bool is_alone = !reader.next(second);
  const std::vector<std::string_view> first(first_.begin(), first_.end());
  has_names_ = own.header == 0 ? names_columns(first, second) : own.header == 1;
  if (has_names_ && is_alone)
    throw InputError(str(path_, ": has names of columns but no samples; add a line for each"));
}

std::size_t Table::column(const std::string& name, const char* option, const TableFile& train) const {
  const auto is_it = [&](const Column& c) { return c.name == name; };
  const auto found = std::ranges::find_if(columns_, is_it);
  if (found != columns_.end()) {
    if (std::ranges::count_if(columns_, is_it) > 1) {
      throw InputError(str(train.path(), ": has two columns called ", in_quotes(name), "; say which by its number, ",
                           option, "=", found - columns_.begin() + 1));
    }
    return static_cast<std::size_t>(found - columns_.begin());
  }
  const auto number = number_in<std::size_t>(name);
  if (number && *number >= 1 && *number <= columns_.size()) return *number - 1;
  std::vector<std::string_view> names;
  for (const auto& c : columns_) names.push_back(c.name);
  const auto guess = did_you_mean(name, names);
  throw InputError(str(train.path(), ": has no column ", in_quotes(name), " for the option ", option, guess,
                       guess.empty() ? "; its columns are " : " Its columns are ", listed(columns_)));
}

void Table::choose_roles(const TableFile& train) {
  const auto set = [&](const std::string& names, const char* option, Column::Role role) {
    if (names.empty()) return;
    for (const auto name : chalk::split(names, '+')) columns_[column(std::string(name), option, train)].role = role;
  };
  set(own_.drop, "drop", Column::Role::dropped);
  set(own_.target, "target", Column::Role::target);
  if (!own_.label.empty()) {
    columns_[column(own_.label, "label", train)].role = Column::Role::label;
  } else if (own_.target.empty()) {
    const auto choose = [&](auto is_it) {
      const auto may_be = [&](const Column& c) { return c.role == Column::Role::feature && is_it(c); };
      if (std::ranges::count_if(columns_, may_be) != 1) return false;
      std::ranges::find_if(columns_, may_be)->role = Column::Role::label;
      return true;
    };
    const bool known = train.has_names() && choose([](const Column& c) {
                         const auto name = lower_case(c.name);
                         return name == "label" || name == "class" || name == "target";
                       });
    if (!known && !choose([](const Column& c) { return c.of_words; })) {
      throw InputError(str(train.path(),
                           ": which column is the class? Say it by the option label=NAME or label=NUMBER; the "
                           "columns are ",
                           listed(columns_)));
    }
  }
  labelled_ = std::ranges::any_of(columns_, [](const Column& c) { return c.role == Column::Role::label; });
  if (labelled_ && !own_.target.empty()) {
    throw InputError(str(train.path(), ": the options label and target are both given; give one of them"));
  }
}

std::string Table::in_column(const std::string& where, const Column& column) const {
  return str(where, ", column ", in_quotes(column.name));
}

void Table::check_count(std::size_t fields, const std::string& where) const {
  if (fields == columns_.size()) return;
  throw InputError(str(where, ": has ", fields, " values, but the first line has ", columns_.size(),
                       "; put text with a separator in it into quotes, or correct the line"));
}

// A record of the training part, in the first pass: words, sums, and whether all can be bytes.
void Table::meet(const std::vector<std::string_view>& fields, const std::string& where) {
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    auto& column = columns_[i];
    if (column.role != Column::Role::feature) continue;
    const auto text = trimmed(fields[i]);
    if (column.of_words) {
      if (is_missing(text)) continue;
      column.words.emplace(text, 0);
      if (column.words.size() <= kMostWords) continue;
      throw InputError(str(in_column(where, column), ": has more than ", grouped(kMostWords),
                           " different words; leave it out by the option drop=", column.name));
    }
    const auto number = number_of_table(text);
    if (!number || !std::isfinite(*number)) continue;  // read() says what is wrong, or what stands for it
    column.sum += static_cast<double>(*number);
    ++column.numbers;
    bytes_ = bytes_ && *number >= 0 && *number <= 255 && *number == std::floor(*number);
  }
}

// The record as a sample; false if a value is missing and its line is left out.
bool Table::read(const std::vector<std::string_view>& fields, const std::string& where, Sample& sample) {
  sample.values.clear();
  sample.targets.clear();
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const auto& column = columns_[i];
    const auto text = trimmed(fields[i]);
    if (column.role == Column::Role::dropped) continue;
    const bool is_label = column.role == Column::Role::label;
    if (is_label ? text.empty() : is_missing(text)) {
      if (own_.missing == kDropLine) return false;
      if (own_.missing != kMean || column.role != Column::Role::feature) {
        throw InputError(str(in_column(where, column),
                             ": the value is missing; write it, or give the option missing=drop",
                             column.role == Column::Role::feature ? " or missing=mean" : ""));
      }
      if (column.of_words) {
        sample.values.insert(sample.values.end(), column.words.size(), 0.0F);
      } else {
        sample.values.push_back(
            static_cast<float>(column.sum / static_cast<double>(std::max<std::int64_t>(1, column.numbers))));
      }
      continue;
    }
    if (is_label) {
      sample.label = classes_.number(text, in_column(where, column));
      continue;
    }
    if (column.of_words) {
      const auto found = column.words.find(text);
      if (found == column.words.end()) {
        throw InputError(str(
            in_column(where, column), ": ", in_quotes(text),
            " is no word of the training samples; leave the line out, or the column by the option drop=", column.name));
      }
      const auto at = sample.values.size() + found->second;
      sample.values.insert(sample.values.end(), column.words.size(), 0.0F);
      sample.values[at] = 1;
      continue;
    }
    const auto number = number_of_table(text);
    if (!number) {
      throw InputError(
          str(in_column(where, column), ": ", in_quotes(text),
              " is no number, but the column's first value is one; correct it, or leave the column out by the "
              "option drop=",
              column.name));
    }
    if (!std::isfinite(*number)) {
      throw InputError(
          str(in_column(where, column), ": ", in_quotes(text), " is no finite number of 32 bits; correct it"));
    }
    (column.role == Column::Role::target ? sample.targets : sample.values).push_back(*number);
  }
  return true;
}

Table::Table(const TableFile& train, const TableOptions& own, const LoadOptions& options)
    : own_(own), options_(options), classes_(options.classes), path_(train.path()) {
  for (std::size_t i = 0; i < train.first().size(); ++i) {
    columns_.push_back({.name = train.has_names() ? train.first()[i] : std::to_string(i + 1)});
  }
  // What a column holds, its first value says.
  auto reader = train.records();
  std::vector<std::string_view> fields;
  if (train.has_names()) reader.next(fields);
  std::vector<bool> seen(columns_.size(), false);
  bool last_is_empty = columns_.size() > 1 && (!train.has_names() || columns_.back().name.empty());
  while (reader.next(fields)) {
    if (fields.size() != columns_.size()) continue;  // below
    last_is_empty = last_is_empty && trimmed(fields.back()).empty();
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (seen[i] || is_missing(fields[i])) continue;
      seen[i] = true;
      columns_[i].of_words = !number_of_table(fields[i]);
    }
    if (!last_is_empty && std::ranges::find(seen, false) == seen.end()) break;
  }
  choose_roles(train);
  if (last_is_empty && columns_.back().role == Column::Role::feature) {
    columns_.back().role = Column::Role::dropped;
    last_is_empty_ = true;
  }
  if (!own.shape.empty()) sample_ = read_shape(own.shape);
  bytes_ = sample_.size() == 3 && std::ranges::none_of(columns_, [](const Column& c) {
             return c.role == Column::Role::feature && c.of_words;
           });
  reader = train.records();
  if (train.has_names()) reader.next(fields);
  bool any_missing = false;
  while (reader.next(fields)) {
    try {
      check_count(fields.size(), reader.where());
      meet(fields, reader.where());
    } catch (const InputError&) {
      if (!options.skip_bad) throw;
    }
    for (std::size_t i = 0; bytes_ && own.missing == kMean && i < std::min(fields.size(), columns_.size()); ++i)
      any_missing = any_missing || (columns_[i].role == Column::Role::feature && is_missing(fields[i]));
  }
  if (any_missing) bytes_ = false;  // a mean is no byte
  std::int64_t inputs = 0;
  for (auto& column : columns_) {
    std::vector<std::string> words;
    for (const auto& [word, place] : column.words) words.push_back(word);
    sort_classes(words);
    for (std::size_t i = 0; i < words.size(); ++i) column.words[words[i]] = i;
    if (column.role == Column::Role::feature) inputs += column.of_words ? std::ssize(words) : 1;
    if (column.role == Column::Role::target) {
      if (column.of_words) {
        throw InputError(str(train.path(), ": the column ", in_quotes(column.name),
                             " of the option target holds words; give columns of numbers, or label=", column.name));
      }
      target_.push_back(1);
    }
  }
  if (!target_.empty()) target_ = {std::ssize(target_)};
  if (inputs == 0) throw InputError(str(train.path(), ": has no columns to learn from; give a file with more of them"));
  if (sample_.empty()) sample_ = {inputs};
  if (elements(sample_) != inputs) {
    throw InputError(str(train.path(), ": has ", inputs, " values a sample, which are not ", to_string(sample_), " = ",
                         elements(sample_), "; correct the option shape, or leave columns out by drop"));
  }
}

Dataset Table::samples(const TableFile& file, bool is_training, Split& split) {
  if (!is_training && file.has_names() && file.first().size() == columns_.size()) {
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (columns_[i].name == file.first()[i] || number_in<std::size_t>(columns_[i].name)) continue;
      throw InputError(str(file.path(), ": column ", i + 1, " is called ", in_quotes(file.first()[i]), ", but ",
                           in_quotes(columns_[i].name), " in ", path_, "; bring them into one order"));
    }
  }
  Dataset data;
  data.name = "csv";
  data.sample = sample_;
  data.target = target_;
  auto reader = file.records();
  std::vector<std::string_view> fields;
  if (file.has_names()) reader.next(fields);
  Sample sample;
  while (reader.next(fields)) {
    const auto where = reader.where();
    try {
      check_count(fields.size(), where);
      if (!read(fields, where, sample)) {
        ++left_out_;
        continue;
      }
      const auto is_byte = [](float x) { return x >= 0 && x <= 255 && x == std::floor(x); };
      if (bytes_ && !std::ranges::all_of(sample.values, is_byte)) {
        throw InputError(
            str(where, ": holds a number that is no whole one from 0 to 255, as those of ", path_, " are; correct it"));
      }
    } catch (const InputError& e) {
      if (!options_.skip_bad) throw;
      split.skipped.emplace_back(e.what());
      continue;
    }
    if (bytes_) {
      for (const float x : sample.values) data.bytes.push_back(static_cast<std::uint8_t>(x));
    } else {
      data.values.insert(data.values.end(), sample.values.begin(), sample.values.end());
    }
    data.targets.insert(data.targets.end(), sample.targets.begin(), sample.targets.end());
    if (labelled_) data.labels.push_back(sample.label);
  }
  if (is_training && labelled_) classes_.sort_and_fix(data.labels);
  if (labelled_) data.class_names = classes_.names();
  return data;
}

void Table::tell(const TableFile& train, Split& split) const {
  std::string label;
  std::vector<std::string> words;
  std::int64_t inputs = 0;
  for (const auto& column : columns_) {
    if (column.role == Column::Role::label) label = column.name;
    if (column.role != Column::Role::feature) continue;
    ++inputs;
    if (column.of_words) words.push_back(column.name);
  }
  split.remarks.push_back(
      str(train.has_names() ? "the first line has the names of the columns" : "the first line is a sample",
          labelled_ ? str("; the class is column ", in_quotes(label)) : std::string(), "; ", inputs,
          inputs == 1 ? " other is learned from" : " others are learned from"));
  if (!words.empty()) {
    split.remarks.push_back(str(words.size() == 1 ? "a column of words is" : "columns of words are",
                                " an input for each word: ", alternatives(words, " and ")));
  }
  if (last_is_empty_) split.remarks.emplace_back("the last column is empty and was left out");
  if (left_out_ > 0) {
    split.remarks.push_back(
        str("lines with missing values that were left out: ", grouped(static_cast<std::uint64_t>(left_out_))));
  }
}

}  // namespace chalk
