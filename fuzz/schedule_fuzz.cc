// Schedules from text: whatever is given, an error or a schedule that is written as it is read, whose factors are
// numbers, and which no step takes long to compute.
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string_view>

#include "chalkgrad/error.h"
#include "chalkgrad/schedule.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const auto schedule = chalk::Schedule::parse(text);
    schedule.check();
    if (chalk::Schedule::parse(schedule.text()) != schedule) throw std::logic_error("it is read as another one");
    chalk::Observed seen;
    for (const double loss : {1.0, 1.0, 2.0}) seen = schedule.observe(seen, loss, /*maximised=*/false);
    for (const std::int64_t step : {0, 1, 499, 999'999}) {
      if (!(schedule.factor(step, 1'000'000, 1000, seen) >= 0)) throw std::logic_error("a factor is no rate");
    }
  } catch (const chalk::InputError& e) {
    if (std::string_view(e.what()).empty()) throw std::logic_error("an error without words");
  }
  return 0;
}
