#include "chalkgrad/network.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "chalkgrad/cost.h"
#include "chalkgrad/error.h"
#include "src/base/test_support.h"
#include "src/base/wording.h"
#include "src/files/safetensors.h"
#include "src/net/build.h"

namespace chalk {
namespace {

using testing::HasSubstr;

class NetworkFile : public testing::Test {
 protected:
  NetworkFile() { std::filesystem::create_directories(folder_); }
  ~NetworkFile() override { std::filesystem::remove_all(folder_); }

  std::string load_error() const {
    try {
      Network::load(file_);
    } catch (const InputError& e) {
      return e.what();
    }
    return "no error";
  }

  const std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("chalkgrad-net-" + std::to_string(getpid()));
  const std::filesystem::path file_ = folder_ / "model.safetensors";
};

TEST_F(NetworkFile, ComesBackAsItWas) {
  auto net = network("4c3-relu-mp2-10n", {1, 8, 8});
  net.encoding = {{0.0312528F}, {-0.7F}, {"null", "eins", "zwei"}};
  net.metadata["data"] = "digits";
  const auto hash = net.weights_sha256();
  Graph state;
  state.parameter("conv1.weight.momentum", {4, 1, 3, 3}, Init::constant(0.25), /*trainable=*/false);
  net.variables().add(state, 0);
  EXPECT_EQ(net.weights_sha256(), hash) << "the optimizer's state is no weight";
  net.save(file_);

  const auto again = Network::load(file_);
  EXPECT_EQ(again.text(), net.text());
  EXPECT_EQ(again.graph().print(), net.graph().print());
  EXPECT_EQ(again.encoding.scale, net.encoding.scale);
  EXPECT_EQ(again.encoding.shift, net.encoding.shift);
  EXPECT_EQ(again.encoding.class_names, net.encoding.class_names);
  EXPECT_EQ(again.metadata, net.metadata);
  EXPECT_EQ(again.weights_sha256(), hash);
  EXPECT_EQ(again.variables().at("conv1.weight.momentum").values()[35], 0.25F);
}

TEST_F(NetworkFile, MustHoldTheTensorsOfItsNetwork) {
  network("4c3-10n", {1, 8, 8}).save(file_);
  const auto good = load_safetensors(file_);
  const auto with = [&](auto change) {
    auto contents = good;
    change(contents);
    save_safetensors(file_, contents);
    return load_error();
  };
  EXPECT_EQ(with([](auto& c) { c.tensors.erase("dense1.bias"); }),
            file_.string() + ": has no tensor \"dense1.bias\", which its network needs; add it, of shape 10");
  EXPECT_EQ(with([](auto& c) {
              c.tensors["other"] = {{1}, {0}};
            }),
            file_.string() + ": tensor \"other\" belongs to no layer of its network; leave it out");
  const std::string way = "; give it that shape, or change chalkgrad.network in the metadata";
  EXPECT_EQ(with([](auto& c) {
              c.tensors["conv1.bias"] = {{2}, {0, 0}};
            }),
            file_.string() + ": tensor \"conv1.bias\" is 2 but its network needs 4" + way);
  EXPECT_EQ(with([](auto& c) {
              c.tensors["conv1.bias.momentum"] = {{2}, {0, 0}};
            }),
            file_.string() + ": tensor \"conv1.bias.momentum\" is 2 but its network needs 4" + way);
  EXPECT_EQ(with([](auto& c) { c.metadata.erase("chalkgrad.network"); }),
            file_.string() +
                ": has no chalkgrad.network in its metadata; a model needs chalkgrad.version, chalkgrad.network and "
                "chalkgrad.input there (docs/formats.md)");
  EXPECT_THAT(with([](auto& c) { c.metadata["chalkgrad.network"] = "4c3-10m"; }), HasSubstr("model.safetensors"));
  EXPECT_THAT(with([](auto& c) { c.metadata["chalkgrad.network"] = "4c9-10n"; }), HasSubstr("model.safetensors"));
}

TEST_F(NetworkFile, HasMetadataInTheirRanges) {
  network("4c3-10n", {1, 8, 8}).save(file_);
  const auto good = load_safetensors(file_);
  const auto with = [&](const char* key, const char* value) {
    auto contents = good;
    contents.metadata[key] = value;
    save_safetensors(file_, contents);
    const auto message = load_error(), begin = file_.string() + ": ";
    return message.starts_with(begin) ? message.substr(begin.size()) : message;
  };
  for (const char* input : {"", "[1,8", "[0,8,8]", "[-1,8,8]", "[1.5]", "{}", "[99999999999999]", "[1,\"8\",8]",
                            "[18446744073709551615]", "[1,8,8] 9"}) {
    EXPECT_EQ(with("chalkgrad.input", input),
              "metadata chalkgrad.input is " + in_quotes(input) +
                  "; it must be a JSON list of whole numbers from 1 to 4294967296, like [1,28,28]");
  }
  EXPECT_EQ(with("chalkgrad.input", "[]"),
            "has no chalkgrad.input in its metadata; add the shape of a sample, like [1,28,28]");
  EXPECT_EQ(with("chalkgrad.scale", "[1,2]"),
            "has 2 numbers in chalkgrad.scale and 0 in chalkgrad.shift, but its network takes 1×8×8; give 1 of each, "
            "one a channel");
  for (const char* scale : {"1", "[1e300]", "[\"1\"]", "[1e999]", "[null]"}) {
    EXPECT_EQ(with("chalkgrad.scale", scale),
              "metadata chalkgrad.scale is " + in_quotes(scale) + "; it must be a JSON list of numbers, one a channel");
  }
  EXPECT_EQ(with("chalkgrad.encoding", R"(["per-sample"])"),
            "has 0 numbers in chalkgrad.scale and 0 in chalkgrad.shift, but its network takes 1×8×8; give 1 of each, "
            "one a channel");
  EXPECT_EQ(with("chalkgrad.encoding", R"(["per-image"])"),
            "metadata chalkgrad.encoding is \"[\"per-image\"]\"; it must be a JSON list of \"per-sample\" and "
            "\"values\"");
  EXPECT_EQ(with("chalkgrad.classes", "[3]"),
            "metadata chalkgrad.classes is \"[3]\"; it must be a JSON list of texts, one a class");
  EXPECT_EQ(with("chalkgrad.version", "3"),
            "has chalkgrad.version \"3\", this program reads \"1\" and \"2\"; use a newer chalkgrad");
}

TEST_F(NetworkFile, NamesItselfWhereItsRecordIsWrongAndLoadsWithoutOne) {
  auto net = network("4c3-10n", {1, 8, 8});
  net.training.emplace();
  net.save(file_);
  auto contents = load_safetensors(file_);
  contents.metadata["chalkgrad.training"].replace(contents.metadata["chalkgrad.training"].find("64"), 2, "0");
  save_safetensors(file_, contents);
  EXPECT_EQ(load_error(), file_.string() +
                              ": metadata chalkgrad.training: batch is 0; it must be whole, and from 1 to 16777216; or "
                              "remove chalkgrad.training and chalkgrad.position, which only resuming needs");
  contents.metadata.erase("chalkgrad.training");
  contents.metadata.erase("chalkgrad.position");
  save_safetensors(file_, contents);
  EXPECT_EQ(load_error(), "no error");

  net.save(file_);
  contents = load_safetensors(file_);
  contents.metadata.erase("chalkgrad.position");  // what is left says how it was trained
  save_safetensors(file_, contents);
  EXPECT_FALSE(Network::load(file_).training->unfinished());
}

TEST_F(NetworkFile, ACopyIsTheSameNetworkAndIndependent) {
  static_assert(std::is_copy_constructible_v<Network> && std::is_copy_assignable_v<Network>);
  auto net = network("4c3-bn-relu-10n", {1, 8, 8});
  net.encoding = {{0.5F}, {-0.25F}, {"null", "eins"}};
  net.metadata["data"] = "digits";
  net.training.emplace().step = 3;
  const Network before = net;
  net.save(file_);
  before.save(folder_ / "copy.safetensors");
  EXPECT_EQ(load_safetensors(folder_ / "copy.safetensors"), load_safetensors(file_));
  EXPECT_EQ(before.graph().print(), net.graph().print());

  net.initialize(2);
  net.encoding.scale[0] = 2;
  net.metadata.clear();
  EXPECT_NE(before.weights_sha256(), net.weights_sha256());
  EXPECT_EQ(before.encoding.scale[0], 0.5F);
  EXPECT_EQ(before.metadata.at("data"), "digits");
  EXPECT_EQ(before.training->step, 3);

  net = before;
  net.save(file_);
  EXPECT_EQ(load_safetensors(file_), load_safetensors(folder_ / "copy.safetensors"));
  net = network("5n", {3});
  EXPECT_EQ(net.text(), "5n");
  EXPECT_EQ(net.variables().all().size(), 2);
}

TEST(Network, DrawsParametersFromTheSeed) {
  const Shape input{1, 8, 8};
  const auto hash = [&](std::uint64_t seed) { return network("4c3-10n", input, seed).weights_sha256(); };
  EXPECT_EQ(hash(1), network("4c3-10n", input).weights_sha256());
  EXPECT_NE(hash(1), hash(2));
}

TEST(Network, TheHashCoversRunningStatistics) {
  auto net = network("4c3-bn-10n", {1, 8, 8});
  const auto hash = net.weights_sha256();
  net.variables().at("batch_norm1.running_var").values()[0] = 2;
  EXPECT_NE(net.weights_sha256(), hash);
}

TEST(Network, TakesTomlAsWell) {
  EXPECT_EQ(network("[[layer]]\nchain = \"10n\"\n", {7}).output_shape(), (Shape{10}));
  EXPECT_EQ(network("  10n\n", {7}).text(), "10n");
}

TEST(Network, RefusesGraphsWithoutOneInputAndOneOutput) {
  const auto make = [](auto build) {
    Graph g;
    build(g);
    return Network(std::move(g), "by hand");
  };
  EXPECT_THROW(make([](Graph& g) { g.output("y", g.input("z", {1})); }), InputError);
  EXPECT_THROW(make([](Graph& g) { g.input("x", {1}); }), InputError);
  EXPECT_THROW(make([](Graph& g) { g.output("y", g.input("x", {1})), g.input("z", {1}); }), InputError);
  EXPECT_NO_THROW(make([](Graph& g) { g.output("y", g.input("x", {1})); }));
}

TEST(Network, IsRefusedIfItIsAbsurdlyLarge) {
  EXPECT_THROW(build_graph("1000000n-1000000n", {64}), InputError);
  EXPECT_THROW(build_graph("1048576c1", {1, 64, 64}), InputError);
}

TEST(Cost, CountsMultiplyAdds) {
  const auto graph = build_graph("20c5-relu-mp2-40c5z-100n", {1, 28, 28});
  const std::int64_t first = 20 * 24 * 24 * 25, second = 40 * 12 * 12 * 500, third = 40 * 144 * 100;
  const auto total = cost(graph);
  EXPECT_EQ(total.forward, first + second + third);
  EXPECT_EQ(total.training, 2 * first + 3 * (second + third)) << "the input needs no gradient";
  EXPECT_EQ(total.parameters, 20 * 26 + 40 * 501 + 100 * 5761);
  const auto layers = layer_costs(graph);
  ASSERT_EQ(layers.size(), 5);
  EXPECT_EQ(layers[3].layer, "conv2");
  EXPECT_EQ(layers[3].forward, second);
  EXPECT_EQ(layers[3].shape, (Shape{40, 12, 12}));
}

TEST(Cost, CountsGroups) { EXPECT_EQ(cost(build_graph("8c3zg4", {4, 5, 5})).forward, 8 * 25 * 9); }

TEST(Network, ResNet20HasTheParametersOfThePaper) {  // "0.27M"; 269,722 in the usual implementations with option A
  std::ifstream file(testing_support::source("examples/networks/resnet20.toml"));
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const Network net = network(text, {3, 32, 32});
  EXPECT_EQ(cost(net.graph()).parameters, 269722);
  EXPECT_EQ(net.graph().node(output_node(net.graph())).type.shape, (Shape{10}));
}

TEST_F(NetworkFile, HoldsRunningStatistics) {
  Network net = network("4c3-bn-relu-10n", {1, 6, 6});
  net.variables().at("batch_norm1.running_mean").values()[2] = 0.375F;
  net.variables().at("batch_norm1.running_var").values()[1] = 2.5F;
  net.save(file_);
  const Network again = Network::load(file_);
  EXPECT_EQ(again.variables().at("batch_norm1.running_mean").values()[2], 0.375F);
  EXPECT_EQ(again.variables().at("batch_norm1.running_var").values()[1], 2.5F);
  EXPECT_EQ(again.variables().at("batch_norm1.running_var").values()[0], 1.0F);
}

}  // namespace
}  // namespace chalk
