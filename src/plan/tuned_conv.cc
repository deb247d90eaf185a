// Which convolutions and poolings of a graph the tuned kernels of src/kernels can run.
#include <algorithm>

#include "src/kernels/conv.h"
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

class ForwardKernel : public PlannedKernel {
 public:
  ForwardKernel(std::unique_ptr<const ConvForward> map, NodeId weights, bool bias) : map_(std::move(map)), bias_(bias) {
    packing = {.from = weights, .floats = map_->packed};
    scratch = std::max(map_->scratch, map_->scratch_one);
    runs_one = true;
    shares = map_->shares;
    shares_one = map_->shares_one;
  }
  void pack(const float* from, float* to, Share share) const override { map_->pack(from, to, share); }
  void run(const KernelRun& call) const override {
    map_->run(call.in[0], call.packed, bias(call), call.out[0], index(call), call.scratch, call.share);
  }
  void run_one(const KernelRun& call) const override {
    map_->run_one(call.in[0], call.packed, bias(call), call.out[0], index(call), call.scratch, call.share);
  }

 private:
  const float* bias(const KernelRun& call) const { return bias_ ? call.in[2] : nullptr; }
  float* index(const KernelRun& call) const { return outputs.size() > 1 ? call.out[1] : nullptr; }

  std::unique_ptr<const ConvForward> map_;
  bool bias_;
};

class InputGradKernel : public PlannedKernel {
 public:
  InputGradKernel(std::unique_ptr<const ConvInputGrad> map, NodeId weights) : map_(std::move(map)) {
    packing = {.from = weights, .floats = map_->packed};
    scratch = map_->scratch;
    shares = map_->shares;
  }
  void pack(const float* from, float* to, Share share) const override { map_->pack(from, to, share); }
  void run(const KernelRun& call) const override {
    map_->run(call.in[0], call.packed, call.out[0], call.scratch, call.share);
  }

 private:
  std::unique_ptr<const ConvInputGrad> map_;
};

class WeightGradKernel : public PlannedKernel {
 public:
  explicit WeightGradKernel(std::unique_ptr<const ConvWeightGrad> map) : map_(std::move(map)) {
    sums_batch = true;
    scratch = map_->scratch;
    shares = map_->shares;
  }
  void run(const KernelRun& call) const override {
    map_->run(call.in[0], call.in[1], call.out[0], call.valid, call.accumulate, call.scratch, call.share);
  }

 private:
  std::unique_ptr<const ConvWeightGrad> map_;
};

class PoolScatter : public PlannedKernel {
 public:
  explicit PoolScatter(const PoolShape& shape) : shape_(shape) {
    shares = worth_sharing(shape.channels * shape.height * shape.width, shape.channels);
  }
  void run(const KernelRun& call) const override {
    const Interval channels = call.share.of(shape_.channels);
    PoolShape some = shape_;
    some.channels = channels.size();
    const std::int64_t x = channels.begin * shape_.height * shape_.width * 16;
    const std::int64_t y = channels.begin * (shape_.height / shape_.pool_h) * (shape_.width / shape_.pool_w) * 16;
    pool_scatter(some, call.in[0] + y, call.in[1] + y, call.out[0] + x);
  }

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
  Tail tail = follow(f, id, {y[0], 1, 1}, Limits::yes);
  ConvEpilogue epilogue{.bias = tail.bias >= 0, .relu = Relu(tail.relu, tail.most)};
  const auto& algorithm = conv_forward_algorithm(shape);
  std::string title = described(algorithm.name, tail);

  // Pooling joins if the rest of the graph needs only the pooled value and where it came from.
  NodeId pooled = -1, index = -1;
  bool joins = !f.is_needed_outside(tail.last) && !epilogue.relu.limited();
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
  joins = joins && pooled >= 0 && algorithm.pools(pool->window[0], pool->window[1]);
  if (joins) {
    epilogue.pool_h = pool->window[0];
    epilogue.pool_w = pool->window[1];
    tail.nodes.push_back(pooled);
    if (index >= 0) tail.nodes.push_back(index);
    title += "+max_pool";
  }
  auto kernel = std::make_unique<ForwardKernel>(algorithm.plan(shape, epilogue), node.inputs[1], epilogue.bias);
  kernel->name = title;
  kernel->inputs = {node.inputs[0], node.inputs[1]};
  if (tail.bias >= 0) kernel->inputs.push_back(tail.bias);
  kernel->outputs = joins ? std::vector<NodeId>{pooled} : std::vector<NodeId>{tail.last};
  if (joins && index >= 0) kernel->outputs.push_back(index);
  std::sort(tail.nodes.begin(), tail.nodes.end());
  kernel->nodes = std::move(tail.nodes);
  return f.claim(std::move(kernel));
}

bool claim_convolution_input_grad(Fusion& f, NodeId id) {
  const Node& node = f.node(id);
  if (node.op != &op_conv2d_input_grad || !f.batched(node.inputs[0]) || f.batched(node.inputs[1])) return false;
  const auto shape = conv_shape(node.attributes.as<Conv2dAttributes>(), node.type.shape, f.shape(node.inputs[1]),
                                f.shape(node.inputs[0]));
  const auto& algorithm = conv_input_grad_algorithm(shape);
  auto kernel = std::make_unique<InputGradKernel>(algorithm.plan(shape), node.inputs[1]);
  kernel->name = algorithm.name;
  kernel->inputs = node.inputs;
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
  const auto& algorithm = conv_weight_grad_algorithm(shape);
  auto kernel = std::make_unique<WeightGradKernel>(algorithm.plan(shape));
  kernel->name = std::string(algorithm.name) + "+batch_sum";
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
