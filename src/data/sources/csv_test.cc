#include <cmath>
#include <fstream>
#include <limits>

#include "chalkgrad/data.h"
#include "src/base/file.h"
#include "src/base/test_support.h"
#include "src/base/text.h"
#include "src/data/class_words.h"
#include "src/data/table.h"

namespace chalk {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing_support::Folder;
using testing_support::input_error;

class Csv : public testing::Test {
 protected:
  std::string path(const std::string& name = "x.csv") const { return (folder_ / name).string(); }
  void put(const std::string& name, const std::string& text) { write_file_atomically(folder_ / name, text); }
  Split read(const std::string& text, const std::string& options = "", const LoadOptions& how = {}) {
    put("x.csv", text);
    return load_dataset(str("csv:", path(), options), how);
  }
  /// Without the file's name before it.
  std::string error(const std::string& text, const std::string& options = "", const LoadOptions& how = {}) {
    const auto message = input_error([&] { read(text, options, how); });
    EXPECT_THAT(message, testing::StartsWith(path() + ": "));
    return message.substr(std::min(message.size(), path().size() + 2));
  }
  Folder folder_;
};

TEST_F(Csv, ColumnsAreInputsAndOneIsTheClass) {
  const auto split = read("width,height,label\n1,2.5,cat\n-3e2,+4,dog\n0.1, .5 ,cat\n");
  EXPECT_EQ(split.train.sample, (Shape{2}));
  EXPECT_THAT(split.train.values, ElementsAre(1, 2.5F, -300, 4, 0.1F, 0.5F));
  EXPECT_THAT(split.train.labels, ElementsAre(0, 1, 0));
  EXPECT_THAT(split.train.class_names, ElementsAre("cat", "dog"));
  EXPECT_EQ(split.train.name, "csv");
  EXPECT_THAT(split.remarks,
              ElementsAre("the first line has the names of the columns; the class is column \"label\"; 2 "
                          "others are learned from"));
}

TEST_F(Csv, TheFirstLineIsASampleIfItLooksLikeOne) {
  const auto iris = read("5.1,3.5,Iris-setosa\n4.9,3.0,Iris-virginica\n");
  EXPECT_EQ(iris.train.size(), 2U);
  EXPECT_THAT(iris.remarks,
              ElementsAre("the first line is a sample; the class is column \"3\"; 2 others are learned from"));
  EXPECT_EQ(read("a,b\n1,x\n2,y\n").train.size(), 2U);
  EXPECT_EQ(read("1,x\n2,y\n", ",header=yes,label=2").train.size(), 1U);
  EXPECT_EQ(read("a,x\nb,y\n", ",header=no,label=2").train.size(), 2U);
  EXPECT_EQ(read("a,x\nb,y\n", ",label=x").train.size(), 1U) << "nothing but words are names";
}

TEST_F(Csv, TheClassIsFoundByNameOrNumberOrWords) {
  const std::string text = "y,x,Class\n1,2,3\n4,5,6\n";
  EXPECT_THAT(read(text).train.class_names, ElementsAre("3", "6"));
  EXPECT_THAT(read(text, ",label=y").train.class_names, ElementsAre("1", "4"));
  EXPECT_THAT(read(text, ",label=2").train.class_names, ElementsAre("2", "5"));
  EXPECT_EQ(error("a,b\n1,2\n"),
            "which column is the class? Say it by the option label=NAME or label=NUMBER; the columns are a and b");
  EXPECT_EQ(error(text, ",label=z"),
            "has no column \"z\" for the option label; did you mean \"y\"? Its columns are y, x and Class");
  EXPECT_EQ(error("a,a,b\n1,2,x\n", ",label=a"), "has two columns called \"a\"; say which by its number, label=1");
}

TEST_F(Csv, ClassesThatAreNumbersAreInTheirOrder) {
  const auto split = read("x,label\n0,10\n0,9\n0,-1\n");
  EXPECT_THAT(split.train.class_names, ElementsAre("-1", "9", "10"));
  EXPECT_THAT(split.train.labels, ElementsAre(2, 1, 0));
}

TEST_F(Csv, QuotesHoldSeparatorsAndLines) {
  const auto split = read("x,\"the \"\"label\"\"\"\r\n1,\"a, b\"\r\n2,\"c\nd\"\r\n", ",label=2");
  EXPECT_THAT(split.train.class_names, ElementsAre("a, b", "c\nd"));
  EXPECT_THAT(split.remarks[0], HasSubstr("the class is column \"the \"label\"\""));
}

TEST_F(Csv, SeparatorsAreGuessedOrGiven) {
  for (const auto& [text, option] : {std::pair("x;y;label\n1;2;a\n", ""),
                                     {"x\ty\tlabel\n1\t2\ta\n", ""},
                                     {"x,y,label\n1,2,a\n", ",separator=comma"},
                                     {"x;y;label\n1;2;a\n", ",separator=semicolon"},
                                     {"\xEF\xBB\xBFx,y,label\n1,2,a", ""},
                                     {"x,y,label\r1,2,a\r", ""}}) {
    EXPECT_THAT(read(text, option).train.values, ElementsAre(1, 2)) << text;
  }
  EXPECT_EQ(read("x;y,label\n1,a\n", ",separator=comma").train.sample, (Shape{1}));
}

TEST_F(Csv, WordsAreInputsOfTheirOwn) {
  const auto split = read("colour,x,label\nred,5,a\nblue,6,b\nred,7,a\n", ",label=label");
  EXPECT_THAT(split.train.values, ElementsAre(0, 1, 5, 1, 0, 6, 0, 1, 7));
  EXPECT_THAT(split.remarks[1], "a column of words is an input for each word: colour");
  std::string many = "word,label\n";
  for (int i = 0; i <= 1000; ++i) many += str("w", i, ",a\n");
  EXPECT_EQ(error(many, ",label=label"),
            "line 1,002, column \"word\": has more than 1,000 different words; leave it out by the option drop=word");
  EXPECT_THAT(read("name,x,label\nq,5,a\nr,6,b\n", ",label=label,drop=name").train.values, ElementsAre(5, 6));
}

TEST_F(Csv, NumbersMayBeLearned) {
  const auto split = read("x,y,z\n1,2,3\n4,5,6\n", ",target=z+x");
  EXPECT_THAT(split.train.values, ElementsAre(2, 5));
  EXPECT_THAT(split.train.targets, ElementsAre(1, 3, 4, 6)) << "in the order of the columns";
  EXPECT_EQ(split.train.target, (Shape{2}));
  EXPECT_THAT(split.train.class_names, IsEmpty());
  EXPECT_EQ(error("x,y\n1,a\n", ",target=y"),
            "the column \"y\" of the option target holds words; give columns of numbers, or label=y");
  EXPECT_EQ(error("x,y\n1,2\n", ",target=y,label=x"), "the options label and target are both given; give one of them");
}

TEST_F(Csv, PixelsHaveAShape) {
  const auto split = read("label,a,b,c,d\n7,0,255,1,2\n9,3,4,5,6\n", ",shape=1x2x2");
  EXPECT_EQ(split.train.sample, (Shape{1, 2, 2}));
  EXPECT_THAT(split.train.bytes, ElementsAre(0, 255, 1, 2, 3, 4, 5, 6));
  EXPECT_EQ(split.train.scale.size(), 1U);
  EXPECT_THAT(read("label,a,b\n7,0,256\n", ",shape=1x1x2").train.values, ElementsAre(0, 256));
  EXPECT_THAT(read("label,a,b\n7,0,0.5\n", ",shape=1x1x2").train.values, ElementsAre(0, 0.5F));
  EXPECT_THAT(read("label,a,b\n7,0,1\n", ",shape=1x2").train.values, ElementsAre(0, 1)) << "no picture";
  EXPECT_EQ(error("label,a,b\n7,0,1\n", ",shape=1x2x2"),
            "has 2 values a sample, which are not 1×2×2 = 4; correct the option shape, or leave columns out by drop");
  put("t.csv", "label,a,b\n7,0,300\n");
  EXPECT_EQ(input_error([&] { read("label,a,b\n7,0,1\n", ",shape=1x1x2,test=t.csv"); }),
            path("t.csv") + ": line 2: holds a number that is no whole one from 0 to 255, as those of " + path() +
                " are; correct it");
}

TEST_F(Csv, MissingValuesAreAnErrorALineOrTheMean) {
  for (const char* gap : {"", " ", "NA", "NaN", "nan", "null", "NULL", "?"}) {
    const auto text = str("x,y,label\n1,2,a\n", gap, ",4,b\n5,6,a\n");
    EXPECT_EQ(error(text),
              "line 3, column \"x\": the value is missing; write it, or give the option missing=drop or "
              "missing=mean")
        << gap;
    const auto dropped = read(text, ",missing=drop");
    EXPECT_THAT(dropped.train.values, ElementsAre(1, 2, 5, 6)) << gap;
    EXPECT_THAT(dropped.remarks[1], "lines with missing values that were left out: 1");
    EXPECT_THAT(read(text, ",missing=mean").train.values, ElementsAre(1, 2, 3, 4, 5, 6)) << gap;
    EXPECT_THAT(read(text, "", {.skip_bad = true}).train.labels, ElementsAre(0, 0)) << gap;
  }
  EXPECT_EQ(error("x,label\n1,a\n2,\n"),
            "line 3, column \"label\": the value is missing; write it, or give the option missing=drop");
  EXPECT_THAT(read("x,label\n1,a\n2,NA\n").train.class_names, ElementsAre("NA", "a")) << "a class may have any name";
  EXPECT_THAT(read("c,x,label\nu,1,a\n,2,b\n", ",label=label,missing=mean").train.values, ElementsAre(1, 1, 0, 2));
  EXPECT_THAT(read("label,a,b\n1,0,\n1,2,3\n", ",shape=1x1x2,missing=mean").train.values, ElementsAre(0, 3, 2, 3));
}

TEST_F(Csv, TheTestPartIsReadAsTheTrainingPart) {
  put("t.csv", "c,x,label\nb,1,dog\n");
  const std::string text = "c,x,label\na,1,cat\nb,3,dog\n";
  const auto split = read(text, ",label=label,test=t.csv");
  EXPECT_THAT(split.test.values, ElementsAre(0, 1, 1));
  EXPECT_THAT(split.test.labels, ElementsAre(1));
  const auto alone = read(text, ",label=label,test=t.csv", {.parts = Parts::test});
  EXPECT_EQ(alone.test.values, split.test.values);
  EXPECT_EQ(alone.train.size(), 0U);
  const auto refused = [&](const std::string& tests) {
    put("t.csv", tests);
    return input_error([&] { read(text, ",label=label,test=t.csv"); });
  };
  EXPECT_EQ(refused("c,x,label\nz,1,dog\n"),
            path("t.csv") +
                ": line 2, column \"c\": \"z\" is no word of the training samples; leave the line out, or the "
                "column by the option drop=c");
  EXPECT_EQ(refused("c,x,label\na,1,cow\n"),
            path("t.csv") +
                ": line 2, column \"label\": the class \"cow\" is none of those that have training samples: cat "
                "and dog; rename it, or leave it out");
  EXPECT_EQ(refused("c,label,x\na,dog,1\n"),
            path("t.csv") + ": column 2 is called \"label\", but \"x\" in " + path() + "; bring them into one order");
  EXPECT_EQ(error(text, ",label=label", {.parts = Parts::test}),
            "all of it is the training part; name another file by the option test=FILE, or give --part train");
}

TEST_F(Csv, BadLinesAreNamedOrLeftOut) {
  const std::string text = "x,y,label\n1,2,a\n3,b\n4,five,a\n6,7,b\n";
  EXPECT_EQ(error(text),
            "line 3: has 2 values, but the first line has 3; put text with a separator in it into quotes, or "
            "correct the line");
  const auto split = read(text, "", {.skip_bad = true});
  EXPECT_THAT(split.train.values, ElementsAre(1, 2, 6, 7));
  EXPECT_THAT(
      split.skipped,
      ElementsAre(path() + ": " + error(text),
                  path() + ": line 4, column \"y\": \"five\" is no number, but the column's first value is one; "
                           "correct it, or leave the column out by the option drop=y"));
  EXPECT_EQ(error("x,label\n1,a\n1e99,a\n"),
            "line 3, column \"x\": \"1e99\" is no finite number of 32 bits; correct it");
  EXPECT_EQ(error("x,label\ninf,a\n"), "line 2, column \"x\": \"inf\" is no finite number of 32 bits; correct it");
  for (const char* word : {"0x10", "1_000", "1.2.3", "--1", "+-1", "1e", "1,5\"", "five"}) {
    EXPECT_THAT(error(str("x;label\n1;a\n", word, ";a\n")),
                HasSubstr("is no number, but the column's first value is one"));
  }
}

TEST_F(Csv, ACommaBehindEachLineIsNoColumn) {
  const auto split = read("x,label,\n1,a,\n2,b,\n");
  EXPECT_THAT(split.train.values, ElementsAre(1, 2));
  EXPECT_EQ(split.remarks.back(), "the last column is empty and was left out");
}

TEST_F(Csv, SaysWhatIsWrongWithTheFile) {
  EXPECT_EQ(error(""), "has no lines; give a file with a sample in each");
  EXPECT_EQ(error("x,label\n"), "has names of columns but no samples; add a line for each");
  EXPECT_EQ(error("label\na\nb\n"), "has no columns to learn from; give a file with more of them");
  EXPECT_EQ(error("x,label\n1,\"a\n2,b\n"),
            "line 2: a quote is not closed in the record that begins here; close it, or leave it out");
  EXPECT_EQ(error("x,label\n1,\"a\"b\n"),
            "line 2: a field in quotes goes on behind the second one with \"b\"; write quotes within it twice");
  EXPECT_EQ(error("\xFF\xFEx"), "is UTF-16; save it as UTF-8");
  EXPECT_EQ(error(std::string("x,\0", 3)),
            "holds a NUL byte, so it is no text; give a file of values with commas between them");
  EXPECT_EQ(error("x,label\n,a\n,b\n", ",missing=drop"),
            "no line of it can be used: all have missing values; give another file");
  EXPECT_EQ(input_error([] { load_dataset("csv:/no/such/place"); }),
            "/no/such/place: cannot be read: No such file or directory; check the spelling and the folder");
}

TEST(BadInputs, OfTablesGiveTheirErrors) {
  std::ifstream file(testing_support::source("tests/bad/expected.txt"));
  int count = 0;
  for (std::string name, expected; std::getline(file, name, '\t') && std::getline(file, expected);) {
    if (!name.starts_with("csv/")) continue;
    const auto path = testing_support::source("tests/bad/" + name).string();
    const auto message = input_error([&] { load_dataset("csv:" + path); });
    EXPECT_THAT(message, testing::StartsWith(path + ": "));
    EXPECT_THAT(message, HasSubstr(expected)) << name;
    ++count;
  }
  EXPECT_GT(count, 10);
}

// The float nearest to the decimal number, as strtof gives it, whatever the number of digits.
TEST(NumberOfTable, IsTheNearestFloat) {
  for (const char* text :
       {"0", "1", "255", "0.1", "3.4028235e38", "1.17549435e-38", "16777217", "0.500000029802322387695312",
        "8.589973e9", "1e-45", "-0", "+7", "  12  ", ".5", "5.", "1E3"}) {
    ASSERT_TRUE(number_of_table(text)) << text;
    EXPECT_EQ(*number_of_table(text), std::strtof(text, nullptr)) << text;
  }
  EXPECT_EQ(number_of_table("1e-50"), 0.0F);
  EXPECT_EQ(number_of_table("1e-999"), 0.0F);
  EXPECT_EQ(number_of_table("1e999"), std::numeric_limits<float>::infinity());
  for (int byte = 0; byte < 1000; ++byte) EXPECT_EQ(number_of_table(std::to_string(byte)), static_cast<float>(byte));
  for (const char* text : {"", " ", "x", "1x", "0x1", "1_0", "1 2", "+", "++1", "+-1", "1,5"}) {
    EXPECT_FALSE(number_of_table(text)) << text;
  }
}

TEST(ClassWords, AreSortedByValueOrByCodePoint) {
  std::vector<std::string> numbers = {"10", "9", "-1", "1.5", "1e1"}, words = {"b", "B", "10", "9", "é", "z"};
  sort_classes(numbers);
  sort_classes(words);
  EXPECT_THAT(numbers, ElementsAre("-1", "1.5", "9", "10", "1e1"));
  EXPECT_THAT(words, ElementsAre("10", "9", "B", "b", "z", "é"));
}

}  // namespace
}  // namespace chalk
