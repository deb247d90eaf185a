#include <set>

#include "chalkgrad/data.h"
#include "src/base/document_testing.h"
#include "src/base/fields.h"
#include "src/base/test_support.h"
#include "src/base/text.h"
#include "src/base/wording.h"

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
  std::string table = "| `--data` | what it is |\n|---|---|\n";
  for (const auto* source : data_sources())
    table += str("| [`", source->form(), "`](reference/sources/", source->word, ".md) | ", source->about, " |\n");
  testing_support::expect_generated("docs/formats.md", "data sources", table);
}

/// A row for each option of a source: its name, what it takes, what it is without it, and what it is for.
class OptionRows : public FieldVisitor {
 public:
  std::string rows;

  void begin(const DataSource& source) { source_ = str("`", source.form(), "`"); }
  void field(const Field& field, std::int64_t& value) override {
    row(field, field.range.text(), std::to_string(value));
  }
  void field(const Field& field, bool& value) override { row(field, "true or false", value ? "true" : "false"); }
  void field(const Field& field, double& value) override { row(field, field.range.text(), str(value)); }
  void field(const Field& field, std::string& value) override { row(field, "", value); }
  void field(const Field& field, std::vector<std::int64_t>&) override { row(field, "", ""); }
  void field(const Field& field, std::vector<double>&) override { row(field, "", ""); }
  void choice(const Field& field, std::span<const Word> words, std::size_t& index) override {
    std::vector<std::string> forms;
    for (const auto& word : words) {
      forms.push_back(word.meaning.empty() ? str("`", word.word, "`") : str("`", word.word, "` (", word.meaning, ")"));
    }
    row(field, alternatives(forms), str(words[index].word));
  }

 private:
  void row(const Field& field, const std::string& takes, const std::string& otherwise) {
    EXPECT_FALSE(field.help.empty()) << field.name;
    rows += str("| ", source_, " | `", with_dashes(field.name), "=` | ", field.help, takes.empty() ? "" : ": ", takes,
                " | ", otherwise.empty() ? "" : str("`", otherwise, "`"), " |\n");
    source_.clear();
  }
  std::string source_;
};

TEST(DataSources, TheirOptionsAreATableInTheDocuments) {
  OptionRows visitor;
  for (const auto* source : data_sources()) {
    if (!source->options) continue;
    visitor.begin(*source);
    source->options(visitor);
  }
  testing_support::expect_generated("docs/formats.md", "options of data sources",
                                    "| | option | what it is | without it |\n|---|---|---|---|\n" + visitor.rows);
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
