#include "src/net/chain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "chalkgrad/error.h"

namespace chalk {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// "conv filters=20 kernel=[5, 5]": the layer and those of its options that are not as usual.
std::string text_of(const LayerSpec& spec) {
  const auto options = to_string(spec.options, spec.layer->options);
  return std::string(spec.layer->name.value) + (options.empty() ? "" : " ") + options;
}

std::vector<std::string> texts_of(std::span<const LayerSpec> layers) {
  std::vector<std::string> texts(layers.size());
  std::transform(layers.begin(), layers.end(), texts.begin(), text_of);
  return texts;
}

std::string chain_error(std::string_view text) {
  try {
    parse_chain(text);
  } catch (const InputError& e) {
    return e.what();
  }
  return "no error";
}

TEST(Chain, ReadsEveryKindOfLayerWithItsPlace) {
  const auto layers = parse_chain("20c5-relu-mp2-ap3x2-100n-tanh-sigmoid-linear-softmax");
  EXPECT_THAT(texts_of(layers),
              ElementsAre("conv filters=20 kernel=[5, 5]", "relu", "maxpool", "avgpool window=[3, 2] stride=[3, 2]",
                          "dense outputs=100", "tanh", "sigmoid", "linear", "softmax"));
  EXPECT_EQ(layers[0].position, 1);
  EXPECT_EQ(layers[1].position, 6);
  EXPECT_EQ(layers[2].position, 11);
  EXPECT_EQ(layers[3].position, 15);
}

TEST(Chain, ReadsModifiersInAnyOrder) {
  for (const char* text : {"8c3x5zs2x1g4", "8c3x5g4s2x1z", "8c3x5s2x1zg4"}) {
    EXPECT_EQ(text_of(parse_chain(text)[0]), "conv filters=8 kernel=[3, 5] stride=[2, 1] padding=[1, 2] groups=4")
        << text;
  }
  EXPECT_EQ(text_of(parse_chain("mp3s2z")[0]), "maxpool window=[3, 3] padding=[1, 1]");
  EXPECT_EQ(text_of(parse_chain("mp3z")[0]), "maxpool window=[3, 3] stride=[3, 3] padding=[1, 1]");
}

TEST(Chain, ReadsFlippedUntiedAndWideConvolutionsAndBiases) {
  for (const char* text : {"8c3x5wfu", "8c3x5ufw", "8c3x5fuw-bias"}) {
    EXPECT_EQ(text_of(parse_chain(text)[0]), "conv filters=8 kernel=[3, 5] padding=[2, 4] flipped=true bias=\"untied\"")
        << text;
  }
  EXPECT_THAT(texts_of(parse_chain("mp2-bias-relu")), ElementsAre("maxpool", "bias", "relu"));
  EXPECT_EQ(parse_chain("mp2-bias-relu")[1].position, 5);
}

TEST(Chain, ReadsAWordWithADashInIt) {
  EXPECT_THAT(texts_of(parse_chain("4c3-leaky-relu-mp2-leaky-relu0.25-10n")),
              ElementsAre("conv filters=4", "leaky_relu", "maxpool", "leaky_relu slope=0.25", "dense outputs=10"));
  EXPECT_EQ(parse_chain("4c3-leaky-relu-mp2")[1].position, 5);
  EXPECT_EQ(chain_error("10n-leaky-relu2"),
            "network \"10n-leaky-relu2\": character 15: the slope must be between 0 and 1, not 2");
  EXPECT_THAT(chain_error("leaky-relu0.z"), HasSubstr("character 13: the slope has no digit after its point"));
  EXPECT_THAT(chain_error("leaky-relu0.1z"), HasSubstr("character 14: \"z\" is not understood after \"leaky-relu0.1\"; "
                                                       "leaky-relu may go on with its slope"));
  EXPECT_THAT(chain_error("10n-leaky-rleu"),
              HasSubstr("character 5: \"leaky\" is not a layer; layers are e.g. 20c5, "));
  EXPECT_THAT(chain_error("leaky_relu"), HasSubstr("did you mean \"leaky-relu\"?"));
}

TEST(Chain, ReadsActivationsWithNumbersAndLetters) {
  EXPECT_THAT(texts_of(parse_chain("relu-relu6-elu-elu0.5-celu2-selu-gelu-gelutanh-prelu-prelu0.5-prelu0.25c-prelu1c")),
              ElementsAre("relu", "relu6", "elu", "elu alpha=0.5", "celu alpha=2", "selu", "gelu", "gelu_tanh", "prelu",
                          "prelu start=0.5", "prelu per_channel=true", "prelu start=1 per_channel=true"));
  EXPECT_THAT(texts_of(parse_chain("hard-tanh-hard-sigmoid-hard-swish-log-sigmoid-scaled-tanh-silu")),
              ElementsAre("hard_tanh", "hard_sigmoid", "hard_swish", "log_sigmoid", "scaled_tanh", "silu"));
  EXPECT_THAT(texts_of(parse_chain("gelu-tanh")), ElementsAre("gelu", "tanh")) << "two layers";
  EXPECT_EQ(chain_error("10n-elu0"), "network \"10n-elu0\": character 8: α must be above 0 and at most 1000, not 0");
  EXPECT_EQ(chain_error("celu1001"), "network \"celu1001\": character 5: α must be above 0 and at most 1000, not 1001");
  EXPECT_EQ(chain_error("prelu2"), "network \"prelu2\": character 6: the slope must start at a number up to 1, not 2");
  EXPECT_THAT(chain_error("prelu0.25x"),
              HasSubstr("character 10: \"x\" is not understood after \"prelu0.25\"; prelu may go "
                        "on with what its slope starts at"));
  EXPECT_THAT(chain_error("relu8"), HasSubstr("\"relu8\" is not a layer"));
}

TEST(Chain, ReadsNormalisationsAndChangesOfSize) {
  EXPECT_THAT(texts_of(parse_chain("ln-lnc-gn8-in-lrn5-lrn3-up2-up3x2b-aap4-aap3x5-gmp")),
              ElementsAre("layer_norm", "layer_norm over=\"channels\"", "group_norm groups=8", "instance_norm",
                          "local_response_norm", "local_response_norm size=3", "upsample",
                          "upsample factor=[3, 2] mode=\"bilinear\"", "adaptive_avgpool size=[4, 4]",
                          "adaptive_avgpool size=[3, 5]", "gmp"));
  EXPECT_THAT(texts_of(parse_chain("8t4s2z-6t3x5s3x1zg2-2t2")),
              ElementsAre("conv_transpose filters=8 kernel=[4, 4] stride=[2, 2] padding=[1, 1]",
                          "conv_transpose filters=6 kernel=[3, 5] stride=[3, 1] padding=[0, 2] groups=2",
                          "conv_transpose filters=2 kernel=[2, 2]"));
  EXPECT_THAT(chain_error("lnx"), HasSubstr("\"lnx\" is not a layer"));
  EXPECT_THAT(chain_error("lncc"),
              HasSubstr("character 4: \"c\" is not understood after \"lnc\"; ln may go on with c"));
  EXPECT_EQ(chain_error("gn"), "network \"gn\": character 3: the number of groups is missing; write e.g. gn8");
  EXPECT_EQ(chain_error("lrn"), "network \"lrn\": character 4: the number of channels is missing; write e.g. lrn5");
  EXPECT_EQ(chain_error("up1025"), "network \"up1025\": character 3: the factor must be at most 1,024");
  EXPECT_EQ(chain_error("aap257"), "network \"aap257\": character 4: the size must be at most 256");
  EXPECT_EQ(chain_error("8t3s2z"),
            "network \"8t3s2z\": character 6: z cuts off both sides alike, so that there are exactly 2 times as many "
            "rows; the kernel must exceed the stride by an even number, unlike 3 and 2; use e.g. 4 and 2, or TOML with "
            "padding = …");
}

TEST(Chain, ReadsConcatenatedBranches) {
  const auto layers = parse_chain("cat(4c1)-cat(4c1,2c3z-relu,mp3s1z)-10n");
  EXPECT_THAT(texts_of(layers), ElementsAre("cat", "cat", "dense outputs=10"));
  EXPECT_EQ(layers[0].branches.size(), 1U);
  ASSERT_EQ(layers[1].branches.size(), 3U);
  EXPECT_THAT(texts_of(layers[1].branches[1]), ElementsAre("conv filters=2 padding=[1, 1]", "relu"));
  EXPECT_THAT(
      chain_error("res(relu,relu,relu)"),
      HasSubstr("character 14: \",\" cannot stand here; res(…,…) holds two chains: the branch and the shortcut"));
  EXPECT_THAT(chain_error("3*(relu,relu)"), HasSubstr("\",\" cannot stand here; a repetition holds one chain"));
}

TEST(Chain, ReadsDropoutAndNoise) {
  EXPECT_THAT(texts_of(parse_chain("drop-drop0.25-drop0.25c-drop0.125s-noise-noise0.25")),
              ElementsAre("dropout", "dropout rate=0.25", "dropout rate=0.25 of=\"channels\"",
                          "dropout rate=0.125 of=\"samples\"", "gaussian_noise", "gaussian_noise deviation=0.25"));
  EXPECT_EQ(chain_error("drop1"), "network \"drop1\": character 5: the rate must be below 1, not 1");
  EXPECT_EQ(chain_error("noise1001"),
            "network \"noise1001\": character 6: the standard deviation must be at most 1000, not 1001");
  EXPECT_THAT(chain_error("drop0.5cs"),
              HasSubstr("character 9: \"s\" is not understood after \"drop0.5c\"; drop may go on "
                        "with its rate"));
}

TEST(Chain, ReadsResidualsAndRepetitions) {
  const auto layers = parse_chain("bn-2*(res(4c3z-bn)-relu)-res(8c3zs2,8c1s2)-gap");
  EXPECT_THAT(texts_of(layers), ElementsAre("batch_norm", "residual", "relu", "residual", "relu", "residual", "gap"));
  EXPECT_EQ(layers[1].position, 7);
  EXPECT_THAT(texts_of(layers[1].branches[0]), ElementsAre("conv filters=4 padding=[1, 1]", "batch_norm"));
  EXPECT_EQ(layers[1].branches[0][1].position, 16);
  EXPECT_EQ(layers[1].branches.size(), 1U);
  EXPECT_EQ(layers[3], layers[1]);
  EXPECT_THAT(texts_of(layers[5].branches[0]), ElementsAre("conv filters=8 stride=[2, 2] padding=[1, 1]"));
  EXPECT_THAT(texts_of(layers[5].branches[1]), ElementsAre("conv filters=8 kernel=[1, 1] stride=[2, 2]"));
  EXPECT_EQ(parse_chain("2*(3*(relu))").size(), 6);
  EXPECT_THAT(texts_of(parse_chain("res(res(relu)-relu)")[0].branches[0][0].branches[0]), ElementsAre("relu"));
}

TEST(Chain, PointsAtWhatIsWrongWithParentheses) {
  EXPECT_EQ(chain_error("res(10n"),
            "network \"res(10n\": character 4: this parenthesis is not closed; write \")\" after its layers");
  EXPECT_THAT(chain_error("10n)"), HasSubstr("character 4: \")\" stands outside of parentheses; remove it"));
  EXPECT_THAT(chain_error("10n,relu"), HasSubstr("character 4: \",\" stands outside of parentheses"));
  EXPECT_THAT(chain_error("(10n)"), HasSubstr("character 1: \"\" cannot stand before \"(\"; write res(…)"));
  EXPECT_THAT(chain_error("relu(10n)"), HasSubstr("character 1: \"relu\" cannot stand before"));
  EXPECT_THAT(chain_error("3(10n)"), HasSubstr("character 1: \"3\" cannot stand before"));
  EXPECT_THAT(chain_error("3x*(10n)"), HasSubstr("character 1: \"3x*\" cannot stand before"));
  EXPECT_THAT(chain_error("0*(10n)"), HasSubstr("character 1: the number of repetitions must be at least 1"));
  EXPECT_THAT(chain_error("res()"), HasSubstr("character 5: an empty layer"));
  EXPECT_THAT(chain_error("res(relu,)"), HasSubstr("character 10: an empty layer"));
  EXPECT_THAT(chain_error("res(relu-)"), HasSubstr("character 10: an empty layer"));
  EXPECT_THAT(chain_error("res(relu)10n"), HasSubstr("character 10: \"1\" cannot stand after \")\""));
  EXPECT_THAT(chain_error("2*(relu,relu)"),
              HasSubstr("character 8: \",\" cannot stand here; a repetition holds one chain"));
  EXPECT_THAT(chain_error("res(a,b,c)"), HasSubstr("character 5: \"a\" is not a layer"));
  EXPECT_THAT(chain_error("res(bn,bn,bn)"),
              HasSubstr("character 10: \",\" cannot stand here; res(…,…) holds two chains"));
  EXPECT_THAT(chain_error("res(softmax)"), HasSubstr("character 5: softmax can only be the last layer"));
  EXPECT_THAT(chain_error("2*(10n-softmax)"), HasSubstr("character 8: softmax can only be the last layer"));
  EXPECT_THAT(chain_error("9999*(relu)"), HasSubstr("character 1: there are more than 4096 layers"));
  EXPECT_THAT(chain_error("99*(99*(99*(relu)))"), HasSubstr("there are more than 4096 layers"));
  std::string deep;
  for (int i = 0; i < 100000; ++i) deep += "res(";
  EXPECT_THAT(chain_error(deep), HasSubstr("there are more than 16 parentheses in each other"));
}

TEST(Chain, PointsAtWhatItDoesNotUnderstand) {
  EXPECT_EQ(chain_error("20c5-rleu-10n"),
            "network \"20c5-rleu-10n\": character 6: \"rleu\" is not a layer; did you mean \"relu\"?");
  EXPECT_THAT(chain_error("20c5-"), HasSubstr("character 5"));
  EXPECT_THAT(chain_error("-20c5"), HasSubstr("character 1: an empty layer"));
  EXPECT_THAT(chain_error("20c5--10n"), HasSubstr("character 6: an empty layer"));
  EXPECT_THAT(chain_error("20c"), HasSubstr("character 4: the kernel size"));
  EXPECT_THAT(chain_error("20c5g"), HasSubstr("character 6: the number of groups"));
  EXPECT_THAT(chain_error("20c5zz"), HasSubstr("character 6: \"z\""));
  EXPECT_THAT(chain_error("20c5zw"), HasSubstr("character 6: \"w\""));
  EXPECT_THAT(chain_error("20c5ff"), HasSubstr("character 6: \"f\""));
  EXPECT_THAT(chain_error("20c5uu"), HasSubstr("f (flipped kernel) and u (untied bias), each once"));
  EXPECT_THAT(chain_error("mp2f"), HasSubstr("character 4: \"f\""));
  EXPECT_THAT(chain_error("mp2w"), HasSubstr("character 4: \"w\""));
  EXPECT_THAT(chain_error("mp2-bais"), HasSubstr("did you mean \"bias\"?"));
  EXPECT_THAT(chain_error("10n5"), HasSubstr("character 4: \"5\""));
  EXPECT_THAT(chain_error("mp2g2"), HasSubstr("character 4: \"g2\""));
  EXPECT_THAT(chain_error("20c4z"), HasSubstr("odd"));
  EXPECT_THAT(chain_error("softmax-10n"), HasSubstr("last"));
  EXPECT_THAT(chain_error("20c5–10n"), HasSubstr("character 5: \"–\""));
  EXPECT_THAT(chain_error(""), HasSubstr("empty"));
}

TEST(Chain, BoundsNumbers) {
  EXPECT_EQ(text_of(parse_chain("1048576n")[0]), "dense outputs=1048576");
  for (const char* text : {"1048577n", "99999999999999999999999n", "20c1048577", "mp2s9999999"}) {
    EXPECT_THAT(chain_error(text), HasSubstr("too large")) << text;
  }
  for (const char* text : {"0n", "0c5", "20c0", "20c5s0", "mp0", "20c5g0"})
    EXPECT_THAT(chain_error(text), HasSubstr("at least 1")) << text;
}

RC_GTEST_PROP(Chain, AnswersAnyTextWithLayersOrOneLine, (const std::string& text)) {
  try {
    RC_ASSERT(!parse_chain(text).empty());
  } catch (const InputError& e) {
    RC_ASSERT(std::string_view(e.what()).find('\n') == std::string_view::npos);
  }
}

RC_GTEST_PROP(Chain, AnswersAnyTextOfItsLettersToo, ()) {
  const auto text =
      *rc::gen::container<std::string>(rc::gen::elementOf(std::string("0123459-cnmpazsgwfuxrelubias(),*(),*")));
  try {
    for (const auto& layer : parse_chain(text)) RC_ASSERT(layer.position >= 1 && layer.position <= text.size());
  } catch (const InputError&) {
  }
}

TEST(Chain, BuildsTheLayersOfDerivation000) {
  Graph graph;
  LayerNames names(graph);
  build_chain(graph.input("x", {1, 8, 8}), parse_chain("4c3wfu-relu-mp2-bias-relu-10n"), names);
  EXPECT_EQ(graph.find("conv1").shape(), (Shape{4, 10, 10}));
  EXPECT_EQ(graph.find("conv1.bias").shape(), (Shape{4, 10, 10}));
  EXPECT_EQ(graph.find("bias1.bias").shape(), (Shape{4, 5, 5}));
  EXPECT_NE(graph.print().find("reverse("), std::string::npos);
  graph.verify();
}

TEST(Chain, LeavesOutABiasThatBatchNormalisationWouldTakeAway) {
  Graph graph;
  LayerNames names(graph);
  build_chain(graph.input("x", {1, 8, 8}), parse_chain("4c3-bn-4c3u-bn-4c3-relu-bn-6n-bn-10n"), names);
  EXPECT_FALSE(graph.find("conv1.bias"));
  EXPECT_TRUE(graph.find("conv2.bias")) << "asked for";
  EXPECT_TRUE(graph.find("conv3.bias")) << "something is between";
  EXPECT_FALSE(graph.find("dense1.bias"));
  EXPECT_TRUE(graph.find("dense2.bias"));
  EXPECT_EQ(graph.find("batch_norm4.running_var").shape(), (Shape{6}));
}

TEST(Chain, BuildsResiduals) {
  Graph graph;
  LayerNames names(graph);
  const Value y = build_chain(graph.input("x", {4, 8, 8}),
                              parse_chain("res(4c3z-bn-relu-4c3z-bn)-relu-res(8c3zs2-bn)-res(6c1,6c1-bn)-gap"), names);
  EXPECT_EQ(y.name(), "gap1");
  EXPECT_EQ(y.shape(), (Shape{6}));
  EXPECT_EQ(graph.find("residual2").shape(), (Shape{8, 4, 4}));
  EXPECT_EQ(graph.find("residual3").shape(), (Shape{6, 4, 4}));
  graph.verify();
}

TEST(Chain, BuildsNamedLayers) {
  Graph graph;
  LayerNames names(graph);
  const Value y =
      build_chain(graph.input("x", {1, 28, 28}), parse_chain("20c5-relu-mp2-40c5z-linear-mp3s2z-relu-10n"), names);
  EXPECT_EQ(y.name(), "dense1");
  EXPECT_EQ(graph.find("conv1").shape(), (Shape{20, 24, 24}));
  EXPECT_EQ(graph.find("conv2").shape(), (Shape{40, 12, 12}));
  EXPECT_EQ(graph.find("maxpool2").shape(), (Shape{40, 6, 6}));
  EXPECT_EQ(graph.find("relu2").shape(), (Shape{40, 6, 6}));
  EXPECT_EQ(graph.find("dense1.weight").shape(), (Shape{10, 1440}));
  graph.verify();
}

}  // namespace
}  // namespace chalk
