// Pictures that a text file lists, a path and its label in each line.
#include <algorithm>
#include <filesystem>
#include <system_error>

#include "chalkgrad/data.h"
#include "chalkgrad/error.h"
#include "src/base/file.h"
#include "src/base/text.h"
#include "src/data/class_words.h"
#include "src/data/picture_list.h"
#include "src/data/pictures.h"
#include "src/data/source_options.h"
#include "src/data/sources/source.h"

namespace chalk {
namespace {

namespace fs = std::filesystem;

struct Options : PictureOptions {
  std::string test;
  void visit(FieldVisitor& v) {
    visit_pictures(v);
    v.field({"test", {}, "the list of the test part"}, test);
  }
};

std::vector<ListedPicture> read_list(const fs::path& file) {
  constexpr std::size_t kMostBytes = std::size_t{1} << 30U;
  const auto bytes = read_file(file, kMostBytes);
  return read_picture_list({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, file.string());
}

std::vector<PictureFile> numbered(const std::vector<ListedPicture>& entries, const fs::path& folder,
                                  ClassWords& classes) {
  std::vector<PictureFile> files;
  for (const auto& entry : entries) {
    files.push_back({(folder / entry.path).string(), classes.number(entry.label, entry.where)});
  }
  return files;
}

Split load(const std::string& argument, const LoadOptions& options) {
  Options own;
  const fs::path list = take_options("list", argument, own);
  if (options.parts == Parts::test && own.test.empty()) {
    throw InputError(str(list.string(),
                         ": all of it is the training part; name another list by the option test=FILE, or "
                         "give --part train"));
  }
  ClassWords classes(options.classes);
  const bool train_wanted = options.parts != Parts::test;
  std::vector<PictureFile> train, test;
  if (train_wanted || options.classes.empty()) {
    train = numbered(read_list(list), list.parent_path(), classes);
    std::vector<std::int32_t> labels;
    for (const auto& file : train) labels.push_back(file.label);
    classes.sort_and_fix(labels);
    for (std::size_t i = 0; i < train.size(); ++i) train[i].label = labels[i];
  }
  if (!own.test.empty() && options.parts != Parts::training) {
    const auto place = list.parent_path() / own.test;
    test = numbered(read_list(place), place.parent_path(), classes);
  }
  if (!train_wanted) train.clear();
  Split split;
  for (auto* data : {&split.train, &split.test}) {
    data->name = "list";
    data->class_names = classes.names();
  }
  load_pictures(split, train, test, own, options);
  if (split.train.size() + split.test.size() == 0) {
    throw InputError(str(list.string(), ": none of its pictures can be read: ", split.skipped.at(0),
                         "; paths are relative to the list"));
  }
  for (const auto* data : {&split.train, &split.test}) {
    if (data->size() > 0) data->check();
  }
  return split;
}

}  // namespace

const DataSource source_list{
    .word = "list",
    .argument = "FILE",
    .example = "photos/train.txt",
    .hint = "of pictures and their labels",
    .lacking = "does not say which file",
    .about =
        "Pictures as of `folder`, listed in a file with a line for each: its path, relative to the list, and its "
        "label, "
        "with a comma, a tab or a blank between them",
    .options = [](FieldVisitor& v) { Options().visit(v); },
    .load = load,
};

}  // namespace chalk
