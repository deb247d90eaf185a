// Layers: plain functions that build graph. They hold no state; their parameters are made in the graph under
// the current layer's name (Graph::layer): "conv1.weight", "conv1.bias".
#pragma once

#include <cstdint>
#include <span>

#include "chalkgrad/graph.h"
#include "chalkgrad/ops.h"
#include "chalkgrad/weight_init.h"

namespace chalk {

/// How many biases a layer has; all start at zero.
enum class Bias : std::uint8_t {
  none,
  shared,  ///< one for each filter, or, where there are no filters, for each value
  untied   ///< one for each value of the result
};

struct ConvLayer {
  std::int64_t filters = 1;
  Pair kernel{3, 3};
  Conv2dOptions options{};
  bool flipped = false;  ///< a convolution in the mathematician's sense: the kernel is reversed in both directions
  Bias bias = Bias::shared;
  bool subtract_bias = false;  ///< w ⋆ x − b
  WeightInit init = WeightInit::he;
  bool operator==(const ConvLayer&) const = default;
};
/// conv2d with weights and a bias on x [channels, height, width].
Value conv_layer(Value x, const ConvLayer& layer);

struct DenseLayer {
  std::int64_t outputs = 1;
  Bias bias = Bias::shared;
  bool subtract_bias = false;  ///< W·x − b
  WeightInit init = WeightInit::he;
  bool operator==(const DenseLayer&) const = default;
};
/// W·x + b on x of any shape, flattened: weights [outputs, elements of x].
Value dense_layer(Value x, const DenseLayer& layer);

/// Batch normalisation (Ioffe & Szegedy 2015): y = γ·(x − μ)/√(σ² + ε) + β, with one of each per channel (axis 0).
struct BatchNormLayer {
  double momentum = 0.1;     ///< how far the running mean and variance move towards those of a batch, 0 … 1
  double epsilon = 1e-5;     ///< a number above 0
  double scale = 1;          ///< where γ starts: any number
  bool fixed_scale = false;  ///< γ stays there and is no parameter (Keras: scale=False)
  bool operator==(const BatchNormLayer&) const = default;
};
/// On x [channels, height, width], or on a vector, whose elements are its channels. The parameters are weight (γ, which
/// starts at `scale`, unless it is fixed) and bias (β, at 0) and, not trained, running_mean (at 0) and running_var (at
/// 1), which serve as μ and σ². In training, the mean and variance of the batch are used instead, and the running ones
/// follow them (the variance as n/(n − 1) σ²). Throws ShapeError naming an option that is out of its range.
Value batch_norm_layer(Value x, const BatchNormLayer& layer = {});

/// The transposed convolution: what conv_layer() with these options does to a cotangent. PyTorch's ConvTranspose2d.
struct ConvTransposeLayer {
  std::int64_t filters = 1;  ///< channels of the result
  Pair kernel{3, 3};
  Conv2dOptions options{};
  Pair output_padding{0, 0};  ///< rows and columns more, behind; below the stride
  bool bias = true;           ///< one per filter
  WeightInit init = WeightInit::he;
  bool operator==(const ConvTransposeLayer&) const = default;
};
/// On x [channels, height, width], with weights [channels, filters / groups, kernel]. There are
/// (height − 1)·stride − 2·padding + dilation·(kernel − 1) + output_padding + 1 rows, and as many columns. fan_in is
/// channels / groups · rows · columns of the kernel / (vertical · horizontal stride), rounded up, and fan_out
/// filters / groups · rows · columns. (PyTorch and Keras take the latter for fan_in and channels · rows · columns for
/// fan_out.)
Value conv_transpose_layer(Value x, const ConvTransposeLayer& layer);

/// More rows and columns of x [channels, height, width]: each value several times, or interpolated (PyTorch's bilinear
/// mode with align_corners=False).
struct UpsampleLayer {
  Pair factor{2, 2};  ///< 1 … 1024; ShapeError for others
  bool bilinear = false;
  bool operator==(const UpsampleLayer&) const = default;
};
Value upsample_layer(Value x, const UpsampleLayer& layer = {});

// Normalisations within a sample: y = γ·(x − μ)/√(σ² + ε) + β. The parameters, if `affine`, are weight (γ, which starts
// at 1) and bias (β, at 0). They throw ShapeError where a single value would be normalised.

/// Layer normalisation (Ba, Kiros & Hinton 2016): of all values of a sample, with a γ and β for each value; or of the
/// channels (axis 0) of each place, with one for each channel (ConvNeXt, Liu et al. 2022).
struct LayerNormLayer {
  bool over_channels = false;
  double epsilon = 1e-5;
  bool affine = true;
  bool operator==(const LayerNormLayer&) const = default;
};
Value layer_norm_layer(Value x, const LayerNormLayer& layer = {});

/// Group normalisation (Wu & He 2018): of each group of channels, with all their places; a γ and β for each channel.
struct GroupNormLayer {
  std::int64_t groups = 2;  ///< a divisor of the channels
  double epsilon = 1e-5;
  bool affine = true;
  bool operator==(const GroupNormLayer&) const = default;
};
Value group_norm_layer(Value x, const GroupNormLayer& layer);

/// Instance normalisation (Ulyanov, Vedaldi & Lempitsky 2016): of the places of each channel.
struct InstanceNormLayer {
  double epsilon = 1e-5;
  bool affine = false;
  bool operator==(const InstanceNormLayer&) const = default;
};
Value instance_norm_layer(Value x, const InstanceNormLayer& layer = {});

/// Local response normalisation (Krizhevsky, Sutskever & Hinton 2012): x / (k + α/n · Σ x²)^β, the sum over n channels,
/// n/2 of them before and (n − 1)/2 behind; PyTorch's, whose α is n times that of the paper.
struct LocalResponseNormLayer {
  std::int64_t size = 5;             ///< n, 1 … 2^20
  double alpha = 1e-4, beta = 0.75;  ///< 0 … 1000
  double k = 1;                      ///< above 0, at most 1000
  bool operator==(const LocalResponseNormLayer&) const = default;
};
/// On x [channels, height, width]. Throws ShapeError naming an option that is out of its range.
Value local_response_norm_layer(Value x, const LocalResponseNormLayer& layer = {});

/// The mean of each channel of x [channels, height, width]: a vector.
Value global_average_pool(Value x);
/// The maximum of each channel: a vector. The derivative goes to the first of equal ones.
Value global_max_pool(Value x);
/// x [channels, height, width] to so many rows and columns: row i is the mean of the rows from ⌊i·height/rows⌋ to below
/// ⌈(i + 1)·height/rows⌉, columns likewise (PyTorch's AdaptiveAvgPool2d). `size` is
/// 1 … 256 each; ShapeError for others.
Value adaptive_average_pool(Value x, const Pair& size);
/// Several maps with as many rows and columns, or vectors, one after the other along their channels.
Value concat_channels(std::span<const Value> xs);

/// x + branch, where `branch` has been computed from x (He et al. 2015). If it has fewer rows and columns, by a factor
/// of s, and more channels, every s-th row and column of x is taken, followed by channels of zeros (the paper's option
/// A).
Value residual(Value x, Value branch);

/// What is dropped together.
enum class Dropped : std::uint8_t { values, channels, samples };
struct DropoutLayer {
  double rate = 0.5;  ///< at least 0, below 1
  Dropped of = Dropped::values;
  bool operator==(const DropoutLayer&) const = default;
};
/// In training x·m/(1 − rate), where m is 0 with probability `rate`, else 1 (Srivastava et al. 2014); in prediction x.
/// Of channels: spatial dropout (Tompson et al. 2015). Of samples: with a residual's branch for x, stochastic depth
/// (Huang et al. 2016). m is drawn by counter from Graph::noise "LAYER.noise": see there.
Value dropout_layer(Value x, const DropoutLayer& layer = {});
/// In training x + n, where n is normal with mean 0 and this standard deviation, and no more than 5.4 times that; in
/// prediction x.
Value gaussian_noise_layer(Value x, double deviation = 0.1);

/// x + b, or x − b, with a bias for each value of x, or (shared) for each of its channels.
Value bias_layer(Value x, Bias bias = Bias::untied, bool subtract = false);

// Activations: functions of each value, with PyTorch's defaults. At a corner the derivative is one of the two slopes,
// PyTorch's, too (docs/conventions.md).

/// x where x > 0, else slope·x (Maas, Hannun & Ng 2013): max(x, slope·x). Its derivative at 0 is the slope, which is
/// from 0 to 1.
Value leaky_relu(Value x, double slope = 0.01);
Value relu6(Value x);         ///< min(max(0, x), 6); derivative 0 at 0 and 6
Value hard_tanh(Value x);     ///< min(max(−1, x), 1); derivative 0 at ±1
Value hard_sigmoid(Value x);  ///< relu6(x + 3) / 6, which is not Keras 2's; derivative 0 at ±3
Value hard_swish(Value x);    ///< x · hard_sigmoid(x) (Howard et al. 2019); derivative 0 at −3, 1 at 3
/// x where x > 0, else α (e^x − 1) (Clevert, Unterthiner & Hochreiter 2015), α > 0, which is the derivative at 0.
Value elu(Value x, double alpha = 1);
Value celu(Value x, double alpha = 1);  ///< x where x > 0, else α (e^(x/α) − 1) (Barron 2017), α > 0
Value selu(Value x);  ///< λ · elu(x, α) (Klambauer et al. 2017), λ = 1.0507…, α = 1.6733…; derivative λα at 0
Value gelu(Value x);         ///< x · ½ (1 + erf(x/√2)) (Hendrycks & Gimpel 2016)
Value gelu_tanh(Value x);    ///< nearly the same: ½ x (1 + tanh(√(2/π) (x + 0.044715 x³)))
Value silu(Value x);         ///< x · σ(x), or swish (Elfwing, Uchibe & Doya 2017)
Value mish(Value x);         ///< x · tanh(softplus(x)) (Misra 2019)
Value log_sigmoid(Value x);  ///< ln σ(x), without overflow
Value softsign(Value x);     ///< x / (1 + |x|)
Value scaled_tanh(Value x);  ///< 1.7159 tanh(2x/3) (LeCun et al. 1998)

/// x where x > 0, else a·x with a trained a (He et al. 2015), which is the derivative at 0: the parameter weight.
struct PreluLayer {
  double start = 0.25;       ///< any number; ShapeError for others
  bool per_channel = false;  ///< one a for each channel, or for each value of a vector
  bool operator==(const PreluLayer&) const = default;
};
Value prelu_layer(Value x, const PreluLayer& layer = {});

enum class Activation : std::uint8_t {
  linear,
  relu,
  sigmoid,
  tanh,
  leaky_relu,
  relu6,
  hard_tanh,
  hard_sigmoid,
  hard_swish,
  elu,
  celu,
  selu,
  gelu,
  gelu_tanh,
  silu,
  mish,
  softplus,
  log_sigmoid,
  softsign,
  scaled_tanh
};
/// A function of its own for every node: element i of x (row-major) gets functions[i mod their number], which must
/// divide the number of elements.
Value activations(Value x, std::span<const Activation> functions);

/// Mean over the samples of the batch: batch_sum(x) / batch_size.
Value batch_mean(Value x);

}  // namespace chalk
