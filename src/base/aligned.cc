#include "src/base/aligned.h"

#include <cstring>
#include <memory>
#include <new>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace chalk {
namespace {

constexpr std::align_val_t kAlignment{64};
constexpr std::size_t kHugePage = std::size_t{2} << 20;

/// Trades the pages within the memory that make up whole huge pages for fresh ones, which are zeros, and huge where the
/// system has such: they are touched for the first time by who uses them, and miss less often in address tables. Memory
/// from the heap may have been in use, a page of 4 KB at a time. Returns the bytes traded; they begin at `memory`,
/// which is moved.
std::size_t renew_pages([[maybe_unused]] void*& memory, [[maybe_unused]] std::size_t bytes) {
#if defined(MADV_HUGEPAGE) && defined(MADV_DONTNEED)
  if (!std::align(kHugePage, kHugePage, memory, bytes)) return 0;
  const std::size_t whole = bytes / kHugePage * kHugePage;
  madvise(memory, whole, MADV_HUGEPAGE);                         // a wish: failing is no error
  if (madvise(memory, whole, MADV_DONTNEED) == 0) return whole;  // it fails where pages are locked
#endif
  return 0;
}

}  // namespace

void* allocate_zeroed(std::size_t bytes) {
  void* const memory = ::operator new[](bytes, kAlignment);
  auto* const begin = static_cast<std::byte*>(memory);
  void* fresh = memory;
  const std::size_t zeros = renew_pages(fresh, bytes);
  auto* const middle = static_cast<std::byte*>(fresh);
  std::memset(begin, 0, static_cast<std::size_t>(middle - begin));
  std::memset(middle + zeros, 0, bytes - zeros - static_cast<std::size_t>(middle - begin));
  return memory;
}

void free_zeroed(void* memory) { ::operator delete[](memory, kAlignment); }

}  // namespace chalk
