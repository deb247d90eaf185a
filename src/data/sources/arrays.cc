// Arrays of NumPy and the matrices of small NORB.
#include "src/data/arrays.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <system_error>

#include "chalkgrad/error.h"
#include "src/base/text.h"
#include "src/base/wording.h"
#include "src/data/source_options.h"
#include "src/data/sources/source.h"

namespace chalk {
namespace {

namespace fs = std::filesystem;

/// The arrays of both parts; a part without samples has empty ones.
struct Both {
  NamedArray x_train, y_train, x_test, y_test;
};

Split split_of(Both both, const ArrayOptions& own, const std::string& source, const LoadOptions& options,
               const std::vector<std::string>& names = {}) {
  Split split;
  const auto x_train = both.x_train.name, x_test = both.x_test.name;
  const auto is_there = [](const NamedArray& y) { return !y.name.empty(); };
  if (is_there(both.y_train)) split.train = samples_of(std::move(both.x_train), both.y_train, own, source, split);
  if (is_there(both.y_test)) split.test = samples_of(std::move(both.x_test), both.y_test, own, source, split);
  if (is_there(both.y_train) && is_there(both.y_test) &&
      (split.train.sample != split.test.sample || split.train.target != split.test.target ||
       split.train.bytes.empty() != split.test.bytes.empty())) {
    throw InputError(str(x_test, ": its samples or targets have another shape or type than those of ", x_train,
                         "; the arrays do not belong together"));
  }
  name_classes(split, both.y_train, both.y_test, options, names);
  if (options.parts == Parts::test) split.train = {};
  if (!split.train.bytes.empty() || !split.test.bytes.empty()) normalise(split);
  for (const auto* data : {&split.train, &split.test}) {
    if (data->size() > 0) data->check();
  }
  return split;
}

/// Which parts have to be read: the training part decides about classes, unless a network knows them.
bool needs_training(const LoadOptions& options) { return options.parts != Parts::test || options.classes.empty(); }
bool needs_test(const LoadOptions& options) { return options.parts != Parts::training; }

[[noreturn]] void fail_without_test(const std::string& path, const char* advice) {
  throw InputError(str(path, ": all of it is the training part; ", advice, ", or give --part train"));
}

// ---- npz

struct NpzOptions : ArrayOptions {
  std::string x, y, x_test, y_test;
  void visit(FieldVisitor& v) {
    v.field({"x", {}, "the array of the samples, by name (without it, one of the usual names)"}, x);
    v.field({"y", {}, "the array of the labels"}, y);
    v.field({"x_test", {}, "the array of the test samples"}, x_test);
    v.field({"y_test", {}, "the array of the test labels"}, y_test);
    visit_arrays(v);
  }
};

/// Names that people give to samples and labels, and to those of the test part.
constexpr std::array<std::array<const char*, 4>, 9> kUsualNames = {
    {{"x_train", "y_train", "x_test", "y_test"},
     {"X_train", "y_train", "X_test", "y_test"},
     {"train_images", "train_labels", "test_images", "test_labels"},
     {"x", "y", "", ""},
     {"X", "y", "", ""},
     {"images", "labels", "", ""},
     {"data", "target", "", ""},
     {"data", "labels", "", ""},
     {"arr_0", "arr_1", "arr_2", "arr_3"}}};

void choose_names(NpzOptions& own, const NpzReader& archive, const std::string& path) {
  if (own.x.empty() != own.y.empty() || own.x_test.empty() != own.y_test.empty()) {
    throw InputError(str(path, ": one of the options x and y, or x-test and y-test, is given alone; give both"));
  }
  if (!own.x.empty()) return;
  for (const auto& [x, y, x_test, y_test] : kUsualNames) {
    if (!archive.has(x) || !archive.has(y)) continue;
    own.x = x;
    own.y = y;
    if (own.x_test.empty() && archive.has(x_test) && archive.has(y_test)) {
      own.x_test = x_test;
      own.y_test = y_test;
    }
    return;
  }
  throw InputError(str(path,
                       ": which of its arrays are samples and labels? Say it by the options x=NAME,y=NAME; they are ",
                       alternatives(archive.names(), " and ")));
}

Split load_npz(const std::string& argument, const LoadOptions& options) {
  NpzOptions own;
  const auto path = take_options("npz", argument, own);
  const auto bytes = read_unpacked(path);
  const NpzReader archive(bytes, path);
  choose_names(own, archive, path);
  if (options.parts == Parts::test && own.x_test.empty()) {
    fail_without_test(path, "name arrays of the test part by x-test=NAME,y-test=NAME");
  }
  const auto named = [&](const std::string& name) {
    return NamedArray{archive.read(name), str(path, ", array ", in_quotes(name))};
  };
  Both both;
  if (needs_training(options)) {
    both.x_train = named(own.x);
    both.y_train = named(own.y);
  }
  if (needs_test(options) && !own.x_test.empty()) {
    both.x_test = named(own.x_test);
    both.y_test = named(own.y_test);
  }
  auto split = split_of(std::move(both), own, "npz", options);
  split.remarks.push_back(str("the samples are ", in_quotes(own.x), ", the ",
                              split.train.targets.empty() && split.test.targets.empty() ? "labels " : "targets ",
                              in_quotes(own.y)));
  return split;
}

// ---- pairs of files

struct PairOptions : ArrayOptions {
  std::string labels, test, test_labels;
  void visit(FieldVisitor& v) {
    v.field({"labels", {}, "the file of the labels, or of numbers to learn"}, labels);
    v.field({"test", {}, "the file of the test samples"}, test);
    v.field({"test_labels", {}, "the file of the test labels"}, test_labels);
    visit_arrays(v);
  }
};

using Parse = Array (*)(std::span<const std::uint8_t>, std::string_view);

NamedArray read_array(const fs::path& path, Parse parse) {
  return {parse(read_unpacked(path), path.string()), path.string()};
}

Split load_pair(const char* word, Parse parse, const std::string& argument, const LoadOptions& options) {
  PairOptions own;
  const fs::path path = take_options(word, argument, own);
  const auto folder = path.parent_path();
  if (own.labels.empty()) {
    throw InputError(str(path.string(), ": where are its labels? Name their file by the option labels=FILE"));
  }
  if (own.test.empty() != own.test_labels.empty()) {
    throw InputError(str(path.string(), ": one of the options test and test-labels is given alone; give both"));
  }
  if (options.parts == Parts::test && own.test.empty()) {
    fail_without_test(path.string(), "name files of the test part by test=FILE,test-labels=FILE");
  }
  Both both;
  if (needs_training(options)) {
    both.x_train = read_array(path, parse);
    both.y_train = read_array(folder / own.labels, parse);
  }
  if (needs_test(options) && !own.test.empty()) {
    both.x_test = read_array(folder / own.test, parse);
    both.y_test = read_array(folder / own.test_labels, parse);
  }
  return split_of(std::move(both), own, word, options);
}

// ---- small NORB

/// The file whose name ends like this, plain or gzipped.
fs::path norb_file(const fs::path& folder, const std::string& ending) {
  std::vector<fs::path> found;
  std::error_code error;
  for (auto entry = fs::directory_iterator(folder, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    const auto name = entry->path().filename().string();
    if (name.ends_with(ending) || name.ends_with(ending + ".gz")) found.push_back(entry->path());
  }
  if (found.empty()) {
    throw InputError(str(folder.string(), ": holds no file that ends with ", ending,
                         " or with .gz behind that; put all of small NORB's into that folder"));
  }
  return *std::ranges::min_element(found);
}

Split load_norb(const std::string& argument, const LoadOptions& options) {
  const fs::path folder = argument;
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored)) {
    throw InputError(str(folder.string(), ": is not a folder; give the one that holds small NORB's files"));
  }
  const auto read = [&](const char* ending) { return read_array(norb_file(folder, ending), parse_norb_matrix); };
  Both both;
  if (options.parts != Parts::test) {
    both.x_train = read("-training-dat.mat");
    both.y_train = read("-training-cat.mat");
  }
  if (options.parts != Parts::training) {
    both.x_test = read("-testing-dat.mat");
    both.y_test = read("-testing-cat.mat");
  }
  const ArrayOptions pairs{.layout = 1, .shape = {}};
  return split_of(std::move(both), pairs, "norb", options, {"animal", "human", "airplane", "truck", "car"});
}

}  // namespace

const DataSource source_npz{
    .word = "npz",
    .argument = "FILE",
    .example = "mnist.npz",
    .hint = "of NumPy's arrays",
    .lacking = "does not say which file",
    .about =
        "Arrays in NumPy's archive, as Keras and MedMNIST have them: samples and labels by the names `x_train`, "
        "`y_train`, "
        "`x_test`, `y_test`; `train_images`, `train_labels`, …; `x`, `y`; `images`, `labels`; `data`, `target`; "
        "`arr_0`, "
        "`arr_1`; or those that options give",
    .options = [](FieldVisitor& v) { NpzOptions().visit(v); },
    .load = load_npz,
};

const DataSource source_npy{
    .word = "npy",
    .argument = "FILE",
    .example = "x.npy,labels=y.npy",
    .hint = "of one of NumPy's arrays",
    .lacking = "does not say which file",
    .about = "NumPy's arrays in files of their own: `npy:x.npy,labels=y.npy`",
    .options = [](FieldVisitor& v) { PairOptions().visit(v); },
    .load = [](const std::string& argument,
               const LoadOptions& options) { return load_pair("npy", parse_npy, argument, options); },
};

const DataSource source_norb{
    .word = "norb",
    .argument = "FOLDER",
    .example = "data/norb",
    .hint = "with small NORB's files",
    .lacking = "does not say where small NORB's files are",
    .about =
        "The four files of small NORB that end with `-dat.mat` and `-cat.mat`, plain or gzipped: pairs of grey "
        "pictures, 2×96×96",
    .options = nullptr,
    .load = load_norb,
};

const DataSource source_mat{
    .word = "mat",
    .argument = "FILE",
    .example = "dat.mat,labels=cat.mat",
    .hint = "of one of small NORB's matrices",
    .lacking = "does not say which file",
    .about = "Matrices in small NORB's format (not MATLAB's): `mat:dat.mat,labels=cat.mat`",
    .options = [](FieldVisitor& v) { PairOptions().visit(v); },
    .load = [](const std::string& argument,
               const LoadOptions& options) { return load_pair("mat", parse_norb_matrix, argument, options); },
};

}  // namespace chalk
