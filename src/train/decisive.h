// Which options say how a network is trained, and which only what is done on the way.
#pragma once

#include "chalkgrad/train_options.h"

namespace chalk {

/// The options that decide a run's result; the others, the validation data among them, as in TrainOptions{}.
TrainOptions decisive(TrainOptions options);

}  // namespace chalk
