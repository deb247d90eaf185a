#include "src/data/source_options.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <system_error>
#include <vector>

#include "chalkgrad/error.h"
#include "src/base/fields.h"
#include "src/base/reading.h"
#include "src/base/suggest.h"
#include "src/base/text.h"
#include "src/base/wording.h"

namespace chalk {
namespace {

using Given = std::map<std::string, std::string, std::less<>>;

/// Reads the fields that were given, and remembers all there are.
class Reader : public FieldVisitor {
 public:
  Reader(std::string spec, const Given& given) : spec_(std::move(spec)), given_(given) {}

  void field(const Field& field, std::int64_t& value) override {
    const auto* text = find(field);
    if (text == nullptr) return;
    const auto number = number_in<std::int64_t>(*text);
    if (!number || !field.range.contains(static_cast<double>(*number))) {
      refuse(field.name, str("must be a whole number ", field.range.text(), ", not ", in_quotes(*text)));
    }
    value = *number;
  }
  void field(const Field& field, bool& value) override {
    constexpr std::array<Word, 2> words = {Word{"false", {}}, Word{"true", {}}};
    auto index = static_cast<std::size_t>(value);
    choice(field, words, index);
    value = index == 1;
  }
  void field(const Field& field, double& value) override {
    const auto* text = find(field);
    if (text == nullptr) return;
    const auto number = number_in<double>(*text);
    if (!number || !field.range.contains(*number)) {
      refuse(field.name, str("must be ", field.range.text(), ", not ", in_quotes(*text)));
    }
    value = *number;
  }
  void field(const Field& field, std::string& value) override {
    const auto* text = find(field);
    if (text == nullptr) return;
    if (text->empty()) refuse(field.name, "has no value");
    try {
      if (field.check_text) field.check_text(*text);
    } catch (const InputError& e) {
      refuse(field.name, e.what());
    }
    value = *text;
  }
  void field(const Field& field, std::vector<std::int64_t>&) override { find(field); }
  void field(const Field& field, std::vector<double>&) override { find(field); }
  void refuse(std::string_view name, const std::string& message) override {
    throw InputError(str("data set ", in_quotes(spec_), ": ", with_dashes(name), " ", message));
  }

  /// After all fields were visited.
  void check_names() const {
    const std::vector<std::string_view> known(names_.begin(), names_.end());
    for (const auto& [name, value] : given_) {
      if (std::ranges::find(names_, name) != names_.end()) continue;
      const auto guess = did_you_mean(name, known);
      throw InputError(str("data set ", in_quotes(spec_), ": has no option ", in_quotes(name), guess,
                           guess.empty() ? "; it takes " : " It takes ", alternatives(names_, " and ")));
    }
  }

 private:
  const std::string* find(const Field& field) {
    names_.push_back(with_dashes(field.name));
    const auto found = given_.find(names_.back());
    return found == given_.end() ? nullptr : &found->second;
  }

  std::string spec_;
  const Given& given_;
  std::vector<std::string> names_;
};

bool is_name(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return (c >= 'a' && c <= 'z') || c == '-'; });
}

}  // namespace

std::string take_options(std::string_view word, const std::string& argument,
                         const std::function<void(FieldVisitor&)>& visit) {
  std::error_code ignored;
  if (std::filesystem::exists(argument, ignored)) return argument;
  const auto spec = str(word, ":", argument);
  std::string_view rest = argument;
  Given given;
  for (;;) {
    const auto comma = rest.rfind(',');
    if (comma == std::string_view::npos) break;
    const auto option = rest.substr(comma + 1);
    const auto equals = option.find('=');
    const auto name = option.substr(0, equals);
    if (equals == std::string_view::npos || !is_name(name)) break;
    if (!given.emplace(name, option.substr(equals + 1)).second) {
      throw InputError(str("data set ", in_quotes(spec), ": ", name, " is given twice; give it once"));
    }
    rest = rest.substr(0, comma);
  }
  Reader reader(spec, given);
  visit(reader);
  reader.check_names();
  return std::string(rest);
}

}  // namespace chalk
