// ./dev bench kernels: the ways to do a convolution beside the direct kernels, each alone, in turns, on one thread and
// one microbatch. `chosen` is what the rule on shapes takes (docs/adr/040-winograd.md, 068-depthwise-and-pointwise.md).
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <random>
#include <string>

#include "chalkgrad/program.h"
#include "src/base/aligned.h"
#include "src/base/target.h"
#include "src/kernels/conv_depthwise.h"
#include "src/kernels/conv_direct.h"
#include "src/kernels/conv_pointwise.h"
#include "src/kernels/conv_winograd.h"

namespace {

using chalk::AlignedFloats, chalk::ConvShape;

AlignedFloats noise(std::int64_t count) {
  AlignedFloats values(static_cast<std::size_t>(count));
  std::mt19937 random(1);
  for (std::size_t i = 0; i < values.size(); ++i)
    values.data()[i] = static_cast<float>(random() >> 8) * 0x1p-24f - 0.5f;
  return values;
}

double seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

/// How many times as fast as `direct` `other` is, each by its best time, and whether it is chosen. A map is run by
/// run(map, packed weights, scratch).
template <class Map, class Run>
std::string compare(const std::unique_ptr<const Map>& direct, const std::unique_ptr<const Map>& other, bool chosen,
                    const AlignedFloats& w, const Run& run) {
  const AlignedFloats packed(direct->packed), scratch(direct->scratch);
  const AlignedFloats other_packed(other->packed), room(other->scratch);
  direct->pack(w.data(), packed.data());
  other->pack(w.data(), other_packed.data());
  double of_direct = 1e9, of_other = 1e9;
  const double end = seconds() + 0.3;
  do {
    const double start = seconds();
    run(*direct, packed.data(), scratch.data());
    const double between = seconds();
    run(*other, other_packed.data(), room.data());
    of_direct = std::min(of_direct, between - start);
    of_other = std::min(of_other, seconds() - between);
  } while (seconds() < end);
  char text[64];
  std::snprintf(text, sizeof text, "%.1f%s", of_direct / of_other, chosen ? "" : " (not chosen)");
  return text;
}

/// A way to do all maps, and for which shapes it pays.
struct Way {
  decltype(&chalk::plan_direct_forward) forward;
  decltype(&chalk::plan_direct_input_grad) input_grad;
  decltype(&chalk::plan_direct_weight_grad) weight_grad;
  bool (*forward_pays)(const ConvShape&), (*input_grad_pays)(const ConvShape&), (*weight_grad_pays)(const ConvShape&);
};
constexpr Way kWinograd{chalk::plan_winograd_forward,     chalk::plan_winograd_input_grad,
                        chalk::plan_winograd_weight_grad, chalk::winograd_forward_pays,
                        chalk::winograd_input_grad_pays,  chalk::winograd_weight_grad_pays};
constexpr Way kDepthwise{chalk::plan_depthwise_forward,
                         chalk::plan_depthwise_input_grad,
                         chalk::plan_depthwise_weight_grad,
                         chalk::depthwise_fits,
                         chalk::depthwise_fits,
                         chalk::depthwise_fits};
constexpr Way kPointwise{chalk::plan_pointwise_forward,     chalk::plan_pointwise_input_grad,
                         chalk::plan_pointwise_weight_grad, chalk::pointwise_forward_pays,
                         chalk::pointwise_input_grad_pays,  chalk::pointwise_weight_grad_pays};

struct Size {
  std::int64_t channels, filters, size, kernel, pad, stride = 1, groups = 1;
};

void row(const Way& by, const Size& of) {
  const auto& [channels, filters, size, kernel, pad, stride, groups] = of;
  const std::int64_t out = (size + 2 * pad - kernel) / stride + 1;
  const ConvShape s{.channels = channels,
                    .height = size,
                    .width = size,
                    .filters = filters,
                    .kernel_h = kernel,
                    .kernel_w = kernel,
                    .out_h = out,
                    .out_w = out,
                    .stride_h = stride,
                    .stride_w = stride,
                    .pad_h = pad,
                    .pad_w = pad,
                    .groups = groups};
  const AlignedFloats x = noise(channels * size * size * 16), w = noise(channels / groups * filters * kernel * kernel),
                      z = noise(filters * s.out_h * s.out_w * 16), bias = noise(filters);
  const AlignedFloats dx(x.size()), dw(w.size());
  const chalk::ConvEpilogue e{.bias = true, .relu = true};

  const auto forward = compare(plan_direct_forward(s, e), by.forward(s, e), by.forward_pays(s), w,
                               [&](const auto& map, const float* packed, float* scratch) {
                                 map.run(x.data(), packed, bias.data(), z.data(), nullptr, scratch, chalk::Share());
                               });
  const auto input_grad = compare(plan_direct_input_grad(s), by.input_grad(s), by.input_grad_pays(s), w,
                                  [&](const auto& map, const float* packed, float* scratch) {
                                    map.run(z.data(), packed, dx.data(), scratch, chalk::Share());
                                  });
  const auto weight_grad = compare(plan_direct_weight_grad(s), by.weight_grad(s), by.weight_grad_pays(s), w,
                                   [&](const auto& map, const float*, float* scratch) {
                                     map.run(x.data(), z.data(), dw.data(), 16, false, scratch, chalk::Share());
                                   });

  const auto n = [](std::int64_t value) { return static_cast<int>(value); };
  std::printf("| %d × %d%s%s, %d → %d, %d × %d | %s | %s | %s |\n", n(kernel), n(kernel),
              stride > 1 ? ", stride 2" : "", groups > 1 ? ", depthwise" : "", n(channels), n(filters), n(s.out_h),
              n(s.out_w), forward.c_str(), input_grad.c_str(), weight_grad.c_str());
  std::fflush(stdout);
}

}  // namespace

int main() {
  std::printf("How many times as fast as the direct kernels, %s:\n\n", chalk::instruction_set().c_str());
  std::printf(
      "| kernel, channels → filters, result | forward | input gradient | weight gradient |\n|---|--:|--:|--:|\n");
  for (const Size& size : {Size{3, 64, 32, 3, 1},
                           {16, 16, 32, 3, 1},
                           {32, 32, 32, 3, 1},
                           {64, 64, 32, 3, 1},
                           {64, 128, 16, 3, 1},
                           {128, 128, 16, 3, 1},
                           {128, 128, 14, 3, 1},
                           {256, 256, 8, 3, 1},
                           {64, 64, 4, 3, 1},
                           {1, 20, 28, 5, 0},
                           {6, 16, 12, 5, 0},
                           {20, 40, 12, 5, 0},
                           {32, 32, 32, 5, 2},
                           {64, 64, 16, 5, 2},
                           {64, 64, 8, 5, 2}})
    row(kWinograd, size);
  for (const Size& size : {Size{32, 32, 32, 3, 1, 1, 32},
                           {32, 32, 32, 3, 1, 2, 32},
                           {32, 32, 32, 5, 2, 1, 32},
                           {32, 32, 32, 7, 3, 1, 32},
                           {64, 64, 14, 7, 3, 1, 64}})
    row(kDepthwise, size);
  for (const Size& size : {Size{16, 16, 32, 1, 0},
                           {32, 32, 32, 1, 0},
                           {32, 128, 32, 1, 0},
                           {128, 32, 32, 1, 0},
                           {64, 256, 32, 1, 0},
                           {256, 64, 32, 1, 0},
                           {256, 64, 14, 1, 0},
                           {512, 512, 7, 1, 0}})
    row(kPointwise, size);
}
