#include "src/train/decisive.h"

namespace chalk {

TrainOptions decisive(TrainOptions options) {
  options.threads = 0;
  options.validation = nullptr;
  options.checkpoint.clear();
  options.checkpoint_every = 0;
  options.stop = {};
  options.skip_bad = false;
  options.on_step = options.on_epoch = nullptr;
  options.on_replaced = nullptr;
  options.compile = {};
  return options;
}

}  // namespace chalk
