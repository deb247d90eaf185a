// Numbers beside equations: those of a sample, with the network's own weights.
#pragma once

#include "chalkgrad/derive.h"
#include "src/derive/subject.h"

namespace chalk::calculus {

/// Adds the sample, the numbers of symbols and of left sides, and an entry of each chain computed term by term, which
/// is compared with what the network computes. Throws ShapeError or InputError for data that do not fit the network or
/// the loss, or have no such sample; and Error if an entry is not what the network computes.
void add_numbers(Derivation& derivation, const Subject& subject, const Network& network, const Loss& loss,
                 const DeriveOptions& options);

}  // namespace chalk::calculus
