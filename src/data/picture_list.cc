#include "src/data/picture_list.h"

#include <vector>

#include "chalkgrad/error.h"
#include "chalkgrad/image.h"
#include "src/base/reading.h"
#include "src/base/text.h"
#include "src/files/csv.h"

namespace chalk {

void read_picture_list(std::string_view text, const std::string& name,
                       const std::function<void(const ListedPicture&)>& add) {
  const auto first_line = text.substr(0, text.find_first_of("\r\n"));
  const char separator = first_line.find('\t') != std::string_view::npos  ? '\t'
                         : first_line.find(',') != std::string_view::npos ? ','
                                                                          : '\0';
  CsvReader reader(text, name, separator);
  bool none = true;
  for (std::vector<std::string_view> fields; reader.next(fields);) {
    if (separator == '\0') {
      const auto line = trimmed(fields[0]);
      const auto end = line.find_last_of(" \t");
      fields = {line.substr(0, end), end == std::string_view::npos ? std::string_view() : line.substr(end + 1)};
    }
    if (fields.size() != 2 || trimmed(fields[0]).empty() || trimmed(fields[1]).empty()) {
      throw InputError(str(reader.where(), ": is not a path and a label; write e.g. photos/1.jpg,cat"));
    }
    // Names of columns.
    if (none && !is_picture_name(trimmed(fields[0])) && reader.line() == 1 && separator != '\0') continue;
    add({trimmed(fields[0]), trimmed(fields[1]), reader.where()});
    none = false;
  }
  if (none) throw InputError(str(name, ": lists no pictures; write lines such as photos/1.jpg,cat"));
}

}  // namespace chalk
