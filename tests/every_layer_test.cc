// Every layer of src/layers/layers.inc: its derivatives, its texts, the ranges of its options.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <sstream>
#include <utility>

#include "chalkgrad/check.h"
#include "chalkgrad/differentiate.h"
#include "chalkgrad/error.h"
#include "chalkgrad/gradcheck.h"
#include "chalkgrad/ops.h"
#include "chalkgrad/program.h"
#include "src/base/random.h"
#include "src/base/share.h"
#include "src/base/shortest.h"
#include "src/base/text.h"
#include "src/ir/leaves.h"
#include "src/layers/line_reader.h"
#include "src/layers/registry.h"
#include "src/net/build.h"
#include "src/net/chain.h"
#include "src/passes/passes.h"
#include "tests/kink_law.h"

namespace chalk {

void PrintTo(const Layer* layer, std::ostream* out) { *out << layer->name.value; }

namespace {

using Form = Notation::Form;
const Shape kInput{2, 6, 6};

/// The options as keys of TOML. Where the options are those of no network yet, required lists are as in their examples.
class TomlPrinter : public FieldVisitor {
 public:
  void field(const Field& field, std::int64_t& value) override { put(field, std::to_string(value)); }
  void field(const Field& field, bool& value) override { put(field, value ? "true" : "false"); }
  void field(const Field& field, double& value) override { put(field, shortest(value)); }
  void field(const Field& field, std::string& value) override { put(field, str("\"", value, "\"")); }
  void field(const Field& field, std::vector<std::int64_t>&) override { FAIL() << field.name; }
  void field(const Field& field, std::vector<double>&) override { FAIL() << field.name; }
  void pair(const Field& field, Pair& value, std::string*) override {
    put(field, str("[", value[0], ", ", value[1], "]"));
  }
  void choice(const Field& field, std::span<const Word> words, std::size_t& index) override {
    const auto word = words[index].word;
    put(field, word == "true" || word == "false" ? std::string(word) : str("\"", word, "\""));
  }
  void words(const Field& field, std::vector<std::string>&) override { put(field, std::string(field.example)); }

  std::string text;

 private:
  void put(const Field& field, const std::string& value) { text += str(field.name, " = ", value, "\n"); }
};

std::string toml_of(const Layer& layer, const Attributes& options) {
  TomlPrinter printer;
  options.show(printer);
  return str("[[layer]]\ntype = \"", layer.name.value, "\"\n", printer.text);
}

/// The lines of one layer that it is tested with.
std::vector<std::string> lines_of(const Layer& layer) {
  std::vector<std::string> lines;
  if (layer.line.form == Form::word || layer.line.form == Form::counted) lines.emplace_back(layer.line.example);
  std::istringstream samples{std::string(layer.line.samples)};
  for (std::string line; samples >> line;) lines.push_back(line);
  return lines;
}

/// The networks of one layer that it is tested with.
std::vector<std::string> networks_of(const Layer& layer) {
  auto networks = lines_of(layer);
  if (networks.empty()) networks.push_back(toml_of(layer, layer.options));
  return networks;
}

std::string complaint(const std::string& network) {
  try {
    build_graph(network, kInput);
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

class EveryLayer : public testing::TestWithParam<const Layer*> {};
INSTANTIATE_TEST_SUITE_P(Layers, EveryLayer, testing::ValuesIn(all_layers()),
                         [](const auto& each) { return std::string(each.param->name.value); });

TEST_P(EveryLayer, HasGradientsThatAgreeWithDifferences) {
  GradcheckOptions options;
  options.most = 40;
  for (const auto& network : networks_of(*GetParam())) {
    const auto written = build_graph(network, kInput);
    for (const bool training : {false, true}) {
      auto graph = training ? training_form(written) : written;
      auto wrt = graph.parameters();
      wrt.push_back(graph.value(input_node(graph)));
      const auto report = check_gradients(graph, {{graph.value(output_node(graph))}}, wrt, options);
      EXPECT_TRUE(report.passed) << network << "\n" << to_string(report);
      for (const auto& check : report.checks) EXPECT_GT(check.largest, 1e-4) << network << "\n" << to_string(report);
    }
  }
}

TEST_P(EveryLayer, ObeysTheLawOfKinks) {
  for (const auto& network : networks_of(*GetParam())) {
    const auto written = build_graph(network, kInput);
    for (const bool training : {false, true}) {
      auto graph = training ? training_form(written) : written;
      auto wrt = graph.parameters();
      wrt.push_back(graph.value(input_node(graph)));
      const auto found = KinkLaw(graph, graph.value(output_node(graph)), wrt, {}).finding();
      EXPECT_EQ(found.broken, "") << network;
      EXPECT_GT(found.elements, 0U) << network;
    }
  }
}

/// The outputs of a run on so many threads; every operation counts as worth dividing among them.
std::vector<std::vector<float>> outputs_of(const Graph& graph, const std::vector<float>& x, std::size_t samples,
                                           int threads) {
  least_share = 1;
  Variables variables(graph, 3);
  Program program(graph, variables, {.threads = threads});
  program.feed("x", {.values = x.data()});
  program.run(samples);
  std::vector<std::vector<float>> found;
  for (const auto& [name, id] : graph.outputs()) {
    const auto values = program.output(name);
    found.emplace_back(values.begin(), values.end());
  }
  return found;
}

TEST_P(EveryLayer, GivesTheSameBitsWhereThreadsShareAMicrobatch) {
  constexpr std::size_t kSamples = 36;  // three microbatches
  Random random(5, 1);
  std::vector<float> x(kSamples * static_cast<std::size_t>(elements(kInput)));
  for (auto& value : x) value = static_cast<float>(2 * random.uniform() - 1);
  for (const auto& network : networks_of(*GetParam())) {
    const auto written = build_graph(network, kInput);
    for (const bool training : {false, true}) {
      auto graph = training ? training_form(written) : written;
      const Value y = graph.value(output_node(graph));
      graph.output("y", y);
      if (training) {
        auto wrt = graph.parameters();
        wrt.push_back(graph.value(input_node(graph)));
        const auto d = gradients(batch_mean(sum(y * y)), wrt);
        for (std::size_t i = 0; i < d.size(); ++i) graph.output(str("gradient ", i), d[i]);
      }
      using Run = std::pair<std::size_t, int>;  // samples, threads
      for (const auto& [samples, threads] : {Run{1, 3}, Run{7, 3}, Run{kSamples, 2}}) {
        const auto alone = outputs_of(graph, x, samples, 1), shared = outputs_of(graph, x, samples, threads);
        for (std::size_t i = 0; i < alone.size(); ++i) {
          EXPECT_EQ(std::memcmp(alone[i].data(), shared[i].data(), alone[i].size() * sizeof(float)), 0)
              << network << ": output " << i << " of " << samples << " samples on " << threads << " threads";
        }
      }
    }
  }
}

TEST_P(EveryLayer, IsCalledByItsKindAndOrder) {
  for (const auto& network : networks_of(*GetParam())) {
    auto graph = build_graph(network, kInput);
    const auto& node = graph.node(output_node(graph));
    EXPECT_EQ(node.name, node.op == &op_input ? "x" : str(GetParam()->name.value, 1)) << network;
  }
}

TEST_P(EveryLayer, SaysWhatEachOfItsParametersIsFor) {
  for (const auto& network : networks_of(*GetParam())) {
    auto graph = build_graph(network, kInput);
    for (const auto& parameter : graph.parameters()) {
      const auto role = graph.node(parameter.id()).attributes.as<ParameterAttributes>().role;
      EXPECT_NE(role, ParameterRole::unsaid) << network << ": " << parameter.name();
    }
  }
}

TEST_P(EveryLayer, IsTheSameInALineAndInToml) {
  const Layer& layer = *GetParam();
  for (const auto& line : lines_of(layer)) {
    const auto specs = parse_chain(line);
    ASSERT_EQ(specs.size(), 1);
    EXPECT_EQ(specs[0].layer, &layer);
    auto toml = toml_of(layer, specs[0].options);
    if (layer.line.form == Form::branches) {
      if (specs[0].branches.size() > 1) continue;
      const auto open = line.find('('), close = line.rfind(')');
      toml = str("[[layer]]\nchain = \"", line.substr(open + 1, close - open - 1), "\"\n", toml, "from = [\"x\", \"",
                 specs[0].branches[0].back().layer->name.value, "1\"]\n");
    }
    const auto graph = build_graph(line, kInput);
    if (graph.node(output_node(graph)).op == &op_input) {
      EXPECT_THAT(complaint(toml), testing::HasSubstr("does nothing; remove the layer")) << toml;
    } else {
      EXPECT_EQ(build_graph(toml, kInput).print(), graph.print()) << line << " and\n" << toml;
    }
  }
}

/// A value outside of the range of each field in turn.
class OutOfRange : public FieldVisitor {
 public:
  void field(const Field& field, std::int64_t&) override { put(field); }
  void field(const Field&, bool&) override {}
  void field(const Field& field, double&) override { put(field); }
  void field(const Field&, std::string&) override {}
  void field(const Field& field, std::vector<std::int64_t>&) override { put(field); }
  void field(const Field& field, std::vector<double>&) override { put(field); }
  void pair(const Field& field, Pair&, std::string*) override { put(field); }
  void choice(const Field& field, std::span<const Word>, std::size_t&) override {
    texts.push_back(str(field.name, " = \"no such word\""));
  }

  std::vector<std::string> texts;

 private:
  void put(const Field& field) {
    EXPECT_FALSE(field.help.empty()) << field.name;
    for (const double number : {field.range.least - 1, field.range.most + 1})
      texts.push_back(str(field.name, " = ", shortest(number)));
  }
};

TEST_P(EveryLayer, RefusesNumbersOutsideOfTheirRanges) {
  const Layer& layer = *GetParam();
  OutOfRange wrong;
  layer.options.show(wrong);
  for (const auto& key : wrong.texts) {
    std::string text;
    std::istringstream lines(toml_of(layer, layer.options));
    const auto name = key.substr(0, key.find('='));
    for (std::string line; std::getline(lines, line);) text += (line.starts_with(name) ? key : line) + "\n";
    EXPECT_THAT(complaint(text), testing::HasSubstr(name + "must be ")) << text;
  }
}

TEST_P(EveryLayer, IsKnownByItsWordAlone) {
  const auto& line = GetParam()->line;
  for (const auto* other : all_layers()) {
    if (other == GetParam()) continue;
    EXPECT_NE(other->name.value, GetParam()->name.value);
    if (line.form == Form::none || other->line.form != line.form) continue;
    EXPECT_NE(other->line.word, line.word);
  }
}

TEST_P(EveryLayer, StandsInListsAndDerivationsIfItIsAnActivation) {
  if (!GetParam()->activation) return;
  const auto name = std::string(GetParam()->name.value), other = std::string(name == "tanh" ? "relu" : "tanh");
  auto graph =
      build_graph(str("[[layer]]\ntype = \"activations\"\nfunctions = [\"", name, "\", \"", other, "\"]\n"), kInput);
  const Value x = graph.value(input_node(graph)), y = graph.value(output_node(graph));
  const auto report = check_gradients(graph, {{y}}, {{x}});
  EXPECT_TRUE(report.passed) << to_string(report);
  const auto checked = check_derivation(str("network x: 3 > y = ", name, "\ndy[i]/dx[j] = delta(i,j)*dy[i]/dx[i]\n"));
  ASSERT_EQ(checked.lines.size(), 1u);
  EXPECT_EQ(checked.lines[0].verdict, Verdict::verified) << checked.lines[0].message;
}

}  // namespace
}  // namespace chalk
