#include <set>

#include "chalkgrad/data.h"
#include "src/base/document_testing.h"
#include "src/base/fields.h"
#include "src/base/test_support.h"
#include "src/base/text.h"

namespace chalk {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
using testing::StartsWith;
using testing_support::input_error;

TEST(LoadDataset, NamesWhatIsKnown) {
  EXPECT_EQ(load_dataset("digits").train.size(), 1438U);
  const auto message = input_error([] { load_dataset("no-such"); });
  EXPECT_THAT(message, StartsWith("data set \"no-such\": is not known; give digits (built in)"));
  for (const auto* source : data_sources()) EXPECT_THAT(message, HasSubstr(source->form()));
  EXPECT_THAT(message, MatchesRegex(".*( or |, )mnist:FOLDER.*, e\\.g\\. [^ ]+"));
  for (const char* spec : {"mnist", "mnist:"}) {
    EXPECT_THAT(input_error([&] { load_dataset(spec); }), HasSubstr("does not say where MNIST's files are; give"));
  }
  EXPECT_THAT(input_error([] { load_dataset(""); }), HasSubstr("data set \"\": is not known"));
  EXPECT_THAT(input_error([] { load_dataset("digits:"); }), HasSubstr("data set \"digits:\": is not known"));
}

TEST(DataSources, EachSaysWhatItIsAndWhatItLacks) {
  std::set<std::string_view> words;
  for (const auto* source : data_sources()) {
    EXPECT_TRUE(words.insert(source->word).second) << source->word << " is the word of two sources";
    EXPECT_EQ(source->word.find(':'), std::string_view::npos);
    EXPECT_FALSE(source->about.empty() || source->about.ends_with('.')) << source->word;
    EXPECT_EQ(source->argument.empty(), source->lacking.empty()) << source->word;
    EXPECT_EQ(source->argument.empty(), source->example.empty()) << source->word;
    if (source->argument.empty()) continue;
    const auto message = input_error([&] { load_dataset(std::string(source->word)); });
    EXPECT_THAT(message, StartsWith(str("data set \"", source->word, "\": ", source->lacking, "; give ")));
    EXPECT_THAT(input_error([&] { load_dataset(str(source->word, ":/no/such/place")); }), HasSubstr("/no/such/place"));
  }
  EXPECT_THAT(data_source_forms(), MatchesRegex("digits(, | or ).*mnist:FOLDER.*"));
}

TEST(Documents, ListTheDataSources) {
  std::string table = "| `--data` | what it is | with |\n|---|---|---|\n";
  for (const auto* source : data_sources()) {
    std::string options;
    if (source->options != nullptr) {
      for (const auto& [name, value] : texts_of(source->options))
        options += str(options.empty() ? "" : ", ", "`", with_dashes(name), "=`");
    }
    table += str("| [`", source->form(), "`](reference/sources/", source->word, ".md) | ", source->about, " | ",
                 options, " |\n");
  }
  testing_support::expect_generated("docs/formats.md", "data sources", table);
}

TEST(DataSources, GiveSomeOfTheirClasses) {
  const Split all = digits(), some = load_dataset("digits#5-7,0");
  EXPECT_EQ(some.train.class_names, (std::vector<std::string>{"5", "6", "7", "0"}));
  EXPECT_EQ(some.train.scale, all.train.scale);
  std::size_t at = 0;
  for (std::size_t i = 0; i < all.test.size(); ++i) {
    const auto label = all.test.labels[i];
    if (label != 0 && (label < 5 || label > 7)) continue;
    ASSERT_EQ(some.test.labels.at(at), label == 0 ? 3 : label - 5);
    ASSERT_TRUE(std::equal(some.test.bytes.begin() + static_cast<std::ptrdiff_t>(64 * at),
                           some.test.bytes.begin() + static_cast<std::ptrdiff_t>(64 * at + 64),
                           all.test.bytes.begin() + static_cast<std::ptrdiff_t>(64 * i)));
    ++at;
  }
  EXPECT_EQ(some.test.size(), at);
  some.train.check();
  EXPECT_NE(some.train.digest(), all.train.digest());
}

TEST(DataSources, SayWhatIsWrongWithChosenClasses) {
  EXPECT_EQ(input_error([] { load_dataset("digits#3,x"); }),
            "digits: has no class \"x\"; its classes are 0, 1, 2, 3, 4, 5, 6, 7, 8 and 9");
  EXPECT_EQ(input_error([] { load_dataset("digits#3,1-3"); }), "digits: the class \"3\" is chosen twice");
  EXPECT_EQ(input_error([] { load_dataset("digits#"); }), "classes \"\": a name is missing; write e.g. 0-4,7");
  EXPECT_EQ(input_error([] { load_dataset("digits#1,,2"); }), "classes \"1,,2\": a name is missing; write e.g. 0-4,7");
  Dataset numbers;
  numbers.name = "numbers";
  const std::string names[] = {"1"};
  EXPECT_EQ(input_error([&] { (void)select_classes(numbers, names); }),
            "numbers: has values and no classes to choose from");
}

}  // namespace
}  // namespace chalk
