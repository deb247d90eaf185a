// 64-byte aligned float memory, zeroed.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

namespace chalk {

struct FreeBlock {
  void* block = nullptr;  // that contains the memory
  void operator()(float*) const;
};

class AlignedFloats {
 public:
  AlignedFloats() = default;
  /// Throws std::bad_alloc. Memory that is never touched is never taken from the system, if the system allows that.
  explicit AlignedFloats(std::size_t count);
  float* data() const { return data_.get(); }
  std::size_t size() const { return size_; }

  /// Counts are rounded up to whole lane groups.
  static std::size_t round(std::size_t count) { return (count + 15) / 16 * 16; }

 private:
  std::unique_ptr<float, FreeBlock> data_;
  std::size_t size_ = 0;
};

}  // namespace chalk
