// Classes by name: the words that samples are labelled with, as numbers.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace chalk {

/// Collects the words of the training part, then numbers them; or takes the names that are known already, in their
/// order.
class ClassWords {
 public:
  /// `of_network`: the names that a network knows, or none.
  explicit ClassWords(const std::vector<std::string>& of_network);

  /// The number of a word. Until the names are fixed it is that of its first coming, which fix() replaces. Afterwards
  /// throws InputError for a word that is none of the names; `where` begins the message.
  std::int32_t number(std::string_view word, std::string_view where);

  /// From now on the names are those that came, as they came.
  void fix() { fixed_ = true; }
  /// The same, in their order: numbers by value if all are numbers, otherwise by Unicode code point. `labels` are what
  /// number() gave, and become places in that order.
  void sort_and_fix(std::vector<std::int32_t>& labels);

  const std::vector<std::string>& names() const { return names_; }

 private:
  std::vector<std::string> names_;
  std::map<std::string, std::int32_t, std::less<>> numbers_;
  bool of_network_, fixed_;
};

/// Sorts such words in that order.
void sort_classes(std::vector<std::string>& words);

}  // namespace chalk
