#include "apps/chalkgrad/roofline.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "src/base/markup.h"

namespace chalk::app {
namespace {

constexpr double kLeft = 70, kTop = 56, kWidth = 620, kHeight = 360;  // of the plot, in pixels
constexpr std::size_t kListed = 12, kAlone = 48;  // kernels in the list; more than that many are shown by kind
constexpr std::size_t kLongest = 40;              // of a name, in characters

constexpr const char* kStyle = R"(<style>
svg { font: 13px system-ui, sans-serif; background: #ffffff; }
text { fill: #1f2328; } .quiet { fill: #59636e; font-size: 12px; }
.grid { stroke: #d1d9e0; } .roof { stroke: #1f2328; stroke-width: 2; fill: none; }
.forward { fill: #0969da; } .backward { fill: #bc4c00; } .update { fill: #1a7f37; } .none { fill: #818b98; }
circle { fill-opacity: 0.75; stroke: #ffffff; } .number { fill: #ffffff; font-size: 11px; font-weight: 600; text-anchor: middle; }
.end { text-anchor: end; } .middle { text-anchor: middle; }
@media (prefers-color-scheme: dark) {
  svg { background: #0d1117; } text { fill: #f0f6fc; } .quiet { fill: #9198a1; }
  .grid { stroke: #3d444d; } .roof { stroke: #f0f6fc; } circle { stroke: #0d1117; }
  .forward { fill: #4493f8; } .backward { fill: #db6d28; } .update { fill: #3fb950; } .number { fill: #0d1117; }
}
</style>
)";

/// From powers of ten to pixels.
struct Axis {
  double low, high;    // exponents
  double from, until;  // pixels
  double operator()(double value) const { return from + (until - from) * (std::log10(value) - low) / (high - low); }
};

Axis axis_of(double least, double most, double from, double until) {
  const double low = std::floor(std::log10(least)), high = std::ceil(std::log10(most) + 0.05);
  return {low, std::max(high, low + 1), from, until};
}

std::string power_of_ten(int exponent) {
  return exponent >= 0 ? fmt::format("{:.0f}", std::pow(10, exponent))
                       : fmt::format("{:.{}f}", std::pow(10, exponent), -exponent);
}

/// A kernel, or all of a kind.
struct Dot {
  std::string name, part;
  int kernels = 0;
  double flops = 0, bytes = 0, seconds = 0, of_time = 0;  // a step; seconds of all threads
  double arithmetic = 0, memory = 0;                      // seconds of the bounds, by what bounds

  double intensity() const { return flops / bytes; }
  double speed(int threads) const { return flops / seconds * threads / 1e9; }
};

/// All kernels that have to move something, those that take longest first.
std::vector<Dot> dots_of(const Shares& shares) {
  const auto moves = [](const KernelShare& k) { return k.bytes > 0; };
  const bool by_kind =
      std::count_if(shares.kernels.begin(), shares.kernels.end(), moves) > static_cast<std::ptrdiff_t>(kAlone);
  std::vector<Dot> dots;
  for (const auto& k : shares.kernels) {
    if (!moves(k)) continue;
    const auto name = by_kind || k.layer.empty() ? k.kernel : k.layer + " " + k.kernel;
    auto dot = std::find_if(dots.begin(), dots.end(),
                            [&](const Dot& d) { return by_kind && d.name == name && d.part == k.part; });
    if (dot == dots.end()) dot = dots.insert(dot, {name, k.part});
    ++dot->kernels;
    dot->flops += k.gflops * 1e9 * k.seconds_per_step;
    dot->bytes += static_cast<double>(k.bytes);
    dot->seconds += k.seconds_per_step;
    dot->of_time += k.of_time;
    (k.memory_bound ? dot->memory : dot->arithmetic) += k.of_bound * k.seconds_per_step;
  }
  std::stable_sort(dots.begin(), dots.end(), [](const Dot& a, const Dot& b) { return a.of_time > b.of_time; });
  return dots;
}

/// At most so many characters; a name may have letters of two bytes.
std::string shortened(const std::string& text, std::size_t most) {
  std::size_t characters = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0) == 0x80) continue;
    if (++characters == most) return text.substr(0, i) + "…";
  }
  return text;
}

}  // namespace

std::string roofline_svg(const Shares& shares, int threads, const std::string& title) {
  const auto dots = dots_of(shares);
  const double peak = shares.peak / 1e9, bandwidth = shares.bandwidth / 1e9;
  const double ridge = peak / bandwidth;
  double left = ridge, right = ridge, low = peak, high = peak;
  for (const auto& dot : dots) {
    if (dot.flops == 0) continue;
    left = std::min(left, dot.intensity()), right = std::max(right, dot.intensity());
    low = std::min(low, dot.speed(threads)), high = std::max(high, dot.speed(threads));
  }
  const Axis x = axis_of(left / 1.5, right * 1.5, kLeft, kLeft + kWidth);
  const Axis y = axis_of(std::min(low / 1.5, peak / 10), high * 1.2, kTop + kHeight, kTop);

  const auto listed = std::min(kListed, dots.size());
  const double below = kTop + kHeight + 78, height = below + 22 * static_cast<double>(listed) + 40;
  std::string out = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 720 {0:.0f}\" role=\"img\" aria-label=\"Roofline\">\n{1}"
      "<text x=\"{2:.0f}\" y=\"26\" font-size=\"15\">{3}</text>\n",
      height, kStyle, kLeft, markup_text(shortened(title, 80)));
  const auto line = [&](double x1, double y1, double x2, double y2) {
    out +=
        fmt::format("<line class=\"grid\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/>\n", x1, y1, x2, y2);
  };
  const auto text = [&](double at_x, double at_y, const char* kind, const std::string& words) {
    out +=
        fmt::format("<text class=\"{}\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n", kind, at_x, at_y, markup_text(words));
  };
  for (int e = static_cast<int>(x.low); e <= static_cast<int>(x.high); ++e) {
    const double at = x(std::pow(10, e));
    line(at, kTop, at, kTop + kHeight);
    text(at, kTop + kHeight + 18, "quiet middle", power_of_ten(e));
  }
  for (int e = static_cast<int>(y.low); e <= static_cast<int>(y.high); ++e) {
    const double at = y(std::pow(10, e));
    line(kLeft, at, kLeft + kWidth, at);
    text(kLeft - 8, at + 4, "quiet end", power_of_ten(e));
  }
  text(kLeft + kWidth / 2, kTop + kHeight + 38, "quiet middle", "FLOP per byte that has to be read or written");
  text(kLeft, kTop - 10, "quiet", "GFLOP/s");

  // The roof: memory's slope up to the ridge, then flat. It begins where it comes up over the plot's floor.
  const double start = std::max(std::pow(10, x.low), std::pow(10, y.low) / bandwidth);
  out += fmt::format("<polyline class=\"roof\" points=\"{:.1f},{:.1f} {:.1f},{:.1f} {:.1f},{:.1f}\"/>\n", x(start),
                     y(start * bandwidth), x(ridge), y(peak), kLeft + kWidth, y(peak));
  text(kLeft + kWidth, y(peak) - 7, "quiet end", fmt::format("multiply-adds, {:.0f} GFLOP/s", peak));
  const double middle = std::sqrt(start * ridge);
  const bool room = x(middle) > kLeft + 140;  // for the words, left of the slope
  text(x(middle) + (room ? -8 : 10), y(middle * bandwidth) + (room ? -8 : 18), room ? "quiet end" : "quiet",
       fmt::format("memory, {:.0f} GB/s", bandwidth));

  for (std::size_t i = dots.size(); i-- > 0;) {  // the largest last, on top
    const auto& dot = dots[i];
    if (dot.flops == 0) continue;
    const double radius = std::max(3.0, 70 * std::sqrt(dot.of_time / 3.14159));
    out += fmt::format("<circle class=\"{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{:.1f}\"><title>{}</title></circle>\n",
                       dot.part, x(dot.intensity()), y(dot.speed(threads)), radius,
                       markup_text(fmt::format("{}: {:.1f} % of the time, {:.1f} FLOP per byte, {:.0f} GFLOP/s",
                                               dot.name, 100 * dot.of_time, dot.intensity(), dot.speed(threads))));
    if (i < listed && radius >= 8) text(x(dot.intensity()), y(dot.speed(threads)) + 4, "number", std::to_string(i + 1));
  }

  double at = below;
  for (std::size_t i = 0; i < listed; ++i, at += 22) {
    const auto& dot = dots[i];
    out += fmt::format("<circle class=\"{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"9\"/>\n",
                       dot.flops > 0 ? dot.part : "none", kLeft + 9, at - 4);
    text(kLeft + 9, at, "number", std::to_string(i + 1));
    text(kLeft + 26, at, "",
         shortened(dot.name, kLongest) + (dot.kernels > 1 ? fmt::format(", {} times", dot.kernels) : std::string()));
    text(kLeft + kWidth - 130, at, "end", fmt::format("{:.1f} %", 100 * dot.of_time));
    text(kLeft + kWidth, at, "end",
         fmt::format("{:.0f} % of {}", 100 * (dot.arithmetic + dot.memory) / dot.seconds,
                     dot.memory > dot.arithmetic ? "memory" : "the peak"));
  }
  text(kLeft, at + 4, "quiet", "Shares of the time, and how near each came to what bounds it.");
  text(kLeft, at + 20, "quiet",
       "Blue: forward. Orange: backward. Green: updates. Grey: no multiply-adds, so not in the picture.");
  return out + "</svg>\n";
}

}  // namespace chalk::app
