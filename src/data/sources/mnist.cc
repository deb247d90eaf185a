// MNIST's four files, and anything in their format (Fashion-MNIST, KMNIST, your own).
#include <algorithm>
#include <optional>
#include <system_error>

#include "chalkgrad/data.h"
#include "chalkgrad/error.h"
#include "src/base/text.h"
#include "src/base/wording.h"
#include "src/data/normalise.h"
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

bool has_tests(const fs::path& folder) {
  return find_file(folder, "t10k-images", "idx3-ubyte") || find_file(folder, "t10k-labels", "idx1-ubyte");
}

struct Part {
  Dataset data;
  fs::path labels;
};

Part load_part(const fs::path& folder, const std::string& prefix) {
  const auto images_path = the_file(folder, prefix + "-images", "idx3-ubyte");
  const auto labels_path = the_file(folder, prefix + "-labels", "idx1-ubyte");
  auto images = load_idx(images_path, IdxKind::images);
  const auto labels = load_idx(labels_path, IdxKind::labels);
  if (labels.extents[0] != images.extents[0]) {
    const auto count = [](std::int64_t n) { return grouped(static_cast<std::uint64_t>(n)); };
    throw InputError(str(labels_path.string(), ": ", count(labels.extents[0]), " labels but ",
                         images_path.filename().string(), " has ", count(images.extents[0]),
                         " images; the files do not belong together"));
  }
  Part part;
  part.data.sample = {1, images.extents[1], images.extents[2]};
  part.data.bytes = std::move(images.bytes);
  part.data.labels.assign(labels.bytes.begin(), labels.bytes.end());
  part.labels = labels_path;
  return part;
}

}  // namespace

Split mnist(const fs::path& folder, Parts parts) {
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored)) {
    throw InputError(str(folder.string(), ": is not a folder; give the one that holds MNIST's four files"));
  }
  Part train, test;
  if (parts != Parts::test) train = load_part(folder, "train");
  if (parts == Parts::training_at_least ? has_tests(folder) : parts != Parts::training)
    test = load_part(folder, "t10k");
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
  Split split{std::move(train.data), std::move(test.data)};
  normalise(split);
  for (const auto* data : {&split.train, &split.test}) {
    if (data->size() > 0) data->check();
  }
  return split;
}

const DataSource source_mnist{
    .word = "mnist",
    .argument = "FOLDER",
    .example = "data/mnist",
    .hint = "with MNIST's files or others like them",
    .lacking = "does not say where MNIST's files are",
    .about =
        "MNIST's four files, plain or gzipped (`train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, "
        "`t10k-images-idx3-ubyte`, `t10k-labels-idx1-ubyte`), or any data in this format, of any size",
    .options = nullptr,
    .load = [](const std::string& folder, const LoadOptions& options) { return mnist(folder, options.parts); },
};

}  // namespace chalk
