#include "chalkgrad/training_events.h"

#include <cmath>
#include <set>

#include "src/base/test_support.h"
#include "src/base/text.h"
#include "src/files/events_testing.h"
#include "src/train/train_testing.h"

namespace chalk::train_testing {
namespace {

using events_testing::EventFile;
using events_testing::field;
using events_testing::files_in;
using events_testing::read;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;
using testing_support::Folder;

/// Trains, and tells of it in that folder; after so many steps it is stopped.
void tell(Network& net, TrainOptions options, const fs::path& folder, std::int64_t stop_after = 1000) {
  TrainingEvents events(folder, net, data().train);
  std::stop_source stop;
  options.stop = stop.get_token();
  options.on_step = [&](const Progress& now) {
    events.step(now);
    if (now.step == stop_after) stop.request_stop();
  };
  options.on_epoch = [&](const Progress& now) { events.epoch(now); };
  train(net, data().train, options);
}

std::set<std::string> tags_of(const EventFile& file) {
  std::set<std::string> tags;
  for (const auto& one : file.told) tags.insert(one.tag);
  return tags;
}

TEST(TrainingEvents, TellWhatTheCallbacksAreToldAtTheSameSteps) {
  const Folder folder;
  Network net = fresh();
  TrainOptions options = quick();
  options.clip_norm = 1;
  const Split parts = hold_out(data().train, 0.1);
  options.validation = &parts.test;
  TrainingEvents events(folder.path(), net, parts.train);
  std::vector<Progress> steps, epochs;
  options.on_step = [&](const Progress& now) {
    steps.push_back(now);
    events.step(now);
  };
  options.on_epoch = [&](const Progress& now) {
    epochs.push_back(now);
    events.epoch(now);
  };
  train(net, parts.train, options);

  const auto files = files_in(folder.path());
  ASSERT_EQ(files.size(), 1U);
  const auto file = read(files[0]);
  EXPECT_THAT(file.starts, ElementsAre(1));
  EXPECT_THAT(tags_of(file),
              UnorderedElementsAre("run", "loss/step", "lr", "gradient_norm", "loss/train", "loss/validation",
                                   "accuracy/train", "accuracy/validation", "filters", "weights/conv1.weight",
                                   "weights/conv1.bias", "weights/dense1.weight", "weights/dense1.bias",
                                   "weights/dense2.weight", "weights/dense2.bias"));
  const auto expect = [&](const char* tag, const std::vector<Progress>& all, auto value) {
    const auto told = file.of(tag);
    ASSERT_EQ(told.size(), all.size()) << tag;
    for (std::size_t i = 0; i < all.size(); ++i) {
      EXPECT_EQ(told[i].step, all[i].step) << tag;
      EXPECT_EQ(told[i].scalar(), static_cast<float>(value(all[i]))) << tag;
    }
  };
  expect("loss/step", steps, [](const Progress& now) { return now.loss; });
  expect("lr", steps, [](const Progress& now) { return now.lr; });
  expect("gradient_norm", steps, [](const Progress& now) { return now.gradient_norm; });
  expect("loss/train", epochs, [](const Progress& now) { return now.mean_loss; });
  expect("accuracy/train", epochs, [](const Progress& now) { return now.accuracy; });
  expect("loss/validation", epochs, [](const Progress& now) { return *now.validation_loss; });
  expect("accuracy/validation", epochs, [](const Progress& now) { return *now.validation_accuracy; });
  EXPECT_EQ(file.of("filters").size(), epochs.size());
  EXPECT_EQ(file.of("weights/dense1.bias").size(), epochs.size());
}

TEST(TrainingEvents, HistogramsAreOfTheEpochsWeights) {
  const Folder folder;
  Network net = fresh();
  tell(net, quick(), folder.path());
  const auto values = std::as_const(net).variables().at("dense2.weight").values();
  const auto histogram = read(files_in(folder.path())[0]).of("weights/dense2.weight").back().histogram();
  EXPECT_EQ(field(histogram, 1).real(), static_cast<double>(std::ranges::min(values)));
  EXPECT_EQ(field(histogram, 2).real(), static_cast<double>(std::ranges::max(values)));
  EXPECT_EQ(field(histogram, 3).real(), static_cast<double>(values.size()));
}

TEST(TrainingEvents, RunIsDescribed) {
  const Folder folder;
  Network net = fresh();
  tell(net, quick(), folder.path(), 1);
  const auto run = read(files_in(folder.path())[0]).of("run");
  ASSERT_EQ(run.size(), 1U);
  EXPECT_THAT(run[0].text(), HasSubstr(str("| option | value |\n|---|---|\n| network | `", kNet,
                                           "` |\n| data | `digits, 1,438 samples` |\n"
                                           "| loss | `cross-entropy` |\n| epochs | `3` |\n")));
  EXPECT_THAT(run[0].text(), HasSubstr("| momentum | `0.9` |\n"));
}

TEST(TrainingEvents, ATomlNetworkIsShownAsItIs) {
  const Folder folder;
  const std::string toml = "[[layer]]\ntype = \"dense\"\noutputs = 10\n";
  Network net = network(toml, data().train.sample);
  tell(net, quick(), folder.path(), 1);
  EXPECT_THAT(read(files_in(folder.path())[0]).of("run")[0].text(),
              testing::EndsWith("\n~~~toml\n" + toml + "\n~~~\n"));
}

TEST(TrainingEvents, ARunThatGoesOnSaysFromWhere) {
  const Folder folder;
  Network net = fresh();
  tell(net, quick(), folder.path(), 40);
  tell(net, quick(), folder.path());
  const auto files = files_in(folder.path());
  ASSERT_EQ(files.size(), 2U);
  const auto before = read(files[0]), after = read(files[1]);
  EXPECT_THAT(before.starts, ElementsAre(1));
  EXPECT_THAT(after.starts, ElementsAre(41));
  EXPECT_EQ(before.of("loss/step").back().step, 40);
  EXPECT_EQ(after.of("loss/step").front().step, 41);
}

TEST(TrainingEvents, EachStepIsThereWhenItIsTold) {  // so that a checkpoint that follows it is not ahead
  const Folder folder;
  Network net = fresh();
  TrainOptions options = quick();
  options.epochs = 1;
  TrainingEvents events(folder.path(), net, data().train);
  options.on_step = [&](const Progress& now) {
    events.step(now);
    EXPECT_EQ(read(files_in(folder.path())[0]).of("lr").back().step, now.step);
  };
  train(net, data().train, options);
}

TEST(TrainingEvents, NothingIsThereBeforeTheFirstStep) {
  const Folder folder;
  Network net = fresh();
  TrainingEvents events(folder / "run", net, data().train);
  events.flush();
  EXPECT_FALSE(fs::exists(folder / "run"));
}

TEST(Measures, OfARegressionHaveNoAccuracyAndOfNoTestNoValue) {
  const Progress now{.loss = 1, .mean_loss = 2, .lr = 3};
  const auto names = [](const std::vector<Measure>& all) {
    std::vector<std::string> found;
    for (const auto& one : all) found.push_back(one.name + " " + one.tag + (one.value ? "" : " (none)"));
    return found;
  };
  EXPECT_THAT(names(step_measures(now, {})), ElementsAre("loss loss/step", "lr lr"));
  EXPECT_THAT(names(epoch_measures(now, false, {"test", 1.0, {}})),
              ElementsAre("train_loss loss/train", "test_loss loss/test"));
  EXPECT_THAT(names(epoch_measures(now, true, {"test", {}, {}})),
              ElementsAre("train_loss loss/train", "test_loss loss/test (none)", "train_accuracy accuracy/train",
                          "test_accuracy accuracy/test (none)"));
  const Progress two{.outputs = {{"y", 1, 2}, {"early", 3, 4}}};
  EXPECT_THAT(names(step_measures(two, {})),
              ElementsAre("loss loss/step", "lr lr", "loss.y loss/step/y", "loss.early loss/step/early"));
  EXPECT_EQ(step_measures(two, {})[3].value, 3);
  EXPECT_THAT(names(epoch_measures(two, false, {"test", 1.0, {}})),
              ElementsAre("train_loss loss/train", "test_loss loss/test", "train_loss.y loss/train/y",
                          "train_loss.early loss/train/early"));
  EXPECT_EQ(epoch_measures(two, false, {})[3].value, 4);
}

/// The picture of a network whose first convolution has these weights.
Image filters(const char* text, const Shape& sample, std::vector<float> weights) {
  Network net = network(text, sample);
  net.variables().at("conv1.weight").assign(weights);
  return *filters_image(net);
}

TEST(FiltersImage, IsOneFilterBesideTheOtherWithZeroInGrey) {
  std::vector<float> weights(3 * 4, 0);
  weights[0] = -2;         // of the first filter, above left
  weights[2 * 4 + 3] = 1;  // of the third, below right
  const auto image = filters("3c2-10n", {1, 8, 8}, weights);
  const int size = 2 * 8, next = size + 2;  // a weight is 8 pixels; two lie between filters
  EXPECT_EQ(image.channels, 1);
  EXPECT_EQ(image.width, next + size);
  EXPECT_EQ(image.height, next + size);
  const auto at = [&](int y, int x) { return image.pixels[static_cast<std::size_t>(y * image.width + x)]; };
  EXPECT_EQ(at(0, 0), 0);
  EXPECT_EQ(at(7, 7), 0);
  EXPECT_EQ(at(0, 8), 128);
  EXPECT_EQ(at(0, size), 255);  // between
  EXPECT_EQ(at(0, next), 128);
  EXPECT_EQ(at(next, 0), 128);
  EXPECT_EQ(at(next + 15, 15), 191);
  EXPECT_EQ(at(next, next), 255);  // there is no fourth
}

TEST(FiltersImage, OfThreeChannelsIsInColour) {
  const auto image = filters("1c1-10n", {3, 8, 8}, {1, 0, -1});
  EXPECT_EQ(image.channels, 3);
  EXPECT_THAT(std::vector<int>(image.pixels.begin(), image.pixels.begin() + 3), ElementsAre(255, 128, 0));
}

TEST(FiltersImage, OfOtherChannelsHasARowForEachFilter) {
  std::vector<float> weights(2 * 4 * 9, 0);
  weights[(1 * 4 + 2) * 9] = 1;  // the second filter's third channel
  const auto image = filters("2c3-10n", {4, 8, 8}, weights);
  const int next = 3 * 8 + 2;
  EXPECT_EQ(image.width, 4 * next - 2);
  EXPECT_EQ(image.height, 2 * next - 2);
  EXPECT_EQ(image.pixels[static_cast<std::size_t>(next * image.width + 2 * next)], 255);
}

TEST(FiltersImage, OfZeroesAndOfWhatIsNotFiniteIsAPicture) {
  EXPECT_EQ(filters("1c1-10n", {1, 8, 8}, {0}).pixels[0], 128);
  EXPECT_EQ(filters("2c1-10n", {1, 8, 8}, {NAN, 1}).pixels[0], 0);
}

TEST(FiltersImage, IsNotLargerThanOneCanLookAt) {
  const auto image = *filters_image(network("300c3-10n", {20, 8, 8}));
  EXPECT_EQ(image.width, 16 * 26 - 2);
  EXPECT_EQ(image.height, 256 * 26 - 2);
}

TEST(FiltersImage, IsOfFiltersThatAreReversedToo) {
  EXPECT_TRUE(filters_image(network("4c3f-10n", {1, 8, 8})));
  EXPECT_FALSE(filters_image(network("4n-10n", {1, 8, 8})));
}

}  // namespace
}  // namespace chalk::train_testing
