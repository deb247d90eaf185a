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

struct ListOptions : PictureOptions {
  std::string test;
  void visit(FieldVisitor& v) {
    visit_pictures(v);
    v.field({"test", {}, "the list of the test part"}, test);
  }
};

/// The pictures of a list, with the numbers of their labels.
PictureIndex read_list(const fs::path& file, ClassWords& classes) {
  constexpr std::size_t kMostBytes = std::size_t{1} << 30U;
  const auto bytes = read_file(file, kMostBytes);
  const auto folder = file.parent_path();
  PictureIndex files;
  read_picture_list(
      {reinterpret_cast<const char*>(bytes.data()), bytes.size()}, file.string(),
      [&](const ListedPicture& one) { files.add((folder / one.path).string(), classes.number(one.label, one.where)); });
  return files;
}

Split load_list(const std::string& argument, const LoadOptions& options) {
  ListOptions own;
  const fs::path list = take_options("list", argument, own);
  if (options.parts == Parts::test && own.test.empty()) {
    throw InputError(str(list.string(),
                         ": all of it is the training part; name another list by the option test=FILE, or "
                         "give --part train"));
  }
  ClassWords classes(options.classes);
  const bool train_wanted = options.parts != Parts::test;
  PictureIndex train, test;
  if (train_wanted || options.classes.empty()) {
    train = read_list(list, classes);
    classes.sort_and_fix(train.labels());
  }
  if (!own.test.empty() && options.parts != Parts::training) {
    const auto place = list.parent_path() / own.test;
    test = read_list(place, classes);
  }
  if (!train_wanted) train = {};
  Split split;
  for (auto* data : {&split.train, &split.test}) {
    data->name = "list";
    data->class_names = classes.names();
  }
  load_pictures(split, std::move(train), std::move(test), own, options);
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
    .options = [](FieldVisitor& v) { ListOptions().visit(v); },
    .load = load_list,
    .normalises = true,
};

}  // namespace chalk
