// ./dev bench kernels: convolutions by Winograd's transforms beside the direct kernels, each alone, in turns, on one
// thread and one microbatch. `chosen` is what the rule on shapes takes (docs/adr/040-winograd.md).
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <memory>
#include <random>
#include <string>

#include "chalkgrad/program.h"
#include "src/base/aligned.h"
#include "src/base/target.h"
#include "src/kernels/conv_direct.h"
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

/// How many times as fast as `direct` `winograd` is, each by its best time, and whether it is chosen. A map is run by
/// run(map, packed weights, scratch).
template <class Map, class Run>
std::string compare(const std::unique_ptr<const Map>& direct, const std::unique_ptr<const Map>& winograd, bool chosen,
                    const AlignedFloats& w, const Run& run) {
  const AlignedFloats packed(direct->packed), scratch(direct->scratch);
  const AlignedFloats points(winograd->packed), room(winograd->scratch);
  direct->pack(w.data(), packed.data());
  winograd->pack(w.data(), points.data());
  double of_direct = 1e9, of_winograd = 1e9;
  const double end = seconds() + 0.3;
  do {
    const double start = seconds();
    run(*direct, packed.data(), scratch.data());
    const double between = seconds();
    run(*winograd, points.data(), room.data());
    of_direct = std::min(of_direct, between - start);
    of_winograd = std::min(of_winograd, seconds() - between);
  } while (seconds() < end);
  char text[64];
  std::snprintf(text, sizeof text, "%.1f%s", of_direct / of_winograd, chosen ? "" : " (not chosen)");
  return text;
}

void row(std::int64_t channels, std::int64_t filters, std::int64_t size, std::int64_t kernel, std::int64_t pad) {
  const ConvShape s{.channels = channels,
                    .height = size,
                    .width = size,
                    .filters = filters,
                    .kernel_h = kernel,
                    .kernel_w = kernel,
                    .out_h = size + 2 * pad - kernel + 1,
                    .out_w = size + 2 * pad - kernel + 1,
                    .pad_h = pad,
                    .pad_w = pad};
  const AlignedFloats x = noise(channels * size * size * 16), w = noise(channels * filters * kernel * kernel),
                      z = noise(filters * s.out_h * s.out_w * 16), bias = noise(filters);
  const AlignedFloats dx(x.size()), dw(w.size());
  const chalk::ConvEpilogue e{.bias = true, .relu = true};

  const auto forward = compare(plan_direct_forward(s, e), plan_winograd_forward(s, e), winograd_forward_pays(s), w,
                               [&](const auto& map, const float* packed, float* scratch) {
                                 map.run(x.data(), packed, bias.data(), z.data(), nullptr, scratch);
                               });
  const auto input_grad = compare(
      plan_direct_input_grad(s), plan_winograd_input_grad(s), winograd_input_grad_pays(s), w,
      [&](const auto& map, const float* packed, float* scratch) { map.run(z.data(), packed, dx.data(), scratch); });
  const auto weight_grad = compare(plan_direct_weight_grad(s), plan_winograd_weight_grad(s),
                                   winograd_weight_grad_pays(s), w, [&](const auto& map, const float*, float* scratch) {
                                     map.run(x.data(), z.data(), dw.data(), 16, false, scratch);
                                   });

  const auto n = [](std::int64_t value) { return static_cast<int>(value); };
  std::printf("| %d × %d, %d → %d, %d × %d | %s | %s | %s |\n", n(kernel), n(kernel), n(channels), n(filters),
              n(s.out_h), n(s.out_w), forward.c_str(), input_grad.c_str(), weight_grad.c_str());
  std::fflush(stdout);
}

}  // namespace

int main() {
  std::printf("How many times as fast as the direct kernels, %s:\n\n", chalk::instruction_set().c_str());
  std::printf(
      "| kernel, channels → filters, result | forward | input gradient | weight gradient |\n|---|--:|--:|--:|\n");
  for (const auto& [channels, filters, size] : {std::array<std::int64_t, 3>{3, 64, 32},
                                                {16, 16, 32},
                                                {32, 32, 32},
                                                {64, 64, 32},
                                                {64, 128, 16},
                                                {128, 128, 16},
                                                {128, 128, 14},
                                                {256, 256, 8},
                                                {64, 64, 4}}) {
    row(channels, filters, size, 3, 1);
  }
  for (const auto& [channels, filters, size, pad] : {std::array<std::int64_t, 4>{1, 20, 28, 0},
                                                     {6, 16, 12, 0},
                                                     {20, 40, 12, 0},
                                                     {32, 32, 32, 2},
                                                     {64, 64, 16, 2},
                                                     {64, 64, 8, 2}}) {
    row(channels, filters, size, 5, pad);
  }
}
