// Tables in the documents that the program knows best: each is generated, and a test fails when it is stale.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace chalk::testing_support {

/// Expects that `file` of this repository has `text` between the lines "<!-- begin NAME (generated) -->" and
/// "<!-- end NAME -->". With CHALKGRAD_WRITE_DOCS=1 in the environment, writes it there.
inline void expect_generated(const std::string& file, const std::string& name, const std::string& text) {
  const auto path = std::filesystem::path(CHALKGRAD_SOURCE_DIR) / file;
  std::stringstream contents;
  contents << std::ifstream(path).rdbuf();
  auto all = contents.str();
  const auto opening = "<!-- begin " + name + " (generated) -->\n", closing = "<!-- end " + name + " -->";
  const auto begin = all.find(opening), end = all.find(closing);
  ASSERT_TRUE(begin != std::string::npos && end != std::string::npos && begin < end)
      << file << " has no lines " << opening << "and " << closing;
  const auto first = begin + opening.size();
  if (std::getenv("CHALKGRAD_WRITE_DOCS") != nullptr) std::ofstream(path) << all.replace(first, end - first, text);
  EXPECT_EQ(all.substr(first, text.size() + closing.size()), text + closing)
      << file << " is stale; run this test with CHALKGRAD_WRITE_DOCS=1 in the environment to write it";
}

}  // namespace chalk::testing_support
