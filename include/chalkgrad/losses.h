// What training minimises, and likelihoods, which it maximises: functions that build graph, and their names.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "chalkgrad/attributes.h"
#include "chalkgrad/graph.h"

namespace chalk {

// Options that some losses have. Class weights w are one number for each class, at least 0 and not all 0; an empty
// list is 1 for all. A sample of class c counts w[c] in the mean over a batch, Σ w·loss / Σ w, whether its target is a
// label or a distribution t over the classes, which counts Σ w·t. (PyTorch divides by Σ w for labels, by the number of
// samples for distributions.) A batch whose weights are all 0 has the loss 0 and no gradient; PyTorch's is NaN.

struct CrossEntropy {
  /// ε, from 0 to 1: takes this share of the target, and spreads it evenly over all classes (Szegedy et al. 2016,
  /// section 7). It does not change what a sample counts.
  double label_smoothing = 0;
  std::vector<double> class_weights{};

  static constexpr std::string_view kName = "cross_entropy";
  void visit(FieldVisitor& v);
  bool operator==(const CrossEntropy&) const = default;
};

struct Focal {
  double gamma = 2;  ///< γ, from 0 to 100: the larger, the less samples count that are nearly right. 0: cross-entropy
  std::vector<double> class_weights{};  ///< the α of the paper

  static constexpr std::string_view kName = "focal";
  void visit(FieldVisitor& v);
  bool operator==(const Focal&) const = default;
};

struct PixelCrossEntropy {
  std::int64_t ignored_label = -100;  ///< a place with this label counts nothing; often 255
  std::vector<double> class_weights{};

  static constexpr std::string_view kName = "pixel_cross_entropy";
  void visit(FieldVisitor& v);
  bool operator==(const PixelCrossEntropy&) const = default;
};

struct MultiClassMargin {
  double margin = 1;     ///< > 0: how far the label's output must be above every other
  bool squared = false;  ///< squares what is missing (PyTorch: p=2)

  static constexpr std::string_view kName = "multi_class_margin";
  void visit(FieldVisitor& v);
  bool operator==(const MultiClassMargin&) const = default;
};

struct SigmoidCrossEntropy {
  /// What a target of 1 counts against one of 0, each > 0: one for each output, or one for all. Empty: 1. In PyTorch
  /// pos_weight. They do not change what a sample counts.
  std::vector<double> positive_weights{};

  static constexpr std::string_view kName = "sigmoid_cross_entropy";
  void visit(FieldVisitor& v);
  bool operator==(const SigmoidCrossEntropy&) const = default;
};

struct Huber {
  double delta = 1;  ///< δ > 0: up to here a difference is squared

  static constexpr std::string_view kName = "huber";
  void visit(FieldVisitor& v);
  bool operator==(const Huber&) const = default;
};

struct SmoothL1 {
  double beta = 1;  ///< β > 0: up to here a difference is squared

  static constexpr std::string_view kName = "smooth_l1";
  void visit(FieldVisitor& v);
  bool operator==(const SmoothL1&) const = default;
};

/// A loss with its options: `Loss::huber`, or `Huber{.delta = 2}`. A loss is minimised (w ← w − lr · ∂/∂w), a
/// likelihood maximised (w ← w + lr · ∂/∂w).
class Loss {
 public:
  enum Kind : std::uint8_t {
#define CHALK_LOSS(name) name,
#include "chalkgrad/losses.inc"
#undef CHALK_LOSS
  };
  /// With its default options.
  Loss(Kind kind = cross_entropy);  // NOLINT(google-explicit-constructor): a name alone is a loss
  template <class T>
  requires requires(T t, FieldVisitor& v) {
    t.visit(v);
    T::kName;
  }
  Loss(T options) : Loss(T::kName, Attributes(std::move(options))) {}  // NOLINT: its options are the loss

  Kind kind() const { return kind_; }
  /// Its options, empty if it has none; as<T>() throws std::bad_cast if it is another loss.
  const Attributes& options() const { return options_; }
  template <class T>
  const T& as() const {
    return options_.as<T>();
  }
  /// A copy with options that `visitor` may have changed.
  Loss edited(FieldVisitor& visitor) const;
  /// Throws InputError naming an option that is out of its range.
  void check() const;

  bool operator==(const Loss&) const = default;
  friend bool operator==(const Loss& loss, Kind kind) { return loss.kind_ == kind; }  ///< whatever its options

 private:
  Loss(std::string_view name, Attributes options);
  Kind kind_;
  Attributes options_;
};

/// All of them, in the order of the list, with their default options.
std::span<const Loss> all_losses();
/// True for the likelihoods.
bool maximised(const Loss& loss);
/// "cross-entropy", "log-likelihood", …: as on the command line.
std::string_view name_of(const Loss& loss);
/// The one of that name, or nothing.
std::optional<Loss> find_loss(std::string_view name);

// All are for one sample. For a classifier, the target t is a distribution over the classes (a one-hot label); logits
// are what goes into its softmax or its sigmoids. Output and target must have the same shape, except for
// pixel_cross_entropy, which says what it takes; otherwise they throw ShapeError. Each throws InputError naming an
// option that is out of its range.

/// −Σ w·q·ln softmax(logits), of one vector of C classes, with q = (1 − ε)·t + ε/C.
Value cross_entropy(Value logits, Value target, const CrossEntropy& options = {});
/// Σ t·ln softmax(logits): cross-entropy without its sign.
Value log_likelihood(Value logits, Value target);
/// −Σ w·t·(1 − p)^γ·ln p with p = softmax(logits) (Lin et al. 2017, eq. 5). Of two classes, one with the logit 0, this
/// is the form with a sigmoid that is known from detection.
Value focal(Value logits, Value target, const Focal& options = {});
/// −Σ w·ln softmax(logits) of the label at each place that is not ignored, for logits C×H×W and labels H×W, which are
/// whole numbers from 0 to C − 1. The mean over a batch is one over all its places that count: Σ w of their labels.
Value pixel_cross_entropy(Value logits, Value labels, const PixelCrossEntropy& options = {});
/// Σ t·(ln t − ln softmax(logits)), where 0·ln 0 = 0: cross-entropy less the entropy of the target. PyTorch's takes
/// logarithms, and its mean over a batch is this one with reduction="batchmean".
Value kl_divergence(Value logits, Value target);
/// Σ max(0, margin − y[label] + y)^p / C over the other classes, for a one-hot target (Crammer & Singer 2001, summed
/// as Weston & Watkins 1999); p is 1, or 2 if squared. The derivative is 0 where a margin is met exactly.
Value multi_class_margin(Value y, Value target, const MultiClassMargin& options = {});
/// −Σ (t·ln y + (1 − t)·ln(1 − y)): every output is a separate probability, from 0 to 1. One that is exactly right, 0
/// or 1, costs nothing; one that is exactly wrong has no finite loss and no way back. So of y = sigmoid(z), with or
/// without reshapes behind it, the loss is sigmoid_cross_entropy(z, t); and of y = softmax(z) it is computed from z,
/// too.
Value binary_cross_entropy(Value y, Value target);
/// The same for y = sigmoid(logits), as Σ (ln(1 + e^z) − t·z): accurate however close to 0 or 1 the outputs are. With
/// positive weights v, Σ ((1 − t)·z + (1 + (v − 1)·t)·ln(1 + e^−z)). PyTorch and Keras take the mean over the outputs.
Value sigmoid_cross_entropy(Value logits, Value target, const SigmoidCrossEntropy& options = {});
/// Σ max(0, 1 − s·y) / n, for n outputs per sample, where s is 1 for a target above 0 and else −1; the derivative is 0
/// where s·y = 1. As in Keras.
Value hinge(Value y, Value target);
/// ½ Σ (y − t)².
Value squared_error(Value y, Value target);
/// Σ (t − y)², without the ½.
Value sum_of_squares(Value y, Value target);
/// Σ (t − y)² / n, for n outputs per sample: "MSE" of PyTorch and Keras.
Value mean_squared_error(Value y, Value target);
/// Σ |t − y| / n; the derivative is 0 where they are equal.
Value mean_absolute_error(Value y, Value target);
/// Σ h(t − y) / n with h(d) = ½ d² up to |d| = δ, then δ·(|d| − ½ δ) (Huber 1964).
Value huber(Value y, Value target, const Huber& options = {});
/// Σ h(t − y) / n with h(d) = ½ d²/β up to |d| = β, then |d| − ½ β (Girshick 2015).
Value smooth_l1(Value y, Value target, const SmoothL1& options = {});
/// −½ Σ (t − y)²: the log-likelihood of targets with Gaussian noise, up to a constant.
Value gaussian_log_likelihood(Value y, Value target);

/// The loss of a sample, and what it counts in the mean over a batch: an empty weight is 1.
struct SampleLoss {
  Value loss, weight;
};
SampleLoss sample_loss(const Loss& loss, Value y, Value target);
/// Σ loss / Σ weight over the samples of the batch, shared; 0 if all weights are 0.
Value batch_mean(const SampleLoss& of_sample);

}  // namespace chalk
