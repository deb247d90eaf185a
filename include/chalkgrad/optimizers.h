// The optimizers, each a struct of its options. Optimizer (optimizer.h) is any one of them.
//
// In the formulas, w is a parameter, t = 1, 2, … counts the steps, lr is the learning rate of the step, ∇ the gradient
// of the loss and g = ∇ + weight_decay · w. Products, quotients, roots and |·| are taken element by element. Whatever
// is not said to begin with something else begins with 0. "Decoupled" weight decay is no part of g: the step also takes
// lr · weight_decay · w off. Only weights decay, not biases nor scales (ParameterRole in graph.h), unless a
// ParameterGroup says so; in PyTorch all parameters do, unless they are put into a group of their own. A likelihood is
// maximised: its gradients lead upwards, weights still decay (PyTorch's maximize).
//
// Formulas, names of options and defaults are those that PyTorch 2.15 has in its code, except where it is said.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace chalk {

class FieldVisitor;

/// Stochastic gradient descent:
///   v ← momentum · v + (1 − dampening) · g, from v = g in the first step,   w ← w − lr · v
/// and with Nesterov's momentum w ← w − lr · (g + momentum · v) (Sutskever et al. 2013).
/// PyTorch's defaults are lr 0.001 and no momentum.
struct Sgd {
  double lr = 0.05;         ///< > 0
  double momentum = 0.9;    ///< 0 <= momentum < 1
  double dampening = 0;     ///< 0 <= dampening <= 1; above 0 it needs momentum > 0
  bool nesterov = false;    ///< needs momentum > 0 and dampening = 0
  double weight_decay = 0;  ///< >= 0

  static constexpr std::string_view kName = "sgd";
  void visit(FieldVisitor& v);
  bool operator==(const Sgd&) const = default;
};
inline Sgd sgd(const Sgd& options) { return options; }

/// Adagrad (Duchi, Hazan & Singer 2011): after t − 1 earlier steps,
///   s ← s + g²,   w ← w − lr / (1 + lr_decay · (t − 1)) · g / (√s + ε)
struct Adagrad {
  double lr = 0.01;                ///< > 0
  double lr_decay = 0;             ///< >= 0
  double initial_accumulator = 0;  ///< >= 0: s before the first step
  double epsilon = 1e-10;          ///< >= 1e-30: where no gradient has come yet, the step is 0 / ε and not 0 / 0
  double weight_decay = 0;         ///< >= 0

  static constexpr std::string_view kName = "adagrad";
  void visit(FieldVisitor& v);
  bool operator==(const Adagrad&) const = default;
};

/// Adadelta (Zeiler 2012):
///   s ← rho · s + (1 − rho) · g²,   Δ = √(d + ε) / √(s + ε) · g,
///   d ← rho · d + (1 − rho) · Δ²,   w ← w − lr · Δ
struct Adadelta {
  double lr = 1;            ///< > 0
  double rho = 0.9;         ///< 0 <= rho < 1
  double epsilon = 1e-6;    ///< >= 1e-30
  double weight_decay = 0;  ///< >= 0

  static constexpr std::string_view kName = "adadelta";
  void visit(FieldVisitor& v);
  bool operator==(const Adadelta&) const = default;
};

/// RMSprop (Hinton 2012):
///   s ← alpha · s + (1 − alpha) · g²,   u = g / (√s + ε),   w ← w − lr · u
/// centered (Graves 2013): m ← alpha · m + (1 − alpha) · g, and √max(s − m², 0) takes the place of √s. (PyTorch has no
/// max: roundings can make its step NaN.) With momentum: v ← momentum · v + u,   w ← w − lr · v.
struct RmsProp {
  double lr = 0.01;         ///< > 0
  double alpha = 0.99;      ///< 0 <= alpha < 1
  double momentum = 0;      ///< 0 <= momentum < 1
  bool centered = false;    ///< divides by the deviation of g instead of its root mean square
  double epsilon = 1e-8;    ///< >= 1e-30
  double weight_decay = 0;  ///< >= 0

  static constexpr std::string_view kName = "rmsprop";
  void visit(FieldVisitor& v);
  bool operator==(const RmsProp&) const = default;
};

/// Adam (Kingma & Ba 2015):
///   m ← beta1 · m + (1 − beta1) · g,   s ← beta2 · s + (1 − beta2) · g²,
///   w ← w − lr · m̂ / (√ŝ + ε)   with m̂ = m / (1 − beta1ᵗ), ŝ = s / (1 − beta2ᵗ)
/// amsgrad (Reddi, Kale & Kumar 2018): the largest s so far takes the place of s in ŝ.
struct Adam {
  double lr = 0.001;        ///< > 0
  double beta1 = 0.9;       ///< 0 <= beta1 < 1
  double beta2 = 0.999;     ///< 0 <= beta2 < 1
  double epsilon = 1e-8;    ///< >= 1e-30
  double weight_decay = 0;  ///< >= 0
  bool amsgrad = false;     ///< divides by the largest mean square so far

  static constexpr std::string_view kName = "adam";
  void visit(FieldVisitor& v);
  bool operator==(const Adam&) const = default;
};

/// Adam with decoupled weight decay (Loshchilov & Hutter 2019).
struct AdamW {
  double lr = 0.001;           ///< > 0
  double beta1 = 0.9;          ///< 0 <= beta1 < 1
  double beta2 = 0.999;        ///< 0 <= beta2 < 1
  double epsilon = 1e-8;       ///< >= 1e-30
  double weight_decay = 0.01;  ///< >= 0, decoupled
  bool amsgrad = false;        ///< divides by the largest mean square so far

  static constexpr std::string_view kName = "adamw";
  void visit(FieldVisitor& v);
  bool operator==(const AdamW&) const = default;
};

/// Adamax (Kingma & Ba 2015, section 7.1):
///   m ← beta1 · m + (1 − beta1) · g,   u ← max(beta2 · u, |g| + ε),   w ← w − lr / (1 − beta1ᵗ) · m / u
struct Adamax {
  double lr = 0.002;        ///< > 0
  double beta1 = 0.9;       ///< 0 <= beta1 < 1
  double beta2 = 0.999;     ///< 0 <= beta2 < 1
  double epsilon = 1e-8;    ///< >= 1e-30
  double weight_decay = 0;  ///< >= 0

  static constexpr std::string_view kName = "adamax";
  void visit(FieldVisitor& v);
  bool operator==(const Adamax&) const = default;
};

/// NAdam (Dozat 2016), Adam with Nesterov's momentum: with Adam's m and s and the momentum of a step
/// μₜ = beta1 · (1 − ½ · 0.96^(t · momentum_decay)),
///   w ← w − lr · ((1 − μₜ) / (1 − μ₁…μₜ) · g + μₜ₊₁ / (1 − μ₁…μₜ₊₁) · m) / (√ŝ + ε)
struct NAdam {
  double lr = 0.002;              ///< > 0
  double beta1 = 0.9;             ///< 0 <= beta1 < 1
  double beta2 = 0.999;           ///< 0 <= beta2 < 1
  double momentum_decay = 0.004;  ///< >= 0
  double epsilon = 1e-8;          ///< >= 1e-30
  double weight_decay = 0;        ///< >= 0
  bool decoupled_weight_decay = false;

  static constexpr std::string_view kName = "nadam";
  void visit(FieldVisitor& v);
  bool operator==(const NAdam&) const = default;
};

/// RAdam (Liu et al. 2020): with Adam's m and s, ρ = 2 / (1 − beta2) − 1 and ρₜ = ρ − 2 · t · beta2ᵗ / (1 − beta2ᵗ),
///   w ← w − lr · m̂   while ρₜ <= 5 (with beta2 = 0.999, in the first 5 steps), then
///   w ← w − lr · rₜ · √(1 − beta2ᵗ) · m̂ / (√s + ε)   with rₜ² = (ρₜ − 4)(ρₜ − 2) ρ / ((ρ − 4)(ρ − 2) ρₜ)
struct RAdam {
  double lr = 0.001;        ///< > 0
  double beta1 = 0.9;       ///< 0 <= beta1 < 1
  double beta2 = 0.999;     ///< 0 <= beta2 < 1
  double epsilon = 1e-8;    ///< >= 1e-30
  double weight_decay = 0;  ///< >= 0
  bool decoupled_weight_decay = false;

  static constexpr std::string_view kName = "radam";
  void visit(FieldVisitor& v);
  bool operator==(const RAdam&) const = default;
};

/// Lion (Chen et al. 2023), which PyTorch does not have: decoupled weight decay, and
///   w ← w − lr · sign(beta1 · m + (1 − beta1) · ∇),   then   m ← beta2 · m + (1 − beta2) · ∇
struct Lion {
  double lr = 1e-4;         ///< > 0
  double beta1 = 0.9;       ///< 0 <= beta1 < 1
  double beta2 = 0.99;      ///< 0 <= beta2 < 1
  double weight_decay = 0;  ///< >= 0, decoupled

  static constexpr std::string_view kName = "lion";
  void visit(FieldVisitor& v);
  bool operator==(const Lion&) const = default;
};

/// Muon (Jordan et al. 2024): for weights of a dense layer, outputs × inputs, and kernels of a convolution, seen as
/// matrices filters × (channels · height · width),
///   v ← momentum · v + (1 − momentum) · ∇,   u = v, with Nesterov's momentum (1 − momentum) · ∇ + momentum · v,
///   w ← w − lr · scale · NS(u)   and decoupled weight decay
/// NS brings all singular values of u near 1: X = u / max(‖u‖, ε), then ns_steps times X ← a·X + (b·A + c·A²)·X with
/// A = X·Xᵀ and a, b, c = ns_a, ns_b, ns_c; of a matrix with more rows than columns, all is transposed. The scale for
/// n rows and m columns is √max(1, n/m) ("original"), 0.2 · √max(n, m) ("match_rms_adamw") or √(n/m)
/// ("spectral_unclamped"). Biases and scales, whatever their shape, and weights of one axis get a step of AdamW, with
/// options of its own; the schedule multiplies both rates.
/// PyTorch's Muon computes NS in bfloat16 and takes matrices only; there lr 0.001 and weight_decay 0.1 are the
/// defaults.
struct Muon {
  double lr = 0.02;           ///< > 0
  double momentum = 0.95;     ///< 0 <= momentum < 1
  bool nesterov = true;       ///< Nesterov's momentum
  double weight_decay = 0.1;  ///< >= 0, decoupled
  std::int64_t ns_steps = 5;  ///< 0 … 99
  double ns_a = 3.4445;
  double ns_b = -4.775;
  double ns_c = 2.0315;
  double epsilon = 1e-7;                  ///< >= 1e-30
  std::string adjust_lr_fn = "original";  ///< the scale
  double adamw_lr = 0.001;                ///< > 0; of biases and scales
  double adamw_beta1 = 0.9;               ///< 0 <= adamw_beta1 < 1
  double adamw_beta2 = 0.999;             ///< 0 <= adamw_beta2 < 1
  double adamw_epsilon = 1e-8;            ///< >= 1e-30

  static constexpr std::string_view kName = "muon";
  void visit(FieldVisitor& v);
  bool operator==(const Muon&) const = default;
};

}  // namespace chalk
