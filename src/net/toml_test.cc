#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "chalkgrad/error.h"
#include "chalkgrad/layers.h"
#include "src/ir/leaves.h"
#include "src/layers/registry.h"
#include "src/net/build.h"
#include "src/ops/registry.h"

namespace chalk {
namespace {

using testing::HasSubstr;

std::string toml_error(std::string_view text, const Shape& input = {1, 8, 8}) {
  try {
    build_graph(text, input, "net.toml");
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

TEST(Toml, BuildsWhatAChainBuilds) {
  const auto toml = build_graph(R"(
    [[layer]]
    type = "conv"
    filters = 20
    kernel = 5
    [[layer]]
    type = "relu"
    [[layer]]
    type = "maxpool"
    [[layer]]
    type = "dense"
    outputs = 10
  )",
                                {1, 28, 28});
  EXPECT_EQ(toml.print(), build_graph("20c5-relu-mp2-10n", {1, 28, 28}).print());
}

TEST(Toml, BuildsBatchNormalisationAndResidualsAsAChainDoes) {
  const auto toml = build_graph(R"(
    [[layer]]
    type = "conv"
    filters = 4
    padding = "same"
    bias = false
    [[layer]]
    type = "batch_norm"
    [[layer]]
    type = "conv"
    filters = 8
    padding = "same"
    stride = 2
    [[layer]]
    type = "residual"
    from = ["batch_norm1", "conv2"]
    [[layer]]
    type = "gap"
  )",
                                {1, 8, 8});
  EXPECT_EQ(toml.print(), build_graph("4c3z-bn-res(8c3zs2)-gap", {1, 8, 8}).print());
}

TEST(Toml, ReadsMomentumAndEpsilonOfBatchNormalisation) {
  const auto toml = build_graph("[[layer]]\ntype = \"batch_norm\"\nmomentum = 0.25\nepsilon = 1e-3\n", {3, 2, 2});
  Graph g;
  const Value x = g.input("x", {3, 2, 2});
  g.layer("batch_norm1");
  const Value y = batch_norm_layer(x, {.momentum = 0.25, .epsilon = 1e-3});
  g.name(y, "batch_norm1");
  g.output("y", y);
  EXPECT_EQ(toml.print(), g.print());
}

TEST(Toml, BuildsFlippedUntiedAndSubtractedLayersAsCppDoes) {
  const auto toml = build_graph(R"(
    [[layer]]
    type = "conv"
    filters = 2
    kernel = [3, 2]
    padding = "full"
    flipped = true
    bias = "untied"
    subtract_bias = true
    [[layer]]
    type = "bias"
    untied = false
    subtract = true
    [[layer]]
    type = "dense"
    outputs = 6
    subtract_bias = true
    [[layer]]
    type = "activations"
    functions = ["sigmoid", "tanh", "linear"]
  )",
                                {1, 8, 8});
  Graph g;
  Value y = g.input("x", {1, 8, 8});
  const auto layer = [&](const char* name, auto make) {
    g.layer(name);
    y = make(y);
    g.name(y, name);
  };
  layer("conv1", [](Value x) {
    return conv_layer(x, {.filters = 2,
                          .kernel = {3, 2},
                          .options = {.padding = {2, 1}},
                          .flipped = true,
                          .bias = Bias::untied,
                          .subtract_bias = true});
  });
  layer("bias1", [](Value x) { return bias_layer(x, Bias::shared, true); });
  layer("dense1", [](Value x) { return dense_layer(x, {.outputs = 6, .subtract_bias = true}); });
  layer("activations1", [](Value x) {
    return activations(x, std::array{Activation::sigmoid, Activation::tanh, Activation::linear});
  });
  g.layer("");
  g.output("y", y);
  EXPECT_EQ(toml.print(), g.print());
}

TEST(Toml, TakesAWholeNetworkInALineBesideHowItIsTrained) {
  const auto toml = build_graph("network = \"4c3-relu-10n\"\n[train]\nepochs = 3\n", {1, 8, 8});
  EXPECT_EQ(toml.print(), build_graph("4c3-relu-10n", {1, 8, 8}).print());
  EXPECT_EQ(toml_error("network = \"4c3-rleu\"\n"),
            "net.toml: line 1, column 11: network \"4c3-rleu\": character 5: \"rleu\" is not a layer; did you mean "
            "\"relu\"?");
  EXPECT_EQ(toml_error("network = \"10n\"\n[[layer]]\nchain = \"10n\"\n"),
            "net.toml: line 1, column 11: network stands beside [[layer]]; write all layers in one of the two");
  EXPECT_THAT(toml_error("network = \"linear\"\n"), HasSubstr("network has only \"linear\" layers"));
  EXPECT_THAT(toml_error("network = 3\n"), HasSubstr("line 1, column 11: network must be a text"));
  EXPECT_THAT(toml_error("input = [1, 8, 8]\nnetwork = \"4c9\"\n"), HasSubstr("line 2: conv1: kernel 9×9"));
  EXPECT_THAT(toml_error("[train]\nepochs = 3\n"), HasSubstr("needs at least one [[layer]], or a line: network = "));
  EXPECT_EQ(toml_error("train = 3\nnetwork = \"10n\"\n"),
            "net.toml: line 1, column 9: train must be a table: write [train] above its keys");
}

TEST(Toml, ReadsSeveralOutputs) {
  const auto [graph, outputs] = build(R"(
    [[layer]]
    chain = "4c3z-relu"
    [[layer]]
    name = "scores"
    chain = "10n"
    [[layer]]
    name = "early"
    from = "relu1"
    chain = "gap-10n"
    [[layer]]
    name = "copy"
    from = "relu1"
    chain = "1c3z"
    [[output]]
    from = "scores"
    weight = 0.5
    [[output]]
    from = "early"
    weight = 0.3
    loss = "cross-entropy"
    label_smoothing = 0.1
    target = "data"
    [[output]]
    from = "early"
    name = "again"
    [[output]]
    from = "copy"
    weight = 0
    target = "input"
    loss = "mean-squared-error"
  )",
                                      {1, 8, 8});
  const std::vector<NetworkOutput> expected{
      {.weight = 0.5},
      {.name = "early", .weight = 0.3, .loss = CrossEntropy{.label_smoothing = 0.1}},
      {.name = "again"},
      {.name = "copy", .weight = 0, .loss = Loss::mean_squared_error, .reconstructs = true}};
  EXPECT_EQ(outputs, expected);
  EXPECT_EQ(graph.node(output_node(graph)).name, "scores");
  EXPECT_EQ(graph.node(output_node(graph, "early")).name, "early");
  EXPECT_EQ(output_node(graph, "again"), output_node(graph, "early"));
  EXPECT_EQ(graph.node(output_node(graph, "copy")).type.shape, (Shape{1, 8, 8}));
}

TEST(Toml, SaysWhatIsWrongWithOutputs) {
  const auto with = [](const std::string& outputs) {
    return toml_error("[[layer]]\nname = \"a\"\nchain = \"4n\"\n[[layer]]\nname = \"b\"\nchain = \"10n\"\n" + outputs);
  };
  const std::string b = "[[output]]\nfrom = \"b\"\n", second = b + "[[output]]\nfrom = \"a\"\n";
  EXPECT_EQ(with(second), "no error");
  EXPECT_EQ(with("[[output]]\nweight = 1\n"), "net.toml: line 7, column 1: [[output]] needs \"from\"");
  EXPECT_EQ(with("[[output]]\nfrom = \"c\"\n"),
            "net.toml: line 8, column 8: from names \"c\", which is not there; did you mean \"x\"?");
  EXPECT_EQ(with(b + "name = \"c\"\n"),
            "net.toml: line 9, column 8: name is not for the first [[output]], which is called \"y\"; leave it out");
  EXPECT_EQ(with(b + "loss = \"huber\"\n"),
            "net.toml: line 9, column 8: loss is not for the first [[output]]; write it in [train], where --loss and "
            "--maximise can change it");
  EXPECT_EQ(
      with(b + "maximise = \"log-likelihood\"\n"),
      "net.toml: line 9, column 12: maximise is not for the first [[output]]; write it in [train], where --loss and "
      "--maximise can change it");
  EXPECT_EQ(with(b + "weight = 0\n"),
            "net.toml: line 7: the output y has the weight 0, but it is what the network predicts; give it another");
  EXPECT_EQ(with(second + "weight = -1\n"), "net.toml: line 11, column 10: weight must be between 0 and 1000, not -1");
  EXPECT_EQ(with(second + "wieght = 1\n"),
            "net.toml: line 11, column 1: [[output]] has no key \"wieght\"; did you mean \"weight\"?");
  EXPECT_EQ(with(second + "name = \"a b\"\n"),
            "net.toml: line 11, column 8: name must have 1 to 100 letters, digits, \"_\", \"-\" or \".\", not \"a b\"");
  EXPECT_EQ(with(second + "loss = \"hubert\"\n").substr(0, 60),
            "net.toml: line 11, column 8: loss must be cross-entropy, foc");
  EXPECT_EQ(with(second + "loss = \"huber\"\ngamma = 1\n"),
            "net.toml: line 12, column 9: gamma is an option of the loss focal, not of huber; leave it out");
  EXPECT_EQ(with(second + "gamma = 1\n"), "net.toml: line 11, column 1: [[output]] has no key \"gamma\"");
  EXPECT_EQ(with(second + "loss = \"huber\"\ndelta = 0\n"),
            "net.toml: line 12, column 9: delta must be a number above 0, not 0");
  EXPECT_EQ(
      with(second + "target = \"labels\"\n"),
      "net.toml: line 11, column 10: target must be \"data\" (labels, or the data's other targets) or \"input\" (the "
      "sample itself), not \"labels\"");
  EXPECT_EQ(with(b + "target = \"input\"\n"),
            "net.toml: line 7: the output y is the first, which is compared with the data's targets; let another one "
            "have the input as its target");
  EXPECT_EQ(with(second + "target = \"input\"\n"),
            "net.toml: line 9: the output a has the input as its target and needs a loss for that, such as "
            "mean-squared-error");
  EXPECT_EQ(with(second + "target = \"input\"\nloss = \"focal\"\n"),
            "net.toml: line 9: the output a has the input as its target, which can be any numbers; focal does not take "
            "them, mean-squared-error does");
  EXPECT_EQ(with(second + "[[output]]\nfrom = \"a\"\n"),
            "net.toml: line 12, column 8: from gives a second output the name \"a\"; give it another by \"name\"");
  EXPECT_EQ(with(second + "name = \"y\"\n"),
            "net.toml: line 11, column 8: name gives a second output the name \"y\"; give it another by \"name\"");
  EXPECT_EQ(with("[[output]]\nfrom = \"a\"\n"),
            "net.toml: line 4, column 1: nothing uses \"b\"; name it in a \"from\", or remove it");
  EXPECT_EQ(with("[output]\nfrom = \"a\"\n"),
            "net.toml: line 7, column 1: output must be written [[output]], once for each");
  EXPECT_EQ(toml_error("output = []\nnetwork = \"10n\"\n"),
            "net.toml: line 1, column 10: output is an empty list; write [[output]] above each, or leave it out");
  EXPECT_EQ(toml_error("[[parameter]]\nname = \"w\"\nshape = [2]\n[[layer]]\nname = \"b\"\nchain = \"10n\"\n" + b +
                       "[[output]]\nfrom = \"w\"\n"),
            "net.toml: line 1, column 1: the output w is shared 2; it must be one per sample");
}

TEST(Toml, TakesOutputsOfALine) {
  const auto built =
      build("network = \"4c3-relu-10n\"\n[[output]]\nfrom = \"dense1\"\n[[output]]\nfrom = \"relu1\"\n", {1, 8, 8});
  EXPECT_EQ(built.outputs.size(), 2);
  EXPECT_EQ(built.graph.node(output_node(built.graph, "relu1")).type.shape, (Shape{4, 6, 6}));
}

TEST(Toml, BuildsBranchesAndSharedWeights) {
  auto graph = build_graph(R"(
    input = [1, 8, 8]
    output = "scores"
    [[parameter]]
    name = "shared"
    shape = [4, 4, 3, 3]
    init = "he"
    fan_in = 36
    [[constant]]
    name = "half"
    value = 0.5
    [[layer]]
    name = "stem"
    type = "conv"
    filters = 4
    padding = "same"
    [[layer]]
    type = "op"
    op = "conv2d"
    from = ["stem", "shared"]
    padding = [1, 1]
    [[layer]]
    type = "conv2d"
    from = ["conv2d1", "shared"]
    padding = [1, 1]
    [[layer]]
    type = "add"
    from = ["conv2d2", "stem"]
    [[layer]]
    type = "mul"
    from = ["half", "add1"]
    [[layer]]
    name = "scores"
    chain = "relu-ap2-10n"
  )",
                           {});
  graph.verify();
  EXPECT_EQ(graph.find("mul1").shape(), (Shape{4, 8, 8}));
  EXPECT_EQ(graph.node(output_node(graph)).name, "scores");
  EXPECT_EQ(graph.parameters().size(), 5);
}

TEST(Toml, KnowsEveryOperationOfTheRegistry) {
  for (const auto* op : all_ops()) {
    const auto text = "[[layer]]\ntype = \"op\"\nop = \"" + std::string(op->name.value) + "\"\n";
    EXPECT_THAT(toml_error(text), testing::Not(HasSubstr("is not an operation"))) << op->name.value;
  }
}

/// How a parameter starts.
Init init_of(Graph& graph, const char* name) {
  const Value parameter = graph.find(name);
  EXPECT_TRUE(parameter) << name;
  return graph.node(parameter.id()).attributes.as<ParameterAttributes>().init;
}

TEST(Toml, SaysHowWeightsStart) {
  auto g = build_graph(R"(
    init = "lecun"
    [[parameter]]
    name = "p"
    shape = [8, 4, 3, 3]
    init = "glorot_normal"
    [[layer]]
    type = "conv"
    filters = 4
    groups = 1
    init = "truncated_normal:0.1"
    [[layer]]
    type = "conv2d"
    from = ["conv1", "p"]
    [[layer]]
    chain = "4c3g2"
    [[layer]]
    type = "dense"
    outputs = 5
    init = "he"
    [[layer]]
    type = "dense"
    outputs = 3
  )",
                       {1, 12, 12});
  EXPECT_EQ(init_of(g, "conv1.weight"), (Init{Init::Kind::truncated_normal, 0.1}));
  EXPECT_EQ(init_of(g, "p"), WeightInit(WeightInit::glorot_normal).init(36, 8));
  EXPECT_EQ(init_of(g, "conv2.weight"), WeightInit(WeightInit::lecun).init(36, 36)) << "the network's, in a chain";
  EXPECT_EQ(init_of(g, "dense1.weight").kind, Init::Kind::normal);
  EXPECT_EQ(init_of(g, "dense1.weight").value, Init::he(4 * 6 * 6).value) << "as it says";
  EXPECT_EQ(init_of(g, "dense2.weight"), WeightInit(WeightInit::lecun).init(5, 3)) << "the network's";
  EXPECT_EQ(init_of(g, "dense2.bias"), Init::constant(0));
  g = build_graph("init = \"orthogonal\"\nnetwork = \"4c3-2t2s2-10n\"\n", {1, 8, 8});
  EXPECT_EQ(init_of(g, "conv_transpose1.weight"), (Init{Init::Kind::orthogonal, 1}));
  EXPECT_EQ(init_of(g, "dense1.weight"), (Init{Init::Kind::orthogonal, 1}));
}

TEST(Toml, SaysHowWeightsOfATransposedConvolutionStart) {
  const std::string layer = "[[layer]]\ntype = \"conv_transpose\"\nfilters = 2\nkernel = 2\nstride = 2\n";
  const auto init = [&](const std::string& head, const std::string& key) {
    auto g = build_graph(head + layer + key, {8, 3, 3});
    return init_of(g, "conv_transpose1.weight");
  };
  EXPECT_EQ(init("", ""), Init::he(8));
  EXPECT_EQ(init("init = \"glorot\"\n", ""), Init::glorot(8, 8)) << "the network's";
  EXPECT_EQ(init("init = \"glorot\"\n", "init = \"he\"\n"), Init::he(8)) << "as it says";
  EXPECT_EQ(init("", "init = \"constant:0.5\"\n"), Init::constant(0.5));
}

TEST(Toml, BeginsResidualBranchesAtZero) {
  const std::string head = "zero_residuals = true\ninit = \"glorot\"\nnetwork = ";
  auto g = build_graph(head + "\"4c3z-res(4c3z-bn-relu-4c3z-bn-relu)-res(4c3z-relu-4c3z)-5n\"\n", {1, 6, 6});
  EXPECT_EQ(init_of(g, "batch_norm1.weight"), Init::constant(1));
  EXPECT_EQ(init_of(g, "batch_norm2.weight"), Init::constant(0)) << "the last one of the branch";
  EXPECT_EQ(init_of(g, "conv3.weight").kind, Init::Kind::uniform) << "the scale behind it is enough";
  EXPECT_EQ(init_of(g, "conv4.weight").kind, Init::Kind::uniform);
  EXPECT_EQ(init_of(g, "conv5.weight"), Init::constant(0));
  EXPECT_EQ(init_of(g, "dense1.weight").kind, Init::Kind::uniform);
  auto transposed = build_graph(head + "\"4c3z-res(4c3z-relu-4t3z)-5n\"\n", {1, 6, 6});
  EXPECT_EQ(init_of(transposed, "conv_transpose1.weight"), Init::constant(0));
  EXPECT_EQ(init_of(transposed, "conv2.weight").kind, Init::Kind::uniform);
  auto usual = build_graph("4c3z-res(4c3z-relu-4c3z)-5n", {1, 6, 6});
  EXPECT_EQ(init_of(usual, "conv3.weight"), Init::he(36));
}

TEST(Toml, PointsAtMistakesInHowWeightsStart) {
  EXPECT_EQ(toml_error("init = \"hee\"\nnetwork = \"10n\"\n"),
            "net.toml: line 1, column 8: init \"hee\" is not known; did you mean \"he\"?");
  EXPECT_EQ(toml_error("[[layer]]\ntype = \"dense\"\noutputs = 3\ninit = \"normal:-1\"\n"),
            "net.toml: line 4, column 8: init \"normal:-1\" needs a number above 0 and at most 1e+37 as its σ, e.g. "
            "normal:0.05");
  EXPECT_EQ(toml_error("[[parameter]]\nname = \"p\"\nshape = [3]\ninit = 1e300\n[[layer]]\ntype=\"relu\"\n"),
            "net.toml: line 4, column 8: init must be between -1e+37 and 1e+37, not 1e+300");
  EXPECT_EQ(toml_error("[[parameter]]\nname = \"p\"\nshape = [3]\ninit = [1]\n[[layer]]\ntype=\"relu\"\n"),
            "net.toml: line 4, column 8: init must be a number, or a text such as \"he\"");
}

TEST(Toml, PointsAtMistakes) {
  EXPECT_EQ(toml_error("[[layer]]\ntype = \"conv\"\nfiltres = 3\n"),
            "net.toml: line 3, column 1: a layer of type \"conv\" has no key \"filtres\"; did you mean \"filters\"?");
  EXPECT_THAT(toml_error("[[layer]]\ntype = \"cnov\"\n"),
              HasSubstr("line 2, column 8: type names \"cnov\", which is not a layer; did you mean \"conv\"?"));
  EXPECT_THAT(toml_error("[[layer]]\ntype = \"op\"\nop = \"reshpe\"\n"), HasSubstr("did you mean \"reshape\"?"));
  EXPECT_THAT(toml_error("[[layer]]\nchain = \"20c5-rleu\"\n"),
              HasSubstr("net.toml: line 2, column 9: chain \"20c5-rleu\": character 6"));
  EXPECT_THAT(toml_error("[[layer]]\nchain = \"relu\"\nfrom = \"y\"\n"),
              HasSubstr("line 3, column 8: from names \"y\""));
  EXPECT_THAT(toml_error("[[layer]]\ntype = \"dense\"\noutputs = 0\n"), HasSubstr("line 3, column 11"));
  EXPECT_THAT(toml_error("[[layer]]\ntype = \"conv\"\nfilters = 2\nkernel = 99\n"),
              HasSubstr("line 1: conv1: kernel 99×99"));
  EXPECT_THAT(toml_error("[[layer]]\nchain = \"relu\"\n[[layer]]\nname = \"relu1\"\nchain = \"tanh\"\n"),
              HasSubstr("taken"));
  EXPECT_THAT(toml_error("[[layer]]\nchain = \"relu\"\n[[layer]]\nchain = \"tanh\"\nfrom = \"x\"\n"),
              HasSubstr("nothing uses \"relu1\""));
  EXPECT_THAT(toml_error("[[layer]]\ntype = \"conv\"\nfilters = 2\nbias = \"tied\"\n"),
              HasSubstr("line 4, column 8: bias must be true (one per filter), \"untied\""));
  EXPECT_THAT(toml_error("[[layer]]\ntype = \"conv\"\nfilters = 2\nbias = 1\n"), HasSubstr("bias must be true"));
  EXPECT_THAT(toml_error("[[layer]]\ntype = \"conv\"\nfilters = 2\nflipped = 1\n"),
              HasSubstr("line 4, column 11: flipped must be true or false"));
  EXPECT_THAT(
      toml_error("[[layer]]\ntype = \"conv\"\nfilters = 2\npadding = \"fll\"\n"),
      HasSubstr(
          "column 11: padding must be a whole number, two of them, or a word: \"same\" or \"full\", not \"fll\""));
  EXPECT_THAT(toml_error("[[layer]]\ntype = \"maxpool\"\npadding = \"full\"\n"),
              HasSubstr("two of them, or \"same\", not \"full\""));
  for (const char* head : {"type = \"dense\"\noutputs = 2\n", "type = \"conv\"\nfilters = 2\n"}) {
    EXPECT_THAT(toml_error(std::string("[[layer]]\n") + head + "bias = false\nsubtract_bias = true\n"),
                HasSubstr("line 5, column 17: subtract_bias = true needs a bias; leave out one of the two"));
  }
  EXPECT_THAT(toml_error("[[layer]]\ntype = \"bias\"\nuntide = true\n"), HasSubstr("did you mean \"untied\"?"));
  EXPECT_THAT(toml_error("[[layer]]\ntype = \"activations\"\n"),
              HasSubstr("a layer of type \"activations\" needs \"functions\", e.g. [\"sigmoid\", \"tanh\"]"));
  EXPECT_THAT(
      toml_error("[[layer]]\ntype = \"activations\"\nfunctions = [\"sigmiod\"]\n"),
      HasSubstr("line 3, column 13: functions names \"sigmiod\", which is no activation; did you mean \"sigmoid\"?"));
  EXPECT_THAT(toml_error("[[layer]]\ntype = \"activations\"\nfunctions = [\"step\", \"x\"]\n"),
              HasSubstr("\"step\", which is no activation; use " + activation_names("and")));
  EXPECT_THAT(toml_error("[[layer]]\ntype = \"activations\"\nfunctions = [\"tanh\", \"relu\", \"relu\"]\n"),
              HasSubstr("line 1: activations1: 3 functions do not divide 64 nodes; give a divisor of 64"));
  EXPECT_THAT(toml_error("[[layer]]\ntype = \"activations\"\nfunctions = [\"linear\"]\n"),
              HasSubstr("functions are all \"linear\", which does nothing"));
  std::string many;
  for (int i = 0; i < 4097; ++i) many += "\"tanh\",";
  EXPECT_THAT(toml_error("[[layer]]\ntype = \"activations\"\nfunctions = [" + many + "]\n"),
              HasSubstr("functions has 4,097 names; it may have 4,096, and is repeated for all nodes"));
  EXPECT_THAT(toml_error("[[layer]]\ntype = \"activations\"\nfunctions = []\n"), HasSubstr("there is no function"));
  EXPECT_THAT(toml_error("[[layer]]\ntype = \"batch_sum\"\n"), HasSubstr("one per sample"));
  EXPECT_THAT(toml_error("input = [1, 9, 9]\n[[layer]]\nchain = \"relu\"\n"), HasSubstr("1×9×9"));
  EXPECT_THAT(toml_error("[[layer]]\nchain = \"relu\"\n", {}), HasSubstr("input = "));
  EXPECT_THAT(toml_error("a = \n"), HasSubstr("net.toml: line 1"));
  EXPECT_THAT(toml_error("layer = 3\n"), HasSubstr("[[layer]]"));
  EXPECT_THAT(toml_error("a = " + std::string(100000, '[')), HasSubstr("net.toml: line 1"));
}

}  // namespace
}  // namespace chalk
