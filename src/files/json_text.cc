#include "src/files/json_text.h"

#include "src/base/text.h"

namespace chalk {

nlohmann::json parsed_json(std::string_view text) {
  const PlainNumbers plain;  // the parser would stop at a point where the locale has another
  return nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
}

}  // namespace chalk
