// Derivations as chains of equations, and derive() about a subject that is there already, and by which rules.
#pragma once

#include "chalkgrad/derive.h"
#include "src/derive/differentiate.h"
#include "src/derive/subject.h"

namespace chalk::calculus {

/// All that follows from the subject, not verified yet.
Derivation written(const Subject& subject, DerivativeOf derivative = derivative_of);
/// Adds the formulas of all values to the section, that to the derivation, and the symbols.
void write_forward(Derivation& derivation, const Subject& subject, DerivedSection section);

/// `derivative` is another one in tests, which show that a wrong one is noticed.
Derivation derive(const Subject& subject, const DeriveOptions& options, DerivativeOf derivative = derivative_of);

}  // namespace chalk::calculus
