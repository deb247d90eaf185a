// Numbers of an optimizer that depend on how many steps have been taken, 1 − βᵗ and its like, as tables: the numbers
// that a Trainer sets, to the bit. They settle, so a table ends where its last number holds for ever.
#pragma once

#include <functional>
#include <span>
#include <string>

#include "src/onnx/emitter.h"
#include "src/optimizers/optimizer.h"

namespace chalk::onnx {

class StepTables {
 public:
  StepTables(Emitter& to, std::span<const StepContext::Scalar> scalars, const Optimizer& optimizer)
      : to_(to), scalars_(scalars), optimizer_(optimizer) {}

  bool has(const std::string& name) const;
  /// The tensor of that number; `step` declares the input "step". Throws InputError if the number never settles.
  std::string number(const std::string& name, const std::function<std::string()>& step);
  /// If there was a number: calls `output` with the number of steps after this one.
  void finish(const std::function<void(const std::string& next)>& output);

 private:
  Emitter& to_;
  std::span<const StepContext::Scalar> scalars_;
  const Optimizer& optimizer_;
  std::string step_;
};

}  // namespace chalk::onnx
