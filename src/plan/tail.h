// What may follow a linear map in the same kernel: adding a bias, relu.
#pragma once

#include <string>
#include <vector>

#include "src/plan/fuse.h"

namespace chalk {

struct Tail {
  NodeId last;  // the value that the kernel makes
  NodeId bias = -1;
  bool relu = false;
  std::vector<NodeId> nodes;  // the linear map among them
};

/// `bias_shape`: the shape in which a bias is added.
Tail follow(const Fusion& fusion, NodeId linear, const Shape& bias_shape);

/// The map's name with what follows it: "conv2d+bias+relu".
std::string described(const char* map, const Tail& tail);

}  // namespace chalk
