#include "src/files/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <memory>

#include "chalkgrad/error.h"
#include "src/base/text.h"
#include "src/base/wording.h"

namespace chalk {

bool is_gzip(std::span<const std::uint8_t> bytes) { return bytes.size() >= 2 && bytes[0] == 0x1F && bytes[1] == 0x8B; }

std::vector<std::uint8_t> gunzip(std::span<const std::uint8_t> bytes, std::size_t max_bytes, std::string_view name) {
  constexpr std::size_t kChunk = std::size_t{1} << 30U;  // zlib counts in 32 bits
  z_stream stream{};
  if (inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK) throw Error("zlib: out of memory");
  const std::unique_ptr<z_stream, int (*)(z_stream*)> close(&stream, inflateEnd);

  std::vector<std::uint8_t> out;
  std::size_t size = 0, used = 0;
  while (size < max_bytes) {
    if (size == out.size()) out.resize(std::min(max_bytes, std::max<std::size_t>(2 * size, 65536)));
    stream.next_in = const_cast<Bytef*>(bytes.data() + used);
    stream.avail_in = static_cast<uInt>(std::min(bytes.size() - used, kChunk));
    stream.next_out = out.data() + size;
    stream.avail_out = static_cast<uInt>(std::min(out.size() - size, kChunk));
    const auto input = stream.avail_in;
    const auto output = stream.avail_out;
    const int status = inflate(&stream, Z_NO_FLUSH);
    used += input - stream.avail_in;
    size += output - stream.avail_out;
    if (status == Z_STREAM_END) {
      if (used == bytes.size()) break;
      if (!is_gzip(bytes.subspan(used))) {
        throw InputError(str(name, ": ", grouped(bytes.size() - used), " bytes follow the end of the gzip data; ",
                             "the file is damaged: fetch it again"));
      }
      inflateReset(&stream);  // gzip files may be joined end to end
    } else if (status == Z_MEM_ERROR) {
      throw Error("zlib: out of memory");
    } else if (status != Z_OK && status != Z_BUF_ERROR) {
      throw InputError(str(name, ": the gzip data are damaged at byte ", grouped(used), " (",
                           stream.msg == nullptr ? "unknown error" : stream.msg, "); fetch the file again"));
    } else if (used == bytes.size() && stream.avail_out != 0) {
      throw InputError(str(name, ": the gzip data end early, after ", grouped(used), " bytes (", grouped(size),
                           " decompressed); the file is truncated: fetch it again"));
    }
  }
  out.resize(size);
  return out;
}

std::uint32_t crc32_of(std::span<const std::uint8_t> bytes, std::uint32_t before) {
  return static_cast<std::uint32_t>(::crc32_z(before, bytes.data(), bytes.size()));
}

}  // namespace chalk
