#include "src/data/npz.h"

#include <zip.h>

#include <algorithm>
#include <bit>
#include <memory>

#include "chalkgrad/error.h"
#include "src/base/file.h"
#include "src/base/text.h"
#include "src/base/wording.h"

namespace chalk {
namespace {

static_assert(std::endian::native == std::endian::little, "the type strings below say little-endian");

template <class T>
std::span<const std::uint8_t> bytes_of(std::span<const T> values) {
  return {reinterpret_cast<const std::uint8_t*>(values.data()), values.size_bytes()};
}

// A .npy file of version 1.0: mark, length of the header in 16 bits, a Python dictionary, spaces up to a multiple
// of 64.
std::string npy_header(const Shape& shape, const char* type) {
  std::string extents;
  for (const auto extent : shape) extents += std::to_string(extent) + ", ";
  std::string text = str("{'descr': '", type, "', 'fortran_order': False, 'shape': (", extents, "), }");
  constexpr std::size_t before = 10;
  text.resize((before + text.size() + 1 + 63) / 64 * 64 - before, ' ');
  text.back() = '\n';
  std::string header = "\x93NUMPY\x01";
  header += '\0';
  header += static_cast<char>(text.size() & 0xFFU);
  header += static_cast<char>(text.size() >> 8U);
  return header + text;
}

void check_name(const std::string& name) {
  const bool plain =
      std::ranges::none_of(name, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == '\\'; });
  const auto parts = "/" + name + "/";  // "/../" and "//" also catch a leading or trailing slash
  if (plain && !name.empty() && name.size() < 60000 && parts.find("//") == std::string::npos &&
      parts.find("/../") == std::string::npos && parts.find("/./") == std::string::npos) {
    return;
  }
  throw InputError(str("npz: an array cannot be called ", in_quotes(name), "; use a name like conv1 or conv1/W"));
}

struct CloseSource {
  void operator()(zip_source_t* source) const { zip_source_free(source); }
};
struct Discard {
  void operator()(zip_t* archive) const { zip_discard(archive); }
};

[[noreturn]] void fail(const char* reason) { throw Error(str("npz: libzip: ", reason)); }

}  // namespace

void NpzWriter::add(const std::string& name, const Shape& shape, std::span<const float> values) {
  add(name, shape, "<f4", values.size(), bytes_of(values));
}

void NpzWriter::add(const std::string& name, const Shape& shape, std::span<const double> values) {
  add(name, shape, "<f8", values.size(), bytes_of(values));
}

void NpzWriter::add(const std::string& name, const Shape& shape, std::span<const std::int64_t> values) {
  add(name, shape, "<i8", values.size(), bytes_of(values));
}

void NpzWriter::add(const std::string& name, const Shape& shape, const char* type, std::size_t count,
                    std::span<const std::uint8_t> bytes) {
  check_name(name);
  constexpr std::size_t most_dimensions = 64;  // of NumPy
  const bool possible = shape.size() <= most_dimensions && std::ranges::none_of(shape, [](auto n) { return n < 0; });
  if (!possible || static_cast<std::size_t>(elements(shape)) != count) {
    throw InputError(str("npz: array ", in_quotes(name), " of shape ", to_string(shape), " has ", grouped(count),
                         " values; give one for each element"));
  }
  const auto header = npy_header(shape, type);
  std::vector<std::uint8_t> file(header.begin(), header.end());
  file.insert(file.end(), bytes.begin(), bytes.end());
  if (!files_.emplace(name, std::move(file)).second) {
    throw InputError(str("npz: array ", in_quotes(name), " was added twice; give every array its own name"));
  }
}

std::vector<std::uint8_t> NpzWriter::serialize() const {
  if (files_.empty()) {  // libzip would rather write nothing at all: this is only the end mark of an archive
    std::vector<std::uint8_t> end(22);
    std::ranges::copy(std::string_view("PK\x05\x06"), end.begin());
    return end;
  }
  zip_error_t error;
  zip_error_init(&error);
  const std::unique_ptr<zip_source_t, CloseSource> target(zip_source_buffer_create(nullptr, 0, 0, &error));
  if (target == nullptr) fail(zip_error_strerror(&error));
  zip_source_keep(target.get());  // zip_close lets go of one hold, the bytes are read through the other
  std::unique_ptr<zip_t, Discard> archive(zip_open_from_source(target.get(), ZIP_TRUNCATE, &error));
  if (archive == nullptr) {
    zip_source_free(target.get());
    fail(zip_error_strerror(&error));
  }
  for (const auto& [name, bytes] : files_) {
    auto* source = zip_source_buffer(archive.get(), bytes.data(), bytes.size(), 0);
    const auto index =
        source == nullptr ? -1 : zip_file_add(archive.get(), (name + ".npy").c_str(), source, ZIP_FL_ENC_UTF_8);
    if (index < 0) {
      zip_source_free(source);
      fail(zip_strerror(archive.get()));
    }
    const auto at = static_cast<zip_uint64_t>(index);
    constexpr zip_uint16_t midnight = 0, first_of_1980 = 1U << 5U | 1U;
    if (zip_set_file_compression(archive.get(), at, ZIP_CM_STORE, 0) != 0 ||
        zip_file_set_dostime(archive.get(), at, midnight, first_of_1980, 0) != 0) {
      fail(zip_strerror(archive.get()));
    }
  }
  if (zip_close(archive.get()) != 0) fail(zip_strerror(archive.get()));
  static_cast<void>(archive.release());
  zip_stat_t status;
  if (zip_source_stat(target.get(), &status) != 0 || zip_source_open(target.get()) != 0) fail("cannot read back");
  std::vector<std::uint8_t> bytes(status.size);
  const auto got = zip_source_read(target.get(), bytes.data(), bytes.size());
  zip_source_close(target.get());
  if (got < 0 || static_cast<std::size_t>(got) != bytes.size()) fail("cannot read back");
  return bytes;
}

void NpzWriter::save(const std::filesystem::path& path) const { write_file_atomically(path, serialize()); }

}  // namespace chalk
