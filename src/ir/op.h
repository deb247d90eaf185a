// What an operation is. Each is in one place in src/ops, with one line in src/ops/ops.inc.
#pragma once

#include <concepts>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chalkgrad/graph.h"
#include "src/base/link_kind.h"
#include "src/base/share.h"

namespace chalk {

/// One call of an operation's kernel. Pointers are to double, float or lane groups of 16 floats, to suit the kernel.
struct KernelCall {
  const Attributes* attributes = nullptr;
  std::span<const Type> types;      // of the inputs
  std::span<const void* const> in;  // lanes: batched inputs are lane groups, shared ones plain floats
  const Type* type = nullptr;       // of the output
  void* out = nullptr;
  Share share = {};  // of the result's first axis; only of operations by channel
};
using Kernel = void (*)(const KernelCall&);

/// An elementwise operation on `count` contiguous lane groups (or 16 floats of a shared value) at a time.
using Sweep = void (*)(const float* const* in, float* out, std::size_t count);

/// The one kernel, instantiated for each scalar type. Lanes and sweep use the machine's instruction set.
struct Kernels {
  Kernel reference;  // double, one sample
  Kernel lanes;      // sixteen samples
  Kernel shared;     // float: where all inputs are shared, and for one sample by itself
  Sweep (*sweep)();  // for the chosen instruction set; only for elementwise operations, otherwise null
};

/// A shape and attributes that an operation is tested on, with values where it is defined and smooth.
struct Sample {
  struct Input {
    Shape shape;
    bool batched = true;
    double low = -1, high = 1;   // values are drawn from here
    double grid = 0;             // > 0: rounded to multiples of it, so that ties occur
    bool differentiable = true;  // checked against central differences
  };
  Attributes attributes;
  std::vector<Input> inputs;
};

/// A place where an operation, with its default attributes, has no derivative, and what its rule gives there by
/// convention: for tests, too, the numbers of each operand, with ';' between operands. The law of kinks
/// (tests/kink_law.h) finds such places, and holds the rule to what is said here.
struct Kink {
  std::string_view convention{};        // in words: "relu'(0) = 0"; "" if the operation has none
  std::string_view at{}, derivative{};  // of the sum of the results
  std::string_view shape = "1";         // of each operand
};

/// How a formula is written: LaTeX with #1, #2 for the inputs. Indices follow the textbooks (see docs/).
struct Formula {
  std::string_view latex;
};

/// What an elementwise operation is in a chain, whose value v stays in registers (src/kernels/chain.h). Without links
/// it ends the chain and runs by itself.
struct Links {
  std::optional<LinkKind> by_place[3] = {};  // if v is operand 0, 1, 2; the others, in order, are the link's a and b
  std::optional<LinkKind> of_equals = {};    // if v is both operands
};

template <class T>
struct Required {  // a member that designated initializers cannot leave out
  T value;
  // NOLINTBEGIN(google-explicit-constructor): it is used as its value
  template <class U>
  requires std::convertible_to<U, T> Required(U&& v) : value(std::forward<U>(v)) {}
  operator const T&() const { return value; }
  // NOLINTEND(google-explicit-constructor)
};

/// Cotangents of the inputs, in order; an empty Value where an input has none (an index, a comparison).
/// `y` is the node's own value, `dy` its cotangent (of y's shape; shared only if y is). Emits graph next to y.
using DerivativeRule = std::vector<Value> (*)(const Node& node, std::span<const Value> inputs, Value y, Value dy);

struct Op {
  Required<std::string_view> name;
  Required<Attributes> attributes;  // default values; empty if it has none
  Required<int> arity;              // number of inputs; −1: one or more
  /// The output's type, or throws ShapeError with a message that Graph::apply puts the layer in front of.
  Required<Type (*)(const Attributes&, std::span<const Type>)> infer;
  Required<Kernels> kernels;
  Required<DerivativeRule> derivative;  // null: derivative is zero or none exists (say which in the file)
  Required<Formula> formula;
  Required<std::string_view> onnx;  // ONNX operator it maps to; "" if it is a composite of several
  /// Even in float, a result is exact for its inputs, or rounded once; otherwise within a few roundings.
  Required<bool> exact;
  Kink kink = {};
  // What makes it faster, if it applies:
  bool cheap = false;       // a value that is needed again later is recomputed rather than kept
  bool by_channel = false;  // its kernel makes, of the result's first axis, the share that it is asked for
  /// Whether, with these attributes, each column of the result (its last axis) is made of that of the operands alone.
  bool (*by_column)(const Attributes&) = nullptr;
  Links links = {};
  Required<std::vector<Sample>> samples;
};

/// Leaves have no inputs and no kernel: their values come from outside.
bool is_leaf(const Op& op);

}  // namespace chalk
