// Text within XML and HTML.
#pragma once

#include <string>
#include <string_view>

namespace chalk {

/// The text with & and those of < > " that are named written as entities.
std::string markup_text(std::string_view text, std::string_view marks = "<>");

}  // namespace chalk
