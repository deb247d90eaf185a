// Sweeps that are a step of SGD from a gradient: its maker takes the step itself, in registers.
#include <algorithm>

#include "src/kernels/dense.h"
#include "src/ops/registry.h"
#include "src/plan/sweep_kernel.h"

namespace chalk {

/// True if the operations are those of SgdStep and nothing else; then step_ has their values.
bool SweepKernel::find_step(std::size_t gradient) {
  using enum Value::Kind;
  const auto& operations = passes_[0].operations;
  const auto kind = [&](std::size_t value) { return values_[value].kind; };
  /// x of v = number · x.
  struct Product {
    std::size_t number, x;
  };
  const auto product = [&](std::size_t v) -> std::optional<Product> {
    const auto made = std::find_if(operations.begin(), operations.end(), [&](const auto& o) { return o.out == v; });
    if (made == operations.end() || made->op != &op_mul) return {};
    for (const std::size_t place : {0U, 1U}) {
      if (kind(made->in[place]) == number) return Product{made->in[place], made->in[1 - place]};
    }
    return {};
  };
  /// Of an operation a + number · x or a − number · x, given a.
  struct Sum {
    Product product;
    std::size_t out;
    bool minus;
  };
  const auto sum = [&](const Operation& o, std::size_t a) -> std::optional<Sum> {
    if (o.op != &op_add && o.op != &op_sub) return {};
    const bool minus = o.op == &op_sub, second = !minus && o.in[1] == a;
    if (o.in[second ? 1 : 0] != a) return {};
    const auto p = product(o.in[second ? 0 : 1]);
    return p ? std::optional(Sum{*p, o.out, minus}) : std::nullopt;
  };
  const auto following = [&](std::size_t a, auto accept) -> std::optional<Sum> {
    for (const auto& o : operations) {
      const auto s = sum(o, a);
      if (s && accept(*s)) return s;
    }
    return {};
  };

  if (operations.empty() || passes_.size() != 1) return false;
  const Operation& last = operations.back();
  StepValues step{};
  std::optional<Sum> change;
  for (const auto w : last.in) {
    if (kind(w) == aligned && (change = sum(last, w))) step.w = w;
    if (change) break;
  }
  if (!change) return false;
  step.w_next = last.out;
  step.rate = change->product.number;
  step.ascends = !change->minus;
  std::size_t g = gradient, matched = 2;
  if (const auto decay = following(g, [&](const Sum& s) { return s.product.x == step.w && s.minus == step.ascends; })) {
    step.decay = decay->product.number;
    g = decay->out;
    matched += 2;
  }
  std::size_t direction = g;
  const auto is_momentum = [&](const Sum& s) {
    return !s.minus && kind(s.product.x) == aligned && s.product.x != step.w;
  };
  if (const auto momentum = following(g, is_momentum)) {
    step.momentum = momentum->product.number;
    step.m = momentum->product.x;
    direction = step.m_next = momentum->out;
    matched += 2;
    const auto nesterov = following(
        g, [&](const Sum& s) { return !s.minus && s.product.x == step.m_next && s.product.number == *step.momentum; });
    if (nesterov) {
      step.nesterov = true;
      direction = nesterov->out;
      matched += 2;
    }
  }
  const auto outputs_made = std::count_if(values_.begin(), values_.end(), [](const Value& v) { return v.output >= 0; });
  if (change->product.x != direction || matched != operations.size() || values_[step.w_next].output < 0 ||
      (step.momentum && values_[step.m_next].output < 0) || outputs_made != (step.momentum ? 2 : 1))
    return false;
  step_ = step;
  return true;
}

SgdStep SweepKernel::sgd_step(const KernelRun& call) const {
  const auto in = [&](std::size_t value) { return call.in[values_[value].input]; };
  const auto out = [&](std::size_t value) { return call.out[values_[value].output]; };
  SgdStep step{.rate = in(step_->rate),
               .nesterov = step_->nesterov,
               .ascends = step_->ascends,
               .w = in(step_->w),
               .w_next = out(step_->w_next)};
  if (step_->decay) step.decay = in(*step_->decay);
  if (step_->momentum) {
    step.momentum = in(*step_->momentum);
    step.m = in(step_->m);
    step.m_next = out(step_->m_next);
  }
  return step;
}

}  // namespace chalk
