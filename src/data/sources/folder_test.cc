#include <unistd.h>

#include <fstream>

#include "chalkgrad/data.h"
#include "src/base/file.h"
#include "src/base/test_support.h"
#include "src/base/text.h"

namespace chalk {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing_support::Folder;
using testing_support::input_error;

/// A grey picture of one brightness.
std::string pgm(int rows, int columns, int grey) {
  return str("P5 ", columns, " ", rows, " 255\n",
             std::string(static_cast<std::size_t>(rows * columns), static_cast<char>(grey)));
}
const std::string kRed = std::string("P6 1 1 255\n\xFF\0\0", 14);

/// A folder of pictures in which any file may be put.
std::vector<std::string> files_of(const Dataset& data) {
  std::vector<std::string> files;
  for (std::size_t i = 0; i < data.size(); ++i) files.push_back(data.file(i));
  return files;
}

class Pictures : public testing::Test {
 protected:
  void put(const std::string& name, const std::string& data) {
    fs::create_directories((folder_ / name).parent_path());
    write_file_atomically(folder_ / name, data);
  }
  std::string at(const std::string& name) const { return (folder_ / name).string(); }
  std::string spec(const std::string& options = "") const { return str("folder:", folder_.path().string(), options); }
  Split load(const std::string& options = "", const LoadOptions& how = {}) const {
    return load_dataset(spec(options), how);
  }
  std::string error(const std::string& options = "", const LoadOptions& how = {}) const {
    return input_error([&] { load(options, how); });
  }
  Folder folder_;
};

TEST_F(Pictures, AreAClassAFolder) {
  put("b/2.pgm", pgm(1, 2, 20));
  put("a/1.pgm", pgm(1, 2, 10));
  put("b/1.pgm", pgm(1, 2, 30));
  const auto split = load();
  EXPECT_THAT(split.train.class_names, ElementsAre("a", "b"));
  EXPECT_THAT(split.train.labels, ElementsAre(0, 1, 1));
  EXPECT_THAT(split.train.bytes, ElementsAre(10, 10, 30, 30, 20, 20));
  EXPECT_THAT(files_of(split.train), ElementsAre(at("a/1.pgm"), at("b/1.pgm"), at("b/2.pgm")));
  EXPECT_EQ(split.train.sample, (Shape{1, 1, 2}));
  EXPECT_EQ(split.test.size(), 0U);
  EXPECT_THAT(split.remarks, IsEmpty());
  const auto some = load("#b");
  EXPECT_THAT(files_of(some.train), ElementsAre(at("b/1.pgm"), at("b/2.pgm")));
  EXPECT_THAT(files_of(hold_out(some.train, 0.5).train), testing::SizeIs(1));
}

TEST_F(Pictures, TrainAndTestAreParts) {
  for (const char* name : {"test", "val", "valid", "validation"}) {
    Folder folder;
    for (const char* part : {"train", name}) {
      for (const char* of : {"a", "b"}) {
        fs::create_directories(folder / str(part, "/", of));
        write_file_atomically(folder / str(part, "/", of, "/1.pgm"), pgm(1, 1, part == name ? 2 : 1));
      }
    }
    const auto spec = "folder:" + folder.path().string();
    const auto split = load_dataset(spec);
    EXPECT_THAT(split.train.bytes, ElementsAre(1, 1)) << name;
    EXPECT_THAT(split.test.bytes, ElementsAre(2, 2)) << name;
    EXPECT_EQ(load_dataset(spec, {.parts = Parts::test}).test.labels, split.test.labels);
    const auto others = load_dataset(str(spec, ",train=", name, ",test=train"));
    EXPECT_THAT(others.train.bytes, ElementsAre(2, 2)) << name;
    EXPECT_THAT(others.test.bytes, ElementsAre(1, 1)) << name;
  }
}

TEST_F(Pictures, AClassMayBeCalledTrain) {
  put("train/1.pgm", pgm(1, 1, 1));
  put("ship/1.pgm", pgm(1, 1, 2));
  EXPECT_THAT(load().train.class_names, ElementsAre("ship", "train"));
}

TEST_F(Pictures, TheTestPartMayLackClassesAndHaveNoOthers) {
  put("train/a/1.pgm", pgm(1, 1, 1));
  put("train/b/1.pgm", pgm(1, 1, 2));
  put("test/b/1.pgm", pgm(1, 1, 3));
  EXPECT_THAT(load().test.labels, ElementsAre(1));
  EXPECT_THAT(load("", {.parts = Parts::test}).test.labels, ElementsAre(1));
  put("test/c/1.pgm", pgm(1, 1, 3));
  EXPECT_EQ(error(),
            at("test/c") +
                ": the class \"c\" is none of those that have training samples: a and b; rename it, or leave it out");
}

TEST_F(Pictures, LabelsAreThoseOfTheNetwork) {
  put("dog/1.pgm", pgm(2, 2, 1));
  const LoadOptions how{.sample = {3, 1, 1}, .classes = {"cat", "dog"}};
  const auto split = load("", how);
  EXPECT_THAT(split.train.labels, ElementsAre(1));
  EXPECT_THAT(split.train.class_names, ElementsAre("cat", "dog"));
  EXPECT_EQ(split.train.sample, (Shape{3, 1, 1}));
  put("bird/1.pgm", pgm(2, 2, 1));
  EXPECT_EQ(error("", how),
            at("bird") +
                ": the class \"bird\" is none of those that the network knows: cat and dog; rename it, or "
                "choose classes by #NAME,NAME");
  EXPECT_THAT(load("#dog", how).train.labels, ElementsAre(0));
}

TEST_F(Pictures, OfManySizesNeedOne) {
  put("a/1.pgm", pgm(2, 4, 8));
  put("a/2.pgm", pgm(1, 1, 9));
  EXPECT_EQ(error(), at("a/2.pgm") + ": has 1×1 pixels, but " + at("a/1.pgm") +
                         " has 2×4; say what all are brought to by the option size=2x4");
  EXPECT_EQ(error("", {.skip_bad = true}), error()) << "a size is no damage";
  EXPECT_EQ(load(",size=3").train.sample, (Shape{1, 3, 3}));
  EXPECT_EQ(load(",size=1x2,channels=3").train.sample, (Shape{3, 1, 2}));
  EXPECT_THAT(load(",size=1x2").train.bytes, ElementsAre(8, 8, 9, 9));
  EXPECT_EQ(load("", {.any_size = true}).train.sample, (Shape{1, 2, 4}));
  const auto sizes = load(",size=1").sizes;
  ASSERT_EQ(sizes.size(), 2U);
  EXPECT_EQ(sizes[0].rows * 10 + sizes[0].columns, 11);
  EXPECT_EQ(sizes[1].example, at("a/1.pgm"));
}

TEST_F(Pictures, OfAnotherShapeAreStretchedOrCropped) {
  put("a/1.pgm", "P5 6 2 255\n" + std::string{1, 1, 9, 9, 1, 1, 1, 1, 9, 9, 1, 1});
  EXPECT_THAT(load(",size=2").train.bytes, ElementsAre(4, 4, 4, 4));  // (1 + 1 + 9) / 3, rounded
  EXPECT_EQ(load(",size=2").fit, Fit::stretch);
  for (const auto& cropped : {load(",size=2,fit=crop"), load(",size=2", {.fit = Fit::crop})}) {
    EXPECT_THAT(cropped.train.bytes, ElementsAre(9, 9, 9, 9));
    EXPECT_EQ(cropped.fit, Fit::crop);
  }
  EXPECT_THAT(load(",size=2,fit=stretch", {.fit = Fit::crop}).train.bytes, ElementsAre(4, 4, 4, 4));
  const auto said = error(",size=2,fit=pad");
  EXPECT_THAT(said, testing::EndsWith("fit must be stretch or crop, not \"pad\"")) << said;
}

TEST_F(Pictures, OneInColourMakesAllSo) {
  put("a/1.pgm", pgm(1, 1, 7));
  put("a/2.ppm", kRed);
  EXPECT_THAT(load().train.bytes, ElementsAre(7, 7, 7, 255, 0, 0));
  EXPECT_THAT(load(",channels=1").train.bytes, ElementsAre(7, 76));
}

TEST_F(Pictures, BadOnesAreNamedOrLeftOut) {
  put("a/1.pgm", pgm(1, 1, 1));
  put("a/2.png", "no picture");
  put("a/3.pgm", pgm(2, 2, 1).substr(0, 12));
  put("b/4.pgm", pgm(1, 1, 4));
  put("b/5.ppm", "P6 60000 60000 255\n");
  const std::vector<std::string> bad = {
      at("a/2.png") + ": is none of PNG, JPEG, PNM and BMP by its first bytes; convert it to PNG",
      at("a/3.pgm") +
          ": the PNM data are damaged or truncated (too few bytes for its size); fetch the file again or save it "
          "anew",
      at("b/5.ppm") + ": the image has 60000×60000 pixels, more than the 100,000,000 accepted here; make it smaller"};
  EXPECT_EQ(error(), bad[0]);
  const auto split = load("", {.skip_bad = true});
  EXPECT_EQ(split.skipped, bad);
  EXPECT_THAT(split.train.bytes, ElementsAre(1, 4));
  EXPECT_THAT(split.train.labels, ElementsAre(0, 1));
}

TEST_F(Pictures, WhatIsNoPictureIsCounted) {
  put("a/1.pgm", pgm(1, 1, 1));
  put("a/notes.txt", "text");
  put("a/.hidden.pgm", "hidden");
  put(".cache/x.pgm", "hidden");
  put("beside.pgm", pgm(1, 1, 1));
  const auto split = load();
  EXPECT_EQ(split.train.size(), 1U);
  EXPECT_THAT(split.remarks, ElementsAre(str("1 picture beside the folders of ", folder_.path().string(),
                                             " has no class and was left out"),
                                         "names that begin with a dot were left out: 2",
                                         "files that are no pictures by name were left out: 1, " + at("a/notes.txt")));
}

TEST_F(Pictures, OddFoldersAreNamed) {
  put("cat/1.pgm", pgm(1, 1, 1));
  fs::create_directories(folder_ / "dog");
  EXPECT_EQ(error(), at("dog") + ": has no pictures; put some there, or remove the folder");
  const auto split = load("", {.skip_bad = true});
  EXPECT_THAT(split.skipped, ElementsAre(error()));
  EXPECT_THAT(split.train.class_names, ElementsAre("cat", "dog")) << "it keeps its place";
  put("dog/1.pgm", pgm(1, 1, 1));
  put("Cat/1.pgm", pgm(1, 1, 1));
  const auto twins = folder_.path().string() + ": the classes \"Cat\" and \"cat\" differ in case alone";
  EXPECT_EQ(error(), twins + "; rename one, or put their pictures into one folder");
  EXPECT_THAT(load("", {.skip_bad = true}).remarks, ElementsAre(twins + " and are two"));
  fs::remove_all(folder_ / "Cat");
  fs::create_directory_symlink(folder_ / "cat", folder_ / "cat/again");
  EXPECT_EQ(error(), at("cat/again") + ": is a link to a folder that it is in, " + fs::canonical(at("cat")).string() +
                         "; remove it");
  EXPECT_EQ(load("", {.skip_bad = true}).train.size(), 2U);
  fs::remove(folder_ / "cat/again");
  fs::create_directory_symlink(folder_.path(), folder_ / "cat/all");
  EXPECT_EQ(error(), at("cat/all") + ": is a link to a folder that it is in, " +
                         fs::canonical(folder_.path()).string() + "; remove it");
  EXPECT_EQ(load("", {.skip_bad = true}).train.size(), 2U) << "or all dogs would be cats, too";
}

TEST_F(Pictures, LinksAreFollowed) {
  put("cat/1.pgm", pgm(1, 1, 1));
  Folder elsewhere;
  write_file_atomically(elsewhere / "9.pgm", pgm(1, 1, 9));
  fs::create_directory_symlink(elsewhere.path(), folder_ / "dog");
  fs::create_symlink(elsewhere / "none.pgm", folder_ / "cat/2.pgm");
  EXPECT_EQ(error(),
            at("cat/2.pgm") + ": cannot be read: No such file or directory; check the spelling and the folder");
  EXPECT_THAT(load("", {.skip_bad = true}).train.bytes, ElementsAre(1, 9));
}

TEST_F(Pictures, UnreadableOnesAreNamed) {
  put("cat/1.pgm", pgm(1, 1, 1));
  put("cat/2.pgm", pgm(1, 1, 1));
  put("dog/1.pgm", pgm(1, 1, 1));
  fs::permissions(folder_.path(), fs::perms::all);
  fs::permissions(at("cat"), fs::perms::all);
  fs::permissions(at("cat/2.pgm"), fs::perms::none);
  const auto of_nobody = [&](const std::function<std::string()>& what) {
    return testing_support::in_child([&] {
      if (::geteuid() == 0 && ::setuid(65534) != 0) return std::string("cannot give up root's rights");
      return what();
    });
  };
  EXPECT_EQ(of_nobody([&] { return error(); }),
            at("cat/2.pgm") + ": cannot be read: Permission denied; check its permissions and the disk");
  fs::permissions(at("cat/2.pgm"), fs::perms::all);
  fs::permissions(at("dog"), fs::perms::none);
  EXPECT_EQ(of_nobody([&] { return error(); }),
            at("dog") + ": cannot be read: Permission denied; change its permissions or give another folder");
  fs::permissions(at("dog"), fs::perms::all);
}

TEST_F(Pictures, SayWhatIsWrongWithTheFolder) {
  EXPECT_EQ(error(),
            folder_.path().string() + ": has no folders; put the pictures of each class into a folder with its name");
  put("1.pgm", pgm(1, 1, 1));
  EXPECT_EQ(error(), folder_.path().string() +
                         ": has pictures but no folders; put the pictures of each class into a folder with its name");
  put("a/1.pgm", "bad");
  EXPECT_EQ(error("", {.skip_bad = true}),
            folder_.path().string() + ": none of its pictures can be read: " + at("a/1.pgm") +
                ": is none of PNG, JPEG, PNM and BMP by its first bytes; convert it to PNG; give another folder");
  EXPECT_EQ(error("", {.parts = Parts::test}),
            folder_.path().string() +
                ": is not divided into train/ and test/, all of it is the training part; to use that, "
                "give --part train");
  EXPECT_EQ(input_error([] { load_dataset("folder:/no/such/place"); }),
            "/no/such/place: is not a folder; give one that holds a folder of pictures for each class");
  EXPECT_THAT(error(",size=0"),
              HasSubstr("size must be a number of pixels such as 32, or ROWSxCOLUMNS such as 32x48, not "
                        "\"0\""));
  EXPECT_THAT(error(",size=3x4x5"), HasSubstr("not \"3x4x5\""));
  EXPECT_THAT(error(",channels=2"), HasSubstr("channels must be 1 or 3, not \"2\""));
  EXPECT_THAT(error(",background=grey"),
              HasSubstr("background must be white, black or RRGGBB such as ffcc00, not \"grey\""));
  EXPECT_THAT(error(",sise=3"), HasSubstr("has no option \"sise\"; did you mean \"size\"?"));
}

TEST_F(Pictures, InvisibleOnesSayWhichOptionHelps) {
  fs::create_directories(folder_ / "a");
  fs::copy(testing_support::source("tests/bad/image/white-ink.png"), folder_ / "a");
  EXPECT_EQ(error(), at("a/white-ink.png") +
                         ": all that is visible in it has the colour of the background; lay it on black by the option "
                         "background=black");
  EXPECT_EQ(load(",background=black").train.size(), 1U);
}

/// A list and the pictures that it names.
class List : public Pictures {
 protected:
  Split read(const std::string& text, const std::string& options = "", const LoadOptions& how = {}) {
    put("list.txt", text);
    return load_dataset(str("list:", at("list.txt"), options), how);
  }
  std::string refusal(const std::string& text, const std::string& options = "", const LoadOptions& how = {}) {
    return input_error([&] { read(text, options, how); });
  }
};

TEST_F(List, HasALabelForEachPath) {
  put("x/a b.pgm", pgm(1, 1, 1));
  put("2.pgm", pgm(1, 1, 2));
  for (const char* text :
       {"x/a b.pgm,dog\n2.pgm,cat\n", "file,class\n\"x/a b.pgm\",dog\n2.pgm,cat", "x/a b.pgm\tdog\n2.pgm\tcat",
        "x/a b.pgm dog\r\n2.pgm   cat\r\n", "x/a b.pgm dog\n\n2.pgm cat\n"}) {
    const auto train = read(text).train;
    EXPECT_THAT(train.class_names, ElementsAre("cat", "dog")) << text;
    EXPECT_THAT(train.labels, ElementsAre(1, 0)) << text;
    EXPECT_THAT(train.bytes, ElementsAre(1, 2)) << text;
  }
}

TEST_F(List, NumbersAreSortedByValue) {
  put("1.pgm", pgm(1, 1, 1));
  EXPECT_THAT(read("1.pgm 10\n1.pgm 9\n1.pgm 100\n").train.class_names, ElementsAre("9", "10", "100"));
}

TEST_F(List, MayHaveAnotherForTheTestPart) {
  put("1.pgm", pgm(1, 1, 1));
  put("tests.txt", "1.pgm b\n");
  const auto split = read("1.pgm a\n1.pgm b\n", ",test=tests.txt");
  EXPECT_THAT(split.test.labels, ElementsAre(1));
  EXPECT_THAT(read("1.pgm a\n1.pgm b\n", ",test=tests.txt", {.parts = Parts::test}).test.labels, ElementsAre(1));
  EXPECT_EQ(refusal("1.pgm a\n", ",test=tests.txt"),
            at("tests.txt") +
                ": line 1: the class \"b\" is none of those that have training samples: a; rename it, or "
                "leave it out");
}

TEST(BadInputs, OfListsGiveTheirErrors) {
  std::ifstream file(testing_support::source("tests/bad/expected.txt"));
  int count = 0;
  for (std::string name, expected; std::getline(file, name, '\t') && std::getline(file, expected);) {
    if (!name.starts_with("list/")) continue;
    const auto path = testing_support::source("tests/bad/" + name).string();
    const auto message = input_error([&] { load_dataset("list:" + path); });
    EXPECT_THAT(message, testing::StartsWith(path + expected)) << name;
    ++count;
  }
  EXPECT_GE(count, 8);
}

TEST_F(List, SaysWhatIsWrongAndWhere) {
  put("1.pgm", pgm(1, 1, 1));
  const auto list = at("list.txt");
  EXPECT_EQ(refusal(""), list + ": lists no pictures; write lines such as photos/1.jpg,cat");
  EXPECT_EQ(refusal("1.pgm a\n1.pgm\n"), list + ": line 2: is not a path and a label; write e.g. photos/1.jpg,cat");
  EXPECT_EQ(refusal("1.pgm,a\n1.pgm,a,b\n"), list + ": line 2: is not a path and a label; write e.g. photos/1.jpg,cat");
  EXPECT_EQ(refusal("1.pgm a\nnone.pgm a\n"),
            at("none.pgm") + ": cannot be read: No such file or directory; check the spelling and the folder");
  EXPECT_THAT(read("1.pgm a\nnone.pgm a\n", "", {.skip_bad = true}).skipped, testing::SizeIs(1));
  EXPECT_EQ(
      refusal("none.pgm a\n", "", {.skip_bad = true}),
      list + ": none of its pictures can be read: " + at("none.pgm") +
          ": cannot be read: No such file or directory; check the spelling and the folder; paths are relative to the "
          "list");
  EXPECT_EQ(refusal("1.pgm a\n", "", {.parts = Parts::test}),
            list + ": all of it is the training part; name another list by the option test=FILE, or give --part train");
}

}  // namespace
}  // namespace chalk
