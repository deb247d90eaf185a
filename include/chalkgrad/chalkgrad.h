// Everything: #include <chalkgrad/chalkgrad.h>.
//
// From main() on: a network or graph at namespace scope would be made before the library's tables. Make it in a
// function.
#pragma once

#if __cplusplus < 202002L
#error "chalkgrad needs C++20: compile with -std=c++20 or later"
#endif
#ifndef __cpp_rtti
#error "chalkgrad needs RTTI: compile without -fno-rtti"
#endif

#include "chalkgrad/augmentation.h"
#include "chalkgrad/augmentations.h"
#include "chalkgrad/average.h"
#include "chalkgrad/benchmark.h"
#include "chalkgrad/check.h"
#include "chalkgrad/cores.h"
#include "chalkgrad/cost.h"
#include "chalkgrad/data.h"
#include "chalkgrad/derive.h"
#include "chalkgrad/describe.h"
#include "chalkgrad/differentiate.h"
#include "chalkgrad/error.h"
#include "chalkgrad/evaluate.h"
#include "chalkgrad/fields.h"
#include "chalkgrad/gradcheck.h"
#include "chalkgrad/graph.h"
#include "chalkgrad/image.h"
#include "chalkgrad/inspect.h"
#include "chalkgrad/layers.h"
#include "chalkgrad/lookahead.h"
#include "chalkgrad/losses.h"
#include "chalkgrad/lr_find.h"
#include "chalkgrad/network.h"
#include "chalkgrad/network_gradcheck.h"
#include "chalkgrad/normalisation.h"
#include "chalkgrad/npz.h"
#include "chalkgrad/onnx.h"
#include "chalkgrad/ops.h"
#include "chalkgrad/optimizer.h"
#include "chalkgrad/optimizers.h"
#include "chalkgrad/parameter_group.h"
#include "chalkgrad/program.h"
#include "chalkgrad/replace_head.h"
#include "chalkgrad/schedule.h"
#include "chalkgrad/shape.h"
#include "chalkgrad/splits.h"
#include "chalkgrad/tensorboard.h"
#include "chalkgrad/train.h"
#include "chalkgrad/train_options.h"
#include "chalkgrad/training_events.h"
#include "chalkgrad/weight_init.h"
