#include "chalkgrad/attributes.h"

#include <sstream>

namespace chalk {
namespace {

class Printer : public FieldVisitor {
 public:
  void field(const Field& field, std::int64_t& value) override { put(field.name, std::to_string(value)); }
  void field(const Field& field, bool& value) override { put(field.name, value ? "true" : "false"); }
  void field(const Field& field, double& value) override { put(field.name, number(value)); }
  void field(const Field& field, std::string& value) override { put(field.name, "\"" + value + "\""); }
  void field(const Field& field, std::vector<std::int64_t>& value) override { list(field.name, value); }
  void field(const Field& field, std::vector<double>& value) override { list(field.name, value); }

  std::vector<std::pair<std::string, std::string>> fields;

 private:
  static std::string number(double value) {
    std::ostringstream out;
    out.precision(17);
    out << value;
    return out.str();
  }
  static std::string number(std::int64_t value) { return std::to_string(value); }
  template <class T>
  void list(std::string_view name, const std::vector<T>& values) {
    std::string text = "[";
    for (const auto& value : values) text += (text.size() > 1 ? ", " : "") + number(value);
    put(name, text + "]");
  }
  void put(std::string_view name, std::string value) { fields.emplace_back(name, std::move(value)); }
};

}  // namespace

std::string to_string(const Attributes& attributes, const Attributes& defaults) {
  Printer shown, usual;
  attributes.show(shown);
  defaults.show(usual);
  std::string text;
  for (std::size_t i = 0; i < shown.fields.size(); ++i) {
    if (i < usual.fields.size() && shown.fields[i] == usual.fields[i]) continue;
    text += (text.empty() ? "" : " ") + shown.fields[i].first + "=" + shown.fields[i].second;
  }
  return text;
}

}  // namespace chalk
