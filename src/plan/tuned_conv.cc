// Which convolutions and poolings of a graph the tuned kernels of src/kernels can run.
#include <algorithm>

#include "src/kernels/conv_algorithm.h"
#include "src/kernels/pool.h"
#include "src/ops/attributes.h"
#include "src/ops/conv2d.h"
#include "src/ops/pool.h"
#include "src/ops/registry.h"
#include "src/plan/tail.h"
#include "src/plan/tuned.h"

namespace chalk {
namespace {

ConvShape conv_shape(const Conv2dAttributes& a, const Shape& x, const Shape& w, const Shape& y) {
  return {.channels = x[0],
          .height = x[1],
          .width = x[2],
          .filters = w[0],
          .kernel_h = w[2],
          .kernel_w = w[3],
          .out_h = y[1],
          .out_w = y[2],
          .stride_h = a.stride[0],
          .stride_w = a.stride[1],
          .pad_h = a.padding[0],
          .pad_w = a.padding[1],
          .dilation_h = a.dilation[0],
          .dilation_w = a.dilation[1],
          .groups = a.groups};
}

class ConvForward : public PlannedKernel {
 public:
  ConvForward(const ConvAlgorithm& by, const ConvShape& shape, const ConvEpilogue& epilogue)
      : by_(by), shape_(shape), epilogue_(epilogue) {
    packed = by.forward_packed(shape);
    scratch = std::max(by.forward_scratch(shape, epilogue), by.forward_one_scratch(shape, epilogue));
    runs_one = true;
  }
  void pack(const float* from, float* to) const override { by_.forward_pack(shape_, from, to); }
  void run(const KernelRun& call) const override { run_by(by_.forward, call); }
  void run_one(const KernelRun& call) const override { run_by(by_.forward_one, call); }

 private:
  void run_by(decltype(&conv_forward) map, const KernelRun& call) const {
    map(shape_, epilogue_, call.in[0], call.packed, epilogue_.bias ? call.in[2] : nullptr, call.out[0],
        outputs.size() > 1 ? call.out[1] : nullptr, call.scratch);
  }
  const ConvAlgorithm& by_;
  ConvShape shape_;
  ConvEpilogue epilogue_;
};

class ConvInputGrad : public PlannedKernel {
 public:
  ConvInputGrad(const ConvAlgorithm& by, const ConvShape& shape) : by_(by), shape_(shape) {
    packed = by.input_grad_packed(shape);
    scratch = by.input_grad_scratch(shape);
  }
  void pack(const float* from, float* to) const override { by_.input_grad_pack(shape_, from, to); }
  void run(const KernelRun& call) const override {
    by_.input_grad(shape_, call.in[0], call.packed, call.out[0], call.scratch);
  }

 private:
  const ConvAlgorithm& by_;
  ConvShape shape_;
};

class ConvWeightGrad : public PlannedKernel {
 public:
  ConvWeightGrad(const ConvAlgorithm& by, const ConvShape& shape) : by_(by), shape_(shape) {
    sums_batch = true;
    scratch = by.weight_grad_scratch(shape);
  }
  void run(const KernelRun& call) const override {
    by_.weight_grad(shape_, call.in[0], call.in[1], call.out[0], call.valid, call.accumulate, call.scratch);
  }

 private:
  const ConvAlgorithm& by_;
  ConvShape shape_;
};

class PoolScatter : public PlannedKernel {
 public:
  explicit PoolScatter(const PoolShape& shape) : shape_(shape) {}
  void run(const KernelRun& call) const override { pool_scatter(shape_, call.in[0], call.in[1], call.out[0]); }

 private:
  PoolShape shape_;
};

}  // namespace

bool claim_convolution_forward(Fusion& f, NodeId id) {
  const Node& node = f.node(id);
  if (node.op != &op_conv2d || !f.batched(node.inputs[0]) || f.batched(node.inputs[1])) return false;
  const Shape& y = node.type.shape;
  const auto shape =
      conv_shape(node.attributes.as<Conv2dAttributes>(), f.shape(node.inputs[0]), f.shape(node.inputs[1]), y);
  Tail tail = follow(f, id, {y[0], 1, 1});
  ConvEpilogue epilogue{.bias = tail.bias >= 0, .relu = tail.relu};
  const bool winograd = winograd_forward_pays(shape);
  std::string title = described(winograd ? "conv2d_winograd" : "conv2d", tail);

  // Pooling joins if all that the rest of the graph wants is the pooled value and where it came from.
  NodeId pooled = -1, index = -1;
  bool joins = !f.is_needed_outside(tail.last);
  const PoolAttributes* pool = nullptr;
  for (const auto user : f.users(tail.last)) {
    const Node& n = f.node(user);
    if ((n.op != &op_max_pool && n.op != &op_pool_argmax) || f.phase(user) != f.phase(id)) joins = false;
    if (!joins) break;
    const auto& a = n.attributes.as<PoolAttributes>();
    joins = (!pool || *pool == a) && a.window == a.stride && a.padding == std::vector<std::int64_t>{0, 0};
    pool = &a;
    (n.op == &op_max_pool ? pooled : index) = user;
  }
  joins = joins && pooled >= 0 && (!winograd || winograd_pools(pool->window[0], pool->window[1]));
  if (joins) {
    epilogue.pool_h = pool->window[0];
    epilogue.pool_w = pool->window[1];
    tail.nodes.push_back(pooled);
    if (index >= 0) tail.nodes.push_back(index);
    title += "+max_pool";
  }
  auto kernel = std::make_unique<ConvForward>(winograd ? kWinogradConv : kDirectConv, shape, epilogue);
  kernel->name = title;
  kernel->inputs = {node.inputs[0], node.inputs[1]};
  if (tail.bias >= 0) kernel->inputs.push_back(tail.bias);
  kernel->outputs = joins ? std::vector<NodeId>{pooled} : std::vector<NodeId>{tail.last};
  if (joins && index >= 0) kernel->outputs.push_back(index);
  kernel->pack_from = node.inputs[1];
  std::sort(tail.nodes.begin(), tail.nodes.end());
  kernel->nodes = std::move(tail.nodes);
  return f.claim(std::move(kernel));
}

bool claim_convolution_input_grad(Fusion& f, NodeId id) {
  const Node& node = f.node(id);
  if (node.op != &op_conv2d_input_grad || !f.batched(node.inputs[0]) || f.batched(node.inputs[1])) return false;
  const auto shape = conv_shape(node.attributes.as<Conv2dAttributes>(), node.type.shape, f.shape(node.inputs[1]),
                                f.shape(node.inputs[0]));
  const bool winograd = winograd_input_grad_pays(shape);
  auto kernel = std::make_unique<ConvInputGrad>(winograd ? kWinogradConv : kDirectConv, shape);
  kernel->name = winograd ? "conv2d_input_grad_winograd" : "conv2d_input_grad";
  kernel->inputs = node.inputs;
  kernel->pack_from = node.inputs[1];
  kernel->nodes = kernel->outputs = {id};
  return f.claim(std::move(kernel));
}

bool claim_convolution_weight_grad(Fusion& f, NodeId id) {
  const Node& node = f.node(id);
  const NodeId sum = f.only_user(id);
  if (node.op != &op_conv2d_weight_grad || !f.batched(node.inputs[0]) || !f.batched(node.inputs[1])) return false;
  if (sum < 0 || f.node(sum).op != &op_batch_sum) return false;
  const auto shape = conv_shape(node.attributes.as<Conv2dAttributes>(), f.shape(node.inputs[0]), node.type.shape,
                                f.shape(node.inputs[1]));
  const bool winograd = winograd_weight_grad_pays(shape);
  auto kernel = std::make_unique<ConvWeightGrad>(winograd ? kWinogradConv : kDirectConv, shape);
  kernel->name = winograd ? "conv2d_weight_grad_winograd+batch_sum" : "conv2d_weight_grad+batch_sum";
  kernel->inputs = node.inputs;
  kernel->nodes = {id, sum};
  kernel->outputs = {sum};
  return f.claim(std::move(kernel));
}

bool claim_pool_scatter(Fusion& f, NodeId id) {
  const Node& node = f.node(id);
  if (node.op != &op_pool_scatter || !f.batched(node.inputs[0]) || !f.batched(node.inputs[1])) return false;
  const auto& a = node.attributes.as<PoolAttributes>();
  if (a.window != a.stride || a.padding != std::vector<std::int64_t>{0, 0}) return false;
  const Shape& x = node.type.shape;
  auto kernel = std::make_unique<PoolScatter>(PoolShape{x[0], x[1], x[2], a.window[0], a.window[1]});
  kernel->name = "pool_scatter";
  kernel->inputs = node.inputs;
  kernel->nodes = kernel->outputs = {id};
  return f.claim(std::move(kernel));
}

}  // namespace chalk
