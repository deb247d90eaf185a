// Winograd's transforms of a line, on lanes: F(4, 3), F(4, 5), and F(4, 3) with a stride of 2. Included once per
// instruction set, after <hwy/foreach_target.h>; hence no ordinary include guard.
#if defined(CHALKGRAD_CONV_WINOGRAD_LINES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CHALKGRAD_CONV_WINOGRAD_LINES_INL_H_
#undef CHALKGRAD_CONV_WINOGRAD_LINES_INL_H_
#else
#define CHALKGRAD_CONV_WINOGRAD_LINES_INL_H_
#endif

#include "src/base/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace chalk::HWY_NAMESPACE {

HWY_INLINE LaneVec all(float value) { return hn::Set(LaneTag(), value); }

constexpr int kTile = 4;  // places of z, in a row or column

/// The transforms of a line of F(4, r), for a kernel of r = kSize: Bᵀ, Aᵀ, G and the transposes of the last two. There
/// are as many points as places of x that a tile reads: kPatch = 3 · kStride + r.
template <int kKernel, int kStep = 1>
struct Filtering;

/// At the points 0, 1, −1, 2, −2, ∞.
template <>
struct Filtering<3> {
  static constexpr int kSize = 3, kStride = 1, kPatch = 6;

  /// v = Bᵀd:
  ///    4  0 −5  0  1  0
  ///    0 −4 −4  1  1  0
  ///    0  4 −4 −1  1  0
  ///    0 −2 −1  2  1  0
  ///    0  2 −1 −2  1  0
  ///    0  4  0 −5  0  1
  struct Patch {
    static constexpr int kFrom = kPatch, kTo = kPatch;
    static HWY_INLINE void map(const LaneVec (&d)[kPatch], LaneVec (&v)[kPatch]) {
      const auto even1 = fused(all(-4.0f), d[2], d[4]), odd1 = fused(all(-4.0f), d[1], d[3]);
      const auto even2 = hn::Sub(d[4], d[2]), odd2 = hn::Sub(d[3], d[1]);
      v[0] = fused(all(4.0f), d[0], fused(all(-5.0f), d[2], d[4]));
      v[1] = hn::Add(even1, odd1);
      v[2] = hn::Sub(even1, odd1);
      v[3] = fused(all(2.0f), odd2, even2);
      v[4] = fused(all(-2.0f), odd2, even2);
      v[5] = fused(all(4.0f), d[1], fused(all(-5.0f), d[3], d[5]));
    }
  };

  /// d = Bv, the transpose of Patch.
  struct PatchTransposed {
    static constexpr int kFrom = kPatch, kTo = kPatch;
    static HWY_INLINE void map(const LaneVec (&v)[kPatch], LaneVec (&d)[kPatch]) {
      const auto even1 = hn::Add(v[1], v[2]), odd1 = hn::Sub(v[1], v[2]);
      const auto even2 = hn::Add(v[3], v[4]), odd2 = hn::Sub(v[3], v[4]);
      d[0] = hn::Mul(all(4.0f), v[0]);
      d[1] = fused(all(4.0f), hn::Sub(v[5], odd1), hn::Mul(all(-2.0f), odd2));
      d[2] = fused(all(-5.0f), v[0], fused(all(-4.0f), even1, hn::Neg(even2)));
      d[3] = fused(all(-5.0f), v[5], fused(all(2.0f), odd2, odd1));
      d[4] = hn::Add(v[0], hn::Add(even1, even2));
      d[5] = v[5];
    }
  };

  /// z = Aᵀm:
  ///    1  1  1  1  1  0
  ///    0  1 −1  2 −2  0
  ///    0  1  1  4  4  0
  ///    0  1 −1  8 −8  1
  struct Places {
    static constexpr int kFrom = kPatch, kTo = kTile;
    static HWY_INLINE void map(const LaneVec (&m)[kPatch], LaneVec (&z)[kTile]) {
      const auto even1 = hn::Add(m[1], m[2]), odd1 = hn::Sub(m[1], m[2]);
      const auto even2 = hn::Add(m[3], m[4]), odd2 = hn::Sub(m[3], m[4]);
      z[0] = hn::Add(hn::Add(m[0], even1), even2);
      z[1] = fused(all(2.0f), odd2, odd1);
      z[2] = fused(all(4.0f), even2, even1);
      z[3] = hn::Add(fused(all(8.0f), odd2, odd1), m[5]);
    }
  };

  /// u = Gw:
  ///     1/4     0    0
  ///    −1/6  −1/6 −1/6
  ///    −1/6   1/6 −1/6
  ///    1/24  1/12  1/6
  ///    1/24 −1/12  1/6
  ///       0     0    1
  struct Weights {
    static constexpr int kFrom = 3, kTo = kPatch;
    static HWY_INLINE void map(const LaneVec (&w)[3], LaneVec (&u)[kPatch]) {
      const auto even1 = hn::Add(w[0], w[2]), even2 = fused(all(4.0f), w[2], w[0]);
      u[0] = hn::Mul(w[0], all(0.25f));
      u[1] = hn::Mul(hn::Add(even1, w[1]), all(-1.0f / 6));
      u[2] = hn::Mul(hn::Sub(w[1], even1), all(1.0f / 6));
      u[3] = hn::Mul(fused(all(2.0f), w[1], even2), all(1.0f / 24));
      u[4] = hn::Mul(fused(all(-2.0f), w[1], even2), all(1.0f / 24));
      u[5] = w[2];
    }
  };

  /// u = Ad, the transpose of Places.
  struct PlacesTransposed {
    static constexpr int kFrom = kTile, kTo = kPatch;
    static HWY_INLINE void map(const LaneVec (&d)[kTile], LaneVec (&u)[kPatch]) {
      const auto even1 = hn::Add(d[0], d[2]), odd1 = hn::Add(d[1], d[3]);
      const auto even2 = fused(all(4.0f), d[2], d[0]), odd2 = fused(all(4.0f), d[3], d[1]);
      u[0] = d[0];
      u[1] = hn::Add(even1, odd1);
      u[2] = hn::Sub(even1, odd1);
      u[3] = fused(all(2.0f), odd2, even2);
      u[4] = fused(all(-2.0f), odd2, even2);
      u[5] = d[3];
    }
  };

  /// w = Gᵀm, the transpose of Weights.
  struct WeightsTransposed {
    static constexpr int kFrom = kPatch, kTo = 3;
    static HWY_INLINE void map(const LaneVec (&m)[kPatch], LaneVec (&w)[3]) {
      const auto even1 = hn::Add(m[1], m[2]), odd1 = hn::Sub(m[2], m[1]);
      const auto even2 = hn::Add(m[3], m[4]), odd2 = hn::Sub(m[3], m[4]);
      w[0] = fused(all(0.25f), m[0], fused(all(-1.0f / 6), even1, hn::Mul(all(1.0f / 24), even2)));
      w[1] = fused(all(1.0f / 12), odd2, hn::Mul(all(1.0f / 6), odd1));
      w[2] = fused(all(1.0f / 6), hn::Sub(even2, even1), m[5]);
    }
  };
};

/// At the points 0, 1, −1, 2, −2, 1/2, −1/2, ∞; the rows of Aᵀ for ±1/2 are taken eightfold, those of G an eighth.
template <>
struct Filtering<5> {
  static constexpr int kSize = 5, kStride = 1, kPatch = 8;

  /// v = Bᵀd:
  ///    1     0 −21/4     0  21/4     0    −1     0
  ///    0     1     1 −17/4 −17/4     1     1     0
  ///    0    −1     1  17/4 −17/4    −1     1     0
  ///    0   1/2   1/4  −5/2  −5/4     2     1     0
  ///    0  −1/2   1/4   5/2  −5/4    −2     1     0
  ///    0     2     4  −5/2    −5   1/2     1     0
  ///    0    −2     4   5/2    −5  −1/2     1     0
  ///    0    −1     0  21/4     0 −21/4     0     1
  struct Patch {
    static constexpr int kFrom = kPatch, kTo = kPatch;
    static HWY_INLINE void map(const LaneVec (&d)[kPatch], LaneVec (&v)[kPatch]) {
      const auto even1 = fused(all(-4.25f), d[4], hn::Add(d[2], d[6]));
      const auto odd1 = fused(all(-4.25f), d[3], hn::Add(d[1], d[5]));
      const auto even2 = fused(all(0.25f), d[2], fused(all(-1.25f), d[4], d[6]));
      const auto odd2 = fused(all(0.25f), d[1], fused(all(-1.25f), d[3], d[5]));
      const auto even3 = fused(all(4.0f), d[2], fused(all(-5.0f), d[4], d[6]));
      const auto odd3 = fused(all(4.0f), d[1], fused(all(-5.0f), d[3], d[5]));
      v[0] = fused(all(5.25f), hn::Sub(d[4], d[2]), hn::Sub(d[0], d[6]));
      v[1] = hn::Add(even1, odd1);
      v[2] = hn::Sub(even1, odd1);
      v[3] = fused(all(2.0f), odd2, even2);
      v[4] = fused(all(-2.0f), odd2, even2);
      v[5] = fused(all(0.5f), odd3, even3);
      v[6] = fused(all(-0.5f), odd3, even3);
      v[7] = fused(all(5.25f), hn::Sub(d[3], d[5]), hn::Sub(d[7], d[1]));
    }
  };

  /// d = Bv, the transpose of Patch.
  struct PatchTransposed {
    static constexpr int kFrom = kPatch, kTo = kPatch;
    static HWY_INLINE void map(const LaneVec (&v)[kPatch], LaneVec (&d)[kPatch]) {
      const auto even1 = hn::Add(v[1], v[2]), odd1 = hn::Sub(v[1], v[2]);
      const auto even2 = hn::Add(v[3], v[4]), odd2 = hn::Sub(v[3], v[4]);
      const auto even3 = hn::Add(v[5], v[6]), odd3 = hn::Sub(v[5], v[6]);
      d[0] = v[0];
      d[1] = fused(all(2.0f), odd3, fused(all(0.5f), odd2, hn::Sub(odd1, v[7])));
      d[2] = fused(all(4.0f), even3, fused(all(0.25f), even2, fused(all(-5.25f), v[0], even1)));
      d[3] = fused(all(5.25f), v[7], fused(all(-4.25f), odd1, hn::Mul(all(-2.5f), hn::Add(odd2, odd3))));
      d[4] = fused(all(5.25f), v[0], fused(all(-4.25f), even1, fused(all(-1.25f), even2, hn::Mul(all(-5.0f), even3))));
      d[5] = fused(all(0.5f), odd3, fused(all(2.0f), odd2, fused(all(-5.25f), v[7], odd1)));
      d[6] = hn::Add(hn::Sub(even1, v[0]), hn::Add(even2, even3));
      d[7] = v[7];
    }
  };

  /// z = Aᵀm:
  ///    1  1  1  1  1  8  8  0
  ///    0  1 −1  2 −2  4 −4  0
  ///    0  1  1  4  4  2  2  0
  ///    0  1 −1  8 −8  1 −1  1
  struct Places {
    static constexpr int kFrom = kPatch, kTo = kTile;
    static HWY_INLINE void map(const LaneVec (&m)[kPatch], LaneVec (&z)[kTile]) {
      const auto even1 = hn::Add(m[1], m[2]), odd1 = hn::Sub(m[1], m[2]);
      const auto even2 = hn::Add(m[3], m[4]), odd2 = hn::Sub(m[3], m[4]);
      const auto even3 = hn::Add(m[5], m[6]), odd3 = hn::Sub(m[5], m[6]);
      z[0] = fused(all(8.0f), even3, hn::Add(hn::Add(m[0], even1), even2));
      z[1] = fused(all(4.0f), odd3, fused(all(2.0f), odd2, odd1));
      z[2] = fused(all(2.0f), even3, fused(all(4.0f), even2, even1));
      z[3] = hn::Add(fused(all(8.0f), odd2, odd1), hn::Add(odd3, m[7]));
    }
  };

  /// u = Gw:
  ///        1      0     0      0      0
  ///     −2/9   −2/9  −2/9   −2/9   −2/9
  ///     −2/9    2/9  −2/9    2/9   −2/9
  ///     1/90   1/45  2/45   4/45   8/45
  ///     1/90  −1/45  2/45  −4/45   8/45
  ///     4/45   2/45  1/45   1/90  1/180
  ///     4/45  −2/45  1/45  −1/90  1/180
  ///        0      0     0      0      1
  struct Weights {
    static constexpr int kFrom = 5, kTo = kPatch;
    static HWY_INLINE void map(const LaneVec (&w)[5], LaneVec (&u)[kPatch]) {
      const auto even1 = hn::Add(hn::Add(w[0], w[2]), w[4]), odd1 = hn::Add(w[1], w[3]);
      const auto even2 = fused(all(16.0f), w[4], fused(all(4.0f), w[2], w[0])), odd2 = fused(all(4.0f), w[3], w[1]);
      const auto even3 = fused(all(16.0f), w[0], fused(all(4.0f), w[2], w[4])), odd3 = fused(all(4.0f), w[1], w[3]);
      u[0] = w[0];
      u[1] = hn::Mul(hn::Add(even1, odd1), all(-2.0f / 9));
      u[2] = hn::Mul(hn::Sub(odd1, even1), all(2.0f / 9));
      u[3] = hn::Mul(fused(all(2.0f), odd2, even2), all(1.0f / 90));
      u[4] = hn::Mul(fused(all(-2.0f), odd2, even2), all(1.0f / 90));
      u[5] = hn::Mul(fused(all(2.0f), odd3, even3), all(1.0f / 180));
      u[6] = hn::Mul(fused(all(-2.0f), odd3, even3), all(1.0f / 180));
      u[7] = w[4];
    }
  };

  /// u = Ad, the transpose of Places.
  struct PlacesTransposed {
    static constexpr int kFrom = kTile, kTo = kPatch;
    static HWY_INLINE void map(const LaneVec (&d)[kTile], LaneVec (&u)[kPatch]) {
      const auto even1 = hn::Add(d[0], d[2]), odd1 = hn::Add(d[1], d[3]);
      const auto even2 = fused(all(4.0f), d[2], d[0]), odd2 = fused(all(4.0f), d[3], d[1]);
      const auto half_even3 = fused(all(4.0f), d[0], d[2]), odd3 = fused(all(4.0f), d[1], d[3]);
      u[0] = d[0];
      u[1] = hn::Add(even1, odd1);
      u[2] = hn::Sub(even1, odd1);
      u[3] = fused(all(2.0f), odd2, even2);
      u[4] = fused(all(-2.0f), odd2, even2);
      u[5] = fused(all(2.0f), half_even3, odd3);
      u[6] = fused(all(2.0f), half_even3, hn::Neg(odd3));
      u[7] = d[3];
    }
  };

  /// w = Gᵀm, the transpose of Weights.
  struct WeightsTransposed {
    static constexpr int kFrom = kPatch, kTo = 5;
    static HWY_INLINE void map(const LaneVec (&m)[kPatch], LaneVec (&w)[5]) {
      const auto even1 = hn::Mul(hn::Add(m[1], m[2]), all(-2.0f / 9));
      const auto odd1 = hn::Mul(hn::Sub(m[2], m[1]), all(2.0f / 9));
      const auto even2 = hn::Mul(hn::Add(m[3], m[4]), all(1.0f / 90));
      const auto odd2 = hn::Mul(hn::Sub(m[3], m[4]), all(1.0f / 90));
      const auto even3 = hn::Mul(hn::Add(m[5], m[6]), all(1.0f / 180));
      const auto odd3 = hn::Mul(hn::Sub(m[5], m[6]), all(1.0f / 180));
      w[0] = fused(all(16.0f), even3, hn::Add(hn::Add(m[0], even1), even2));
      w[1] = fused(all(8.0f), odd3, fused(all(2.0f), odd2, odd1));
      w[2] = fused(all(4.0f), hn::Add(even2, even3), even1);
      w[3] = fused(all(8.0f), odd2, fused(all(2.0f), odd3, odd1));
      w[4] = hn::Add(fused(all(16.0f), even2, even1), hn::Add(even3, m[7]));
    }
  };
};

/// With a stride of 2, the first and the last weight meet the even places of x, by F(4, 2) at the points 0, 1, −1, 2,
/// ∞, and the middle one the odd places, place by place: of the nine points, the first five and the last four.
template <>
struct Filtering<3, 2> {
  static constexpr int kSize = 3, kStride = 2, kPatch = 9;

  /// v = Bᵀd, of the even places:
  ///    2 −1 −2  1  0
  ///    0 −2 −1  1  0
  ///    0  2 −3  1  0
  ///    0 −1  0  1  0
  ///    0  2 −1 −2  1
  struct Patch {
    static constexpr int kFrom = kPatch, kTo = kPatch;
    static HWY_INLINE void map(const LaneVec (&d)[kPatch], LaneVec (&v)[kPatch]) {
      const auto ends = hn::Sub(d[6], d[2]);
      v[0] = fused(all(2.0f), hn::Sub(d[0], d[4]), ends);
      v[1] = fused(all(-2.0f), d[2], hn::Sub(d[6], d[4]));
      v[2] = fused(all(2.0f), d[2], fused(all(-3.0f), d[4], d[6]));
      v[3] = ends;
      v[4] = fused(all(-2.0f), ends, hn::Sub(d[8], d[4]));
      CHALKGRAD_UNROLL
      for (int i = 0; i < kTile; ++i) v[5 + i] = d[2 * i + 1];
    }
  };

  /// d = Bv, the transpose of Patch.
  struct PatchTransposed {
    static constexpr int kFrom = kPatch, kTo = kPatch;
    static HWY_INLINE void map(const LaneVec (&v)[kPatch], LaneVec (&d)[kPatch]) {
      const auto ends = fused(all(-2.0f), v[4], hn::Add(v[0], v[3]));
      d[0] = hn::Mul(all(2.0f), v[0]);
      d[2] = fused(all(2.0f), hn::Sub(v[2], v[1]), hn::Neg(ends));
      d[4] = fused(all(-2.0f), v[0], fused(all(-3.0f), v[2], hn::Neg(hn::Add(v[1], v[4]))));
      d[6] = hn::Add(ends, hn::Add(v[1], v[2]));
      d[8] = v[4];
      CHALKGRAD_UNROLL
      for (int i = 0; i < kTile; ++i) d[2 * i + 1] = v[5 + i];
    }
  };

  /// z = Aᵀm, of the first five points:
  ///    1  1  1  1  0
  ///    0  1 −1  2  0
  ///    0  1  1  4  0
  ///    0  1 −1  8  1
  struct Places {
    static constexpr int kFrom = kPatch, kTo = kTile;
    static HWY_INLINE void map(const LaneVec (&m)[kPatch], LaneVec (&z)[kTile]) {
      const auto even = hn::Add(m[1], m[2]), odd = hn::Sub(m[1], m[2]);
      z[0] = hn::Add(hn::Add(hn::Add(m[0], m[3]), even), m[5]);
      z[1] = hn::Add(fused(all(2.0f), m[3], odd), m[6]);
      z[2] = hn::Add(fused(all(4.0f), m[3], even), m[7]);
      z[3] = hn::Add(hn::Add(fused(all(8.0f), m[3], odd), m[4]), m[8]);
    }
  };

  /// u = Gw, of the first and the last weight:
  ///     1/2    0
  ///    −1/2 −1/2
  ///    −1/6  1/6
  ///     1/6  1/3
  ///       0    1
  /// and then the middle one, once for the last four points.
  struct Weights {
    static constexpr int kFrom = 3, kTo = 6;
    static HWY_INLINE void map(const LaneVec (&w)[3], LaneVec (&u)[kTo]) {
      u[0] = hn::Mul(w[0], all(0.5f));
      u[1] = hn::Mul(hn::Add(w[0], w[2]), all(-0.5f));
      u[2] = hn::Mul(hn::Sub(w[2], w[0]), all(1.0f / 6));
      u[3] = hn::Mul(fused(all(2.0f), w[2], w[0]), all(1.0f / 6));
      u[4] = w[2];
      u[5] = w[1];
    }
  };

  /// u = Ad, the transpose of Places.
  struct PlacesTransposed {
    static constexpr int kFrom = kTile, kTo = kPatch;
    static HWY_INLINE void map(const LaneVec (&d)[kTile], LaneVec (&u)[kPatch]) {
      const auto even = hn::Add(d[0], d[2]), odd = hn::Add(d[1], d[3]);
      u[0] = d[0];
      u[1] = hn::Add(even, odd);
      u[2] = hn::Sub(even, odd);
      u[3] = fused(all(2.0f), fused(all(4.0f), d[3], d[1]), fused(all(4.0f), d[2], d[0]));
      u[4] = d[3];
      CHALKGRAD_UNROLL
      for (int i = 0; i < kTile; ++i) u[5 + i] = d[i];
    }
  };

  /// w = Gᵀm, the transpose of Weights; the last of m is a sum of four points.
  struct WeightsTransposed {
    static constexpr int kFrom = 6, kTo = 3;
    static HWY_INLINE void map(const LaneVec (&m)[kFrom], LaneVec (&w)[3]) {
      w[0] = fused(all(0.5f), hn::Sub(m[0], m[1]), hn::Mul(all(1.0f / 6), hn::Sub(m[3], m[2])));
      w[1] = m[5];
      w[2] = fused(all(-0.5f), m[1], fused(all(1.0f / 6), fused(all(2.0f), m[3], m[2]), m[4]));
    }
  };
};

/// run(Filtering) for a kernel and a stride.
template <class Run>
HWY_INLINE void with_filtering(std::int64_t kernel, std::int64_t stride, const Run& run) {
  if (stride == 2) {
    run(Filtering<3, 2>());
  } else if (kernel == 3) {
    run(Filtering<3>());
  } else {
    run(Filtering<5>());
  }
}

}  // namespace chalk::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
