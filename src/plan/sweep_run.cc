#include "src/plan/sweep_run.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "src/kernels/expand.h"
#include "src/kernels/fold.h"

namespace chalk {
namespace {

using Form = SweepPlan::Operand::Form;

constexpr std::size_t kPartialSums = 16;  // place i of a channel enters partial sum i mod 16
constexpr std::size_t kBlock = 64;        // lane groups, 4 KiB a value
constexpr std::size_t kRoom = kBlock * 16;

constexpr std::size_t kAcross = 64;  // lane groups of a channel that go through sums of all channels at a time
constexpr std::size_t kAcrossRoom = kPartialSums * kAcross * 16;
static_assert(kBlock % kPartialSums == 0);

/// For a single sample (kOne), a place is a float, otherwise a group of sixteen.
template <bool kOne>
class SweepRun {
 public:
  SweepRun(const SweepPlan& plan, const KernelRun& call, const Interval& channels, const Interval& places,
           const float* part = nullptr)
      : plan_(plan),
        call_(call),
        first_channel_(static_cast<std::size_t>(channels.begin)),
        last_channel_(static_cast<std::size_t>(channels.end)),
        first_(static_cast<std::size_t>(places.begin)),
        last_(static_cast<std::size_t>(places.end)),
        part_(part) {}

  void run() {
    for (std::size_t v = 0; v < plan_.values; ++v) at_[v] = room(v);
    for (const auto& operand : plan_.operands) {
      if (operand.form == Form::number)
        std::fill_n(room(operand.value), operand.repeated ? kRoom : 16, call_.in[operand.input][0]);
    }
    if (plan_.across) return run_across();
    for (std::size_t channel = first_channel_; channel < last_channel_; ++channel) {
      fill_channel(channel);
      for (const auto& round : plan_.rounds) {
        for (const auto& sum : round.sums) std::fill_n(room(sum.out), kPartialSums * kPlace, 0.0F);
        for (std::size_t place = first_; place < last_; place += kGroups)
          run_block(round, channel * plan_.places + place, std::min(kGroups, last_ - place));
        for (const auto& sum : round.sums) finish(sum, channel);
      }
    }
  }

 private:
  static constexpr std::size_t kPlace = kOne ? 1 : 16;    // floats of a place
  static constexpr std::size_t kGroups = kRoom / kPlace;  // places of a block

  /// Some places of all channels at a time: channel c enters partial sum c mod 16 of each place.
  void run_across() {
    const auto& round = plan_.rounds[0];
    constexpr std::size_t kTogether = kAcross * 16 / kPlace;
    for (std::size_t place = first_; place < last_; place += kTogether) {
      const std::size_t count = std::min(kTogether, last_ - place);
      for (const auto& sum : round.sums) std::fill_n(partial_sums(sum), kAcrossRoom, 0.0F);
      for (std::size_t channel = 0; channel < plan_.channels; ++channel) {
        fill_channel(channel);
        for (const auto& sum : round.sums) at_[sum.out] = partial_sums(sum) + channel % kPartialSums * kAcross * 16;
        run_block(round, channel * plan_.places + place, count);
      }
      for (const auto& sum : round.sums) {
        fold_partial_sums(sum);
        std::memcpy(call_.out[*sum.output] + place * kPlace, partial_sums(sum), count * kPlace * sizeof(float));
      }
    }
  }
  /// [16][kAcross][16]
  float* partial_sums(const SweepPlan::ChannelSum& sum) const {
    return room(plan_.values) + static_cast<std::size_t>(&sum - plan_.rounds[0].sums.data()) * kAcrossRoom;
  }
  /// The first of the partial sums becomes the sum of all, or their mean.
  void fold_partial_sums(const SweepPlan::ChannelSum& sum) const {
    constexpr std::array kAdd{Link{LinkKind::load, 0}, Link{LinkKind::add, 1}, Link{LinkKind::store, 0}};
    constexpr std::array kDivide{Link{LinkKind::load, 0}, Link{.kind = LinkKind::div, .a = 1, .a_step = 0},
                                 Link{LinkKind::store, 0}};
    float* const sums = partial_sums(sum);
    for (std::size_t half = kPartialSums / 2; half > 0; half /= 2) {
      float* const at[] = {sums, sums + half * kAcross * 16};
      run_chain(kAdd, at, half * kAcross);
    }
    if (!sum.mean) return;
    alignas(64) float count[16];
    std::fill_n(count, 16, static_cast<float>(plan_.channels));
    float* const at[] = {sums, count};
    run_chain(kDivide, at, kAcross);
  }

  float* room(std::size_t value) const { return call_.scratch + value * kRoom; }
  /// Lane groups that a block has at most.
  std::size_t copies() const { return kOne ? kBlock : std::min(kBlock, plan_.places); }

  /// Writes out what is the same for all places of a channel: a lane group, or as many as a block has if they are read
  /// so.
  void fill_channel(std::size_t channel) const {
    for (const auto& operand : plan_.operands) {
      if (operand.form != Form::channel) continue;
      const bool one_float = kOne || operand.shared;
      const float* from = call_.in[operand.input] + channel * operand.step * (one_float ? 1 : 16);
      float* const to = room(operand.value);
      const std::size_t groups = operand.repeated ? copies() : 1;
      if (one_float) {
        std::fill_n(to, groups * 16, *from);
      } else {
        for (std::size_t i = 0; i < groups; ++i) std::memcpy(to + i * 16, from, 16 * sizeof(float));
      }
    }
  }

  const float* read(const SweepPlan::Operand& operand, std::size_t begin, std::size_t count) const {
    if (operand.form == Form::part) return part_ + (begin - first_) * 16;
    const float* from = call_.in[operand.input];
    float* const to = room(operand.value);
    if (operand.form == Form::slots) {
      if (call_.slots <= 1) return from + begin * 16;
      fold_slots(from + begin * 16, call_.slot, call_.slots, 0, count * 16, to);
    } else if (kOne && operand.whole) {
      if (plan_.channels == 1) return from + begin;  // aligned
      std::memcpy(to, from + begin, count * sizeof(float));
    } else if (operand.form == Form::aligned) {
      return from + begin * 16;
    } else if (operand.form == Form::place) {
      const std::size_t place = begin % plan_.places;
      if (!kOne) return from + place * 16;
      std::memcpy(to, from + place, count * sizeof(float));
    } else if (kOne) {
      pick_places(from, operand.places, operand.run, begin, count, to);
    } else {
      expand_places(from, operand.shared, operand.places.data() + begin, count, to);
    }
    return to;
  }

  void run_block(const SweepPlan::Round& round, std::size_t begin, std::size_t count) {
    const bool apart = kOne && plan_.channels > 1;  // a channel of one sample need not begin where a vector may
    const std::size_t groups = kOne ? (count + 15) / 16 : count;
    for (const auto i : round.reads) {
      const auto& operand = plan_.operands[i];
      at_[operand.value] = const_cast<float*>(read(operand, begin, count));
    }
    for (const auto& operation : round.operations) {
      at_[operation.out] =
          operation.output && !apart ? call_.out[*operation.output] + begin * kPlace : room(operation.out);
    }
    ChainSums sums;
    if (plan_.across) {
      sums.sums = kAcross;
    } else if (kOne) {
      sums = {.step = 0, .lanes = static_cast<int>((count - 1) % 16 + 1)};
    }
    for (const auto& stage : round.stages) {
      if (const auto* links = std::get_if<std::vector<Link>>(&stage)) {
        run_chain(*links, at_, groups, sums);
      } else {
        run_operation(*std::get_if<SweepPlan::Operation>(&stage), groups);
      }
    }
    for (const auto& operation : round.operations) {
      if (operation.output && apart)
        std::memcpy(call_.out[*operation.output] + begin, at_[operation.out], count * sizeof(float));
    }
  }

  void run_operation(const SweepPlan::Operation& operation, std::size_t groups) const {
    const float* in[3] = {};
    for (std::size_t k = 0; k < operation.in.size(); ++k) in[k] = at_[operation.in[k]];
    operation.sweep(in, at_[operation.out], groups);
  }

  /// Folds the partial sums in the order of the operation's own kernel: reduce-inl.h.
  void finish(const SweepPlan::ChannelSum& sum, std::size_t channel) const {
    float* const total = room(sum.out);
    if (kOne) {
      for (std::size_t half = kPartialSums / 2; half > 0; half /= 2) {
        for (std::size_t i = 0; i < half; ++i) total[i] += total[i + half];
      }
    } else {
      fold_groups(total);
    }
    if (sum.mean) {
      const auto n = static_cast<float>(plan_.places);
      for (std::size_t lane = 0; lane < kPlace; ++lane) total[lane] /= n;
    }
    if (sum.output) std::memcpy(call_.out[*sum.output] + channel * kPlace, total, kPlace * sizeof(float));
    if (kOne) std::fill_n(total, 16, *total);
    if (!sum.repeated) return;
    for (std::size_t i = 1; i < copies(); ++i) std::memcpy(total + i * 16, total, 16 * sizeof(float));
  }

  const SweepPlan& plan_;
  const KernelRun& call_;
  const std::size_t first_channel_, last_channel_, first_, last_;
  const float* const part_;
  float* at_[SweepPlan::kMostValues];  // where each value begins, of the block that is being made
};

}  // namespace

std::size_t sweep_scratch(const SweepPlan& plan) {
  return plan.values * kRoom + (plan.across ? plan.rounds[0].sums.size() * kAcrossRoom : 0);
}

namespace {

Interval all_channels(const SweepPlan& plan) { return {0, static_cast<std::int64_t>(plan.channels)}; }
Interval all_places(const SweepPlan& plan) { return {0, static_cast<std::int64_t>(plan.places)}; }

/// Shares are of places, not channels: where sums are of all channels, or nothing is summed and channels are few.
bool shares_places(const SweepPlan& plan) {
  constexpr std::size_t kFewChannels = 16;
  const auto sums = [](const auto& round) { return !round.sums.empty(); };
  return plan.across || (plan.channels < kFewChannels && std::none_of(plan.rounds.begin(), plan.rounds.end(), sums));
}

/// Values that are read or written.
std::int64_t moved(const SweepPlan& plan) {
  return static_cast<std::int64_t>((plan.operands.size() + plan.outputs.size()) * plan.channels * plan.places);
}

}  // namespace

void run_sweep(const SweepPlan& plan, const KernelRun& call) {
  if (shares_places(plan)) {
    const Interval places = call.share.of(all_places(plan).end, plan.across ? kAcross : kBlock);
    return SweepRun<false>(plan, call, all_channels(plan), places).run();
  }
  SweepRun<false>(plan, call, call.share.of(all_channels(plan).end), all_places(plan)).run();
}

int sweep_shares(const SweepPlan& plan) {
  return worth_sharing(moved(plan), shares_places(plan) ? all_places(plan).end / static_cast<std::int64_t>(kBlock)
                                                        : all_channels(plan).end);
}

void run_sweep_one(const SweepPlan& plan, const KernelRun& call) {
  if (plan.across || plan.channels == 1) return SweepRun<true>(plan, call, all_channels(plan), all_places(plan)).run();
  SweepRun<true>(plan, call, call.share.of(all_channels(plan).end), all_places(plan)).run();
}

int sweep_shares_one(const SweepPlan& plan) {
  return plan.across ? 1 : worth_sharing(moved(plan) / 16, all_channels(plan).end);
}

void run_shared_sweep(const SweepPlan& plan, const KernelRun& call, const Interval& places, const float* part) {
  SweepRun<false>(plan, call, all_channels(plan), places, part).run();
}

}  // namespace chalk
