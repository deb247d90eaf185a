#include "src/ir/parameters.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <span>
#include <type_traits>
#include <vector>

#include "chalkgrad/error.h"
#include "src/base/fields.h"
#include "src/base/reading.h"
#include "src/base/shortest.h"
#include "src/base/text.h"
#include "src/base/wording.h"

namespace chalk {
namespace {

std::string upper(std::string_view name) {
  std::string text(name);
  for (char& c : text) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return text;
}

/// A number with the name before it, if there is one: "factor=0.5".
struct Argument {
  std::string_view name, number;
};

std::vector<Argument> arguments_of(std::string_view list) {
  std::vector<Argument> all;
  if (list.empty()) return all;
  for (const auto one : split(list, ',')) {
    const auto equals = one.find('=');
    all.push_back(equals == std::string_view::npos ? Argument{{}, one}
                                                   : Argument{one.substr(0, equals), one.substr(equals + 1)});
  }
  return all;
}

/// Sets the parameters to what was written.
class Reader : public FieldVisitor {
 public:
  Reader(const ParametersForm& form, std::vector<Argument> arguments, std::string_view text)
      : form_(form), arguments_(std::move(arguments)), text_(text) {}

  void field(const Field& field, std::int64_t& value) override {
    if (const auto written = take(field)) value = number<std::int64_t>(field, *written);
  }
  void field(const Field& field, double& value) override {
    if (const auto written = take(field)) value = number<double>(field, *written);
  }
  void field(const Field& field, std::vector<double>& value) override {
    auto written = take(field);
    if (written) value.clear();
    for (; written; written = take_nameless()) value.push_back(number<double>(field, *written));
  }
  void choice(const Field& field, std::span<const Word> words, std::size_t& index) override {
    const auto written = take(field);
    if (!written) return;
    const auto found = std::ranges::find(words, *written, &Word::word);
    if (found == words.end()) {
      std::vector<std::string> known;
      for (const auto& each : words) known.emplace_back(each.word);
      fail(str(": ", called(field), " is ", in_quotes(*written), "; it must be ", alternatives(known)));
    }
    index = static_cast<std::size_t>(found - words.begin());
  }
  // None has these.
  void field(const Field&, bool&) override {}
  void field(const Field&, std::string&) override {}
  void field(const Field&, std::vector<std::int64_t>&) override {}

  /// Throws InputError for what no parameter has taken.
  void finish() const {
    if (arguments_.empty()) return;
    const auto& left = arguments_.front();
    if (left.name.empty() && left.number.empty()) fail(": a number is missing; end it without a colon or comma");
    const auto list = names_.empty() ? std::string("nothing") : alternatives(names_, " and ");
    const auto name = form_.name.empty() ? form_.family : form_.name;
    if (left.name.empty()) fail(str(": ", left.number, " is one too many; ", name, " takes ", list));
    const std::vector<std::string_view> known(names_.begin(), names_.end());
    const bool twice = std::ranges::find(names_, left.name) != names_.end();
    fail(twice ? str(": ", left.name, " is given twice; give it once")
               : str(": ", name, " has no ", in_quotes(left.name), ", but ", list));
  }

 private:
  [[noreturn]] void fail(const std::string& what) const { cannot_read(form_.family, text_, what); }
  std::optional<std::string_view> take_nameless() {
    const auto found = std::ranges::find(arguments_, std::string_view(), &Argument::name);
    return found == arguments_.end() || found->number.empty() ? std::nullopt : std::optional(take(found));
  }
  std::string_view take(std::vector<Argument>::iterator argument) {
    const auto number = argument->number;
    arguments_.erase(argument);
    return number;
  }
  std::optional<std::string_view> take(const Field& field) {
    names_.emplace_back(field.name);
    const auto named = std::ranges::find(arguments_, field.name, &Argument::name);
    if (named != arguments_.end()) return take(named);
    if (names_.size() <= form_.nameless) {
      if (const auto nameless = take_nameless()) return nameless;
    }
    if (field.must_be_given) {
      fail(str(": ", upper(field.name), " is missing; write ", form_of(form_), " as in ", form_.name,
               form_.name.empty() ? "" : ":", field.example));
    }
    return {};
  }
  /// How messages call the parameter that has just been taken.
  std::string called(const Field& field) const {
    return names_.size() <= form_.nameless ? upper(field.name) : std::string(field.name);
  }
  template <class T>
  T number(const Field& field, std::string_view written) const {
    T value{};
    const auto [end, error] = std::from_chars(written.data(), written.data() + written.size(), value);
    const bool read = error == std::errc() && end == written.data() + written.size();
    if (read && field.range.contains(static_cast<double>(value))) return value;
    const bool shown_plainly = read || error == std::errc::result_out_of_range;
    fail(str(": ", called(field), " is ", shown_plainly ? std::string(written) : in_quotes(written), "; it must be ",
             std::is_same_v<T, std::int64_t> ? "whole, and " : "", field.range.text()));
  }

  const ParametersForm& form_;
  std::vector<Argument> arguments_;
  std::string_view text_;
  std::vector<std::string> names_;  // of the parameters so far
};

std::string argument_text(double value) { return shortest(value); }
std::string argument_text(std::int64_t value) { return std::to_string(value); }
std::string argument_text(const std::string& word) { return word; }
std::string argument_text(const std::vector<double>& values) {
  std::string text;
  for (const double value : values) text += str(text.empty() ? "" : ",", shortest(value));
  return text;
}
template <class T>
std::string argument_text(const T&) {  // none has these
  return {};
}

}  // namespace

void cannot_read(std::string_view family, std::string_view text, const std::string& what) {
  throw InputError(str(family, " ", in_quotes(text), what));
}

std::string form_of(const ParametersForm& form) {
  std::string text(form.name);
  std::size_t seen = 0;
  FieldFunction writer([&]<class T>(const Field& field, const T&) {
    if (seen++ >= form.nameless) return;
    text += str(seen > 1            ? ","
                : form.name.empty() ? ""
                                    : ":",
                upper(field.name), std::is_same_v<T, std::vector<double>> ? ",…" : "");
  });
  form.defaults.show(writer);
  return text;
}

std::string_view name_in(std::string_view text) { return text.substr(0, text.find(':')); }

Attributes read_parameters(const ParametersForm& form, std::string_view written, std::string_view text) {
  const auto colon = form.name.empty() ? std::string_view::npos : written.find(':');
  const bool has_list = form.name.empty() || colon != std::string_view::npos;
  const auto list = has_list ? written.substr(colon + 1) : std::string_view();
  auto arguments = arguments_of(list);
  if (has_list && list.empty()) arguments.push_back({});
  Reader reader(form, std::move(arguments), text);
  auto parameters = form.defaults.edited(reader);
  reader.finish();
  return parameters;
}

std::string written(const ParametersForm& form, const Attributes& parameters) {
  std::vector<std::string> usual;
  FieldFunction remember([&](const Field&, const auto& value) { usual.push_back(argument_text(value)); });
  form.defaults.show(remember);
  std::size_t place = 0, last = form.spare ? 0 : form.nameless;  // so many are written without their names
  FieldFunction look([&](const Field& field, const auto& value) {
    const auto i = place++;
    if (i < form.nameless && (field.must_be_given || argument_text(value) != usual[i])) last = std::max(last, i + 1);
  });
  parameters.show(look);
  std::string text(form.name);
  std::size_t seen = 0, count = 0;
  FieldFunction writer([&](const Field& field, const auto& value) {
    const auto i = seen++;
    const auto now = argument_text(value);
    const bool nameless = i < last;
    if (!nameless && now == usual[i]) return;
    text += str(count++ > 0 ? "," : form.name.empty() ? "" : ":", nameless ? "" : str(field.name, "="), now);
  });
  parameters.show(writer);
  return text;
}

}  // namespace chalk
