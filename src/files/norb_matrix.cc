#include <array>
#include <bit>
#include <cstring>

#include "chalkgrad/error.h"
#include "src/base/text.h"
#include "src/base/wording.h"
#include "src/files/array.h"

namespace chalk {
namespace {

/// A type of elements by the number that a file begins with.
struct Kind {
  std::uint32_t mark;
  std::size_t size;
  Array::Type type;
};
constexpr std::array kKinds = {
    Kind{0x1E3D4C55, 1, Array::Type::bytes}, Kind{0x1E3D4C56, 2, Array::Type::whole},
    Kind{0x1E3D4C54, 4, Array::Type::whole}, Kind{0x1E3D4C51, 4, Array::Type::real},
    Kind{0x1E3D4C53, 8, Array::Type::real},
};

}  // namespace

Array parse_norb_matrix(std::span<const std::uint8_t> bytes, std::string_view name) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (text.starts_with("MATLAB") || text.starts_with("\x89HDF")) {
    throw InputError(str(name,
                         ": is MATLAB's format, not a matrix of small NORB; save the array with NumPy, "
                         "numpy.save(\"x.npy\", scipy.io.loadmat(…)[\"x\"]), and give it as npy:x.npy"));
  }
  std::size_t at = 0;
  const auto number = [&] {
    if (bytes.size() - at < 4) throw InputError(str(name, ": ends within its header; fetch the file again"));
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) value |= std::uint32_t{bytes[at + i]} << 8 * i;
    at += 4;
    return value;
  };
  const auto mark = number();
  const Kind* kind = nullptr;
  for (const auto& each : kKinds) {
    if (each.mark == mark) kind = &each;
  }
  if (kind == nullptr) {
    throw InputError(str(name, ": is no matrix of small NORB by its first bytes; give one of its .mat files"));
  }
  const auto dimensions = number();
  constexpr std::uint32_t kMostDimensions = 8;
  if (dimensions < 1 || dimensions > kMostDimensions) {
    throw InputError(str(name, ": says it has ", dimensions, " dimensions; give a matrix of 1 to ", kMostDimensions));
  }
  Array array;
  array.type = kind->type;
  const std::uint64_t most = (bytes.size() - at) / kind->size;
  std::uint64_t product = 1;
  for (std::uint32_t i = 0; i < std::max(3U, dimensions); ++i) {
    const auto extent = number();
    if (i >= dimensions) continue;
    array.shape.push_back(extent);
    if (extent > most / product)
      product = most + 1;  // beyond what there is, whatever follows
    else
      product *= extent;
    if (product == 0 || product > most) break;
  }
  if (product == 0 || product > most || bytes.size() - at != product * kind->size) {
    throw InputError(str(name, ": its header, ", to_string(array.shape), ", does not fit its ", grouped(bytes.size()),
                         " bytes; fetch the file again"));
  }
  const auto data = bytes.subspan(at);
  if (kind->type == Array::Type::bytes) {
    array.bytes.assign(data.begin(), data.end());
    return array;
  }
  static_assert(std::endian::native == std::endian::little);
  array.numbers.reserve(product);
  for (std::size_t i = 0; i < product; ++i) {
    const auto* from = data.data() + i * kind->size;
    const auto as = [&](auto value) {
      std::memcpy(&value, from, sizeof value);
      array.numbers.push_back(static_cast<double>(value));
    };
    if (kind->size == 2)
      as(std::int16_t{});
    else if (kind->size == 8)
      as(double{});
    else if (kind->type == Array::Type::whole)
      as(std::int32_t{});
    else
      as(float{});
  }
  return array;
}

}  // namespace chalk
