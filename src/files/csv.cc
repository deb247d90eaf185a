#include "src/files/csv.h"

#include <algorithm>
#include <array>

#include "chalkgrad/error.h"
#include "src/base/text.h"
#include "src/base/wording.h"

namespace chalk {

CsvReader::CsvReader(std::string_view text, std::string name, char separator)
    : rest_(text), name_(std::move(name)), separator_(separator) {
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) {
    throw InputError(str(name_, ": is UTF-16; save it as UTF-8"));
  }
  if (text.find('\0') != std::string_view::npos) {
    throw InputError(
        str(name_, ": holds a NUL byte, so it is no text; give a file of values with commas between them"));
  }
  if (text.starts_with("\xEF\xBB\xBF")) rest_.remove_prefix(3);
}

std::string CsvReader::where() const { return str(name_, ": line ", grouped(line_)); }

void CsvReader::take_line_end() {
  if (rest_.starts_with("\r\n")) rest_.remove_prefix(1);
  rest_.remove_prefix(1);
  ++next_line_;
}

// What is between the quotes, without those that stand before others.
std::string_view CsvReader::quoted() {
  rest_.remove_prefix(1);
  const auto* begin = rest_.data();
  bool doubled = false;
  for (std::size_t at = 0;; ++at) {
    if (at == rest_.size()) {
      throw InputError(
          str(where(), ": a quote is not closed in the record that begins here; close it, or leave it out"));
    }
    if (rest_[at] == '\n' || (rest_[at] == '\r' && (at + 1 == rest_.size() || rest_[at + 1] != '\n'))) ++next_line_;
    if (rest_[at] != '"') continue;
    if (at + 1 < rest_.size() && rest_[at + 1] == '"') {
      doubled = true;
      ++at;
      continue;
    }
    const std::string_view field(begin, at);
    rest_.remove_prefix(at + 1);
    if (!rest_.empty() && rest_[0] != separator_ && rest_[0] != '\n' && rest_[0] != '\r') {
      throw InputError(str(where(), ": a field in quotes goes on behind the second one with ",
                           in_quotes(rest_.substr(0, 1)), "; write quotes within it twice"));
    }
    if (!doubled) return field;
    std::string plain;
    for (std::size_t i = 0; i < field.size(); ++i) {
      plain += field[i];
      if (field[i] == '"') ++i;
    }
    unescaped_.push_back(std::move(plain));
    return unescaped_.back();
  }
}

bool CsvReader::next(std::vector<std::string_view>& fields) {
  fields.clear();
  unescaped_.clear();
  while (!rest_.empty() && (rest_[0] == '\n' || rest_[0] == '\r')) take_line_end();
  if (rest_.empty()) return false;
  line_ = next_line_;
  for (;;) {
    if (!rest_.empty() && rest_[0] == '"') {
      fields.push_back(quoted());
    } else {
      const std::array<char, 3> ends = {separator_, '\n', '\r'};
      const auto size = std::min(rest_.find_first_of(std::string_view(ends.data(), ends.size())), rest_.size());
      fields.push_back(rest_.substr(0, size));
      rest_.remove_prefix(size);
    }
    if (rest_.empty()) return true;
    if (rest_[0] != separator_) {
      take_line_end();
      return true;
    }
    rest_.remove_prefix(1);
  }
}

char guess_separator(std::string_view text) {
  constexpr std::string_view candidates = ",;\t";
  std::array<int, 3> found = {};
  bool quoted = false;
  for (const char c : text) {
    if (c == '"') quoted = !quoted;
    if (!quoted && (c == '\n' || c == '\r')) break;
    if (const auto which = candidates.find(c); !quoted && which != std::string_view::npos) ++found[which];
  }
  return candidates[static_cast<std::size_t>(std::ranges::max_element(found) - found.begin())];
}

}  // namespace chalk
