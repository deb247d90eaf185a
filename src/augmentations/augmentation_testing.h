// What tests of augmentations share.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "chalkgrad/data.h"
#include "src/augmentations/augmentation.h"

namespace chalk::augmentation_testing {

/// So many pictures of random bytes; each holds what `picture` draws for it.
inline Dataset pictures(std::size_t count, const Shape& shape, std::uint64_t seed = 7) {
  Dataset data;
  data.name = "pictures";
  data.sample = shape;
  data.class_names = {"a", "b"};
  data.labels.assign(count, 0);
  data.bytes.resize(count * static_cast<std::size_t>(elements(shape)));
  Random random(seed, hash_name("picture"));
  draw_bytes(random, data.bytes.data(), data.bytes.size());
  data.scale.assign(static_cast<std::size_t>(shape[0]), 1.0F);
  data.shift.assign(static_cast<std::size_t>(shape[0]), -100.0F);
  return data;
}

/// So many pictures, each of one value.
inline Dataset plain(std::size_t count, const Shape& shape, Byte value) {
  Dataset data = pictures(count, shape);
  data.bytes.assign(data.bytes.size(), value);
  return data;
}

/// The bytes of the data in an epoch.
inline std::vector<Byte> seen(const Dataset& data, std::string_view text, std::int64_t epoch = 0,
                              std::uint64_t seed = 1) {
  return augmented(data, Augmentations::parse(text), seed, epoch).bytes;
}

/// An augmentation with those parameters that must be given: "shift:4".
inline std::string example_of(const AugmentationDefinition& definition) {
  std::string text(definition.name.value);
  FieldFunction writer([&](const Field& field, const auto&) {
    if (field.must_be_given) text += std::string(":").append(field.example);
  });
  definition.defaults.value.show(writer);
  return text;
}

}  // namespace chalk::augmentation_testing
