// What variables were at some time, to go back to.
#pragma once

#include <string>
#include <vector>

#include "chalkgrad/program.h"

namespace chalk {

class Snapshot {
 public:
  /// Of these variables, which must outlive it. Books the memory for them and takes them as they are.
  Snapshot(Variables& variables, const std::vector<std::string>& names);
  /// Takes them as they are now. Allocates nothing.
  void take();
  /// Gives them back the numbers that were taken last.
  void restore() const;
  /// How many numbers it keeps.
  std::size_t size() const;

 private:
  struct Copy {
    Tensor* variable;
    std::vector<float> values;
  };
  std::vector<Copy> copies_;
};

}  // namespace chalk
