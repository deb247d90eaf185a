#include "tests/reference/family.h"

#include <fstream>
#include <set>

#include "src/base/fields.h"
#include "src/base/text.h"

namespace chalk::reference {

std::string as_key(std::string_view name) { return std::string(name); }
std::string as_option(std::string_view name) { return str("--", with_dashes(name)); }
std::string as_setting(std::string_view name) { return str(with_dashes(name), "="); }

std::string quoted(const std::string& word) {
  return word.find_first_of(" ()[]{}\"*#;&|<>$") == std::string::npos ? word : str("'", word, "'");
}

Page new_page(const Family& family, std::string_view name, const std::string& source, std::string about) {
  return {
      .family = family.name, .one = family.one, .name = std::string(name), .about = std::move(about), .source = source};
}

void count_recorded(Family& family, const std::string& file, const std::vector<std::string_view>& names) {
  std::ifstream in(std::string(CHALKGRAD_SOURCE_DIR "/") + file);
  std::set<std::string> recorded;
  for (std::string line; std::getline(in, line);) recorded.insert(line.substr(0, line.find_first_of(" :+|")));
  family.tests = file;
  for (const auto name : names) family.tested += recorded.count(std::string(name));
}

}  // namespace chalk::reference
