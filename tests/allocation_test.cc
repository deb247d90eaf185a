// A training step, or a prediction, allocates nothing: everything was booked when the program was made. And where there
// is no memory, that is an exception.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <functional>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "chalkgrad/chalkgrad.h"
#include "src/base/sanitizer.h"
#include "src/passes/passes.h"

namespace {
std::atomic<long> allocations{0};
std::atomic<long> most{-1};  // beyond which they are refused; below 0: none is

[[maybe_unused]] bool refused() {
  return allocations.fetch_add(1, std::memory_order_relaxed) >= most.load() && most.load() >= 0;
}
}  // namespace

// Counting replacements of the global operators; the sanitizers bring their own. They stay functions: where g++ 12
// inlines one of a pair, it warns of a mismatch of new and free.
#if !CHALK_ASAN && !CHALK_TSAN
#define COUNTED 1
void* operator new(std::size_t size) {
  if (void* p = refused() ? nullptr : std::malloc(size)) return p;
  throw std::bad_alloc();
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  const auto a = static_cast<std::size_t>(alignment);
  if (void* p = refused() ? nullptr : std::aligned_alloc(a, (size + a - 1) / a * a)) return p;
  throw std::bad_alloc();
}
#ifdef __GLIBC__  // what the C library needs for a thread comes from here
extern "C" void* calloc_of_libc(std::size_t count, std::size_t size) __asm__("__libc_calloc");
extern "C" void* calloc(std::size_t count, std::size_t size) {
  return refused() ? nullptr : calloc_of_libc(count, size);
}
#endif
[[gnu::noinline]] void operator delete(void* p) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }
#endif

namespace chalk {
namespace {

constexpr const char* kSmall = "8c3-relu-mp2-32n-relu-10n";

/// The most that a step of training allocates, but for the first.
long most_of_a_step(const Dataset& data, const char* text, TrainOptions options) {
  Network net = network(text, data.sample);
  long after_first = -1, worst = 0, last = 0;
  options.batch = 50;
  options.threads = 2;
  options.on_step = [&](const Progress& progress) {
    const long now = allocations.load();
    const bool epoch_begins = progress.samples == options.batch;  // the end of an epoch writes a checkpoint
    if (after_first >= 0 && !epoch_begins) worst = std::max(worst, now - last);
    after_first = last = allocations.load();
  };
  train(net, data, options);
  return worst;
}

TEST(TrainingStep, AllocatesNothing) {
#ifndef COUNTED
  GTEST_SKIP() << "SKIPPED: a sanitizer replaces the allocator";
#endif
  const Split data = digits();
  for (const char* text : {"8c3-relu-mp2-32n-relu-10n", "6c3z-tanh-ap2-8c3-sigmoid-mp2-10n-softmax",
                           "network = \"6c3z-relu-gap-10n\"\n[[output]]\nfrom = \"dense1\"\n[[output]]\nfrom = "
                           "\"dense1\"\nname = \"again\"\nloss = \"focal\"\nweight = 0.5\n"})
    EXPECT_EQ(most_of_a_step(data.train, text, {.epochs = 2}), 0) << text;
}

TEST(TrainingStep, OfAnyOptimizerAllocatesNothing) {
#ifndef COUNTED
  GTEST_SKIP() << "SKIPPED: a sanitizer replaces the allocator";
#endif
  const Split data = digits();
  for (const auto name : Optimizer::names())
    EXPECT_EQ(most_of_a_step(data.train, kSmall, {.epochs = 1, .optimizer = Optimizer::named(name)}), 0) << name;
}

TEST(TrainingStep, OfPicturesAugmentedInEveryWayAllocatesNothing) {
#ifndef COUNTED
  GTEST_SKIP() << "SKIPPED: a sanitizer replaces the allocator";
#endif
  Dataset data = digits().train;  // each three times, as red, green and blue
  const auto bytes = std::exchange(data.bytes, {});
  for (std::size_t i = 0; i < bytes.size(); i += 64) {
    for (int c = 0; c < 3; ++c) data.bytes.insert(data.bytes.end(), &bytes[i], &bytes[i] + 64);
  }
  data.sample = {3, 8, 8};
  data.scale.resize(3, data.scale[0]);
  data.shift.resize(3, data.shift[0]);
  const auto augment = Augmentations::parse(
      "flip,vflip,alternating-flip,shift:2,border=reflect,cutout:3,fill=noise,erase:1,rotate:20,scale,shear:20,"
      "resized-crop,brightness:0.4,contrast:0.4,saturation:0.4,hue:0.1,grey,noise,blur,"
      "randaugment,trivialaugment,mixup:0.4,p=0.5,cutmix");
  EXPECT_EQ(augment.list().size(), Augmentations::names().size());
  EXPECT_EQ(most_of_a_step(data, "8c3-relu-mp2-10n", {.epochs = 2, .augment = augment}), 0);
}

/// Pictures that are copied when they are needed.
class Copies : public PictureStore {
 public:
  explicit Copies(std::vector<std::uint8_t> bytes) : bytes_(std::move(bytes)) {}
  void read(std::uint32_t picture, std::uint8_t* to) const override { std::copy_n(&bytes_[picture * 64], 64, to); }
  std::string file(std::uint32_t) const override { return {}; }

 private:
  std::vector<std::uint8_t> bytes_;
};

TEST(TrainingStep, OfSamplesMadeInTheBackgroundAllocatesNothing) {
#ifndef COUNTED
  GTEST_SKIP() << "SKIPPED: a sanitizer replaces the allocator";
#endif
  Dataset data = digits().train;
  data.store = std::make_shared<Copies>(std::exchange(data.bytes, {}));
  for (std::uint32_t i = 0; i < data.size(); ++i) data.places.push_back(i);
  for (const bool skip_bad : {false, true}) {
    const TrainOptions options{.epochs = 3, .augment = Augmentations::parse("shift:1,mixup:0.4"), .skip_bad = skip_bad};
    EXPECT_EQ(most_of_a_step(data, kSmall, options), 0);
  }
}

TEST(TrainingStep, ThatAveragesWeightsAllocatesNothing) {
#ifndef COUNTED
  GTEST_SKIP() << "SKIPPED: a sanitizer replaces the allocator";
#endif
  const Split data = digits();
  for (const char* text : {"ema:0.9", "ema:0.9,from=1", "swa:0", "swa:1"}) {
    const auto average = Average::parse(text);
    EXPECT_EQ(most_of_a_step(data.train, kSmall, {.epochs = 2, .average = average}), 0) << text;
  }
  EXPECT_EQ(most_of_a_step(data.train, "8c3-bn-relu-mp2-10n", {.epochs = 2, .average = Ema{}}), 0);
  EXPECT_EQ(most_of_a_step(data.train, kSmall, {.epochs = 1, .lookahead = {.steps = 5}}), 0);
  const OneCycleCosine cycle{.momentum_low = 0.85, .momentum_high = 0.95};
  EXPECT_EQ(most_of_a_step(data.train, kSmall, {.epochs = 1, .optimizer = NAdam{}, .schedule = cycle}), 0);
}

// The end of an epoch may allocate (names of classes, a table of confusions), but what measures it is compiled before
// the first step, which takes thousands of allocations.
TEST(TrainingStep, ThatEndsAnEpochWithValidationAndMeasuresStatisticsCompilesNothing) {
#ifndef COUNTED
  GTEST_SKIP() << "SKIPPED: a sanitizer replaces the allocator";
#endif
  const Split data = digits();
  Network net = network("8c3-bn-relu-mp2-32n-relu-10n", data.train.sample);
  const TrainOptions options{.epochs = 3,
                             .batch = static_cast<std::int64_t>(data.train.size()),
                             .average = Swa{},
                             .threads = 2,
                             .validation = &data.test,
                             .keep_last = true};
  Trainer trainer(net, data.train, options);
  trainer.step();
  const long before = allocations.load();
  trainer.step();
  EXPECT_LT(allocations.load() - before, 100);
}

TEST(Prediction, OfOneSampleAllocatesNothing) {
#ifndef COUNTED
  GTEST_SKIP() << "SKIPPED: a sanitizer replaces the allocator";
#endif
  for (const char* text :
       {"20c3-relu-mp2-32c3z-relu-mp2s1-32n-relu-10n-softmax", "6c3z-tanh-ap2-8c3s2g2-sigmoid-10n"}) {
    const Split data = digits();
    Network net = network(text, data.train.sample);
    Program program(net.graph(), net.variables());
    program.feed("x",
                 {.bytes = data.test.bytes.data(), .scale = data.test.scale.data(), .shift = data.test.shift.data()});
    (void)net.variables().at("dense1.bias").values();  // compared from now on
    program.run(1);
    const long before = allocations.load();
    for (std::uint32_t row = 0; row < 20; ++row) program.run(1, &row);
    EXPECT_EQ(allocations.load(), before) << text;
  }
}

TEST(TrainingStep, OfFetchedSamplesWithNoiseAllocatesNothing) {
#ifndef COUNTED
  GTEST_SKIP() << "SKIPPED: a sanitizer replaces the allocator";
#endif
  const Split data = digits();
  const auto& all = data.train;
  const auto size = static_cast<std::size_t>(elements(all.sample));
  Graph forward;
  const Value x = forward.input("x", all.sample);
  forward.layer("bn");
  const Value v = batch_norm_layer(x) * forward.noise("noise", all.sample);
  forward.layer("dense");
  const NodeId y = dense_layer(v, {.outputs = 10}).id();
  Graph g = training_form(forward);  // which normalises by the batch, and so reads samples in several phases
  const Value loss = batch_mean(cross_entropy(g.value(y), g.input("t", {10}, true)));
  g.output("loss", loss);
  const auto parameters = g.parameters();
  const auto d = gradients(loss, parameters);
  for (std::size_t i = 0; i < d.size(); ++i) g.update(parameters[i], parameters[i] - g.constant(0.1) * d[i]);
  Variables variables(g, 1);
  Program program(g, variables, {.threads = 2});
  const auto fetch = [&](std::span<const std::uint32_t> rows, std::uint64_t, std::span<std::uint8_t> to) {
    for (std::size_t n = 0; n < rows.size(); ++n) std::copy_n(&all.bytes[rows[n] * size], size, &to[n * size]);
  };
  program.feed("x", {.scale = all.scale.data(), .shift = all.shift.data(), .fetch_bytes = fetch});
  program.feed("t", {.labels = all.labels.data()});
  program.run(50);
  const long before = allocations.load();
  for (std::uint64_t step = 1; step < 10; ++step) {
    program.set_position(step);
    program.run(50);
  }
  EXPECT_EQ(allocations.load(), before);
}

/// Does `work` with ever more memory, until there is enough; every time before, it throws.
void expect_exceptions_without_memory(const std::function<void()>& work) {
  long refusals = 0;
  for (long enough = 0;; enough += 1 + enough / 12) {
    most = allocations.load() + enough;
    try {
      work();
      most = -1;
      break;
    } catch (const std::bad_alloc&) {
      most = -1;
      ++refusals;
    }
  }
  EXPECT_GT(refusals, 10);
}

TEST(WantOfMemory, IsAnExceptionWhereverItComesAndHarmsNoParameter) {
#ifndef COUNTED
  GTEST_SKIP() << "SKIPPED: a sanitizer replaces the allocator";
#endif
  const Split data = digits();
  const Feed images{.bytes = data.test.bytes.data(), .scale = data.test.scale.data(), .shift = data.test.shift.data()};
  const auto fresh = [&] { return network("6c3-bn-relu-mp2-10n", data.train.sample); };
  Network net = fresh();
  const auto before = net.weights_sha256();
  std::size_t predicted = 0;
  expect_exceptions_without_memory([&] {
    Predictor predictor(net, true, 3);
    predicted = predictor(images, 40).size();
  });
  EXPECT_EQ(predicted, 400U);
  EXPECT_EQ(net.weights_sha256(), before);
  const TrainOptions options{.epochs = 1, .batch = 100, .threads = 3};
  const auto trained = [&] {
    Network some = fresh();
    train(some, data.train, options);
    return some.weights_sha256();
  };
  const auto expected = trained();
  std::string found;
  expect_exceptions_without_memory([&] { found = trained(); });
  EXPECT_EQ(found, expected);
  expect_exceptions_without_memory([&] { evaluate(net, data.test, 2); });
}

}  // namespace
}  // namespace chalk
