// Training and predicting in somebody's process, which may fork, train twice at once, and ask all to stop.
#include <atomic>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <thread>

#include "chalkgrad/benchmark.h"
#include "src/base/test_support.h"
#include "src/train/train_testing.h"

namespace chalk {
namespace {

using namespace train_testing;
using testing_support::in_child;
using testing_support::kMayForkWithThreads;

Feed test_images() {
  const auto& test = data().test;
  return {.bytes = test.bytes.data(), .scale = test.scale.data(), .shift = test.shift.data()};
}

std::string predictions(Predictor& predictor, std::size_t count) {
  const auto values = predictor(test_images(), count);
  return {reinterpret_cast<const char*>(values.data()), values.size_bytes()};
}

TEST(ForkedPredictor, PredictsInTheChildWhateverWasPredictedBefore) {
  if (!kMayForkWithThreads) GTEST_SKIP() << "SKIPPED: ThreadSanitizer ends a forked process that starts threads";
  Network net = fresh();
  for (const std::size_t before : {std::size_t{0}, std::size_t{1}, std::size_t{300}}) {
    auto predictor = std::make_unique<Predictor>(net, true, 2);
    if (before > 0) predictions(*predictor, before);
    const auto in_a_child = in_child([&] { return predictions(*predictor, 1) + predictions(*predictor, 300); });
    EXPECT_EQ(in_child([&] {
                predictor.reset();
                return "destroyed";
              }),
              "destroyed");
    EXPECT_TRUE(in_a_child == predictions(*predictor, 1) + predictions(*predictor, 300)) << before;
  }
}

TEST(Predictor, GoesOnWhenTheNetworkIsInitialisedAnew) {
  Network net = fresh(1), other = fresh(2);
  Predictor predictor(net, true, 2), of_other(other, true, 2);
  predictions(predictor, 40);
  net.initialize(2);
  EXPECT_TRUE(predictions(predictor, 40) == predictions(of_other, 40));
}

TEST(Trainer, ThrowsWhenTheNetworkIsInitialisedAnew) {
  Network net = fresh();
  Trainer trainer(net, data().train, quick());
  trainer.step();
  net.initialize(1);
  EXPECT_THROW(trainer.step(), std::logic_error);
  EXPECT_EQ(message([&] { train(net, data().train, quick()); }), "no error");
  EXPECT_EQ(net.weights_sha256(), trained_sha(quick()));
}

TEST(Benchmark, RefusesToProfileNothing) {
  Benchmark benchmark(fresh(), {.training = false, .inference = false});
  EXPECT_EQ(message([&] { benchmark.profile(0.1); }),
            "nothing can be profiled: both training and inference are off; turn one on");
  benchmark = Benchmark(fresh(), {.batch = 3, .threads = 1, .inference = false, .profile = true});  // as advised
  EXPECT_GT(benchmark.profile(0.1).kernels.size(), 3U);
}

TEST(ForkedTrainer, TrainsOnInTheChildToTheSameBits) {
  if (!kMayForkWithThreads) GTEST_SKIP() << "SKIPPED: ThreadSanitizer ends a forked process that starts threads";
  const auto expected = trained_sha(quick());
  Network net = fresh();
  auto trainer = std::make_unique<Trainer>(net, data().train, quick());
  for (int i = 0; i < 30; ++i) trainer->step();
  const auto to_the_end = [&] {
    while (!trainer->done()) trainer->step();
    trainer.reset();
    evaluate(net, data().test, 2);
    return net.weights_sha256();
  };
  EXPECT_EQ(in_child(to_the_end), expected);
  EXPECT_EQ(to_the_end(), expected) << "in the parent";
}

/// Two trainings at once, each on a thread of its own, until both have ended.
struct TwoTrainings {
  std::stop_source stop[2];
  TrainResult result[2];
  std::atomic<int> ended{0};

  /// Calls act() when both are training.
  template <class Act>
  void run(Act act) {
    std::atomic<int> training{0};
    const auto start = [&](std::size_t i) {
      return std::thread([&, i] {
        Network net = fresh();
        auto options = quick();
        options.epochs = 1'000'000;
        options.threads = 1;
        options.stop = stop[i].get_token();
        options.on_step = [&](const Progress& now) { training += now.step == 1; };
        result[i] = train(net, data().train, options);
        ++ended;
      });
    };
    std::thread first = start(0), second = start(1);
    while (training < 2) std::this_thread::yield();
    act();
    first.join();
    second.join();
  }
};

TEST(TwoTrainings, AllStopWhenAllAreAskedTo) {
  TwoTrainings two;
  two.run([] { request_stop(); });
  EXPECT_TRUE(two.result[0].stopped);
  EXPECT_TRUE(two.result[1].stopped);
}

TEST(TwoTrainings, EachStopsByItsOwnToken) {
  TwoTrainings two;
  two.run([&] {
    two.stop[1].request_stop();
    while (two.ended == 0) std::this_thread::yield();
    EXPECT_TRUE(two.result[1].stopped);
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    EXPECT_EQ(two.ended, 1) << "the other one goes on";
    two.stop[0].request_stop();
  });
  EXPECT_TRUE(two.result[0].stopped);
}

TEST(TwoTrainings, AnEarlierRequestStopsNoLaterTraining) {
  request_stop();
  Network net = fresh();
  auto options = quick();
  options.epochs = 1;
  EXPECT_FALSE(train(net, data().train, options).stopped);
}

}  // namespace
}  // namespace chalk
