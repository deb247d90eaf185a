// Any bytes as a cache of pictures, with the right sums where they belong, as no fuzzer would find those: an
// InputError, or a cache that is written as the same bytes.
#include <nettle/sha2.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "chalkgrad/error.h"
#include "src/files/picture_cache.h"

namespace {

void put_sum(std::uint8_t* to, const std::uint8_t* bytes, std::size_t size) {
  sha256_ctx context;
  sha256_init(&context);
  sha256_update(&context, size, bytes);
  sha256_digest(&context, SHA256_DIGEST_SIZE, to);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kTailSize = 120, kTailSum = 128, kHeadSum = 160;
  std::vector<std::uint8_t> file(data, data + size);
  if (size >= chalk::PictureCache::kHead) {
    std::uint64_t tail = 0;
    std::memcpy(&tail, &file[kTailSize], sizeof tail);
    if (tail <= size) put_sum(&file[kTailSum], file.data() + (size - tail), tail);
    put_sum(&file[kHeadSum], file.data(), kHeadSum);
  }
  try {
    auto cache = chalk::parse_picture_cache(file, "fuzz");
    const auto tail = chalk::cache_tail(cache);
    if (!std::equal(tail.begin(), tail.end(), file.end() - static_cast<std::ptrdiff_t>(tail.size()), file.end()))
      std::abort();
    if (chalk::cache_head(cache, tail).size() != chalk::PictureCache::kHead) std::abort();
  } catch (const chalk::InputError&) {
  }
  return 0;
}
