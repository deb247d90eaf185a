// Options of training as Python's keyword arguments. Which there are, their types, ranges and sentences are what
// TrainOptions, optimizers and losses show of themselves (chalkgrad/fields.h).
#pragma once

#include "chalkgrad/train_options.h"
#include "python/src/common.h"

namespace chalk::python {

/// Options of which those in `given` have these values, by the names of their fields; and `loss`, a name. Throws
/// TypeError for a name that there is not, or that is one of another optimizer or loss, and for a value of another
/// type; InputError for values that are out of range.
TrainOptions options_from(const nb::dict& given);

/// What the options show of themselves, and "loss".
nb::dict to_dict(const TrainOptions& options);

/// The loss of that name. Throws InputError with the names that there are.
Loss loss_named(const std::string& name);
/// The optimizer of that name, with these options of its own.
Optimizer optimizer_from(const std::string& name, const nb::dict& given);

}  // namespace chalk::python
