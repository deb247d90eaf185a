// Tables in the documents that the program knows best: each is generated, and a test fails when it is stale.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace chalk::testing_support {

/// ./dev docs runs the tests whose name has the word Documents in it.
inline void expect_found_by_dev_docs() {
  const auto* test = testing::UnitTest::GetInstance()->current_test_info();
  const auto name = std::string(test->test_suite_name()) + "." + test->name();
  EXPECT_NE(name.find("Documents"), std::string::npos) << name << " writes into the documents; call it Documents…";
}

/// Expects that `file` of this repository has `text` between the lines "<!-- begin NAME (generated) -->" and
/// "<!-- end NAME -->". With CHALKGRAD_WRITE_DOCS=1 in the environment, writes it there.
inline void expect_generated(const std::string& file, const std::string& name, const std::string& text) {
  expect_found_by_dev_docs();
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
      << file << " is stale; ./dev docs writes it";
}

/// Expects that the whole of `file` is `text`, or writes it.
inline void expect_file(const std::string& file, const std::string& text) {
  expect_found_by_dev_docs();
  const auto path = std::filesystem::path(CHALKGRAD_SOURCE_DIR) / file;
  if (std::getenv("CHALKGRAD_WRITE_DOCS") != nullptr) {
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }
  std::stringstream contents;
  contents << std::ifstream(path).rdbuf();
  EXPECT_TRUE(contents.str() == text) << file << " is stale or missing; ./dev docs writes it";
}

/// Expects that a folder has no files but these, or removes the others.
inline void expect_no_other_files(const std::string& folder, const std::set<std::string>& files) {
  const auto path = std::filesystem::path(CHALKGRAD_SOURCE_DIR) / folder;
  std::vector<std::filesystem::path> others;
  for (const auto& entry : std::filesystem::directory_iterator(path)) {
    if (files.count(folder + "/" + entry.path().filename().string()) == 0) others.push_back(entry.path());
  }
  for (const auto& other : others) {
    if (std::getenv("CHALKGRAD_WRITE_DOCS") != nullptr) {
      std::filesystem::remove(other);
    } else {
      ADD_FAILURE() << other.string() << " is the page of nothing; ./dev docs removes it";
    }
  }
}

}  // namespace chalk::testing_support
