#include "src/plan/update_kernel.h"

#include <algorithm>

#include "src/plan/sweep_run.h"

namespace chalk {
namespace {

using Form = SweepPlan::Operand::Form;

class UpdateKernel : public PlannedKernel {
 public:
  UpdateKernel(SweepPlan plan, std::size_t input, std::unique_ptr<PlannedKernel> maker)
      : plan_(std::move(plan)), maker_(std::move(maker)), part_(*maker_->parts->floats) {
    const std::size_t made = plan_.read_parts(input);
    name = maker_->name;
    nodes = plan_.nodes;
    nodes.insert(nodes.end(), maker_->nodes.begin(), maker_->nodes.end());
    std::sort(nodes.begin(), nodes.end());
    inputs = plan_.inputs;
    inputs.insert(inputs.end(), maker_->inputs.begin(), maker_->inputs.end());
    outputs = plan_.outputs;
    scope = maker_->scope;
    phase = maker_->phase;
    parts = {.count = maker_->parts->count, .grain = maker_->parts->grain};
    if (maker_->reads_rows) reads_rows = plan_.inputs.size() + *maker_->reads_rows;
    scratch = sweep_scratch(plan_) + part_ + maker_->scratch;
    in_registers_ = give_chain(static_cast<std::uint16_t>(made));
    name += "+" + (in_registers_ ? "sgd_step" : plan_.name);
  }

  bool read_slots(std::size_t input) override { return !in_registers_ && plan_.read_slots(input); }

  void run(const KernelRun& call) const override {
    float* const made = call.scratch + sweep_scratch(plan_);
    KernelRun make = call;
    make.in += plan_.inputs.size();
    make.in_step += plan_.inputs.size();
    make.scratch = made + part_;
    const std::size_t places = part_ / 16;
    for (std::size_t part = call.begin; part < call.end; ++part) {
      if (in_registers_) {
        make_in_registers(make, call, part);
      } else {
        maker_->run_part(make, part, made);
        const std::size_t end = std::min(plan_.places, (part + 1) * places);
        run_shared_sweep(plan_, call, {static_cast<std::int64_t>(part * places), static_cast<std::int64_t>(end)}, made);
      }
    }
  }

 private:
  const std::vector<SweepPlan::Operation>& operations() const { return plan_.rounds[0].operations; }

  /// True if the maker has taken the sweep's links, which then must be all that there is to do.
  bool give_chain(std::uint16_t made) {
    if (plan_.rounds.size() != 1 || plan_.rounds[0].stages.size() != 1) return false;
    const auto* links = std::get_if<std::vector<Link>>(&plan_.rounds[0].stages[0]);
    if (!links) return false;
    std::vector<std::uint16_t> written;
    for (const auto& operation : operations()) {
      if (operation.output) written.push_back(static_cast<std::uint16_t>(operation.out));
    }
    return maker_->take_chain(*links, made, written);
  }

  void make_in_registers(const KernelRun& make, const KernelRun& call, std::size_t part) const {
    float* at[SweepPlan::kMostValues];  // of which the chain reads those that are set here: parts are small and many
    for (const auto& operand : plan_.operands) {
      if (operand.form == Form::part) continue;
      const float* from = call.in[operand.input] + (operand.form == Form::aligned ? part * part_ : 0);
      at[operand.value] = const_cast<float*>(from);
    }
    for (const auto& operation : operations()) {
      if (operation.output) at[operation.out] = call.out[*operation.output] + part * part_;
    }
    maker_->run_chain(make, part, at);
  }

  SweepPlan plan_;
  std::unique_ptr<PlannedKernel> maker_;
  std::size_t part_;  // floats
  bool in_registers_;
};

}  // namespace

std::unique_ptr<PlannedKernel> make_update_kernel(SweepPlan sweep, std::size_t input,
                                                  std::unique_ptr<PlannedKernel> maker) {
  return std::make_unique<UpdateKernel>(std::move(sweep), input, std::move(maker));
}

}  // namespace chalk
