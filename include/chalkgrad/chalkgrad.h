// Everything: #include <chalkgrad/chalkgrad.h>.
#pragma once

#include "chalkgrad/check.h"
#include "chalkgrad/data.h"
#include "chalkgrad/differentiate.h"
#include "chalkgrad/error.h"
#include "chalkgrad/fields.h"
#include "chalkgrad/graph.h"
#include "chalkgrad/layers.h"
#include "chalkgrad/network.h"
#include "chalkgrad/ops.h"
#include "chalkgrad/program.h"
#include "chalkgrad/shape.h"
#include "chalkgrad/train.h"
