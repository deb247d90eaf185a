// 64-byte aligned float memory, zeroed.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <span>

namespace chalk {

class AlignedFloats {
 public:
  AlignedFloats() = default;
  explicit AlignedFloats(std::size_t count)
      : data_(static_cast<float*>(::operator new(round(count) * sizeof(float), kAlignment))), size_(count) {
    std::memset(data_.get(), 0, round(count) * sizeof(float));
  }
  float* data() const { return data_.get(); }
  std::size_t size() const { return size_; }

  /// Counts are rounded up to whole lane groups.
  static std::size_t round(std::size_t count) { return (count + 15) / 16 * 16; }

 private:
  static constexpr std::align_val_t kAlignment{64};
  struct Free {
    void operator()(float* p) const { ::operator delete(p, kAlignment); }
  };
  std::unique_ptr<float, Free> data_;
  std::size_t size_ = 0;
};

}  // namespace chalk
