// Losses whose samples do not all count the same, and targets that are not one label a sample.
#include <cmath>
#include <map>
#include <utility>

#include "chalkgrad/differentiate.h"
#include "src/train/objective.h"
#include "src/train/train_testing.h"
#include "src/train/training_graph.h"

namespace chalk {
namespace {

using train_testing::data;
using train_testing::message;

/// As if the network had been trained with that loss.
Network& trained_with(Network& network, const Loss& loss) {
  network.training.emplace().options.loss = loss;
  return network;
}

/// Two kinds of points, of which there are eight of the first to one of the second.
Dataset uneven_points() {
  Dataset points;
  points.name = "points";
  points.sample = {2};
  points.class_names = {"often", "seldom"};
  for (int i = 0; i < 90; ++i) {
    const bool seldom = i % 9 == 4;
    const float a = static_cast<float>(i % 10) / 10, b = static_cast<float>(i / 10) / 10;
    points.values.insert(points.values.end(), {a + (seldom ? 0.3F : 0), b});
    points.labels.push_back(seldom ? 1 : 0);
  }
  return points;
}

TEST(Weighing, WeighsTheGradientAsTheLoss) {
  const Dataset points = uneven_points();
  Network net = network("3n-tanh-2n", {2});
  const Loss loss = CrossEntropy{.label_smoothing = 0.1, .class_weights = {1, 8}};
  const Graph step = training_graph(net, {2}, true, {.optimizer = sgd({.momentum = 0}), .loss = loss}).graph;
  // Of the engine's step, lr · the gradient of (Σ w·loss) / Σ w, taken in one piece.
  Graph whole = net.graph();
  const Value mean = objective(whole, add_losses(whole, net, loss, {2}));
  const auto parameters = whole.parameters();
  const auto derivatives = gradients(mean, parameters);
  whole.clear_outputs();
  whole.output("loss", mean);
  for (std::size_t i = 0; i < parameters.size(); ++i) whole.output(parameters[i].name(), derivatives[i]);
  Program program(whole, net.variables(), {.threads = 1});
  program.feed("x", {.values = points.values.data()});
  program.feed("t", {.labels = points.labels.data()});
  program.run(points.size());
  std::map<std::string, std::vector<float>> expected;
  for (const auto& parameter : parameters) {
    const auto w = std::as_const(net.variables()).at(parameter.name()).values();
    const auto g = program.output(parameter.name());
    for (std::size_t i = 0; i < w.size(); ++i) expected[parameter.name()].push_back(w[i] - 0.5F * g[i]);
  }
  const double first = evaluate(trained_with(net, loss), points).loss;
  EXPECT_NEAR(static_cast<double>(program.output("loss")[0]), first, 1e-6);
  TrainOptions options{
      .epochs = 1, .batch = 90, .optimizer = sgd({.lr = 0.5, .momentum = 0}), .loss = loss, .threads = 1};
  const auto result = train(net, points, options);
  EXPECT_NEAR(result.last.loss, first, 1e-6);
  for (const auto& [name, values] : expected) {
    const auto now = std::as_const(net.variables()).at(name).values();
    for (std::size_t i = 0; i < values.size(); ++i) EXPECT_NEAR(now[i], values[i], 1e-6) << name;
  }
}

TEST(Weighing, ClassWeightsFindTheRareClass) {
  const auto recall = [](const Loss& loss) {
    const Dataset points = uneven_points();
    Network net = network("2n", {2});
    train(net, points, {.epochs = 60, .batch = 30, .optimizer = sgd({.lr = 0.5}), .loss = loss, .threads = 1});
    return *evaluate(net, points).classes[1].recall();
  };
  EXPECT_LT(recall(Loss::cross_entropy), 0.5);
  EXPECT_GT(recall(CrossEntropy{.class_weights = {1, 8}}), 0.5);
}

/// Some samples several times, as often as `times` says.
Dataset repeated(const Dataset& data, const std::vector<int>& times) {
  Dataset result = data;
  result.values.clear(), result.labels.clear(), result.targets.clear(), result.weights.clear();
  for (std::size_t i = 0; i < data.size(); ++i) {
    for (int n = 0; n < times[i]; ++n) {
      result.values.insert(result.values.end(), data.numbers(i), data.numbers(i) + elements(data.sample));
      if (data.labels.empty()) {
        result.targets.push_back(data.targets[i]);
      } else {
        result.labels.push_back(data.labels[i]);
      }
    }
  }
  return result;
}

TEST(Weighing, ASampleOfWeightTwoIsTwoSamples) {
  Dataset points = uneven_points(), values = points;
  values.labels.clear(), values.class_names.clear();
  values.target = {1};
  for (const auto label : points.labels) values.targets.push_back(static_cast<float>(label) - 0.3F);
  struct Case {
    const char* net;
    Dataset* samples;
    Loss loss;
  };
  for (const auto& [net, samples, loss] :
       {Case{"3n-tanh-2n", &points, Loss::cross_entropy},
        Case{"3n-tanh-2n", &points, CrossEntropy{.label_smoothing = 0.1, .class_weights = {1, 8}}},
        Case{"3n-tanh-1n", &values, Loss::huber}}) {
    Dataset& weighed = *samples;
    std::vector<int> times;
    for (std::size_t i = 0; i < weighed.size(); ++i) times.push_back(static_cast<int>(i % 4));
    const Dataset more = repeated(weighed, times);
    TrainOptions options{
        .epochs = 30, .batch = 1000, .optimizer = sgd({.lr = 0.2, .momentum = 0.5}), .loss = loss, .threads = 2};
    Network with = network(net, {2}), of = network(net, {2});
    weighed.weights.assign(times.begin(), times.end());
    const auto weighted = train(with, weighed, options), twice = train(of, more, options);
    EXPECT_NEAR(weighted.last.loss, twice.last.loss, 1e-5);
    EXPECT_NEAR(evaluate(with, weighed).loss, evaluate(of, more).loss, 1e-5);
    for (const auto& [name, tensor] : std::as_const(with).variables().all()) {
      const auto other = std::as_const(of).variables().at(name).values();
      for (std::size_t i = 0; i < other.size(); ++i) EXPECT_NEAR(tensor.values()[i], other[i], 1e-4) << name;
    }
  }
}

TEST(Weighing, ABatchThatCountsNothingChangesNothing) {
  Dataset points = uneven_points();
  points.weights.assign(points.size(), 0);
  points.weights[0] = 1;
  Network net = network("2n", {2});
  const auto result = train(net, points, {.epochs = 2, .batch = 30, .threads = 1});
  EXPECT_TRUE(std::isfinite(result.last.mean_loss));
}

TEST(Weighing, MixedSamplesHaveNoWeights) {
  Dataset images = data().train;
  images.weights.assign(images.size(), 2);
  Network net = network("10n", images.sample);
  TrainOptions options;
  options.augment = Augmentations::parse("mixup");
  EXPECT_EQ(message([&] { train(net, images, options); }),
            "augmentations \"mixup\" mix samples, and those of data set \"digits\" have weights of their own; leave "
            "out what mixes, or the weights");
}

TEST(Weighing, LearnsWhatIsAtEachPlace) {
  Dataset images;
  images.name = "images";
  images.sample = {1, 4, 5};
  images.target = {4, 5};
  for (int i = 0; i < 60; ++i) {
    for (int at = 0; at < 20; ++at) {
      const float v = static_cast<float>((i * 7 + at * at * 3 + i * at) % 11) / 11;
      images.values.push_back(v);
      images.targets.push_back(at == 3 ? 255.0F : v > 0.6F ? 2.0F : v > 0.3F ? 1.0F : 0.0F);
    }
  }
  Network net = network("8c1-tanh-3c1", images.sample);
  TrainOptions options{.epochs = 40, .batch = 20, .optimizer = sgd({.lr = 0.3}), .threads = 1};
  options.loss = PixelCrossEntropy{.ignored_label = 255};
  const auto first = evaluate(trained_with(net, options.loss), images).loss;
  train(net, images, options);
  EXPECT_NEAR(first, std::log(3), 0.5);
  EXPECT_LT(evaluate(net, images).loss, 0.3);

  options.loss = Loss::pixel_cross_entropy;
  net.training.reset();
  EXPECT_EQ(message([&] { train(net, images, options); }),
            "data set \"images\": label 3 of sample 0 is 255, and the network has 3 classes; correct it, or set "
            "ignored_label to it");
  options.loss = Loss::squared_error;
  EXPECT_EQ(message([&] { train(net, images, options); }),
            "the network's output is 3×4×5 but the data want 4×5; change the last layer");
  Network narrow = network("3c3", images.sample);
  options.loss = PixelCrossEntropy{.ignored_label = 255};
  EXPECT_EQ(message([&] { train(narrow, images, options); }),
            "the network's output is 3×2×3, which pixel-cross-entropy compares with 2×3 but the data want 4×5; change "
            "the last layer");
  Network digits = network("10n", data().train.sample);
  EXPECT_EQ(message([&] { train(digits, data().train, options); }),
            "data set \"digits\" has a label for each sample, and pixel-cross-entropy needs one for each place; train "
            "with the loss cross-entropy");
}

TEST(Weighing, LearnsDistributions) {
  Dataset soft;
  soft.name = "soft";
  soft.sample = {1};
  soft.target = {2};
  for (int i = 0; i < 20; ++i) {
    const float p = 0.2F + 0.03F * static_cast<float>(i);
    soft.values.push_back(static_cast<float>(i) / 10 - 1);
    soft.targets.insert(soft.targets.end(), {p, 1 - p});
  }
  for (const Loss& loss : {Loss(Loss::kl_divergence), Loss(Loss::cross_entropy)}) {
    Network net = network("4n-tanh-2n", {1});
    train(net, soft, {.epochs = 300, .batch = 20, .optimizer = sgd({.lr = 0.3}), .loss = loss, .threads = 1});
    const auto p = predict(net, {.values = soft.values.data()}, 20, true);
    for (std::size_t i = 0; i < p.size(); ++i) EXPECT_NEAR(p[i], soft.targets[i], 0.03) << name_of(loss);
    if (loss == Loss::kl_divergence) {
      EXPECT_LT(evaluate(net, soft).loss, 1e-3);
    }
  }
  soft.targets[3] += 0.1F;
  Network net = network("2n", {1});
  EXPECT_EQ(message([&] { train(net, soft, {.loss = Loss::kl_divergence}); }),
            "data set \"soft\" has values to regress on, not classes; train with the loss squared-error");
}

}  // namespace
}  // namespace chalk
