// What may follow a linear map in the same kernel: adding a bias, relu, and relu with a limit, as relu6 is.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "src/plan/fuse.h"

namespace chalk {

struct Tail {
  NodeId last;  // the value that the kernel makes
  NodeId bias = -1;
  bool relu = false;
  float most = std::numeric_limits<float>::infinity();  // of relu
  std::vector<NodeId> nodes;                            // the linear map among them
};

enum class Limits : std::uint8_t { no, yes };
/// `bias_shape`: the shape in which a bias is added. `limits`: whether relu may have a limit.
Tail follow(const Fusion& fusion, NodeId linear, const Shape& bias_shape, Limits limits = Limits::no);

/// The map's name with what follows it: "conv2d+bias+relu".
std::string described(const char* map, const Tail& tail);

}  // namespace chalk
