// Tables of text, a sample a line.
#include <filesystem>

#include "chalkgrad/data.h"
#include "chalkgrad/error.h"
#include "src/base/text.h"
#include "src/data/source_options.h"
#include "src/data/sources/source.h"
#include "src/data/table.h"

namespace chalk {
namespace {

Split load_csv(const std::string& argument, const LoadOptions& options) {
  TableOptions own;
  const std::filesystem::path path = take_options("csv", argument, own);
  if (options.parts == Parts::test && own.test.empty()) {
    throw InputError(str(path.string(),
                         ": all of it is the training part; name another file by the option test=FILE, or "
                         "give --part train"));
  }
  Split split;
  const TableFile train(path, own);
  Table table(train, own, options);
  split.train = table.samples(train, true, split);
  if (options.parts == Parts::test) {
    split.train = {};
    split.skipped.clear();
  }
  if (!own.test.empty() && options.parts != Parts::training) {
    split.test = table.samples(TableFile(path.parent_path() / own.test, own), false, split);
  }
  table.tell(train, split);
  if (!split.train.bytes.empty() || !split.test.bytes.empty()) normalise(split);
  if (split.train.size() + split.test.size() == 0) {
    throw InputError(str(path.string(), ": no line of it can be used: ",
                         split.skipped.empty() ? "all have missing values" : split.skipped[0], "; give another file"));
  }
  for (const auto* data : {&split.train, &split.test}) {
    if (data->size() > 0) data->check();
  }
  return split;
}

}  // namespace

const DataSource source_csv{
    .word = "csv",
    .argument = "FILE",
    .example = "iris.csv",
    .hint = "with a sample in each line",
    .lacking = "does not say which file",
    .about =
        "A table of text, plain or gzipped, with a sample in each line: numbers as they are, columns of words as an "
        "input "
        "for each word, and a column with the class",
    .options = [](FieldVisitor& v) { TableOptions().visit(v); },
    .load = load_csv,
};

}  // namespace chalk
