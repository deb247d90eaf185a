#include "src/train/sample_stream.h"

#include <algorithm>
#include <utility>

#include "chalkgrad/error.h"
#include "src/train/order.h"

namespace chalk {
namespace {

constexpr std::size_t kUsual = std::size_t{16} << 20;  // bytes of samples that are ready,
constexpr std::size_t kMost = std::size_t{96} << 20;   // or more, for two batches, up to this

/// No more than an epoch, so that those which are there are of two epochs at most.
std::size_t items(std::size_t sample, std::size_t samples, std::size_t batch) {
  const auto wanted = std::min(std::max(kUsual / sample, 2 * batch), kMost / sample);
  return std::clamp<std::size_t>(wanted, 1, samples);
}

}  // namespace

SampleStream::SampleStream(const Size& size, const TrainOptions& options, std::int64_t first_step, int threads,
                           Make make)
    : size_(size), seed_(options.seed), make_(std::move(make)), places_(size.samples) {
  for (auto& order : orders_) order.rows.resize(size_.samples);
  if (options.skip_bad) bad_ = std::make_unique<std::atomic<bool>[]>(size_.samples);
  const auto batch = static_cast<std::size_t>(options.batch), steps = (size_.samples + batch - 1) / batch;
  const auto step = static_cast<std::uint64_t>(first_step);
  const ReadAhead::Size ahead{.item = size_.sample,
                              .items = items(size_.sample, size_.samples, batch),
                              .end = static_cast<std::uint64_t>(options.epochs) * size_.samples,
                              .first = step / steps * size_.samples + step % steps * batch};
  ahead_ = std::make_unique<ReadAhead>(ahead, threads, [this](std::uint64_t number, std::uint8_t* to) {
    this->make(row_at(number), number / size_.samples, to);
  });
}

std::uint32_t SampleStream::row_at(std::uint64_t number) {
  const auto epoch = number / size_.samples;
  const std::lock_guard lock(mutex_);
  auto& order = orders_[epoch % 2];
  if (order.epoch != epoch) {
    shuffle(order.rows, seed_, static_cast<std::int64_t>(epoch));
    order.epoch = epoch;
  }
  return order.rows[number % size_.samples];
}

std::uint32_t SampleStream::stand_in(std::uint32_t row) const {
  if (!bad_) return row;
  const auto samples = static_cast<std::uint32_t>(size_.samples);
  for (std::uint32_t i = 0; i < samples; ++i) {
    const auto other = static_cast<std::uint32_t>((std::uint64_t{row} + i) % samples);
    if (!bad_[other].load(std::memory_order_acquire)) return other;
  }
  throw InputError("none of the samples can be read any more");
}

void SampleStream::make(std::uint32_t row, std::uint64_t epoch, std::uint8_t* to) {
  for (;;) {
    const auto other = stand_in(row);
    try {
      return make_(other, epoch, to);
    } catch (const InputError& e) {
      if (!bad_) throw;
      if (bad_[other].exchange(true, std::memory_order_acq_rel)) continue;
      const std::lock_guard lock(mutex_);
      replaced_.emplace_back(e.what());
    }
  }
}

std::vector<std::string> SampleStream::take_replaced() {
  const std::lock_guard lock(mutex_);
  return std::exchange(replaced_, {});
}

void SampleStream::begin_step(std::uint64_t epoch, std::span<const std::uint32_t> order, std::size_t first) {
  if (!has_places_ || epoch_ != epoch) {
    for (std::uint32_t place = 0; place < order.size(); ++place) places_[order[place]] = place;
    epoch_ = epoch;
    has_places_ = true;
  }
  ahead_->go_to(epoch * size_.samples + first);
}

void SampleStream::read(std::uint32_t row, std::uint64_t epoch, std::uint8_t* to) {
  if (epoch == epoch_) return ahead_->read(epoch * size_.samples + places_[row], to);
  make(row, epoch, to);
}

}  // namespace chalk
