#include <cmath>
#include <limits>
#include <numeric>
#include <set>

#include "chalkgrad/data.h"
#include "src/base/file.h"
#include "src/base/test_support.h"

namespace chalk {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;
using testing_support::Folder;
using testing_support::input_error;

namespace fs = std::filesystem;
using Bytes = std::vector<std::uint8_t>;

void expect_normalised(const Dataset& data) {
  double sum = 0, squares = 0;
  for (const auto byte : data.bytes) {
    const double x = static_cast<double>(byte) * data.scale[0] + data.shift[0];
    sum += x;
    squares += x * x;
  }
  const auto count = static_cast<double>(data.bytes.size());
  EXPECT_NEAR(sum / count, 0, 1e-6);
  EXPECT_NEAR(squares / count, 1, 1e-6);
}

TEST(Digits, AreAllThere) {
  const auto split = digits();
  EXPECT_EQ(split.train.size(), 1438U);
  EXPECT_EQ(split.test.size(), 359U);
  EXPECT_EQ(split.train.sample, (Shape{1, 8, 8}));
  EXPECT_EQ(split.train.class_names.size(), 10U);
  EXPECT_EQ(split.train.class_names[7], "7");
  EXPECT_EQ(std::set(split.test.labels.begin(), split.test.labels.end()).size(), 10U);
  split.train.check();
  split.test.check();
}

// The first line of the file begins 0,0,5,13,9,1,0,0 and ends with the digit 0; the fifth is a 4 and a test sample.
TEST(Digits, BrightnessBecomesBytes) {
  const auto split = digits();
  EXPECT_THAT(Bytes(split.train.bytes.begin(), split.train.bytes.begin() + 8),
              ElementsAre(0, 0, 80, 207, 143, 16, 0, 0));
  EXPECT_EQ(*std::ranges::max_element(split.train.bytes), 255);
  EXPECT_THAT(std::vector(split.train.labels.begin(), split.train.labels.begin() + 5), ElementsAre(0, 1, 2, 3, 5));
  EXPECT_EQ(split.test.labels[0], 4);
}

TEST(Digits, AreNormalisedByTheTrainingPart) {
  const auto split = digits();
  expect_normalised(split.train);
  EXPECT_EQ(split.test.scale, split.train.scale);
  EXPECT_EQ(split.test.shift, split.train.shift);
}

// ---- MNIST's files, small
class MnistTest : public testing::Test {
 protected:
  static void append(Bytes& out, std::uint32_t number) {
    for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<std::uint8_t>(number >> shift));
  }
  void labels(const std::string& name, const Bytes& values) const {
    Bytes file;
    append(file, 0x801);
    append(file, static_cast<std::uint32_t>(values.size()));
    file.insert(file.end(), values.begin(), values.end());
    write_file_atomically(folder / name, file);
  }
  void images(const std::string& name, std::uint32_t count, std::uint32_t rows, std::uint32_t columns) const {
    Bytes file;
    for (const auto number : {0x803U, count, rows, columns}) append(file, number);
    const auto header = file.size();
    file.resize(header + count * rows * columns);
    std::iota(file.begin() + static_cast<std::ptrdiff_t>(header), file.end(), std::uint8_t{0});
    write_file_atomically(folder / name, file);
  }
  void all() const {
    images("train-images-idx3-ubyte", 3, 2, 3);
    labels("train-labels-idx1-ubyte", {7, 0, 9});
    images("t10k-images-idx3-ubyte", 2, 2, 3);
    labels("t10k-labels-idx1-ubyte", {1, 2});
  }
  std::string error() const {
    return input_error([&] { mnist(folder.path()); });
  }
  Folder folder;
};

TEST_F(MnistTest, ReadsFourFiles) {
  all();
  const auto split = mnist(folder.path());
  EXPECT_EQ(split.train.name, "mnist");
  EXPECT_EQ(split.train.sample, (Shape{1, 2, 3}));
  EXPECT_EQ(split.train.size(), 3U);
  EXPECT_THAT(split.train.labels, ElementsAre(7, 0, 9));
  EXPECT_THAT(split.test.labels, ElementsAre(1, 2));
  EXPECT_EQ(split.test.bytes.size(), 12U);
  EXPECT_EQ(split.train.class_names.size(), 10U);
  expect_normalised(split.train);
  EXPECT_EQ(split.test.scale, split.train.scale);
  EXPECT_EQ(load_dataset("mnist:" + folder.path().string()).train.bytes, split.train.bytes);
}

TEST_F(MnistTest, AHashIsOfThePathIfThatIsThere) {
  all();
  const auto spec = "mnist:" + folder.path().string();
  EXPECT_THAT(load_dataset(spec + "#7").train.class_names, ElementsAre("7"));
  fs::create_directory(folder / "run#7");
  for (const auto& entry : fs::directory_iterator(folder.path())) {
    if (entry.is_regular_file()) fs::copy(entry, folder / "run#7");
  }
  EXPECT_EQ(load_dataset(spec + "/run#7").train.digest(), load_dataset(spec).train.digest());
  EXPECT_THAT(load_dataset(spec + "/run#7#9,0").train.class_names, ElementsAre("9", "0"));
  fs::create_directory(folder / "run");
  EXPECT_EQ(load_dataset(spec + "/run#7").train.size(), 3U) << "both are there";
  EXPECT_THAT(input_error([&] { load_dataset(spec + "/run#8"); }),
              StartsWith((folder / "run").string() + ": no train-images file"));
  EXPECT_EQ(
      input_error([&] { load_dataset("digits#0:" + folder.path().string()); }),
      "digits: has no class \"0:" + folder.path().string() + "\"; its classes are 0, 1, 2, 3, 4, 5, 6, 7, 8 and 9");
}

TEST_F(MnistTest, ReadsThePartThatIsWanted) {
  all();
  for (const char* name : {"t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"}) fs::remove(folder / name);
  for (const Parts parts : {Parts::training, Parts::training_at_least}) {
    const auto split = mnist(folder.path(), parts);
    EXPECT_EQ(split.train.size(), 3U);
    EXPECT_EQ(split.test.size(), 0U);
    expect_normalised(split.train);
  }
  EXPECT_THAT(error(), HasSubstr("no t10k-images file"));
  all();
  EXPECT_EQ(mnist(folder.path(), Parts::training_at_least).test.size(), 2U);
  EXPECT_EQ(mnist(folder.path(), Parts::training).test.size(), 0U);
  for (const char* name : {"train-images-idx3-ubyte", "train-labels-idx1-ubyte"}) fs::remove(folder / name);
  const auto tests = load_dataset("mnist:" + folder.path().string(), {.parts = Parts::test});
  EXPECT_EQ(tests.train.size(), 0U);
  EXPECT_EQ(tests.test.class_names.size(), 10U);
  expect_normalised(tests.test);
  for (const Parts parts : {Parts::both, Parts::training, Parts::training_at_least}) {
    EXPECT_THAT(input_error([&] { mnist(folder.path(), parts); }), HasSubstr("no train-images file"));
  }
}

TEST_F(MnistTest, HalfATestPartIsAMistake) {
  all();
  fs::remove(folder / "t10k-labels-idx1-ubyte");
  EXPECT_THAT(input_error([&] { mnist(folder.path(), Parts::training_at_least); }), HasSubstr("no t10k-labels file"));
}

TEST_F(MnistTest, ReadsTheOtherSpelling) {
  all();
  std::filesystem::rename(folder / "train-images-idx3-ubyte", folder / "train-images.idx3-ubyte");
  EXPECT_EQ(mnist(folder.path()).train.size(), 3U);
}

TEST_F(MnistTest, MoreClassesThanTenAreKept) {
  all();
  labels("train-labels-idx1-ubyte", {7, 0, 26});
  labels("t10k-labels-idx1-ubyte", {26, 2});
  EXPECT_EQ(mnist(folder.path()).test.class_names.size(), 27U);
}

TEST_F(MnistTest, MissingFileListsTheNamesLookedFor) {
  all();
  std::filesystem::remove(folder / "t10k-labels-idx1-ubyte");
  EXPECT_EQ(error(), folder.path().string() +
                         ": no t10k-labels file; looked for t10k-labels-idx1-ubyte, t10k-labels-idx1-ubyte.gz, "
                         "t10k-labels.idx1-ubyte, t10k-labels.idx1-ubyte.gz; put it into that folder");
}

TEST_F(MnistTest, MissingFolderIsNamed) {
  EXPECT_EQ(input_error([] { mnist("/no/such/folder"); }),
            "/no/such/folder: is not a folder; give the one that holds MNIST's four files");
}

TEST_F(MnistTest, CountsMustAgree) {
  all();
  labels("t10k-labels-idx1-ubyte", Bytes(9999));
  images("t10k-images-idx3-ubyte", 10000, 2, 3);
  EXPECT_EQ(error(),
            (folder / "t10k-labels-idx1-ubyte").string() +
                ": 9,999 labels but t10k-images-idx3-ubyte has 10,000 images; the files do not belong together");
}

TEST_F(MnistTest, ShapesMustAgree) {
  all();
  images("t10k-images-idx3-ubyte", 2, 3, 3);
  EXPECT_EQ(error(), folder.path().string() +
                         ": the training images are 1×2×3 but the test images 1×3×3; "
                         "the files do not belong together");
}

TEST_F(MnistTest, TestLabelsMustBeKnownFromTraining) {
  all();
  labels("t10k-labels-idx1-ubyte", {1, 10});
  EXPECT_EQ(error(), (folder / "t10k-labels-idx1-ubyte").string() +
                         ": sample 1 has label 10 but the training labels end at 9; the files do not belong together");
}

TEST_F(MnistTest, SwappedFilesAreRecognised) {
  all();
  images("train-labels-idx1-ubyte", 3, 2, 3);
  EXPECT_THAT(error(), AllOf(StartsWith((folder / "train-labels-idx1-ubyte").string()), HasSubstr("probably swapped")));
}

TEST_F(MnistTest, RealOneIsRead) {
  const std::filesystem::path real = CHALKGRAD_SHARED_DIR "/data/mnist";
  if (!std::filesystem::exists(real)) GTEST_SKIP() << "MNIST is not in " << real;
  const auto split = mnist(real);
  EXPECT_EQ(split.train.size(), 60000U);
  EXPECT_EQ(split.test.size(), 10000U);
  EXPECT_EQ(split.train.sample, (Shape{1, 28, 28}));
  EXPECT_NEAR(1 / split.train.scale[0] / 255, 0.3081, 5e-5);  // the numbers everybody uses
  EXPECT_NEAR(-split.train.shift[0] / split.train.scale[0] / 255, 0.1307, 5e-5);
}

// ---- Dataset::digest and check
Dataset small() {
  Dataset data;
  data.name = "small";
  data.sample = {1, 1, 2};
  data.bytes = {1, 2, 3, 4};
  data.scale = {0.5F};
  data.shift = {0};
  data.labels = {0, 1};
  data.class_names = {"a", "b"};
  return data;
}

TEST(DatasetDigest, KnowsDataByWhatTheyAre) {
  const auto digest = small().digest();
  EXPECT_EQ(digest, "2:1533391a9249b51473c36537d4239da3665ac6efba1f6d6667e30ad25709d24a");
  auto renamed = small();
  renamed.name = "moved";
  renamed.class_names = {"x", "y"};
  EXPECT_EQ(renamed.digest(), digest);
  const auto other = [](auto change) {
    auto data = small();
    change(data);
    return data.digest();
  };
  const std::set<std::string> all{digest,
                                  other([](auto& d) { d.bytes[3] = 5; }),
                                  other([](auto& d) { d.labels[0] = 1; }),
                                  other([](auto& d) { d.scale[0] = 1; }),
                                  other([](auto& d) { d.shift[0] = 1; }),
                                  other([](auto& d) {
                                    d.sample = {1, 2, 1};
                                  }),
                                  other([](auto& d) { d.class_names.emplace_back("c"); }),
                                  other([](auto& d) {
                                    d.bytes.clear(), d.values = {1, 2, 3, 4};
                                  }),
                                  other([](auto& d) {
                                    d.labels.clear(), d.targets = {0, 1}, d.target = {1};
                                  })};
  EXPECT_EQ(all.size(), 9U);
}

TEST(DatasetDigest, KnowsThoseOfEarlierPrograms) {
  const std::string first = "3ddb0207d3916360b347577477aa81369184e04b9aeb7c6bef1a2a8d1eca52c4";  // by Python's hashlib
  auto data = small();
  EXPECT_TRUE(data.has_digest(first));
  EXPECT_TRUE(data.has_digest(data.digest()));
  data.bytes[3] = 5;
  EXPECT_FALSE(data.has_digest(first));
  EXPECT_FALSE(data.has_digest(small().digest()));
  EXPECT_FALSE(data.has_digest(""));
}

std::string check(Dataset data) {
  return input_error([&] { data.check(); });
}

TEST(DatasetCheck, AcceptsBothKinds) {
  auto data = small();
  EXPECT_EQ(check(data), "(no InputError)");
  data.bytes.clear();
  data.scale = data.shift = {};
  data.values = {1, 2, 3, 4, 5, 6};
  data.labels.clear();
  data.target = {2};
  data.targets = {1, 2, 3, 4, 5, 6};
  EXPECT_EQ(data.size(), 3U);
  EXPECT_EQ(check(data), "(no InputError)");
}

TEST(DatasetCheck, SaysWhatIsWrong) {
  auto data = small();
  data.labels = {0, 2};
  EXPECT_EQ(check(data), "small: sample 1 has label 2 but there are 2 class names; labels count from 0");
  data.labels = {-1, 0};
  EXPECT_THAT(check(data), HasSubstr("sample 0 has label -1"));
  data.labels = {0, 1, 1};
  EXPECT_EQ(check(data), "small: 3 samples of 1×1×2 need 6 bytes, found 4; give as many inputs as labels or targets");
  data.labels = {};
  EXPECT_EQ(check(data), "small: has no samples; give at least one with its label or target");
  data = small();
  data.values = {1};
  EXPECT_THAT(check(data), HasSubstr("has both bytes and values; give one"));
  data = small();
  data.targets = {1};
  EXPECT_THAT(check(data), HasSubstr("has both labels and targets; give one"));
  data = small();
  data.scale = {1, 1};
  EXPECT_EQ(check(data), "small: 2 scales and 1 shifts for 1 channels of bytes; give one of each a channel");
  data = small();
  data.sample = {1, 0, 2};
  EXPECT_THAT(check(data), HasSubstr("a sample has the impossible shape 1×0×2; every extent"));
  data = small();
  data.bytes = {};
  data.scale = data.shift = {};
  data.values = {1, 2, 3, std::numeric_limits<float>::quiet_NaN()};
  EXPECT_THAT(check(data), HasSubstr("small: sample 1 holds nan at element 1; replace or leave out"));
  data = small();
  data.weights = {1, 2, 3};
  EXPECT_EQ(check(data), "small: 3 weights for 2 samples; give one for each, or none");
  data.weights = {1, -1};
  EXPECT_EQ(check(data), "small: sample 1 has the weight -1; it must be a number of at least 0");
  data.weights = {0, 0};
  EXPECT_EQ(check(data), "small: all weights are 0, so that no sample counts; make one of them larger");
}

/// The same samples in memory of somebody else's, backwards.
Dataset lent_by(const std::shared_ptr<std::vector<float>>& owner, Dataset data) {
  const auto each = static_cast<std::size_t>(elements(data.sample));
  owner->clear();
  for (std::size_t i = data.size(); i-- > 0;) owner->insert(owner->end(), data.numbers(i), data.numbers(i) + each);
  for (std::size_t i = data.size(); i-- > 0;) data.places.push_back(static_cast<std::uint32_t>(i));
  data.values.clear();
  data.lent = {owner, owner->data()};
  return data;
}

TEST(LentSamples, AreTheSameDataWhereverTheyAre) {
  Dataset data;
  data.name = "numbers";
  data.sample = {2};
  data.class_names = {"a", "b"};
  for (int i = 0; i < 20; ++i) {
    data.values.insert(data.values.end(), {static_cast<float>(i), static_cast<float>(i * i)});
    data.labels.push_back(i % 2);
    data.weights.push_back(static_cast<float>(i % 3));
  }
  const auto owner = std::make_shared<std::vector<float>>();
  auto lent = lent_by(owner, data);
  lent.check();
  EXPECT_EQ(lent.numbers(3)[1], 9);
  EXPECT_EQ(lent.digest(), data.digest());
  normalise(lent, Normalisation::parse("channel"));
  normalise(data, Normalisation::parse("channel"));
  EXPECT_EQ(lent.scale, data.scale);
  const auto part = hold_out(lent, 0.25).test;
  EXPECT_EQ(part.lent, lent.lent);
  EXPECT_EQ(part.digest(), hold_out(data, 0.25).test.digest());
  const std::vector<std::string> names{"b"};
  EXPECT_EQ(select_classes(lent, names).digest(), select_classes(data, names).digest());
  data.weights[3] += 1;
  EXPECT_NE(lent.digest(), data.digest());
  (*owner)[0] = std::numeric_limits<float>::infinity();
  EXPECT_EQ(input_error([&] { lent.check(); }),
            "numbers: sample 19 holds inf at element 0; replace or leave out samples that are not finite");
}

}  // namespace
}  // namespace chalk
