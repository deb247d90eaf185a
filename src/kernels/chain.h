// Chains of elementwise operations whose value stays in registers from link to link.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "src/base/link_kind.h"

namespace chalk {

/// What is asked for before its turn, as it lies elsewhere: near, in the second cache, or far, in memory.
enum class Prefetch : std::uint8_t { none, near, far };

struct Link {
  LinkKind kind = LinkKind::load;
  std::uint16_t a = 0, b = 0;             // which of `at`
  std::uint8_t a_step = 16, b_step = 16;  // floats from one lane group to the next: 16, or 0 for one that serves all
  Prefetch fetch = Prefetch::none;        // of what some later groups read or write of a
};

/// Where `sum` adds: lane group i to group i mod `sums` from a on (step 16), or all groups to one (step 0). Of the last
/// group only the first `lanes` lanes enter.
struct ChainSums {
  std::uint8_t step = 16;
  int lanes = 16;
  std::uint8_t sums = 16;  // a multiple of 16, and a power of two
};

/// Runs the links on each of `groups` lane groups; operand a of group i is at at[a] + i · a_step.
void run_chain(std::span<const Link> links, float* const* at, std::size_t groups, const ChainSums& sums = {});

/// The first of sixteen lane groups becomes the sum of all, in the tree 16 → 8 → 4 → 2 → 1.
void fold_groups(float* groups);

}  // namespace chalk
