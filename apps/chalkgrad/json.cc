#include "apps/chalkgrad/json.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "src/base/shortest.h"
#include "src/base/utf8.h"

namespace chalk::app {
namespace {

std::string literal(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef", kSpecial = "\b\t\n\f\r\"\\", kLetters = "btnfr\"\\";
  std::string out = "\"";
  while (!text.empty()) {
    const auto length = first_character(text).bytes;
    const auto first = static_cast<unsigned char>(text[0]);
    if (length == 0) {
      out += "\xEF\xBF\xBD";
    } else if (const auto special = kSpecial.find(text[0]); special != std::string_view::npos) {
      out += {'\\', kLetters[special]};
    } else if (first < 0x20) {
      out += {'\\', 'u', '0', '0', kHex[first >> 4U], kHex[first & 15U]};
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(std::max<std::size_t>(1, length));
  }
  return out + '"';
}

/// A number above 0 as JSON writes reals, in the fewest digits that read back as it: with a point or an exponent, so
/// that readers which tell integers from reals see a real; fixed from 0.0001 up to 15 digits.
std::string real(double value) {
  auto [digits, exponent] = shortest_decimal(value);
  const int before = exponent + 1;  // digits before the point
  const auto count = static_cast<int>(digits.size());
  const auto zeros = [](int n) { return std::string(static_cast<std::size_t>(std::max(0, n)), '0'); };
  if (before > -4 && before <= 0) return "0." + zeros(-before) + digits;
  if (before > 0 && before <= 15) {
    digits += zeros(before - count) + (before >= count ? "0" : "");
    return digits.insert(static_cast<std::size_t>(before), ".");
  }
  if (count > 1) digits.insert(1, ".");
  std::array<char, 16> power{};
  std::snprintf(power.data(), power.size(), "e%+03d", exponent);
  return digits + power.data();
}

}  // namespace

Json::Json(double value) {
  if (!std::isfinite(value)) return;
  text_ = value == 0 ? "0.0" : real(std::abs(value));
  if (std::signbit(value)) text_.insert(0, "-");
}

Json::Json(const std::optional<double>& value) {
  if (value) *this = Json(*value);
}

Json::Json() = default;
Json::Json(bool value) : text_(value ? "true" : "false") {}
Json::Json(std::string_view value) : text_(literal(value)) {}
Json::Json(const char* value) : Json(std::string_view(value)) {}
Json::Json(const std::string& value) : Json(std::string_view(value)) {}
Json::Json(std::initializer_list<Member> members) : kind_(Kind::object), items_(members) {}
Json::Json(const std::map<std::string, std::string>& members) : kind_(Kind::object) {
  for (const auto& [name, value] : members) items_.push_back({name, value});
}

Json Json::array() {
  Json json;
  json.kind_ = Kind::array;
  return json;
}

void Json::push_back(Json element) {
  if (kind_ == Kind::scalar) kind_ = Kind::array;
  items_.push_back({{}, std::move(element)});
}

Json& Json::operator[](std::string_view name) {
  if (kind_ == Kind::scalar) kind_ = Kind::object;
  const auto found = std::ranges::find(items_, name, &Member::name);
  if (found != items_.end()) return found->value;
  items_.push_back({std::string(name), {}});
  return items_.back().value;
}

void Json::merge(const Json& other) {
  for (const auto& item : other.items_) (*this)[item.name] = item.value;
}

std::string Json::text(bool lines) const {
  std::string out;
  write(out, lines, 0);
  return out;
}

void Json::write(std::string& out, bool lines, std::size_t depth) const {
  if (kind_ == Kind::scalar) {
    out += text_;
    return;
  }
  const auto new_line = [&](std::size_t at) {
    if (lines && !items_.empty()) out += "\n" + std::string(2 * at, ' ');
  };
  out += kind_ == Kind::array ? '[' : '{';
  for (const auto& item : items_) {
    if (&item != items_.data()) out += ',';
    new_line(depth + 1);
    if (kind_ == Kind::object) out += literal(item.name) + (lines ? ": " : ":");
    item.value.write(out, lines, depth + 1);
  }
  new_line(depth);
  out += kind_ == Kind::array ? ']' : '}';
}

}  // namespace chalk::app
