#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

#include "chalkgrad/differentiate.h"
#include "chalkgrad/error.h"
#include "chalkgrad/layers.h"
#include "chalkgrad/losses.h"
#include "src/passes/passes.h"
#include "src/passes/simplify_testing.h"

namespace chalk {
namespace {

using testing::evaluate;
using testing::Values;

void expect_near(const std::vector<double>& found, const std::vector<double>& right, double error) {
  ASSERT_EQ(found.size(), right.size());
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], right[i], error) << i;
}

/// y = batch_norm(x) and the derivatives of Σ weights · y, three samples of 2 channels.
Graph batch_norm_graph(const Shape& sample) {
  Graph forward;
  const Value x = forward.input("x", sample);
  const Value y = batch_norm_layer(x);
  forward.name(y, "y");
  Graph g = training_form(forward);
  const Value loss = batch_sum(sum(g.input("weights", sample) * g.find("y")));
  const std::vector<Value> wrt{g.find("x"), g.find("weight"), g.find("bias")};
  const auto d = gradients(loss, wrt);
  g.output("y", g.find("y"));
  for (std::size_t i = 0; i < wrt.size(); ++i) g.output("d " + wrt[i].name(), d[i]);
  return g;
}

const Values kFed{{"weight", {1.5, -0.5}},
                  {"bias", {0.25, 2}},
                  {"running_mean", {0.5, -1}},
                  {"running_var", {2, 3}},
                  {"x", {1, 2, 3, 5, -1, 0.5, 0, 4, 2.5, -3, 1, 1}},
                  {"weights", {1, -1, 2, 0.5, 3, 1, -2, 0, 0.5, 1, 1, -1}}};

// x of shape [3, 2, 1, 2]: by NumPy 2, and torch.nn.BatchNorm2d(2) of PyTorch 2.15 in training, both in double.
TEST(BatchStatistics, AreThoseOfPyTorchOnMaps) {
  const auto found = evaluate(batch_norm_graph({2, 1, 2}), kFed, 3);
  expect_near(found.at("y"),
              {0.7866555418165257, 1.5916388545413143, 1.814304949970216, 1.257219799880864, -0.8233110836330513,
               0.38416388545413144, 2.6499326751042442, 1.53576237492554, 1.9941305109037084, -2.4332777090826285,
               2.371390100059568, 2.371390100059568},
              1e-12);
  expect_near(found.at("d x"),
              {0.24954430145309126, -1.0867287859074473, -0.46343743397002607, 0.1656839331937968, 1.3121238507245916,
               0.11269753240857211, 0.3337716093134647, 0.1993014684177304, 0.2575929522242545, -0.8452298509030618,
               -0.39620236352215893, 0.16088278656719304},
              1e-12);
  expect_near(found.at("d weight"), {-3.8013100878670567, 4.0852911006552475}, 1e-12);
  expect_near(found.at("d bias"), {5.5, 0.5}, 1e-12);
  expect_near(found.at("update running_mean"), {0.48333333333333334, -0.6666666666666666}, 1e-12);
  expect_near(found.at("update running_var"), {2.216666666666667, 3.086666666666667}, 1e-12);
}

// The same of the first three pairs of numbers, as torch.nn.BatchNorm1d(2).
TEST(BatchStatistics, AreThoseOfPyTorchOnVectors) {
  Values fed = kFed;
  fed["x"].resize(6);
  fed["weights"].resize(6);
  const auto found = evaluate(batch_norm_graph({2}), fed, 3);
  expect_near(found.at("y"),
              {0.25, 2.1336304300557343, 2.087113862502121, 1.331847849721329, -1.5871138625021208, 2.5345217202229366},
              1e-12);
  expect_near(found.at("d x"),
              {-0.9185569312510604, 0.31498600461232257, 0.4592767433377428, -0.10499529244853666, 0.4592801879133176,
               -0.2099907121637859},
              1e-12);
  expect_near(found.at("d weight"), {-1.224742575001414, -0.13363043005573427}, 1e-12);
  expect_near(found.at("d bias"), {6.0, 0.5}, 1e-12);
  expect_near(found.at("update running_mean"), {0.55, -0.65}, 1e-12);
  expect_near(found.at("update running_var"), {2.2, 3.225}, 1e-12);
}

TEST(BatchStatistics, OfOneValueAreItselfAndZero) {
  Values fed = kFed;
  fed["x"].resize(2);
  fed["weights"].resize(2);
  const auto found = evaluate(batch_norm_graph({2}), fed, 1);
  EXPECT_EQ(found.at("y"), fed.at("bias"));
  EXPECT_EQ(found.at("d x"), (std::vector<double>{0, 0}));
  expect_near(found.at("update running_mean"), {0.55, -0.7}, 1e-15);
  expect_near(found.at("update running_var"), {1.8, 2.7}, 1e-15);
}

TEST(BatchStatistics, SimplifyToTheTextbooksGradient) {
  const Graph simple = simplify(batch_norm_graph({2, 1, 2}));
  const auto written = evaluate(batch_norm_graph({2, 1, 2}), kFed, 3), simplified = evaluate(simple, kFed, 3);
  for (const auto& [name, values] : written) expect_near(simplified.at(name), values, 1e-12);
  int sums = 0;  // over the samples: of x, (x − μ)², δ and δ·(x − μ)
  for (NodeId id = 0; id < simple.size(); ++id) sums += simple.node(id).op->name.value == "batch_sum" ? 1 : 0;
  EXPECT_EQ(sums, 4) << simple.print();
}

TEST(TrainingForm, NeedsTheSubstituteBeforeTheValueIsUsed) {
  Graph g;
  const Value running = g.parameter("running", {2}, {}, /*trainable=*/false);
  const Value x = g.input("x", {2}), y = x - running, mean = batch_mean(x);
  g.running_average(running, mean, mean, 0.1, 1);
  g.output("y", y);
  EXPECT_THROW(training_form(g), std::logic_error);
}

TEST(TrainingForm, PutsSubstitutesWhereValuesAndOutputsUseThem) {
  Graph g;
  const Value x = g.input("x", {2}), early = x + x, quiet = reshape(x, {2});
  const Value loud = x * g.constant(10);
  g.training_substitute(quiet, loud);
  g.output("used", quiet + early);
  g.output("itself", quiet);
  g.output("x", x);
  const Values fed{{"x", {1, 2}}};
  const auto predicted = evaluate(g, fed, 1), trained = evaluate(training_form(g), fed, 1);
  EXPECT_EQ(predicted.at("used"), (std::vector<double>{3, 6}));
  EXPECT_EQ(predicted.at("itself"), (std::vector<double>{1, 2}));
  EXPECT_EQ(trained.at("used"), (std::vector<double>{12, 24}));
  EXPECT_EQ(trained.at("itself"), (std::vector<double>{10, 20}));
  EXPECT_EQ(trained.at("x"), (std::vector<double>{1, 2})) << "other uses of x stay";
}

TEST(TrainingForm, TakesSubstitutesOneAfterTheOther) {
  Graph g;
  const auto times_in_training = [&](Value x, double factor) {
    const Value y = reshape(x, x.shape());
    g.training_substitute(y, x * g.constant(factor));
    return y;
  };
  g.output("y", times_in_training(times_in_training(g.input("x", {2}), 10), 7));
  EXPECT_EQ(evaluate(training_form(g), {{"x", {1, 2}}}, 1).at("y"), (std::vector<double>{70, 140}));
}

TEST(TrainingForm, TakesOneSubstituteOfTheSameType) {
  Graph g;
  const Value x = g.input("x", {2}), y = reshape(x, {2});
  EXPECT_THROW(g.training_substitute(y, g.input("z", {3})), ShapeError);
  g.training_substitute(y, x * x);
  EXPECT_THROW(g.training_substitute(y, x + x), std::logic_error);
}

TEST(TrainingForm, NoiseThatOnlyTrainingUsesIsGoneInPrediction) {
  Graph g;
  const Value x = g.input("x", {2}), y = reshape(x, {2});
  g.training_substitute(y, x * g.noise("mask", {2}));
  g.output("y", y);
  EXPECT_EQ(simplify(g).print().find("mask"), std::string::npos) << simplify(g).print();
  EXPECT_NE(simplify(training_form(g)).print().find("mask"), std::string::npos);
  EXPECT_THROW(g.noise("", {2}), InputError) << "its numbers depend on its name";
}

TEST(TrainingForm, PrintsWhatTrainingChanges) {
  Graph g;
  const Value running = g.parameter("running", {2}, {}, /*trainable=*/false);
  const Value x = g.input("x", {2}), mean = batch_mean(x);
  g.running_average(running, mean, mean, 0.25, 1);
  g.output("y", x - running);
  const std::string text = g.print();
  const std::string id = "%" + std::to_string(mean.id());
  EXPECT_NE(text.find("in training " + id + " takes the place of %0 running\n"), std::string::npos) << text;
  EXPECT_NE(text.find("in training %0 running moves towards " + id + " by 0.25\n"), std::string::npos) << text;
}

TEST(TrainingForm, LeavesAGraphThatIsTheSameInTrainingAsItIs) {
  Graph g;
  g.output("y", dense_layer(g.input("x", {4}), {.outputs = 2}));
  EXPECT_EQ(training_form(g).print(), g.print());
}

}  // namespace
}  // namespace chalk
