// Parts of pictures as they are in their files, before they are brought to the size of the samples.
#include <gmock/gmock.h>

#include <cmath>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "chalkgrad/augmentation.h"
#include "chalkgrad/data.h"
#include "chalkgrad/image.h"
#include "src/base/file.h"
#include "src/base/test_support.h"
#include "src/base/text.h"
#include "src/base/xxh64.h"

namespace chalk {
namespace {

using testing_support::input_error;

constexpr int kRows = 12, kColumns = 10, kSampleSide = 4;

/// Two pictures of 12×10 in colour, which samples of 4×4 are made of.
class FileParts : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"cat", "dog"}) {
      std::filesystem::create_directories(folder_ / name);
      Image image{3, kRows, kColumns, {}};
      for (int i = 0; i < kRows * kColumns * 3; ++i)
        image.pixels.push_back(static_cast<std::uint8_t>(i * i * 7 + i * (name[0] == 'c' ? 31 : 47)));
      write_file_atomically(folder_ / name / "0.png", encode_png(image));
      images_.push_back(image);
    }
  }
  Dataset load(const LoadOptions& options = {}) const {
    return load_dataset(str("folder:", folder_.path().string(), ",size=", kSampleSide), options).train;
  }
  static std::vector<std::uint8_t> seen(const Dataset& data, const std::string& list, std::int64_t epoch,
                                        std::size_t row) {
    const auto set = augmented(data, Augmentations::parse(list), 5, epoch);
    std::vector<std::uint8_t> sample(static_cast<std::size_t>(elements(set.sample)));
    set.read(row, sample.data());
    return sample;
  }
  /// All parts that show this, one by one.
  std::vector<PicturePart> parts_that_show(const std::vector<std::uint8_t>& sample, std::size_t row) const {
    std::vector<PicturePart> found;
    for (std::int64_t rows = 1; rows <= kRows; ++rows) {
      for (std::int64_t columns = 1; columns <= kColumns; ++columns) {
        for (std::int64_t r = 0; r + rows <= kRows; ++r) {
          for (std::int64_t c = 0; c + columns <= kColumns; ++c) {
            const PicturePart part{r, c, rows, columns};
            if (fit_image(crop_image(images_[row], part), 3, kSampleSide, kSampleSide) == sample) found.push_back(part);
          }
        }
      }
    }
    return found;
  }

  testing_support::Folder folder_;
  std::vector<Image> images_;
};

TEST_F(FileParts, AreBroughtToTheSizeByThemselves) {
  const auto data = load();
  std::set<std::string> different;
  for (std::int64_t epoch = 0; epoch < 8; ++epoch) {
    for (std::size_t row = 0; row < 2; ++row) {
      const auto parts = parts_that_show(seen(data, "resized-crop:0.3,0.6,of=file", epoch, row), row);
      ASSERT_EQ(parts.size(), 1U);
      const auto rows = static_cast<double>(parts[0].rows), columns = static_cast<double>(parts[0].columns);
      EXPECT_TRUE((rows - 0.5) * (columns - 0.5) <= 0.6 * kRows * kColumns);
      EXPECT_TRUE((rows + 0.5) * (columns + 0.5) >= 0.3 * kRows * kColumns);
      EXPECT_TRUE((columns + 0.5) / (rows - 0.5) >= 0.75 && (columns - 0.5) / (rows + 0.5) <= 4.0 / 3);
      different.insert(str(parts[0].row, " ", parts[0].column, " ", rows, " ", columns));
    }
  }
  EXPECT_GT(different.size(), 12U);
}

TEST_F(FileParts, AreOthersThanOfTheSample) {
  const auto data = load();
  EXPECT_EQ(seen(data, "resized-crop:1,1,ratio_least=0.83,ratio_most=0.84,of=file", 0, 1),
            fit_image(images_[1], 3, kSampleSide, kSampleSide))
      << "all of it";
  EXPECT_NE(seen(data, "resized-crop:0.3,0.6,of=file", 0, 0), seen(data, "resized-crop:0.3,0.6", 0, 0));
  EXPECT_EQ(Augmentations::parse("resized-crop:0.3,0.6,of=sample").text(), "resized-crop:0.3,0.6");
}

TEST_F(FileParts, AreTheSameBytesWhereverSamplesAre) {
  const std::string list = "resized-crop:0.2,0.9,of=file,flip,brightness:0.4";
  const auto data = load();
  std::vector<std::uint8_t> all;
  for (std::int64_t epoch = 0; epoch < 4; ++epoch) {
    for (std::size_t row = 0; row < 2; ++row) {
      const auto sample = seen(data, list, epoch, row);
      for (const auto& options : {LoadOptions{.memory = 0}, LoadOptions{.cache = folder_ / "cache"}})
        EXPECT_EQ(seen(load(options), list, epoch, row), sample);
      all.insert(all.end(), sample.begin(), sample.end());
    }
  }
  EXPECT_EQ(xxh64(all), 0x39147f994f778984U) << "on every machine";
}

TEST_F(FileParts, AreFollowedByTheOthers) {
  const auto data = load();
  auto plain = seen(data, "resized-crop:0.3,0.6,of=file", 0, 0);
  const auto flipped = seen(data, "resized-crop:0.3,0.6,of=file,vflip:1", 0, 0);
  for (std::size_t c = 0; c < 3; ++c) {
    for (std::size_t r = 0; r < kSampleSide; ++r) {
      const auto row = [&](const std::vector<std::uint8_t>& from, std::size_t at) {
        return std::vector(from.begin() + static_cast<std::ptrdiff_t>((c * kSampleSide + at) * kSampleSide),
                           from.begin() + static_cast<std::ptrdiff_t>((c * kSampleSide + at + 1) * kSampleSide));
      };
      EXPECT_EQ(row(flipped, r), row(plain, kSampleSide - 1 - r));
    }
  }
}

TEST_F(FileParts, StayWithTheSamplesThatAreChosen) {
  const auto data = load();
  const std::vector<std::string> dogs{"dog"};
  const std::string list = "resized-crop:0.3,0.6,of=file";
  const auto some = select_classes(data, dogs);
  EXPECT_EQ(some.file(0), data.file(1));
  EXPECT_EQ(parts_that_show(seen(some, list, 0, 0), 1).size(), 1U);
  const auto held_out = hold_out(data, 0.5).test;
  EXPECT_EQ(parts_that_show(seen(held_out, list, 0, 0), held_out.file(0) == data.file(0) ? 0 : 1).size(), 1U);
}

TEST_F(FileParts, SayWhereTheyCannotBeTaken) {
  EXPECT_EQ(input_error([] { Augmentations::parse("flip,resized-crop:of=file"); }),
            "augmentation \"resized-crop:of=file\": begins with the picture as it is in its file, but stands behind "
            "\"flip\"; write it first");
  const auto digit = digits().train;
  EXPECT_EQ(
      input_error([&] { Augmentations::parse("resized-crop:of=file").check(digit); }),
      "augmentation \"resized-crop:of=file\": takes parts of pictures from their files, and those of \"digits\" are "
      "in no files of their own; leave out of=file");
  EXPECT_EQ(input_error([&] {
              crop_image(images_[0], {0, 3, 12, 8});
            }),
            "image: a part of 12×8 pixels at (0, 3) is not within its 12×10; choose another part");
}

}  // namespace
}  // namespace chalk
