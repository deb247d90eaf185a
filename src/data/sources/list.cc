// Pictures that a text file lists, a path and its label in each line.
#include <algorithm>
#include <filesystem>
#include <system_error>

#include "chalkgrad/data.h"
#include "chalkgrad/error.h"
#include "src/base/file.h"
#include "src/base/reading.h"
#include "src/base/text.h"
#include "src/base/wording.h"
#include "src/data/class_words.h"
#include "src/data/pictures.h"
#include "src/data/source_options.h"
#include "src/data/sources/source.h"
#include "src/files/csv.h"

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

/// A line of a list.
struct Entry {
  std::string path, label, where;
};

/// Lines with a comma or a tab are read as a table; others are divided at their last blank.
std::vector<Entry> read_list(const fs::path& file) {
  constexpr std::size_t kMostBytes = std::size_t{1} << 30U;
  const auto bytes = read_file(file, kMostBytes);
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const auto first_line = text.substr(0, text.find_first_of("\r\n"));
  const char separator = first_line.find('\t') != std::string_view::npos  ? '\t'
                         : first_line.find(',') != std::string_view::npos ? ','
                                                                          : '\0';
  CsvReader reader(text, file.string(), separator);
  std::vector<Entry> entries;
  for (std::vector<std::string_view> fields; reader.next(fields);) {
    if (separator == '\0') {
      const auto line = trimmed(fields[0]);
      const auto end = line.find_last_of(" \t");
      fields = {line.substr(0, end), end == std::string_view::npos ? std::string_view() : line.substr(end + 1)};
    }
    if (fields.size() != 2 || trimmed(fields[0]).empty() || trimmed(fields[1]).empty()) {
      throw InputError(str(reader.where(), ": is not a path and a label; write e.g. photos/1.jpg,cat"));
    }
    // Names of columns.
    if (entries.empty() && !is_picture_name(trimmed(fields[0])) && reader.line() == 1 && separator != '\0') continue;
    entries.push_back({std::string(trimmed(fields[0])), std::string(trimmed(fields[1])), reader.where()});
  }
  if (entries.empty())
    throw InputError(str(file.string(), ": lists no pictures; write lines such as photos/1.jpg,cat"));
  return entries;
}

std::vector<PictureFile> numbered(const std::vector<Entry>& entries, const fs::path& folder, ClassWords& classes) {
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
