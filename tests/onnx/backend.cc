// Runs models of ONNX's backend tests, many in one process: onnx_backend < CASES > RESULTS.
//
// A case is a line "NAME BATCH MODEL_BYTES FLOATS COTANGENTS", the model, the numbers of its one input (none: it has
// none), and those of its first output's cotangent, if gradients are wanted, too. BATCH is the input's first axis, or 0
// if the whole input is one sample. A result is a line "NAME ok OUTPUTS" with, for each output, a line of its extents
// and its numbers as doubles, then, if gradients are wanted, their number and, for each parameter, a line "PARAMETER
// EXTENTS" and its numbers; or "NAME refused MESSAGE".
#include <algorithm>
#include <iostream>

#include "chalkgrad/differentiate.h"
#include "chalkgrad/error.h"
#include "chalkgrad/ops.h"
#include "chalkgrad/program.h"
#include "src/base/text.h"
#include "src/net/build.h"
#include "src/onnx/import.h"

namespace chalk {
namespace {

struct Case {
  std::string name;
  std::int64_t batch = 0;
  std::vector<std::uint8_t> model;
  std::vector<float> numbers, cotangents;
};

bool read(std::istream& from, Case& to) {
  std::size_t bytes = 0, floats = 0, cotangents = 0;
  if (!(from >> to.name >> to.batch >> bytes >> floats >> cotangents)) return false;
  from.get();
  to.model.resize(bytes);
  to.numbers.resize(floats);
  from.read(reinterpret_cast<char*>(to.model.data()), static_cast<std::streamsize>(bytes));
  from.read(reinterpret_cast<char*>(to.numbers.data()), static_cast<std::streamsize>(floats * sizeof(float)));
  to.cotangents.resize(cotangents);
  from.read(reinterpret_cast<char*>(to.cotangents.data()), static_cast<std::streamsize>(cotangents * sizeof(float)));
  return true;
}

struct Output {
  onnx::Extents extents;
  std::vector<double> numbers;
  std::string parameter{};  // whose gradient it is
};

/// Of Σ c·y with respect to all trained parameters.
std::vector<Output> gradients_of(Network& network, const Case& test) {
  Graph graph = network.graph();
  const Value y = graph.value(output_node(graph));
  const Value loss = batch_sum(sum(mul(y, graph.input("c", y.shape()))));
  const auto parameters = graph.parameters();
  const auto found = gradients(loss, parameters);
  graph.clear_outputs();
  std::vector<Output> outputs;
  for (std::size_t i = 0; i < found.size(); ++i) {
    outputs.push_back({parameters[i].shape(), {}, parameters[i].name()});
    graph.output(outputs.back().parameter, found[i]);
  }
  Program program(graph, network.variables(), {.threads = 1});
  program.feed("x", {.values = test.numbers.data()});
  program.feed("c", {.values = test.cotangents.data()});
  program.run(test.batch);
  for (auto& output : outputs) {
    const auto values = program.output(output.parameter);
    output.numbers.assign(values.begin(), values.end());
  }
  return outputs;
}

std::vector<Output> run(const Case& test, std::vector<Output>& gradients) {
  const auto model = onnx::parse_file_model(test.model, "it");
  onnx::Importer importer(model, "it", {.whole = test.batch == 0, .partial = true});
  importer.read();
  std::vector<Output> outputs;
  bool any = false;
  for (const auto& port : model.graph.outputs) {
    const auto* known = importer.fixed(port.name);
    any = any || !known;
    outputs.push_back(known ? Output{known->extents, {}} : Output{});
    for (std::size_t i = 0; known && i < known->size(); ++i) {
      const bool is_batch = known->wholes && (*known->wholes)[i] == onnx::kBatch;
      outputs.back().numbers.push_back(is_batch ? static_cast<double>(test.batch) : known->at(i));
    }
  }
  if (!any) return outputs;
  auto network = importer.network();
  auto numbers = test.numbers;
  const auto batch = std::max<std::int64_t>(1, test.batch);
  numbers.resize(static_cast<std::size_t>(elements(network.input_shape()) * batch));
  Program program(network.graph(), network.variables(), {.threads = 1});
  program.feed("x", {.values = numbers.data()});
  program.run(batch);
  std::size_t next = 0;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (importer.fixed(model.graph.outputs[i].name)) continue;
    const auto& name = network.outputs()[next++].name;
    outputs[i].extents = network.output_shape(name);
    const auto values = program.output(name);
    outputs[i].numbers.assign(values.begin(), values.end());
    if (importer.has_batch()) outputs[i].extents.insert(outputs[i].extents.begin(), batch);
  }
  if (!test.cotangents.empty()) gradients = gradients_of(network, test);
  return outputs;
}

void write(const Output& output) {
  std::cout << output.parameter << (output.parameter.empty() ? "" : " ");
  for (const auto extent : output.extents) std::cout << extent << ' ';
  std::cout << '\n';
  std::cout.write(reinterpret_cast<const char*>(output.numbers.data()),
                  static_cast<std::streamsize>(output.numbers.size() * sizeof(double)));
}

}  // namespace
}  // namespace chalk

int main() {
  chalk::Case test;
  while (chalk::read(std::cin, test)) {
    try {
      std::vector<chalk::Output> gradients;
      const auto outputs = chalk::run(test, gradients);
      std::cout << test.name << " ok " << outputs.size() << '\n';
      for (const auto& output : outputs) chalk::write(output);
      if (!test.cotangents.empty()) std::cout << gradients.size() << '\n';
      for (const auto& gradient : gradients) chalk::write(gradient);
    } catch (const chalk::Error& e) {
      std::string message = e.what();
      std::replace(message.begin(), message.end(), '\n', ' ');
      std::cout << test.name << " refused " << message << '\n';
    }
  }
}
