#include <set>

#include "chalkgrad/data.h"
#include "src/base/document_testing.h"
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

TEST(DataSources, AreTheTableInTheDocuments) {
  std::string table = "| `--data` | what it is |\n|---|---|\n";
  for (const auto* source : data_sources()) table += str("| `", source->form(), "` | ", source->about, " |\n");
  testing_support::expect_generated("docs/formats.md", "data sources", table);
}

}  // namespace
}  // namespace chalk
