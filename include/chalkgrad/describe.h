// What a person would want to know of a data set before training on it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "chalkgrad/data.h"
#include "chalkgrad/image.h"

namespace chalk {

/// Of all elements of a channel (of pictures), or of one element (of vectors), over a part; bytes count as 0…255.
struct ChannelSummary {
  double mean = 0, deviation = 0;  ///< the deviation is that of all, √(Σ(x − mean)²/n)
  double least = 0, most = 0;
};

/// Which sample it is.
struct SampleName {
  bool test = false;
  std::size_t index = 0;
  std::string text;  ///< its file, or "training sample 17", from 0
};

/// A sample and an earlier one that is the same.
struct Twin {
  SampleName first, second;
  bool exact = false;       ///< equal in every element, where others are nearly
  bool same_label = false;  ///< or target
};

struct PartSummary {
  std::int64_t samples = 0;
  std::vector<std::int64_t> of_class;    ///< samples of each class
  std::vector<ChannelSummary> channels;  ///< one a channel of pictures; otherwise one an element
  std::vector<SampleName> plain;         ///< pictures whose elements are all equal
};

struct DataSummary {
  PartSummary train, test;
  std::vector<Twin> twins;  ///< in the order of the second: training samples, then test samples
};

/// Pictures of 8×8 or more that are nearly equal, as one and the same are that were encoded twice, are found by their
/// thumbnails: each channel brought to 8×8 by fit_image(). Two are nearly equal if these differ by at most
/// `kNearlyEqual` levels in the mean and by at most `kNearlyEqualAnywhere` at any place (drawings on one background
/// do), and neither is nearly plain (a thumbnail's deviation below 8 levels). Everything else is compared exactly. No
/// pair is missed, and it takes about as long as to read the data. Turned, mirrored, shifted or recoloured pictures are
/// others.
DataSummary describe(const Split& data);
constexpr double kNearlyEqual = 2.5;
constexpr int kNearlyEqualAnywhere = 12;

/// Pictures of the training part (of the test part, if that is all there is), a row for each of the first `rows`
/// classes with `columns` of its samples, taken evenly over all of them; without classes, evenly over all samples. Each
/// is `side` pixels or, if it is smaller, a multiple of its size up to that; values are brought from their least and
/// most to 0…255. Throws InputError for samples that are no pictures of three axes.
Image contact_sheet(const Split& data, int rows = 20, int columns = 16, int side = 64);

}  // namespace chalk
