// derive() about a subject that is there already, and by which rules.
#pragma once

#include "chalkgrad/derive.h"
#include "src/derive/differentiate.h"
#include "src/derive/subject.h"

namespace chalk::calculus {

/// `derivative` is another one in tests, which show that a wrong one is noticed.
Derivation derive(const Subject& subject, const DeriveOptions& options, DerivativeOf derivative = derivative_of);

}  // namespace chalk::calculus
