// Protozero, whose assertions about what a message holds are errors of whoever wrote the file: they throw. Include
// nothing of it but by this header.
#pragma once

#include <protozero/exception.hpp>

namespace chalk::onnx {

struct OtherWireType : protozero::exception {
  const char* what() const noexcept override { return "a field is of another type"; }
};
inline void expect(bool is_so) {
  if (!is_so) throw OtherWireType();
}

}  // namespace chalk::onnx

#define protozero_assert(x) ::chalk::onnx::expect(x)

#include <protozero/pbf_builder.hpp>
#include <protozero/pbf_message.hpp>
