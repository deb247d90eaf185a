#include "chalkgrad/attributes.h"

#include "src/base/text.h"

namespace chalk {
namespace {

std::string text_of(std::int64_t value) { return std::to_string(value); }
std::string text_of(bool value) { return value ? "true" : "false"; }
std::string text_of(double value) {
  TextStream out;
  out.precision(17);
  out << value;
  return out.str();
}
std::string text_of(const std::string& value) { return "\"" + value + "\""; }
template <class T>
std::string text_of(const std::vector<T>& values) {
  std::string text = "[";
  for (const auto value : values) text += (text.size() > 1 ? ", " : "") + text_of(value);
  return text + "]";
}

/// The fields' names and values, as they are printed.
std::vector<std::pair<std::string, std::string>> texts_of(const Attributes& attributes) {
  std::vector<std::pair<std::string, std::string>> texts;
  FieldFunction printer([&](const Field& field, const auto& value) { texts.emplace_back(field.name, text_of(value)); });
  attributes.show(printer);
  return texts;
}

}  // namespace

std::string to_string(const Attributes& attributes, const Attributes& defaults) {
  const auto shown = texts_of(attributes), usual = texts_of(defaults);
  std::string text;
  for (std::size_t i = 0; i < shown.size(); ++i) {
    if (i < usual.size() && shown[i] == usual[i]) continue;
    text += (text.empty() ? "" : " ") + shown[i].first + "=" + shown[i].second;
  }
  return text;
}

}  // namespace chalk
