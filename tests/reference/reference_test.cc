// docs/reference: a page for each piece of each family, held to the engine, and fresh.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <set>

#include "chalkgrad/image.h"
#include "src/base/document_testing.h"
#include "src/base/text.h"
#include "tests/reference/families.h"

namespace chalk::reference {
namespace {

struct FamilyOf {
  const char* name;
  Family (*make)();
};
constexpr FamilyOf kFamilies[] = {
    {"operations", operations},     {"layers", layers},       {"losses", losses},
    {"optimizers", optimizers},     {"schedules", schedules}, {"averages", averages},
    {"initialisers", initialisers}, {"sources", sources},     {"augmentations", augmentations}};

/// Expects that a file has these pixels, whichever zlib has written it, or writes it.
void expect_picture(const std::string& file, const Image& picture) {
  constexpr std::size_t kMostBytes = 20'000;
  const auto path = std::filesystem::path(CHALKGRAD_SOURCE_DIR) / file;
  const auto fresh = [&] {
    if (!std::filesystem::exists(path)) return false;
    const auto found = load_image(path);
    return found.height == picture.height && found.width == picture.width && found.pixels == picture.pixels;
  };
  if (!fresh() && std::getenv("CHALKGRAD_WRITE_DOCS") != nullptr) {
    const auto png = encode_png(picture);
    std::ofstream(path, std::ios::binary).write(reinterpret_cast<const char*>(png.data()), std::ssize(png));
  }
  EXPECT_TRUE(fresh()) << file << " is stale or missing; ./dev docs writes it";
  if (fresh()) {
    EXPECT_LE(std::filesystem::file_size(path), kMostBytes) << file;
  }
}

/// Families of which nothing is a formula that could be checked.
bool has_formulas(const Family& family) { return family.name != "sources" && family.name != "augmentations"; }

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
    if (page.picture.pixels.empty()) continue;
    const auto picture = str("docs/reference/", family.name, "/", page.name, ".png");
    files.insert(picture);
    expect_picture(picture, page.picture);
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
    EXPECT_EQ(checked, has_formulas(family) ? std::ssize(family.pages) : 0) << family.name;
  }
  testing_support::expect_file("docs/reference/README.md", index_of(families));
}

}  // namespace
}  // namespace chalk::reference
