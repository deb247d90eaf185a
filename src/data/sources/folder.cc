// Pictures in a folder for each class, in torchvision's order (ImageFolder): classes by name, code point by code point;
// within a class, folders by path, then files by name.
#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <set>
#include <span>
#include <system_error>
#include <type_traits>

#include "chalkgrad/data.h"
#include "chalkgrad/error.h"
#include "chalkgrad/image.h"
#include "chalkgrad/splits.h"
#include "src/base/fields.h"
#include "src/base/reading.h"
#include "src/base/text.h"
#include "src/base/wording.h"
#include "src/data/class_words.h"
#include "src/data/pictures.h"
#include "src/data/source_options.h"
#include "src/data/sources/source.h"

namespace chalk {
namespace {

namespace fs = std::filesystem;

struct FolderOptions : PictureOptions {
  std::string train, test;
  void visit(FieldVisitor& v) {
    visit_pictures(v);
    v.field({"train", {}, "the folder of the training part, where that is not `FOLDER/train`"}, train);
    v.field(
        {"test", {}, "the folder of the test part, where that is not `FOLDER/test`, `val`, `valid` or `validation`"},
        test);
  }
};

/// What is in a folder, by name.
struct Listing {
  std::vector<std::string> folders, files;
};

/// Whether a place is this folder or in it.
bool is_within(const fs::path& place, const fs::path& folder) {
  return std::ranges::mismatch(folder, place).in1 == folder.end();
}

/// Reads folders, and remembers what it met.
class FolderReader {
 public:
  explicit FolderReader(bool skip_bad) : skip_bad_(skip_bad) {}

  /// Without names that begin with a dot. Links are followed.
  Listing list(const fs::path& folder) {
    Listing found;
    std::error_code error;
    auto entry = fs::directory_iterator(folder, error);
    for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
      const auto name = entry->path().filename().string();
      if (name.starts_with('.')) {
        hidden_.insert(entry->path().string());
        continue;
      }
      std::error_code ignored;
      (entry->is_directory(ignored) ? found.folders : found.files).push_back(name);
    }
    if (error) {
      bad(str(folder.string(), ": cannot be read: ", error.message(),
              "; change its permissions or give another folder"));
    }
    std::ranges::sort(found.folders);
    std::ranges::sort(found.files);
    return found;
  }

  /// The pictures of a class: those of its folder and of all below.
  std::vector<std::string> pictures(const fs::path& folder) {
    std::vector<std::pair<std::string, std::vector<std::string>>> folders;  // each with its files
    collect(folder, {}, folders);
    std::ranges::sort(folders);
    std::vector<std::string> paths;
    for (const auto& [place, files] : folders) {
      for (const auto& name : files) {
        (is_picture_name(name) ? paths : others_).push_back((fs::path(place) / name).string());
      }
    }
    return paths;
  }

  /// An error, unless what is bad is left out.
  void bad(const std::string& what) {
    if (!skip_bad_) throw InputError(what);
    skipped_.push_back(what);
  }

  void tell(Split& split) {
    std::ranges::move(skipped_, std::back_inserter(split.skipped));
    if (!hidden_.empty())
      split.remarks.push_back(str("names that begin with a dot were left out: ", grouped(hidden_.size())));
    if (others_.empty()) return;
    split.remarks.push_back(str("files that are no pictures by name were left out: ", grouped(others_.size()), ", ",
                                others_[0], others_.size() > 1 ? " …" : ""));
  }

 private:
  /// The folder and those below it. `above`: the places that led here; a link back to one of them, or to a folder that
  /// it is in, would go on for ever, or give pictures another class.
  void collect(const fs::path& folder, std::vector<fs::path> above,
               std::vector<std::pair<std::string, std::vector<std::string>>>& folders) {
    std::error_code error;
    auto place = fs::canonical(folder, error);
    if (std::ranges::any_of(above, [&](const fs::path& inner) { return is_within(inner, place); })) {
      bad(str(folder.string(), ": is a link to a folder that it is in, ", place.string(), "; remove it"));
      return;
    }
    above.push_back(std::move(place));
    auto found = list(folder);
    folders.emplace_back(folder.string(), std::move(found.files));
    for (const auto& name : found.folders) collect(folder / name, above, folders);
  }

  bool skip_bad_;
  std::set<std::string> hidden_;
  std::vector<std::string> others_, skipped_;
};

/// Where the parts are. An empty test part: there is none.
struct FolderPlaces {
  fs::path train, test;
};

constexpr std::array<const char*, 4> kTestNames = {"test", "val", "valid", "validation"};

/// The first of the names that there is; empty: none.
std::string first_of(std::span<const char* const> names, const Listing& found) {
  for (const char* name : names) {
    if (std::ranges::find(found.folders, name) != found.folders.end()) return name;
  }
  return {};
}

FolderPlaces places_of(const fs::path& folder, const FolderOptions& own, const Listing& found) {
  const auto has = [&](const std::string& name) {
    return std::ranges::find(found.folders, name) != found.folders.end();
  };
  std::string train = own.train, test = own.test;
  if (test.empty()) test = first_of(kTestNames, found);
  // A class may be called "train": it is the training part if there is another one, or nothing else.
  if (train.empty() && has("train") && (!test.empty() || found.folders.size() == 1)) train = "train";
  if (train.empty()) return {folder, own.test.empty() ? fs::path() : folder / own.test};
  return {folder / train, test.empty() ? fs::path() : folder / test};
}

void check_case(const fs::path& folder, const std::vector<std::string>& classes, bool skip_bad, Split& split) {
  std::map<std::string, std::string> seen;
  for (const auto& name : classes) {
    const auto [other, is_new] = seen.emplace(lower_case(name), name);
    if (is_new) continue;
    const auto what = str(folder.string(), ": the classes ", in_quotes(other->second), " and ", in_quotes(name),
                          " differ in case alone");
    if (!skip_bad) throw InputError(what + "; rename one, or put their pictures into one folder");
    split.remarks.push_back(what + " and are two");
  }
}

/// The pictures of one part. The classes are fixed by the training part, which `is_training` says this is.
PictureIndex part_of(const fs::path& folder, const fs::path& without, FolderReader& reader, ClassWords& classes,
                     bool is_training, bool wanted, Split& split) {
  auto found = reader.list(folder);
  std::erase_if(found.folders, [&](const std::string& name) { return folder / name == without; });
  if (is_training && found.folders.empty()) {
    const bool pictures = std::ranges::any_of(found.files, is_picture_name);
    throw InputError(str(folder.string(), pictures ? ": has pictures but no folders" : ": has no folders",
                         "; put the pictures of each class into a folder with its name"));
  }
  std::vector<std::int32_t> labels;
  for (const auto& name : found.folders) labels.push_back(classes.number(name, (folder / name).string()));
  PictureIndex files;
  if (!wanted) return files;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto place = folder / found.folders[i];
    const auto paths = reader.pictures(place);
    if (paths.empty() && is_training) {
      reader.bad(str(place.string(), ": has no pictures; put some there, or remove the folder"));
    }
    for (const auto& path : paths) files.add(path, labels[i]);
  }
  if (const auto beside = std::ranges::count_if(found.files, is_picture_name); beside > 0) {
    split.remarks.push_back(str(grouped(static_cast<std::uint64_t>(beside)), beside == 1 ? " picture" : " pictures",
                                " beside the folders of ", folder.string(), beside == 1 ? " has" : " have",
                                " no class and ", beside == 1 ? "was" : "were", " left out"));
  }
  return files;
}

Split load_folder(const std::string& argument, const LoadOptions& options) {
  FolderOptions own;
  const fs::path folder = take_options("folder", argument, own);
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored)) {
    throw InputError(
        str(folder.string(), ": is not a folder; give one that holds a folder of pictures for each class"));
  }
  FolderReader reader(options.skip_bad);
  const auto places = places_of(folder, own, reader.list(folder));
  if (options.parts == Parts::test && places.test.empty()) {
    throw InputError(str(folder.string(),
                         ": is not divided into train/ and test/, all of it is the training part; to "
                         "use that, give --part train"));
  }
  Split split;
  ClassWords classes(options.classes);
  const bool wanted = options.parts != Parts::test;
  PictureIndex train;
  if (wanted || (options.classes.empty() && fs::is_directory(places.train, ignored)))
    train = part_of(places.train, places.test, reader, classes, true, wanted, split);
  if (!classes.names().empty()) classes.fix();
  PictureIndex test;
  if (!places.test.empty() && options.parts != Parts::training)
    test = part_of(places.test, {}, reader, classes, false, true, split);
  check_case(folder, classes.names(), options.skip_bad, split);
  for (auto* data : {&split.train, &split.test}) {
    data->name = "folder";
    data->class_names = classes.names();
  }
  load_pictures(split, std::move(train), std::move(test), own, options);
  reader.tell(split);
  if (split.train.size() + split.test.size() == 0) {
    throw InputError(str(folder.string(), ": none of its pictures can be read: ",
                         split.skipped.empty() ? "there is none" : split.skipped[0], "; give another folder"));
  }
  for (const auto* data : {&split.train, &split.test}) {
    if (data->size() > 0) data->check();
  }
  return split;
}

}  // namespace

Validation folder_validation(const std::string& source) {
  constexpr std::string_view kWord = "folder:";
  const auto fail = [](const std::string& what) {
    throw InputError(str("validation val: ", what, ", or hold some of the training samples out: 0.1"));
  };
  if (!source.starts_with(kWord)) {
    fail(str("it is the part of a folder that is called so, and the data are ", in_quotes(source),
             "; name other data, such as folder:FOLDER"));
  }
  auto argument = source.substr(kWord.size());
  std::string classes;  // "#5-9" behind it
  std::error_code ignored;
  if (const auto mark = argument.rfind('#'); mark != std::string::npos && !fs::exists(argument, ignored)) {
    classes = argument.substr(mark);
    argument.resize(mark);
  }
  FolderOptions own;
  const fs::path folder = take_options("folder", argument, own);
  const auto found = FolderReader(/*skip_bad=*/true).list(folder);
  const auto name = first_of(std::span(kTestNames).subspan(1), found);
  if (name.empty()) {
    fail(str(folder.string(), " has no folder val, valid or validation; put one beside train"));
  }
  if (places_of(folder, own, found).test == folder / name) return {};
  own.test = name;
  auto text = str(kWord, folder.string());
  FieldFunction write([&]<class T>(const Field& field, const T& value) {
    if constexpr (std::is_same_v<T, std::string>) {
      if (!value.empty()) text += str(",", with_dashes(field.name), "=", value);
    }
  });
  own.visit(write);
  return {Validation::Kind::source, {}, text + classes};
}

const DataSource source_folder{
    .word = "folder",
    .argument = "FOLDER",
    .example = "photos",
    .hint = "with a folder of pictures for each class",
    .lacking = "does not say which folder",
    .about =
        "Pictures of any size, JPEG, PNG, PNM or BMP, in a folder for each class: `FOLDER/CLASS/…`, or "
        "`FOLDER/train/CLASS/…` and `FOLDER/test/CLASS/…` (or `val`)",
    .options = [](FieldVisitor& v) { FolderOptions().visit(v); },
    .load = load_folder,
    .normalises = true,
};

}  // namespace chalk
