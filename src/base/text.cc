#include "src/base/text.h"

#include <clocale>
#include <locale>
#include <utility>

namespace chalk {

TextStream::TextStream() { imbue(std::locale::classic()); }

PlainNumbers::PlainNumbers() {
  static const locale_t plain = ::newlocale(LC_ALL_MASK, "C", nullptr);
  before_ = ::uselocale(plain);
}

PlainNumbers::~PlainNumbers() { ::uselocale(static_cast<locale_t>(before_)); }

std::string detail::written(void (*write)(std::ostream&, const void*), const void* parts) {
  TextStream out;
  write(out, parts);
  return std::move(out).str();
}

}  // namespace chalk
