// What tests of training share: a small network, the digits, and options that take a moment.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "chalkgrad/error.h"
#include "chalkgrad/train.h"
#include "src/base/sanitizer.h"
#include "src/base/share.h"
#include "src/base/test_support.h"

namespace chalk::train_testing {

namespace fs = std::filesystem;

inline std::string message(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

/// While it lives, all work is worth sharing among threads, even that of these small networks. Not under
/// AddressSanitizer, where they wait for one another on one core.
class AllIsShared {
 public:
  AllIsShared() {
    if (!CHALK_ASAN) least_share = 1;
  }
  AllIsShared(const AllIsShared&) = delete;
  AllIsShared& operator=(const AllIsShared&) = delete;
  ~AllIsShared() { least_share = before_; }

 private:
  std::int64_t before_ = least_share;
};

inline const Split& data() {
  static const Split split = digits();
  return split;
}

/// The first 390 of the digits that are there to be trained on, for what need not learn: a run of the step's every part
/// in a quarter of the time. Eight steps of quick(), the last of which has 40 samples.
inline const Dataset& few() {
  static const Dataset some = [] {
    Dataset first = data().train;
    first.labels.resize(390);
    first.bytes.resize(390 * static_cast<std::size_t>(elements(first.sample)));
    return first;
  }();
  return some;
}

inline constexpr const char* kNet = "6c3-relu-mp2-20n-relu-10n";

inline Network fresh(std::uint64_t seed = 1) {
  Network net = network(kNet, data().train.sample);
  net.initialize(seed);
  return net;
}

inline TrainOptions quick() {
  return {.epochs = 3, .batch = 50, .optimizer = sgd({.lr = 0.05, .momentum = 0.9}), .threads = 2};
}

inline std::map<std::string, std::vector<float>> all_variables(const Network& net) {
  std::map<std::string, std::vector<float>> all;
  for (const auto& [name, tensor] : net.variables().all()) all[name] = {tensor.values().begin(), tensor.values().end()};
  return all;
}

inline std::string trained_sha(TrainOptions options, const Dataset& samples = data().train) {
  Network net = fresh();
  train(net, samples, options);
  return net.weights_sha256();
}

inline fs::path temporary(const std::string& name) {
  static const testing_support::Folder folder;  // of this process: tests may run at once
  return folder / name;
}

}  // namespace chalk::train_testing
