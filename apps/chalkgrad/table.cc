#include "apps/chalkgrad/table.h"

#include <algorithm>

#include "src/base/utf8.h"

namespace chalk::app {

Table::Table(std::vector<std::string> titles) { row(std::move(titles)); }
void Table::row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
void Table::rule() { rows_.emplace_back(); }

std::string Table::text() const {
  std::vector<std::size_t> widths;
  for (const auto& row : rows_) {
    if (widths.size() < row.size()) widths.resize(row.size());
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], characters(row[i]));
  }
  std::size_t total = 0;
  for (const auto w : widths) total += w + 2;
  std::string text;
  for (const auto& row : rows_) {
    if (row.empty()) {
      for (std::size_t i = 2; i < total; ++i) text += "─";
    }
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string space(widths[i] - characters(row[i]), ' ');
      if (i > 0) text += "  ";
      text += i == 0 ? row[i] + space : space + row[i];
    }
    text.erase(text.find_last_not_of(' ') + 1);
    text += '\n';
  }
  return text;
}

}  // namespace chalk::app
