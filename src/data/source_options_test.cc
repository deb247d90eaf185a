#include "src/data/source_options.h"

#include <array>

#include "src/base/file.h"
#include "src/base/test_support.h"

namespace chalk {
namespace {

using testing_support::Folder;
using testing_support::input_error;

struct Options {
  std::string label, test_file;
  std::int64_t channels = 0;
  bool exact = false;
  double share = 0.5;
  std::size_t layout = 0;
  void visit(FieldVisitor& v) {
    static constexpr std::array words = {Word{"nchw"}, Word{"nhwc"}};
    v.field({"label",
             [](const std::string& text) {
               if (text == "bad") throw InputError("must not be bad");
             },
             "a label"},
            label);
    v.field({"test_file"}, test_file);
    v.field({"channels", Range::from_to(1, 3)}, channels);
    v.field({"exact"}, exact);
    v.field({"share", Range::above(0)}, share);
    v.choice({"layout"}, words, layout);
  }
};

std::string error_of(const std::string& argument) {
  return input_error([&] {
    Options o;
    take_options("csv", argument, o);
  });
}

TEST(SourceOptions, AreTakenFromTheEnd) {
  Options o;
  EXPECT_EQ(
      take_options("csv", "a,B=c/x.csv,label=5,test-file=y=z.csv,channels=3,exact=true,share=0.25,layout=nhwc", o),
      "a,B=c/x.csv");
  EXPECT_EQ(o.label, "5");
  EXPECT_EQ(o.test_file, "y=z.csv");
  EXPECT_EQ(o.channels, 3);
  EXPECT_TRUE(o.exact);
  EXPECT_EQ(o.share, 0.25);
  EXPECT_EQ(o.layout, 1U);
  Options none;
  EXPECT_EQ(take_options("csv", "x.csv", none), "x.csv");
  EXPECT_EQ(none.channels, 0);
}

TEST(SourceOptions, APathThatIsThereHasNone) {
  Folder folder;
  const auto path = (folder / "x,label=1").string();
  Options o;
  EXPECT_EQ(take_options("csv", path, o), (folder / "x").string());
  write_file_atomically(path, "");
  EXPECT_EQ(take_options("csv", path, o), path);
}

TEST(SourceOptions, SayWhatIsWrong) {
  EXPECT_EQ(error_of("x,labl=1"),
            "data set \"csv:x,labl=1\": has no option \"labl\"; did you mean \"label\"? It takes label, test-file, "
            "channels, exact, share and layout");
  EXPECT_EQ(error_of("x,colour=1"),
            "data set \"csv:x,colour=1\": has no option \"colour\"; it takes label, test-file, channels, exact, share "
            "and layout");
  EXPECT_EQ(error_of("x,label=1,label=2"), "data set \"csv:x,label=1,label=2\": label is given twice; give it once");
  EXPECT_EQ(error_of("x,label="), "data set \"csv:x,label=\": label has no value");
  EXPECT_EQ(error_of("x,label=bad"), "data set \"csv:x,label=bad\": label must not be bad");
  EXPECT_EQ(error_of("x,channels=4"),
            "data set \"csv:x,channels=4\": channels must be a whole number from 1 to 3, not \"4\"");
  EXPECT_EQ(error_of("x,channels=1.5"),
            "data set \"csv:x,channels=1.5\": channels must be a whole number from 1 to 3, not \"1.5\"");
  EXPECT_EQ(error_of("x,share=0"), "data set \"csv:x,share=0\": share must be a number above 0, not \"0\"");
  EXPECT_EQ(error_of("x,exact=1"), "data set \"csv:x,exact=1\": exact must be one of false, true, not \"1\"");
  EXPECT_EQ(error_of("x,layout=hwc"), "data set \"csv:x,layout=hwc\": layout must be one of nchw, nhwc, not \"hwc\"");
}

}  // namespace
}  // namespace chalk
