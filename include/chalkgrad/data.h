// Data sets: samples and their targets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "chalkgrad/fields.h"
#include "chalkgrad/image.h"
#include "chalkgrad/normalisation.h"
#include "chalkgrad/shape.h"

namespace chalk {

/// Pictures that are not in memory: each is decoded, or read, whenever it is needed.
class PictureStore {
 public:
  virtual ~PictureStore() = default;
  /// Writes a picture, elements(Dataset::sample) bytes. May be called by several threads at once. Throws InputError
  /// naming the file if it cannot be read any more.
  virtual void read(std::uint32_t picture, std::uint8_t* to) const = 0;
  /// The file a picture is in.
  virtual std::string file(std::uint32_t picture) const = 0;
  /// XXH64 of a picture's bytes, if that is known without reading it.
  virtual std::optional<std::uint64_t> hash(std::uint32_t) const { return {}; }

  /// Says which part of a picture is wanted, of the rows and columns that it has in its file.
  using Choose = std::function<PicturePart(std::int64_t rows, std::int64_t columns)>;
  /// Writes a part of the picture as it is in its file, brought to the size of a sample by itself, as fit_image() does.
  /// Throws as read() does; std::logic_error for a store of other pictures than in files.
  virtual void read_part(std::uint32_t picture, const Choose& choose, std::uint8_t* to) const;
};

/// Samples in row-major order, one after the other. Exactly one of `bytes`, `store`, `values` and `lent` is used, and
/// one of `labels` and `targets`.
struct Dataset {
  std::string name;                             ///< "digits", "mnist"
  Shape sample;                                 ///< shape of one sample; {channels, rows, columns} for images
  std::vector<std::uint8_t> bytes;              ///< images, 0…255 (size() × elements(sample)), or
  std::shared_ptr<const PictureStore> store{};  ///< images that are fetched when they are needed: sample i is
  std::vector<std::uint32_t> places{};          ///< picture places[i] of the store; or
  std::vector<float> values;                    ///< anything else, or
  std::shared_ptr<const float> lent{};          ///< anything else in memory that is somebody else's, and which this
                                                ///< keeps there: sample i is row places[i] of it
  std::vector<float> scale, shift;              ///< per channel: an element x enters the network as x · scale + shift;
                                                ///< bytes need them, values without them are used as they are
  bool per_sample = false;  ///< each sample enters with mean 0 and deviation 1 instead, and scale and shift say only
                            ///< which byte is the mean where augmentations fill with it; see normalisation.h
  std::vector<std::int32_t> labels;      ///< 0 … class_names.size() − 1, or
  std::vector<float> targets;            ///< size() × elements(target) values to regress on
  Shape target;                          ///< shape of one target, if `targets` is used
  std::vector<float> weights{};          ///< what each sample counts in the mean loss, at least 0; empty: each 1
  std::vector<std::string> class_names;  ///< one per class
  std::vector<std::string> files;        ///< where each sample came from, if each has a file of its own; or empty, or
  std::shared_ptr<const PictureStore> originals{};  ///< the same with their pictures, larger ones as a rule, of which
                                                    ///< read_part() gives parts: sample i is its picture places[i]

  /// Number of samples.
  std::size_t size() const;
  /// Whether the samples are bytes, in memory or not.
  bool has_bytes() const { return !bytes.empty() || store != nullptr; }
  /// Whether they are numbers, wherever these are.
  bool has_values() const { return !values.empty() || lent != nullptr; }
  /// The numbers of a sample that has them, elements(sample) of them.
  const float* numbers(std::size_t index) const;
  /// Writes the bytes of a sample that has them, elements(sample) of them. Throws InputError as PictureStore::read()
  /// does.
  void read(std::size_t index, std::uint8_t* to) const;
  /// The file of a sample; empty if it has none of its own.
  std::string file(std::size_t index) const;

  /// A text that tells data from others by all that training makes use of: samples, labels or targets, weights, shapes,
  /// scale and shift, and the number of classes, but no names. Equal digests mean the same data, wherever they are
  /// kept. It is "2:" and SHA-256, in hex, of the XXH64 of each sample and of the rest: to notice a change, not to
  /// withstand somebody who means to deceive. Computed anew by each call, as the members may have changed: it takes a
  /// little longer than to read the samples once, or nearly nothing where the store knows their hashes. Throws
  /// InputError as read() does.
  std::string digest() const;
  /// Whether this digest is of these data. It may be that of an earlier program, SHA-256 of everything, which takes
  /// longer.
  bool has_digest(std::string_view digest) const;

  /// Throws InputError unless the sizes of all members agree and every label is in range.
  void check() const;
};

/// How many pictures have a size, as they are in their files.
struct PictureSize {
  int rows = 0, columns = 0;
  std::int64_t samples = 0;
  std::string example;  ///< one of the files
};

struct Split {
  Dataset train, test;
  Fit fit = Fit::stretch;              ///< how pictures in files of their own were brought to their size
  std::vector<PictureSize> sizes{};    ///< of pictures in files of their own, the most frequent first
  std::vector<std::string> remarks{};  ///< what to know about how the data were read, a sentence each
  std::vector<std::string> skipped{};  ///< samples that were left out (LoadOptions::skip_bad): why, each with its file
};

/// Takes a share of the samples away for validation: `train` are the others, `test` those that were taken, both in
/// their old order. Which they are depends on the share and on how many samples there are, on no seed: so runs with
/// other seeds can be compared, and one that goes on from a model does not learn what its first run held out. At least
/// one sample goes to each part. Throws InputError for a share that is not above 0 and below 1, or fewer than 2
/// samples.
Split hold_out(const Dataset& data, double share);

/// The 1,797 handwritten digits of UCI's optdigits, 1×8×8, built in. Every fifth sample is a test sample (1,438 / 359).
Split digits();

/// Which parts of a data set are wanted. A part that is not has no samples, and its files need not be there.
enum class Parts : std::uint8_t {
  both,
  training,           ///< nothing else
  test,               ///< nothing else; its scale and shift are then its own: see encode_as_trained() in evaluate.h
  training_at_least,  ///< and the test part, if its files are there
};

/// How a data set is loaded.
struct LoadOptions {
  Parts parts = Parts::both;
  /// The input of a network, {channels, rows, columns}, which pictures in files of their own are brought to; empty: as
  /// they are.
  Shape sample{};
  Fit fit = Fit::stretch;  ///< how they are brought to it, unless the source says it
  /// The classes that a network knows. Where a source has names of classes, labels are places in this list, and another
  /// name is an error; empty: the classes are those of the data.
  std::vector<std::string> classes{};
  bool skip_bad = false;  ///< what cannot be used is left out and listed (Split::skipped), where it would be an error
  /// How many bytes pictures in files of their own may take, both parts together. If they would take more, they are not
  /// kept: each is decoded whenever it is needed (Dataset::store). Nothing: half of the memory that is available.
  std::optional<std::uint64_t> memory{};
  /// A file that keeps such pictures decoded, between runs: it is made if it is not there, or if the files are others
  /// than those it was made of. They are then read from it, and `memory` decides nothing. Empty: there is none.
  std::filesystem::path cache{};
  std::optional<Normalisation> normalisation{};  ///< empty: by channel, of bytes, and numbers as they are
  bool any_size = false;  ///< pictures of many sizes are brought to the size of the first, where that would be an error
};

/// MNIST or anything in its format: train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and
/// t10k-labels-idx1-ubyte, each plain or with .gz, in `folder`. There are ten classes, or more if a label is higher.
/// Throws InputError naming the file and what is wrong.
Split mnist(const std::filesystem::path& folder, Parts parts = Parts::both);

/// The samples of some classes, whose labels count from 0 in the order of `names`. Scale and shift stay as they are.
/// Throws InputError for a name that is none of its classes, or twice the same.
Dataset select_classes(const Dataset& data, std::span<const std::string> names);
/// "cat,dog" or "0-4,7": names of classes, where a range of numbers stands for each of them. Throws InputError.
std::vector<std::string> class_list(std::string_view text);

/// A kind of data set that load_dataset() knows by a word: WORD, or WORD:ARGUMENT if it takes an argument, with
/// ",name=value" behind that for each of its options.
struct DataSource {
  std::string_view word;      ///< "mnist"
  std::string_view argument;  ///< what follows the colon, "FOLDER"; empty: nothing and no colon, it is built in
  std::string_view example;   ///< of the argument: "data/mnist"
  std::string_view hint;      ///< what --help says after WORD:ARGUMENT; may be empty
  std::string_view lacking;   ///< what is wrong without the argument: "does not say where MNIST's files are"
  std::string_view about;     ///< what it is, for the documentation
  void (*options)(FieldVisitor& visitor);  ///< visits what may follow the argument; null: it has no options
  Split (*load)(const std::string& argument, const LoadOptions& options);  ///< may load more parts than are wanted
  bool normalises = false;  ///< load() does so as LoadOptions say; otherwise load_dataset() does

  /// "digits", "mnist:FOLDER"
  std::string form() const;
};
/// All of them, in the order of documentation.
std::span<const DataSource* const> data_sources();
/// Their forms, for a help text: "digits or mnist:FOLDER".
std::string data_source_forms();

/// "digits", "mnist:FOLDER" or "folder:FOLDER,size=32x32", as on the command line, and with "#5-9" behind it some of
/// the classes (class_list()); if FOLDER#5-9 is there, it is that, and so is a path with ",size=32". docs/formats.md
/// lists sources and options. Throws InputError naming what is known, or what is wrong with the data and where.
Split load_dataset(const std::string& spec, const LoadOptions& options = {});

}  // namespace chalk
