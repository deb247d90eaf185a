// Only in wheels that are linked by zig. What glibc 2.28 lacks and libstdc++.a of a newer system asks for (nothing of
// ours calls it: std::random_device would), and the stderr of libpng and libjpeg, which we let write nothing.
#include <sys/random.h>

#include <cstdio>
#include <cstdlib>

extern "C" {

extern std::FILE* chalkgrad_stderr;
std::FILE* chalkgrad_stderr = stderr;

unsigned arc4random();
unsigned arc4random() {
  unsigned number = 0;
  if (getrandom(&number, sizeof number, 0) != static_cast<ssize_t>(sizeof number)) std::abort();
  return number;
}

}  // extern "C"
