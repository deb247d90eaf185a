// JSON that is part of a file.
#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

namespace chalk {

/// The value that the text is, whatever locale the program has chosen; a discarded one if it is none.
nlohmann::json parsed_json(std::string_view text);

}  // namespace chalk
