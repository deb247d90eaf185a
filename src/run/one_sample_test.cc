// A sample by itself runs by kernels of its own, gets the same bits as among others, and sees every change of a
// variable.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "chalkgrad/error.h"
#include "chalkgrad/layers.h"
#include "chalkgrad/ops.h"
#include "chalkgrad/program.h"
#include "src/base/random.h"
#include "src/base/text.h"
#include "src/ops/registry.h"

namespace chalk {
namespace {

constexpr std::size_t kUnevenSamples = 33;  // two microbatches, and one sample more

Init uniform(double bound) { return {Init::Kind::uniform, bound}; }

std::vector<float> values_of(Program& program, std::string_view output) {
  const auto values = program.output(output);
  return {values.begin(), values.end()};
}

/// One NaN is as good as another: which of two operands' a sum passes on is the compiler's choice.
bool same_bits_or_nan(std::span<const float> a, std::span<const float> b) {
  const auto bits = [](float f) { return std::isnan(f) ? 0 : std::bit_cast<std::uint32_t>(f); };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](float x, float y) { return bits(x) == bits(y); });
}

bool ran_alone(const Program& program) {
  for (const auto& row : program.profile()) {
    if (row.calls > 0 && row.kernel.ends_with(", one sample")) return true;
  }
  return false;
}

/// Numbers for every batched input of a graph, drawn from where `inputs` says (in the order of the graph's inputs).
struct Samples {
  explicit Samples(const Graph& g, std::span<const Sample::Input> inputs = {}) {
    for (NodeId id = 0; id < g.size(); ++id) {
      const Node& node = g.node(id);
      if (node.op->name.value != "input" || !node.type.batched) continue;
      const Sample::Input from = inputs.empty() ? Sample::Input{} : inputs[static_cast<std::size_t>(id)];
      Random random(7, static_cast<std::uint64_t>(id));
      std::vector<float> one(kUnevenSamples * static_cast<std::size_t>(elements(node.type.shape)));
      for (auto& value : one) {
        const double v = from.low + (from.high - from.low) * random.uniform();
        value = static_cast<float>(from.grid > 0 ? std::round(v / from.grid) * from.grid : v);
      }
      names.push_back(node.name);
      values.push_back(std::move(one));
    }
  }
  void feed(Program& program) const {
    for (std::size_t i = 0; i < names.size(); ++i) program.feed(names[i], {.values = values[i].data()});
  }
  std::vector<std::string> names;
  std::vector<std::vector<float>> values;
};

bool has_kernels(const Program& program) {
  const auto rows = program.profile();
  return std::any_of(rows.begin(), rows.end(), [](const KernelTime& row) { return !row.nodes.empty(); });
}

/// Compares each sample by itself with what it gets among all; returns whether it ran by kernels of its own.
bool expect_same_alone(const Graph& g, const Samples& samples, std::set<std::string> disabled = {}) {
  Variables variables(g, 3);
  Program program(g, variables, {.threads = 2, .profile = true, .disabled_passes = std::move(disabled)});
  samples.feed(program);
  program.run(32);
  EXPECT_FALSE(ran_alone(program)) << "two full microbatches";
  program.run(kUnevenSamples);  // the last by itself
  const auto all = values_of(program, "y");
  const std::size_t size = all.size() / kUnevenSamples;
  bool same = true;
  for (std::uint32_t row = 0; row < kUnevenSamples; ++row) {
    program.run(1, &row);
    same &= same_bits_or_nan(program.output("y"), std::span(all).subspan(row * size, size));
    if (row % 16 != 0) continue;
    const std::uint32_t others[] = {2, row};
    program.run(2, others);
    same &= same_bits_or_nan(program.output("y").subspan(size), std::span(all).subspan(row * size, size));
  }
  EXPECT_TRUE(same);
  return ran_alone(program) || !has_kernels(program);  // a reshape is no work
}

TEST(OneSample, GetsTheSameBitsFromEveryOperation) {
  for (const Op* op : all_ops()) {
    for (const Sample& sample : op->samples.value) {
      Graph g;
      std::vector<Value> inputs;
      bool batched = false;
      for (const auto& in : sample.inputs) {
        const auto name = str("x", inputs.size());
        inputs.push_back(in.batched ? g.input(name, in.shape) : g.parameter(name, in.shape, uniform(in.high)));
        batched |= in.batched;
      }
      Value y = g.apply(*op, sample.attributes, inputs);
      if (!y.batched()) continue;
      SCOPED_TRACE(str(op->name.value, " ", to_string(sample.attributes)));
      g.output("y", y);
      const Samples samples(g, sample.inputs);
      if (!batched) continue;
      EXPECT_TRUE(expect_same_alone(g, samples, {"fuse"}));
      const auto name = op->name.value;
      const bool tuned_for_batches_only = name == "conv2d_input_grad" || name == "dense" || name == "pool_scatter";
      EXPECT_TRUE(expect_same_alone(g, samples) || tuned_for_batches_only);
    }
  }
}

Value classifier(Graph& g, Value v) {
  g.layer("dense1");
  v = relu(dense_layer(v, {.outputs = 27}));
  g.layer("dense2");
  return dense_layer(v, {.outputs = 10});
}

struct OneSampleCase {
  const char* name;
  std::function<void(Graph&)> build;
};
const OneSampleCase kOneSampleCases[] = {
    {"two convolutions",
     [](Graph& g) {
       g.layer("conv1");
       Value v = max_pool(relu(conv_layer(g.input("x", {1, 20, 20}), {.filters = 20, .kernel = {5, 5}})));
       g.layer("conv2");
       v = max_pool(relu(conv_layer(v, {.filters = 11, .kernel = {3, 3}})));
       g.output("y", softmax(classifier(g, v)));
     }},
    {"dense layers that take a batch at once",
     [](Graph& g) {
       g.layer("large1");
       const Value v = relu(dense_layer(g.input("x", {1, 12, 13}), {.outputs = 900}));
       g.layer("large2");
       g.output("v", v);
       g.output("y", classifier(g, dense_layer(v, {.outputs = 150})));
     }},
    {"strides, padding and groups",
     [](Graph& g) {
       g.layer("conv1");
       Value v = relu(conv_layer(g.input("x", {4, 13, 11}),
                                 {.filters = 12, .kernel = {3, 3}, .options = {{2, 2}, {1, 1}, {1, 1}, 2}}));
       g.layer("conv2");
       v = tanh(conv_layer(v, {.filters = 9, .kernel = {1, 1}}));
       v = average_pool(v, {.window = {3, 3}, .stride = {2, 2}});
       g.output("y", classifier(g, v));
     }},
    {"values of one for all samples, stretched",
     [](Graph& g) {
       const Value x = g.input("x", {3, 7, 9});
       const Value scale = g.parameter("scale", {3, 1, 1}, uniform(2)),
                   shift = g.parameter("shift", {3, 7, 9}, uniform(1));
       const Value centred = x - broadcast(reshape(mean(x, {1, 2}), {3, 1, 1}), {3, 7, 9});
       g.output("y", sigmoid(centred * scale + shift) * g.constant(3));
     }},
    {"channels that begin anywhere, scaled and summed",
     [](Graph& g) {
       const Value x = g.input("x", {5, 7, 9}), row = sum(x, {1});
       const Value scale = g.parameter("scale", {5, 1, 1}, uniform(2)), by_sample = mean(x, {1, 2}, true);
       const Value scaled = relu(x * scale - by_sample) + reshape(row, {5, 1, 9});
       g.output("scaled", scaled);
       g.output("normal", (scaled - mean(scaled, {1, 2}, true)) * scale);
       g.output("y", sum(tanh(scaled), {1, 2}));
     }},
    {"channels of each place, normalised, and depthwise",
     [](Graph& g) {
       g.layer("conv1");
       const Value x = conv_layer(g.input("x", {3, 35, 37}), {.filters = 20});
       const Value d = x - mean(x, {0}, true);
       Value v = d / sqrt(mean(d * d, {0}, true) + g.constant(1e-5));
       g.layer("conv2");
       v = conv_layer(v, {.filters = 20, .kernel = {3, 3}, .options = {{2, 2}, {1, 1}, {1, 1}, 20}});
       g.layer("conv3");
       v = relu(conv_layer(v, {.filters = 24, .kernel = {1, 1}}));
       g.output("total", sum(tanh(v), {0}));
       g.output("y", classifier(g, global_average_pool(v)));
     }},
    {"batch normalisation and a residual",
     [](Graph& g) {
       g.layer("bn1");
       Value v = relu(batch_norm_layer(g.input("x", {3, 9, 7})));
       g.layer("conv1");
       const Value z =
           conv_layer(v, {.filters = 5, .kernel = {3, 3}, .options = {.stride = {2, 2}, .padding = {1, 1}}});
       g.layer("bn2");
       v = residual(v, batch_norm_layer(z));
       g.output("y", classifier(g, global_average_pool(relu(v))));
     }},
    {"wide",
     [](Graph& g) {
       g.layer("conv1");
       Value v = relu(
           conv_layer(g.input("x", {24, 9, 8}), {.filters = 32, .kernel = {3, 3}, .options = {.padding = {1, 1}}}));
       g.layer("conv2");
       v = max_pool(relu(conv_layer(v, {.filters = 40, .kernel = {3, 3}, .options = {.padding = {2, 2}}})));
       g.output("y", classifier(g, v));
     }},
};

TEST(OneSample, GetsTheSameBitsFromNetworks) {
  for (const auto& c : kOneSampleCases) {
    SCOPED_TRACE(c.name);
    Graph g;
    c.build(g);
    Samples samples(g);
    expect_same_alone(g, samples);
    auto& x = samples.values[0];
    for (std::size_t i = 0; i < x.size(); i += 97) {
      x[i] = i % 2 ? std::numeric_limits<float>::quiet_NaN() : std::numeric_limits<float>::infinity();
    }
    expect_same_alone(g, samples);
  }
}

TEST(OneSample, EntersAsBytesAndLabelsAsItDoesAmongOthers) {
  Graph g;
  const Value x = g.input("x", {3, 5, 7}), v = g.input("v", {37}), t = g.input("t", {4});
  g.output("x", x * g.constant(1));
  g.output("v", v * g.constant(1));
  g.output("t", t + g.constant(0));
  Variables variables(g, 1);
  Program program(g, variables);
  std::vector<std::uint8_t> bytes(std::size_t{17} * 105);
  std::vector<std::int32_t> labels(17);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i * 7 % 256);
  for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<std::int32_t>(i % 5);  // 4: none of them
  const float scale[] = {0.1F, 0.2F, 1.0F / 255}, shift[] = {-0.3F, 0, 1};
  program.feed("x", {.bytes = bytes.data(), .scale = scale, .shift = shift});
  std::vector<float> scales(37), shifts(37);
  for (std::size_t i = 0; i < scales.size(); ++i) {
    scales[i] = 1 / static_cast<float>(i + 3);
    shifts[i] = static_cast<float>(i) / 7;
  }
  program.feed("v", {.bytes = bytes.data(), .scale = scales.data(), .shift = shifts.data()});
  program.feed("t", {.labels = labels.data()});
  program.run(17);
  const auto all_x = values_of(program, "x"), all_v = values_of(program, "v"), all_t = values_of(program, "t");
  for (std::uint32_t row = 0; row < 17; ++row) {
    program.run(1, &row);
    EXPECT_TRUE(same_bits_or_nan(program.output("x"), std::span(all_x).subspan(row * 105, 105)));
    EXPECT_TRUE(same_bits_or_nan(program.output("v"), std::span(all_v).subspan(row * 37, 37)));
    EXPECT_TRUE(same_bits_or_nan(program.output("t"), std::span(all_t).subspan(row * 4, 4)));
  }
}

/// A program that predicts, and one made anew for each comparison.
class Prediction {
 public:
  explicit Prediction(std::size_t samples) : samples_(samples), x_(samples * 98) {
    g_.layer("conv1");
    const Value x = g_.input("x", {2, 7, 7});
    scale_ = g_.shared_input("scale", {});
    Value v = max_pool(relu(conv_layer(x, {.filters = 6, .kernel = {2, 2}}) * scale_));
    g_.layer("conv2");  // a convolution with weights that are computed
    v = conv2d(v, g_.parameter("kernel", {5, 6, 2, 2}, uniform(1)) * g_.parameter("gain", {}, Init::constant(2)));
    g_.layer("dense1");
    g_.output("y", dense_layer(v, {.outputs = 4}));
    variables = Variables(g_, 3);
    Random random(5, 0);
    for (auto& value : x_) value = static_cast<float>(random.uniform());
    program_.emplace(g_, variables);
    program_->feed("x", {.values = x_.data()});
    set_scale(1);
    last_ = predict();
  }

  void set_scale(float value) {
    scale_value_ = value;
    program_->set("scale", value);
  }
  std::vector<float> predict() {
    program_->run(samples_);
    return values_of(*program_, "y");
  }
  /// The prediction is another than at the last call, and what a new program says.
  void expect_change(const char* what) {
    const auto y = predict();
    EXPECT_FALSE(same_bits_or_nan(y, last_)) << what << " was not seen";
    Program anew(g_, variables);
    anew.feed("x", {.values = x_.data()});
    anew.set("scale", scale_value_);
    anew.run(samples_);
    EXPECT_TRUE(same_bits_or_nan(y, anew.output("y"))) << what;
    EXPECT_TRUE(same_bits_or_nan(y, predict())) << what << ", again";
    last_ = y;
  }

  Variables variables;

 private:
  Graph g_;
  std::size_t samples_;
  std::vector<float> x_, last_;
  Value scale_;
  float scale_value_ = 1;
  std::optional<Program> program_;
};

TEST(Program, SeesEveryChangeOfAVariable) {
  for (const std::size_t samples : {1, 40}) {
    Prediction p(samples);
    for (const char* name : {"conv1.weight", "conv1.bias", "kernel", "gain", "dense1.weight", "dense1.bias"}) {
      Tensor& tensor = p.variables.at(name);
      auto numbers = std::vector<float>(tensor.values().size(), 0.25F);
      tensor.assign(numbers);
      p.expect_change("assign()");
      tensor.fill(0.5F);
      p.expect_change("fill()");
      const auto span = tensor.values();
      p.predict();
      span.back() += 1;
      p.expect_change("a write through a span");
      p.predict();
      span.front() -= 0.5F;
      p.expect_change("a second write through a span that was kept");
      numbers[0] = 3;
      tensor.assign(numbers);
      p.expect_change("assign() after a span was given out");
    }
    p.set_scale(0.5F);
    p.expect_change("set()");
  }
}

TEST(Program, SeesWhatAnotherProgramUpdates) {
  Prediction p(1);
  Graph training;
  for (const char* name : {"conv1.weight", "dense1.bias"}) {
    const Value w = training.parameter(name, p.variables.at(name).shape());
    training.update(w, w * training.constant(0.5) + training.constant(0.1));
  }
  const Value kernel = training.parameter("kernel", p.variables.at("kernel").shape());
  training.update(kernel, training.parameter("other", p.variables.at("kernel").shape(), Init::constant(0.5)));
  p.variables.add(training, 1);
  Program step(training, p.variables);
  for (int i = 0; i < 3; ++i) {
    step.run(1);
    p.expect_change("an update");
  }
}

TEST(Program, AssignTakesAsManyValuesAsThereAre) {
  Tensor tensor({2, 3});
  EXPECT_THROW(tensor.assign(std::vector<float>(5)), InputError);
  tensor.assign(std::vector<float>{1, 2, 3, 4, 5, 6});
  EXPECT_EQ(tensor.values()[5], 6);
}

}  // namespace
}  // namespace chalk
