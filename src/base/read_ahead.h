// Items that a few threads make ahead of those who read them.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace chalk {

/// Items 0 … end − 1 of `size` bytes each, made in their order by threads in the background, as many of them ahead as
/// there is room for. What an item holds depends on its number alone, so nothing depends on how many threads there are
/// or how fast. Whoever reads an item that is not there yet makes it himself if nobody has begun it: so it works with
/// no thread at all, and nothing can wait for ever. Reading allocates nothing.
class ReadAhead {
 public:
  /// Writes item `number` to `to`. Called by any thread, several at once.
  using Make = std::function<void(std::uint64_t number, std::uint8_t* to)>;

  struct Size {
    std::size_t item = 1;     ///< bytes of each, >= 1
    std::size_t items = 1;    ///< how many there is room for, >= 1: item i has the place i mod items
    std::uint64_t end = 0;    ///< how many there are
    std::uint64_t first = 0;  ///< the first that is made
  };
  /// Starts as many of `threads` >= 0 as the system has; they get no signals. They begin at once.
  ReadAhead(const Size& size, int threads, Make make);
  /// Ends the threads, each when the item it works on is made.
  ~ReadAhead();
  ReadAhead(const ReadAhead&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;

  /// From now on `first` and those after it are read; the places of all before it are made free. What is made goes as
  /// far as there is room. May go back, too. Not to be called while others read.
  void go_to(std::uint64_t first);
  /// Copies an item, once it is made. One for which there is no room is made for the caller. Throws what `make` did.
  void read(std::uint64_t number, std::uint8_t* to);
  /// The same without a copy; valid until go_to() makes the place free. The item must be one of those there is room
  /// for.
  const std::uint8_t* item(std::uint64_t number);

  /// How long read() and item() took for items that were not there yet, of all callers together.
  double seconds_waited() const { return static_cast<double>(waited_.load()) * 1e-9; }

 private:
  /// How far the item of a place has come: its number · 4 + this.
  enum Stage : std::uint64_t { free, busy, ready, failed };
  struct Place {
    std::atomic<std::uint64_t> state{0};
    std::exception_ptr error{};  // if it failed
  };

  std::uint8_t* memory(std::size_t place) const { return memory_.get() + place * size_.item; }
  bool claim(std::size_t place, std::uint64_t number);
  void make(std::size_t place, std::uint64_t number);
  void free_place(std::size_t place, std::uint64_t number);
  bool wait_for(std::uint64_t number);
  bool start_thread();
  void serve();

  const Size size_;
  const Make make_;
  std::unique_ptr<std::uint8_t[]> memory_;
  std::unique_ptr<Place[]> places_;
  std::atomic<std::uint64_t> waited_{0};  // nanoseconds

  std::mutex mutex_;  // of what follows
  std::condition_variable room_;
  std::uint64_t first_ = 0, next_ = 0;
  bool ends_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace chalk
