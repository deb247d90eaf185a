// Writes each sample of each operation as an ONNX file, with operands and what the reference in double makes of them:
// FOLDER/NAME_I.onnx and .npz. tests/onnx/operations_test.py gives them to an engine.
//   onnx_operations FOLDER OPSET
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>

#include "chalkgrad/error.h"
#include "chalkgrad/npz.h"
#include "src/onnx/graph_file.h"
#include "src/ops/kernel_testing.h"
#include "tests/sample_graph.h"

namespace chalk {
namespace {

Shape with_batch(const Type& type) {
  Shape shape = type.shape;
  if (type.batched) shape.insert(shape.begin(), static_cast<std::int64_t>(kLanes));
  return shape;
}

std::vector<float> joined(const Rows& rows) {
  std::vector<float> all;
  for (const auto& row : rows) all.insert(all.end(), row.begin(), row.end());
  return all;
}

/// The sample's result in this lane. What goes from samples to all or back has no kernel of its own.
std::vector<double> reference(const SampleOf& sample, const std::vector<Operand>& operands, std::size_t lane) {
  if (sample.op == &op_batch_sum) {
    std::vector<double> sum(operands[0].row(0).size());
    for (const auto& row : operands[0].rows) {
      for (std::size_t i = 0; i < row.size(); ++i) sum[i] += static_cast<double>(row[i]);
    }
    return sum;
  }
  if (sample.op == &op_batch_broadcast) return {operands[0].row(0).begin(), operands[0].row(0).end()};
  return Call{*sample.op, sample.sample().attributes, operands}.reference(lane);
}

/// Results "y", of each sample, and "sum", over all of them, for a result of each sample.
void write(const SampleOf& sample, const std::filesystem::path& folder, int opset) {
  const auto operands = draw(sample.sample(), /*seed=*/3);
  Graph graph;
  std::vector<Value> inputs;
  NpzWriter numbers;
  for (std::size_t k = 0; k < operands.size(); ++k) {
    const auto& [type, rows] = operands[k];
    const auto name = str("x", k);
    inputs.push_back(type.batched ? graph.input(name, type.shape) : graph.shared_input(name, type.shape));
    numbers.add(name, with_batch(type), joined(rows));
  }
  const Value y = graph.apply(*sample.op, sample.sample().attributes, inputs);
  if (sample.op == &op_batch_broadcast) {  // something has to say how many samples there are
    inputs.push_back(graph.input("samples", {1}));
    numbers.add("samples", {kLanes, 1}, std::vector<float>(kLanes));
  }
  std::vector<double> all, sum(static_cast<std::size_t>(elements(y.shape())));
  for (std::size_t lane = 0; lane < (y.batched() ? kLanes : 1); ++lane) {
    const auto one = reference(sample, operands, lane);
    all.insert(all.end(), one.begin(), one.end());
    for (std::size_t i = 0; i < one.size(); ++i) sum[i] += one[i];
  }
  // Gradients of weights are never written for each sample.
  const bool each = sample.op != &op_conv2d_weight_grad;
  if (each) graph.output("y", y), numbers.add("y", with_batch(y.type()), all);
  if (y.batched()) graph.output("sum", batch_sum(y)), numbers.add("sum", y.shape(), sum);

  const Variables none;
  const OnnxOptions options{.opset = opset};
  onnx::GraphFile file(graph, none, options);
  file.leaf = [&](NodeId id) { return file.input(id); };
  std::vector<NodeId> wanted;
  for (const auto& [name, id] : graph.outputs()) {
    file.emitter().reserve(name);
    wanted.push_back(id);
  }
  for (const auto& x : inputs) file.emitter().operand(x.id());
  file.emitter().write(wanted);
  for (const auto& [name, id] : graph.outputs()) file.output(name, id);
  file.save(folder / (name_of(sample) + ".onnx"));
  numbers.save(folder / (name_of(sample) + ".npz"));
}

}  // namespace
}  // namespace chalk

int main(int argc, char** argv) {
  if (argc != 3) return std::fputs("onnx_operations FOLDER OPSET\n", stderr), 2;
  for (const auto& sample : chalk::all_samples()) {
    try {
      chalk::write(sample, argv[1], std::atoi(argv[2]));
    } catch (const chalk::Error& e) {
      std::cout << name_of(sample) << ": " << e.what() << '\n';
    }
  }
}
