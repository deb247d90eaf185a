// The types of elements: TensorProto.DataType.
#include "src/onnx/element_types.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <string_view>

#include "chalkgrad/error.h"
#include "src/base/text.h"
#include "src/base/wording.h"
#include "src/onnx/file.h"

namespace chalk::onnx {
namespace {

enum class Kind : std::uint8_t { none, real, natural, integer };  // natural: without a sign

struct ElementType {
  std::string_view name;
  std::size_t bits = 0;
  Kind kind = Kind::none;
  // Of small floating-point types: bits of the exponent and of the mantissa, and what the exponent is moved by.
  int exponent = 0, mantissa = 0, bias = 0;
  bool has_infinity = false;
};

constexpr std::array kTypes{
    ElementType{"undefined"},
    ElementType{"float", 32, Kind::real},
    ElementType{"uint8", 8, Kind::natural},
    ElementType{"int8", 8, Kind::integer},
    ElementType{"uint16", 16, Kind::natural},
    ElementType{"int16", 16, Kind::integer},
    ElementType{"int32", 32, Kind::integer},
    ElementType{"int64", 64, Kind::integer},
    ElementType{"string"},
    ElementType{"bool", 8, Kind::natural},
    ElementType{"float16", 16, Kind::real, 5, 10, 15, true},
    ElementType{"double", 64, Kind::real},
    ElementType{"uint32", 32, Kind::natural},
    ElementType{"uint64", 64, Kind::natural},
    ElementType{"complex64"},
    ElementType{"complex128"},
    ElementType{"bfloat16", 16, Kind::real, 8, 7, 127, true},
    ElementType{"float8e4m3fn", 8, Kind::real, 4, 3, 7, false},
    ElementType{"float8e4m3fnuz", 8, Kind::real, 4, 3, 8, false},
    ElementType{"float8e5m2", 8, Kind::real, 5, 2, 15, true},
    ElementType{"float8e5m2fnuz", 8, Kind::real, 5, 2, 16, false},
    ElementType{"uint4", 4, Kind::natural},
    ElementType{"int4", 4, Kind::integer},
};
constexpr int kFloat64Type = 11, kFloat32Type = 1, kFirstFnuz = 18, kSecondFnuz = 20, kE4m3fn = 17;

const ElementType& type_of(int type) {
  return type >= 0 && static_cast<std::size_t>(type) < kTypes.size() ? kTypes[static_cast<std::size_t>(type)]
                                                                     : kTypes[0];
}

/// The bits of element i, in the low end.
std::uint64_t bits_at(const Tensor& tensor, std::size_t bits, std::size_t i) {
  std::uint64_t value = 0;
  if (bits < 8) return (static_cast<std::uint8_t>(tensor.bytes[i / 2]) >> (i % 2 == 0 ? 0U : 4U)) & 0xFU;
  std::memcpy(&value, tensor.bytes.data() + i * (bits / 8), bits / 8);
  return value;
}

/// A floating-point number of at most 16 bits.
float small_real(std::uint64_t value, const ElementType& type, int number) {
  const auto mantissa_bits = static_cast<unsigned>(type.mantissa), exponent_bits = static_cast<unsigned>(type.exponent);
  const auto mantissa = static_cast<double>(value & ((1U << mantissa_bits) - 1));
  const auto exponent = static_cast<int>((value >> mantissa_bits) & ((1U << exponent_bits) - 1));
  const bool negative = (value >> (mantissa_bits + exponent_bits)) != 0;
  const auto nan = std::numeric_limits<float>::quiet_NaN();
  const int last = (1 << type.exponent) - 1;
  if (number == kFirstFnuz || number == kSecondFnuz) {
    if (negative && exponent == 0 && mantissa == 0) return nan;  // where −0 would be
  } else if (type.has_infinity && exponent == last) {
    if (mantissa != 0) return nan;
    return negative ? -std::numeric_limits<float>::infinity() : std::numeric_limits<float>::infinity();
  } else if (number == kE4m3fn && exponent == last && mantissa == 7) {
    return nan;
  }
  const double scaled = exponent == 0
                            ? std::ldexp(mantissa, 1 - type.bias - type.mantissa)
                            : std::ldexp(mantissa + (1U << mantissa_bits), exponent - type.bias - type.mantissa);
  return static_cast<float>(negative ? -scaled : scaled);
}

/// Of an integer type.
std::int64_t whole(std::uint64_t value, const ElementType& type, const std::string& name) {
  if (type.kind == Kind::natural) {
    if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
      throw InputError(str("the tensor ", in_quotes(name), " has a number beyond 2^63"));
    return static_cast<std::int64_t>(value);
  }
  const auto unused = 64 - type.bits;
  return static_cast<std::int64_t>(value << unused) >> unused;
}

[[noreturn]] void refuse(const Tensor& tensor) {
  throw InputError(
      str("the tensor ", in_quotes(tensor.name), " is of ", type_name(tensor.type), ", which is not read here"));
}

}  // namespace

std::size_t bits_of(int type) { return type_of(type).bits; }
bool is_real(int type) { return type_of(type).kind == Kind::real; }
bool is_whole(int type) { return type_of(type).kind == Kind::natural || type_of(type).kind == Kind::integer; }

std::string type_name(int type) {
  const bool known = type >= 0 && static_cast<std::size_t>(type) < kTypes.size();
  return known ? std::string(type_of(type).name) : str("type ", type);
}

std::vector<float> reals_of(const Tensor& tensor) {
  const auto& type = type_of(tensor.type);
  std::vector<float> values(tensor.size());
  if (tensor.type == kFloat32Type) {
    if (!values.empty()) std::memcpy(values.data(), tensor.bytes.data(), tensor.bytes.size());
    return values;
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto bits = type.bits == 0 ? 0 : bits_at(tensor, type.bits, i);
    if (tensor.type == kFloat64Type) {
      values[i] = static_cast<float>(std::bit_cast<double>(bits));
    } else if (type.kind == Kind::real) {
      values[i] = small_real(bits, type, tensor.type);
    } else if (type.kind != Kind::none) {
      values[i] = static_cast<float>(whole(bits, type, tensor.name));
    } else {
      refuse(tensor);
    }
  }
  return values;
}

std::vector<std::int64_t> wholes_of(const Tensor& tensor) {
  const auto& type = type_of(tensor.type);
  if (!is_whole(tensor.type)) refuse(tensor);
  std::vector<std::int64_t> values(tensor.size());
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = whole(bits_at(tensor, type.bits, i), type, tensor.name);
  return values;
}

}  // namespace chalk::onnx
