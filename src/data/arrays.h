// Arrays as samples: the first axis counts them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "chalkgrad/data.h"
#include "src/base/moments.h"
#include "src/files/array.h"

namespace chalk {

/// What a source says of its arrays behind the path.
struct ArrayOptions {
  std::size_t layout = 0;  ///< 0: decided by the shape, 1: channels × rows × columns, 2: rows × columns × channels
  std::string shape;       ///< of a sample, where the array has them as rows; "1x28x28"

  void visit_arrays(FieldVisitor& v);
};

/// An array and what messages call it.
struct NamedArray {
  Array array;
  std::string name;
  std::optional<StoredBytes> stored{};  ///< its elements, if `array` has nothing but their type and its shape
};

/// The samples and labels of one part, one after the other along the first axis:
/// - samples of two axes are images of one channel; of three, images in one layout or the other, which become channels
/// ×
///   rows × columns; of one or more than three, they stay as they are;
/// - unsigned bytes stay bytes, and in their file if they are there (Dataset::store); everything else becomes floats;
/// - whole numbers of one a sample are classes, from 0; words are classes by name; anything else is numbers to learn.
/// Class names, which both parts must share, are given by name_classes(). `moments` becomes what is known of the
/// channels, if that is not null. Throws InputError naming the array.
Dataset samples_of(NamedArray x, const NamedArray& y, const ArrayOptions& own, const std::string& source, Split& split,
                   std::vector<ByteMoments>* moments = nullptr);

/// Gives both parts their classes: `words` are the labels in words, or empty where labels are numbers. Classes are
/// those of the training part, unless a network knows some or `names` are given.
void name_classes(Split& split, const NamedArray& train, const NamedArray& test, const LoadOptions& options,
                  const std::vector<std::string>& names = {});

}  // namespace chalk
