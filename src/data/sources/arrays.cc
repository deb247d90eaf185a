// Arrays of NumPy and the matrices of small NORB.
#include "src/data/arrays.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <functional>
#include <optional>
#include <system_error>
#include <utility>

#include "chalkgrad/error.h"
#include "src/base/text.h"
#include "src/base/wording.h"
#include "src/data/beyond_memory.h"
#include "src/data/normalise.h"
#include "src/data/source_options.h"
#include "src/data/sources/source.h"

namespace chalk {
namespace {

namespace fs = std::filesystem;

/// An array that has not been read yet, and what messages call it; "": there is none.
struct Unread {
  std::string name{};
  std::function<Array()> read{};
  std::function<std::optional<StoredBytes>()> stored{};  ///< if it need not be read

  NamedArray operator()() const { return name.empty() ? NamedArray() : NamedArray{read(), name}; }
};

/// The arrays of both parts; a part without samples has empty ones.
struct Both {
  NamedArray x_train, y_train, x_test, y_test;
};
struct UnreadBoth {
  Unread x_train{}, y_train{}, x_test{}, y_test{};
};

/// Reads them. Samples that would take more memory than there is for them stay in their files, if they can.
Both read(const UnreadBoth& from, const LoadOptions& options, std::vector<std::string>& remarks) {
  Both both;
  std::vector<std::pair<NamedArray*, StoredBytes>> found;
  std::uint64_t bytes = 0, samples = 0;
  for (const auto& [x, to] : {std::pair(&from.x_train, &both.x_train), std::pair(&from.x_test, &both.x_test)}) {
    auto stored = x->name.empty() ? std::nullopt : x->stored();
    if (!stored || stored->source->in_memory() || stored->shape.empty() || stored->shape[0] == 0) continue;
    bytes += static_cast<std::uint64_t>(elements(stored->shape));
    samples += static_cast<std::uint64_t>(stored->shape[0]);
    found.emplace_back(to, std::move(*stored));
  }
  if (const auto why = beyond_memory(bytes, options)) {
    for (auto& [x, stored] : found) {
      x->array.shape = stored.shape;
      x->stored = std::move(stored);
    }
    remarks.push_back(str(grouped(samples), " samples ", *why, ": each is read whenever it is needed"));
  }
  for (const auto& [unread, to] : {std::pair(&from.x_train, &both.x_train),
                                   {&from.y_train, &both.y_train},
                                   {&from.x_test, &both.x_test},
                                   {&from.y_test, &both.y_test}}) {
    if (to->stored)
      to->name = unread->name;
    else
      *to = (*unread)();
  }
  return both;
}

Split split_of(const UnreadBoth& unread, const ArrayOptions& own, const std::string& source, const LoadOptions& options,
               const std::vector<std::string>& names = {}) {
  Split split;
  auto both = read(unread, options, split.remarks);
  KnownMoments moments;
  const auto x_train = both.x_train.name, x_test = both.x_test.name;
  const auto is_there = [](const NamedArray& y) { return !y.name.empty(); };
  if (is_there(both.y_train))
    split.train = samples_of(std::move(both.x_train), both.y_train, own, source, split, &moments[0]);
  if (is_there(both.y_test))
    split.test = samples_of(std::move(both.x_test), both.y_test, own, source, split, &moments[1]);
  if (is_there(both.y_train) && is_there(both.y_test) &&
      (split.train.sample != split.test.sample || split.train.target != split.test.target ||
       split.train.has_bytes() != split.test.has_bytes())) {
    throw InputError(str(x_test, ": its samples or targets have another shape or type than those of ", x_train,
                         "; the arrays do not belong together"));
  }
  name_classes(split, both.y_train, both.y_test, options, names);
  if (options.parts == Parts::test) split.train = {};
  if (options.normalisation || split.train.has_bytes() || split.test.has_bytes())
    normalise(split, options.normalisation.value_or(Normalisation()), moments);
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
  const NpzReader archive(open_unpacked(path), path);
  choose_names(own, archive, path);
  if (options.parts == Parts::test && own.x_test.empty()) {
    fail_without_test(path, "name arrays of the test part by x-test=NAME,y-test=NAME");
  }
  const auto named = [&](const std::string& name) {
    return Unread{str(path, ", array ", in_quotes(name)), [&archive, name] { return archive.read(name); },
                  [&archive, name] { return archive.stored(name); }};
  };
  UnreadBoth both;
  if (needs_training(options)) {
    both.x_train = named(own.x);
    both.y_train = named(own.y);
  }
  if (needs_test(options) && !own.x_test.empty()) {
    both.x_test = named(own.x_test);
    both.y_test = named(own.y_test);
  }
  auto split = split_of(both, own, "npz", options);
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

Unread array_in(const fs::path& path, Parse parse) {
  const auto name = path.string();
  return {name, [=] { return parse(read_unpacked(path), name); },
          [=]() -> std::optional<StoredBytes> {
            if (parse != parse_npy) return {};
            const auto source = open_unpacked(path);
            return source->in_memory() ? std::nullopt : stored_bytes(source, 0, source->size(), name);
          }};
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
  UnreadBoth both;
  if (needs_training(options)) {
    both.x_train = array_in(path, parse);
    both.y_train = array_in(folder / own.labels, parse);
  }
  if (needs_test(options) && !own.test.empty()) {
    both.x_test = array_in(folder / own.test, parse);
    both.y_test = array_in(folder / own.test_labels, parse);
  }
  return split_of(both, own, word, options);
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
  const auto read = [&](const char* ending) { return array_in(norb_file(folder, ending), parse_norb_matrix); };
  UnreadBoth both;
  if (options.parts != Parts::test) {
    both.x_train = read("-training-dat.mat");
    both.y_train = read("-training-cat.mat");
  }
  if (options.parts != Parts::training) {
    both.x_test = read("-testing-dat.mat");
    both.y_test = read("-testing-cat.mat");
  }
  const ArrayOptions pairs{.layout = 1, .shape = {}};
  return split_of(both, pairs, "norb", options, {"animal", "human", "airplane", "truck", "car"});
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
    .normalises = true,
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
    .normalises = true,
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
    .normalises = true,
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
    .normalises = true,
};

}  // namespace chalk
