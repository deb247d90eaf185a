#include "src/base/read_ahead.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <iterator>
#include <utility>

#include "src/base/signals_elsewhere.h"

namespace chalk {

ReadAhead::ReadAhead(const Size& size, int threads, Make make)
    : size_(size),
      make_(std::move(make)),
      memory_(new std::uint8_t[size.item * size.items]),  // not touched before it is used
      places_(new Place[size.items]) {
  first_ = next_ = size_.first;
  for (auto i = first_; i < first_ + size_.items; ++i) places_[i % size_.items].state.store(i * 4 + free);
  const SignalsElsewhere elsewhere;
  threads_.reserve(static_cast<std::size_t>(threads));
  while (std::ssize(threads_) < threads && start_thread()) {
  }
}

/// False if the system starts no more, or has no memory for one: those who read make what is missing.
bool ReadAhead::start_thread() {
  try {
    threads_.emplace_back([this] { serve(); });
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

ReadAhead::~ReadAhead() {
  {
    const std::lock_guard lock(mutex_);
    ends_ = true;
  }
  room_.notify_all();
  for (auto& thread : threads_) thread.join();
}

bool ReadAhead::claim(std::size_t place, std::uint64_t number) {
  auto expected = number * 4 + free;
  return places_[place].state.compare_exchange_strong(expected, number * 4 + busy, std::memory_order_acq_rel);
}

/// Of a place that was claimed.
void ReadAhead::make(std::size_t place, std::uint64_t number) {
  auto& [state, error] = places_[place];
  auto stage = ready;
  try {
    make_(number, memory(place));
  } catch (...) {
    error = std::current_exception();
    stage = failed;
  }
  state.store(number * 4 + stage, std::memory_order_seq_cst);  // as notify_all() needs it: see threads.cc
  state.notify_all();
}

void ReadAhead::serve() {
  for (;;) {
    std::uint64_t number = 0;
    {
      std::unique_lock lock(mutex_);
      room_.wait(lock, [&] { return ends_ || next_ < std::min(size_.end, first_ + size_.items); });
      if (ends_) return;
      number = next_++;
    }
    const auto place = static_cast<std::size_t>(number % size_.items);
    if (claim(place, number)) make(place, number);
  }
}

/// Gives a place to the item `number`, once nobody works on it.
void ReadAhead::free_place(std::size_t place, std::uint64_t number) {
  auto& state = places_[place].state;
  for (auto now = state.load(std::memory_order_acquire);;) {
    if (now % 4 == busy) {
      state.wait(now, std::memory_order_acquire);
      now = state.load(std::memory_order_acquire);
    } else if (state.compare_exchange_weak(now, number * 4 + free, std::memory_order_acq_rel)) {
      return;
    }
  }
}

void ReadAhead::go_to(std::uint64_t first) {
  {
    const std::lock_guard lock(mutex_);
    const auto items = static_cast<std::uint64_t>(size_.items);
    const bool onwards = first >= first_ && first <= first_ + items;
    for (std::uint64_t i = onwards ? first_ + items : first; i < first + items; ++i)
      free_place(static_cast<std::size_t>(i % items), i);
    if (!onwards || next_ < first) next_ = first;
    first_ = first;
  }
  room_.notify_all();
}

/// True once the item is in its place; false if that is another one's. Rethrows what went wrong with it.
bool ReadAhead::wait_for(std::uint64_t number) {
  const auto place = static_cast<std::size_t>(number % size_.items);
  auto& [state, error] = places_[place];
  for (;;) {
    const auto now = state.load(std::memory_order_acquire);
    if (now / 4 != number) return false;
    switch (now % 4) {
      case ready:
        return true;
      case failed:
        std::rethrow_exception(error);
      case busy:
        state.wait(now, std::memory_order_acquire);
        break;
      default:
        if (claim(place, number)) make(place, number);
    }
  }
}

const std::uint8_t* ReadAhead::item(std::uint64_t number) {
  const auto place = static_cast<std::size_t>(number % size_.items);
  if (places_[place].state.load(std::memory_order_acquire) != number * 4 + ready) {
    const auto start = std::chrono::steady_clock::now();
    (void)wait_for(number);
    const std::chrono::nanoseconds took = std::chrono::steady_clock::now() - start;
    waited_.fetch_add(static_cast<std::uint64_t>(took.count()));
  }
  return memory(place);
}

void ReadAhead::read(std::uint64_t number, std::uint8_t* to) {
  const auto place = static_cast<std::size_t>(number % size_.items);
  if (places_[place].state.load(std::memory_order_acquire) / 4 == number) {
    std::memcpy(to, item(number), size_.item);
    return;
  }
  const auto start = std::chrono::steady_clock::now();
  make_(number, to);
  const std::chrono::nanoseconds took = std::chrono::steady_clock::now() - start;
  waited_.fetch_add(static_cast<std::uint64_t>(took.count()));
}

}  // namespace chalk
