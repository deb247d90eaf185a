#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "chalkgrad/tensorboard.h"
#include "src/base/file.h"
#include "src/base/text.h"
#include "src/base/wording.h"
#include "src/files/protobuf.h"
#include "src/files/tfrecord.h"

namespace chalk {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::system_clock;

// Numbers of fields, from event.proto, summary.proto, histogram.proto and tensor.proto.
namespace in_event {
constexpr std::uint32_t wall_time = 1, step = 2, file_version = 3, summary = 5, session_log = 7;
}
namespace in_session {
constexpr std::uint32_t status = 1;
constexpr std::int64_t start = 1;
}  // namespace in_session
namespace in_summary {
constexpr std::uint32_t value = 1;
}
namespace in_value {
constexpr std::uint32_t tag = 1, simple_value = 2, image = 4, histogram = 5, tensor = 8, metadata = 9;
}
namespace in_metadata {
constexpr std::uint32_t plugin = 1, plugin_name = 1;
}
namespace in_tensor {
constexpr std::uint32_t type = 1, shape = 2, dimension = 2, size = 1, strings = 8;
constexpr std::int64_t string = 7;
}  // namespace in_tensor
namespace in_image {
constexpr std::uint32_t height = 1, width = 2, channels = 3, png = 4;
}
namespace in_histogram {
constexpr std::uint32_t least = 1, most = 2, count = 3, sum = 4, squares = 5, upper_ends = 6, counts = 7;
}

constexpr std::string_view kMark = "tfevents";  // what readers know event files by
constexpr std::size_t kIntervals = 30;          // as many as tf.summary.histogram has, and the page shows

std::string name_of(const fs::path& file) { return file.filename().string(); }

std::vector<fs::path> events_in(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    if (name_of(entry->path()).find(kMark) != std::string::npos && !entry->is_directory(error))
      files.push_back(entry->path());
  }
  return files;
}

// Readers take a folder's files in the order of their names, which begin with a time in seconds. So a file's time is
// after that of those that are there, though it may have been made within the same second, or on a machine whose clock
// is slow.
std::int64_t time_after(const std::vector<fs::path>& files, std::int64_t now) {
  const std::string before = str("events.out.", kMark, ".");
  for (const auto& file : files) {
    const auto name = name_of(file);
    if (!name.starts_with(before)) continue;
    std::int64_t time = 0;
    for (auto at = before.size(); at < name.size() && at < before.size() + 12 && name[at] >= '0' && name[at] <= '9';
         ++at)
      time = 10 * time + (name[at] - '0');
    now = std::max(now, time + 1);
  }
  return now;
}

fs::path new_file(const fs::path& folder) {
  make_folder(folder);
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0 || host[0] == '\0') host = {"localhost"};
  static std::atomic<unsigned> serial = 0;
  const auto now = std::chrono::duration_cast<std::chrono::seconds>(Clock::now().time_since_epoch()).count();
  return folder / str("events.out.", kMark, ".", time_after(events_in(folder), now), ".", host.data(), ".", ::getpid(),
                      ".", serial++);
}

// Where the intervals end. One of TensorBoard's readers keeps 32 bits of that, so no more are written. Where floats are
// too near each other for so many intervals, there are fewer.
std::vector<double> upper_ends(float least, float most) {
  const auto from = static_cast<double>(least), to = static_cast<double>(most);
  std::vector<double> ends;
  for (std::size_t i = 1; i < kIntervals; ++i) {
    const auto end = static_cast<float>(from + (to - from) * static_cast<double>(i) / static_cast<double>(kIntervals));
    if (end > (ends.empty() ? least : static_cast<float>(ends.back())) && end < most)
      ends.push_back(static_cast<double>(end));
  }
  ends.push_back(to);
  return ends;
}

}  // namespace

struct EventWriter::State {
  explicit State(const fs::path& folder) : file(new_file(folder)) {}

  /// The value's message, begun with its tag.
  Protobuf& begin(std::string_view tag) { return value_.clear().text(in_value::tag, tag); }
  /// Tells what was begun.
  void end(std::int64_t step) {
    summary_.clear().message(in_summary::value, value_);
    tell(step, [this] { event_.message(in_event::summary, summary_); });
  }
  template <class Content>
  void tell(std::int64_t step, Content content) {
    const auto now = Clock::now();
    event_.clear().real(in_event::wall_time, std::chrono::duration<double>(now.time_since_epoch()).count());
    event_.whole(in_event::step, step);
    content();
    append_record(waiting_, event_.bytes());
    const auto since = now - flushed_;
    if (since >= std::chrono::seconds(1) || since < std::chrono::seconds(0)) flush();
  }
  void flush() {
    flushed_ = Clock::now();
    std::swap(waiting_, writing_);
    waiting_.clear();  // also of what cannot be written
    file.append({reinterpret_cast<const std::uint8_t*>(writing_.data()), writing_.size()});
  }
  Protobuf& event() { return event_; }

  GrowingFile file;

 private:
  Protobuf value_, summary_, event_;  // these, and the texts, are kept for their memory
  std::string waiting_, writing_;
  Clock::time_point flushed_ = Clock::now();
};

EventWriter::EventWriter(const fs::path& folder, std::int64_t from) : state_(std::make_unique<State>(folder)) {
  state_->tell(0, [&] { state_->event().text(in_event::file_version, "brain.Event:2"); });
  // A new run starts one, too: one of TensorBoard's readers takes the first start it sees for the beginning, and
  // forgets nothing.
  const auto start = Protobuf().whole(in_session::status, in_session::start);
  state_->tell(from, [&] { state_->event().message(in_event::session_log, start); });
  flush();
}

EventWriter::~EventWriter() {
  try {
    if (state_) flush();
  } catch (const InputError&) {  // flush() before, for whoever wants to know
    state_.reset();
  }
}
EventWriter::EventWriter(EventWriter&&) noexcept = default;
EventWriter& EventWriter::operator=(EventWriter&&) noexcept = default;

void EventWriter::scalar(std::string_view tag, std::int64_t step, double value) {
  state_->begin(tag).real(in_value::simple_value, static_cast<float>(value));
  state_->end(step);
}

void EventWriter::histogram(std::string_view tag, std::int64_t step, std::span<const float> values) {
  if (values.empty()) throw InputError(str("histogram ", in_quotes(tag), ": there are no values; give at least one"));
  double sum = 0, squares = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto v = static_cast<double>(values[i]);
    if (!std::isfinite(v))
      throw InputError(str("histogram ", in_quotes(tag), ": value ", grouped(i), " is ", v, "; give finite ones"));
    sum += v;
    squares += v * v;
  }
  const auto [least, most] = std::ranges::minmax(values);
  const auto ends = upper_ends(least, most);
  std::vector<double> counts(ends.size());
  for (const float v : values) {
    const auto at = static_cast<std::size_t>(std::ranges::upper_bound(ends, static_cast<double>(v)) - ends.begin());
    ++counts[std::min(at, ends.size() - 1)];
  }
  Protobuf message;
  message.real(in_histogram::least, static_cast<double>(least)).real(in_histogram::most, static_cast<double>(most));
  message.real(in_histogram::count, static_cast<double>(values.size()));
  message.real(in_histogram::sum, sum).real(in_histogram::squares, squares);
  message.reals(in_histogram::upper_ends, ends).reals(in_histogram::counts, counts);
  state_->begin(tag).message(in_value::histogram, message);
  state_->end(step);
}

void EventWriter::image(std::string_view tag, std::int64_t step, const Image& image) {
  const auto png = encode_png(image);
  Protobuf message;
  message.whole(in_image::height, image.height)
      .whole(in_image::width, image.width)
      .whole(in_image::channels, image.channels);
  message.text(in_image::png, {reinterpret_cast<const char*>(png.data()), png.size()});
  state_->begin(tag).message(in_value::image, message);
  state_->end(step);
}

void EventWriter::text(std::string_view tag, std::int64_t step, std::string_view markdown) {
  const auto plugin = Protobuf().text(in_metadata::plugin_name, "text");
  const auto about = Protobuf().message(in_metadata::plugin, plugin);
  const auto one = Protobuf().whole(in_tensor::size, 1);
  const auto shape = Protobuf().message(in_tensor::dimension, one);
  Protobuf tensor;
  tensor.whole(in_tensor::type, in_tensor::string).message(in_tensor::shape, shape).text(in_tensor::strings, markdown);
  state_->begin(tag).message(in_value::tensor, tensor).message(in_value::metadata, about);
  state_->end(step);
}

void EventWriter::flush() { state_->flush(); }

const fs::path& EventWriter::file() const { return state_->file.path(); }

bool holds_events(const fs::path& folder) { return !events_in(folder).empty(); }

void remove_events(const fs::path& folder) {
  for (const auto& file : events_in(folder)) {
    std::error_code error;
    if (!fs::remove(file, error) && error)
      throw InputError(str(file.string(), ": cannot be removed: ", error.message(), "; give another folder"));
  }
}

}  // namespace chalk
