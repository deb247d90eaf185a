#include "src/plan/plan.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>

#include "chalkgrad/cost.h"
#include "src/base/text.h"
#include "src/ir/leaves.h"
#include "src/kernels/fold.h"
#include "src/ops/registry.h"
#include "src/plan/fuse.h"
#include "src/plan/locations.h"
#include "src/plan/order.h"
#include "src/plan/phases.h"
#include "src/plan/recompute.h"
#include "src/plan/updates.h"
#include "src/plan/waves.h"

namespace chalk {
namespace {

using Space = Location::Space;
using Scope = PlannedKernel::Scope;

constexpr std::size_t kPart = 8192;                         // floats of a shared value that one thread takes at a time
constexpr std::size_t kPackPart = std::size_t{1} << 19;     // floats of packed weights that one takes at a time
constexpr std::size_t kSlotBudget = std::size_t{64} << 20;  // floats in all slots together

/// Gives values their memory and kernels their turns.
class Planner {
 public:
  Planner(Plan& plan, const Graph& graph, const KernelPhases& phases)
      : plan_(plan), g_(graph), phases_(phases), locations_(graph), slot_of_(graph), folded_where_read_(graph, false) {
    plan.runs_one = std::all_of(plan.kernels.begin(), plan.kernels.end(),
                                [&](const auto& kernel) { return kernel->scope == Scope::shared || kernel->runs_one; });
    plan.phases.resize(static_cast<std::size_t>(phases.count));
  }

  void run(const std::string& guard) {
    locate_leaves();
    locate_slots();
    fold_where_read();
    find_waves();
    update_in_place(guard);
    locate_shared();
    locate_batched_values();
    locate_packed();
    make_batched_steps();
    make_shared_steps();
    name_outputs();
  }

 private:
  const Node& node(NodeId id) const { return g_.node(id); }
  NodeId source(NodeId id) const { return source_of(g_, id); }
  Location& location(NodeId id) { return locations_[source(id)]; }
  bool packs(const PlannedKernel& k) const { return k.packing && (plan_.runs_one || !k.packing->only_for_one); }
  bool for_microbatches(const PlannedKernel& k) const { return k.scope == Scope::microbatch; }

  void locate_leaves() {
    for (NodeId id = 0; id < g_.size(); ++id) {
      const Node& n = node(id);
      if (n.op == &op_parameter) {
        location(id) = {Space::variable, plan_.variables.size()};
        plan_.variables.push_back(n.name);
      } else if (n.op == &op_constant) {
        location(id) = {Space::shared, plan_.shared};
        plan_.constants.push_back(
            {plan_.shared, floats_of(n.type), static_cast<float>(n.attributes.as<ConstantAttributes>().value)});
        plan_.shared += floats_of(n.type);
      } else if (n.op == &op_batch_size) {
        if (plan_.batch_size.space == Space::none) {
          plan_.batch_size = {Space::shared, plan_.shared};
          plan_.shared += floats_of(n.type);
        }
        location(id) = plan_.batch_size;
      } else if (n.op == &op_input && !n.type.batched) {
        location(id) = {Space::shared, plan_.shared};
        plan_.shared += floats_of(n.type);
        plan_.inputs.push_back({n.name, n.type, location(id), false});
      } else if (n.op == &op_input) {
        batched_inputs_.emplace_back(id, plan_.inputs.size());
        plan_.inputs.push_back({n.name, n.type, {}, is_noise(n)});
      }
    }
  }

  void locate_slots() {
    for (const auto& kernel : plan_.kernels) {
      if (!kernel->sums_batch) continue;
      for (const auto id : kernel->outputs) {
        slot_of_[id] = plan_.slot;
        plan_.slot += floats_of(node(id).type);
      }
    }
    const bool sums = std::any_of(plan_.kernels.begin(), plan_.kernels.end(),
                                  [&](const auto& k) { return k->sums_batch || k->reads_rows; });
    if (sums) {
      plan_.slots = kMaxSlots;
      while (plan_.slots > 4 && static_cast<std::size_t>(plan_.slots) * plan_.slot > kSlotBudget) plan_.slots /= 2;
    }
  }

  void locate_shared() {
    for (const auto& kernel : plan_.kernels) {
      for (const auto id : kernel->outputs) {
        if (node(id).type.batched || folded_where_read_[id] || in_place_.contains(id)) continue;
        location(id) = {Space::shared, plan_.shared};
        plan_.shared += floats_of(node(id).type);
      }
    }
    for (const auto& [next, leaf] : in_place_) location(next) = location(leaf);
    if (guarded_ >= 0) plan_.guard = location(guarded_);
  }

  void locate_batched_values() {
    batched_ = locate_batched(g_, plan_.kernels, phases_.kernel);
    for (const auto& [id, where] : batched_.lanes) location(id) = where;
    plan_.arena_values = std::move(batched_.arena_values);
    plan_.arena = batched_.arena;
    plan_.kept_values = std::move(batched_.kept_values);
    plan_.kept = batched_.kept;
  }

  Step step_of(const PlannedKernel& kernel) {
    Step step;
    step.kernel = &kernel;
    for (std::size_t i = 0; i < kernel.inputs.size(); ++i) {
      const NodeId id = source(kernel.inputs[i]);
      const bool folded = folded_where_read_[id];
      step.in.push_back(folded                   ? Location{Space::slots, *slot_of_[id]}
                        : kernel.reads_rows == i ? batched_.rows.at(id)
                                                 : location(id));
    }
    for (const auto id : kernel.outputs) {
      step.out.push_back(kernel.sums_batch ? Location{Space::slots, *slot_of_[id]} : location(id));
    }
    if (kernel.scope == Scope::batch) {
      const auto floats = [&](const Location& at) { return at.space == Space::whole ? plan_.kept : 0; };
      std::transform(step.in.begin(), step.in.end(), std::back_inserter(step.in_step), floats);
      std::transform(step.out.begin(), step.out.end(), std::back_inserter(step.out_step), floats);
    }
    plan_.scratch = std::max(plan_.scratch, (kernel.scratch + 15) / 16 * 16);
    if (const auto at = packed_at_.find(&kernel); at != packed_at_.end()) step.packed = at->second;
    return step;
  }

  void make_batched_steps() {
    for (const auto& [id, index] : batched_inputs_) {
      for (const auto p : batched_.gather[id]) at_phase(p).gathers.push_back({index, location(id)});
      if (const auto rows = batched_.gather_rows.find(id); rows != batched_.gather_rows.end())
        at_phase(rows->second).gathers.push_back({index, batched_.rows.at(id), true});
    }
    for (const auto& [id, to] : batched_.rows) {
      if (batched_.gather_rows.contains(id)) continue;
      const Phase::Transposition transposition{elements(node(id).type.shape), location(id), to};
      at_phase(phases_.value[id]).transpositions.push_back(transposition);
    }
    for (std::size_t k = 0; k < plan_.kernels.size(); ++k) {
      const auto& kernel = *plan_.kernels[k];
      if (!for_microbatches(kernel)) continue;
      Phase& phase = at_phase(phases_.kernel[k]);
      phase.steps.push_back(step_of(kernel));
      phase.sums |= kernel.sums_batch;
    }
  }

  Phase& at_phase(int phase) { return plan_.phases[static_cast<std::size_t>(phase)]; }

  void add_item(Phase& phase, int wave, SharedItem item) {
    if (phase.waves.size() <= static_cast<std::size_t>(wave)) phase.waves.resize(static_cast<std::size_t>(wave) + 1);
    phase.waves[static_cast<std::size_t>(wave)].push_back(item);
  }

  void add_parts(Phase& phase, int wave, SharedItem item, std::size_t count, std::size_t part) {
    for (std::size_t begin = 0; begin < count; begin += part) {
      item.begin = begin;
      item.end = std::min(count, begin + part);
      item.all = count;
      add_item(phase, wave, item);
    }
  }

  /// Sums over samples that only one kernel reads are folded by that kernel if it can.
  void fold_where_read() {
    const auto readers = find_readers(g_, plan_.kernels);
    const auto needed_outside = find_needed_outside(g_);
    for (NodeId id = 0; id < g_.size(); ++id) {
      if (!slot_of_[id] || needed_outside[id] || readers[id].size() != 1) continue;
      const auto [reader, input] = readers[id][0];
      auto& kernel = *plan_.kernels[reader];
      folded_where_read_[id] = !for_microbatches(kernel) && kernel.read_slots(input);
    }
  }

  void find_waves() {
    PerNode<bool> folded(g_, false);
    for (NodeId id = 0; id < g_.size(); ++id) folded[id] = is_folded(id);
    std::vector<bool> packed;
    for (const auto& kernel : plan_.kernels) packed.push_back(packs(*kernel));
    waves_ = chalk::find_waves(g_, plan_.kernels, phases_, folded, packed);
  }

  /// It is a sum over samples that no kernel folds where it reads it.
  bool is_folded(NodeId id) const { return slot_of_[id] && !folded_where_read_[id]; }

  void update_in_place(const std::string& guard) {
    std::optional<Guard> known;
    for (const auto& [name, id] : g_.outputs()) {
      if (name != guard) continue;
      guarded_ = source(id);
      const int phase = phases_.value[guarded_], wave = waves_.after(phases_, guarded_, phase);
      known = {phase, wave};
      at_phase(phase).guard_wave = std::max(wave, 0);
    }
    in_place_ = chalk::update_in_place(g_, plan_.kernels, phases_, known, waves_);
  }

  void make_shared_steps() {
    for (NodeId id = 0; id < g_.size(); ++id) {
      if (!is_folded(id)) continue;
      add_parts(at_phase(phases_.value[id]), 0,
                {SharedItem::Kind::fold, 0, {Space::slots, *slot_of_[id]}, location(id)},
                static_cast<std::size_t>(elements(node(id).type.shape)), kPart);
    }
    for (std::size_t k = 0; k < plan_.kernels.size(); ++k) {
      if (waves_.kernel[k] == Waves::kNone) continue;
      const auto& kernel = *plan_.kernels[k];
      Phase& phase = at_phase(phases_.kernel[k]);
      const auto parts = kernel.parts.value_or(PlannedKernel::Parts{});
      add_parts(phase, waves_.kernel[k], {SharedItem::Kind::run, phase.shared_steps.size(), {}, {}}, parts.count,
                parts.grain);
      phase.shared_steps.push_back(step_of(kernel));
    }
    make_copies();
  }

  /// If weights change in each run, they are packed in the phase that reads them, into memory that it shares with the
  /// others. Otherwise they are packed as soon as they are known, and stay for the runs to come.
  void locate_packed() {
    const bool stay = g_.updates().empty();
    std::vector<Lifetime> lifetimes;
    std::vector<std::size_t> kernels;
    for (std::size_t k = 0; k < plan_.kernels.size(); ++k) {
      const auto& kernel = *plan_.kernels[k];
      if (!packs(kernel)) continue;
      const NodeId from = source(kernel.packing->from);
      const int first = stay ? phases_.value[from] : phases_.kernel[k];
      lifetimes.push_back({kernel.packing->floats, first, stay ? phases_.last() : first});
      kernels.push_back(k);
    }
    const std::size_t all = book(lifetimes);
    for (std::size_t i = 0; i < kernels.size(); ++i) {
      const auto& kernel = *plan_.kernels[kernels[i]];
      const auto& [floats, phase, last, offset] = lifetimes[i];
      const std::size_t to = packed_at_[&kernel] = plan_.shared + offset;
      const NodeId from = source(kernel.packing->from);
      add_parts(at_phase(phase), waves_.after(phases_, from, phase) + 1,
                {SharedItem::Kind::pack, plan_.packs.size(), {}, {}}, (floats + kPackPart - 1) / kPackPart, 1);
      plan_.packs.push_back({&kernel, location(from), to});
    }
    plan_.shared += all;
  }

  /// The other updates, all at once: what is copied from a parameter that changes itself goes through a temporary.
  void make_copies() {
    Phase& last = plan_.phases.back();
    std::vector<SharedItem> copies;
    for (const auto& [leaf, next] : g_.updates()) {
      const auto found = in_place_.find(next);
      if (found != in_place_.end() && found->second == leaf) continue;
      if (source(next) == leaf) continue;
      const std::size_t count = floats_of(node(leaf).type);
      Location from = location(next);
      if (from.space == Space::variable) {
        const Location temporary{Space::shared, plan_.shared};
        plan_.shared += count;
        if (last.waves.empty()) last.waves.emplace_back();
        const int wave = static_cast<int>(last.waves.size()) - 1;
        add_item(last, wave, {SharedItem::Kind::copy, 0, from, temporary, 0, count});
        from = temporary;
      }
      copies.push_back({SharedItem::Kind::copy, 0, from, location(leaf), 0, count});
    }
    if (copies.empty()) return;
    if (last.steps.empty() && last.gathers.empty()) {
      const int wave = static_cast<int>(last.waves.size());
      for (const auto& copy : copies) add_item(last, wave, copy);
    } else {  // microbatches of the last phase may still read the old values
      plan_.phases.emplace_back();
      for (const auto& copy : copies) add_item(plan_.phases.back(), 0, copy);
    }
  }

  void name_outputs() {
    for (const auto& [name, id] : g_.outputs()) {
      const Type& type = node(id).type;
      if (type.batched) {
        at_phase(batched_.deliver.at(source(id))).deliveries.push_back({plan_.outputs.size(), location(id)});
      }
      plan_.outputs.push_back({name, type, type.batched ? Location{} : location(id)});
    }
  }

  Plan& plan_;
  const Graph& g_;
  const KernelPhases& phases_;
  PerNode<Location> locations_;
  BatchedLocations batched_;
  std::vector<std::pair<NodeId, std::size_t>> batched_inputs_;  // and their index in Plan::inputs
  PerNode<std::optional<std::size_t>> slot_of_;                 // of sums over samples
  PerNode<bool> folded_where_read_;                             // of these: no fold of their own
  std::map<const PlannedKernel*, std::size_t> packed_at_;
  Waves waves_;
  std::map<NodeId, NodeId> in_place_;  // next value → parameter it is written over
  NodeId guarded_ = -1;
};

std::string print_location(const Location& location) {
  switch (location.space) {
    case Space::none:
      return "nowhere";
    case Space::arena:
      return str("arena+", location.offset);
    case Space::shared:
      return str("shared+", location.offset);
    case Space::slots:
      return str("slot+", location.offset);
    case Space::whole:
      return str("whole+", location.offset);
    case Space::variable:
      return str("variable#", location.offset);
  }
  return "";
}

Plan plan_phased(PhasedGraph phased, bool tuned, const std::string& guard) {
  Plan plan;
  plan.kernels = fuse(phased, tuned);
  order_kernels(phased.graph, plan.kernels);
  const KernelPhases phases = assign_phases(phased.graph, plan.kernels);
  Planner(plan, phased.graph, phases).run(guard);
  plan.graph = std::move(phased.graph);
  return plan;
}

}  // namespace

Plan make_plan(const Graph& graph, bool tuned, const std::string& guard, const MemoryLimit& limit) {
  const auto phased = find_phases(graph, tuned);
  Plan best = plan_phased(phased, tuned, guard);
  const auto bytes = [&](const Plan& plan) { return plan.bytes(limit.samples, limit.threads); };
  if (limit.bytes == 0 || bytes(best) <= limit.bytes || best.kept == 0) return best;
  // How much an arena grows by what is computed in it is known only when the plan has been made. So the most that may
  // be kept is looked for by halving or, as more plans may fit than that would find, one by one.
  constexpr std::size_t kLevels = 24;
  const std::size_t kept = best.kept;
  std::vector<bool> tried(kLevels, false);
  std::optional<Plan> fits;
  const auto try_out = [&](std::size_t most) {
    Plan plan = plan_phased(compute_again(phased, most), tuned, guard);
    if (bytes(plan) > limit.bytes) {
      if (bytes(plan) < bytes(best)) best = std::move(plan);
      return false;
    }
    if (!fits || multiply_adds(plan.graph) < multiply_adds(fits->graph)) fits = std::move(plan);
    return true;
  };
  const auto fits_at = [&](std::size_t level) {
    tried[level] = true;
    return try_out(kept * level / kLevels);
  };
  std::size_t from = 0, to = kLevels;  // the highest level that fits is below `to`
  while (from < to) {
    const std::size_t middle = (from + to) / 2;
    fits_at(middle) ? from = middle + 1 : to = middle;
  }
  for (std::size_t level = kLevels; level-- > 0 && !fits;) {
    if (!tried[level] && fits_at(level)) to = level + 1;
  }
  if (!fits) return best;
  try_out(kept * (2 * to - 1) / (2 * kLevels));
  return std::move(*fits);
}

std::size_t Plan::bytes(std::size_t samples, int threads) const {
  const auto of_all = [](int count) { return static_cast<std::size_t>(count); };
  const std::size_t microbatches = microbatches_of(samples);
  std::size_t floats = shared + kept * microbatches + scratch * of_all(threads);
  floats += arena * std::min(of_all(threads), microbatches) + slot * std::min(of_all(slots), microbatches);
  for (NodeId id = 0; id < graph.size(); ++id)
    floats += graph.node(id).op == &op_parameter ? floats_of(graph.node(id).type) : 0;
  return floats * sizeof(float);
}

std::string Plan::print() const {
  std::string text;
  const auto reference = [&](NodeId id) {
    const auto& name = graph.node(id).name;
    return name.empty() ? str("%", id) : name;
  };
  const auto line = [&](const Step& step) {
    const auto& k = *step.kernel;
    text += "    " + k.name;
    for (std::size_t i = 0; i < k.inputs.size(); ++i)
      text += (i ? ", " : " (") + reference(k.inputs[i]) + "@" + print_location(step.in[i]);
    text += ") ->";
    for (std::size_t i = 0; i < k.outputs.size(); ++i)
      text += " " + reference(k.outputs[i]) + "@" + print_location(step.out[i]);
    text += '\n';
  };
  for (std::size_t p = 0; p < phases.size(); ++p) {
    text += str("phase ", p, "\n  shared, ", phases[p].waves.size(), " waves\n");
    for (const auto& step : phases[p].shared_steps) line(step);
    if (phases[p].steps.empty() && phases[p].gathers.empty()) continue;
    text += "  each microbatch of 16\n";
    for (const auto& step : phases[p].steps) line(step);
  }
  text += str("arena ", arena * 4, " B a thread, scratch ", scratch * 4, " B, kept ", kept * 4,
              " B a microbatch, shared ", shared * 4, " B, ", slots, " slots of ", slot * 4, " B\n");
  return text;
}

}  // namespace chalk
