// MNIST's four files, and anything in their format (Fashion-MNIST, KMNIST, QMNIST, EMNIST, your own).
#include <algorithm>
#include <optional>
#include <system_error>
#include <utility>

#include "chalkgrad/data.h"
#include "chalkgrad/error.h"
#include "src/base/file.h"
#include "src/base/reading.h"
#include "src/base/text.h"
#include "src/base/wording.h"
#include "src/data/arrays.h"
#include "src/data/source_options.h"
#include "src/data/sources/source.h"
#include "src/files/idx.h"

namespace chalk {
namespace {

namespace fs = std::filesystem;

// "train-images-idx3-ubyte", the name on the original site; "train-images.idx3-ubyte", as some archives unpack it.
std::optional<fs::path> find_file(const fs::path& folder, const std::string& stem, const std::string& suffix,
                                  std::string* looked_for = nullptr) {
  for (const char* joint : {"-", "."}) {
    for (const char* ending : {"", ".gz"}) {
      const auto name = str(stem, joint, suffix, ending);
      std::error_code ignored;
      if (fs::exists(folder / name, ignored)) return folder / name;
      if (looked_for) *looked_for += (looked_for->empty() ? "" : ", ") + name;
    }
  }
  return std::nullopt;
}

fs::path the_file(const fs::path& folder, const std::string& stem, const std::string& suffix) {
  std::string names;
  if (auto found = find_file(folder, stem, suffix, &names)) return *found;
  throw InputError(str(folder.string(), ": no ", stem, " file; looked for ", names, "; put it into that folder"));
}

/// How the files of a set are called: MNIST's, or QMNIST's, whose labels are tables.
struct Names {
  std::string train, test, labels;
  IdxKind kind = IdxKind::labels;
};

Names names_in(const fs::path& folder) {
  const bool qmnist =
      find_file(folder, "qmnist-train-images", "idx3-ubyte") || find_file(folder, "qmnist-test-images", "idx3-ubyte");
  const bool mnist = find_file(folder, "train-images", "idx3-ubyte") || find_file(folder, "t10k-images", "idx3-ubyte");
  if (qmnist && !mnist) return {"qmnist-train", "qmnist-test", "idx2-int", IdxKind::table};
  return {"train", "t10k", "idx1-ubyte", IdxKind::labels};
}

bool has_tests(const fs::path& folder, const Names& names) {
  return find_file(folder, names.test + "-images", "idx3-ubyte") ||
         find_file(folder, names.test + "-labels", names.labels);
}

struct Part {
  Dataset data;
  fs::path labels;
};

/// The labels of a file: bytes, or the first column of a table.
IdxTensor load_labels(const fs::path& path, IdxKind kind) {
  auto labels = load_idx(path, kind);
  if (kind == IdxKind::labels) return labels;
  const auto columns = static_cast<std::size_t>(labels.extents[1]);
  std::vector<std::uint8_t> classes;
  for (std::size_t i = 0; i < labels.bytes.size(); i += 4 * columns) {
    const auto* number = &labels.bytes[i];
    if (number[0] != 0 || number[1] != 0 || number[2] != 0) {
      throw InputError(str(path.string(), ": sample ", grouped(i / 4 / columns),
                           " has a label that is not from 0 to 255; give a file of labels in QMNIST's format"));
    }
    classes.push_back(number[3]);
  }
  return {{labels.extents[0]}, std::move(classes)};
}

Part load_part(const fs::path& images_path, const fs::path& labels_path, IdxKind kind, Split& split) {
  auto images = load_idx(images_path, IdxKind::images);
  auto labels = load_labels(labels_path, kind);
  if (labels.extents[0] != images.extents[0]) {
    const auto count = [](std::int64_t n) { return grouped(static_cast<std::uint64_t>(n)); };
    throw InputError(str(labels_path.string(), ": ", count(labels.extents[0]), " labels but ",
                         images_path.filename().string(), " has ", count(images.extents[0]),
                         " images; the files do not belong together"));
  }
  Part part;
  part.labels = labels_path;
  if (images.extents.size() == 4) {
    part.data = samples_of({{.shape = images.extents, .bytes = std::move(images.bytes)}, images_path.string()},
                           {{.shape = labels.extents, .bytes = std::move(labels.bytes)}, labels_path.string()}, {},
                           "mnist", split);
    return part;
  }
  part.data.sample = {1, images.extents[1], images.extents[2]};
  part.data.bytes = std::move(images.bytes);
  part.data.labels.assign(labels.bytes.begin(), labels.bytes.end());
  return part;
}

Part load_part(const fs::path& folder, const std::string& prefix, const Names& names, Split& split) {
  const auto images = the_file(folder, prefix + "-images", "idx3-ubyte");
  return load_part(images, the_file(folder, prefix + "-labels", names.labels), names.kind, split);
}

/// Both parts as a set, normalised and checked.
Split joined(Part train, Part test, Split split) {
  split.train = std::move(train.data);
  split.test = std::move(test.data);
  normalise(split);
  for (const auto* data : {&split.train, &split.test}) {
    if (data->size() > 0) data->check();
  }
  return split;
}

}  // namespace

Split mnist(const fs::path& folder, Parts parts) {
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored)) {
    throw InputError(str(folder.string(), ": is not a folder; give the one that holds MNIST's four files"));
  }
  Split split;
  const auto names = names_in(folder);
  Part train, test;
  if (parts != Parts::test) train = load_part(folder, names.train, names, split);
  if (parts == Parts::training_at_least ? has_tests(folder, names) : parts != Parts::training)
    test = load_part(folder, names.test, names, split);
  const bool both = train.data.size() > 0 && test.data.size() > 0;
  if (both && train.data.sample != test.data.sample) {
    throw InputError(str(folder.string(), ": the training images are ", to_string(train.data.sample),
                         " but the test images ", to_string(test.data.sample), "; the files do not belong together"));
  }
  const auto& labels = (train.data.size() > 0 ? train : test).data.labels;
  const auto classes = std::max(10, *std::ranges::max_element(labels) + 1);
  const auto wrong = std::ranges::find_if(test.data.labels, [&](int label) { return label >= classes; });
  if (wrong != test.data.labels.end()) {
    throw InputError(str(test.labels.string(), ": sample ", grouped(wrong - test.data.labels.begin()), " has label ",
                         *wrong, " but the training labels end at ", classes - 1,
                         "; the files do not belong together"));
  }
  for (auto* data : {&train.data, &test.data}) {
    data->name = "mnist";
    for (int c = 0; c < classes; ++c) data->class_names.push_back(std::to_string(c));
  }
  return joined(std::move(train), std::move(test), std::move(split));
}

namespace {

struct EmnistOptions {
  std::string split;
  void visit(FieldVisitor& v) {
    v.field({"split",
             {},
             "which of its sets: `balanced`, `byclass`, `bymerge`, `digits`, `letters` or `mnist` (without it, the "
             "one whose files are there)"},
            split);
  }
};

/// The set whose files are there, if it is one.
std::string emnist_set(const fs::path& folder) {
  std::vector<std::string> found;
  for (const std::string set : {"balanced", "byclass", "bymerge", "digits", "letters", "mnist"}) {
    for (const char* part : {"train", "test"}) {
      if (find_file(folder, str("emnist-", set, "-", part, "-images"), "idx3-ubyte") &&
          (found.empty() || found.back() != set))
        found.push_back(set);
    }
  }
  if (found.empty()) {
    throw InputError(str(folder.string(),
                         ": holds no files of EMNIST, such as emnist-letters-train-images-idx3-ubyte.gz; put "
                         "them into that folder"));
  }
  if (found.size() > 1) {
    throw InputError(
        str(folder.string(), ": holds several sets of EMNIST; say which by the option split=, ", alternatives(found)));
  }
  return found[0];
}

/// Lines "LABEL CODE …": a label and the characters that it stands for, of which the first one is its name.
std::vector<std::pair<int, std::string>> read_mapping(const fs::path& path) {
  const auto bytes = read_file(path, std::size_t{1} << 20U);
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  std::vector<std::pair<int, std::string>> classes;
  for (const auto line : chalk::split(text, '\n')) {
    const auto words = chalk::split(trimmed(line), ' ');
    if (words[0].empty()) continue;
    const int label = number_in<int>(words[0]).value_or(-1),
              code = words.size() < 2 ? -1 : number_in<int>(words[1]).value_or(-1);
    if (label < 0 || label > 255 || code < 33 || code > 126) {
      throw InputError(str(path.string(), ": line ", in_quotes(line),
                           " is not a label and the code of a character; fetch the file again"));
    }
    classes.emplace_back(label, std::string(1, static_cast<char>(code)));
  }
  if (classes.empty()) throw InputError(str(path.string(), ": has no lines; fetch the file again"));
  return classes;
}

/// Files have each picture transposed: columns are read as rows.
void transpose(Dataset& data) {
  const auto rows = static_cast<std::size_t>(data.sample[1]), columns = static_cast<std::size_t>(data.sample[2]);
  std::vector<std::uint8_t> picture(rows * columns);
  for (std::size_t begin = 0; begin < data.bytes.size(); begin += picture.size()) {
    for (std::size_t r = 0; r < rows; ++r) {
      for (std::size_t c = 0; c < columns; ++c) picture[c * rows + r] = data.bytes[begin + r * columns + c];
    }
    std::ranges::copy(picture, data.bytes.begin() + static_cast<std::ptrdiff_t>(begin));
  }
  std::swap(data.sample[1], data.sample[2]);
}

Split load_emnist(const std::string& argument, const LoadOptions& options) {
  EmnistOptions own;
  const fs::path folder = take_options("emnist", argument, own);
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored)) {
    throw InputError(str(folder.string(), ": is not a folder; give the one that holds EMNIST's files"));
  }
  const auto set = own.split.empty() ? emnist_set(folder) : own.split;
  const auto stem = "emnist-" + set;
  const auto mapping = folder / (stem + "-mapping.txt");
  const auto classes = read_mapping(mapping);
  Split split;
  const auto load = [&](const char* name) {
    const auto prefix = str(stem, "-", name);
    const auto images = the_file(folder, prefix + "-images", "idx3-ubyte");
    auto part = load_part(images, the_file(folder, prefix + "-labels", "idx1-ubyte"), IdxKind::labels, split);
    auto& data = part.data;
    data.name = "emnist";
    transpose(data);
    for (const auto& [label, character] : classes) data.class_names.push_back(character);
    for (auto& label : data.labels) {
      const auto place = std::ranges::find_if(classes, [&](const auto& c) { return c.first == label; });
      if (place == classes.end()) {
        throw InputError(str(part.labels.string(), ": sample ",
                             grouped(static_cast<std::uint64_t>(&label - data.labels.data())), " has the label ", label,
                             ", which ", mapping.filename().string(), " lacks; the files do not belong together"));
      }
      label = static_cast<std::int32_t>(place - classes.begin());
    }
    return part;
  };
  Part train, test;
  if (options.parts != Parts::test) train = load("train");
  if (options.parts == Parts::training_at_least ? find_file(folder, stem + "-test-images", "idx3-ubyte").has_value()
                                                : options.parts != Parts::training)
    test = load("test");
  return joined(std::move(train), std::move(test), std::move(split));
}

}  // namespace

const DataSource source_mnist{
    .word = "mnist",
    .argument = "FOLDER",
    .example = "data/mnist",
    .hint = "with MNIST's files or others like them",
    .lacking = "does not say where MNIST's files are",
    .about =
        "MNIST's four files, plain or gzipped (`train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, "
        "`t10k-images-idx3-ubyte`, `t10k-labels-idx1-ubyte`), or any data in this format, of any size, also in colour "
        "(four "
        "dimensions); QMNIST's (`qmnist-train-images-idx3-ubyte`, `qmnist-train-labels-idx2-int`, …)",
    .options = nullptr,
    .load = [](const std::string& folder, const LoadOptions& options) { return mnist(folder, options.parts); },
};

const DataSource source_emnist{
    .word = "emnist",
    .argument = "FOLDER",
    .example = "data/emnist",
    .hint = "with EMNIST's files",
    .lacking = "does not say where EMNIST's files are",
    .about =
        "EMNIST's files (`emnist-letters-train-images-idx3-ubyte`, …, plain or gzipped, and "
        "`emnist-letters-mapping.txt`), "
        "whose pictures are turned upright",
    .options = [](FieldVisitor& v) { EmnistOptions().visit(v); },
    .load = load_emnist,
};

}  // namespace chalk
