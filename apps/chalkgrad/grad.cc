// chalkgrad grad: every value and every derivative of one batch, by name, for other programs to compare with.
#include <fmt/format.h>

#include <cmath>
#include <map>

#include "apps/chalkgrad/commands.h"
#include "apps/chalkgrad/common.h"
#include "src/files/npz.h"
#include "src/ir/leaves.h"
#include "src/passes/passes.h"
#include "src/run/reference.h"
#include "src/train/feeds.h"
#include "src/train/training_graph.h"

namespace chalk::app {
namespace {

struct Options {
  NetworkOptions network;
  std::string data, part = "train", out;
  std::int64_t index = 0, batch = 1;
  bool engine = false;
};

/// A value of the graph and the derivative of the loss with respect to it.
struct Entry {
  std::string name;
  Value value, derivative;
};

/// Names all values worth showing: their own, or "conv1.conv2d" for a step inside a layer.
std::vector<Entry> entries(Graph& graph) {
  std::vector<Entry> found;
  std::map<std::string, int> used;
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    if (node.op == &op_constant || node.op == &op_batch_size) continue;
    auto name = node.name;
    if (name.empty()) name = fmt::format("{}{}{}", node.layer, node.layer.empty() ? "" : ".", node.op->name.value);
    if (const int n = ++used[name]; n > 1) name += fmt::format(".{}", n);
    found.push_back({name, graph.value(id), {}});
  }
  return found;
}

/// What the batch's inputs are, in float: as the engine reads them.
std::vector<float> encoded(const Dataset& data, std::size_t first, std::size_t count_) {
  const auto size = static_cast<std::size_t>(elements(data.sample));
  std::vector<float> x(count_ * size);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const auto at = first * size + i;
    if (data.bytes.empty()) {
      x[i] = data.values[at];
    } else {
      const auto channel = i % size / (size / data.scale.size());
      x[i] = std::fma(static_cast<float>(data.bytes[at]), data.scale[channel], data.shift[channel]);
    }
  }
  return x;
}

std::vector<float> targets(const Dataset& data, std::size_t first, std::size_t count_) {
  const auto size = static_cast<std::size_t>(elements(target_shape(data)));
  std::vector<float> t(count_ * size);
  for (std::size_t n = 0; n < count_; ++n) {
    if (!data.labels.empty()) {
      t[n * size + static_cast<std::size_t>(data.labels[first + n])] = 1;
    } else {
      std::copy_n(data.targets.begin() + static_cast<std::ptrdiff_t>((first + n) * size), size,
                  t.begin() + static_cast<std::ptrdiff_t>(n * size));
    }
  }
  return t;
}

Shape stored_shape(Value value, std::int64_t batch) {
  Shape shape = value.shape();
  if (value.batched()) shape.insert(shape.begin(), batch);
  return shape;
}

template <class T>
void add(NpzWriter& file, const Entry& e, std::int64_t batch, std::span<const T> value, std::span<const T> derivative) {
  file.add("value/" + e.name, stored_shape(e.value, batch), value);
  file.add("gradient/" + e.name, stored_shape(e.derivative, batch), derivative);
}

void by_reference(NpzWriter& file, Graph& graph, const std::vector<Entry>& all, Variables& variables,
                  const std::map<std::string, std::vector<float>>& feeds, std::int64_t batch) {
  Reference reference(graph, static_cast<std::size_t>(batch));
  for (const auto& [name, values] : feeds) reference.set(graph.find(name).id(), {values.begin(), values.end()});
  for (NodeId id = 0; id < graph.size(); ++id) {
    if (graph.node(id).op != &op_parameter) continue;
    const auto values = variables.at(graph.node(id).name).values();
    reference.set(id, {values.begin(), values.end()});
  }
  reference.run();
  for (const auto& e : all)
    add<double>(file, e, batch, reference.value(e.value.id()), reference.value(e.derivative.id()));
}

void by_engine(NpzWriter& file, Graph& graph, const std::vector<Entry>& all, Variables& variables,
               const std::map<std::string, std::vector<float>>& feeds, std::int64_t batch) {
  graph.clear_outputs();
  for (const auto& e : all) {
    graph.output("v" + e.name, e.value);
    graph.output("d" + e.name, e.derivative);
  }
  Program program(graph, variables, {.threads = 1});
  for (const auto& [name, values] : feeds) program.feed(name, {.values = values.data()});
  program.run(static_cast<std::size_t>(batch));
  for (const auto& e : all) add<float>(file, e, batch, program.output("v" + e.name), program.output("d" + e.name));
}

int grad(const Options& o) {
  const bool from_model = !o.network.model.empty();
  Split split;
  if (!from_model) split = load_dataset(o.data.empty() ? "digits" : o.data);
  auto network = make_network(o.network, split.train.sample);
  if (from_model) split = load_data(o.data, network);
  const auto& data = o.part == "test" ? split.test : split.train;
  const auto size = static_cast<std::int64_t>(data.size());
  if (o.index >= size || o.batch > size - o.index) {
    throw UsageError(fmt::format("samples {} to {} were asked for, but there are {}, from 0 to {}", o.index,
                                 o.index + o.batch - 1, count(size), size - 1));
  }
  check_fits(network, data);
  Graph graph = with_batch_statistics(network.graph());
  const auto natural = natural_loss(network);
  const auto loss_kind = data.labels.empty() && of_softmax(natural) ? Loss::squared_error : natural;
  const Value loss = batch_mean(add_loss(graph, loss_kind, target_shape(data)));
  graph.name(loss, "loss");
  auto all = entries(graph);
  std::vector<Value> wrt;
  wrt.reserve(all.size());
  for (const auto& e : all) wrt.push_back(e.value);
  const auto derivatives = gradients(loss, wrt);
  for (std::size_t i = 0; i < all.size(); ++i) all[i].derivative = derivatives[i];

  const auto first = static_cast<std::size_t>(o.index), samples = static_cast<std::size_t>(o.batch);
  const std::map<std::string, std::vector<float>> feeds{{"x", encoded(data, first, samples)},
                                                        {"t", targets(data, first, samples)}};
  NpzWriter file;
  const auto evaluate_all = o.engine ? by_engine : by_reference;
  evaluate_all(file, graph, all, network.variables(), feeds, o.batch);
  file.save(o.out);
  fmt::print("{}: {} values and their gradients of samples {} to {}\n", o.out, all.size(), o.index,
             o.index + o.batch - 1);
  return kOk;
}

}  // namespace

void add_grad(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("grad", "Write every value and its gradient, for some samples, as a NumPy file");
  add_network(command, options->network, ModelFile::allowed);
  command->add_option("--data", options->data, "Data: digits or mnist:FOLDER");
  command->add_option("--part", options->part, "test or train")
      ->capture_default_str()
      ->check(CLI::IsMember({"test", "train"}))
      ->type_name("PART");
  command->add_option("--index", options->index, "The first sample, from 0")
      ->capture_default_str()
      ->check(at_least(0))
      ->type_name("I");
  command->add_option("--batch", options->batch, "How many samples; the loss is their mean")
      ->capture_default_str()
      ->check(at_least(1, 4096))
      ->type_name("N");
  command->add_option("--out", options->out, "Where it goes (.npz)")->required()->type_name("FILE");
  command->add_flag("--engine", options->engine,
                    "Compute with the engine, in float, instead of the reference in double");
  set_action(command, action, options, grad);
}

}  // namespace chalk::app
