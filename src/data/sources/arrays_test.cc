#include "chalkgrad/data.h"
#include "chalkgrad/npz.h"
#include "src/base/file.h"
#include "src/base/test_support.h"
#include "src/base/text.h"
#include "src/data/split_testing.h"

namespace chalk {
namespace {

using testing::ElementsAre;
using testing_support::Folder;
using testing_support::input_error;
using Floats = std::vector<float>;
using Whole = std::vector<std::int64_t>;

std::string set(const std::string& name) { return testing_support::source("tests/data/sets").string() + "/" + name; }

class Arrays : public testing::Test {
 protected:
  std::string path() const { return (folder_ / "a.npz").string(); }
  Split load(const NpzWriter& npz, const std::string& options = "", const LoadOptions& how = {}) {
    npz.save(path());
    return load_dataset(str("npz:", path(), options), how);
  }
  std::string error(const NpzWriter& npz, const std::string& options = "", const LoadOptions& how = {}) {
    const auto message = input_error([&] { load(npz, options, how); });
    EXPECT_THAT(message, testing::StartsWith(path()));
    return message.substr(std::min(message.size(), path().size()));
  }
  static NpzWriter with(const Shape& x, const Shape& y) {
    NpzWriter npz;
    npz.add("x", x, Floats(static_cast<std::size_t>(elements(x))));
    npz.add("y", y, Whole(static_cast<std::size_t>(elements(y))));
    return npz;
  }
  Folder folder_;
};

TEST_F(Arrays, UsualNamesAreFound) {
  for (const auto& [x, y] : {std::pair("x_train", "y_train"),
                             {"X_train", "y_train"},
                             {"train_images", "train_labels"},
                             {"x", "y"},
                             {"X", "y"},
                             {"images", "labels"},
                             {"data", "target"},
                             {"data", "labels"},
                             {"arr_0", "arr_1"}}) {
    NpzWriter npz;
    npz.add(x, {2, 2}, Floats{1, 2, 3, 4});
    npz.add(y, {2}, Whole{1, 0});
    npz.add("z", {1}, Whole{1});
    const auto split = load(npz);
    EXPECT_THAT(split.train.values, ElementsAre(1, 2, 3, 4)) << x;
    EXPECT_THAT(split.train.labels, ElementsAre(1, 0)) << y;
    EXPECT_THAT(split.remarks, ElementsAre(str("the samples are \"", x, "\", the labels \"", y, "\"")));
  }
}

TEST_F(Arrays, OthersAreGiven) {
  NpzWriter npz;
  npz.add("a", {2, 1}, Floats{1, 2});
  npz.add("b", {2}, Whole{0, 1});
  npz.add("c", {1, 1}, Floats{3});
  npz.add("d", {1}, Whole{1});
  EXPECT_EQ(error(npz),
            ": which of its arrays are samples and labels? Say it by the options x=NAME,y=NAME; they are a, b, c "
            "and d");
  const auto split = load(npz, ",x=a,y=b,x-test=c,y-test=d");
  EXPECT_THAT(split.train.values, ElementsAre(1, 2));
  EXPECT_THAT(split.test.values, ElementsAre(3));
  EXPECT_EQ(error(npz, ",x=a"), ": one of the options x and y, or x-test and y-test, is given alone; give both");
  EXPECT_EQ(error(npz, ",x=a,y=e"), ": has no array \"e\"; its arrays are a, b, c and d");
  EXPECT_EQ(error(npz, ",x=a,y=b", {.parts = Parts::test}),
            ": all of it is the training part; name arrays of the test part by x-test=NAME,y-test=NAME, or give --part "
            "train");
}

TEST_F(Arrays, LayoutsAreChosenByTheShapeOrGiven) {
  const auto sample = [&](const Shape& x, const std::string& options = "") {
    return to_string(load(with(x, {x[0]}), options).train.sample);
  };
  EXPECT_EQ(sample({2, 4, 5}), "1×4×5");
  EXPECT_EQ(sample({2, 3, 4, 5}), "3×4×5");
  EXPECT_EQ(sample({2, 4, 5, 3}), "3×4×5");
  EXPECT_EQ(sample({2, 8, 8, 4}), "4×8×8");
  EXPECT_EQ(sample({2, 2, 8, 8}), "2×8×8");
  EXPECT_EQ(sample({2, 5, 6, 7}, ",layout=nhwc"), "7×5×6");
  EXPECT_EQ(sample({2, 5, 6, 7}, ",layout=nchw"), "5×6×7");
  EXPECT_EQ(sample({2, 6, 2}, ",shape=3x4"), "1×3×4");
  EXPECT_EQ(sample({2, 60}, ",shape=4x5x3"), "3×4×5");
  EXPECT_EQ(sample({2}), "1");
  EXPECT_EQ(sample({2, 2, 2, 2, 2}), "2×2×2×2");
  const std::string which =
      " may be channels×rows×columns or rows×columns×channels; say it by the option layout=nchw or "
      "layout=nhwc";
  EXPECT_EQ(error(with({2, 3, 5, 3}, {2})), ", array \"x\": samples of 3×5×3" + which);
  EXPECT_EQ(error(with({2, 5, 6, 7}, {2})), ", array \"x\": samples of 5×6×7" + which);
  EXPECT_EQ(error(with({2, 60}, {2}), ",shape=4x5"),
            ", array \"x\": has samples of 60, which are not 4×5 = 20; correct the option shape");
}

TEST_F(Arrays, AnswersAreLabelsOrTargets) {
  NpzWriter npz;
  npz.add("x", {2, 1}, Floats{1, 2});
  npz.add("whole", {2, 1}, Whole{4, 0});
  npz.add("real", {2}, Floats{0.5F, 2});
  npz.add("several", {2, 2}, Whole{1, 0, 0, 1});
  npz.add("negative", {2}, Whole{0, -1});
  const auto labelled = load(npz, ",x=x,y=whole").train;
  EXPECT_THAT(labelled.labels, ElementsAre(4, 0));
  EXPECT_EQ(labelled.class_names.size(), 5U);
  EXPECT_THAT(load(npz, ",x=x,y=real").train.targets, ElementsAre(0.5F, 2));
  EXPECT_EQ(load(npz, ",x=x,y=several").train.target, (Shape{2}));
  EXPECT_EQ(error(npz, ",x=x,y=negative"),
            ", array \"negative\": sample 1 has the label -1; labels count from 0, up to 999,999");
}

TEST_F(Arrays, SayWhatDoesNotFit) {
  EXPECT_EQ(error(with({3, 2}, {2})), ", array \"y\": has 2 labels or targets, but " + path() +
                                          ", array \"x\" has 3 samples; the arrays do not belong together");
  EXPECT_EQ(error(with({0, 2}, {0})), ", array \"x\": has no samples; its first axis must count them");
  EXPECT_EQ(error(with({}, {2})), ", array \"x\": has no samples; its first axis must count them");
  EXPECT_EQ(error(with({2, 0}, {2})), ", array \"x\": has samples of 0, which hold nothing; give others");
  NpzWriter npz;
  npz.add("x_train", {1, 2}, Floats(2));
  npz.add("y_train", {1}, Whole{0});
  npz.add("x_test", {1, 3}, Floats(3));
  npz.add("y_test", {1}, Whole{0});
  EXPECT_EQ(error(npz), ", array \"x_test\": its samples or targets have another shape or type than those of " +
                            path() + ", array \"x_train\"; the arrays do not belong together");
  NpzWriter beyond;
  beyond.add("x_train", {1, 2}, Floats(2));
  beyond.add("y_train", {1}, Whole{1});
  beyond.add("x_test", {1, 2}, Floats(2));
  beyond.add("y_test", {1}, Whole{2});
  EXPECT_EQ(
      error(beyond),
      ", array \"y_test\": sample 0 has the label 2, but the classes end at 1; the arrays do not belong together");
}

TEST(ArrayPairs, NeedFilesOfLabels) {
  const auto x = set("x.npy");
  EXPECT_EQ(input_error([&] { load_dataset("npy:" + x); }),
            x + ": where are its labels? Name their file by the option labels=FILE");
  EXPECT_EQ(input_error([&] { load_dataset("npy:" + x + ",labels=y.npy,test=x.npy"); }),
            x + ": one of the options test and test-labels is given alone; give both");
  EXPECT_EQ(
      input_error([&] { load_dataset("npy:" + x + ",labels=y.npy", {.parts = Parts::test}); }),
      x + ": all of it is the training part; name files of the test part by test=FILE,test-labels=FILE, or give --part "
          "train");
  EXPECT_EQ(load_dataset("npy:" + x + ",labels=y.npy,test=x.npy,test-labels=y.npy").test.size(), 6U);
  EXPECT_EQ(input_error([&] { load_dataset("mat:" + x + ",labels=y.npy"); }),
            x + ": is no matrix of small NORB by its first bytes; give one of its .mat files");
}

TEST(ArrayPairs, LabelsInWordsAreThoseOfTheNetwork) {
  const auto spec = "npz:" + set("packed.npz") + ",x=half,y=labels";
  EXPECT_THAT(load_dataset(spec, {.classes = {"ä", "b", "c", "a"}}).train.labels, ElementsAre(1, 0, 1, 3, 0, 3));
  EXPECT_EQ(input_error([&] {
              load_dataset(spec, {.classes = {"a", "b"}});
            }),
            set("packed.npz") +
                ", array \"labels\": sample 1: the class \"ä\" is none of those that the network knows: a and "
                "b; rename it, or choose classes by #NAME,NAME");
}

/// Samples of unsigned bytes as numpy.save writes them, and their labels.
class StoredArrays : public testing::Test {
 protected:
  void SetUp() override { put("y.npy", "'|u1'", "False", "(4,)", {0, 1, 1, 0}); }
  void put(const std::string& name, const std::string& type, const std::string& fortran, const std::string& shape,
           const std::vector<std::uint8_t>& elements) const {
    const auto header = str("{'descr': ", type, ", 'fortran_order': ", fortran, ", 'shape': ", shape, ", }\n");
    std::vector<std::uint8_t> file = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, static_cast<std::uint8_t>(header.size()), 0};
    file.insert(file.end(), header.begin(), header.end());
    file.insert(file.end(), elements.begin(), elements.end());
    write_file_atomically(folder_ / name, file);
  }
  void put(const std::string& shape, const std::string& fortran = "False") const {
    std::vector<std::uint8_t> elements;
    for (int i = 0; i < 4 * 2 * 5 * 3; ++i) elements.push_back(static_cast<std::uint8_t>(i * i + 3 * i));
    put("x.npy", "'|u1'", fortran, shape, elements);
  }
  Split load(const LoadOptions& options = {}) const {
    return load_dataset(str("npy:", (folder_ / "x.npy").string(), ",labels=y.npy,test=x.npy,test-labels=y.npy"),
                        options);
  }
  Folder folder_;
};

TEST_F(StoredArrays, GiveTheSameSamplesAsInMemory) {
  for (const char* shape : {"(4, 2, 5, 3)", "(4, 3, 2, 5)", "(4, 5, 6)", "(4, 30)"}) {
    put(shape);
    const auto split = load({.memory = 239});
    EXPECT_TRUE(split.train.store) << shape;
    EXPECT_EQ(split.remarks.front(),
              "8 samples would take 0 kB of memory, and 0 kB are allowed: each is read whenever it is needed");
    EXPECT_FALSE(load({.memory = 240}).train.store) << shape;
    expect_same(split, load());
    const auto how = Normalisation::parse("min-max");
    expect_same(load({.memory = 0, .normalisation = how}), load({.normalisation = how}));
  }
  const auto archive = "npz:" + set("keras.npz");
  EXPECT_TRUE(load_dataset(archive, {.memory = 0}).train.store);
  expect_same(load_dataset(archive, {.memory = 0}), load_dataset(archive));
  EXPECT_EQ(load_dataset(archive, {.parts = Parts::test, .memory = 0}).train.size(), 0U);
}

TEST_F(StoredArrays, AreReadIfTheirElementsAreNotAsTheyAreUsed) {
  put("(4, 30)", "True");
  EXPECT_FALSE(load({.memory = 0}).train.store);
  put("(120, 1)", "True");  // which is both orders
  put("y.npy", "'|u1'", "False", "(120,)", std::vector<std::uint8_t>(120));
  EXPECT_TRUE(load({.memory = 0}).train.store);
  const auto packed = "npz:" + set("packed.npz") + ",x=pixels,y=labels,shape=1x4x5";
  EXPECT_FALSE(load_dataset(packed, {.memory = 0}).train.store) << "it is compressed";
}

TEST_F(StoredArrays, ThatAreCutOffMeanwhileAreNamed) {
  put("(4, 30)");
  const auto split = load({.memory = 0});
  const auto file = folder_ / "x.npy";
  const auto size = std::filesystem::file_size(file);
  std::filesystem::resize_file(file, size - 31);
  std::vector<std::uint8_t> sample(30);
  split.train.read(1, sample.data());
  EXPECT_EQ(input_error([&] { split.train.read(2, sample.data()); }),
            str(file.string(), ": cannot be read at byte ", size - 60, " of ", size,
                ", which it had when it was opened; leave it as it is while it is used, or check the disk"));
}

TEST_F(StoredArrays, WithAnotherChecksumAreRefused) {
  auto bytes = read_file(set("keras.npz"), 1 << 20);
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  bytes[text.find("}") + 80] ^= 1;
  const auto file = folder_ / "a.npz";
  write_file_atomically(file, bytes);
  for (const std::uint64_t memory : {0, 1 << 20}) {
    EXPECT_EQ(input_error([&] { load_dataset("npz:" + file.string(), {.memory = memory}); }),
              file.string() +
                  ", array \"x_train\": the zip archive is damaged (its checksum); write the file again with "
                  "numpy.savez");
  }
}

TEST(Norb, SaysWhichFileIsMissing) {
  Folder folder;
  const auto error = [&](const std::string& place) { return input_error([&] { load_dataset("norb:" + place); }); };
  EXPECT_EQ(error(folder.path().string()),
            folder.path().string() +
                ": holds no file that ends with -training-dat.mat or with .gz behind that; put all of "
                "small NORB's into that folder");
  EXPECT_EQ(error("/no/such/place"), "/no/such/place: is not a folder; give the one that holds small NORB's files");
  EXPECT_EQ(load_dataset("norb:" + set("norb"), {.parts = Parts::test}).train.size(), 0U);
}

TEST(Emnist, SaysWhichSetAndWhichFile) {
  Folder folder;
  const auto place = folder.path().string();
  const auto error = [&](const std::string& options = "") {
    return input_error([&] { load_dataset("emnist:" + place + options); });
  };
  EXPECT_EQ(error(), place +
                         ": holds no files of EMNIST, such as emnist-letters-train-images-idx3-ubyte.gz; put them into "
                         "that folder");
  std::filesystem::copy(set("emnist"), folder.path());
  EXPECT_EQ(load_dataset("emnist:" + place).train.size(), 4U);
  EXPECT_EQ(load_dataset("emnist:" + place + ",split=letters#A,Z").train.class_names.size(), 2U);
  write_file_atomically(folder / "emnist-digits-train-images-idx3-ubyte", "");
  EXPECT_EQ(error(), place + ": holds several sets of EMNIST; say which by the option split=, digits or letters");
  EXPECT_EQ(error(",split=digits"), place +
                                        "/emnist-digits-mapping.txt: cannot be read: No such file or directory; check "
                                        "the spelling and the folder");
  const auto mapping = folder / "emnist-letters-mapping.txt";
  write_file_atomically(mapping, "1 65 97\n");
  EXPECT_THAT(error(",split=letters"),
              testing::MatchesRegex(".*-train-labels-idx1-ubyte: sample 0 has the label [0-9]+, which "
                                    "emnist-letters-mapping.txt lacks; the files do not belong together"));
  write_file_atomically(mapping, "1 sixty-five\n");
  EXPECT_EQ(error(",split=letters"), mapping.string() +
                                         ": line \"1 sixty-five\" is not a label and the code of a character; "
                                         "fetch the file again");
  write_file_atomically(mapping, "\n");
  EXPECT_EQ(error(",split=letters"), mapping.string() + ": has no lines; fetch the file again");
  EXPECT_EQ(input_error([] { load_dataset("emnist:/no/such/place"); }),
            "/no/such/place: is not a folder; give the one that holds EMNIST's files");
}

TEST(Qmnist, LabelsAreATable) {
  Folder folder;
  std::filesystem::copy(set("qmnist"), folder.path());
  const auto spec = "mnist:" + folder.path().string();
  const auto labels = folder / "qmnist-train-labels-idx2-int";
  std::filesystem::remove(labels.string() + ".gz");
  EXPECT_EQ(input_error([&] { load_dataset(spec); }),
            folder.path().string() +
                ": no qmnist-train-labels file; looked for qmnist-train-labels-idx2-int, "
                "qmnist-train-labels-idx2-int.gz, qmnist-train-labels.idx2-int, "
                "qmnist-train-labels.idx2-int.gz; put it into that folder");
  write_file_atomically(labels, std::string("\0\0\x0C\x02\0\0\0\x01\0\0\0\x02\0\0\x01\0\0\0\0\0", 20));
  EXPECT_EQ(
      input_error([&] { load_dataset(spec); }),
      labels.string() + ": sample 0 has a label that is not from 0 to 255; give a file of labels in QMNIST's format");
  write_file_atomically(labels, std::string("\0\0\x08\x01\0\0\0\x01\0", 9));
  EXPECT_EQ(input_error([&] { load_dataset(spec); }),
            labels.string() +
                ": begins with 0x00000801, expected 0x00000c02 (a table of 32-bit integers); give a file of "
                "labels in QMNIST's format");
}

}  // namespace
}  // namespace chalk
