#include "chalkgrad/layers.h"

namespace chalk {

Value batch_mean(Value x) { return batch_sum(x) / x.graph().batch_size(); }

}  // namespace chalk
