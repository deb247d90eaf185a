#include "apps/chalkgrad/progress.h"

#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "apps/chalkgrad/common.h"

namespace chalk::app {
namespace {

constexpr double kRedraw = 0.1;  // seconds
constexpr int kNarrowest = 60;   // columns, below which there is no bar
constexpr int kWidest = 30;      // of the bar itself

bool set(const char* variable) {
  const char* value = std::getenv(variable);
  return value && *value;
}

bool is_terminal() {
  const char* kind = std::getenv("TERM");
  return isatty(STDERR_FILENO) == 1 && kind && std::string_view(kind) != "dumb";
}

int columns() {
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

std::string clock(double seconds) {
  const auto s = static_cast<std::int64_t>(std::clamp(seconds, 0.0, 3.6e9));
  return s < 3600 ? fmt::format("{}:{:02}", s / 60, s % 60)
                  : fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
}

}  // namespace

TrainingDisplay::TrainingDisplay(std::int64_t epochs, bool quiet, std::string_view loss, bool validates)
    : epochs_(epochs),
      loss_(loss),
      validates_(validates),
      quiet_(quiet),
      terminal_(!quiet && is_terminal()),
      colour_(terminal_ && !set("NO_COLOR")),
      resumed_at_(seconds()) {}

void TrainingDisplay::step(const Progress& now) {
  const double at = seconds();
  if (first_step_ < 0) {
    first_step_ = now.step - 1;
    if (now.step > 1) {  // resumed, perhaps amid an epoch: measure from here
      samples_before_ = now.samples;
      resumed_at_ = at;
    }
  }
  epoch_seconds_ = at - resumed_at_;
  if (!terminal_ || at - drawn_at_ < kRedraw) return;
  const int width = columns();
  if (width < kNarrowest) return;
  drawn_at_ = at;
  drawn_ = true;
  const double spent = trained_ + epoch_seconds_;
  const auto done = now.step - first_step_;
  auto text = fmt::format(" {} {:.4f}", loss_, now.mean_loss);
  if (now.accuracy > 0) text += fmt::format("  {}", percent(now.accuracy));
  text += fmt::format("  {}/s", speed(now));
  if (done > 0)
    text +=
        fmt::format("  {} left", clock(spent / static_cast<double>(done) * static_cast<double>(now.steps - now.step)));
  const auto epoch = fmt::format("{:>{}}/{} ", now.epoch + 1, fmt::formatted_size("{}", epochs_), epochs_);
  const int room = std::min(kWidest, width - 1 - static_cast<int>(epoch.size() + text.size()));
  const double fraction =
      static_cast<double>(now.samples) / static_cast<double>(std::max<std::int64_t>(1, now.epoch_samples));
  fmt::print(stderr, "\r{}{}{}\033[K", epoch, room >= 8 ? bar(fraction, room) : "", text);
  std::fflush(stderr);
}

std::string TrainingDisplay::speed(const Progress& now) const {
  const auto samples = static_cast<double>(now.samples - samples_before_);
  return samples > 0 && epoch_seconds_ > 0 ? count(static_cast<std::int64_t>(samples / epoch_seconds_)) : "–";
}

std::string TrainingDisplay::bar(double fraction, int width) const {
  const int full = static_cast<int>(std::clamp(fraction, 0.0, 1.0) * width);
  std::string text = colour_ ? "\033[32m" : "";
  for (int i = 0; i < width; ++i) {
    if (i == full && colour_) text += "\033[2m";
    text += i < full ? "━" : colour_ ? "━" : "─";
  }
  return text + (colour_ ? "\033[0m" : "");
}

void TrainingDisplay::epoch(const Progress& now, std::optional<double> accuracy) {
  clear();
  if (!quiet_) {
    std::string titles, losses;  // of several outputs
    for (const auto& output : now.outputs) {
      const auto title = fmt::format("{} {}", loss_, output.name);
      const auto width = std::max<std::size_t>(10, title.size());
      titles += fmt::format("  {:>{}}", title, width);
      losses += fmt::format("  {:>{}.5f}", output.mean_loss, width);
    }
    if (!titled_) {
      fmt::print("{:>7}  {:>10}{}  {:>9}  {}  {:>10}  {:>9}\n", "epoch", loss_, titles, "training",
                 validates_ ? fmt::format("{:>10}  {:>10}", loss_, "validation") : fmt::format("{:>9}", "test"), "lr",
                 "samples/s");
    }
    titled_ = true;
    const bool best = validates_ && now.best_epoch == now.epoch;
    const auto shown = accuracy ? percent(*accuracy) : "";
    fmt::print("{:>7}  {:>10.5f}{}  {:>9}  {}  {:>10.3g}  {:>9}{}\n", fmt::format("{}/{}", now.epoch + 1, epochs_),
               now.mean_loss, losses, accuracy || now.accuracy > 0 ? percent(now.accuracy) : "",
               validates_ ? fmt::format("{:>10.5f}  {:>10}", now.validation_loss.value_or(0), shown)
                          : fmt::format("{:>9}", shown),
               now.lr, speed(now), best ? "  best" : "");
    std::fflush(stdout);
  }
  trained_ += epoch_seconds_;
  epoch_seconds_ = 0;
  samples_before_ = 0;
  resumed_at_ = seconds();
}

void TrainingDisplay::clear() noexcept {
  if (!drawn_) return;
  std::fputs("\r\033[K", stderr);
  std::fflush(stderr);
  drawn_ = false;
}

}  // namespace chalk::app
