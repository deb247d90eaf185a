#include "src/train/training_graph.h"

#include "chalkgrad/differentiate.h"
#include "chalkgrad/error.h"
#include "chalkgrad/layers.h"
#include "chalkgrad/ops.h"
#include "src/base/text.h"
#include "src/ops/registry.h"
#include "src/passes/passes.h"

namespace chalk {

Value logits_of(Graph& graph) {
  const NodeId y = graph.outputs().at(0).second;
  const Node& node = graph.node(y);
  return graph.value(node.op == &op_softmax ? node.inputs[0] : y);
}

bool of_softmax(Loss loss) { return loss == Loss::cross_entropy || loss == Loss::log_likelihood; }

Value add_loss(Graph& graph, Loss loss, const Shape& target) {
  graph.layer("loss");
  const Value y = of_softmax(loss) ? logits_of(graph) : graph.value(graph.outputs().at(0).second);
  if (y.shape() != target) {
    throw ShapeError(
        str("the network's output is ", to_string(y.shape()), " but the data ",
            of_softmax(loss)
                ? str("have ", to_string(target),
                      " classes; end the network with a dense layer of as many neurons, e.g. ", to_string(target), "n")
                : str("want ", to_string(target), "; change the last layer")));
  }
  const Value t = graph.input("t", target, /*distribution=*/of_softmax(loss));
  switch (loss) {
    case Loss::cross_entropy:
      return cross_entropy(y, t);
    case Loss::log_likelihood:
      return log_likelihood(y, t);
    case Loss::squared_error:
      return squared_error(y, t);
    case Loss::sum_of_squares:
      return sum_of_squares(y, t);
    case Loss::gaussian_log_likelihood:
      return gaussian_log_likelihood(y, t);
    case Loss::binary_cross_entropy:
      if (const Node& last = graph.node(y.id()); last.op == &op_sigmoid)
        return sigmoid_cross_entropy(graph.value(last.inputs[0]), t);
      return binary_cross_entropy(y, t);
  }
  return {};
}

namespace {

bool is_bias(Value parameter) {
  return parameter.shape().size() <= 1 || parameter.name() == "bias" || parameter.name().ends_with(".bias");
}

}  // namespace

Graph training_graph(const Network& network, Loss loss, const Shape& target, bool labels, const Sgd& optimizer) {
  Graph step = training_form(network.graph());
  const Value logits = logits_of(step);
  const Value mean_loss = batch_mean(add_loss(step, loss, target));
  step.name(mean_loss, "loss");
  const auto parameters = step.parameters();
  const auto derivatives = gradients(mean_loss, parameters);

  step.clear_outputs();  // those of the network itself are not wanted here
  step.output("loss", mean_loss);
  step.layer("accuracy");
  if (labels) step.output("correct", batch_sum(sum(first_max(logits) * step.find("t"))));
  step.layer("sgd");
  const Value lr = step.shared_input("lr");
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const Value w = parameters[i];
    Value g = derivatives[i];
    if (optimizer.weight_decay != 0 && !is_bias(w)) {
      const Value decay = step.constant(optimizer.weight_decay) * w;
      g = maximised(loss) ? g - decay : g + decay;
    }
    Value direction = g;
    if (optimizer.momentum != 0) {
      const Value v =
          step.parameter(w.name() + std::string(kMomentum), w.shape(), Init::constant(0), /*trainable=*/false);
      const Value momentum = step.constant(optimizer.momentum);
      const Value next = momentum * v + g;
      step.update(v, next);
      direction = optimizer.nesterov ? g + momentum * next : next;
    }
    step.update(w, maximised(loss) ? w + lr * direction : w - lr * direction);
  }
  step.layer("");
  return step;
}

Graph training_step(const Network& network) {
  const Loss loss = natural_loss(network);
  return training_graph(network, loss, network.output_shape(), of_softmax(loss), sgd({}));
}

}  // namespace chalk
