#include "src/base/text.h"

#include <sstream>
#include <utility>

namespace chalk::detail {

std::string written(void (*write)(std::ostream&, const void*), const void* parts) {
  std::ostringstream out;
  write(out, parts);
  return std::move(out).str();
}

}  // namespace chalk::detail
