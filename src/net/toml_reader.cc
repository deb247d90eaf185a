#include "src/net/toml_reader.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "chalkgrad/error.h"
#include "src/base/fields.h"
#include "src/base/suggest.h"
#include "src/base/text.h"
#include "src/base/wording.h"

namespace chalk {

std::string TomlOrigin::line(const toml::source_region& place) const {
  return str(name, ": line ", place.begin.line, ": ");
}

void TomlOrigin::fail(const toml::source_region& place, const std::string& message) const {
  throw InputError(str(name, ": line ", place.begin.line, ", column ", place.begin.column, ": ", message));
}

toml::table parse_toml(std::string_view text, const TomlOrigin& origin) {
  constexpr std::size_t most = std::size_t{1} << 20;
  if (text.size() > most) {
    throw InputError(str(origin.name, ": has ", grouped(text.size()), " bytes; a network may have ", grouped(most)));
  }
  try {
    return toml::parse(text);
  } catch (const toml::parse_error& e) {
    origin.fail(e.source(), std::string(e.description()));
  }
}

const toml::node* TableReader::node(std::string_view key) {
  asked_.emplace_back(key);
  return table_.get(key);
}

bool TableReader::has(std::string_view key) { return node(key) != nullptr; }

void TableReader::fail(std::string_view key, const std::string& message) const { fail_at(key, str(key, " ", message)); }

void TableReader::fail_at(std::string_view key, const std::string& message) const {
  const auto* found = table_.get(key);
  origin_.fail(found ? found->source() : table_.source(), message);
}

void TableReader::missing(std::string_view key, std::string_view example) const {
  for (const auto& [written, value] : table_) {  // perhaps it is there, misspelt
    if (std::find(asked_.begin(), asked_.end(), written.str()) != asked_.end()) continue;
    const auto guess = did_you_mean(written.str(), std::array{key});
    if (!guess.empty()) origin_.fail(written.source(), str(what_, " has no key ", in_quotes(written.str()), guess));
  }
  fail(str(what_, " needs \"", key, "\"", example.empty() ? "" : ", e.g. ", example));
}

std::int64_t TableReader::checked(const toml::node& node, std::string_view key, std::int64_t least,
                                  std::int64_t most) const {
  const auto* integer = node.as_integer();
  if (!integer) origin_.fail(node.source(), str(key, " must be made of whole numbers"));
  const auto value = integer->get();
  if (value < least || value > most) {
    origin_.fail(node.source(), str(key, " must be from ", least, " to ", most, ", not ", value));
  }
  return value;
}

std::optional<std::int64_t> TableReader::integer(std::string_view key, std::int64_t least, std::int64_t most) {
  const auto* found = node(key);
  if (!found) return {};
  if (!found->is_integer()) fail(key, "must be a whole number");
  return checked(*found, key, least, most);
}

std::optional<double> TableReader::number(std::string_view key) {
  const auto* found = node(key);
  if (!found) return {};
  if (!found->is_number()) fail(key, "must be a number");
  const auto value = found->value<double>().value_or(0.0);
  if (!std::isfinite(value)) fail(key, "must be a finite number");
  return value;
}

std::optional<bool> TableReader::boolean(std::string_view key) {
  const auto* found = node(key);
  if (!found) return {};
  if (!found->is_boolean()) fail(key, "must be true or false");
  return found->as_boolean()->get();
}

std::optional<std::string> TableReader::text(std::string_view key) {
  const auto* found = node(key);
  if (!found) return {};
  if (!found->is_string()) fail(key, "must be a text in quotes");
  return found->as_string()->get();
}

std::optional<std::vector<std::int64_t>> TableReader::integers(std::string_view key, std::int64_t least,
                                                               std::int64_t most) {
  const auto* found = node(key);
  if (!found) return {};
  if (!found->is_array()) fail(key, "must be a list of whole numbers, e.g. [1, 2]");
  std::vector<std::int64_t> values;
  for (const auto& element : *found->as_array()) values.push_back(checked(element, key, least, most));
  return values;
}

std::optional<Pair> TableReader::pair(std::string_view key, std::int64_t least, std::int64_t most) {
  const auto* found = node(key);
  if (!found) return {};
  if (found->is_integer()) {
    const auto value = checked(*found, key, least, most);
    return Pair{value, value};
  }
  const auto* list = found->as_array();
  if (!list || list->size() != 2) fail(key, "must be a whole number, or two: [vertical, horizontal]");
  return Pair{checked(*list->get(0), key, least, most), checked(*list->get(1), key, least, most)};
}

std::optional<std::vector<std::string>> TableReader::texts(std::string_view key) {
  const auto* found = node(key);
  if (!found) return {};
  if (const auto* one = found->as_string()) return std::vector{one->get()};
  if (!found->is_array()) fail(key, "must be a name in quotes, or a list of them");
  std::vector<std::string> values;
  for (const auto& element : *found->as_array()) {
    if (!element.is_string()) origin_.fail(element.source(), str(key, " must be made of names in quotes"));
    values.push_back(element.as_string()->get());
  }
  return values;
}

std::vector<const toml::table*> TableReader::tables(std::string_view key) {
  const auto* found = node(key);
  if (!found) return {};
  std::vector<const toml::table*> values;
  if (!found->is_array()) fail(key, str("must be written [[", key, "]], once for each"));
  for (const auto& element : *found->as_array()) {
    if (!element.is_table()) origin_.fail(element.source(), str("write [[", key, "]] above each ", key));
    values.push_back(element.as_table());
  }
  return values;
}

std::int64_t TableReader::required_integer(std::string_view key, std::int64_t least, std::int64_t most) {
  const auto value = integer(key, least, most);
  if (!value) missing(key);
  return *value;
}

std::string TableReader::required_text(std::string_view key) {
  auto value = text(key);
  if (!value) missing(key);
  return std::move(*value);
}

namespace {

std::string text_of(const Range& range) {
  const bool closed =
      std::isfinite(range.least) && std::isfinite(range.most) && !range.without_least && !range.without_most;
  return closed ? str("between ", range.least, " and ", range.most) : range.text();
}

std::string toml_word(std::string_view word) { return str("\"", word, "\""); }

/// As it is written in TOML.
std::string written(std::string_view word) {
  return word == "true" || word == "false" ? std::string(word) : toml_word(word);
}

template <class T>
void set(T& value, std::optional<T> read) {
  if (read) value = std::move(*read);
}

}  // namespace

void FieldReader::require(const Field& field) {
  if (field.must_be_given && !reader_.has(field.name)) reader_.missing(field.name, field.example);
}

void FieldReader::field(const Field& field, std::int64_t& value) {
  require(field);
  const auto [least, most] = whole_numbers(field.range);
  set(value, reader_.integer(field.name, least, most));
}
void FieldReader::field(const Field& field, bool& value) { set(value, reader_.boolean(field.name)); }
void FieldReader::field(const Field& field, double& value) {
  const auto read = reader_.number(field.name);
  if (read && !field.range.contains(*read))
    reader_.fail(field.name, str("must be ", text_of(field.range), ", not ", *read));
  set(value, read);
}
void FieldReader::field(const Field& field, std::string& value) {
  const auto read = reader_.text(field.name);
  if (!read) return;
  try {
    if (field.check_text) field.check_text(*read);
  } catch (const InputError& e) {
    reader_.fail_at(field.name, e.what());
  }
  value = *read;
}
void FieldReader::field(const Field& field, std::vector<std::int64_t>& value) {
  const auto [least, most] = whole_numbers(field.range);
  set(value, reader_.integers(field.name, least, most));
}
void FieldReader::field(const Field& field, std::vector<double>& value) {
  const auto* found = reader_.node(field.name);
  if (!found) return;
  if (!found->is_array()) reader_.fail(field.name, "must be a list of numbers, e.g. [0.5, 1]");
  value.clear();
  for (const auto& element : *found->as_array()) {
    if (!element.is_number()) reader_.fail(field.name, "must be a list of numbers, e.g. [0.5, 1]");
    value.push_back(element.value<double>().value_or(0.0));
    if (!field.range.contains(value.back()))
      reader_.fail(field.name, str("must each be ", text_of(field.range), ", not ", value.back()));
  }
}

void FieldReader::pair(const Field& field, Pair& value, std::string* word) {
  const auto* found = reader_.node(field.name);
  if (word && found && found->is_string()) {
    *word = found->as_string()->get();
    return;
  }
  const auto [least, most] = whole_numbers(field.range);
  set(value, reader_.pair(field.name, least, most));
}
void FieldReader::choice(const Field& field, std::span<const Word> words, std::size_t& index) {
  const auto* found = reader_.node(field.name);
  if (!found) return;
  const auto* text = found->as_string();
  const auto* truth = found->as_boolean();
  const auto given = text ? toml_word(text->get()) : truth ? std::string(truth->get() ? "true" : "false") : "";
  std::string known;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto& [word, meaning] = words[i];
    if (written(word) == given) {
      index = i;
      return;
    }
    known += str(i == 0 ? "" : i + 1 == words.size() ? " or " : ", ", written(word));
    if (!meaning.empty()) known += str(" (", meaning, ")");
  }
  reader_.fail(field.name, str("must be ", known, text ? ", not " + in_quotes(text->get()) : ""));
}
void FieldReader::words(const Field& field, std::vector<std::string>& value) {
  require(field);
  set(value, reader_.texts(field.name));
}

Attributes TableReader::attributes(const Attributes& defaults) {
  FieldReader setter(*this);
  return defaults.edited(setter);
}

void TableReader::finish() const {
  for (const auto& [key, value] : table_) {
    if (std::find(asked_.begin(), asked_.end(), key.str()) != asked_.end()) continue;
    const std::vector<std::string_view> known(asked_.begin(), asked_.end());
    origin_.fail(key.source(), str(what_, " has no key ", in_quotes(key.str()), did_you_mean(key.str(), known)));
  }
}

}  // namespace chalk
