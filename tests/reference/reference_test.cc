// docs/reference: a page for each piece of each family, held to the engine, and fresh.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <set>

#include "src/base/document_testing.h"
#include "src/base/text.h"
#include "tests/reference/families.h"

namespace chalk::reference {
namespace {

struct FamilyOf {
  const char* name;
  Family (*make)();
};
constexpr FamilyOf kFamilies[] = {{"operations", operations},     {"layers", layers},       {"losses", losses},
                                  {"optimizers", optimizers},     {"schedules", schedules}, {"averages", averages},
                                  {"initialisers", initialisers}, {"sources", sources}};

class DocumentsReference : public testing::TestWithParam<FamilyOf> {};
INSTANTIATE_TEST_SUITE_P(Families, DocumentsReference, testing::ValuesIn(kFamilies),
                         [](const auto& each) { return std::string(each.param.name); });

TEST_P(DocumentsReference, HasAFreshPageForEachPieceWithFormulasThatHold) {
  const auto family = GetParam().make();
  EXPECT_GT(family.listed, 0U);
  EXPECT_EQ(family.pages.size(), family.listed) << family.name;
  std::set<std::string> files;
  for (const auto& page : family.pages) {
    for (const auto& fault : page.faults) ADD_FAILURE() << family.name << "/" << page.name << ": " << fault;
    const auto file = str("docs/reference/", family.name, "/", page.name, ".md");
    EXPECT_TRUE(files.insert(file).second) << file << " is the page of two pieces";
    testing_support::expect_file(file, to_markdown(page));
  }
  testing_support::expect_file(str("docs/reference/", family.name, ".html"), to_html(family));
  testing_support::expect_no_other_files(str("docs/reference/", family.name), files);
}

TEST_P(DocumentsReference, NoticesAFormulaThatIsWrongByAThousandth) {
  const auto right = GetParam().make();
  spoil_formulas = true;
  const auto wrong = GetParam().make();
  spoil_formulas = false;
  for (std::size_t i = 0; i < right.pages.size(); ++i) {
    const auto& page = wrong.pages.at(i);
    EXPECT_EQ(page.equations, 0) << right.name << "/" << page.name;
    EXPECT_EQ(page.faults.empty(), right.pages[i].equations == 0) << right.name << "/" << page.name;
  }
}

TEST(DocumentsReferenceIndex, CountsWhatIsListedAndWhatHasAPage) {
  std::vector<Family> families;
  for (const auto& family : kFamilies) families.push_back(family.make());
  std::cout << "family        listed  tested  pages  checked  lines\n";
  for (const auto& family : families) {
    const auto checked = std::ranges::count_if(family.pages, [](const Page& page) { return page.equations > 0; });
    const auto lines = std::ranges::count_if(family.pages, [](const Page& page) { return !page.command.empty(); });
    std::cout << family.name << std::string(14 - family.name.size(), ' ') << family.listed << "\t" << family.tested
              << "\t" << family.pages.size() << "\t" << checked << "\t" << lines << "\n";
    EXPECT_EQ(family.pages.size(), family.listed) << family.name;
    EXPECT_EQ(family.tested, family.tests.empty() ? 0 : family.listed) << family.name << ": " << family.tests;
    EXPECT_EQ(lines, std::ssize(family.pages)) << family.name;
    EXPECT_EQ(checked, family.name == "sources" ? 0 : std::ssize(family.pages)) << family.name;
  }
  testing_support::expect_file("docs/reference/README.md", index_of(families));
}

}  // namespace
}  // namespace chalk::reference
