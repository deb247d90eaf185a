#include "chalkgrad/layers.h"

#include <gtest/gtest.h>

#include <cmath>

#include "chalkgrad/error.h"
#include "src/ir/leaves.h"
#include "src/run/reference.h"

namespace chalk {
namespace {

Init init_of(Value parameter) {
  return parameter.graph().node(parameter.id()).attributes.as<ParameterAttributes>().init;
}

template <class F>
std::string error_of(F build) {
  try {
    build();
  } catch (const ShapeError& e) {
    return e.what();
  }
  return "no error";
}

TEST(Layers, ConvMakesItsParametersUnderTheLayersName) {
  Graph g;
  const Value x = g.input("x", {4, 9, 9});
  g.layer("conv1");
  const Value y = conv_layer(x, {.filters = 6, .kernel = {5, 3}, .options = {.padding = {2, 1}, .groups = 2}});
  EXPECT_EQ(y.type(), (Type{{6, 9, 9}, true}));
  EXPECT_EQ(g.find("conv1.weight").shape(), (Shape{6, 2, 5, 3}));
  EXPECT_EQ(g.find("conv1.bias").shape(), (Shape{6}));
  EXPECT_EQ(init_of(g.find("conv1.weight")), Init::he(2 * 5 * 3));
  EXPECT_EQ(init_of(g.find("conv1.bias")), Init::constant(0));
}

TEST(Layers, BiasCanBeLeftOut) {
  Graph g;
  const Value x = g.input("x", {1, 4, 4});
  g.layer("a");
  conv_layer(x, {.filters = 2, .options = {}, .bias = false});
  g.layer("b");
  dense_layer(x, 3, false);
  EXPECT_FALSE(g.find("a.bias"));
  EXPECT_FALSE(g.find("b.bias"));
  EXPECT_EQ(g.parameters().size(), 2u);
}

TEST(Layers, ConvAddsItsBiasToEachFilter) {
  Graph g;
  const Value x = g.input("x", {1, 2, 2});
  g.layer("c");
  const Value y = conv_layer(x, {.filters = 2, .kernel = {1, 1}, .options = {}});
  Reference r(g, 1);
  r.set(x.id(), {1, 2, 3, 4});
  r.set(g.find("c.weight").id(), {10, 100});
  r.set(g.find("c.bias").id(), {5, 7});
  r.run();
  EXPECT_EQ(r.value(y.id()), (std::vector<double>{15, 25, 35, 45, 107, 207, 307, 407}));
}

TEST(Layers, DenseFlattensItsInput) {
  Graph g;
  const Value x = g.input("x", {1, 2, 2});
  g.layer("d");
  const Value y = dense_layer(x, 1, true, WeightInit::glorot);
  EXPECT_EQ(init_of(g.find("d.weight")), Init::glorot(4, 1));
  Reference r(g, 1);
  r.set(x.id(), {1, 2, 3, 4});
  r.set(g.find("d.weight").id(), {1, 10, 100, 1000});
  r.set(g.find("d.bias").id(), {0.5});
  r.run();
  EXPECT_EQ(r.value(y.id()), (std::vector<double>{4321.5}));
}

TEST(Layers, DenseLeavesAVectorAsItIs) {
  Graph g;
  dense_layer(g.input("x", {5}), 2);
  EXPECT_EQ(g.print().find("reshape"), std::string::npos) << g.print();
  EXPECT_EQ(init_of(g.find("weight")), Init::he(5));
}

TEST(Losses, CrossEntropyOfAOneHotTargetIsMinusTheLogProbability) {
  Graph g;
  const Value z = g.input("z", {3}), t = g.input("t", {3}, true);
  const Value loss = batch_mean(cross_entropy(z, t));
  EXPECT_EQ(loss.type(), (Type{{}, false}));
  Reference r(g, 2);
  r.set(z.id(), {1, 2, 3, 0, 0, 0});
  r.set(t.id(), {0, 0, 1, 1, 0, 0});
  r.run();
  const double first = -std::log(std::exp(3) / (std::exp(1) + std::exp(2) + std::exp(3)));
  EXPECT_NEAR(r.value(loss.id())[0], (first + std::log(3.0)) / 2, 1e-14);
}

TEST(Losses, SquaredErrorIsHalfTheSquaredDistance) {
  Graph g;
  const Value y = g.input("y", {2, 2}), t = g.input("t", {2, 2});
  const Value loss = squared_error(y, t);
  EXPECT_EQ(loss.type(), (Type{{}, true}));
  Reference r(g, 1);
  r.set(y.id(), {1, 2, 3, 4});
  r.set(t.id(), {1, 1, 1, 1});
  r.run();
  EXPECT_EQ(r.value(loss.id())[0], 7);
}

TEST(Layers, ErrorsNameTheLayerAndSayWhatToDo) {
  Graph g;
  const Value x = g.input("x", {3, 4, 4}), v = g.input("v", {10}), t = g.input("t", {9});
  g.layer("conv7");
  EXPECT_EQ(error_of([&] { conv_layer(v, {}); }),
            "conv7: takes channels × rows × columns, not 10; reshape the input to three axes");
  EXPECT_EQ(error_of([&] { conv_layer(x, {.filters = 0, .options = {}}); }),
            "conv7: 0 filters; a convolution needs at least one");
  EXPECT_EQ(error_of([&] {
              conv_layer(x, {.kernel = {0, 3}, .options = {}});
            }),
            "conv7: kernel 0×3; a kernel is at least 1×1");
  EXPECT_EQ(error_of([&] { conv_layer(x, {.filters = 4, .options = {.groups = 2}}); }),
            "conv7: 2 groups do not divide 3 channels into 4 filters; use a divisor of both");
  EXPECT_EQ(error_of([&] { dense_layer(x, 0); }), "conv7: 0 outputs; a dense layer needs at least one");
  g.layer("");
  EXPECT_EQ(error_of([&] { cross_entropy(v, t); }),
            "cross_entropy: a target of 9 does not fit 10; give both the same shape");
  EXPECT_EQ(error_of([&] { squared_error(v, t); }),
            "squared_error: a target of 9 does not fit 10; give both the same shape");
  EXPECT_EQ(error_of([&] { cross_entropy(x, x); }),
            "cross_entropy: takes one vector of classes a sample, not 3×4×4; reshape it to one axis");
}

}  // namespace
}  // namespace chalk
