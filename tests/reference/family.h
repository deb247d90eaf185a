// What the families' files share.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/reference/families.h"

namespace chalk::reference {

/// An option's name as a key of TOML, on the command line, and behind a data source.
std::string as_key(std::string_view name);
std::string as_option(std::string_view name);
std::string as_setting(std::string_view name);
/// A word of the command line, in quotes if a shell needs them.
std::string quoted(const std::string& word);
Page new_page(const Family& family, std::string_view name, const std::string& source, std::string about);
/// Counts which of these are the first word of a line of a recorded file.
void count_recorded(Family& family, const std::string& file, const std::vector<std::string_view>& names);

inline std::function<void(FieldVisitor&)> fields_of(Attributes options) {
  return [options = std::move(options)](FieldVisitor& v) { options.show(v); };
}

template <class Make>
Family family_of(const std::string& name, const std::string& one, const std::string& list, const std::string& about,
                 const Make& make) {
  Family family;
  family.name = name, family.one = one, family.list = list, family.about = about;
  auto sources = read_sources(name);
  make(family, sources);
  expect_none_left(sources, name);
  return family;
}

}  // namespace chalk::reference
