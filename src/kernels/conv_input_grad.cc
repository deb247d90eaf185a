// dx from dz, a row of x at a time: every row of z that was made from it is gathered.
#include <algorithm>
#include <cstring>

#include "src/kernels/conv_direct.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/kernels/conv_input_grad.cc"
#include <hwy/foreach_target.h>

#include "src/kernels/conv_tile-inl.h"

#ifndef CHALKGRAD_CONV_INPUT_GRAD_ONCE_
#define CHALKGRAD_CONV_INPUT_GRAD_ONCE_
namespace chalk {
namespace {

/// How a shape is gone about. Rows are copied to where they are contiguous, [channel][column], since in an
/// activation a row's channels lie a plane apart, which is bad for caches when a plane's size is a power of two.
struct InputGradPlan {
  std::int64_t z_rows;                            // of z are read for one row of x; row p is kept in slot p mod z_rows
  Interval inner;                                 // columns of x that every b reaches
  std::int64_t table_floats, z_floats, x_floats;  // scratch, in this order
};

InputGradPlan plan_input_grad(const ConvShape& s) {
  InputGradPlan p;
  p.z_rows = (s.kernel_h - 1) * s.dilation_h / s.stride_h + 1;
  p.inner = {std::max<std::int64_t>((s.kernel_w - 1) * s.dilation_w - s.pad_w, 0),
             std::min(s.out_w - s.pad_w, s.width)};
  // The inner columns are worth their own pass if they leave few others, since those make narrow tiles.
  if (s.stride_w > 1 || 4 * p.inner.size() < 3 * s.width) p.inner = {0, 0};
  const std::int64_t taps = (std::min(s.kernel_h, p.z_rows) * s.kernel_w + 1) * (s.filters / s.groups);
  p.table_floats = (2 * taps + 15) / 16 * 16;  // offsets are 64-bit
  p.z_floats = p.z_rows * s.filters * s.out_w * 16;
  p.x_floats = s.channels * s.width * 16;
  return p;
}

}  // namespace
}  // namespace chalk
#endif

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {

/// ⌈n / d⌉ for n of any sign and d > 0.
HWY_INLINE std::int64_t ceil_div(std::int64_t n, std::int64_t d) { return n > 0 ? (n + d - 1) / d : -(-n / d); }

// Each sum runs over (p, b, o). No product with a zero of the padding or between the strides is computed. Either most
// columns of x are inner ones: these go through the taps of all p and b at once, and each of the few at the edges
// through those of each p. Or else sums go to memory and back for each (p, b), and those columns take part that this b
// reaches.
class InputGrad {
 public:
  InputGrad(const ConvShape& s, const InputGradPlan& plan, const float* dz, const float* packed, float* scratch)
      : s_(s),
        plan_(plan),
        filters_(s.filters / s.groups),
        channels_(s.channels / s.groups),
        dz_(dz),
        packed_(packed),
        filter_taps_(reinterpret_cast<std::int64_t*>(scratch)),
        inner_taps_(filter_taps_ + filters_),
        z_(scratch + plan_.table_floats),
        x_(z_ + plan_.z_floats) {
    for (std::int64_t o = 0; o < filters_; ++o) filter_taps_[o] = o * s.out_w * kLanes;
  }

  /// Some rows of x.
  void run(const Interval& rows, float* dx) {
    const std::int64_t row = s_.width * kLanes;
    for (std::int64_t h = rows.begin; h < rows.end; ++h) {
      std::fill(x_, x_ + s_.channels * row, 0.0f);
      add_row(h);
      for (std::int64_t c = 0; c < s_.channels; ++c) {
        std::memcpy(dx + (c * s_.height + h) * row, x_ + c * row, static_cast<std::size_t>(row) * sizeof(float));
      }
    }
  }

 private:
  void add_row(std::int64_t h) {
    const std::int64_t reach = h + s_.pad_h;  // row p meets the kernel's row a if p·stride + a·dilation is this
    const std::int64_t last = std::min(s_.out_h - 1, reach / s_.stride_h);
    std::int64_t p = std::max<std::int64_t>(0, ceil_div(reach - (s_.kernel_h - 1) * s_.dilation_h, s_.stride_h));
    next_row_ = std::max(next_row_, p);
    while (next_row_ <= last) bring(next_row_++);
    std::int64_t first_a = 0, count = 0;  // rows of the kernel whose taps are listed: first_a, first_a − 1, …
    for (; p <= last; ++p) {
      const std::int64_t a = (reach - p * s_.stride_h) / s_.dilation_h;
      if (a * s_.dilation_h != reach - p * s_.stride_h) continue;
      if (plan_.inner.size() == 0) {
        add_columns(p, a);
        continue;
      }
      if (count > 0 && a != first_a - count) {
        add_inner(first_a, count);
        count = 0;
      }
      if (count == 0) first_a = a;
      list_taps(p, count);
      for (std::int64_t w = 0; w < plan_.inner.begin; ++w) add_edge(w, a, count);
      for (std::int64_t w = plan_.inner.end; w < s_.width; ++w) add_edge(w, a, count);
      ++count;
    }
    if (count > 0) add_inner(first_a, count);
  }

  /// Copies row p of z to its slot.
  void bring(std::int64_t p) {
    const std::int64_t row = s_.out_w * kLanes;
    float* to = slot(p);
    for (std::int64_t o = 0; o < s_.filters; ++o) {
      std::memcpy(to + o * row, dz_ + (o * s_.out_h + p) * row, static_cast<std::size_t>(row) * sizeof(float));
    }
  }
  float* slot(std::int64_t p) { return z_ + p % plan_.z_rows * s_.filters * s_.out_w * kLanes; }

  /// Where the inner columns find row p of z, as the nth row of taps.
  void list_taps(std::int64_t p, std::int64_t nth) {
    std::int64_t* tap = inner_taps_ + nth * s_.kernel_w * filters_;
    for (std::int64_t b = 0; b < s_.kernel_w; ++b) {
      const std::int64_t from = slot(p) - z_ + (s_.pad_w - b * s_.dilation_w) * kLanes;
      for (std::int64_t o = 0; o < filters_; ++o) *tap++ = from + o * s_.out_w * kLanes;
    }
  }

  /// Goes on with t, of which x, z and taps are set, for all channels of all groups. A column of z is read for `reuse`
  /// columns of x.
  void add(ConvTile t, std::int64_t a, std::int64_t b, std::int64_t columns, std::int64_t reuse) {
    const std::int64_t w_block = s_.kernel_h * s_.kernel_w * filters_ * kWeightBlock;
    const std::int64_t blocks = (channels_ + kWeightBlock - 1) / kWeightBlock;
    t.w = packed_ + ((s_.kernel_h - 1 - a) * s_.kernel_w + b) * filters_ * kWeightBlock;
    t.x_step = kLanes;
    t.w_block = w_block;
    t.z_plane = s_.width * kLanes;
    t.z_step = s_.stride_w * kLanes;
    t.accumulate = true;
    const std::int64_t chunk = row_chunk(columns, t.tap_count / reuse);
    for (std::int64_t group = 0; group < s_.groups; ++group) {
      run_row(t, channels_, columns, chunk);
      t.x += filters_ * s_.out_w * kLanes;
      t.w += blocks * w_block;
      t.z += channels_ * t.z_plane;
    }
  }

  void add_inner(std::int64_t a, std::int64_t count) {
    ConvTile t{};
    t.x = z_ + plan_.inner.begin * kLanes;
    t.taps = inner_taps_;
    t.tap_count = count * s_.kernel_w * filters_;
    t.z = x_ + plan_.inner.begin * kLanes;
    add(t, a, 0, plan_.inner.size(), s_.kernel_w);
  }

  /// Adds the nth row of taps, with row a of the kernel, to column w, which only some b reach.
  void add_edge(std::int64_t w, std::int64_t a, std::int64_t nth) {
    const std::int64_t reach = w + s_.pad_w;
    const std::int64_t first = std::max<std::int64_t>(ceil_div(reach - s_.out_w + 1, s_.dilation_w), 0);
    const std::int64_t last = std::min(reach / s_.dilation_w, s_.kernel_w - 1);
    if (first > last) return;
    ConvTile t{};
    t.x = z_ + w * kLanes;
    t.taps = inner_taps_ + (nth * s_.kernel_w + first) * filters_;
    t.tap_count = (last - first + 1) * filters_;
    t.z = x_ + w * kLanes;
    add(t, a, first, 1, 1);
  }

  /// Adds what row p of z gives to a row of x through row a of the kernel, b by b.
  void add_columns(std::int64_t p, std::int64_t a) {
    for (std::int64_t b = 0; b < s_.kernel_w; ++b) {
      const std::int64_t shift = b * s_.dilation_w - s_.pad_w;  // column q of z meets column q·stride + shift of x
      const Interval q{std::max<std::int64_t>(ceil_div(-shift, s_.stride_w), 0),
                       std::min(ceil_div(s_.width - shift, s_.stride_w), s_.out_w)};
      if (q.size() == 0) continue;
      ConvTile t{};
      t.x = slot(p) + q.begin * kLanes;
      t.taps = filter_taps_;
      t.tap_count = filters_;
      t.z = x_ + (q.begin * s_.stride_w + shift) * kLanes;
      add(t, a, b, q.size(), 1);
    }
  }

  const ConvShape& s_;
  const InputGradPlan plan_;
  const std::int64_t filters_, channels_;  // of a group
  const float* const dz_;
  const float* const packed_;
  std::int64_t* const filter_taps_;  // of one (p, b)
  std::int64_t* const inner_taps_;   // of some rows p and all b
  float* const z_;
  float* const x_;
  std::int64_t next_row_ = 0;  // of z, to be brought to its slot
};

void direct_input_grad(const ConvShape& s, const InputGradPlan& plan, const float* dz, const float* packed, float* dx,
                       float* scratch, Share share) {
  InputGrad(s, plan, dz, packed, scratch).run(share.of(s.height), dx);
}

}  // namespace chalk::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace chalk {
CHALK_EXPORT(direct_input_grad);
namespace {

class DirectInputGrad : public ConvInputGrad {
 public:
  explicit DirectInputGrad(const ConvShape& s) : s_(s), plan_(plan_input_grad(s)) {
    const std::int64_t blocks = (s.channels / s.groups + 3) / 4;
    packed = static_cast<std::size_t>(s.kernel_h * s.kernel_w * s.groups * blocks * (s.filters / s.groups) * 4);
    scratch = static_cast<std::size_t>(plan_.table_floats + plan_.z_floats + plan_.x_floats);
    shares = worth_sharing(s.filters * s.channels / s.groups * s.kernel_h * s.kernel_w * s.out_h * s.out_w, s.height);
  }

  // [group][channel / 4][a, the last row first][b][filter][4], with zeros for the channels that fill up a block of 4.
  void pack(const float* w, float* to, Share share) const override {
    const ConvShape& s = s_;
    const std::int64_t filters = s.filters / s.groups, channels = s.channels / s.groups, blocks = (channels + 3) / 4;
    const Interval some = share.of(s.groups * blocks);
    to += some.begin * s.kernel_h * s.kernel_w * filters * 4;
    for (std::int64_t block = some.begin; block < some.end; ++block) {
      const std::int64_t g = block / blocks, c = block % blocks * 4;
      for (std::int64_t a = s.kernel_h - 1; a >= 0; --a) {
        for (std::int64_t b = 0; b < s.kernel_w; ++b) {
          for (std::int64_t o = g * filters; o < (g + 1) * filters; ++o) {
            for (std::int64_t i = c; i < c + 4; ++i) {
              *to++ = i < channels ? w[((o * channels + i) * s.kernel_h + a) * s.kernel_w + b] : 0.0f;
            }
          }
        }
      }
    }
  }
  void run(const float* dz, const float* from, float* dx, float* room, Share share) const override {
    CHALK_CHOSEN(direct_input_grad)(s_, plan_, dz, from, dx, room, share);
  }

 private:
  ConvShape s_;
  InputGradPlan plan_;
};

}  // namespace

std::unique_ptr<const ConvInputGrad> plan_direct_input_grad(const ConvShape& s) {
  return std::make_unique<DirectInputGrad>(s);
}

}  // namespace chalk
#endif
