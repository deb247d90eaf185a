// Elementwise chains in one sweep over memory: blocks of a few lane groups pass through all operations while they are
// in the first-level cache.
#include <algorithm>
#include <cstdint>
#include <map>

#include "src/ir/op.h"
#include "src/kernels/expand.h"
#include "src/kernels/fold.h"
#include "src/plan/tuned.h"

namespace chalk {
namespace {

constexpr std::size_t kBlock = 32;  // lane groups, 2 KiB a value

class SweepKernel : public PlannedKernel {
 public:
  SweepKernel(const Fusion& fusion, std::vector<NodeId> members) {
    const Graph& g = fusion.graph();
    const Type& type = g.node(members[0]).type;
    const auto count = static_cast<std::size_t>(elements(type.shape));
    batched_ = type.batched;
    count_ = count;
    runs_one = true;
    groups_ = batched_ ? count : (count + 15) / 16;
    if (!batched_) parts = (groups_ + kPart - 1) / kPart;
    nodes = members;

    std::map<NodeId, std::size_t> local;  // node → index of its value
    const auto is_member = [&](NodeId id) { return std::find(members.begin(), members.end(), id) != members.end(); };
    for (const auto id : members) {
      Operation operation{g.node(id).op->kernels.value.sweep, {}, 0};
      for (const auto input : g.node(id).inputs) {
        if (!local.contains(input)) {
          local[input] = values_.size();
          values_.push_back(external(g, input, type));
        }
        operation.in.push_back(local[input]);
      }
      local[id] = operation.out = values_.size();
      Value value;
      const auto& users = fusion.users(id);
      if (fusion.is_root(id) || !std::all_of(users.begin(), users.end(), is_member)) {
        value.output = static_cast<int>(outputs.size());
        outputs.push_back(id);
      }
      values_.push_back(value);
      operations_.push_back(std::move(operation));
      name += (name.empty() ? "" : "+") + std::string(g.node(id).op->name.value);
    }
    scratch = values_.size() * kBlock * 16;
  }

  void run(const KernelRun& call) const override {
    if (batched_) {
      sweep<false>(call, 0, groups_);
    } else {
      sweep<false>(call, call.begin * kPart, std::min(groups_, call.end * kPart));
    }
  }
  void run_one(const KernelRun& call) const override { sweep<true>(call, 0, (count_ + 15) / 16); }

  bool read_slots(std::size_t input) override {
    for (auto& value : values_) {
      if (value.kind != Value::Kind::aligned || value.input != input || batched_) continue;
      value.kind = Value::Kind::slots;
      return true;
    }
    return false;
  }

  static constexpr std::size_t kMostValues = 64;
  std::size_t values() const { return values_.size(); }

 private:
  static constexpr std::size_t kPart = 512;  // lane groups of shared values that one thread takes at a time

  /// Groups of sixteen floats, from `first` to `last`: places of sixteen samples, or places of one.
  template <bool kOne>
  void sweep(const KernelRun& call, std::size_t first, std::size_t last) const {
    const float* at[kMostValues];
    for (std::size_t v = 0; v < values_.size(); ++v) {  // the same number everywhere: written out once
      if (values_[v].kind != Value::Kind::uniform) continue;
      float* room = call.scratch + v * kBlock * 16;
      std::fill(room, room + kBlock * 16, call.in[values_[v].input][0]);
      at[v] = room;
    }
    for (std::size_t block = first; block < last; block += kBlock) {
      const std::size_t count = std::min(kBlock, last - block);
      for (std::size_t v = 0; v < values_.size(); ++v) {
        const Value& value = values_[v];
        const auto kind = kOne ? value.kind_of_one : value.kind;
        if (kind == Value::Kind::aligned) at[v] = call.in[value.input] + block * 16;
        if (kind == Value::Kind::slots) {
          const float* from = call.in[value.input] + block * 16;
          float* room = call.scratch + v * kBlock * 16;
          if (call.slots > 1) fold_slots(from, call.slot, call.slots, 0, count * 16, room);
          at[v] = call.slots > 1 ? room : from;
        }
        if (kind == Value::Kind::gathered) {
          float* room = call.scratch + v * kBlock * 16;
          if (kOne) {
            const std::size_t floats = std::min(count * 16, count_ - block * 16);
            pick_places(call.in[value.input], value.places, value.run, block * 16, floats, room);
          } else {
            expand_places(call.in[value.input], value.shared, value.places.data() + block, count, room);
          }
          at[v] = room;
        }
      }
      for (const auto& operation : operations_) {
        const float* in[3] = {};
        for (std::size_t k = 0; k < operation.in.size(); ++k) in[k] = at[operation.in[k]];
        const Value& value = values_[operation.out];
        float* to =
            value.output >= 0 ? call.out[value.output] + block * 16 : call.scratch + operation.out * kBlock * 16;
        operation.sweep(in, to, count);
        at[operation.out] = to;
      }
    }
  }

  struct Value {
    enum class Kind : std::uint8_t { made, aligned, uniform, gathered, slots };
    Kind kind = Kind::made, kind_of_one = Kind::made;
    std::size_t input = 0;  // in PlannedKernel::inputs
    bool shared = false;
    int output = -1;                    // in PlannedKernel::outputs, or scratch
    std::vector<std::uint32_t> places;  // gathered: which element of the input each place reads
    std::size_t run = 1;                // so many neighbours read the same
  };
  struct Operation {
    Sweep sweep;
    std::vector<std::size_t> in;
    std::size_t out;
  };

  Value external(const Graph& g, NodeId id, const Type& type) {
    Value value;
    value.input = inputs.size();
    inputs.push_back(id);
    const Type& from = g.node(id).type;
    value.shared = !from.batched;
    if (from == type) {
      value.kind = Value::Kind::aligned;
    } else if (value.shared && elements(from.shape) == 1) {
      value.kind = Value::Kind::uniform;
    } else {
      value.kind = Value::Kind::gathered;
      value.places = broadcast_places(from.shape, type.shape);
      value.run = run_of(value.places);
    }
    value.kind_of_one = from.shape == type.shape ? Value::Kind::aligned : value.kind;
    return value;
  }

  std::vector<Value> values_;
  std::vector<Operation> operations_;
  bool batched_ = false;
  std::size_t count_ = 0, groups_ = 0;
};

/// Shared values are swept sixteen elements at a time, which leaves no room for broadcasting but that of one number.
bool sweepable(const Fusion& fusion, NodeId id) {
  const Node& node = fusion.node(id);
  if (!node.op->kernels.value.sweep || fusion.claimed(id)) return false;
  if (node.type.batched) return true;
  return std::all_of(node.inputs.begin(), node.inputs.end(), [&](NodeId input) {
    const Shape& shape = fusion.node(input).type.shape;
    return shape == node.type.shape || elements(shape) == 1;
  });
}

}  // namespace

void claim_sweeps(Fusion& fusion) {
  // Groups grow along the graph's order; a group is tried as a kernel each time it grows, so that it never closes a
  // cycle.
  std::vector<std::vector<NodeId>> groups;
  std::map<NodeId, std::size_t> group_of;
  for (NodeId id = 0; id < fusion.graph().size(); ++id) {
    if (!sweepable(fusion, id)) continue;
    const Node& node = fusion.node(id);
    std::size_t group = groups.size();
    for (const auto input : node.inputs) {
      const auto found = group_of.find(input);
      if (found == group_of.end()) continue;
      auto& candidate = groups[found->second];
      if (fusion.node(candidate[0]).type != node.type || fusion.phase(candidate[0]) != fusion.phase(id)) continue;
      candidate.push_back(id);
      const bool fits =
          fusion.acyclic_with(groups) && SweepKernel(fusion, candidate).values() <= SweepKernel::kMostValues;
      if (fits) {
        group = found->second;
        break;
      }
      candidate.pop_back();
    }
    if (group == groups.size()) groups.push_back({id});
    group_of[id] = group;
  }
  for (auto& group : groups) fusion.claim(std::make_unique<SweepKernel>(fusion, std::move(group)));
}

}  // namespace chalk
