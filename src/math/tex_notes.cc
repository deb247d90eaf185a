#include "src/math/tex_notes.h"

#include <algorithm>
#include <charconv>

#include "src/base/text.h"
#include "src/base/wording.h"
#include "src/math/tex_document.h"

namespace chalk::math {
namespace {

int number_in(std::string_view text, Place place) {
  int number = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), number);
  if (end.ec != std::errc() || end.ptr != text.data() + text.size() || number < 1)
    throw NotesError(place, str("a number expected, not ", in_quotes(text)));
  return number;
}

}  // namespace

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

std::string_view first_word(std::string_view text) {
  text = trimmed(text);
  return text.substr(0, text.find_first_of(" \t\r\n"));
}

Notes read_notes(std::string_view text) {
  Notes notes;
  notes.blocks.emplace_back();
  int number = 0;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const Place place{++number, 1, 1};
    const auto word = first_word(line);
    if (word == "repair") {
      const auto colon = line.find(':'), arrow = line.find(" -> ");
      if (colon == std::string_view::npos || arrow == std::string_view::npos || arrow < colon + 2)
        throw NotesError(place, "a repair is written: repair LINE: OLD -> NEW");
      Repair repair{.line = 0, .from = {}, .to = {}, .place = place};
      repair.line = number_in(trimmed(line.substr(line.find("repair") + 6, colon - line.find("repair") - 6)), place);
      repair.from = trimmed(line.substr(colon + 1, arrow - colon - 1));
      repair.to = trimmed(line.substr(arrow + 4));
      notes.repairs.push_back(std::move(repair));
    } else if (word == "before" || word == "after") {
      Anchor anchor{.after = word == "after"};
      auto rest = trimmed(trimmed(line).substr(word.size()));
      const auto what = first_word(rest);
      if (what != "line" && what != "equation")
        throw NotesError(place, str("\"", word, " line N\" or \"", word, " equation N\" expected"));
      anchor.equation = what == "equation";
      anchor.number = number_in(trimmed(rest.substr(what.size())), place);
      notes.blocks.emplace_back(anchor, std::vector<NoteLine>());
    } else {
      notes.blocks.back().second.push_back({number, std::string(line)});
    }
  }
  return notes;
}

std::string repaired(std::string_view text, const std::vector<Repair>& repairs) {
  std::string out(text);
  for (const auto& repair : repairs) {
    std::size_t begin = 0;
    for (int line = 1; line < repair.line && begin != std::string::npos; ++line) {
      begin = out.find('\n', begin);
      if (begin != std::string::npos) ++begin;
    }
    const auto end = begin == std::string::npos ? begin : std::min(out.find('\n', begin), out.size());
    const auto found = begin == std::string::npos ? begin : out.find(repair.from, begin);
    if (found == std::string::npos || found + repair.from.size() > end)
      throw NotesError(repair.place, str("line ", repair.line, " of the document has no ", in_quotes(repair.from)));
    out.replace(found, repair.from.size(), repair.to);
  }
  return out;
}

}  // namespace chalk::math
