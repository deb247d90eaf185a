#include "src/train/feeds.h"

#include "chalkgrad/error.h"
#include "src/base/text.h"

namespace chalk {

Feed sample_feed(const Dataset& data) {
  if (data.bytes.empty()) return {.values = data.values.data()};
  return {.bytes = data.bytes.data(), .scale = data.scale.data(), .shift = data.shift.data()};
}

Feed target_feed(const Dataset& data) {
  if (data.labels.empty()) return {.values = data.targets.data()};
  return {.labels = data.labels.data()};
}

Shape target_shape(const Dataset& data) {
  return data.labels.empty() ? data.target : Shape{static_cast<std::int64_t>(data.class_names.size())};
}

void check_fits(const Network& network, const Dataset& data) {
  data.check();
  if (data.size() == 0) throw InputError(str("data set \"", data.name, "\" has no samples"));
  if (data.sample != network.input_shape()) {
    throw ShapeError(str("data set \"", data.name, "\" has samples of ", to_string(data.sample),
                         " but the network takes ", to_string(network.input_shape()),
                         "; build the network for the data's shape"));
  }
}

}  // namespace chalk
