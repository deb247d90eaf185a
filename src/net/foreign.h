// Models of other makers, which rooms above this one read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "chalkgrad/network.h"

namespace chalk {

/// Of an ONNX file (src/onnx). Throws InputError naming the file, the node and what is wrong with it.
Network read_onnx(const std::filesystem::path& file);
/// Of its bytes; `origin` begins the messages.
Network read_onnx(std::vector<std::uint8_t> bytes, const std::string& origin);

}  // namespace chalk
