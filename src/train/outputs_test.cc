// Networks with several outputs, each with a loss and a weight.
#include <algorithm>
#include <cmath>
#include <utility>

#include "chalkgrad/differentiate.h"
#include "chalkgrad/layers.h"
#include "chalkgrad/ops.h"
#include "src/base/text.h"
#include "src/passes/passes.h"
#include "src/run/reference.h"
#include "src/train/objective.h"
#include "src/train/train_testing.h"
#include "src/train/training_graph.h"

namespace chalk {
namespace {

using train_testing::data;
using train_testing::message;
using train_testing::quick;
using train_testing::temporary;

constexpr const char* kTrunk = R"(
[[layer]]
chain = "6c3z-relu-mp2"
[[layer]]
chain = "20n-relu-10n"
name = "scores"
)";
constexpr const char* kEarly = R"(
[[layer]]
from = "maxpool1"
chain = "bn-10n"
name = "early"
)";
constexpr const char* kCopy = R"(
[[layer]]
from = "relu1"
chain = "1c3z"
name = "copy"
)";

std::string with_early(const std::string& weight, const std::string& more = {}) {
  return str(kTrunk, kEarly, "[[output]]\nfrom = \"scores\"\n[[output]]\nfrom = \"early\"\nweight = ", weight, "\n",
             more);
}

/// The digits: an auxiliary classifier, and a copy of the image.
Network three_outputs(const std::string& weight_of_early = "0.3", const std::string& loss_of_early = {}) {
  return network(str(kTrunk, kEarly, kCopy, "[[output]]\nfrom = \"scores\"\nweight = 0.5\n",
                     "[[output]]\nfrom = \"early\"\nweight = ", weight_of_early, "\n", loss_of_early,
                     "[[output]]\nname = \"image\"\nfrom = \"copy\"\nweight = 0.25\n",
                     "target = \"input\"\nloss = \"mean-squared-error\"\n"),
                 data().train.sample);
}

std::vector<float> weights_of(const Network& network, const std::string& name) {
  const auto values = network.variables().at(name).values();
  return {values.begin(), values.end()};
}

/// How far a step of plain SGD is from that of the exact gradient of the objective, relative to the latter, by the mean
/// over the elements of the parameter that is worst.
double error_of_step(const Loss& loss, const std::vector<double>& factors, const std::string& loss_of_early = {}) {
  Network net = three_outputs("0.3", loss_of_early);
  const Dataset& digits = data().train;
  constexpr std::size_t kBatch = 40;
  Dataset few = digits;
  few.bytes.resize(kBatch * 64);
  few.labels.resize(kBatch);

  // In double, in one piece: Σ factor · weight · (Σ w·loss / Σ w).
  Graph graph = training_form(net.graph());
  const auto losses = add_losses(graph, net, loss, {10});
  Value sum = graph.constant(0);
  for (std::size_t i = 0; i < losses.size(); ++i)
    sum = sum + graph.constant(factors[i] * losses[i].output.weight) * batch_mean(losses[i].of_sample);
  const auto parameters = graph.parameters();
  const auto derivatives = gradients(sum, parameters);
  Reference reference(graph, kBatch);
  std::vector<double> x, t(kBatch * 10);
  for (std::size_t i = 0; i < few.bytes.size(); ++i)
    x.push_back(static_cast<double>(std::fma(static_cast<float>(few.bytes[i]), few.scale[0], few.shift[0])));
  for (std::size_t i = 0; i < kBatch; ++i) t[i * 10 + static_cast<std::size_t>(few.labels[i])] = 1;
  reference.set(graph.find("x").id(), x);
  reference.set(graph.find("t").id(), t);
  for (const auto& [name, tensor] : net.variables().all()) {
    if (const Value leaf = graph.find(name)) reference.set(leaf.id(), {tensor.values().begin(), tensor.values().end()});
  }
  reference.run();

  constexpr double kRate = 0.125;
  std::vector<std::vector<float>> before;
  for (const auto& parameter : parameters) before.push_back(weights_of(net, parameter.name()));
  TrainOptions options{.epochs = 1, .batch = kBatch, .optimizer = sgd({.lr = kRate, .momentum = 0}), .threads = 1};
  options.loss = loss;
  train(net, few, options);
  double worst = 0;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    double error = 0, size = 0;
    const auto after = weights_of(net, parameters[i].name());
    const auto& right = reference.value(derivatives[i].id());
    for (std::size_t at = 0; at < after.size(); ++at) {
      const double step = (static_cast<double>(before[i][at]) - static_cast<double>(after[at])) / kRate;
      error += std::abs(step - right[at]);
      size += std::abs(right[at]);
    }
    worst = std::max(worst, error / size);
  }
  return worst;
}

TEST(SeveralOutputs, AStepFollowsTheExactGradientOfTheWeightedSum) {
  const std::vector<double> weighted{1, 2, 0.5, 1, 1, 3, 1, 1, 0.25, 1};
  const std::vector<std::pair<Loss, std::string>> cases{
      {Loss::cross_entropy, ""},
      {CrossEntropy{.label_smoothing = 0.1, .class_weights = weighted}, ""},  // both are divided by the same
      {CrossEntropy{.class_weights = weighted}, "loss = \"cross-entropy\"\n"},
      {Loss::cross_entropy, "loss = \"focal\"\nclass_weights = [1, 2, 0.5, 1, 1, 3, 1, 1, 0.25, 1]\n"},
      {Loss::squared_error, "loss = \"cross-entropy\"\nlabel_smoothing = 0.2\n"},
  };
  for (const auto& [loss, of_early] : cases) {
    EXPECT_LT(error_of_step(loss, {1, 1, 1}, of_early), 1e-4) << name_of(loss) << of_early;
    for (std::size_t i = 0; i < 3; ++i) {  // a weight that is wrong by 1 % is noticed
      std::vector<double> factors{1, 1, 1};
      factors[i] = 1.01;
      EXPECT_GT(error_of_step(loss, factors, of_early), 9e-3) << name_of(loss) << of_early << i;
    }
  }
}

TEST(SeveralOutputs, AStepReportsEachLossAndTheirSum) {
  Network net = three_outputs();
  Trainer trainer(net, data().train, quick());
  while (!trainer.epoch_ended() || trainer.progress().step == 0) {
    const Progress& now = trainer.step();
    ASSERT_EQ(now.outputs.size(), 3);
    EXPECT_EQ(now.outputs[0].name + now.outputs[1].name + now.outputs[2].name, "yearlyimage");
    const double sum = 0.5 * now.outputs[0].loss + 0.3 * now.outputs[1].loss + 0.25 * now.outputs[2].loss;
    EXPECT_NEAR(now.loss, sum, 1e-6 * sum);
    const double mean =
        0.5 * now.outputs[0].mean_loss + 0.3 * now.outputs[1].mean_loss + 0.25 * now.outputs[2].mean_loss;
    EXPECT_NEAR(now.mean_loss, mean, 1e-6 * mean);
  }
  Network one = network(kTrunk, data().train.sample);
  Trainer usual(one, data().train, quick());
  EXPECT_TRUE(usual.step().outputs.empty());
}

TEST(SeveralOutputs, AllOfThemLearn) {
  Network net = three_outputs();
  const auto before = evaluate(net, data().test);
  train(net, data().train, quick());
  const auto after = evaluate(net, data().test);
  EXPECT_GT(after.accuracy, 0.9);
  ASSERT_EQ(after.others.size(), 2);
  for (std::size_t i = 0; i < 2; ++i) EXPECT_LT(after.others[i].loss, 0.8 * before.others[i].loss) << i;
  EXPECT_GT(after.others[0].accuracy.value_or(0), 0.3);
  EXPECT_FALSE(after.others[1].accuracy);
  EXPECT_EQ(after.others[1].measured, Loss(Loss::mean_squared_error));
  EXPECT_NEAR(after.objective, 0.5 * after.loss + 0.3 * after.others[0].loss + 0.25 * after.others[1].loss, 1e-12);
}

TEST(SeveralOutputs, AreTheSameBitsOnAnyNumberOfThreads) {
  const auto sha = [](int threads) {
    Network net = three_outputs();
    auto options = quick();
    options.loss = CrossEntropy{.class_weights = {1, 2, 0.5, 1, 1, 3, 1, 1, 0.25, 1}};
    options.threads = threads;
    options.epochs = 1;
    train(net, data().train, options);
    return net.weights_sha256();
  };
  const auto expected = sha(1);
  for (const int threads : {2, 3, 4}) EXPECT_EQ(sha(threads), expected) << threads;
}

TEST(SeveralOutputs, OneOfWeightZeroIsAsIfItWereNotThere) {
  auto options = quick();
  options.optimizer = sgd({.lr = 0.05, .momentum = 0.9, .weight_decay = 0.01});
  options.clip_norm = 1;
  options.epochs = 1;
  Network plain = network(kTrunk, data().train.sample), zero = network(with_early("0"), data().train.sample);
  const auto head = weights_of(zero, "dense3.weight"), mean = weights_of(zero, "batch_norm1.running_mean");
  const auto last = train(zero, data().train, options).last;
  EXPECT_TRUE(last.outputs.empty());
  EXPECT_EQ(last.loss, train(plain, data().train, options).last.loss);
  for (const auto& name : {"conv1.weight", "conv1.bias", "dense1.weight", "dense2.weight", "dense2.bias"})
    EXPECT_EQ(weights_of(zero, name), weights_of(plain, name)) << name;
  EXPECT_EQ(weights_of(zero, "dense3.weight"), head);
  EXPECT_EQ(weights_of(zero, "batch_norm1.running_mean"), mean);
  EXPECT_FALSE(zero.variables().contains("dense3.weight.momentum"));
  EXPECT_EQ(evaluate(zero, data().test).others.size(), 1);  // it is measured nevertheless
}

TEST(SeveralOutputs, OneAloneIsTheSameGraphHoweverItIsWritten) {
  const auto step = [](const std::string& text) {
    return training_graph(network(text, {1, 8, 8}), {10}, true, {}).graph.print();
  };
  EXPECT_EQ(step(str(kTrunk, "[[output]]\nfrom = \"scores\"\n")), step(kTrunk));
}

TEST(SeveralOutputs, ARunGoesOnToTheSameBitsAndTheSameMeans) {
  auto options = quick();
  Network whole = three_outputs();
  const auto expected = train(whole, data().train, options).last;
  Network first = three_outputs();
  const auto file = temporary("outputs.safetensors");
  {
    Trainer trainer(first, data().train, options);
    for (int i = 0; i < 40; ++i) trainer.step();  // amid the second epoch
    trainer.save(file);
  }
  Network second = Network::load(file);
  EXPECT_EQ(second.outputs(), first.outputs());
  const auto last = train(second, data().train, options).last;
  EXPECT_EQ(second.weights_sha256(), whole.weights_sha256());
  ASSERT_EQ(last.outputs.size(), 3);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(last.outputs[i].mean_loss, expected.outputs[i].mean_loss);

  Network third = Network::load(file);
  Trainer goes_on(third, data().train, options);
  const Progress resumed = goes_on.step();
  Network fourth = three_outputs();
  Trainer never_stopped(fourth, data().train, options);
  for (int i = 0; i < 40; ++i) never_stopped.step();
  EXPECT_EQ(resumed.outputs[1].mean_loss, never_stopped.step().outputs[1].mean_loss);
}

TEST(SeveralOutputs, AnOutputIsMeasuredAndPredictedAsIfItWereTheOnlyOne) {
  Network net = three_outputs();
  train(net, data().train, quick());
  Network alone = network(str("output = \"early\"\n[[layer]]\nchain = \"6c3z-relu-mp2\"\n", kEarly), {1, 8, 8});
  for (const auto& [mine, theirs] : {std::pair{"dense1", "dense3"}}) {
    for (const char* of : {".weight", ".bias"})
      alone.variables().at(str(mine, of)).assign(std::as_const(net.variables()).at(str(theirs, of)).values());
  }
  for (const auto& [name, tensor] : std::as_const(net.variables()).all()) {
    if (!name.starts_with("dense") && alone.variables().contains(name))
      alone.variables().at(name).assign(tensor.values());
  }
  alone.encoding = net.encoding;
  const auto expected = evaluate(alone, data().test), found = evaluate(net, data().test);
  EXPECT_EQ(found.others[0].loss, expected.loss);
  EXPECT_EQ(found.others[0].accuracy, expected.accuracy);

  const Feed samples{
      .bytes = data().test.bytes.data(), .scale = data().test.scale.data(), .shift = data().test.shift.data()};
  EXPECT_EQ(predict(net, samples, 30, true, 1, "early"), predict(alone, samples, 30, true, 1));
  EXPECT_NE(predict(net, samples, 30, true, 1, "early"), predict(net, samples, 30, true, 1));
  EXPECT_EQ(predict(net, samples, 2, true, 1, "image").size(), 128);
  EXPECT_EQ(outputs_of(net), Outputs::classes);
  EXPECT_EQ(outputs_of(net, "early"), Outputs::classes);
  EXPECT_EQ(outputs_of(net, "image"), Outputs::numbers);
  EXPECT_EQ(message([&] { predict(net, samples, 1, true, 1, "late"); }),
            "the network has no output \"late\"; it has y, early and image");
}

TEST(SeveralOutputs, ValidationLooksAtTheFirst) {
  Network net = three_outputs();
  auto options = quick();
  options.validation = &data().test;
  const auto last = train(net, data().train, options).last;
  const auto best = evaluate(net, data().test);
  EXPECT_EQ(net.training->best.loss, best.loss);
  EXPECT_EQ(last.best_epoch, net.training->best.epoch);
}

TEST(SeveralOutputs, OfAGraphInCppAreTheSame) {
  Graph g;
  const Value x = g.input("x", {4});
  g.layer("dense1");
  const Value hidden = relu(dense_layer(x, {.outputs = 8}));
  g.layer("dense2");
  g.output("y", dense_layer(hidden, {.outputs = 3}));
  g.layer("dense3");
  g.output("copy", dense_layer(hidden, {.outputs = 4}));
  g.layer("");
  const std::vector<NetworkOutput> outputs{
      {}, {.name = "copy", .weight = 2, .loss = Huber{.delta = 0.5}, .reconstructs = true}};
  const std::string text = R"(
[[layer]]
chain = "8n-relu"
[[layer]]
name = "scores"
chain = "3n"
[[layer]]
name = "copy"
from = "relu1"
chain = "4n"
[[output]]
from = "scores"
[[output]]
from = "copy"
weight = 2.0
loss = "huber"
delta = 0.5
target = "input"
)";
  Network built(std::move(g), text, outputs), read = network(text, {4});
  built.initialize(1);
  EXPECT_EQ(read.outputs(), outputs);
  Dataset points;
  points.name = "points";
  points.sample = {4};
  points.class_names = {"a", "b", "c"};
  for (int i = 0; i < 60; ++i) {
    for (int k = 0; k < 4; ++k) points.values.push_back(static_cast<float>((i * (k + 3)) % 11) / 11);
    points.labels.push_back(i % 3);
  }
  for (Network* net : {&built, &read}) train(*net, points, quick());
  EXPECT_EQ(built.weights_sha256(), read.weights_sha256());
}

TEST(SeveralOutputs, SayWhatTheyCannotBe) {
  const auto made = [](std::vector<NetworkOutput> outputs) {
    return message([&] {
      Graph g;
      const Value x = g.input("x", {4});
      g.output("y", relu(x));
      g.output("aux", exp(x));
      g.output("one", g.parameter("w", {2}));
      const Network net(std::move(g), "relu", std::move(outputs));
    });
  };
  EXPECT_EQ(made({{}, {.name = "aux"}}), "no error");
  EXPECT_EQ(made({{.name = "aux"}}), "the first output of a network must be \"y\", not \"aux\"");
  EXPECT_EQ(made({{}, {.name = "au"}}), "the network has no output \"au\"; it has y, aux and one");
  EXPECT_EQ(made({{}, {.name = "one"}}), "the output one is the same for all samples; it must be one per sample");
  EXPECT_EQ(made({{}, {.name = "aux"}, {.name = "aux"}}),
            "the output aux is there twice; give one of them another name");
  EXPECT_EQ(made({{}, {.name = "aux", .weight = -1}}), "the output aux has the weight -1; it must be from 0 to 1000");
  EXPECT_EQ(made({{}, {.name = "aux", .weight = NAN}}), "the output aux has the weight nan; it must be from 0 to 1000");
  EXPECT_EQ(made({{.weight = 0}, {.name = "aux"}}),
            "the output y has the weight 0, but it is what the network predicts; give it another");
  EXPECT_EQ(made({{.loss = Loss::huber}, {.name = "aux"}}),
            "the output y is the first, whose loss is that of TrainOptions; leave its own out");
  EXPECT_EQ(made({{.reconstructs = true}, {.name = "aux"}}),
            "the output y is the first, which is compared with the data's targets; let another one have the input as "
            "its target");
  EXPECT_EQ(made({{}, {.name = "aux", .reconstructs = true}}),
            "the output aux has the input as its target and needs a loss for that, such as mean-squared-error");
  for (const auto& [loss, name] :
       {std::pair{Loss::cross_entropy, "cross-entropy"}, {Loss::sigmoid_cross_entropy, "sigmoid-cross-entropy"}}) {
    EXPECT_EQ(made({{}, {.name = "aux", .loss = loss, .reconstructs = true}}),
              str("the output aux has the input as its target, which can be any numbers; ", name,
                  " does not take them, mean-squared-error does"));
  }
}

TEST(SeveralOutputs, SayWhatDoesNotFitTheData) {
  const auto trained = [](const std::string& text, const Loss& loss = Loss::cross_entropy) {
    return message([&] {
      Network net = network(str(kTrunk, text), data().train.sample);
      train(net, data().train, {.epochs = 1, .loss = loss});
    });
  };
  const std::string first = "[[output]]\nfrom = \"scores\"\n[[output]]\nfrom = \"aux\"\n";
  const std::string seven = "[[layer]]\nname = \"aux\"\nfrom = \"maxpool1\"\nchain = \"7n\"\n" + first;
  EXPECT_EQ(
      trained(seven),
      "the output aux is 7 but the data have 10 classes; sample 25 has label 9: correct it, or let it come from a "
      "branch that ends with a dense layer of as many neurons, e.g. 10n");
  EXPECT_EQ(trained(seven + "target = \"input\"\nloss = \"mean-squared-error\"\n"),
            "the output aux is 7 but the samples are 1×8×8; change the layer it comes from");
  const std::string ten = "[[layer]]\nname = \"aux\"\nfrom = \"maxpool1\"\nchain = \"10n\"\n" + first;
  EXPECT_EQ(trained(ten + "maximise = \"log-likelihood\"\n"),
            "the output aux has the loss log-likelihood, which is maximised, but the first one cross-entropy, which is "
            "minimised; choose two of one kind");
  EXPECT_EQ(trained(ten + "maximise = \"log-likelihood\"\n", Loss::gaussian_log_likelihood), "no error");
  EXPECT_EQ(trained(ten + "loss = \"pixel-cross-entropy\"\n"),
            "the output aux: data set \"digits\" has a label for each sample, and pixel-cross-entropy needs one for "
            "each place; train with the loss cross-entropy");
  EXPECT_EQ(trained(ten + "loss = \"cross-entropy\"\nclass_weights = [1, 2]\n"),
            "loss: 2 class weights do not fit 10 classes; give one for each");
}

TEST(SeveralOutputs, SayWhichOfThemIsOutsideItsLossesDomain) {
  Dataset points;
  points.name = "points";
  points.sample = {2};
  points.target = {2};
  points.values = {0.5F, 1, -1, 0.25F};
  points.targets = {0, 1, 1, 0};
  Network net = network(R"(
[[layer]]
name = "scores"
chain = "2n"
[[layer]]
name = "aux"
from = "x"
chain = "tanh"
[[output]]
from = "scores"
[[output]]
from = "aux"
loss = "binary-cross-entropy"
)",
                        {2});
  EXPECT_EQ(message([&] { train(net, points, {.batch = 2, .loss = Loss::squared_error}); }),
            "step 1 (epoch 1): aux gives -0.761594 for output 0 of sample 1; binary cross-entropy takes its "
            "logarithm and needs outputs between 0 and 1; end the network with sigmoid");
}

}  // namespace
}  // namespace chalk
