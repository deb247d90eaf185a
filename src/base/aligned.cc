#include "src/base/aligned.h"

#include <cstdlib>
#include <memory>
#include <new>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace chalk {
namespace {

constexpr std::size_t kAlignment = 64;
constexpr std::size_t kHugePage = std::size_t{2} << 20;

/// Asks for huge pages within the memory: fewer faults when it is first touched, and fewer misses in address tables.
void prefer_huge_pages([[maybe_unused]] void* memory, [[maybe_unused]] std::size_t bytes) {
#ifdef MADV_HUGEPAGE
  if (!std::align(kHugePage, kHugePage, memory, bytes)) return;
  madvise(memory, bytes / kHugePage * kHugePage, MADV_HUGEPAGE);  // a wish: failing is no error
#endif
}

}  // namespace

void FreeBlock::operator()(float*) const { std::free(block); }

AlignedFloats::AlignedFloats(std::size_t count) : size_(count) {
  const std::size_t bytes = round(count) * sizeof(float);
  void* const block = std::calloc(bytes + kAlignment, 1);  // which need not write the zeros that fresh pages hold
  if (!block) throw std::bad_alloc();
  void* memory = block;
  std::size_t room = bytes + kAlignment;
  std::align(kAlignment, bytes, memory, room);
  data_ = {static_cast<float*>(memory), FreeBlock{block}};
  prefer_huge_pages(memory, bytes);
}

}  // namespace chalk
