#include "src/plan/sweep_kernel.h"

#include <algorithm>

#include "src/plan/sweep_run.h"
#include "src/plan/update_kernel.h"

namespace chalk {
namespace {

constexpr std::size_t kSweepPart = 512;  // lane groups of shared values that are a part,
constexpr std::size_t kGrain = 16;       // and how many parts a thread takes at a time

class SweepKernel : public PlannedKernel {
 public:
  explicit SweepKernel(SweepPlan plan) : plan_(std::move(plan)) {
    name = plan_.name;
    nodes = plan_.nodes;
    inputs = plan_.inputs;
    outputs = plan_.outputs;
    scope = plan_.batched ? Scope::microbatch : Scope::shared;
    runs_one = true;
    scratch = sweep_scratch(plan_);
    if (plan_.batched) {
      shares = sweep_shares(plan_);
      shares_one = sweep_shares_one(plan_);
    } else {
      parts = {.count = (plan_.places + kSweepPart - 1) / kSweepPart, .grain = kGrain};
    }
  }

  bool read_slots(std::size_t input) override { return plan_.read_slots(input); }

  std::unique_ptr<PlannedKernel> with_maker(std::size_t input, std::unique_ptr<PlannedKernel>& maker) override {
    if (plan_.batched || !plan_.aligned(input) || *maker->parts->floats % 16 != 0) return nullptr;
    auto both = make_update_kernel(std::move(plan_), input, std::move(maker));
    both->phase = std::max(both->phase, phase);
    return both;
  }

  void run(const KernelRun& call) const override {
    if (plan_.batched) return run_sweep(plan_, call);
    run_shared_sweep(plan_, call,
                     {static_cast<std::int64_t>(call.begin * kSweepPart),
                      static_cast<std::int64_t>(std::min(plan_.places, call.end * kSweepPart))});
  }

  void run_one(const KernelRun& call) const override { run_sweep_one(plan_, call); }

 private:
  SweepPlan plan_;
};

}  // namespace

std::unique_ptr<PlannedKernel> make_sweep_kernel(SweepPlan plan) {
  return std::make_unique<SweepKernel>(std::move(plan));
}

}  // namespace chalk
