// How fast this machine reads and writes memory, measured.
#pragma once

#include <cstddef>
#include <vector>

#include "src/base/threads.h"

namespace chalk {

/// The "triad" of STREAM (McCalpin 1995), a = b + s·c, on arrays that are larger than the caches: 96 to 384 MB, which
/// it keeps.
class StreamPeak {
 public:
  /// `threads` >= 1. Throws std::bad_alloc.
  explicit StreamPeak(int threads);
  /// Bytes read and written a second by all threads together, over about `seconds`: three numbers an element, as STREAM
  /// counts.
  double measure(double seconds);

 private:
  struct Part {
    std::vector<float> a, b, c;
  };
  ThreadTeam team_;
  std::vector<Part> parts_;  // one a thread
};

}  // namespace chalk
