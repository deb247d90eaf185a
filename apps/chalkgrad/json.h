// JSON that commands print and log: values that keep the order in which they were given.
//
//   Json line{{"step", 1}, {"loss", 2.3}};
//   line["classes"].push_back({{"name", "cat"}});
//   line.text()  →  {"step":1,"loss":2.3,"classes":[{"name":"cat"}]}
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chalk::app {

class Json {
 public:
  struct Member;

  // NOLINTBEGIN(google-explicit-constructor): whatever is a value of JSON becomes one where it is listed
  Json();  // null, until it is given elements or members
  Json(bool value);
  Json(double value);  // the shortest text that reads back as the same number; null if it is not finite
  Json(const std::optional<double>& value);  // null if there is none
  template <std::integral T>
  Json(T value);
  Json(std::string_view value);
  Json(const char* value);
  Json(const std::string& value);
  Json(std::initializer_list<Member> members);
  Json(const std::map<std::string, std::string>& members);
  template <class T>
  Json(const std::vector<T>& elements);
  // NOLINTEND(google-explicit-constructor)
  static Json array();

  void push_back(Json element);
  /// The member of that name, null if it is new.
  Json& operator[](std::string_view name);
  /// Takes over the members of another object.
  void merge(const Json& other);

  /// On one line, or with each element and member on a line of its own. Bytes that are not UTF-8 become U+FFFD.
  std::string text(bool lines = false) const;

 private:
  enum class Kind : std::uint8_t { scalar, array, object };
  void write(std::string& out, bool lines, std::size_t depth) const;

  Kind kind_ = Kind::scalar;
  std::string text_ = "null";  // of a scalar
  std::vector<Member> items_;  // elements have no name
};

struct Json::Member {
  std::string name;
  Json value;
};

template <std::integral T>
Json::Json(T value) : text_(std::to_string(value)) {}

template <class T>
Json::Json(const std::vector<T>& elements) : kind_(Kind::array) {
  for (const auto& element : elements) push_back(element);
}

}  // namespace chalk::app
