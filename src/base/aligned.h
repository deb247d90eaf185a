// 64-byte aligned float memory, zeroed.
#pragma once

#include <cstddef>
#include <memory>

namespace chalk {

/// `bytes` of zeros, aligned to 64 bytes, for free_zeroed(). Throws std::bad_alloc. Large memory is in huge pages where
/// the system has them, and what is never touched of it is never taken from the system, if that allows it.
void* allocate_zeroed(std::size_t bytes);
void free_zeroed(void* memory);

class AlignedFloats {
 public:
  AlignedFloats() = default;
  /// Throws std::bad_alloc.
  explicit AlignedFloats(std::size_t count)
      : data_(static_cast<float*>(allocate_zeroed(round(count) * sizeof(float)))), size_(count) {}
  float* data() const { return data_.get(); }
  std::size_t size() const { return size_; }

  /// Counts are rounded up to whole lane groups.
  static std::size_t round(std::size_t count) { return (count + 15) / 16 * 16; }

 private:
  struct Free {
    void operator()(float* memory) const { free_zeroed(memory); }
  };
  std::unique_ptr<float, Free> data_;
  std::size_t size_ = 0;
};

}  // namespace chalk
