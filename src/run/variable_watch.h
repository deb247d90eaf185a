// Which variables a program reads, and whether their numbers are those of its last run.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "chalkgrad/program.h"
#include "src/base/aligned.h"

namespace chalk {

class VariableWatch {
 public:
  /// These variables must outlive the watch. Throws InputError if one is not there.
  VariableWatch(std::span<const std::string> names, Variables& variables);

  float* data(std::size_t variable) const { return seen_[variable].data; }
  std::size_t bytes() const;
  /// True if any number may be another than at the last call; true at the first. A variable to which somebody may hold
  /// a span is compared number by number with a copy of what it was; the others count their changes.
  bool changed();
  /// To be called by who writes to a variable through data().
  void wrote(std::size_t variable) const;

 private:
  struct Seen {
    float* data;
    std::size_t count;
    const Tensor::History* history;
    std::uint64_t changes;
    AlignedFloats copy;  // empty as long as nobody may hold a span
  };
  static bool changed(Seen& seen);

  std::vector<Seen> seen_;
  bool first_ = true;
};

}  // namespace chalk
