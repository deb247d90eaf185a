#include "src/train/training_graph.h"

#include "chalkgrad/differentiate.h"
#include "chalkgrad/error.h"
#include "chalkgrad/layers.h"
#include "chalkgrad/ops.h"
#include "src/base/text.h"
#include "src/ops/registry.h"

namespace chalk {

Value logits_of(Graph& graph) {
  const NodeId y = graph.outputs().at(0).second;
  const Node& node = graph.node(y);
  return graph.value(node.op == &op_softmax ? node.inputs[0] : y);
}

Value add_loss(Graph& graph, Loss loss, const Shape& target) {
  graph.layer("loss");
  if (loss == Loss::squared_error) {
    const Value y = graph.value(graph.outputs().at(0).second);
    if (y.shape() != target) {
      throw ShapeError(str("the network's output is ", to_string(y.shape()), " but the data's targets are ",
                           to_string(target), "; change the last layer"));
    }
    return squared_error(y, graph.input("t", target));
  }
  const Value logits = logits_of(graph);
  if (logits.shape() != target) {
    throw ShapeError(str("the network's output is ", to_string(logits.shape()), " but the data have ",
                         to_string(target), " classes; end the network with a dense layer of as many neurons, e.g. ",
                         to_string(target), "n"));
  }
  return cross_entropy(logits, graph.input("t", target, /*distribution=*/true));
}

Graph training_graph(const Network& network, Loss loss, const Shape& target, const Sgd& optimizer) {
  Graph step = network.graph();
  const Value logits = logits_of(step);
  const Value mean_loss = batch_mean(add_loss(step, loss, target));
  step.name(mean_loss, "loss");
  const auto parameters = step.parameters();
  const auto derivatives = gradients(mean_loss, parameters);

  step.clear_outputs();  // those of the network itself are not wanted here
  step.output("loss", mean_loss);
  step.layer("accuracy");
  if (loss == Loss::cross_entropy) step.output("correct", batch_sum(sum(first_max(logits) * step.find("t"))));
  step.layer("sgd");
  const Value lr = step.shared_input("lr");
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const Value w = parameters[i];
    Value g = derivatives[i];
    if (optimizer.weight_decay != 0 && w.shape().size() > 1) g = g + step.constant(optimizer.weight_decay) * w;
    Value direction = g;
    if (optimizer.momentum != 0) {
      const Value v =
          step.parameter(w.name() + std::string(kMomentum), w.shape(), Init::constant(0), /*trainable=*/false);
      const Value momentum = step.constant(optimizer.momentum);
      const Value next = momentum * v + g;
      step.update(v, next);
      direction = optimizer.nesterov ? g + momentum * next : next;
    }
    step.update(w, w - lr * direction);
  }
  step.layer("");
  return step;
}

}  // namespace chalk
