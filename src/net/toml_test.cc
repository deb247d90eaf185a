#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "chalkgrad/error.h"
#include "src/net/build.h"
#include "src/ops/registry.h"

namespace chalk {
namespace {

using testing::HasSubstr;

std::string error_of(std::string_view text, const Shape& input = {1, 8, 8}) {
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
    EXPECT_THAT(error_of(text), testing::Not(HasSubstr("is not an operation"))) << op->name.value;
  }
}

TEST(Toml, PointsAtMistakes) {
  EXPECT_EQ(error_of("[[layer]]\ntype = \"conv\"\nfiltres = 3\n"),
            "net.toml: line 3, column 1: a layer of type \"conv\" has no key \"filtres\"; did you mean \"filters\"?");
  EXPECT_THAT(error_of("[[layer]]\ntype = \"cnov\"\n"),
              HasSubstr("line 2, column 8: type names \"cnov\", which is not a layer; did you mean \"conv\"?"));
  EXPECT_THAT(error_of("[[layer]]\ntype = \"op\"\nop = \"reshpe\"\n"), HasSubstr("did you mean \"reshape\"?"));
  EXPECT_THAT(error_of("[[layer]]\nchain = \"20c5-rleu\"\n"),
              HasSubstr("net.toml: line 2, column 9: chain \"20c5-rleu\": character 6"));
  EXPECT_THAT(error_of("[[layer]]\nchain = \"relu\"\nfrom = \"y\"\n"), HasSubstr("line 3, column 8: from names \"y\""));
  EXPECT_THAT(error_of("[[layer]]\ntype = \"dense\"\noutputs = 0\n"), HasSubstr("line 3, column 11"));
  EXPECT_THAT(error_of("[[layer]]\ntype = \"conv\"\nfilters = 2\nkernel = 99\n"),
              HasSubstr("line 1: conv1: kernel 99×99"));
  EXPECT_THAT(error_of("[[layer]]\nchain = \"relu\"\n[[layer]]\nname = \"relu1\"\nchain = \"tanh\"\n"),
              HasSubstr("taken"));
  EXPECT_THAT(error_of("[[layer]]\nchain = \"relu\"\n[[layer]]\nchain = \"tanh\"\nfrom = \"x\"\n"),
              HasSubstr("nothing uses \"relu1\""));
  EXPECT_THAT(error_of("[[layer]]\ntype = \"batch_sum\"\n"), HasSubstr("one per sample"));
  EXPECT_THAT(error_of("input = [1, 9, 9]\n[[layer]]\nchain = \"relu\"\n"), HasSubstr("1×9×9"));
  EXPECT_THAT(error_of("[[layer]]\nchain = \"relu\"\n", {}), HasSubstr("input = "));
  EXPECT_THAT(error_of("a = \n"), HasSubstr("net.toml: line 1"));
  EXPECT_THAT(error_of("layer = 3\n"), HasSubstr("[[layer]]"));
  EXPECT_THAT(error_of("a = " + std::string(100000, '[')), HasSubstr("net.toml: line 1"));
}

}  // namespace
}  // namespace chalk
