// Building messages without a formatting library: str("conv1: ", 5, "×", 5).
#pragma once

#include <ostream>
#include <string>
#include <tuple>

namespace chalk {
namespace detail {

/// What write(out, parts) writes to out. Out of line, and without the lengths of literals in the types: there are
/// hundreds of messages.
std::string written(void (*write)(std::ostream&, const void*), const void* parts);

template <class... Parts>
std::string written(const std::tuple<Parts...>& parts) {
  const auto write = [](std::ostream& out, const void* all) {
    std::apply([&](const auto&... part) { (out << ... << part); }, *static_cast<const std::tuple<Parts...>*>(all));
  };
  return written(write, &parts);
}

template <class Part>
const Part& part(const Part& p) {
  return p;
}
inline const char* part(const char* literal) { return literal; }

}  // namespace detail

template <class... Parts>
std::string str(const Parts&... parts) {
  return detail::written(std::tuple<decltype(detail::part(parts))...>(detail::part(parts)...));
}

}  // namespace chalk
