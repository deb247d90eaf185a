#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include "chalkgrad/error.h"
#include "chalkgrad/train.h"
#include "src/base/wording.h"
#include "src/net/build.h"

namespace chalk {
namespace {

std::string error_of(const std::string& keys) {
  try {
    TrainOptions options;
    read_train_config("network = \"10n\"\n[train]\n" + keys, "c.toml", options);
  } catch (const InputError& e) {
    return e.what();
  }
  return "no error";
}

TEST(TrainConfig, ReadsEveryKey) {
  TrainOptions options;
  const auto c = read_train_config(R"(
    network = "10n"
    [train]
    data = "digits"
    epochs = 3
    batch = 10
    lr = 3
    momentum = 0.5
    nesterov = true
    weight_decay = 1e-4
    maximise = "log-likelihood"
    schedule = "cosine+warmup:2"
    augment = "flip, shift:4"
    seed = 7
  )",
                                   "c.toml", options);
  EXPECT_EQ(c.data, "digits");
  EXPECT_EQ(c.loss, Loss::log_likelihood);
  EXPECT_EQ(options.epochs, 3);
  EXPECT_EQ(options.batch, 10);
  EXPECT_EQ(options.optimizer, Optimizer(Sgd{.lr = 3, .momentum = 0.5, .nesterov = true, .weight_decay = 1e-4}));
  EXPECT_EQ(options.loss, Loss::log_likelihood);
  EXPECT_EQ(options.schedule.text(), "cosine+warmup:2");
  EXPECT_EQ(options.augment.text(), "flip,shift:4");
  EXPECT_EQ(options.seed, 7U);
}

TEST(TrainConfig, IsEmptyWithoutATable) {
  for (const char* text : {"10n", "network = \"10n\"\n", "network = \"10n\"\n[train]\n"}) {
    TrainOptions options{.epochs = 77};
    const auto c = read_train_config(text, "c.toml", options);
    EXPECT_FALSE(c.loss || c.data) << text;
    EXPECT_EQ(options.epochs, 77) << text;
  }
}

TEST(TrainConfig, SetsOptionsOfTheLoss) {
  TrainOptions options;
  const auto c = read_train_config(
      "network = \"10n\"\n[train]\nloss = \"focal\"\ngamma = 1.5\nclass_weights = [1, 2.5]\n", "c.toml", options);
  const Loss expected = Focal{.gamma = 1.5, .class_weights = {1, 2.5}};
  EXPECT_EQ(options.loss, expected);
  EXPECT_EQ(*c.loss, expected);
  TrainOptions usual;
  read_train_config("network = \"10n\"\n[train]\nlabel_smoothing = 0.1\n", "c.toml", usual);
  EXPECT_EQ(usual.loss, Loss(CrossEntropy{.label_smoothing = 0.1}));
}

TEST(TrainConfig, PointsAtMistakes) {
  EXPECT_EQ(error_of("epohcs = 3\n"),
            "c.toml: line 3, column 1: [train] has no key \"epohcs\"; did you mean \"epochs\"?");
  EXPECT_EQ(error_of("epochs = 0\n"), "c.toml: line 3, column 10: epochs must be from 1 to 1000000, not 0");
  EXPECT_EQ(error_of("epochs = 1.5\n"), "c.toml: line 3, column 10: epochs must be a whole number");
  EXPECT_EQ(error_of("batch = \"all\"\n"), "c.toml: line 3, column 9: batch must be a whole number");
  EXPECT_EQ(error_of("lr = 0\n"), "c.toml: line 3, column 6: lr must be a number above 0, not 0");
  EXPECT_EQ(error_of("lr = nan\n"), "c.toml: line 3, column 6: lr must be a finite number");
  EXPECT_EQ(error_of("momentum = 1\n"), "c.toml: line 3, column 12: momentum must be at least 0 and below 1, not 1");
  EXPECT_EQ(error_of("weight_decay = -1\n"),
            "c.toml: line 3, column 16: weight_decay must be a number of at least 0, not -1");
  EXPECT_EQ(error_of("nesterov = 1\n"), "c.toml: line 3, column 12: nesterov must be true or false");
  EXPECT_EQ(error_of("seed = -1\n"), "c.toml: line 3, column 8: seed must be from 0 to 9223372036854775807, not -1");
  EXPECT_EQ(error_of("data = 3\n"), "c.toml: line 3, column 8: data must be a text in quotes");
  std::vector<std::string> losses;
  for (const Loss& loss : all_losses()) {
    if (!maximised(loss)) losses.emplace_back(name_of(loss));
  }
  EXPECT_EQ(error_of("loss = \"mse\"\n"),
            "c.toml: line 3, column 8: loss must be " + alternatives(losses) + ", not \"mse\"");
  EXPECT_EQ(error_of("maximise = \"log-likelyhood\"\n"),
            "c.toml: line 3, column 12: maximise must be log-likelihood or gaussian-log-likelihood, not "
            "\"log-likelyhood\"; did you mean \"log-likelihood\"?");
  EXPECT_EQ(
      error_of("loss = \"squared-error\"\nmaximise = \"log-likelihood\"\n"),
      "c.toml: line 4, column 12: maximise stands beside loss = \"squared-error\", which is minimised; leave out one "
      "of the two");
  EXPECT_EQ(error_of("schedule = \"cosinus\"\n"),
            "c.toml: line 3, column 12: schedule \"cosinus\" is not known; did you mean \"cosine\"?");
  EXPECT_EQ(error_of("schedule = \"cosine:to=2\"\n"),
            "c.toml: line 3, column 12: schedule \"cosine:to=2\": to is 2; it must be from 0 to 1");
  EXPECT_EQ(error_of("augment = \"flip,cutout:0\"\n"),
            "c.toml: line 3, column 11: augmentation \"cutout:0\": SIDE is 0; it must be whole, and from 1 to 65535");
  EXPECT_EQ(error_of("optimizer = \"adagard\"\n"),
            "c.toml: line 3, column 13: optimizer \"adagard\" is not known; did you mean \"adagrad\"?");
  EXPECT_EQ(error_of("optimizer = \"adagrad\"\nmomentum = 0.9\n"),
            "c.toml: line 4, column 1: [train] with the optimizer adagrad has no key \"momentum\"");
  EXPECT_EQ(error_of("loss = \"squared-error\"\nlabel_smoothing = 0.1\n"),
            "c.toml: line 4, column 19: label_smoothing is an option of the loss cross-entropy, not of squared-error; "
            "leave it out");
  EXPECT_EQ(error_of("label_smoothing = 2\n"),
            "c.toml: line 3, column 19: label_smoothing must be between 0 and 1, not 2");
  EXPECT_EQ(error_of("class_weights = 2\n"),
            "c.toml: line 3, column 17: class_weights must be a list of numbers, e.g. [0.5, 1]");
  EXPECT_EQ(error_of("class_weights = [1, -2]\n"),
            "c.toml: line 3, column 17: class_weights must each be a number of at least 0, not -2");
  EXPECT_THAT(error_of("lr = \n"), testing::HasSubstr("c.toml: line 3"));
}

// What a command does with the text of a network: the graph, and how it is trained.
void read_all(const std::string& text, const std::string& name) {
  build_graph(text, {1, 8, 8}, name);
  TrainOptions options;
  read_train_config(text, name, options);
}

TEST(BadNetworks, EachGivesItsError) {
  const std::filesystem::path folder = CHALKGRAD_SOURCE_DIR "/tests/bad";
  std::map<std::string, std::string> expected;
  std::ifstream lines(folder / "expected.txt");
  for (std::string name, words; std::getline(lines, name, '\t') && std::getline(lines, words);) expected[name] = words;
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder / "network")) {
    const auto name = entry.path().filename().string();
    ASSERT_TRUE(expected.contains("network/" + name)) << name << " has no line in tests/bad/expected.txt";
    std::ifstream file(entry.path());
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    std::string said = "no error";
    try {
      read_all(text, name);
    } catch (const Error& e) {
      said = e.what();
    }
    EXPECT_THAT(said, testing::HasSubstr(expected["network/" + name])) << name;
    EXPECT_THAT(said, testing::StartsWith(name)) << "the message begins with the file";
    EXPECT_EQ(said.find('\n'), std::string::npos) << name;
    ++count;
  }
  EXPECT_GT(count, 35);
}

TEST(GoodNetworks, TheExamplesAreRead) {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(CHALKGRAD_SOURCE_DIR "/examples/seeds")) {
    std::ifstream file(entry.path());
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    EXPECT_NO_THROW(read_all(text, entry.path().string()));
    TrainOptions options;
    EXPECT_TRUE(read_train_config(text, "", options).loss) << entry.path() << " says what falls or rises";
    ++count;
  }
  EXPECT_GE(count, 15);
}

}  // namespace
}  // namespace chalk
