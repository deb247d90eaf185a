// Memory for the pictures that several threads work on.
#pragma once

#include <atomic>
#include <cstddef>
#include <deque>
#include <thread>
#include <vector>

#include "src/augmentations/augmentation.h"

namespace chalk {

class PictureMemory {
 private:
  struct Piece {
    explicit Piece(std::size_t size) : bytes(size) {}
    std::vector<Byte> bytes;
    std::atomic<bool> taken{false};
  };

 public:
  /// So many bytes for each of so many threads at a time; more of them wait for each other.
  PictureMemory(std::size_t bytes, int threads) {
    for (int i = 0; i < threads; ++i) pieces_.emplace_back(bytes);
  }

  /// A piece of it that nobody else uses, until the end.
  class Loan {
   public:
    explicit Loan(PictureMemory& memory) {
      for (;;) {
        for (auto& piece : memory.pieces_) {
          if (piece.taken.exchange(true, std::memory_order_acquire)) continue;
          piece_ = &piece;
          return;
        }
        std::this_thread::yield();
      }
    }
    Loan(const Loan&) = delete;
    Loan& operator=(const Loan&) = delete;
    ~Loan() { piece_->taken.store(false, std::memory_order_release); }
    Byte* picture() const { return piece_->bytes.data(); }

   private:
    Piece* piece_ = nullptr;
  };

 private:
  std::deque<Piece> pieces_;
};

}  // namespace chalk
