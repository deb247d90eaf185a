// CIFAR-10 and CIFAR-100 in their binary version: a folder of their files, or the archive they come in.
#include "src/files/cifar.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <system_error>

#include "chalkgrad/data.h"
#include "chalkgrad/error.h"
#include "src/base/file.h"
#include "src/base/reading.h"
#include "src/base/text.h"
#include "src/base/wording.h"
#include "src/data/source_options.h"
#include "src/data/sources/source.h"
#include "src/files/gzip.h"
#include "src/files/tar.h"

namespace chalk {
namespace {

namespace fs = std::filesystem;
using Bytes = std::vector<std::uint8_t>;

constexpr std::size_t kMostBytesOfArchive = std::size_t{1} << 31U;

/// One of the two sets.
struct CifarKind {
  std::string_view word, title;
  std::vector<std::string_view> train, test;  // files
  std::string_view folder, archive;           // that the files come in
  std::string_view python, python_archive;    // a file, and the archive, of the version that is not read
  std::vector<int> classes;                   // of each label of a record
  std::vector<std::string_view> names;        // a file for each label
};

const CifarKind kCifar10 = {
    "cifar10",
    "CIFAR-10",
    {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"},
    {"test_batch.bin"},
    "cifar-10-batches-bin",
    "cifar-10-binary.tar.gz",
    "data_batch_1",
    "cifar-10-python.tar.gz",
    {10},
    {"batches.meta.txt"}};
const CifarKind kCifar100 = {"cifar100",
                             "CIFAR-100",
                             {"train.bin"},
                             {"test.bin"},
                             "cifar-100-binary",
                             "cifar-100-binary.tar.gz",
                             "train",
                             "cifar-100-python.tar.gz",
                             {20, 100},
                             {"coarse_label_names.txt", "fine_label_names.txt"}};

/// The files of the set, wherever they are.
class Files {
 public:
  Files(const CifarKind& kind, const fs::path& place) : kind_(kind) {
    std::error_code ignored;
    if (!fs::is_directory(place, ignored)) {
      open_archive(place);
      return;
    }
    for (const auto& folder : {place, place / kind.folder}) {
      if (!fs::exists(folder / kind.train[0], ignored) && !fs::exists(folder / kind.test[0], ignored)) continue;
      place_ = folder;
      return;
    }
    if (fs::exists(place / kind.archive, ignored)) {
      open_archive(place / kind.archive);
      return;
    }
    for (const auto& folder : {place, place / "cifar-10-batches-py", place / "cifar-100-python"}) {
      if (fs::exists(folder / kind.python, ignored)) refuse_python(folder / kind.python);
    }
    if (fs::exists(place / kind.python_archive, ignored)) refuse_python(place / kind.python_archive);
    throw InputError(str(place.string(), ": holds no files of ", kind.title, "; looked for ", kind.train[0], ", ",
                         kind.folder, " and ", kind.archive, "; put one of them into that folder"));
  }

  /// Nothing if there is no such file.
  std::optional<Bytes> read(std::string_view file) const {
    if (archive_.empty()) {
      std::error_code ignored;
      if (!fs::exists(place_ / file, ignored)) return {};
      return read_file(place_ / file, kMostBytesOfArchive);
    }
    for (const auto& entry : entries_) {
      if (fs::path(entry.name).filename() == file) return Bytes(entry.bytes.begin(), entry.bytes.end());
    }
    return {};
  }
  std::string name_of(std::string_view file) const {
    return archive_.empty() ? (place_ / file).string() : str(place_.string(), ", ", file);
  }
  const fs::path& place() const { return place_; }

 private:
  void open_archive(const fs::path& path) {
    place_ = path;
    archive_ = read_file(path, kMostBytesOfArchive);
    if (archive_.empty()) throw InputError(str(path.string(), ": the file is empty; fetch it again"));
    if (is_gzip(archive_)) archive_ = gunzip(archive_, kMostBytesOfArchive, path.string());
    entries_ = read_tar(archive_, path.string());
    const auto holds = [&](std::string_view file) {
      return std::ranges::any_of(entries_, [&](const TarFile& e) { return fs::path(e.name).filename() == file; });
    };
    if (!holds(kind_.train[0]) && !holds(kind_.test[0]) && holds(kind_.python)) refuse_python(path);
  }
  [[noreturn]] void refuse_python(const fs::path& found) const {
    throw InputError(str(found.string(), ": is the Python version of ", kind_.title,
                         ", which only Python can read; fetch the binary version, ", kind_.archive,
                         ", from the same page"));
  }

  const CifarKind& kind_;
  fs::path place_;
  Bytes archive_;
  std::vector<TarFile> entries_;
};

/// Lines of a file of names; empty ones, at its end, do not count.
std::vector<std::string> class_names(const Files& files, std::string_view file, int classes, Split& split) {
  std::vector<std::string> names;
  if (const auto bytes = files.read(file)) {
    const std::string_view text(reinterpret_cast<const char*>(bytes->data()), bytes->size());
    for (const auto line : chalk::split(text, '\n')) {
      if (!trimmed(line).empty()) names.emplace_back(trimmed(line));
    }
    if (std::ssize(names) != classes) {
      throw InputError(
          str(files.name_of(file), ": has ", names.size(), " names for ", classes, " classes; fetch the file again"));
    }
    return names;
  }
  split.remarks.push_back(str("the classes have numbers for names, as there is no ", file));
  for (int c = 0; c < classes; ++c) names.push_back(std::to_string(c));
  return names;
}

Dataset load_part(const CifarKind& kind, const Files& files, const std::vector<std::string_view>& names,
                  std::size_t label) {
  CifarRecords records;
  for (const auto name : names) {
    const auto bytes = files.read(name);
    if (!bytes) {
      throw InputError(
          str(files.place().string(), ": ", name, " is missing; fetch all of ", kind.title, ", ", kind.archive));
    }
    add_cifar(records, *bytes, files.name_of(name), kind.classes);
  }
  Dataset data;
  data.bytes = std::move(records.pixels);
  for (auto i = label; i < records.labels.size(); i += kind.classes.size()) data.labels.push_back(records.labels[i]);
  return data;
}

Split load_cifar(const CifarKind& kind, const std::string& place, const LoadOptions& options, std::size_t label) {
  const Files files(kind, place);
  const auto wanted = options.parts;
  Split split;
  if (wanted != Parts::test) split.train = load_part(kind, files, kind.train, label);
  if (wanted == Parts::training_at_least ? files.read(kind.test[0]).has_value() : wanted != Parts::training)
    split.test = load_part(kind, files, kind.test, label);
  const auto names = class_names(files, kind.names[label], kind.classes[label], split);
  for (auto* data : {&split.train, &split.test}) {
    data->name = kind.word;
    data->sample = {3, 32, 32};
    data->class_names = names;
  }
  normalise(split);
  for (const auto* data : {&split.train, &split.test}) {
    if (data->size() > 0) data->check();
  }
  return split;
}

struct Cifar100Options {
  std::size_t labels = 0;
  void visit(FieldVisitor& v) {
    static constexpr std::array words = {Word{"fine", "the 100 classes"}, Word{"coarse", "the 20 groups of them"}};
    v.choice({"labels", {}, "which of the two labels of a picture is its class"}, words, labels);
  }
};

}  // namespace

const DataSource source_cifar10{
    .word = "cifar10",
    .argument = "FOLDER",
    .example = "data/cifar10",
    .hint = "with CIFAR-10's binary version",
    .lacking = "does not say where CIFAR-10's files are",
    .about =
        "CIFAR-10, 3×32×32, in its binary version: a folder with `data_batch_1.bin` to `data_batch_5.bin` and "
        "`test_batch.bin`, or with `cifar-10-batches-bin` or `cifar-10-binary.tar.gz`; or that archive itself",
    .options = nullptr,
    .load = [](const std::string& place,
               const LoadOptions& options) { return load_cifar(kCifar10, place, options, 0); },
};

const DataSource source_cifar100{
    .word = "cifar100",
    .argument = "FOLDER",
    .example = "data/cifar100",
    .hint = "with CIFAR-100's binary version",
    .lacking = "does not say where CIFAR-100's files are",
    .about =
        "CIFAR-100, 3×32×32, in its binary version: a folder with `train.bin` and `test.bin`, or with "
        "`cifar-100-binary` or `cifar-100-binary.tar.gz`; or that archive itself",
    .options = [](FieldVisitor& v) { Cifar100Options().visit(v); },
    .load =
        [](const std::string& argument, const LoadOptions& options) {
          Cifar100Options own;
          const auto place = take_options("cifar100", argument, own);
          return load_cifar(kCifar100, place, options, own.labels == 0 ? 1 : 0);
        },
};

}  // namespace chalk
