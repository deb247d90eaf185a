// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <optional>

#include "chalkgrad/error.h"
#include "src/base/file.h"
#include "src/base/reading.h"
#include "src/base/text.h"
#include "src/base/wording.h"
#include "src/files/array.h"
#include "src/files/gzip.h"

namespace chalk {
namespace {

static_assert(std::endian::native == std::endian::little, "elements are copied");

/// What the dictionary of the header says.
struct NpyHeader {
  char order = '|', kind = 'u';
  std::size_t item = 1;  // bytes of an element
  bool fortran = false;
  Shape shape;
  std::size_t data = 0;  // where the elements begin
};

/// What follows a key, up to the next one.
std::optional<std::string_view> value_of(std::string_view dictionary, std::string_view key) {
  const auto at = dictionary.find(str("'", key, "':"));
  if (at == std::string_view::npos) return {};
  return trimmed(dictionary.substr(at + key.size() + 3));
}

class NpyReader {
 public:
  NpyReader(std::span<const std::uint8_t> bytes, std::string_view name) : bytes_(bytes), name_(name) {}

  NpyHeader header() const {
    const std::string_view text(reinterpret_cast<const char*>(bytes_.data()), bytes_.size());
    if (!text.starts_with("\x93NUMPY")) {
      throw InputError(str(name_, ": is no .npy file by its first bytes; write it with numpy.save"));
    }
    if (text.size() < 10) throw damaged("it ends within the header");
    const auto version = bytes_[6];
    const std::size_t before = version == 1 ? 10 : 12;
    if (version < 1 || version > 3) throw damaged("its version is unknown");
    if (text.size() < before) throw damaged("it ends within the header");
    std::size_t length = 0;
    for (std::size_t i = 8; i < before; ++i) length |= std::size_t{bytes_[i]} << 8 * (i - 8);
    if (length > text.size() - before) throw damaged("it ends within the header");
    const auto dictionary = text.substr(before, length);
    NpyHeader header;
    header.data = before + length;
    read_type(dictionary, header);
    const auto order = value_of(dictionary, "fortran_order");
    if (!order || (!order->starts_with("True") && !order->starts_with("False"))) throw damaged("no fortran_order");
    header.fortran = order->starts_with("True");
    read_shape(dictionary, header);
    return header;
  }

  /// Row-major, if the file is not.
  Array elements_of(const NpyHeader& header) const {
    Array array;
    array.shape = header.shape;
    const auto count = array.size();
    const auto data = bytes_.subspan(header.data);
    if (data.size() / header.item < count || data.size() != count * header.item) {
      throw InputError(str(name_, ": an array of ", to_string(header.shape), " needs ", grouped(count), " elements of ",
                           header.item, " bytes, found ", grouped(data.size()), " bytes; write the file again"));
    }
    const auto place = [&, strides = strides_of(header)](std::size_t i) {
      return data.data() + source(i, header, strides) * header.item;
    };
    if (header.kind == 'u' && header.item == 1) {
      array.type = Array::Type::bytes;
      array.bytes.resize(count);
      for (std::size_t i = 0; i < count; ++i) array.bytes[i] = *place(i);
    } else if (header.kind == 'U' || header.kind == 'S') {
      array.type = Array::Type::words;
      for (std::size_t i = 0; i < count; ++i) array.words.push_back(word(place(i), header));
    } else {
      array.type = header.kind == 'f' ? Array::Type::real : Array::Type::whole;
      array.numbers.resize(count);
      for (std::size_t i = 0; i < count; ++i) array.numbers[i] = number(place(i), header);
    }
    return array;
  }

 private:
  InputError damaged(const char* what) const {
    return InputError(str(name_, ": the .npy data are damaged (", what, "); write the file again with numpy.save"));
  }

  void read_type(std::string_view dictionary, NpyHeader& header) const {
    const auto value = value_of(dictionary, "descr");
    if (!value) throw damaged("no descr");
    if (value->starts_with('[')) {
      throw InputError(str(name_, ": holds records of several fields; save each field as an array of its own"));
    }
    const auto end = value->find('\'', 1);
    if (!value->starts_with('\'') || end == std::string_view::npos || end < 3) throw damaged("no descr");
    const auto type = value->substr(1, end - 1);
    const auto size = number_in<std::size_t>(type.substr(2));
    header.order = type[0];
    header.kind = type[1];
    if (header.kind == 'O') {
      throw InputError(str(name_,
                           ": holds Python's objects, which only Python can read; save an array of numbers or texts, "
                           "e.g. x.astype(\"float32\")"));
    }
    const bool known = std::string_view("<>|=").find(header.order) != std::string_view::npos &&
                       std::string_view("buifUS").find(header.kind) != std::string_view::npos;
    const auto is = [&](std::initializer_list<std::size_t> sizes) {
      return size && std::ranges::find(sizes, *size) != sizes.end();
    };
    const bool sized = header.kind == 'b'                         ? is({1})
                       : header.kind == 'f'                       ? is({2, 4, 8})
                       : header.kind == 'u' || header.kind == 'i' ? is({1, 2, 4, 8})
                                                                  : size && *size >= 1 && *size <= 100'000;
    if (!known || !sized) {
      throw InputError(str(name_, ": holds elements of the type ", in_quotes(type),
                           ", which are not read; save them as e.g. x.astype(\"float32\")"));
    }
    header.item = header.kind == 'U' ? 4 * *size : *size;
  }

  void read_shape(std::string_view dictionary, NpyHeader& header) const {
    const auto value = value_of(dictionary, "shape");
    const auto end = value ? value->find(')') : std::string_view::npos;
    if (end == std::string_view::npos || !value->starts_with('(')) throw damaged("no shape");
    constexpr std::int64_t kMost = std::int64_t{1} << 40U;
    std::int64_t product = 1;
    for (const auto part : split(value->substr(1, end - 1), ',')) {
      if (trimmed(part).empty()) continue;
      const auto extent = number_in<std::int64_t>(trimmed(part));
      if (!extent || *extent < 0 || header.shape.size() == 64) throw damaged("an impossible shape");
      if (*extent > 0 && product > kMost / *extent) throw damaged("a shape beyond any file");
      product *= std::max<std::int64_t>(1, *extent);
      header.shape.push_back(*extent);
    }
  }

  /// How far apart neighbours along each axis are in the file.
  static std::vector<std::size_t> strides_of(const NpyHeader& header) {
    std::vector<std::size_t> strides(header.shape.size(), 1);
    for (std::size_t i = 1; i < strides.size(); ++i)
      strides[i] = strides[i - 1] * static_cast<std::size_t>(header.shape[i - 1]);
    return strides;
  }
  /// Where element i of row-major order is in the file.
  static std::size_t source(std::size_t i, const NpyHeader& header, const std::vector<std::size_t>& strides) {
    if (!header.fortran) return i;
    std::size_t at = 0;
    for (auto axis = header.shape.size(); axis-- > 0;) {
      const auto extent = static_cast<std::size_t>(header.shape[axis]);
      at += i % extent * strides[axis];
      i /= extent;
    }
    return at;
  }

  static double number(const std::uint8_t* from, const NpyHeader& header) {
    std::uint8_t raw[8] = {};
    std::copy_n(from, header.item, raw);
    if (header.order == '>') std::reverse(raw, raw + header.item);
    const auto as = [&](auto value) {
      std::memcpy(&value, raw, sizeof value);
      return value;
    };
    const bool is_signed = header.kind == 'i';
    switch (header.item) {
      case 1:
        return is_signed ? static_cast<double>(as(std::int8_t{})) : static_cast<double>(raw[0]);
      case 2:
        if (header.kind == 'f') return half(as(std::uint16_t{}));
        return is_signed ? static_cast<double>(as(std::int16_t{})) : static_cast<double>(as(std::uint16_t{}));
      case 4:
        if (header.kind == 'f') return static_cast<double>(as(float{}));
        return is_signed ? static_cast<double>(as(std::int32_t{})) : static_cast<double>(as(std::uint32_t{}));
      default:
        if (header.kind == 'f') return as(double{});
        return is_signed ? static_cast<double>(as(std::int64_t{})) : static_cast<double>(as(std::uint64_t{}));
    }
  }
  /// IEEE 754's binary16.
  static double half(std::uint16_t bits) {
    const int exponent = bits >> 10 & 31, fraction = bits & 1023;
    const double sign = (bits & 0x8000) != 0 ? -1 : 1;
    if (exponent == 31) return fraction == 0 ? sign * INFINITY : static_cast<double>(NAN);
    return sign * (exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25));
  }

  /// Without the zeros that fill it up.
  static std::string word(const std::uint8_t* from, const NpyHeader& header) {
    std::string text;
    if (header.kind == 'S') {
      text.assign(reinterpret_cast<const char*>(from), header.item);
      return text.substr(0, text.find_last_not_of('\0') + 1);
    }
    for (std::size_t i = 0; i < header.item; i += 4) {
      char32_t code = 0;
      for (std::size_t k = 0; k < 4; ++k) code |= char32_t{from[i + (header.order == '>' ? 3 - k : k)]} << 8 * k;
      if (code == 0) break;
      append(text, code);
    }
    return text;
  }
  static void append(std::string& text, char32_t code) {
    const auto part = [](char32_t bits) { return static_cast<char>(bits); };
    if (code < 0x80) {
      text += part(code);
    } else if (code < 0x800) {
      text += {part(0xC0 | code >> 6), part(0x80 | (code & 63))};
    } else if (code < 0x10000) {
      text += {part(0xE0 | code >> 12), part(0x80 | (code >> 6 & 63)), part(0x80 | (code & 63))};
    } else {
      text += {part(0xF0 | (code >> 18 & 7)), part(0x80 | (code >> 12 & 63)), part(0x80 | (code >> 6 & 63)),
               part(0x80 | (code & 63))};
    }
  }

  std::span<const std::uint8_t> bytes_;
  std::string_view name_;
};

}  // namespace

Array parse_npy(std::span<const std::uint8_t> bytes, std::string_view name) {
  const NpyReader reader(bytes, name);
  return reader.elements_of(reader.header());
}

std::optional<StoredBytes> stored_bytes(const SharedBytes& source, std::uint64_t begin, std::uint64_t size,
                                        std::string_view name) {
  constexpr std::uint64_t kLongestHeader = 1 << 17;
  std::vector<std::uint8_t> head(static_cast<std::size_t>(std::min(size, kLongestHeader)));
  source->read(begin, head);
  const auto header = NpyReader(head, name).header();
  const bool row_major = !header.fortran || std::ranges::count_if(header.shape, [](auto n) { return n > 1; }) <= 1;
  if (header.kind != 'u' || header.item != 1 || !row_major) return {};
  if (header.data + static_cast<std::uint64_t>(elements(header.shape)) != size) return {};  // parse_npy() says more
  return StoredBytes{source, begin, begin + header.data, header.shape, {}};
}

std::vector<std::uint8_t> read_unpacked(const std::filesystem::path& path) {
  constexpr std::size_t kMostBytes = std::size_t{1} << 34U;
  auto bytes = read_file(path, kMostBytes);
  return is_gzip(bytes) ? gunzip(bytes, kMostBytes, path.string()) : bytes;
}

}  // namespace chalk
