// What a program says when an exception is thrown where none may be. The standard library's own handler names the
// exception's type as well, for which a static program would carry a demangler of 50 kB.
#include <cstdio>
#include <cstdlib>
#include <exception>

namespace __gnu_cxx {  // libstdc++'s; its manual lets programs replace the handler

void __verbose_terminate_handler() {  // NOLINT(bugprone-reserved-identifier)
  try {
    if (const auto thrown = std::current_exception()) std::rethrow_exception(thrown);
    std::fputs("chalkgrad: stopped by a mistake in the program\n", stderr);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "chalkgrad: stopped by a mistake in the program: %s\n", error.what());
  } catch (...) {
    std::fputs("chalkgrad: stopped by a mistake in the program, which threw no std::exception\n", stderr);
  }
  std::abort();
}

}  // namespace __gnu_cxx
