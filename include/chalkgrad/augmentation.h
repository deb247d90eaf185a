// Augmentations as values: which are done, in which order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chalkgrad/attributes.h"

namespace chalk {

struct Dataset;

/// An augmentation with its parameters: any of the structs in augmentations.h.
class Augmentation {
 public:
  template <class T>
  requires requires(T t, FieldVisitor& v) {
    t.visit(v);
    T::kName;
  }
  Augmentation(T parameters)  // NOLINT: its parameters are the augmentation
      : name_(T::kName), parameters_(std::move(parameters)) {}

  std::string_view name() const { return name_; }
  const Attributes& parameters() const { return parameters_; }
  bool operator==(const Augmentation&) const = default;

 private:
  friend class Augmentations;
  Augmentation(std::string_view name, Attributes parameters) : name_(name), parameters_(std::move(parameters)) {}
  std::string_view name_;
  Attributes parameters_;
};

/// Augmentations in the order in which they are done; empty: pictures are trained on as they are.
class Augmentations {
 public:
  Augmentations() = default;
  Augmentations(std::vector<Augmentation> list) : list_(std::move(list)) {}  // NOLINT: a list of them is that

  /// "flip,shift:4,border=reflect,cutout:8": names, each with its parameters behind a colon, NAME:VALUE,…,PARAMETER=
  /// VALUE,…, as schedules are written; a number, or a parameter with its name, belongs to the augmentation before it.
  /// "" and "none" are no augmentations. Throws InputError saying what is allowed.
  static Augmentations parse(std::string_view text);
  /// All names, in the order of the list.
  static std::span<const std::string_view> names();
  /// How they are written: "shift:PIXELS".
  static std::vector<std::string> forms();

  const std::vector<Augmentation>& list() const { return list_; }
  bool empty() const { return list_.empty(); }
  /// Whether samples are mixed with others, and so their targets.
  bool mixes() const;
  /// Whether they begin with the picture as it is in its file, before it is brought to the size of the samples.
  bool of_files() const;
  /// parse(text()) is the same list.
  std::string text() const;
  /// Throws InputError naming a parameter that is out of its range.
  void check() const;
  /// Throws InputError if they cannot be done to these samples: to vectors, for example, or hue to grey pictures, or
  /// parts of files to those that have none.
  void check(const Dataset& data) const;
  /// How many views of a picture test-time augmentation by them looks at: flip and vflip have two, with the weights
  /// 1 − p and p; shift three, as it is with weight 1/2 and moved by all its pixels down and to the right, and up and
  /// to the left, with 1/4 each; and each shows all of its views of each view of those before it in the list. Views
  /// that weigh nothing are left out. Noise that fills is the same for all samples. No augmentations: 1, the picture as
  /// it is. Throws InputError for one that has no such views, and for more than 100 in all.
  std::size_t views() const;
  bool operator==(const Augmentations&) const = default;

 private:
  std::vector<Augmentation> list_;
};

/// The data as a run with this seed is trained on them in an epoch (0, 1, …), sample by sample. If samples are mixed,
/// targets take the place of labels. Not in memory if the data are not. Throws InputError.
Dataset augmented(const Dataset& data, const Augmentations& augmentations, std::uint64_t seed, std::int64_t epoch);

}  // namespace chalk
