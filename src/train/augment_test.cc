// Training on augmented pictures: which pictures a step sees, and the same bits whatever happens.
#include <gtest/gtest.h>

#include <set>

#include "src/train/train_testing.h"

namespace chalk {
namespace {

using namespace train_testing;

constexpr const char* kList = "alternating-flip,shift:1,rotate:10,cutout:2,brightness:0.2,noise:0.05";

TrainOptions augmented_run(const char* list = kList) {
  auto options = quick();
  options.augment = Augmentations::parse(list);
  return options;
}

TEST(AugmentedTraining, SeesThePicturesOfEachEpoch) {
  const auto options = augmented_run();
  Dataset shown = data().train;  // augmented beforehand, for a run that knows of no augmentation
  const auto show = [&](std::int64_t epoch) {
    shown.bytes = augmented(data().train, options.augment, options.seed, epoch).bytes;
  };
  show(0);
  auto plain = quick();
  plain.on_epoch = [&](const Progress& p) {
    const auto* before = shown.bytes.data();
    const auto next = augmented(data().train, options.augment, options.seed, p.epoch + 1).bytes;
    std::copy(next.begin(), next.end(), shown.bytes.begin());
    ASSERT_EQ(shown.bytes.data(), before);
  };
  Network expected = fresh();
  train(expected, shown, plain);
  EXPECT_EQ(trained_sha(options), expected.weights_sha256());
}

TEST(AugmentedTraining, SeesMixedTargetsWithMixedPictures) {
  auto options = augmented_run("shift:1,mixup:0.4,p=0.5,cutmix");
  options.epochs = 1;
  auto plain = quick();
  plain.epochs = 1;
  Network net = fresh(), expected = fresh();
  double accuracy = 0;
  options.on_epoch = [&](const Progress& p) { accuracy = p.accuracy; };
  train(net, data().train, options);
  train(expected, augmented(data().train, options.augment, options.seed, 0), plain);
  EXPECT_EQ(net.weights_sha256(), expected.weights_sha256());
  EXPECT_GT(accuracy, 0.12) << "the share of the targets that is found";
  EXPECT_LT(accuracy, 0.8);
}

TEST(AugmentedTraining, EndsInTheSameBitsOnAnyThreads) {
  std::set<std::string> found;
  for (const int threads : {1, 2, 3, 4}) {
    auto options = augmented_run();
    options.threads = threads;
    found.insert(trained_sha(options));
  }
  EXPECT_EQ(found.size(), 1U);
  EXPECT_NE(*found.begin(), trained_sha(quick()));
}

TEST(AugmentedTraining, GoesOnToTheSameBits) {
  const auto options = augmented_run();
  const auto expected = trained_sha(options);
  const auto file = temporary("augmented.safetensors");
  {
    Network net = fresh();
    Trainer trainer(net, data().train, options);
    for (int step = 0; step < 40; ++step) trainer.step();
    trainer.save(file);
  }
  Network net = Network::load(file);
  EXPECT_EQ(checkpoint_options(net).augment, options.augment);
  train(net, data().train, options);
  EXPECT_EQ(net.weights_sha256(), expected);
  Network other = Network::load(file);
  EXPECT_EQ(message([&] { train(other, data().train, augmented_run("flip")); }),
            "the checkpoint was trained with "
            "augment=\"alternating-flip,shift:1,rotate:10,cutout:2,brightness:0.2,noise:0.05\", not \"flip\"; resume "
            "with the options it was started with, or reset Network::training to begin a new run from its weights");
  fs::remove(file);
}

TEST(AugmentedTraining, JudgesEpochsOnPicturesAsTheyAre) {
  auto options = augmented_run("erase:1,least=0.9,most=1,ratio_least=1,ratio_most=1,brightness:1");
  options.validation = &data().test;
  Network net = fresh();
  double judged = 0;
  options.keep_last = true;
  options.on_epoch = [&](const Progress& p) { judged = p.validation_loss.value(); };
  train(net, data().train, options);
  EXPECT_EQ(judged, evaluate(net, data().test).loss);
}

TEST(AugmentedTraining, RefusesListsThatDoNotFitTheData) {
  const auto refused = [](const char* list) {
    return message([&] {
      Network net = fresh();
      train(net, data().train, augmented_run(list));
    });
  };
  EXPECT_EQ(refused("cutout:9"),
            "augmentation \"cutout:9\": SIDE is 9; it must be at most the smaller side of the pictures, 8");
  EXPECT_EQ(
      message([] {
        Network net = fresh();
        auto options = augmented_run("flip,mixup:0.2");
        options.loss = Loss::multi_class_margin;
        train(net, data().train, options);
      }),
      "augmentations \"flip,mixup\" mix the targets of samples, and multi-class-margin needs a label for each sample; "
      "train with the loss cross-entropy");
  EXPECT_EQ(refused("grey"),
            "augmentation \"grey\": it takes pictures of 3 channels, red, green and blue, and those of \"digits\" have "
            "1; leave it out");
}

}  // namespace
}  // namespace chalk
