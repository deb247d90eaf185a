// Any bytes as an ONNX file: an error, or a network.
#include "chalkgrad/error.h"
#include "src/net/foreign.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    (void)chalk::read_onnx({data, data + size}, "fuzz");
  } catch (const chalk::Error&) {
  }
  return 0;
}
