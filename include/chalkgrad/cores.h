// How many threads programs have that are not told otherwise, and what decides that.
#pragma once

#include <string>

namespace chalk {

/// The cores that this process may use.
struct Cores {
  int machine = 1;         ///< the machine has
  int allowed = 1;         ///< of them, those that it may run on: by taskset, a cpuset, or mpirun's binding
  double quota = 0;        ///< cores' worth of time that its control groups allow (1.5 for docker --cpus=1.5); 0: all
  std::string quota_file;  ///< which says so

  /// One for each core, or for each whole core's worth of time, to the nearest; at least one.
  int threads() const;
  /// What decides threads(), in half a sentence: "one for each core".
  std::string why() const;
};

/// As it is now.
Cores usable_cores();

}  // namespace chalk
