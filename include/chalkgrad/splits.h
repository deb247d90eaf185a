// Which samples are trained on, which judge: shares that are held out, lists of samples, and folds.
//
// What is chosen depends on the seed given here (0 if none is), on the number of samples and, where classes matter, on
// the labels, and on nothing else: not on a run's seed, nor on threads. So runs with other seeds are judged alike.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "chalkgrad/data.h"

namespace chalk {

/// A share of the samples: round(share · N) of them (half away from 0), at least 1 and at most N − 1.
struct HoldOut {
  double share = 0.1;  ///< above 0 and below 1
  /// Each class in proportion: of n samples of a class, q = taken · n / N rounded down, and one more of those classes
  /// whose q lost most by that (of equals, those that come first), until there are as many as without it.
  /// scikit-learn's train_test_split(stratify=…) rounds so, too, but draws among equals, and refuses a class of one
  /// sample.
  bool stratified = false;
  std::uint64_t seed = 0;  ///< below 2^63

  /// "0.1", "0.1,stratified", "0.1,stratified,seed=3". Throws InputError.
  static HoldOut parse(std::string_view text);
  std::string text() const;
  bool operator==(const HoldOut&) const = default;
};
/// `train` are the others, `test` those that were taken, both in their old order. Throws InputError for fewer than 2
/// samples, and where data that have no labels are to be stratified.
Split hold_out(const Dataset& data, const HoldOut& how);
/// The same with the samples that a file names, a line each: by number, from 0, or by as much of the end of its file's
/// path as makes it one, whole names of folders and the file's ("cat/7.png"). Throws InputError naming file and line.
Split hold_out_listed(const Dataset& data, const std::string& file);

/// One fold of a cross-validation.
struct Fold {
  int number = 1, of = 5;  ///< 1 … of; 2 … 1000
  bool plain = false;      ///< dealt without regard to classes
  std::uint64_t seed = 0;  ///< below 2^63

  /// "2/5", "2/5,seed=3", "2/5,plain". Throws InputError.
  static Fold parse(std::string_view text);
  /// "5" and the same options: of all folds, the first.
  static Fold parse_all(std::string_view text);
  std::string text() const;
  bool operator==(const Fold&) const = default;
};
/// `test` is the fold, `train` all other samples, both in their old order. The samples are shuffled, those of each
/// class by themselves (unless data have no labels, or `plain`), and dealt to the folds one by one, class after class:
/// each sample is in one fold, and folds differ in size by at most one sample, in all and of every class.
///
/// scikit-learn's StratifiedKFold has as many samples of each class in each fold, if the classes are in the order in
/// which they first appear; it shuffles only if asked to, warns where we refuse a class of fewer samples than folds,
/// and refuses only if that is so of all classes. Which samples of a class are in a fold differs in any case.
///
/// Throws InputError for more folds than samples, and for a class of fewer samples than folds.
Split fold_of(const Dataset& data, const Fold& fold);

/// What judges the epochs of a run.
struct Validation {
  enum class Kind : std::uint8_t { test, share, samples, source, val };
  Kind kind = Kind::test;
  HoldOut share{};
  std::string text_of{};  ///< the file of `samples`, or the source as load_dataset() knows it

  /// "test", a HoldOut, "samples:FILE", "mnist:FOLDER" and the like, or "val". Throws InputError.
  static Validation parse(std::string_view text);
  std::string text() const;
  /// What `val` is of the data that a source names: the part `val` (or `valid`, or `validation`) of a folder, as a
  /// source that has it as its test part; `test` if that is the data's test part already. Others are what they are.
  /// Throws InputError for data that have no such part.
  Validation of_data(const std::string& source) const;
  /// Whether it takes samples away from those that are trained on.
  bool holds_out() const { return kind == Kind::share || kind == Kind::samples; }
};
/// For a validation that holds out.
Split hold_out(const Dataset& data, const Validation& how);

}  // namespace chalk
