// What the roles of parameters decide: which decay, which Muon takes for matrices, and whether there is anything to
// train.
#include <algorithm>
#include <set>

#include "src/train/train_testing.h"
#include "src/train/training_graph.h"

namespace chalk {
namespace {

using namespace train_testing;

constexpr const char* kEveryRole = R"(
    [[parameter]]
    name = "gain"
    shape = [2, 1, 1]
    init = 1
    [[parameter]]
    name = "my.bias"
    shape = [2, 1, 1]
    [[layer]]
    chain = "2c3u-ln-bn-prelu0.25c"
    [[layer]]
    type = "mul"
    from = ["prelu1", "gain"]
    [[layer]]
    type = "add"
    from = ["mul1", "my.bias"]
    [[layer]]
    chain = "bias-up2-2t3-5n-ln-10n"
)";
std::set<std::string> its_weights() {
  return {"conv1.weight", "gain", "conv_transpose1.weight", "dense1.weight", "dense2.weight"};
}

std::set<std::string> trainable(const Network& network) {
  Graph graph = network.graph();
  std::set<std::string> names;
  for (const auto& parameter : graph.parameters()) names.insert(parameter.name());
  return names;
}

/// The parameters that one step of SGD on some samples, from no zeros, leads elsewhere than without these options.
std::set<std::string> changed_by(TrainOptions options) {
  options.epochs = 1;
  options.batch = 24;
  options.schedule = Schedule::parse("constant");
  Dataset few = data().train;
  few.bytes.resize(24 * 64);
  few.labels.resize(24);
  const auto trained = [&](const TrainOptions& with) {
    Network net = network(kEveryRole, few.sample);
    for (const auto& name : trainable(net)) {
      for (auto& value : net.variables().at(name).values()) value += 0.125F;
    }
    train(net, few, with);
    return net;
  };
  auto usual = options;
  usual.l1 = 0;
  usual.groups.clear();
  usual.optimizer = sgd({.momentum = 0});
  const Network net = trained(options), without = trained(usual);
  std::set<std::string> changed;
  for (const auto& name : trainable(net)) {
    if (!std::ranges::equal(net.variables().at(name).values(), without.variables().at(name).values()))
      changed.insert(name);
  }
  return changed;
}

TEST(ParameterRoles, WeightDecayAndL1LeaveBiasesAndScalesOfAnyShapeAlone) {
  EXPECT_EQ(changed_by({.optimizer = sgd({.momentum = 0, .weight_decay = 0.5})}), its_weights());
  EXPECT_EQ(changed_by({.optimizer = sgd({.momentum = 0}), .l1 = 0.1}), its_weights());
  EXPECT_EQ(changed_by({.optimizer = sgd({.momentum = 0}),
                        .groups = {{.pattern = "layer_norm1.weight", .weight_decay = 0.5}}}),
            (std::set<std::string>{"layer_norm1.weight"}))
      << "unless a group says so";
}

TEST(ParameterRoles, MuonTakesWeightsForMatricesAndAllElseToAdamW) {
  const Network net = network(kEveryRole, data().train.sample);
  const auto step = training_graph(net, {10}, true, {.optimizer = Muon{}});
  std::set<std::string> matrices, others;
  for (const auto& state : step.states) {
    const auto dot = state.rfind('.');
    (state.substr(dot) == ".momentum" ? matrices : others).insert(state.substr(0, dot));
  }
  EXPECT_EQ(matrices, its_weights());
  EXPECT_EQ(others, (std::set<std::string>{"my.bias", "conv1.bias", "layer_norm1.weight", "layer_norm1.bias",
                                           "batch_norm1.weight", "batch_norm1.bias", "prelu1.weight", "bias1.bias",
                                           "conv_transpose1.bias", "dense1.bias", "layer_norm2.weight",
                                           "layer_norm2.bias", "dense2.bias"}));
}

TEST(ParameterRoles, RefusesANetworkWithoutParametersToTrain) {
  const std::string ten = "[[layer]]\nchain = \"aap5x2\"\n[[layer]]\ntype = \"reshape\"\nshape = [10]\n";
  const std::string fixed =
      "[[parameter]]\nname = \"w\"\nshape = [1, 8, 8]\ninit = 1\ntrainable = false\n[[layer]]\n"
      "type = \"mul\"\nfrom = [\"x\", \"w\"]\n";
  for (const auto& text : {ten, fixed + ten}) {
    for (const double clip_norm : {0.0, 1.0}) {
      Network net = network(text, data().train.sample);
      auto options = quick();
      options.clip_norm = clip_norm;
      EXPECT_EQ(message([&] { train(net, data().train, options); }),
                "the network has no parameters to train; give it a layer that has some, such as a dense layer or a "
                "convolution")
          << text << clip_norm;
      const auto step = training_graph(net, {10}, true, options);  // as bench takes it
      const auto& outputs = step.graph.outputs();
      EXPECT_EQ(std::ranges::count(outputs, "gradient_norm", [](const auto& o) { return o.first; }), clip_norm > 0);
    }
  }
}

}  // namespace
}  // namespace chalk
