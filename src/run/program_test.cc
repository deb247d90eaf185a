// What a program computes is what the reference computes, whatever the batch, the threads and the passes.
#include "chalkgrad/program.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <map>
#include <utility>
#include <vector>

#include "chalkgrad/differentiate.h"
#include "chalkgrad/error.h"
#include "chalkgrad/layers.h"
#include "chalkgrad/losses.h"
#include "chalkgrad/ops.h"
#include "src/ir/leaves.h"
#include "src/passes/passes.h"
#include "src/run/program_testing.h"
#include "src/run/reference.h"

namespace chalk {
namespace {

/// Outputs y, the mean cross-entropy of y with the input "t", and the loss's gradient with respect to each parameter.
void output_gradients(Graph& g, Value y) {
  const Value loss = batch_mean(cross_entropy(y, g.input("t", {4}, true)));
  const auto parameters = g.parameters();
  const auto d = gradients(loss, parameters);
  g.output("loss", loss);
  g.output("y", y);
  for (std::size_t i = 0; i < d.size(); ++i) g.output("d " + parameters[i].name(), d[i]);
}

/// conv–relu–pool twice, dense, softmax and cross-entropy, with all gradients as outputs.
Graph network_with_gradients() {
  Graph g;
  const Value x = g.input("x", {2, 9, 8});
  g.layer("conv1");
  Value v = max_pool(relu(conv_layer(x, {.filters = 5, .kernel = {3, 3}, .options = {.padding = {1, 1}}})));
  g.layer("conv2");
  v = average_pool(tanh(conv_layer(v, {.filters = 3, .kernel = {2, 2}})), {.window = {2, 2}, .stride = {1, 1}});
  g.layer("dense1");
  v = relu(dense_layer(v, {.outputs = 7}));
  g.layer("dense2");
  v = dense_layer(v, {.outputs = 4});
  g.name(v, "y");
  output_gradients(g, v);
  return g;
}

/// Convolutions wide enough for Winograd's transforms, with all gradients as outputs.
Graph wide_network() {
  Graph g;
  const Value x = g.input("x", {2, 9, 8});
  g.layer("conv1");
  Value v = relu(conv_layer(x, {.filters = 32, .kernel = {3, 3}, .options = {.padding = {1, 1}}}));
  g.layer("conv2");
  v = max_pool(relu(conv_layer(v, {.filters = 40, .kernel = {3, 3}, .options = {.padding = {2, 2}}})));
  g.layer("conv3");
  v = relu(conv_layer(v, {.filters = 26, .kernel = {3, 3}, .options = {.padding = {2, 2}}}));
  v = max_pool(v, {.window = {3, 3}, .stride = {3, 3}});  // not within a tile
  g.layer("dense1");
  v = dense_layer(v, {.outputs = 4});
  output_gradients(g, v);
  return g;
}

/// Dense layers with so many weights that they run over the whole batch, with all gradients as outputs.
Graph large_dense_layers() {
  Graph g;
  const Value x = g.input("x", {2, 9, 8});
  g.layer("dense1");
  Value v = relu(dense_layer(x, {.outputs = 920}));
  g.layer("dense2");
  v = tanh(dense_layer(v, {.outputs = 144}));
  g.layer("dense3");
  output_gradients(g, dense_layer(v, {.outputs = 4}) + slice(reshape(x, {144}), {0}, {4}));
  return g;
}

/// Batch normalisation by hand: the mean couples the samples, so the graph runs in several phases.
Graph coupled_samples() {
  Graph g;
  const Value x = g.input("x", {2, 9, 8});
  g.layer("conv1");
  const Value z = conv_layer(x, {.filters = 3});
  const auto mean_of = [&](Value v) { return reshape(batch_mean(mean(v, {1, 2})), {3, 1, 1}); };
  const Value centred = z - mean_of(z);
  const Value normal = centred / sqrt(mean_of(centred * centred) + g.constant(1e-3));
  g.layer("dense1");
  const Value y = dense_layer(relu(normal), {.outputs = 4});
  output_gradients(g, y);
  return g;
}

/// Layers of batch normalisation, pooling and both kinds of shortcuts, as in training.
Graph residual_network() {
  Graph g;
  Value v = g.input("x", {2, 9, 8});
  int layers = 0;
  const auto normalised = [&](Value x, std::int64_t filters, std::int64_t stride) {
    g.layer("conv" + std::to_string(++layers));
    const Conv2dOptions options{.stride = {stride, stride}, .padding = {1, 1}};
    x = conv_layer(x, {.filters = filters, .kernel = {3, 3}, .options = options, .bias = Bias::none});
    g.layer("bn" + std::to_string(layers));
    return batch_norm_layer(x);
  };
  v = relu(normalised(v, 5, 1));
  v = relu(residual(v, normalised(relu(normalised(v, 5, 1)), 5, 1)));
  v = relu(residual(v, normalised(relu(normalised(v, 7, 2)), 7, 1)));
  v = max_pool(relu(normalised(v, 6, 1)));
  g.layer("dense1");
  v = dense_layer(v, {.outputs = 6});
  g.layer("bn");
  v = tanh(batch_norm_layer(v));
  g.layer("dense2");
  v = dense_layer(v, {.outputs = 4});
  g.output("y", v);
  Graph training = training_form(g);
  training.clear_outputs();
  output_gradients(training, training.value(v.id()));
  return training;
}

/// A block as in ConvNeXt: depthwise, the channels of each place normalised, to more channels and back, beside a
/// shortcut; with all gradients as outputs.
Graph block_of_places() {
  Graph g;
  g.layer("conv1");
  const Value x = conv_layer(g.input("x", {2, 9, 8}), {.filters = 20, .kernel = {1, 1}});
  g.layer("conv2");
  Value v = conv_layer(x, {.filters = 20, .kernel = {5, 3}, .options = {.padding = {2, 1}, .groups = 20}});
  g.layer("norm");
  v = layer_norm_layer(v, {.over_channels = true});
  g.layer("conv3");
  v = gelu(conv_layer(v, {.filters = 36, .kernel = {1, 1}}));
  g.layer("conv4");
  v = x + conv_layer(v, {.filters = 20, .kernel = {1, 1}});
  g.layer("conv5");
  v = relu(conv_layer(v, {.filters = 20, .kernel = {3, 3}, .options = {{2, 2}, {1, 1}, {1, 1}, 20}}));
  g.layer("dense1");
  output_gradients(g, dense_layer(v, {.outputs = 4}));
  return g;
}

using Exact = std::map<std::string, std::vector<double>>;

/// The outputs of g as the reference computes them.
Exact by_reference(Graph g, std::size_t samples) {
  const Data data(samples);
  const Variables variables(g, 3);
  Reference reference(g, samples);
  for (NodeId id = 0; id < g.size(); ++id) {
    const Node& node = g.node(id);
    if (node.op == &op_parameter) {
      const auto values = variables.at(node.name).values();
      reference.set(id, {values.begin(), values.end()});
    }
  }
  reference.set(g.find("x").id(), {data.x.begin(), data.x.end()});
  std::vector<double> target(samples * 4, 0);
  for (std::size_t i = 0; i < samples; ++i) target[i * 4 + static_cast<std::size_t>(data.labels[i])] = 1;
  reference.set(g.find("t").id(), target);
  reference.run();
  Exact found;
  for (const auto& [name, id] : g.outputs()) found[name] = reference.value(id);
  return found;
}

void expect_close(const Graph& g, std::size_t samples, const CompileOptions& options, const Exact& reference) {
  const Data data(samples);
  Variables variables(g, 3);
  for (const auto& [name, close] : run(g, variables, data, options)) {
    const auto& exact = reference.at(name);
    ASSERT_EQ(close.size(), exact.size()) << name;
    double largest = 0;
    for (const double value : exact) largest = std::max(largest, std::abs(value));
    // A few hundred roundings of 2^-24, relative to the result and to terms of order 1 that may cancel.
    for (std::size_t i = 0; i < exact.size(); ++i) {
      EXPECT_NEAR(static_cast<double>(close[i]), exact[i], 2e-5 * largest + 1e-6) << name << " " << i;
    }
  }
}

struct ProgramCase {
  const char* name;
  std::function<Graph()> build;
  std::vector<std::size_t> samples = {1, 15, 16, 17, 53};
};
const ProgramCase kProgramCases[] = {{"Network", network_with_gradients},
                                     {"Wide", wide_network, {1, 37}},  // these two are slow by the reference
                                     {"LargeDenseLayers", large_dense_layers, {17}},
                                     {"Coupled", coupled_samples},
                                     {"Residual", residual_network},
                                     {"BlockOfPlaces", block_of_places, {17}}};

class ProgramOf : public testing::TestWithParam<ProgramCase> {};

TEST_P(ProgramOf, ComputesWhatTheReferenceComputes) {
  const Graph g = GetParam().build();
  for (const std::size_t samples : GetParam().samples) {
    SCOPED_TRACE(samples);
    expect_close(g, samples, {.threads = 2}, by_reference(g, samples));
  }
}

TEST_P(ProgramOf, ComputesItWithEachPassSwitchedOff) {
  const Graph g = GetParam().build();
  const std::size_t samples = 37;
  const auto exact = by_reference(g, samples);
  for (const std::set<std::string>& off :
       {std::set<std::string>{"simplify"}, {"fuse"}, {"split_variance"}, {"fold_scales"}, {"simplify", "fuse"}}) {
    SCOPED_TRACE("without " + *off.begin());
    CompileOptions options{.threads = 2};
    options.disabled_passes = off;
    expect_close(g, samples, options, exact);
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, ProgramOf, testing::ValuesIn(kProgramCases),
                         [](const auto& each) { return std::string(each.param.name); });

TEST(Program, GivesTheSameBitsOnAnyNumberOfThreads) {
  for (const auto& c : kProgramCases) {
    const Graph g = c.build();
    const Data data(140);  // nine microbatches
    Variables variables(g, 3);
    const auto one = run(g, variables, data, {.threads = 1});
    for (const int threads : {2, 3, 5, 8}) {
      const auto several = run(g, variables, data, {.threads = threads});
      for (const auto& [name, values] : one)
        EXPECT_TRUE(same_bits(values, several.at(name))) << c.name << " " << name << " " << threads;
    }
  }
}

TEST(Program, GivesASampleTheSameBitsWhateverIsBesideIt) {
  for (const Graph& g : {network_with_gradients(), wide_network(), large_dense_layers()}) {
    const Data data(64);
    Variables variables(g, 3);
    const auto all = run(g, variables, data, {.threads = 2}).at("y");
    for (const std::uint32_t row : {0U, 5U, 16U, 63U}) {
      const std::vector<std::uint32_t> alone{row};
      const auto y = run(g, variables, data, {.threads = 1}, &alone).at("y");
      EXPECT_TRUE(same_bits(y, {all.begin() + row * 4, all.begin() + row * 4 + 4})) << row;
    }
  }
}

TEST(Program, LanesWithoutASampleCountInNoSum) {  // 17 samples: fifteen lanes of the second microbatch are empty
  for (const Graph& g : {network_with_gradients(), wide_network(), large_dense_layers()}) {
    Data data(17);
    Variables variables(g, 3);
    const auto expected = run(g, variables, data, {.threads = 1});
    data.x.resize(data.x.size() + 15 * 144, std::numeric_limits<float>::quiet_NaN());
    std::vector<std::uint32_t> rows(17);
    for (std::uint32_t i = 0; i < 17; ++i) rows[i] = i;
    const auto found = run(g, variables, data, {.threads = 1}, &rows);
    for (const auto& [name, values] : expected) EXPECT_TRUE(same_bits(values, found.at(name))) << name;
  }
}

TEST(Program, RunsAgainWithLessAndMoreSamples) {
  const Graph g = coupled_samples();
  const Data data(100);
  Variables variables(g, 3);
  Program program(g, variables, {.threads = 2});
  data.feed(program);
  program.run(5);
  const std::vector<float> first(program.output("y").begin(), program.output("y").end());
  program.run(100);
  EXPECT_EQ(program.output("y").size(), 400U);
  program.run(5);
  EXPECT_TRUE(same_bits(first, {program.output("y").begin(), program.output("y").end()}));
}

TEST(Program, UpdatesAllParametersAtOnce) {
  Graph g;
  const Value a = g.parameter("a", {3}, Init::constant(1)), b = g.parameter("b", {3}, Init::constant(2));
  const Value sum_x = batch_sum(g.input("x", {3}));
  g.update(a, b);  // swapped, which needs the old value of each
  g.update(b, a + sum_x);
  Variables variables(g, 1);
  Program program(g, variables, {.threads = 2});
  const std::vector<float> x{1, 2, 3, 10, 20, 30};
  program.feed("x", {.values = x.data()});
  program.run(2);
  EXPECT_FLOAT_EQ(variables.at("a").values()[0], 2);
  EXPECT_FLOAT_EQ(variables.at("b").values()[2], 34);
  program.run(2);
  EXPECT_FLOAT_EQ(variables.at("a").values()[2], 34);
  EXPECT_FLOAT_EQ(variables.at("b").values()[0], 13);
}

/// What an optimizer makes of a gradient.
using Update = std::function<void(Graph& g, Value w, Value gradient)>;

/// A parameter of the optimizer's own, beside w.
Value state(Graph& g, Value w, const std::string& name) {
  return g.parameter(w.name() + "." + name, w.shape(), Init::constant(0.01), false);
}

/// Steps of an optimizer for two dense layers; `stored`: what the gradients are is asked for too, so that they must be
/// formed by themselves.
Graph steps_of(const Update& update, bool stored) {
  Graph g;
  const Value x = g.input("x", {2, 9, 8});
  g.layer("dense1");
  const Value hidden = relu(dense_layer(x, {.outputs = 37}));
  g.layer("dense2");
  const Value loss = batch_mean(cross_entropy(dense_layer(hidden, {.outputs = 4}), g.input("t", {4}, true)));
  g.output("loss", loss);
  g.shared_input("lr");
  const auto parameters = g.parameters();
  const auto d = gradients(loss, parameters);
  for (std::size_t i = 0; i < d.size(); ++i) {
    if (stored) g.output("d " + parameters[i].name(), d[i]);
    update(g, parameters[i], d[i]);
  }
  return g;
}

struct Sgd {
  double momentum;
  bool nesterov;
  double decay;
  bool ascends;

  void operator()(Graph& g, Value w, Value v) const {
    if (decay != 0) v = ascends ? v - g.constant(decay) * w : v + g.constant(decay) * w;
    if (momentum != 0) {
      const Value m = state(g, w, "m"), next = g.constant(momentum) * m + v;
      g.update(m, next);
      v = nesterov ? v + g.constant(momentum) * next : next;
    }
    const Value lr = g.find("lr");
    g.update(w, ascends ? w + lr * v : w - lr * v);
  }
};

void adam(Graph& g, Value w, Value gradient) {
  const Value m = state(g, w, "m"), v = state(g, w, "v");
  const Value m_next = g.constant(0.9) * m + g.constant(0.1) * gradient;
  const Value v_next = g.constant(0.99) * v + g.constant(0.01) * (gradient * gradient);
  g.update(m, m_next);
  g.update(v, v_next);
  g.update(w, w - g.find("lr") * (m_next / (sqrt(v_next) + g.constant(1e-8))));
}

void adagrad(Graph& g, Value w, Value gradient) {
  const Value sum = state(g, w, "sum"), next = sum + gradient * gradient;
  g.update(sum, next);
  g.update(w, w - g.find("lr") * gradient / sqrt(next));
}

int count_of(const std::string& text, const std::string& word) {
  int count = 0;
  for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++count;
  return count;
}

/// All variables after three steps on 53 samples, where every dense gradient is stored or none.
std::map<std::string, std::vector<float>> after_steps(const Graph& g, bool stored) {
  Variables variables(g, 3);
  const Data data(53);
  Program program(g, variables, {.threads = 2});
  EXPECT_EQ(program.print().find("dense_weight_grad+batch_sum+") != std::string::npos, !stored) << program.print();
  program.set("lr", 0.1f);
  program.feed("x", {.values = data.x.data()});
  program.feed("t", {.labels = data.labels.data()});
  for (int step = 0; step < 3; ++step) program.run(53);
  std::map<std::string, std::vector<float>> found;
  for (const auto& [name, tensor] : variables.all()) {
    const auto all = std::as_const(tensor).values();
    found[name] = {all.begin(), all.end()};
  }
  return found;
}

/// Steps must leave the same bits whether the graph asks for its gradients or not.
void expect_as_if_stored(const std::function<Graph(bool stored)>& graph) {
  const auto stored = after_steps(graph(true), true);
  for (const auto& [name, value] : after_steps(graph(false), false))
    EXPECT_TRUE(same_bits(value, stored.at(name))) << name;
}

TEST(Program, TakesAStepOfSgdAsIfTheGradientHadBeenStored) {
  for (const Sgd& form : {Sgd{0, false, 0, false},
                          {0, false, 0.1, true},
                          {0.9, false, 0, false},
                          {0.9, false, 0.1, false},
                          {0.9, true, 0, true},
                          {0.9, true, 0.1, false},
                          {0.9, true, 0.1, true}}) {
    SCOPED_TRACE(testing::Message() << form.momentum << form.nesterov << form.decay << form.ascends);
    const auto graph = [&](bool stored) { return steps_of(form, stored); };
    expect_as_if_stored(graph);
    Variables variables(graph(false), 3);
    const std::string plan = Program(graph(false), variables, {}).print();
    EXPECT_EQ(count_of(plan, "dense_weight_grad+batch_sum+sgd_step"), 2) << plan;  // in registers
  }
}

TEST(Program, FusesAnyElementwiseUpdateWithTheGradientOfADenseLayersWeights) {
  for (const auto& [name, update] : {std::pair<std::string, Update>{"Adam", adam}, {"AdaGrad", adagrad}}) {
    SCOPED_TRACE(name);
    const auto graph = [&](bool stored) { return steps_of(update, stored); };
    expect_as_if_stored(graph);
    Variables variables(graph(false), 3);
    const std::string plan = Program(graph(false), variables, {}).print();
    EXPECT_EQ(count_of(plan, "dense_weight_grad+batch_sum+"), 2) << plan;
    EXPECT_EQ(count_of(plan, "sqrt"), 4) << plan;  // with them, and once for each bias
  }
}

TEST(Program, AStepOfSgdReadsSumsOverSamplesFolded) {  // where momentum would be, a sum that nothing else reads
  expect_as_if_stored([](bool stored) {
    Graph g;
    const Value x = g.input("x", {2, 9, 8});
    const Value loss = batch_mean(cross_entropy(dense_layer(x, {.outputs = 4}), g.input("t", {4}, true)));
    const Value w = g.parameters().front(), d = gradients(loss, std::array{w}).front();
    if (stored) g.output("d", d);
    const Value v = g.parameter("v", w.shape(), Init::constant(0), false);
    const Value flat = reshape(x, {144});
    const Value sum = batch_sum(relu(outer(slice(flat, {0}, {4}), flat)));
    const Value next = g.constant(0.9) * sum + d;
    g.update(v, next);
    g.update(w, w - g.shared_input("lr") * next);
    return g;
  });
}

TEST(Program, AGuardedValueThatIsNotFiniteStopsTheUpdate) {
  Graph g;
  const Value w = g.parameter("w", {2}, Init::constant(1));
  const Value loss = batch_mean(sum(log(g.input("x", {2})) * w));
  g.output("loss", loss);
  g.update(w, w - gradients(loss, {{w}})[0]);
  Variables variables(g, 1);
  Program program(g, variables, {.threads = 2, .guard = "loss"});
  const std::vector<float> x{1, -1};
  program.feed("x", {.values = x.data()});
  EXPECT_THROW(program.run(1), NumericError);
  EXPECT_EQ(variables.at("w").values()[0], 1);
  EXPECT_EQ(variables.at("w").values()[1], 1);
}

TEST(Program, SaysWhatIsMissing) {
  const Graph g = network_with_gradients();
  Variables variables(g, 1);
  Program program(g, variables);
  const auto message = [&](auto f) {
    try {
      f();
    } catch (const InputError& e) {
      return std::string(e.what());
    }
    return std::string("no error");
  };
  EXPECT_EQ(message([&] { program.run(4); }), "input \"x\" has no samples; call feed(\"x\", …) before run()");
  EXPECT_EQ(message([&] { program.feed("z", {}); }), "the program has no input \"z\"; it has x, t");
  EXPECT_EQ(message([&] { program.feed("x", {}); }),
            "feed of \"x\": give exactly one of values, bytes and labels, or a function to fetch them");
  EXPECT_EQ(message([&] { program.set("x", 1); }), "input \"x\" is not one shared number");
  EXPECT_NE(message([&] { (void)program.output("nothing"); }).find("no output \"nothing\"; it has loss, y"),
            std::string::npos);
}

TEST(Program, PrintsWhatEachPassMade) {
  const Graph g = network_with_gradients();
  Variables variables(g, 1);
  std::map<std::string, std::string> seen;
  CompileOptions options;
  options.print_after = {"differentiate", "simplify", "fuse", "plan"};
  options.print = [&](std::string_view pass, const std::string& text) { seen[std::string(pass)] = text; };
  Program program(g, variables, options);
  EXPECT_NE(seen["differentiate"].find("conv2d_weight_grad"), std::string::npos);
  EXPECT_LT(seen["simplify"].size(), seen["differentiate"].size());
  EXPECT_NE(seen["fuse"].find("conv2d+bias+relu+max_pool("), std::string::npos) << seen["fuse"];
  EXPECT_NE(seen["plan"].find("phase 1"), std::string::npos);
}

TEST(Program, ChoosesWinogradByShapesAlone) {
  const Graph g = wide_network();
  Variables variables(g, 1);
  std::string seen;
  CompileOptions options;
  options.print_after = {"fuse"};
  options.print = [&](std::string_view, const std::string& text) { seen = text; };
  Program(g, variables, options);
  const std::string kernels = seen;
  for (const char* winograd : {"conv2d_winograd+bias+relu(", "conv2d_winograd+bias+relu+max_pool(",
                               "conv2d_input_grad_winograd(", "conv2d_weight_grad_winograd+batch_sum("}) {
    EXPECT_NE(kernels.find(winograd), std::string::npos) << kernels;
  }
  EXPECT_NE(kernels.find("conv2d+bias+relu("), std::string::npos) << "two channels are too few\n" << kernels;
  for (const int threads : {1, 2, 7}) {
    options.threads = threads;
    Program(g, variables, options);
    EXPECT_EQ(seen, kernels) << threads;
  }
}

TEST(Program, ProfilesEachKernelAndChangesNoBit) {
  Graph g = network_with_gradients();
  Variables variables(g, 1);
  const auto x = noise(std::size_t{40} * 2 * 9 * 8, 1), t = noise(std::size_t{40} * 4, 2);
  const auto run = [&](Program& program) {
    program.feed("x", {.values = x.data()});
    program.feed("t", {.values = t.data()});
    program.run(40);
    const auto d = program.output("d conv1.weight");
    return std::vector<float>(d.begin(), d.end());
  };
  Program plain(g, variables, {.threads = 2});
  Program profiled(g, variables, {.threads = 2, .profile = true});
  EXPECT_EQ(run(plain), run(profiled));
  EXPECT_TRUE(plain.profile().empty());

  std::uint64_t calls = 0;
  double seconds = 0;
  for (const auto& row : profiled.profile()) {
    if (row.kernel == "gather samples") {
      EXPECT_EQ(row.calls, 3U) << "40 samples are three microbatches";
    } else if (row.kernel.ends_with(", one sample")) {
      EXPECT_EQ(row.calls, 0U) << row.kernel << " where samples are summed";
    } else if (!row.nodes.empty()) {
      EXPECT_GT(row.calls, 0U) << row.kernel;
    }
    for (const auto id : row.nodes) EXPECT_LT(id, profiled.graph().size());
    calls += row.calls;
    seconds += row.seconds;
  }
  EXPECT_GT(calls, 20U);
  EXPECT_GT(seconds, 0);
}

}  // namespace
}  // namespace chalk
