// What a network's outputs are, and that nobody is given an answer that is none.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "chalkgrad/inspect.h"
#include "src/train/train_testing.h"

namespace chalk {
namespace {

using train_testing::data;
using train_testing::message;
using train_testing::quick;

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN(), kInf = std::numeric_limits<float>::infinity();

/// As if it had been trained with that loss, on labels or on targets.
Network trained(const std::string& text, Loss loss, bool labels = true) {
  Network net = network(text, {4});
  net.training.emplace();
  net.training->options.loss = loss;
  if (labels) net.encoding.class_names = {"a", "b", "c"};
  return net;
}

/// One sample of four ones, and its target.
Dataset one_sample(float target, Shape shape = {1}) {
  Dataset one;
  one.name = "one";
  one.sample = {4};
  one.values = {1, 1, 1, 1};
  one.target = std::move(shape);
  one.targets = {target};
  return one;
}

std::string toml(const std::string& layers) {
  std::string text = "input = [4]\n[[layer]]\ntype = \"dense\"\noutputs = 3\n";
  for (std::size_t at = 0; at < layers.size();) {
    const auto end = std::min(layers.find(' ', at), layers.size());
    text += "[[layer]]\ntype = \"" + layers.substr(at, end - at) + "\"\n";
    if (layers.substr(at, end - at) == "reshape") text += "shape = [1, 3, 1]\n";
    at = end + 1;
  }
  return text;
}

TEST(Outputs, AreProbabilitiesOnlyWhereTheyAre) {
  using L = Loss;
  struct Case {
    std::string text;
    Loss loss;
    bool labels;
    Outputs expected;
  };
  for (const auto& [text, loss, labels, expected] : std::vector<Case>{
           {"3n", L::cross_entropy, true, Outputs::classes},
           {"3n", L::log_likelihood, true, Outputs::classes},
           {"3n-softmax", L::cross_entropy, true, Outputs::classes},
           {"3n-sigmoid", L::cross_entropy, true, Outputs::classes},
           {"3n-softmax", L::squared_error, true, Outputs::classes},
           {"3n-softmax", L::binary_cross_entropy, false, Outputs::classes},
           {"3n", L::squared_error, true, Outputs::numbers},
           {"3n-tanh", L::gaussian_log_likelihood, true, Outputs::numbers},
           {"3n-relu", L::mean_absolute_error, false, Outputs::numbers},
           {"3n-sigmoid", L::binary_cross_entropy, true, Outputs::probabilities},
           {"1n-sigmoid", L::binary_cross_entropy, false, Outputs::probabilities},
           {"3n-sigmoid", L::sum_of_squares, true, Outputs::probabilities},
           {"3n-sigmoid", L::squared_error, false, Outputs::numbers},
           {"3n-tanh", L::binary_cross_entropy, true, Outputs::numbers},
           {"3n", L::sigmoid_cross_entropy, false, Outputs::probabilities},
           {"3n-sigmoid", L::sigmoid_cross_entropy, false, Outputs::probabilities},
           {"3n", CrossEntropy{.label_smoothing = 0.1}, true, Outputs::classes},
           {"3n", L::focal, true, Outputs::classes},
           {"3n", L::kl_divergence, false, Outputs::classes},
           {"3n", L::multi_class_margin, true, Outputs::numbers},
           {toml("softmax reshape flatten"), L::squared_error, true, Outputs::classes},
           {toml("log_softmax"), L::squared_error, true, Outputs::classes},
           {toml("sigmoid reshape flatten"), L::binary_cross_entropy, true, Outputs::probabilities},
           {toml("softmax tanh"), L::squared_error, true, Outputs::numbers},
       }) {
    EXPECT_EQ(outputs_of(trained(text, loss, labels)), expected) << text << " " << name_of(loss) << " " << labels;
  }
}

TEST(Outputs, OfSigmoidCrossEntropyAreMadeProbabilities) {
  const float x[] = {1, -2, 3, 0.5F};
  Network ends = trained("3n-sigmoid", Loss::sigmoid_cross_entropy, false);
  Network without = trained("3n", Loss::sigmoid_cross_entropy, false);
  const auto logits = predict(without, {.values = x}, 1, false), p = predict(without, {.values = x}, 1, true);
  EXPECT_EQ(p, predict(ends, {.values = x}, 1, true)) << "the sigmoid at its end is the one that would be added";
  for (std::size_t i = 0; i < p.size(); ++i) EXPECT_NEAR(p[i], 1 / (1 + std::exp(-logits[i])), 1e-6);
}

TEST(Outputs, OfAnUntrainedNetworkAreWhatItsEndSays) {
  EXPECT_EQ(outputs_of(network("3n", {4})), Outputs::classes);
  EXPECT_EQ(outputs_of(network("3n-sigmoid", {4})), Outputs::probabilities);
  EXPECT_EQ(outputs_of(network("2c3", {1, 5, 5})), Outputs::numbers);
  EXPECT_EQ(outputs_of(network("network = \"3n\"\n[train]\nloss = \"squared-error\"\n", {4})), Outputs::numbers);
}

TEST(Outputs, ProbabilitiesBehindALogSoftmaxOrAReshapeSumToOne) {
  const float x[] = {1, -2, 3, 0.5F};
  const auto plain = predict(*std::make_unique<Network>(network("3n", {4})), {.values = x}, 1, true);
  for (const auto* layers : {"softmax", "log_softmax", "softmax reshape flatten", "log_softmax reshape flatten"}) {
    Network net = network(toml(layers), {});
    const auto p = predict(net, {.values = x}, 1, true);
    EXPECT_NEAR(std::accumulate(p.begin(), p.end(), 0.0), 1, 1e-6) << layers;
    EXPECT_EQ(p, plain) << layers << ": the last softmax is the one that would be added";
  }
}

// The loss adds no second softmax, whatever reshapes stand behind the first.
TEST(Outputs, AreTrainedThroughReshapes) {
  std::vector<double> losses;
  for (const auto* layers : {"softmax", "log_softmax", "softmax reshape flatten"}) {
    Network net = network(toml(layers), {});
    Dataset some;
    some.name = "some";
    some.sample = {4};
    some.values = {1, -2, 3, 0.5F, 2, 2, -1, 0};
    some.labels = {2, 0};
    some.class_names = {"a", "b", "c"};
    losses.push_back(evaluate(net, some).loss);
  }
  EXPECT_EQ(losses[0], losses[1]);
  EXPECT_EQ(losses[0], losses[2]);
}

// ---- class by class

/// A network that gives its four inputs as its outputs, and samples whose outputs are chosen.
struct Answers {
  Answers() : network(chalk::network("4n", {4})) {
    network.variables().at("dense1.weight").assign(std::vector<float>{1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1});
    data.name = "chosen";
    data.sample = {4};
    data.class_names = {"a", "b", "c", "d"};
  }
  void add(std::int32_t label, std::vector<float> outputs) {
    data.labels.push_back(label);
    data.values.insert(data.values.end(), outputs.begin(), outputs.end());
  }
  Network network;
  Dataset data;
};

Answers some_answers() {
  Answers some;
  some.add(0, {9, 1, 2, 3});
  some.add(0, {9, 8, 2, 3});
  some.add(0, {1, 8, 2, 3});  // taken for b; rank 3
  some.add(1, {1, 8, 2, 3});
  some.add(1, {8, 3, 2, 1});  // taken for a; rank 1
  some.add(2, {5, 4, 5, 1});  // taken for a, which is as large; rank 1
  some.add(2, {1, 7, 6, 6});  // taken for b; rank 1
  some.add(2, {1, 7, 5, 6});  // taken for b; rank 2
  return some;                // no sample is of class d, and none was taken for c or d
}

TEST(Evaluation, CountsByHand) {
  auto some = some_answers();
  const auto result = evaluate(some.network, some.data);
  EXPECT_EQ(result.confusion, (std::vector<std::int64_t>{2, 1, 0, 0, 1, 1, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(result.ranks, (std::vector<std::int64_t>{3, 3, 1, 1}));
  EXPECT_EQ(result.accuracy, 3.0 / 8);
  EXPECT_EQ(result.top(1), result.accuracy);
  EXPECT_EQ(result.top(2), 6.0 / 8);
  EXPECT_EQ(result.top(3), 7.0 / 8);
  EXPECT_EQ(result.top(4), 1);
  EXPECT_EQ(result.top(99), 1);
}

// Those of scikit-learn 1.9's precision_recall_fscore_support, with zero_division=np.nan for "nothing".
TEST(Evaluation, HasTheSharesOfScikitLearn) {
  auto some = some_answers();
  const auto result = evaluate(some.network, some.data);
  const auto& c = result.classes;
  EXPECT_EQ(*c[0].precision(), 0.5);
  EXPECT_EQ(*c[1].precision(), 0.25);
  EXPECT_FALSE(c[2].precision());
  EXPECT_FALSE(c[3].precision());
  EXPECT_EQ(*c[0].recall(), 2.0 / 3);
  EXPECT_EQ(*c[1].recall(), 0.5);
  EXPECT_EQ(*c[2].recall(), 0);
  EXPECT_FALSE(c[3].recall());
  EXPECT_NEAR(*c[0].f1(), 0.57142857142857142, 1e-15);
  EXPECT_NEAR(*c[1].f1(), 1.0 / 3, 1e-15);
  EXPECT_EQ(*c[2].f1(), 0);
  EXPECT_FALSE(c[3].f1());
  const auto means = result.means();
  EXPECT_NEAR(*means.precision, 0.375, 1e-15);
  EXPECT_NEAR(*means.recall, 0.38888888888888884, 1e-15);
  EXPECT_NEAR(*means.f1, 0.30158730158730157, 1e-15);
  EXPECT_FALSE(Evaluation{}.means().f1);
  EXPECT_EQ(Evaluation{}.top(1), 0);
}

// ---- several networks

TEST(Ensembles, AnswerWithTheMeanOfTheirProbabilities) {
  Network a = trained("3n", Loss::cross_entropy), b = trained("5n-tanh-3n-softmax", Loss::squared_error);
  const float x[] = {1, -2, 3, 0.5F, 0, 1, 0, -1};
  Network* both[] = {&a, &b};
  Ensemble ensemble(both);
  const auto mean = ensemble({.values = x}, 2);
  const auto p = predict(a, {.values = x}, 2, true), q = predict(b, {.values = x}, 2, true);
  ASSERT_EQ(mean.size(), 6U);
  for (std::size_t i = 0; i < 6; ++i) EXPECT_FLOAT_EQ(mean[i], (p[i] + q[i]) / 2);
}

TEST(Ensembles, AreMeasuredAsOneNetworkIs) {
  auto some = some_answers();
  auto other = some_answers();
  other.network.variables().at("dense1.bias").assign(std::vector<float>{0, 0, 4, 0});
  for (const Loss& loss :
       {Loss(Loss::cross_entropy), Loss(CrossEntropy{.label_smoothing = 0.2, .class_weights = {1, 2, 3, 4}}),
        Loss(Loss::focal), Loss(Loss::squared_error), Loss(Loss::hinge), Loss(Loss::sigmoid_cross_entropy)}) {
    for (auto* network : {&some.network, &other.network}) network->training.emplace().options.loss = loss;
    Network* twice[] = {&some.network, &some.network};
    Network* both[] = {&some.network, &other.network};
    const auto alone = evaluate(some.network, some.data), same = evaluate(twice, some.data);
    EXPECT_NEAR(same.loss, alone.loss, 1e-5 * std::abs(alone.loss)) << name_of(loss);
    EXPECT_EQ(same.confusion, alone.confusion) << name_of(loss);
    const auto better = evaluate(both, some.data);
    if (loss == Loss(Loss::cross_entropy)) {
      EXPECT_LT(better.loss, alone.loss);
      double expected = 0;
      const auto p = predict(some.network, {.values = some.data.values.data()}, 8, true);
      const auto q = predict(other.network, {.values = some.data.values.data()}, 8, true);
      for (std::size_t i = 0; i < 8; ++i) {
        const auto at = i * 4 + static_cast<std::size_t>(some.data.labels[i]);
        expected -= std::log((static_cast<double>(p[at]) + static_cast<double>(q[at])) / 2) / 8;
      }
      EXPECT_NEAR(better.loss, expected, 1e-6);
    }
  }
}

TEST(Ensembles, ThatAreSureAndWrongHaveAFiniteLoss) {
  Answers sure;
  sure.add(1, {1000, 0, -1000, 0});
  Network* twice[] = {&sure.network, &sure.network};
  EXPECT_NEAR(evaluate(twice, sure.data).loss, 126 * std::log(2), 1e-4);
  Network sigmoid = trained("1n-sigmoid", Loss::binary_cross_entropy, false);
  std::ranges::fill(sigmoid.variables().at("dense1.weight").values(), 1000.0F);
  const Dataset one = one_sample(0);
  Network* wrong[] = {&sigmoid, &sigmoid};
  EXPECT_NEAR(evaluate(wrong, one).loss, 126 * std::log(2), 1e-4);
}

TEST(Ensembles, ReadBytesAsEachWasTrainedTo) {
  const auto& part = data().test;
  Network net = network("10n", part.sample);
  train(net, data().train, quick());
  Network scaled = net;
  for (auto& scale : scaled.encoding.scale) scale /= 2;
  for (auto& shift : scaled.encoding.shift) shift /= 2;
  for (auto& w : scaled.variables().at("dense1.weight").values()) w *= 2;
  Network* both[] = {&scaled, &net};
  EXPECT_EQ(evaluate(both, part).confusion, evaluate(net, part).confusion);
}

TEST(Ensembles, MustBeAlike) {
  Network a = trained("3n", Loss::cross_entropy), b = trained("2n", Loss::cross_entropy),
          c = trained("3n", Loss::squared_error), d = trained("3n", Loss::cross_entropy);
  d.encoding.class_names = {"a", "b", "x"};
  const auto said = [&](Network& other) {
    Network* both[] = {&a, &other};
    return message([&] { Ensemble ensemble(both); });
  };
  EXPECT_EQ(said(b), "network 2 of the ensemble goes from 4 to 2, and the first from 4 to 3; leave one of them out");
  EXPECT_EQ(said(c),
            "network 2 of the ensemble gives numbers, and the first one probability for each class, which have "
            "no common mean; leave one of them out");
  EXPECT_EQ(said(d), "network 2 of the ensemble has other classes than the first; leave one of them out");
  EXPECT_EQ(message([] { Ensemble ensemble({}); }), "an ensemble needs at least one network");
  Network bad = trained("3n", Loss::cross_entropy);
  bad.variables().at("dense1.bias").values()[0] = kNaN;
  EXPECT_TRUE(said(bad).starts_with("network 2 of the ensemble: the parameter dense1.bias is not finite (NaN);"))
      << said(bad);
}

TEST(Ensembles, AreCalledByTheNamesTheyAreGiven) {
  Network a = trained("3n", Loss::cross_entropy), b = trained("2n", Loss::cross_entropy),
          c = trained("3n", Loss::squared_error), d = trained("3n", Loss::cross_entropy),
          bad = trained("3n", Loss::cross_entropy);
  d.encoding.class_names = {"a", "b", "x"};
  bad.variables().at("dense1.bias").values()[0] = kNaN;
  Dataset one;
  one.name = "one";
  one.sample = {4};
  one.values = {1, 1, 1, 1};
  one.labels = {1};
  one.class_names = {"a", "b", "c"};
  const auto said = [&](Network& other) {
    Network* both[] = {&a, &other};
    const auto all = message([&] { Ensemble ensemble(both, 1, {"a.st", "b.st"}); });
    EXPECT_EQ(message([&] { evaluate(both, one, 1, {"a.st", "b.st"}); }), all);
    return all;
  };
  EXPECT_EQ(said(b), "b.st goes from 4 to 2, and a.st from 4 to 3; leave one of them out");
  EXPECT_EQ(said(c),
            "b.st gives numbers, and a.st one probability for each class, which have no common mean; leave one of them "
            "out");
  EXPECT_EQ(said(d), "b.st has other classes than a.st; leave one of them out");
  EXPECT_TRUE(said(bad).starts_with("b.st: the parameter dense1.bias is not finite (NaN);")) << said(bad);
  Network* both[] = {&a, &a};
  Ensemble ensemble(both, 1, {"a.st", "b.st"});
  a.variables().at("dense1.bias").values()[0] = kInf;
  EXPECT_TRUE(message([&] { ensemble({.values = one.values.data()}); }).starts_with("a.st: "));
}

TEST(Ensembles, OfMoreSamplesThanARunTakesAreMeasuredAsOneNetworkIs) {
  Answers many;
  for (int i = 0; i < 3000; ++i) {
    const auto at = [&](int k) { return static_cast<float>((i * 7 + k * k * 3 + i * k) % 11) / 4; };
    many.add(i % 3 == 0 ? 1 : i % 4, {at(0), at(1), at(2), at(3)});
  }
  many.network.training.emplace().options.loss = CrossEntropy{.class_weights = {1, 2, 0.3, 4}};
  Network* twice[] = {&many.network, &many.network};
  const auto alone = evaluate(many.network, many.data), same = evaluate(twice, many.data);
  EXPECT_NEAR(same.loss, alone.loss, 1e-6 * alone.loss);
  EXPECT_EQ(same.confusion, alone.confusion);
  double loss = 0, weight = 0;
  for (std::size_t i = 0; i < 3000; ++i) {
    const auto y = std::span(many.data.values).subspan(4 * i, 4);
    double sum = 0;
    for (const float v : y) sum += std::exp(static_cast<double>(v));
    const auto label = static_cast<std::size_t>(many.data.labels[i]);
    const double w = std::vector<double>{1, 2, 0.3, 4}[label];
    loss -= w * (static_cast<double>(y[label]) - std::log(sum));
    weight += w;
  }
  EXPECT_NEAR(alone.loss, loss / weight, 1e-6);
}

TEST(Ensembles, SayWhichDataTheyWant) {
  Network a = trained("3n", Loss::squared_error, false);
  Dataset wide;
  wide.name = "wide";
  wide.sample = {4};
  wide.values = {1, 1, 1, 1};
  wide.target = {2};
  wide.targets = {1, 1};
  Network* both[] = {&a, &a};
  EXPECT_EQ(message([&] { evaluate(both, wide); }),
            "the networks' output is 3 but the data want 2; give data like those that the networks were trained on");
}

TEST(Ensembles, SayThatALossIsNotFinite) {
  Network tanh = trained("1n-tanh", Loss::binary_cross_entropy, false);
  std::ranges::fill(tanh.variables().at("dense1.weight").values(), -1.0F);
  const Dataset one = one_sample(1);
  Network* both[] = {&tanh, &tanh};
  EXPECT_EQ(message([&] { evaluate(both, one); }),
            "the ensemble's binary-cross-entropy is not finite; measure the networks one by one");
}

// ---- NaN and infinity

/// A digit classifier in which one number of a parameter is spoilt. An infinite weight hides behind a sigmoid.
Network spoilt(const char* parameter, float value, const char* text = "4c3-sigmoid-10n") {
  Network net = network(text, data().train.sample);
  net.variables().at(parameter).values()[1] = value;
  return net;
}

TEST(NotFinite, ParametersAreNamed) {
  const auto feed = [] {
    const auto& test = data().test;
    return Feed{.bytes = test.bytes.data(), .scale = test.scale.data(), .shift = test.shift.data()};
  };
  for (const auto& [parameter, value, said] : {std::tuple{"conv1.weight", kNaN, "conv1.weight is not finite (NaN)"},
                                               {"conv1.bias", kInf, "conv1.bias is not finite (inf)"},
                                               {"dense1.weight", -kInf, "dense1.weight is not finite (inf)"}}) {
    Network net = spoilt(parameter, value);
    const auto expected = "the parameter " + std::string(said) +
                          "; train it again, with a smaller lr, or use a model from before that happened";
    EXPECT_EQ(message([&] { evaluate(net, data().test); }), expected);
    EXPECT_EQ(message([&] { Predictor predictor(net); }), expected);
    EXPECT_EQ(message([&] { predict(net, feed(), 2, true); }), expected);
  }
  Network net = network("4c3-bn-tanh-10n", data().train.sample);
  net.variables().at("batch_norm1.running_var").values()[0] = kNaN;
  EXPECT_NE(message([&] { predict(net, feed(), 1, true); }).find("batch_norm1.running_var"), std::string::npos);
}

TEST(NotFinite, ParametersThatBecomeSoLaterAreNamed) {
  Network net = network("10n", {4});
  const float x[] = {1, 2, 3, 4};
  Predictor predictor(net, true);
  predictor({.values = x});
  net.variables().at("dense1.bias").values()[3] = kNaN;
  EXPECT_EQ(message([&] { predictor({.values = x}); }),
            "the network's answer is not finite; the first value that is not is in the parameter dense1.bias (NaN); "
            "train it again, with a smaller lr, or use a model from before that happened");
}

TEST(NotFinite, LayersThatOverflowAreNamed) {
  Network net = network("8n-relu-5n-tanh-3n", {4});
  std::ranges::fill(net.variables().at("dense1.weight").values(), 3e38F);
  std::ranges::fill(net.variables().at("dense2.weight").values(), 1.0F);
  const float x[] = {10, 10, 10, 10};
  Predictor predictor(net, true);
  // tanh makes 1 of infinity, so the answer is finite, and there is nothing to say
  EXPECT_EQ(message([&] { predictor({.values = x}); }), "no error");
  std::ranges::fill(net.variables().at("dense2.weight").values(), 0.0F);  // 0 · inf
  EXPECT_EQ(
      message([&] { predictor({.values = x}); }),
      "the network's answer is not finite; the first value that is not is in the layer dense1 (inf) for sample 0; "
      "train it again, with a smaller lr, or use a model from before that happened");
}

TEST(NotFinite, SamplesAreNamed) {
  Network net = network("5n-tanh-10n", {4});
  Predictor predictor(net, true);
  for (const float bad : {kNaN, kInf}) {  // tanh would make a finite number of infinity
    const std::vector<float> x{1, 2, 3, 4, 5, 6, bad, 8};
    EXPECT_EQ(message([&] { predictor({.values = x.data()}, 2); }),
              std::string("sample 1 holds ") + (std::isnan(bad) ? "nan" : "inf") +
                  " at element 2; predict only samples that are finite");
    EXPECT_EQ(message([&] { predictor({.values = x.data()}, 1); }), "no error");
  }
}

// ---- classes

TEST(Evaluate, AClassWithoutSamplesHasNoRecall) {
  Network net = network("10n", data().train.sample);
  auto some = data().test;
  some.labels.resize(1);
  some.bytes.resize(64);
  const auto result = evaluate(net, some);
  int seen = 0, predicted = 0;
  for (const auto& c : result.classes) {
    EXPECT_EQ(c.recall().has_value(), c.samples > 0);
    EXPECT_EQ(c.precision().has_value(), c.predicted > 0);
    seen += c.recall().has_value(), predicted += c.precision().has_value();
  }
  EXPECT_EQ(seen, 1);
  EXPECT_EQ(predicted, 1);
}

TEST(Evaluate, SaysWhichLossItMeasures) {
  Network net = network("10n", {4});
  Dataset some;
  some.sample = {4};
  some.values.resize(8);
  some.target = {10};
  some.targets.resize(20);
  EXPECT_EQ(evaluate(net, some).measured, Loss::squared_error) << "cross-entropy needs labels";
  Network configured = network("network = \"10n-sigmoid\"\n[train]\nloss = \"binary-cross-entropy\"\n", {4});
  EXPECT_EQ(evaluate(configured, some).measured, Loss::binary_cross_entropy);
}

TEST(Evaluate, NamesTheSampleOfALabelThatIsTooHigh) {
  Network net = network("10n", data().train.sample);
  auto stray = data().test;
  stray.labels[7] = 255;
  for (int c = 10; c < 256; ++c) stray.class_names.push_back(std::to_string(c));
  const auto expected =
      "the network's output is 10 but the data have 256 classes; sample 7 has label 255: correct it, or end the "
      "network with a dense layer of as many neurons, e.g. 256n";
  EXPECT_EQ(message([&] { evaluate(net, stray); }), expected);
  EXPECT_EQ(message([&] { train(net, stray, quick()); }), expected);
  Network more = network("12n", data().train.sample);
  EXPECT_EQ(message([&] { evaluate(more, data().test); }),
            "the network's output is 12 but the data have 10 classes; end the network with a dense layer of as many "
            "neurons, e.g. 10n");
}

/// Evaluating, alone and as an ensemble, and looking at gradients.
std::vector<std::string> refusals(Network& net, const Dataset& of) {
  Network* twice[] = {&net, &net};
  return {message([&] { evaluate(net, of); }), message([&] { evaluate(twice, of); }),
          message([&] { inspect(net, of, 0, 1); })};
}

TEST(Evaluate, RefusesTargetsThatTheLossCannotTake) {
  Dataset images;
  images.name = "images";
  images.sample = {1, 1, 2};
  images.values = {0, 1};
  images.target = {1, 2};
  images.targets = {2, 3};
  Network places = network("3c1", images.sample);
  places.training.emplace().options.loss = Loss::pixel_cross_entropy;
  for (const auto& said : refusals(places, images)) {
    EXPECT_EQ(said,
              "data set \"images\": label 1 of sample 0 is 3, and the network has 3 classes; correct it, or set "
              "ignored_label to it");
  }
  places.training->options.loss = PixelCrossEntropy{.ignored_label = 3};
  EXPECT_EQ(refusals(places, images), (std::vector<std::string>(3, "no error")));

  Dataset soft;
  soft.name = "soft";
  soft.sample = {4};
  soft.values = {1, 1, 1, 1};
  soft.target = {3};
  soft.targets = {0.5F, 0.25F, 0.25F};
  Network margin = trained("3n", Loss::multi_class_margin);
  for (const auto& said : refusals(margin, soft)) {
    EXPECT_EQ(said,
              "data set \"soft\" has distributions over the classes, and multi-class-margin needs a label for each "
              "sample; train with the loss cross-entropy");
  }
  soft.targets = {0.5F, 1.5F, 0.25F};
  Network events = trained("3n-sigmoid", Loss::binary_cross_entropy, false);
  for (const auto& said : refusals(events, soft)) {
    EXPECT_EQ(said,
              "data set \"soft\": target 1 of sample 0 is 1.5; binary cross-entropy needs targets from 0 to 1; train "
              "with the loss squared-error");
  }
}

// Such an output has no first axis to count classes on.
TEST(Evaluate, RefusesAScalarWhereEachPlaceHasALabel) {
  const Dataset one = one_sample(1, {});
  Network net = network(toml("sum"), {});
  ASSERT_EQ(net.output_shape(), Shape{});
  net.training.emplace().options.loss = Loss::pixel_cross_entropy;
  const std::string wanted = ": takes logits of classes×rows×columns, not scalar; reshape them";
  EXPECT_EQ(refusals(net, one),
            (std::vector<std::string>{"loss" + wanted, "pixel_cross_entropy" + wanted, "loss" + wanted}));
  net.training.reset();
  TrainOptions options = quick();
  options.loss = Loss::pixel_cross_entropy;
  EXPECT_EQ(message([&] { train(net, one, options); }), "loss" + wanted);
}

TEST(Evaluate, SeesDataAsTheNetworkWasTrainedToSeeThem) {
  Network net = network("12n", data().train.sample);
  net.encoding.scale = {0.5F};
  net.encoding.shift = {-1};
  for (int c = 0; c < 12; ++c) net.encoding.class_names.push_back("class " + std::to_string(c));
  auto test = data().test;
  encode_as_trained(net, test);
  EXPECT_EQ(test.scale, net.encoding.scale);
  EXPECT_EQ(test.shift, net.encoding.shift);
  EXPECT_EQ(evaluate(net, test).classes.at(11).name, "class 11");
  Network other = network("10n", {2, 8, 8});
  other.encoding = {{1, 1}, {0, 0}, {"a"}};
  test = data().test;
  encode_as_trained(other, test);
  EXPECT_EQ(test.scale, data().test.scale) << "of another shape";
  EXPECT_EQ(test.class_names, data().test.class_names) << "of more classes";
}

}  // namespace
}  // namespace chalk
