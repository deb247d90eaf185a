#include "src/train/sample_stream.h"

#include <gmock/gmock.h>

#include <array>
#include <atomic>
#include <chrono>
#include <thread>

#include "chalkgrad/train.h"
#include "src/train/train_testing.h"

namespace chalk {
namespace {

using namespace train_testing;

/// Pictures in memory that are as if they were elsewhere.
class Elsewhere : public PictureStore {
 public:
  explicit Elsewhere(const Dataset& data) : pictures_(data.bytes), each_(elements(data.sample)) {}
  void read(std::uint32_t picture, std::uint8_t* to) const override {
    if (picture == gone && reads++ >= gone_after) throw InputError(file(picture) + ": cannot be opened");
    if (delay.count() > 0) std::this_thread::sleep_for(delay);
    std::copy_n(pictures_.begin() + picture * each_, each_, to);
  }
  std::string file(std::uint32_t picture) const override { return "digits/" + std::to_string(picture) + ".png"; }

  std::uint32_t gone = 1 << 30;        // its file vanishes
  int gone_after = 0;                  // so many reads
  std::chrono::microseconds delay{0};  // of each read
  mutable std::atomic<int> reads{0};

 private:
  std::vector<std::uint8_t> pictures_;
  std::ptrdiff_t each_;
};

/// 431 of the digits.
const Dataset& pictures() {
  static const Dataset some = hold_out(data().train, 0.3).test;
  return some;
}

/// The same data, not in memory.
Dataset streamed(const Dataset& data, const std::shared_ptr<Elsewhere>& store) {
  Dataset result = data;
  result.bytes.clear();
  result.store = store;
  for (std::uint32_t i = 0; i < data.size(); ++i) result.places.push_back(i);
  return result;
}

Dataset streamed(const Dataset& data) { return streamed(data, std::make_shared<Elsewhere>(data)); }

std::string sha(const Dataset& set, const TrainOptions& options) {
  Network net = fresh();
  train(net, set, options);
  return net.weights_sha256();
}

TEST(SampleStream, TrainsToTheSameWeightsAsDataInMemory) {
  for (const char* augment : {"none", "flip,shift:1", "shift:1,mixup:0.4"}) {
    auto options = quick();
    options.epochs = 2;
    options.augment = Augmentations::parse(augment);
    const auto expected = sha(pictures(), options);
    const auto elsewhere = streamed(pictures());
    for (const int threads : {1, 2, 3, 4}) {
      options.threads = threads;
      EXPECT_EQ(sha(elsewhere, options), expected) << augment << " on " << threads << " threads";
    }
  }
}

TEST(SampleStream, TrainsToTheSameWeightsWithBatchesBeyondItsRoom) {
  auto options = quick();
  options.epochs = 2;
  options.batch = 1000;
  EXPECT_EQ(sha(streamed(pictures()), options), sha(pictures(), options));
  options.batch = 17;
  EXPECT_EQ(sha(streamed(pictures()), options), sha(pictures(), options));
}

TEST(SampleStream, GoesOnWhereARunWasStoppedToTheSameWeights) {
  const auto elsewhere = streamed(pictures());
  const auto file = temporary("stream.safetensors");
  auto begun = quick();
  begun.augment = Augmentations::parse("shift:1");
  const auto expected = sha(pictures(), begun);
  for (const std::int64_t stop_after : {1, 9, 14, 18}) {  // of 9 steps an epoch
    auto options = begun;
    options.checkpoint = file;
    std::stop_source stop;
    options.stop = stop.get_token();
    options.on_step = [&](const Progress& now) {
      if (now.step == stop_after) stop.request_stop();
    };
    Network net = fresh();
    EXPECT_TRUE(train(net, elsewhere, options).stopped);
    auto again = Network::load(file);
    options.stop = {};
    options.on_step = nullptr;
    train(again, elsewhere, options);
    EXPECT_EQ(again.weights_sha256(), expected) << "stopped after step " << stop_after;
    auto in_memory = Network::load(file);  // which is finished; its data are the same ones
    EXPECT_EQ(in_memory.training->digest, pictures().digest());
  }
}

TEST(SampleStream, IsDividedMeasuredAndJudgedLikeDataInMemory) {
  const auto elsewhere = streamed(pictures());
  EXPECT_EQ(elsewhere.digest(), pictures().digest());
  elsewhere.check();
  const auto parts = hold_out(elsewhere, 0.2), expected = hold_out(pictures(), 0.2);
  EXPECT_EQ(parts.train.digest(), expected.train.digest());
  EXPECT_EQ(parts.test.digest(), expected.test.digest());
  EXPECT_EQ(parts.test.file(3), "digits/" + std::to_string(parts.test.places[3]) + ".png");
  const std::vector<std::string> names{"7", "2"};
  EXPECT_EQ(select_classes(elsewhere, names).digest(), select_classes(pictures(), names).digest());
  auto options = quick();
  options.validation = &expected.test;
  const auto weights = sha(expected.train, options);
  options.validation = &parts.test;
  EXPECT_EQ(sha(parts.train, options), weights);

  Network one = fresh(1), two = fresh(2);
  const std::array<Network*, 2> both{&one, &two};
  EXPECT_EQ(evaluate(one, elsewhere, 2).loss, evaluate(one, pictures(), 2).loss);
  EXPECT_EQ(evaluate(both, elsewhere, 2, {}).loss, evaluate(both, pictures(), 2, {}).loss);
}

TEST(SampleStream, FindsTheLayerAndTheSampleWhereNumbersStopBeingFinite) {
  auto options = quick();
  options.augment = Augmentations::parse("shift:1");
  options.optimizer = sgd({.lr = 1e30});
  Network net = fresh();
  const auto expected = message([&] { train(net, pictures(), options); });
  EXPECT_THAT(expected, testing::HasSubstr("step "));
  Network other = fresh();
  EXPECT_EQ(message([&] { train(other, streamed(pictures()), options); }), expected);
}

TEST(SampleStream, NamesAFileThatVanishesAndLeavesACheckpoint) {
  const auto store = std::make_shared<Elsewhere>(pictures());
  store->gone = 100;
  store->gone_after = 2;  // for its digest, and the first epoch
  const auto elsewhere = streamed(pictures(), store);
  auto options = quick();
  options.checkpoint = temporary("vanished.safetensors");
  Network net = fresh();
  EXPECT_EQ(message([&] { train(net, elsewhere, options); }), "digits/100.png: cannot be opened");
  auto saved = Network::load(options.checkpoint);
  EXPECT_TRUE(saved.training->unfinished());
  EXPECT_GE(saved.training->step, 9);
  train(saved, pictures(), options);  // it is there again
  EXPECT_EQ(saved.weights_sha256(), sha(pictures(), quick()));
}

TEST(SampleStream, ReplacesAFileThatVanishesByTheNextOneWithItsTarget) {
  for (const std::uint32_t gone : {100U, 430U}) {  // the last is followed by the first
    Dataset replaced = pictures();
    const auto each = static_cast<std::size_t>(elements(replaced.sample)), next = (gone + 1U) % replaced.size();
    std::copy_n(&pictures().bytes[next * each], each, &replaced.bytes[gone * each]);
    replaced.labels[gone] = replaced.labels[next];
    ASSERT_NE(replaced.labels[gone], pictures().labels[gone]);
    for (const int threads : {1, 3}) {
      const auto store = std::make_shared<Elsewhere>(pictures());
      store->gone = gone;
      store->gone_after = 1;  // for its digest
      const auto elsewhere = streamed(pictures(), store);
      auto options = quick();
      options.threads = threads;
      options.skip_bad = true;
      std::vector<std::string> told;
      options.on_replaced = [&](const std::string& why) { told.push_back(why); };
      Network net = fresh();
      const auto result = train(net, elsewhere, options);
      EXPECT_EQ(net.weights_sha256(), sha(replaced, quick()));
      EXPECT_EQ(result.last.replaced, 1);
      EXPECT_THAT(told, testing::ElementsAre("digits/" + std::to_string(gone) + ".png: cannot be opened"));
    }
  }
}

TEST(SampleStream, SaysHowLongStepsWaited) {
  auto options = quick();
  Network net = fresh();
  const auto streamed_run = train(net, streamed(pictures()), options).last;
  EXPECT_GT(streamed_run.step_seconds, 0);
  EXPECT_LE(streamed_run.step_seconds, streamed_run.seconds);
  EXPECT_GE(streamed_run.waited_seconds, 0);
  EXPECT_LE(streamed_run.waited_seconds, streamed_run.step_seconds);
  Network other = fresh();
  EXPECT_EQ(train(other, pictures(), options).last.waited_seconds, 0);

  const auto store = std::make_shared<Elsewhere>(pictures());
  const auto elsewhere = streamed(pictures(), store);
  options.epochs = 1;
  double waited = 0;  // nothing, where steps take longer than reading ahead of them, as they may on a busy machine
  for (store->delay = std::chrono::microseconds(300); waited == 0 && store->delay.count() < 20'000; store->delay *= 4) {
    Network third = fresh();
    const auto slow_run = train(third, elsewhere, options).last;
    waited = slow_run.waited_seconds;
    EXPECT_LE(waited, slow_run.step_seconds);
  }
  EXPECT_GT(waited, 0);
}

TEST(SampleStream, SaysWhenNoSampleIsLeft) {
  TrainOptions options{.epochs = 1, .batch = 2};
  options.skip_bad = true;
  SampleStream stream({.sample = 1, .samples = 3}, options, 0, 0,
                      [](std::uint32_t row, auto, auto*) { throw InputError(std::to_string(row) + ".png: is gone"); });
  std::uint8_t to = 0;
  EXPECT_EQ(message([&] { stream.read(1, 5, &to); }), "none of the samples can be read any more");
  EXPECT_THAT(stream.take_replaced(), testing::ElementsAre("1.png: is gone", "2.png: is gone", "0.png: is gone"));
}

}  // namespace
}  // namespace chalk
