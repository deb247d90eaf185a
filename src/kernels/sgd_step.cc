#include "src/kernels/sgd_step.h"

#include <algorithm>
#include <array>
#include <vector>

namespace chalk {
namespace {

/// What an operand is to a step.
enum Role : std::uint16_t {
  kRate,
  kDecay,
  kMomentum,
  kNumbers,
  kGradient = kNumbers,
  kW,
  kM,
  kDecayed,
  kWNext,
  kMNext,
  kRoles
};

/// The links of a step, in the order in which sweeps have them (src/plan/sweep_chain.h); operands are roles.
std::vector<Link> links_of(const SgdChain& step) {
  using enum LinkKind;
  std::vector<Link> links;
  std::uint16_t g = kGradient;
  if (step.decays) {
    links = {{load, kDecay}, {mul, kW}, {step.ascends ? sub_of : add, g}};
    if (step.has_momentum) links.push_back({store, g = kDecayed});
  }
  if (step.has_momentum) {
    links.insert(links.end(), {{load, kMomentum}, {mul, kM}, {add, g}, {store, kMNext}});
    if (step.nesterov) links.insert(links.end(), {{mul, kMomentum}, {add, g}});
  }
  if (links.empty()) {
    links = {{load, kRate}, {mul, g}};
  } else {
    links.push_back({mul, kRate});
  }
  links.insert(links.end(), {{step.ascends ? add : sub_of, kW}, {store, kWNext}});
  return links;
}

/// Which operand has each role; none in a role that the step does not have.
using Cast = std::array<std::optional<std::uint16_t>, kRoles>;

/// The operands of `links`, if these are the links of `form` except for the numbers of their operands.
std::optional<Cast> cast(std::span<const Link> links, const std::vector<Link>& form) {
  if (links.size() != form.size()) return {};
  Cast found;
  for (std::size_t i = 0; i < form.size(); ++i) {
    auto& operand = found[form[i].a];
    if (links[i].kind != form[i].kind || operand.value_or(links[i].a) != links[i].a) return {};
    if (links[i].kind != LinkKind::store && links[i].a_step != (form[i].a < kNumbers ? 0 : 16)) return {};
    operand = links[i].a;
  }
  return found;
}

/// Each matrix has one role, and those that are wanted are the results.
bool fits(const Cast& cast, std::uint16_t gradient, std::vector<std::uint16_t> written) {
  if (cast[kGradient] != gradient) return false;
  std::vector<std::uint16_t> matrices, results;
  for (std::size_t role = kGradient; role < kRoles; ++role) {
    if (cast[role]) matrices.push_back(*cast[role]);
    if (cast[role] && role >= kWNext) results.push_back(*cast[role]);
  }
  std::sort(matrices.begin(), matrices.end());
  std::sort(results.begin(), results.end());
  std::sort(written.begin(), written.end());
  return std::adjacent_find(matrices.begin(), matrices.end()) == matrices.end() && results == written;
}

}  // namespace

SgdStep SgdChain::step(float* const* at) const {
  SgdStep step{.rate = at[rate], .nesterov = nesterov, .ascends = ascends, .w = at[w], .w_next = at[w_next]};
  if (decays) step.decay = at[decay];
  if (!has_momentum) return step;
  step.momentum = at[momentum];
  step.m = at[m];
  step.m_next = at[m_next];
  return step;
}

std::optional<SgdChain> find_sgd_chain(std::span<const Link> links, std::uint16_t gradient,
                                       std::span<const std::uint16_t> written) {
  for (unsigned form = 0; form < 16; ++form) {
    SgdChain step{(form & 1) != 0, (form & 2) != 0, (form & 4) != 0, (form & 8) != 0};
    if (step.nesterov && !step.has_momentum) continue;
    const auto roles = cast(links, links_of(step));
    if (!roles || !fits(*roles, gradient, {written.begin(), written.end()})) continue;
    const auto operand = [&](Role role) { return (*roles)[role].value_or(0); };
    step.rate = operand(kRate);
    step.decay = operand(kDecay);
    step.momentum = operand(kMomentum);
    step.w = operand(kW);
    step.m = operand(kM);
    step.w_next = operand(kWNext);
    step.m_next = operand(kMNext);
    return step;
  }
  return {};
}

}  // namespace chalk
