#include "chalkgrad/train.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <regex>

#include "src/train/train_testing.h"
#include "src/train/training_graph.h"

namespace chalk {
namespace {

using namespace train_testing;

TEST(Train, LearnsTheDigits) {
  Network net = fresh();
  const double before = evaluate(net, data().test).accuracy;
  TrainOptions options = quick();
  options.epochs = 8;
  options.schedule = Schedule::parse("one-cycle");
  const auto result = train(net, data().train, options);
  EXPECT_FALSE(result.stopped);
  EXPECT_EQ(result.last.step, 8 * 29);
  EXPECT_EQ(result.last.samples, 1438);
  const Evaluation after = evaluate(net, data().test);
  EXPECT_LT(before, 0.4);
  EXPECT_GT(after.accuracy, 0.95);
  EXPECT_EQ(after.samples, 359);
  ASSERT_EQ(after.classes.size(), 10U);
  std::int64_t samples = 0, correct = 0, predicted = 0;
  for (const auto& c : after.classes) samples += c.samples, correct += c.correct, predicted += c.predicted;
  EXPECT_EQ(samples, 359);
  EXPECT_EQ(predicted, 359);
  EXPECT_DOUBLE_EQ(after.accuracy, static_cast<double>(correct) / 359);
}

TEST(Train, GivesTheSameBitsOnAnyNumberOfThreads) {
  const AllIsShared shared;
  auto options = quick();
  const auto expected = trained_sha(options, few());
  for (const int threads : {1, 3, 4}) {
    options.threads = threads;
    EXPECT_EQ(trained_sha(options, few()), expected) << threads;
  }
}

TEST(Train, AnotherSeedGivesAnotherOrder) {
  auto options = quick();
  const auto one = trained_sha(options, few());
  options.seed = 2;
  EXPECT_NE(trained_sha(options, few()), one);
}

TEST(Train, GoesOnFromACheckpointToTheSameBits) {
  for (const bool nesterov : {false, true}) {
    auto options = quick();
    options.optimizer = sgd({.nesterov = nesterov, .weight_decay = 1e-3});
    options.schedule = Schedule::parse("cosine+warmup:1");
    const auto expected = trained_sha(options, few());
    for (const std::int64_t stop : {1, 5, 8, 9, 23}) {
      options.checkpoint = temporary("resume.safetensors");
      options.on_step = [&](const Progress& progress) {
        if (progress.step == stop) request_stop();
      };
      Network net = fresh();
      EXPECT_TRUE(train(net, few(), options).stopped);
      Network again = Network::load(options.checkpoint);
      options.on_step = nullptr;
      options.threads = 1;
      const auto result = train(again, few(), options);
      EXPECT_EQ(result.last.step, 24);
      EXPECT_EQ(again.weights_sha256(), expected) << "stopped after step " << stop;
    }
    fs::remove(options.checkpoint);
  }
}

TEST(Train, StopsBeforeTheNextStepWhereTheCallbackOfAnEpochAsks) {
  auto options = quick();
  std::stop_source run;
  options.stop = run.get_token();
  options.on_epoch = [&](const Progress&) { run.request_stop(); };
  Network net = fresh();
  const auto result = train(net, data().train, options);
  EXPECT_TRUE(result.stopped);
  EXPECT_EQ(result.last.step, 29);
}

TEST(Train, ResumesOnlyWhatItWas) {
  auto options = quick();
  options.checkpoint = temporary("other.safetensors");
  options.on_step = [](const Progress& progress) {
    if (progress.step == 3) request_stop();
  };
  Network net = fresh();
  train(net, data().train, options);
  Network again = Network::load(options.checkpoint);
  EXPECT_EQ(checkpoint_options(again).batch, 50);
  EXPECT_EQ(checkpoint_options(again).optimizer.as<Sgd>().momentum, 0.9);
  options.batch = 20;
  EXPECT_EQ(message([&] { train(again, data().train, options); }),
            "the checkpoint was trained with batch=50, not 20; resume with the options it was started with, or reset "
            "Network::training to begin a new run from its weights");
  Network anew = Network::load(options.checkpoint);
  anew.training.reset();
  EXPECT_EQ(train(anew, data().train, options).last.step, 3) << "the second advice; on_step stops it there";
  options.batch = 50;
  EXPECT_TRUE(
      message([&] {
        train(again, data().test, options);
      }).starts_with("the checkpoint was trained on 1438 samples of \"digits\", not on 359 of \"digits\"; resume"));
  options.on_step = nullptr;
  EXPECT_EQ(train(again, data().train, options).last.step, 87) << "the first advice";
  fs::remove(options.checkpoint);
}

TEST(Train, KnowsDataByWhatTheyAre) {
  Network net = fresh();
  Trainer(net, data().train, quick()).step();
  auto moved = data().train;
  moved.name = "elsewhere";
  auto relabelled = data().train;
  relabelled.labels[1437] = (relabelled.labels[1437] + 1) % 10;
  EXPECT_EQ(
      message([&] { Trainer(net, relabelled, quick()); }),
      "the checkpoint was trained on 1438 samples of \"digits\", not on these, in which a sample or a label has "
      "changed; "
      "resume with the data it was started with, or begin a new run from its weights (train --from; in C++, reset "
      "Network::training)");
  EXPECT_EQ(message([&] { Trainer(net, moved, quick()); }), "no error");
  net.training->digest.clear();  // a checkpoint of an earlier program: name and size must do
  EXPECT_EQ(message([&] { Trainer(net, relabelled, quick()); }), "no error");
  net.training->digest.clear();
  EXPECT_NE(message([&] { Trainer(net, moved, quick()); }), "no error");
  net.training.reset();
  EXPECT_EQ(message([&] { Trainer(net, relabelled, quick()); }), "no error");
}

TEST(Train, WritesNothingBeforeTheFirstStep) {
  auto options = quick();
  options.checkpoint = temporary("first.safetensors");
  Network good = fresh(2);
  good.save(options.checkpoint);
  const auto kept = [&] { return Network::load(options.checkpoint).weights_sha256() == good.weights_sha256(); };
  Network net = fresh();
  options.on_step = [&](const Progress& now) { EXPECT_EQ(kept(), now.step == 1) << now.step; };
  options.optimizer = sgd({.lr = 1e30});
  EXPECT_NE(message([&] { train(net, data().train, options); }), "no error");
  EXPECT_EQ(Network::load(options.checkpoint).training->step, 1);
  fs::permissions(options.checkpoint, fs::perms::owner_read);
  const auto before = net.weights_sha256();
  net.training.reset();
  EXPECT_NE(message([&] { train(net, data().train, options); }).find("cannot be written"), std::string::npos);
  EXPECT_EQ(net.weights_sha256(), before) << "known before the first step";
  fs::remove(options.checkpoint);
}

TEST(Train, APartialLastBatchIsExact) {  // 1,438 = 89 · 16 + 14; one step over all must equal a mean over all
  Network net = fresh();
  const double mean_loss = evaluate(net, data().train).loss;
  TrainOptions options = quick();
  options.epochs = 1;
  options.batch = 1 << 20;
  const auto result = train(net, data().train, options);
  EXPECT_EQ(result.last.step, 1);
  EXPECT_NEAR(result.last.loss, mean_loss, 1e-6);
}

constexpr const char* kNormalised = "4c3-bn-relu-res(4c3z-bn-relu-4c3z-bn)-relu-gap-8n-bn-tanh-10n";

Network normalised() {
  Network net = network(kNormalised, data().train.sample);
  net.initialize(1);
  return net;
}

Network noisy() {
  return network("4c3z-gelu-res(4c3z-drop0.25s)-drop0.2c-noise0.1-mp2-12n-elu-drop0.5-10n", {1, 8, 8});
}

TEST(Train, NoiseIsTheSameOnAnyThreadsAndAfterAResume) {
  const AllIsShared shared;
  auto options = quick();
  options.epochs = 2;
  Network whole = noisy();
  train(whole, few(), options);
  options.checkpoint = temporary("noisy.safetensors");
  for (const int threads : {1, 3, 4}) {
    options.on_step = [](const Progress& progress) {
      if (progress.step == 11) request_stop();
    };
    options.threads = threads;
    Network net = noisy();
    EXPECT_TRUE(train(net, few(), options).stopped);
    Network again = Network::load(options.checkpoint);
    options.on_step = nullptr;
    train(again, few(), options);
    EXPECT_EQ(again.weights_sha256(), whole.weights_sha256()) << threads;
  }
  fs::remove(options.checkpoint);
  Network other = noisy();
  options.checkpoint.clear();
  options.seed = 2;
  train(other, few(), options);
  EXPECT_NE(other.weights_sha256(), whole.weights_sha256());
}

TEST(Train, BatchNormalisationIsResumedToTheLastBit) {
  auto options = quick();
  options.epochs = 2;  // batches of 50: the last one of an epoch has 40 samples
  Network whole = normalised();
  train(whole, few(), options);
  options.checkpoint = temporary("normalised.safetensors");
  options.on_step = [](const Progress& progress) {
    if (progress.step == 11) request_stop();
  };
  options.threads = 3;
  Network net = normalised();
  EXPECT_TRUE(train(net, few(), options).stopped);
  Network again = Network::load(options.checkpoint);
  EXPECT_EQ(all_variables(again), all_variables(net));
  options.on_step = nullptr;
  options.threads = 1;
  train(again, few(), options);
  EXPECT_EQ(all_variables(again), all_variables(whole)) << "running statistics, too";
  EXPECT_NE(all_variables(whole).at("batch_norm1.running_var"), std::vector<float>(4, 1));
  fs::remove(options.checkpoint);
}

TEST(Train, BatchNormalisationPredictsTheSameAloneAndInAnyBatch) {
  Network net = normalised();
  auto options = quick();
  options.epochs = 1;
  train(net, data().train, options);
  const auto& test = data().test;
  const auto size = static_cast<std::size_t>(elements(test.sample));
  const auto feed = [&](std::size_t first) {
    return Feed{.bytes = test.bytes.data() + first * size, .scale = test.scale.data(), .shift = test.shift.data()};
  };
  const auto together = predict(net, feed(0), 100, false, 2);
  double loss = 0;
  for (std::size_t i = 0; i < 100; ++i) {
    const auto alone = predict(net, feed(i), 1, false, 1);
    EXPECT_EQ(std::memcmp(alone.data(), together.data() + i * 10, 10 * sizeof(float)), 0) << i;
  }
  for (std::size_t i = 0; i < 10; ++i) loss += static_cast<double>(together[i]);
  EXPECT_TRUE(std::isfinite(loss));
}

TEST(Train, BatchNormalisationRefusesABatchWithoutVariance) {
  Network net = normalised();  // 1,438 training samples
  auto options = quick();
  options.batch = 1437;
  EXPECT_EQ(
      message([&] { train(net, data().train, options); }),
      "batch_norm4: batches of 1437 leave a last one of 1 of the 1438 samples, which has no variance to normalise "
      "with; use another batch size");
  options.batch = 1;
  EXPECT_EQ(message([&] { train(net, data().train, options); }),
            "batch_norm4: a batch of one sample has no variance to normalise with; use another batch size");
  Network maps = network("4c3-bn-relu-gap-10n", data().train.sample);  // 36 values of each sample
  options.batch = 719;
  options.epochs = 1;
  EXPECT_EQ(message([&] { train(maps, data().train, options); }), "no error");
}

TEST(Train, BatchNormalisationLearns) {
  Network net = network("6c3-bn-relu-mp2-20n-bn-relu-10n", data().train.sample);
  train(net, data().train, quick());
  EXPECT_GT(evaluate(net, data().test).accuracy, 0.9);
}

TEST(Train, NamesStepAndLayerOfALossThatIsNotFinite) {
  Network net = fresh();
  TrainOptions options = quick();
  options.optimizer = sgd({.lr = 1e30});
  const auto text = message([&] { train(net, data().train, options); });
  EXPECT_THAT(text, testing::MatchesRegex("step 2 \\(epoch 1\\): the loss is not finite; the first value that is not "
                                          "is in the layer [a-z0-9]+ \\([a-zA-Z]+\\) for sample [0-9]+; .*"));
  EXPECT_NE(text.find("use a smaller lr"), std::string::npos);

  // Following that advice, and what is then advised, leads to a trained network.
  const auto again = message([&] { train(net, data().train, quick()); });
  EXPECT_TRUE(again.starts_with("step 1 (epoch 1): the loss is not finite; ")) << again;
  EXPECT_NE(again.find("; no step has been taken yet: begin with other weights"), std::string::npos) << again;
  net.initialize(1);
  EXPECT_EQ(message([&] { train(net, data().train, quick()); }), "no error");
  EXPECT_EQ(net.weights_sha256(), trained_sha(quick()));
}

TEST(Train, ADivergedRunIsFollowedByANewOneFromItsWeights) {
  Network net = fresh();
  Trainer trainer(net, data().train, quick());
  trainer.step();
  const auto before = net.weights_sha256();
  auto& weights = net.variables().at("dense1.weight");
  const float first = weights.values()[0];
  weights.values()[0] = std::numeric_limits<float>::infinity();
  EXPECT_NE(message([&] { trainer.step(); }).find("the parameter dense1.weight (inf); use a smaller lr"),
            std::string::npos);
  weights.values()[0] = first;
  EXPECT_EQ(net.weights_sha256(), before);
  const auto file = temporary("diverged.safetensors");
  net.save(file);
  Network again = Network::load(file);
  auto smaller = quick();
  smaller.optimizer = sgd({.lr = 0.01});
  EXPECT_EQ(train(net, data().train, smaller).last.step, 87);
  EXPECT_EQ(train(again, data().train, smaller).last.step, 87);
  EXPECT_EQ(again.weights_sha256(), net.weights_sha256());
  fs::remove(file);
}

TEST(Train, WeightsThatAreNotFiniteAreNoFinishedModel) {
  auto options = quick();
  options.epochs = 1;
  options.batch = 2000;  // one step, whose loss is finite
  options.optimizer = sgd({.lr = 1e38, .momentum = 0});
  options.checkpoint = temporary("not-finite.safetensors");
  Network net = network("20n-relu-10n", data().train.sample);
  for (auto& w : net.variables().at("dense1.weight").values()) w *= 100;
  const auto said = message([&] { train(net, data().train, options); });
  EXPECT_TRUE(std::regex_match(
      said, std::regex("step 1 \\(epoch 1\\): the loss \\([0-9.]+\\) and its gradient are finite, but "
                       "dense[12]\\.[a-z]+ would become inf; use a smaller lr \\(it was 1e\\+38\\) or a warm-up")))
      << said;
  EXPECT_FALSE(fs::exists(options.checkpoint));
  net.initialize(1);
  options.optimizer = sgd({.lr = 0.01});
  EXPECT_EQ(message([&] { train(net, data().train, options); }), "no error");
  net.variables().at("dense1.bias").values()[3] = std::nanf("");
  fs::remove(options.checkpoint);
  Trainer trainer(net, data().train, quick());
  EXPECT_NE(message([&] { trainer.save(options.checkpoint); }).find("the parameter dense1.bias is not finite (NaN)"),
            std::string::npos);
  EXPECT_FALSE(fs::exists(options.checkpoint));
}

TEST(Train, RefusesOptionsThatMakeNoSense) {
  Network net = fresh();
  const auto refused = [&](auto change) {
    TrainOptions options = quick();
    change(options);
    return message([&] { train(net, data().train, options); });
  };
  EXPECT_EQ(refused([](auto& o) { o.epochs = 0; }), "epochs is 0; it must be from 1 to 1000000");
  EXPECT_EQ(refused([](auto& o) { o.batch = 0; }), "batch is 0; it must be from 1 to 16777216");
  EXPECT_EQ(refused([](auto& o) { o.optimizer = sgd({.lr = std::nan("")}); }),
            "lr is nan; it must be a number above 0");
  EXPECT_EQ(refused([](auto& o) { o.optimizer = sgd({.lr = -1}); }), "lr is -1; it must be a number above 0");
  EXPECT_EQ(refused([](auto& o) { o.optimizer = sgd({.momentum = 1}); }),
            "momentum is 1; it must be at least 0 and below 1");
  EXPECT_EQ(refused([](auto& o) { o.optimizer = sgd({.momentum = 0, .nesterov = true}); }),
            "nesterov needs a momentum above 0");
  Network other = network("5n", {3});
  EXPECT_NE(message([&] { train(other, data().train, quick()); }).find("has samples of 1×8×8 but the network takes 3"),
            std::string::npos);
  Network five = network("5n", {1, 8, 8});
  EXPECT_NE(message([&] {
              train(five, data().train, quick());
            }).find("the network's output is 5 but the data have 10 classes"),
            std::string::npos);
}

TEST(Train, RegressesOnTargets) {  // y = 2·x1 − x2 + 0.5 is within reach of one dense layer
  Dataset line;
  line.name = "line";
  line.sample = {2};
  line.target = {1};
  for (int i = 0; i < 100; ++i) {
    const float a = static_cast<float>(i % 10) / 10, b = static_cast<float>(i / 10) / 10;
    line.values.insert(line.values.end(), {a, b});
    line.targets.push_back(2 * a - b + 0.5f);
  }
  Network net = network("1n", {2});
  TrainOptions options{
      .epochs = 300, .batch = 20, .optimizer = sgd({.lr = 0.2}), .loss = Loss::squared_error, .threads = 1};
  train(net, line, options);
  EXPECT_LT(evaluate(net, line).loss, 1e-6);
  EXPECT_NEAR(net.variables().at("dense1.bias").values()[0], 0.5, 1e-2);
}

TEST(Train, LearnsLabelsByEveryLossAndCountsWhatIsRight) {
  for (const auto& [loss, text, lr] : {std::tuple{Loss::squared_error, "30n-sigmoid-10n-sigmoid", 1.0},
                                       {Loss::sum_of_squares, "30n-tanh-10n-sigmoid", 0.3},
                                       {Loss::binary_cross_entropy, "30n-tanh-10n-sigmoid", 0.1},
                                       {Loss::squared_error, "30n-tanh-10n-softmax", 0.5},
                                       {Loss::log_likelihood, "30n-sigmoid-10n-softmax", 0.2},
                                       {Loss::gaussian_log_likelihood, "30n-tanh-10n", 0.05},
                                       {Loss::focal, "30n-tanh-10n", 0.3},
                                       {Loss::kl_divergence, "30n-tanh-10n", 0.2},
                                       {Loss::multi_class_margin, "30n-tanh-10n", 0.3},
                                       {Loss::hinge, "30n-tanh-10n", 0.3},
                                       {Loss::sigmoid_cross_entropy, "30n-tanh-10n", 0.1},
                                       {Loss::mean_squared_error, "30n-tanh-10n", 0.5},
                                       {Loss::huber, "30n-tanh-10n", 1.0},
                                       {Loss::smooth_l1, "30n-tanh-10n", 1.0}}) {
    Network net = network(text, data().train.sample);
    auto options = quick();
    options.batch = 10;
    options.loss = loss;
    options.optimizer = sgd({.lr = lr, .momentum = 0});
    const auto last = train(net, data().train, options).last;
    const auto result = evaluate(net, data().test);
    EXPECT_GT(result.accuracy, 0.85) << name_of(loss);
    EXPECT_GT(last.accuracy, 0.85) << name_of(loss);
    EXPECT_EQ(result.loss < 0, maximised(loss)) << name_of(loss) << ": the value is of what it was trained with";
    EXPECT_EQ(checkpoint_options(net).loss, loss);
    EXPECT_EQ(trained_loss(net), loss);
  }
}

TEST(Train, AscendingTheLikelihoodIsDescendingTheCrossEntropy) {
  for (const auto& [up, down, text] : {std::tuple{Loss::log_likelihood, Loss::cross_entropy, "12n-tanh-10n-softmax"},
                                       {Loss::gaussian_log_likelihood, Loss::squared_error, "12n-tanh-10n"}}) {
    auto options = quick();
    options.optimizer = sgd({.lr = 0.01, .nesterov = true, .weight_decay = 1e-3});
    std::vector<std::string> sha;
    for (const Loss loss : {up, down}) {
      Network net = network(text, data().train.sample);
      options.loss = loss;
      train(net, data().train, options);
      sha.push_back(net.weights_sha256());
    }
    EXPECT_EQ(sha[0], sha[1]) << name_of(up);
  }
}

TEST(Train, SaysWhichOutputHasNoLogarithm) {
  Network net = network("30n-tanh-10n-tanh", data().train.sample);
  auto options = quick();
  options.loss = Loss::binary_cross_entropy;
  const auto before = net.weights_sha256();
  const auto said = message([&] { train(net, data().train, options); });
  EXPECT_TRUE(std::regex_match(said, std::regex("step 1 \\(epoch 1\\): dense2 \\(tanh2\\) gives -0\\.[0-9]+ for output "
                                                "[0-9] of sample [0-9]+; binary cross-entropy takes its logarithm and "
                                                "needs outputs between 0 and 1; end the network with sigmoid")))
      << said;
  EXPECT_EQ(net.weights_sha256(), before) << "nothing was learned from NaN";
  const auto tested = message([&] { evaluate(net, data().test); });
  EXPECT_TRUE(tested.starts_with("dense2 (tanh2) gives ")) << tested;
}

TEST(Train, AnOutputOfExactlyZeroHasNoLogarithmEither) {
  Network net = network("10n-relu", data().train.sample);
  auto options = quick();
  options.loss = Loss::binary_cross_entropy;
  std::ranges::fill(net.variables().at("dense1.weight").values(), 0.0F);
  const auto said = message([&] { train(net, data().train, options); });
  EXPECT_NE(said.find("dense1 (relu1) gives 0 for output 0 of sample "), std::string::npos) << said;
}

TEST(Train, RefusesTargetsThatALossCannotTake) {
  Dataset line;
  line.name = "line";
  line.sample = {1};
  line.target = {1};
  line.values = {0, 1};
  line.targets = {0.5F, 1.5F};
  Network net = network("1n-sigmoid", {1});
  auto options = quick();
  EXPECT_EQ(message([&] { train(net, line, options); }),
            "data set \"line\" has values to regress on, not classes; train with the loss squared-error");
  options.loss = Loss::log_likelihood;
  EXPECT_EQ(message([&] { train(net, line, options); }),
            "data set \"line\" has values to regress on, not classes; train with the loss gaussian-log-likelihood");
  options.loss = Loss::binary_cross_entropy;
  EXPECT_EQ(
      message([&] { train(net, line, options); }),
      "data set \"line\": target 0 of sample 1 is 1.5; binary cross-entropy needs targets from 0 to 1; train with "
      "the loss squared-error");
}

TEST(Predict, AgainAndAgainWithWhateverTheParametersAre) {
  Network net = fresh();
  const auto& test = data().test;
  const auto size = static_cast<std::size_t>(elements(test.sample));
  Predictor predictor(net, true, 2);
  const auto check = [&] {
    for (const std::size_t count : {1, 40, 17, 1}) {
      const Feed feed{.bytes = test.bytes.data() + 3 * size, .scale = test.scale.data(), .shift = test.shift.data()};
      const auto now = predictor(feed, count);
      EXPECT_EQ(std::vector<float>(now.begin(), now.end()), predict(net, feed, count, true)) << count;
    }
  };
  check();
  auto options = quick();
  options.epochs = 1;
  train(net, data().train, options);
  check();
  EXPECT_NE(message([&] { predictor({}); }).find("values, bytes"), std::string::npos);
}

TEST(Predict, GivesOutputsAsTheyAreWhereTheLossHasNoSoftmax) {
  Network net = network("10n", data().train.sample);
  const Feed feed{
      .bytes = data().test.bytes.data(), .scale = data().test.scale.data(), .shift = data().test.shift.data()};
  const auto softmax_of = predict(net, feed, 1, true), raw = predict(net, feed, 1, false);
  EXPECT_NE(softmax_of, raw);
  auto options = quick();
  options.epochs = 1;
  options.loss = Loss::squared_error;
  train(net, data().train, options);
  EXPECT_EQ(predict(net, feed, 1, true), predict(net, feed, 1, false));
}

TEST(TrainingGraph, TheGradientOfTheLogitsIsSoftmaxMinusTarget) {
  for (const char* text : {"10n", "10n-softmax"}) {
    Network net = network(text, data().train.sample);
    const Graph step = training_graph(net, {10}, /*labels=*/true, {}).graph;
    Variables variables(step, 1);
    std::string simplified;
    CompileOptions options;
    options.print_after = {"simplify"};
    options.print = [&](std::string_view, const std::string& graph) { simplified = graph; };
    Program program(step, variables, options);
    std::smatch y;
    ASSERT_TRUE(std::regex_search(simplified, y, std::regex("(%[0-9]+[^:\\n]*) : batched 10 = softmax\\(")))
        << simplified;
    EXPECT_TRUE(std::regex_search(simplified, std::regex("= sub\\(" + y[1].str() + ", %[0-9]+ t\\)"))) << simplified;
    EXPECT_EQ(simplified.find("batched 10 = div("), std::string::npos) << "only N divides:\n" << simplified;
  }
}

TEST(TrainingGraph, TheGradientOfSigmoidsUnderBinaryCrossEntropyIsSigmoidMinusTarget) {
  Network net = network("10n-sigmoid", data().train.sample);
  const Graph step = training_graph(net, {10}, /*labels=*/true, {.loss = Loss::binary_cross_entropy}).graph;
  Variables variables(step, 1);
  std::string simplified;
  CompileOptions options;
  options.print_after = {"simplify"};
  options.print = [&](std::string_view, const std::string& graph) { simplified = graph; };
  Program program(step, variables, options);
  std::smatch y;
  ASSERT_TRUE(std::regex_search(simplified, y, std::regex("(%[0-9]+[^:\\n]*) : batched 10 = sigmoid\\(")))
      << simplified;
  EXPECT_TRUE(std::regex_search(simplified, std::regex("= sub\\(" + y[1].str() + ", %[0-9]+ t\\)"))) << simplified;
}

TEST(Train, SigmoidsAsSureAsFloatsCanBeStillLearn) {  // y is exactly 0 or 1, and its logarithm would be infinite
  Network net = network("10n-sigmoid", data().train.sample);
  for (auto& w : net.variables().at("dense1.weight").values()) w *= 1000;
  auto options = quick();
  options.epochs = 1;
  options.loss = Loss::binary_cross_entropy;
  EXPECT_GT(train(net, data().train, options).last.loss, 10);
  EXPECT_TRUE(std::isfinite(evaluate(net, data().test).loss));
}

TEST(Train, ProbabilitiesThatAreSureAndWrongLearnTheDigits) {
  const auto with_reshapes =
      "[[layer]]\nchain = \"12c3-relu-mp2-40n-relu-10n-sigmoid\"\n"
      "[[layer]]\ntype = \"reshape\"\nshape = [10, 1, 1]\n[[layer]]\ntype = \"flatten\"\n";
  for (const std::string text :
       {"12c3-relu-mp2-40n-relu-10n-sigmoid", with_reshapes, "12c3-relu-mp2-40n-relu-10n-softmax"}) {
    Network net = network(text, data().train.sample);
    auto bias = net.variables().at("dense2.bias").values();
    for (std::size_t i = 0; i < bias.size(); ++i) bias[i] = i % 2 == 0 ? 40.0F : -40.0F;
    TrainOptions options{.epochs = 30,
                         .batch = 32,
                         .optimizer = sgd({.lr = 0.02, .momentum = 0.9}),
                         .schedule = OneCycle{},
                         .loss = Loss::binary_cross_entropy};
    EXPECT_LT(evaluate(net, data().test).accuracy, 0.3);
    train(net, data().train, options);
    EXPECT_GE(evaluate(net, data().test).accuracy, 0.97) << text;
  }
}

}  // namespace
}  // namespace chalk
