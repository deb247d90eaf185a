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

TEST(TrainingRecord, IsNotThereWithoutItsKey) { EXPECT_FALSE(read({{"data", "digits"}})); }

TEST(TrainingRecord, SaysWhatIsDamaged) {
  const auto damaged = [](const char* key, const std::string& why) {
    return "the model's metadata \"" + std::string(key) + "\" are damaged (" + why +
           "); resume from another checkpoint";
  };
  EXPECT_EQ(complaint(kTrainingKey, "^.*$", "x"), damaged(kTrainingKey, "no JSON object"));
  EXPECT_EQ(complaint(kTrainingKey, "\"epochs\":3", "\"epochs\":0"),
            damaged(kTrainingKey, "epochs is 0; it must be from 1 to 1000000"));
  EXPECT_EQ(complaint(kTrainingKey, "\"batch\":50,", ""), damaged(kTrainingKey, "it does not say batch"));
  EXPECT_EQ(complaint(kTrainingKey, "\"batch\":50", "\"batch\":\"50\""), damaged(kTrainingKey, "batch is \"50\""));
  EXPECT_EQ(complaint(kTrainingKey, "0.5", "1.5"),
            damaged(kTrainingKey, "momentum is 1.5; it must be at least 0 and below 1"));
  EXPECT_EQ(complaint(kPositionKey, "31", "-1"), damaged(kPositionKey, "step is -1; it must be from 0 to 87"));
  EXPECT_EQ(complaint(kPositionKey, "1438", "0"),
            damaged(kPositionKey, "samples is 0; it must be from 1 to 4294967295"));
  EXPECT_EQ(complaint(kPositionKey, "\"loss_sum\":12.5,", ""),
            damaged(kPositionKey, "loss_sum is missing; it must be a number"));
  auto alone = some_record().metadata();
  alone.erase(kPositionKey);
  EXPECT_THROW(read(alone), InputError);
}

TEST(TrainingRecord, NamesWhatANewerProgramMayKnow) {
  EXPECT_EQ(complaint(kTrainingKey, "squared_error", "hinge"),
            "the model was trained with the loss \"hinge\", which this program does not know; use a newer chalkgrad");
  EXPECT_EQ(complaint(kTrainingKey, "\"batch\"", "\"optimizer\":\"adam\",\"batch\""),
            "the model was trained with the optimizer \"adam\", which this program does not know; use a newer "
            "chalkgrad");
}

TEST(TrainingRecord, NamesTheFirstDifference) {
  auto other = some_record();
  EXPECT_EQ(first_difference(some_record(), other), "");
  other.options.batch = 20;
  EXPECT_EQ(first_difference(some_record(), other), "batch=50, not 20");
}

}  // namespace
}  // namespace chalk
