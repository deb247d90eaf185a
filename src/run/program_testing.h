// What the tests of programs share: data for a graph with the inputs "x" and "t", and runs on it.
#pragma once

#include <cstdint>
#include <cstring>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "chalkgrad/program.h"
#include "src/base/random.h"
#include "src/base/share.h"

namespace chalk {

/// As if all work were worth sharing among threads, even that of these small graphs.
inline const std::int64_t all_is_shared = least_share = 1;

inline std::vector<float> noise(std::size_t count, std::uint64_t stream) {
  Random random(42, stream);
  std::vector<float> values(count);
  for (auto& value : values) value = static_cast<float>(2 * random.uniform() - 1);
  return values;
}

/// Random samples of 2×9×8 and labels of four classes, for the inputs "x" and "t".
class Data {
 public:
  explicit Data(std::size_t samples) : x(noise(samples * 144, 1)), labels(samples) {
    for (std::size_t i = 0; i < samples; ++i) labels[i] = static_cast<std::int32_t>(i * 7 % 4);
  }
  void feed(Program& program) const {
    program.feed("x", {.values = x.data()});
    program.feed("t", {.labels = labels.data()});
  }
  std::vector<float> x;
  std::vector<std::int32_t> labels;
};

/// The outputs of a run.
inline std::map<std::string, std::vector<float>> run(const Graph& g, Variables& variables, const Data& data,
                                                     const CompileOptions& options,
                                                     const std::vector<std::uint32_t>* rows = nullptr) {
  Program program(g, variables, options);
  data.feed(program);
  program.run(rows ? rows->size() : data.labels.size(), rows ? rows->data() : nullptr);
  std::map<std::string, std::vector<float>> found;
  for (const auto& [name, id] : g.outputs()) {
    const auto values = program.output(name);
    found[name] = {values.begin(), values.end()};
  }
  return found;
}

inline bool same_bits(std::span<const float> a, std::span<const float> b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
}

}  // namespace chalk
