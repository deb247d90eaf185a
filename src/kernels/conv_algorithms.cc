// The ways to do each map, the fastest first.
#include <algorithm>
#include <iterator>

#include "src/kernels/conv.h"
#include "src/kernels/conv_depthwise.h"
#include "src/kernels/conv_direct.h"
#include "src/kernels/conv_pointwise.h"
#include "src/kernels/conv_winograd.h"

namespace chalk {
namespace {

bool always(const ConvShape&) { return true; }
bool any_window(std::int64_t, std::int64_t) { return true; }
bool no_window(std::int64_t, std::int64_t) { return false; }

constexpr ConvForwardAlgorithm kForward[] = {
    {"conv2d_winograd", winograd_forward_pays, plan_winograd_forward, winograd_pools},
    {"conv2d_depthwise", depthwise_fits, plan_depthwise_forward, no_window},
    {"conv2d_pointwise", pointwise_forward_pays, plan_pointwise_forward, no_window},
    {"conv2d", always, plan_direct_forward, any_window},
};

constexpr ConvInputGradAlgorithm kInputGrad[] = {
    {"conv2d_input_grad_winograd", winograd_input_grad_pays, plan_winograd_input_grad},
    {"conv2d_input_grad_depthwise", depthwise_fits, plan_depthwise_input_grad},
    {"conv2d_input_grad_pointwise", pointwise_input_grad_pays, plan_pointwise_input_grad},
    {"conv2d_input_grad", always, plan_direct_input_grad},
};

constexpr ConvWeightGradAlgorithm kWeightGrad[] = {
    {"conv2d_weight_grad_winograd", winograd_weight_grad_pays, plan_winograd_weight_grad},
    {"conv2d_weight_grad_depthwise", depthwise_fits, plan_depthwise_weight_grad},
    {"conv2d_weight_grad_pointwise", pointwise_weight_grad_pays, plan_pointwise_weight_grad},
    {"conv2d_weight_grad", always, plan_direct_weight_grad},
};

template <class Algorithm, std::size_t kRows>
const Algorithm& first_that_pays(const Algorithm (&rows)[kRows], const ConvShape& s) {
  return *std::find_if(std::begin(rows), std::end(rows), [&](const Algorithm& row) { return row.pays(s); });
}

}  // namespace

const ConvForwardAlgorithm& conv_forward_algorithm(const ConvShape& s) { return first_that_pays(kForward, s); }
const ConvInputGradAlgorithm& conv_input_grad_algorithm(const ConvShape& s) { return first_that_pays(kInputGrad, s); }
const ConvWeightGradAlgorithm& conv_weight_grad_algorithm(const ConvShape& s) {
  return first_that_pays(kWeightGrad, s);
}

}  // namespace chalk
