#include "src/plan/sweep_kernel.h"

#include <algorithm>
#include <cstring>
#include <map>

#include "src/kernels/dense.h"
#include "src/kernels/expand.h"
#include "src/kernels/fold.h"
#include "src/ops/reduce.h"
#include "src/ops/registry.h"

namespace chalk {
namespace {

constexpr std::size_t kPartialSums = 16;  // place i of a channel enters partial sum i mod 16
constexpr std::size_t kBlock = 64;        // lane groups, 4 KiB a value
constexpr std::size_t kRoom = kBlock * 16;
constexpr std::size_t kPart = 512;  // lane groups of shared values that one thread takes at a time
static_assert(kBlock % kPartialSums == 0);

}  // namespace

bool is_by_channel(const Shape& shape, const Shape& domain) {
  if (elements(shape) == 1) return true;
  return domain.size() > 1 && shape.size() == domain.size() && shape[0] == domain[0] && elements(shape) == shape[0];
}

bool sums_channels(const Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if ((node.op != &op_sum && node.op != &op_mean) || !node.type.batched) return false;
  const auto& axes = node.attributes.as<ReduceAttributes>().axes;
  const auto rank = graph.node(node.inputs[0]).type.shape.size();
  return rank > 1 && axes.size() == rank - 1 && axes[0] == 1;
}

SweepKernel::SweepKernel(const Fusion& fusion, std::vector<NodeId> members, const Type& domain) {
  const Graph& g = fusion.graph();
  nodes = std::move(members);
  batched_ = domain.batched;
  runs_one = true;
  std::vector<Operation> operations;
  std::vector<ChannelSum> sums;
  std::map<NodeId, std::size_t> local;  // node → index of its value
  const auto is_member = [&](NodeId id) { return std::binary_search(nodes.begin(), nodes.end(), id); };
  bool by_channel = false;
  for (const auto id : nodes) {
    const Node& node = g.node(id);
    std::vector<std::size_t> in;
    for (const auto input : node.inputs) {
      const auto [place, fresh] = local.try_emplace(input, values_.size());
      if (fresh) external(fusion, input, domain);
      by_channel = by_channel || values_[place->second].kind == Value::Kind::channel;
      in.push_back(place->second);
    }
    const auto out = local[id] = values_.size();
    Value value;
    if (node.op->kernels.value.sweep) {
      operations.push_back({node.op, node.op->kernels.value.sweep(), std::move(in), out, false});
    } else {
      value.kind = Value::Kind::summed;
      sums.push_back({in[0], out, node.op == &op_mean});
    }
    const auto& users = fusion.users(id);
    if (fusion.is_needed_outside(id) || !std::all_of(users.begin(), users.end(), is_member)) {
      value.output = static_cast<int>(outputs.size());
      outputs.push_back(id);
    }
    values_.push_back(value);
    name += (name.empty() ? "" : "+") + std::string(node.op->name.value);
  }
  const auto count = static_cast<std::size_t>(elements(domain.shape));
  if (by_channel || !sums.empty()) {
    channels_ = static_cast<std::size_t>(domain.shape[0]);
    places_ = count / channels_;
  } else {
    places_ = batched_ ? count : (count + 15) / 16;
    if (!batched_) parts = (places_ + kPart - 1) / kPart;
  }
  schedule(operations, sums);
  scratch = values_.size() * kRoom;
}

void SweepKernel::external(const Fusion& fusion, NodeId id, const Type& domain) {
  const Type& from = fusion.node(id).type;
  Value value;
  value.input = inputs.size();
  value.shared = !from.batched;
  value.whole = from.shape == domain.shape;
  if (from == domain) {
    value.kind = Value::Kind::aligned;
  } else if (value.shared && elements(from.shape) == 1) {
    value.kind = Value::Kind::number;
  } else if (is_by_channel(from.shape, domain.shape)) {
    value.kind = Value::Kind::channel;
    value.step = elements(from.shape) > 1 ? 1 : 0;
  } else {
    value.kind = Value::Kind::gathered;
    value.places = broadcast_places(from.shape, domain.shape);
    value.run = run_of(value.places);
  }
  inputs.push_back(id);
  values_.push_back(std::move(value));
}

void SweepKernel::schedule(const std::vector<Operation>& operations, const std::vector<ChannelSum>& sums) {
  // A value can be made in the pass after that of the last sum it is made from.
  std::vector<std::size_t> pass_of(values_.size(), 0);
  std::size_t next_sum = 0, passes = 1;
  const auto take_sums = [&](std::size_t before) {
    for (; next_sum < sums.size() && sums[next_sum].out < before; ++next_sum)
      pass_of[sums[next_sum].out] = pass_of[sums[next_sum].in] + 1;
  };
  for (const auto& operation : operations) {
    take_sums(operation.out);
    for (const auto in : operation.in) pass_of[operation.out] = std::max(pass_of[operation.out], pass_of[in]);
    passes = std::max(passes, pass_of[operation.out] + 1);
  }
  take_sums(values_.size());
  for (const auto& sum : sums) passes = std::max(passes, pass_of[sum.out]);

  for (std::size_t p = 0; p < passes; ++p) {
    Pass pass;
    std::vector<bool> wanted(values_.size(), false);
    for (const auto& sum : sums) {
      if (pass_of[sum.in] != p) continue;
      pass.sums.push_back(sum);
      wanted[sum.in] = true;
    }
    for (auto operation = operations.rbegin(); operation != operations.rend(); ++operation) {
      if (!wanted[operation->out] && (values_[operation->out].output < 0 || pass_of[operation->out] != p)) continue;
      for (const auto in : operation->in) wanted[in] = true;
      pass.operations.push_back(*operation);
      pass.operations.back().again = pass_of[operation->out] != p;
    }
    std::reverse(pass.operations.begin(), pass.operations.end());
    for (std::size_t v = 0; v < values_.size(); ++v) {
      const auto kind = values_[v].kind;
      if (wanted[v] && (kind == Value::Kind::aligned || kind == Value::Kind::gathered)) pass.reads.push_back(v);
    }
    link(pass);
    passes_.push_back(std::move(pass));
  }
}

bool SweepKernel::read_slots(std::size_t input) {
  for (auto& value : values_) {
    if (value.kind != Value::Kind::aligned || value.input != input || batched_ || step_) continue;
    value.kind = Value::Kind::slots;
    return true;
  }
  return false;
}

bool SweepKernel::read_parts(std::size_t input, std::unique_ptr<PlannedKernel>& maker) {
  const auto found = std::find_if(values_.begin(), values_.end(), [&](const Value& value) {
    return value.kind == Value::Kind::aligned && value.input == input;
  });
  if (found == values_.end() || batched_ || maker_ || maker->part_floats % 16 != 0) return false;
  found->kind = Value::Kind::part;
  inputs.erase(inputs.begin() + static_cast<std::ptrdiff_t>(input));
  for (auto& value : values_) value.input -= value.input > input ? 1 : 0;
  maker_ = std::move(maker);
  maker_inputs_ = inputs.size();
  inputs.insert(inputs.end(), maker_->inputs.begin(), maker_->inputs.end());
  nodes.insert(nodes.end(), maker_->nodes.begin(), maker_->nodes.end());
  std::sort(nodes.begin(), nodes.end());
  phase = std::max(phase, maker_->phase);
  over_batch = true;
  runs_one = false;
  parts = maker_->parts;
  grain = maker_->grain;
  if (maker_->transposed >= 0) transposed = static_cast<int>(maker_inputs_) + maker_->transposed;
  const bool steps = maker_->takes_steps && find_step(static_cast<std::size_t>(found - values_.begin()));
  name = maker_->name + "+" + (steps ? "sgd_step" : name);
  scratch = values_.size() * kRoom + maker_->part_floats + maker_->scratch;
  return true;
}

void SweepKernel::run(const KernelRun& call) const {
  if (maker_) {
    const std::size_t part = maker_->part_floats / 16;
    float* const made = call.scratch + values_.size() * kRoom;
    KernelRun make = call, sweep_it = call;
    make.in += maker_inputs_;
    make.in_step += maker_inputs_;
    make.scratch = made + maker_->part_floats;
    for (std::size_t p = call.begin; p < call.end; ++p) {
      if (step_) {
        maker_->run_step(make, p, sgd_step(call));
        continue;
      }
      maker_->run_part(make, p, made);
      sweep_it.begin = p;
      sweep<false>(sweep_it, p * part, std::min(places_, (p + 1) * part));
    }
  } else if (batched_) {
    sweep<false>(call, 0, places_);
  } else {
    sweep<false>(call, call.begin * kPart, std::min(places_, call.end * kPart));
  }
}

void SweepKernel::run_one(const KernelRun& call) const { sweep<true>(call, 0, places_); }

template <bool kOne>
void SweepKernel::sweep(const KernelRun& call, std::size_t first, std::size_t last) const {
  float* at[kMostValues];
  for (std::size_t v = 0; v < values_.size(); ++v) {
    at[v] = call.scratch + v * kRoom;
    if (values_[v].kind == Value::Kind::number)
      std::fill_n(at[v], values_[v].repeated ? kRoom : 16, call.in[values_[v].input][0]);
  }
  const std::size_t block = kOne ? kRoom : kBlock, copies = kOne ? kBlock : std::min(kBlock, places_);
  for (std::size_t c = 0; c < channels_; ++c) {
    fill_channel<kOne>(c, copies, call);
    for (const auto& pass : passes_) {
      for (const auto& sum : pass.sums)
        std::fill_n(call.scratch + sum.out * kRoom, kPartialSums * (kOne ? 1 : 16), 0.0F);
      for (std::size_t place = first; place < last; place += block)
        run_block<kOne>(pass, c * places_ + place, std::min(block, last - place), call, at);
      for (const auto& sum : pass.sums) finish<kOne>(sum, c, copies, call);
    }
  }
}

/// Writes out what is the same for all places of a channel: a lane group, or as many as a block has if they are read
/// so.
template <bool kOne>
void SweepKernel::fill_channel(std::size_t channel, std::size_t copies, const KernelRun& call) const {
  for (std::size_t v = 0; v < values_.size(); ++v) {
    const Value& value = values_[v];
    if (value.kind != Value::Kind::channel) continue;
    float* room = call.scratch + v * kRoom;
    const float* from = call.in[value.input] + channel * value.step * (kOne || value.shared ? 1 : 16);
    const std::size_t groups = value.repeated ? copies : 1;
    if (kOne || value.shared) {
      std::fill_n(room, groups * 16, *from);
    } else {
      for (std::size_t i = 0; i < groups; ++i) std::memcpy(room + i * 16, from, 16 * sizeof(float));
    }
  }
}

template <bool kOne>
const float* SweepKernel::read(const Value& value, std::size_t begin, std::size_t count, const KernelRun& call,
                               float* room) const {
  const float* from = call.in[value.input];
  if (value.kind == Value::Kind::slots) {
    if (call.slots <= 1) return from + begin * 16;
    fold_slots(from + begin * 16, call.slot, call.slots, 0, count * 16, room);
  } else if (value.kind == Value::Kind::part) {
    return call.scratch + values_.size() * kRoom + begin * 16 - call.begin * maker_->part_floats;
  } else if (kOne && value.whole) {
    if (channels_ == 1) return from + begin;  // aligned
    std::memcpy(room, from + begin, count * sizeof(float));
  } else if (value.kind == Value::Kind::aligned) {
    return from + begin * 16;
  } else if (kOne) {
    pick_places(from, value.places, value.run, begin, count, room);
  } else {
    expand_places(from, value.shared, value.places.data() + begin, count, room);
  }
  return room;
}

template <bool kOne>
void SweepKernel::run_block(const Pass& pass, std::size_t begin, std::size_t count, const KernelRun& call,
                            float** at) const {
  const bool apart = kOne && channels_ > 1;  // a channel of one sample need not begin where a vector may
  const std::size_t step = kOne ? 1 : 16, groups = kOne ? (count + 15) / 16 : count;
  for (const auto v : pass.reads)
    at[v] = const_cast<float*>(read<kOne>(values_[v], begin, count, call, call.scratch + v * kRoom));
  const auto output_of = [&](const Operation& operation) {
    return operation.again ? -1 : values_[operation.out].output;
  };
  for (const auto& operation : pass.operations) {
    const int output = output_of(operation);
    at[operation.out] = output >= 0 && !apart ? call.out[output] + begin * step : call.scratch + operation.out * kRoom;
  }
  const int lanes = kOne ? static_cast<int>((count - 1) % 16 + 1) : 16;
  for (const auto& stage : pass.stages) {
    if (!stage.links.empty()) {
      run_chain(stage.links, at, groups, {.step = kOne ? std::uint8_t{0} : std::uint8_t{16}, .lanes = lanes});
    } else {
      const auto& operation = stage.operation;
      const float* in[3] = {};
      for (std::size_t k = 0; k < operation.in.size(); ++k) in[k] = at[operation.in[k]];
      operation.sweep(in, at[operation.out], groups);
    }
  }
  for (const auto& operation : pass.operations) {
    const int output = output_of(operation);
    if (output >= 0 && apart) std::memcpy(call.out[output] + begin, at[operation.out], count * sizeof(float));
  }
}

/// Folds the partial sums in the order of the operation's own kernel: reduce-inl.h.
template <bool kOne>
void SweepKernel::finish(const ChannelSum& sum, std::size_t channel, std::size_t copies, const KernelRun& call) const {
  constexpr std::size_t width = kOne ? 1 : 16;
  float* total = call.scratch + sum.out * kRoom;
  if (kOne) {
    for (std::size_t half = kPartialSums / 2; half > 0; half /= 2) {
      for (std::size_t i = 0; i < half; ++i) total[i] += total[i + half];
    }
  } else {
    fold_groups(total);
  }
  if (sum.mean) {
    const auto n = static_cast<float>(places_);
    for (std::size_t lane = 0; lane < width; ++lane) total[lane] /= n;
  }
  const int output = values_[sum.out].output;
  if (output >= 0) std::memcpy(call.out[output] + channel * width, total, width * sizeof(float));
  if (kOne) std::fill_n(total, 16, *total);
  if (!values_[sum.out].repeated) return;
  for (std::size_t i = 1; i < copies; ++i) std::memcpy(total + i * 16, total, 16 * sizeof(float));
}

}  // namespace chalk
