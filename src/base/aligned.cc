#include "src/base/aligned.h"

#include <cstdint>
#include <cstdlib>
#include <new>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace chalk {
namespace {

constexpr std::size_t kAlignment = 64;
constexpr std::size_t kHugePage = std::size_t{2} << 20;

/// Asks for huge pages within [begin, end): fewer faults when it is first touched, and fewer misses in address tables.
void prefer_huge_pages([[maybe_unused]] std::uintptr_t begin, [[maybe_unused]] std::uintptr_t end) {
#ifdef MADV_HUGEPAGE
  begin = (begin + kHugePage - 1) / kHugePage * kHugePage;
  end = end / kHugePage * kHugePage;
  if (begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);  // a wish: failing is no error
#endif
}

}  // namespace

void FreeBlock::operator()(float*) const { std::free(block); }

AlignedFloats::AlignedFloats(std::size_t count) : size_(count) {
  const std::size_t bytes = round(count) * sizeof(float);
  void* const block = std::calloc(bytes + kAlignment, 1);  // which need not write the zeros that fresh pages hold
  if (!block) throw std::bad_alloc();
  const auto at = (reinterpret_cast<std::uintptr_t>(block) + kAlignment - 1) / kAlignment * kAlignment;
  data_ = {reinterpret_cast<float*>(at), FreeBlock{block}};
  prefer_huge_pages(at, at + bytes);
}

}  // namespace chalk
