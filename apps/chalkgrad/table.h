// Tables whose columns line up.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace chalk::app {

class Table {
 public:
  /// Titles of the columns; all but the first are aligned at the right.
  explicit Table(std::vector<std::string> titles);
  void row(std::vector<std::string> cells);
  /// A line between the rows before and after.
  void rule();
  std::string text() const;

 private:
  std::vector<std::vector<std::string>> rows_;  // an empty one is a rule
};

}  // namespace chalk::app
