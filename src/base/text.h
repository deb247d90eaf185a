// Building messages without a formatting library: str("conv1: ", 5, "×", 5).
#pragma once

#include <sstream>
#include <string>

namespace chalk {

template <class... Parts>
std::string str(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return std::move(out).str();
}

}  // namespace chalk
