#include "src/net/training_record.h"

#include <gtest/gtest.h>

#include <regex>

#include "chalkgrad/error.h"

namespace chalk {
namespace {

TrainingRecord some_record() {
  TrainingRecord record;
  record.options = {.epochs = 3, .batch = 50, .optimizer = sgd({.momentum = 0.5}), .loss = Loss::squared_error};
  record.data = "digits";
  record.samples = 1438;
  record.step = 31;
  record.loss_sum = 12.5;
  return record;
}

std::optional<TrainingRecord> read(std::map<std::string, std::string> metadata) { return take_record(metadata); }

/// What is said of the record after `from` has become `to` in one of its texts.
std::string complaint(const char* key, const std::string& from, const std::string& to) {
  auto metadata = some_record().metadata();
  metadata[key] = std::regex_replace(metadata[key], std::regex(from), to);
  try {
    read(metadata);
  } catch (const InputError& e) {
    return e.what();
  }
  return "no error";
}

/// The whole message about a key, of which `what` is the part that differs.
std::string about(const char* key, const std::string& what) {
  return "metadata " + std::string(key) + ": " + what +
         "; or remove chalkgrad.training and chalkgrad.position, which only resuming needs";
}

TEST(TrainingRecord, ReadsWhatItWrites) {
  const auto record = some_record();
  const auto again = read(record.metadata());
  ASSERT_TRUE(again);
  EXPECT_EQ(again->metadata(), record.metadata());
  EXPECT_EQ(again->options.optimizer, record.options.optimizer);
  EXPECT_EQ(again->options.loss, Loss::squared_error);
  EXPECT_EQ(again->step, 31);
  EXPECT_EQ(again->steps(), 87);
  EXPECT_FALSE(again->finished());
}

TEST(TrainingRecord, IsWrittenAsTheFirstVersionDid) {
  EXPECT_EQ(some_record().metadata().at(kTrainingKey),
            R"({"batch":50,"epochs":3,"loss":"squared_error","lr":0.05,"momentum":0.5,"nesterov":false,)"
            R"("schedule":"constant","seed":1,"weight_decay":0.0})");
  EXPECT_EQ(some_record().metadata().at(kPositionKey),
            R"({"correct":0.0,"data":"digits","loss_sum":12.5,"samples":1438,"step":31})");
}

TEST(TrainingRecord, HoldsOptionsOfTheLossThatWereSet) {
  auto record = some_record();
  record.options.loss = CrossEntropy{.class_weights = {1, 0.5}};
  const auto text = record.metadata().at(kTrainingKey);
  EXPECT_NE(text.find(R"("class_weights":[1.0,0.5])"), std::string::npos) << text;
  EXPECT_EQ(text.find("label_smoothing"), std::string::npos) << "as it would be written without it";
  EXPECT_EQ(read(record.metadata())->options.loss, record.options.loss);
  auto other = record;
  other.options.loss = Loss::cross_entropy;
  EXPECT_EQ(first_difference(record, other), "class_weights=[1.0,0.5], not []");
  EXPECT_EQ(first_difference(other, record), "class_weights=[], not [1.0,0.5]");
  EXPECT_EQ(first_difference(record, record), "");
}

TEST(TrainingRecord, NamesAFieldThatCameLaterWhereItSaysSomething) {
  auto record = some_record();
  record.options.optimizer = sgd({.momentum = 0.5, .dampening = 0.25});
  EXPECT_NE(record.metadata().at(kTrainingKey).find("\"dampening\":0.25"), std::string::npos);
  EXPECT_EQ(read(record.metadata())->options.optimizer, record.options.optimizer);
  EXPECT_EQ(first_difference(some_record(), record), "dampening=0.0, not 0.25");
  EXPECT_EQ(first_difference(record, some_record()), "dampening=0.25, not 0.0");
}

TEST(TrainingRecord, SaysWhatDataItIsOfAndWhetherItDiverged) {
  auto record = some_record();
  EXPECT_TRUE(record.unfinished());
  record.digest = "0123";
  record.diverged = true;
  const auto again = read(record.metadata());
  ASSERT_TRUE(again);
  EXPECT_EQ(again->digest, "0123");
  EXPECT_TRUE(again->diverged);
  EXPECT_FALSE(again->unfinished());
  record = some_record();
  record.step = 0;
  EXPECT_FALSE(record.unfinished()) << "nothing has been done yet";
  record.step = record.steps();
  EXPECT_FALSE(record.unfinished());
}

TEST(TrainingRecord, SaysWhatTheScheduleHasSeen) {
  auto record = some_record();
  record.observed = {.epochs = 2, .best = 0.1, .bad = 1, .cooldown = 3, .reductions = 2};
  const auto again = read(record.metadata());
  ASSERT_TRUE(again);
  EXPECT_EQ(again->observed, record.observed);
  const auto said = [](const std::string& observed) {
    return complaint(kPositionKey, "\"samples\"", "\"observed\":" + observed + ",\"samples\"");
  };
  EXPECT_EQ(said("3"), about(kPositionKey, "observed is 3; it must be a JSON object"));
  EXPECT_EQ(said(R"({"epochs":4})"), about(kPositionKey, "epochs is 4; it must be whole, and from 0 to 3"));
  EXPECT_EQ(said(R"({"epochs":1})"), about(kPositionKey, "best is missing; add it"));
}

TEST(TrainingRecord, IsNotThereWithoutItsKey) { EXPECT_FALSE(read({{"data", "digits"}})); }

TEST(TrainingRecord, SaysWhatIsWrong) {
  const auto training = [](const std::string& what) { return about(kTrainingKey, what); };
  EXPECT_EQ(complaint(kTrainingKey, "^.*$", "x"), training("it must be a JSON object"));
  EXPECT_EQ(complaint(kTrainingKey, "\"epochs\":3", "\"epochs\":0"),
            training("epochs is 0; it must be whole, and from 1 to 1000000"));
  EXPECT_EQ(complaint(kTrainingKey, "\"batch\":50,", ""), training("batch is missing; add it"));
  for (const char* batch : {"\"50\"", "0", "-1", "0.5", "1e30", "18446744073709551615", "null", "[50]", "true"}) {
    EXPECT_EQ(complaint(kTrainingKey, "\"batch\":50", std::string("\"batch\":") + batch),
              training("batch is " + std::string(batch == std::string("1e30") ? "1e+30" : batch) +
                       "; it must be whole, and from 1 to 16777216"));
  }
  EXPECT_EQ(complaint(kTrainingKey, "0.5", "1.5"), training("momentum is 1.5; it must be at least 0 and below 1"));
  EXPECT_EQ(complaint(kTrainingKey, "false", "0"), training("nesterov is 0; it must be true or false"));
  EXPECT_EQ(complaint(kTrainingKey, "\"constant\"", "3"), training("schedule is 3; it must be text"));
  EXPECT_EQ(complaint(kTrainingKey, "\"momentum\":0.5,\"nesterov\":false", "\"momentum\":0,\"nesterov\":true"),
            training("nesterov needs a momentum above 0"));
  const auto position = [](const std::string& what) { return about(kPositionKey, what); };
  for (const char* step : {"-1", "88", "3.5"}) {
    EXPECT_EQ(complaint(kPositionKey, "31", step),
              position("step is " + std::string(step) + "; it must be whole, and from 0 to 87"));
  }
  EXPECT_EQ(complaint(kPositionKey, "1438", "0"), position("samples is 0; it must be whole, and from 1 to 4294967295"));
  EXPECT_EQ(complaint(kPositionKey, "\"correct\":0.0", "\"correct\":1439"),
            position("correct is 1439; it must be from 0 to 1438"));
  EXPECT_EQ(complaint(kPositionKey, "\"loss_sum\":12.5,", ""), position("loss_sum is missing; add it"));
  EXPECT_EQ(complaint(kPositionKey, "12.5", "{}"), position("loss_sum is {}; it must be a number"));
  EXPECT_EQ(complaint(kPositionKey, "\"data\"", "\"digest\":5,\"data\""), position("digest is 5; it must be text"));
  EXPECT_EQ(complaint(kPositionKey, "\"data\"", "\"diverged\":1,\"data\""),
            position("diverged is 1; it must be true or false"));
}

TEST(TrainingRecord, WithoutAPositionSaysHowANetworkWasTrained) {
  auto metadata = some_record().metadata();
  metadata.erase(kPositionKey);
  const auto record = read(metadata);
  EXPECT_TRUE(record->finished());
  EXPECT_EQ(record->options.batch, some_record().options.batch);
}

TEST(TrainingRecord, NamesWhatANewerProgramMayKnow) {
  EXPECT_EQ(complaint(kTrainingKey, "squared_error", "poisson"),
            about(kTrainingKey, "loss is \"poisson\", which this program does not know; use a newer chalkgrad"));
  EXPECT_EQ(complaint(kTrainingKey, "\"batch\"", "\"optimizer\":\"newton\",\"batch\""),
            about(kTrainingKey, "optimizer is \"newton\", which this program does not know; use a newer chalkgrad"));
}

TEST(TrainingRecord, NamesTheFirstDifference) {
  auto other = some_record();
  EXPECT_EQ(first_difference(some_record(), other), "");
  other.options.batch = 20;
  EXPECT_EQ(first_difference(some_record(), other), "batch=50, not 20");
}

}  // namespace
}  // namespace chalk
