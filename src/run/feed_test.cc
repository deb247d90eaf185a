// Samples that are fetched while a program runs are as good as samples in memory.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <functional>
#include <map>
#include <mutex>
#include <numeric>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "chalkgrad/differentiate.h"
#include "chalkgrad/error.h"
#include "chalkgrad/layers.h"
#include "chalkgrad/losses.h"
#include "chalkgrad/program.h"
#include "src/base/random.h"
#include "src/passes/passes.h"

namespace chalk {
namespace {

constexpr std::size_t kFeedSamples = 300, kFeedPixels = 2 * 6 * 5, kFeedClasses = 4;

/// Outputs y, the mean loss and its gradients, and takes a step against them.
Graph trained(Graph g, const Value& y) {
  g = training_form(g);
  g.clear_outputs();
  const Value out = g.value(y.id()), loss = batch_mean(cross_entropy(out, g.input("t", {kFeedClasses}, true)));
  g.output("y", out);
  g.output("loss", loss);
  const auto parameters = g.parameters();
  const auto d = gradients(loss, parameters);
  for (std::size_t i = 0; i < d.size(); ++i) {
    g.output("d " + parameters[i].name(), d[i]);
    g.update(parameters[i], parameters[i] - g.constant(0.1) * d[i]);
  }
  return g;
}

Graph convolutions() {
  Graph g;
  g.layer("conv1");
  Value v = max_pool(relu(conv_layer(g.input("x", {2, 6, 5}), {.filters = 5})));
  g.layer("dense1");
  v = dense_layer(v, {.outputs = kFeedClasses});
  return trained(std::move(g), v);
}

/// The samples are read in several phases: by the convolution, by its gradient and where the batch is normalised.
Graph coupled() {
  Graph g;
  const Value x = g.input("x", {2, 6, 5});
  g.layer("bn1");
  Value v = batch_norm_layer(x);
  g.layer("conv1");
  v = conv_layer(v + x, {.filters = 3});
  g.layer("bn2");
  v = relu(batch_norm_layer(v));
  g.layer("dense1");
  v = dense_layer(v, {.outputs = kFeedClasses});
  return trained(std::move(g), v);
}

/// The samples are read as rows, too.
Graph dense_over_the_batch() {
  Graph g;
  const Value x = g.input("x", {2, 6, 5});
  g.layer("dense1");
  Value v = relu(dense_layer(x, {.outputs = 2200}));
  g.layer("dense2");
  v = dense_layer(v, {.outputs = kFeedClasses});
  return trained(std::move(g), v);
}

struct FeedData {
  FeedData() : values(kFeedSamples * kFeedPixels), bytes(kFeedSamples * kFeedPixels), labels(kFeedSamples) {
    Random random(3, 1);
    for (auto& value : values) value = static_cast<float>(2 * random.uniform() - 1);
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random.below(256));
    for (auto& label : labels) label = static_cast<std::int32_t>(random.below(kFeedClasses));
  }
  std::vector<float> values;
  std::vector<std::uint8_t> bytes;
  std::vector<std::int32_t> labels;
  const std::vector<float> scale{1 / 128.0F, 1 / 100.0F}, shift{-1, -0.5F};
};
const FeedData kData;

/// Fetches what is in memory.
template <class T>
Fetch<T> copies_of(const std::vector<T>& all) {
  return [&all, size = all.size() / kFeedSamples](std::span<const std::uint32_t> rows, std::uint64_t, std::span<T> to) {
    EXPECT_EQ(to.size(), rows.size() * size);
    for (std::size_t n = 0; n < rows.size(); ++n) std::copy_n(&all[rows[n] * size], size, &to[n * size]);
  };
}

Feed bytes_in_memory() {
  return {.bytes = kData.bytes.data(), .scale = kData.scale.data(), .shift = kData.shift.data()};
}
Feed fetched_bytes() {
  return {.scale = kData.scale.data(), .shift = kData.shift.data(), .fetch_bytes = copies_of(kData.bytes)};
}

using Results = std::map<std::string, std::vector<float>>;

Results results_of(const Graph& g, const Program& program, const Variables& variables) {
  Results found;
  for (const auto& [name, id] : g.outputs()) found[name] = {program.output(name).begin(), program.output(name).end()};
  for (const auto& [name, tensor] : variables.all()) found[name] = {tensor.values().begin(), tensor.values().end()};
  return found;
}

/// What two steps, on 53 and on 40 samples, leave.
Results after_steps(const Graph& g, const Feed& x, const Feed& t, int threads) {
  Variables variables(g, 3);
  Program program(g, variables, {.threads = threads});
  program.feed("x", x);
  program.feed("t", t);
  std::vector<std::uint32_t> rows(93);
  for (std::uint32_t i = 0; i < rows.size(); ++i) rows[i] = i * 7 % kFeedSamples;
  program.run(53, rows.data());
  program.run(40, rows.data() + 53);
  return results_of(g, program, std::as_const(variables));
}

void expect_same_bits(const Results& a, const Results& b) {
  for (const auto& [name, values] : a) {
    const auto& others = b.at(name);
    EXPECT_TRUE(values.size() == others.size() &&
                std::memcmp(values.data(), others.data(), values.size() * sizeof(float)) == 0)
        << name;
  }
}

struct FeedCase {
  const char* name;
  Graph (*build)();
};
class FetchedSamples : public testing::TestWithParam<FeedCase> {};

TEST_P(FetchedSamples, GiveTheBitsOfSamplesInMemoryOnAnyNumberOfThreads) {
  const Graph g = GetParam().build();
  const Feed labels{.labels = kData.labels.data()}, fetched_labels{.fetch_labels = copies_of(kData.labels)};
  const auto of_values = after_steps(g, {.values = kData.values.data()}, labels, 1);
  const auto of_bytes = after_steps(g, bytes_in_memory(), labels, 1);
  for (const int threads : {1, 2, 3, 4, 9}) {
    SCOPED_TRACE(threads);
    expect_same_bits(after_steps(g, {.fetch_values = copies_of(kData.values)}, fetched_labels, threads), of_values);
    expect_same_bits(after_steps(g, fetched_bytes(), labels, threads), of_bytes);
  }
}

TEST_P(FetchedSamples, AreFetchedOnceARun) {
  const Graph g = GetParam().build();
  Variables variables(g, 3);
  Program program(g, variables, {.threads = 3, .profile = true});
  std::mutex mutex;
  std::map<std::uint32_t, int> times;
  std::uint64_t expected_position = 0;
  program.feed("x",
               {.fetch_values = [&](std::span<const std::uint32_t> rows, std::uint64_t position, std::span<float> to) {
                 std::fill(to.begin(), to.end(), 0.5F);
                 const std::lock_guard lock(mutex);
                 EXPECT_TRUE(rows.size() >= 1 && rows.size() <= 16) << rows.size();
                 EXPECT_EQ(position, expected_position);
                 for (const auto row : rows) ++times[row];
               }});
  program.feed("t", {.labels = kData.labels.data()});
  for (const std::uint64_t position : {std::uint64_t{0}, std::uint64_t{1} << 40}) {
    program.set_position(position);
    expected_position = position;
    times.clear();
    program.run(53);
    EXPECT_EQ(times.size(), 53U);
    for (const auto& [row, n] : times) EXPECT_EQ(n, 1) << row;
  }
  const auto profile = program.profile();
  const auto fetch =
      std::find_if(profile.begin(), profile.end(), [](const KernelTime& row) { return row.kernel == "fetch samples"; });
  ASSERT_NE(fetch, profile.end());
  EXPECT_EQ(fetch->calls, 2U * 4) << "four microbatches, twice";
}

struct NoSuchImage : std::runtime_error {
  using std::runtime_error::runtime_error;
};

TEST_P(FetchedSamples, ThatCannotBeFetchedEndTheRunWithWhatWasThrown) {
  const Graph g = GetParam().build();
  const Feed labels{.labels = kData.labels.data()};
  const auto sound = after_steps(g, {.values = kData.values.data()}, labels, 1);
  for (const int threads : {1, 2, 3, 4, 9}) {
    SCOPED_TRACE(threads);
    Variables variables(g, 3);
    const Variables& now = variables;
    Program program(g, variables, {.threads = threads});
    std::uint32_t missing = 0;
    const auto copy = copies_of(kData.values);
    program.feed(
        "x", {.fetch_values = [&](std::span<const std::uint32_t> rows, std::uint64_t position, std::span<float> to) {
          for (const auto row : rows) {
            if (row == missing) throw NoSuchImage("image " + std::to_string(row));
          }
          copy(rows, position, to);
        }});
    program.feed("t", labels);
    std::vector<std::uint32_t> rows(93);
    for (std::uint32_t i = 0; i < rows.size(); ++i) rows[i] = i * 7 % kFeedSamples;
    const Results before = results_of(Graph(), program, now);
    for (const std::uint32_t row : {rows[0], rows[20], rows[52]}) {
      missing = row;
      try {
        program.run(53, rows.data());
        ADD_FAILURE() << "nothing was thrown";
      } catch (const NoSuchImage& e) {
        EXPECT_EQ(e.what(), "image " + std::to_string(row));
      }
      expect_same_bits(results_of(Graph(), program, now), before);
    }
    missing = kFeedSamples;
    program.run(53, rows.data());
    program.run(40, rows.data() + 53);
    expect_same_bits(results_of(g, program, now), sound);
  }
}

INSTANTIATE_TEST_SUITE_P(Graphs, FetchedSamples,
                         testing::Values(FeedCase{"Convolutions", convolutions}, FeedCase{"Coupled", coupled},
                                         FeedCase{"DenseOverTheBatch", dense_over_the_batch}),
                         [](const auto& each) { return std::string(each.param.name); });

/// A prediction, in which a sample by itself runs by kernels of its own.
Graph prediction() {
  Graph g;
  g.layer("conv1");
  const Value v = max_pool(relu(conv_layer(g.input("x", {2, 6, 5}), {.filters = 5})));
  g.layer("dense1");
  g.output("y", dense_layer(v, {.outputs = kFeedClasses}));
  return g;
}

TEST(FetchedSamples, OneByOneGiveTheBitsOfABatch) {
  const Graph g = prediction();
  Variables variables(g, 3);
  for (const bool bytes : {false, true}) {
    Program program(g, variables, {.threads = 2});
    program.feed("x", bytes ? fetched_bytes() : Feed{.fetch_values = copies_of(kData.values)});
    program.run(33);
    const std::vector<float> all(program.output("y").begin(), program.output("y").end());
    program.feed("x", bytes ? bytes_in_memory() : Feed{.values = kData.values.data()});
    program.run(33);
    EXPECT_TRUE(std::equal(all.begin(), all.end(), program.output("y").begin())) << "from memory";
    program.feed("x", bytes ? fetched_bytes() : Feed{.fetch_values = copies_of(kData.values)});
    for (std::uint32_t row = 0; row < 33; ++row) {
      program.run(1, &row);
      EXPECT_TRUE(std::equal(program.output("y").begin(), program.output("y").end(), all.begin() + row * kFeedClasses));
    }
  }
}

TEST(FetchedSamples, TakeMemoryThatTheProgramCounts) {
  const auto kept = [&](const Graph& g, const Feed& x) {
    Variables variables(g, 3);
    Program program(g, variables, {.threads = 2});
    program.feed("x", x);
    const auto use = program.memory();
    return std::pair(use.activations, use.kept);
  };
  const Graph once = convolutions(), often = coupled();
  const Feed in_memory = bytes_in_memory(), fetched = fetched_bytes();
  EXPECT_EQ(kept(once, fetched).first, kept(once, in_memory).first + 16 * kFeedPixels);
  EXPECT_EQ(kept(once, fetched).second, kept(once, in_memory).second);
  EXPECT_EQ(kept(often, fetched).first, kept(often, in_memory).first);
  EXPECT_EQ(kept(often, fetched).second, kept(often, in_memory).second + 16 * kFeedPixels);
}

TEST(FetchedSamples, ThatNothingReadsAreNotFetched) {
  Graph g;
  const Value x = g.input("x", {3}), unread = g.input("unread", {3});
  g.output("y", x + x);
  EXPECT_TRUE(unread.batched());
  Variables variables;
  Program program(g, variables);
  const std::vector<float> values{1, 2, 3};
  program.feed("x", {.values = values.data()});
  program.feed("unread", {.fetch_values = [](auto, auto, auto) { FAIL() << "fetched"; }});
  program.run(1);
  EXPECT_EQ(program.output("y")[2], 6);
}

TEST(Feed, IsOfOneKind) {
  const Graph g = prediction();
  Variables variables(g, 3);
  Program program(g, variables);
  const auto message = [&](const Feed& feed) {
    try {
      program.feed("x", feed);
    } catch (const InputError& e) {
      return std::string(e.what());
    }
    return std::string("no error");
  };
  EXPECT_EQ(message({.values = kData.values.data(), .fetch_values = copies_of(kData.values)}),
            "feed of \"x\": give exactly one of values, bytes and labels, or a function to fetch them");
  EXPECT_EQ(message({.fetch_bytes = copies_of(kData.bytes)}),
            "feed of \"x\": bytes need scale and shift, one a channel");
}

}  // namespace
}  // namespace chalk
