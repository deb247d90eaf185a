// data.h, normalisation.h, splits.h: data sets, of arrays and as the command line knows them.
#include "chalkgrad/data.h"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <memory>
#include <numeric>

#include "chalkgrad/splits.h"
#include "python/src/common.h"

namespace chalk::python {
namespace {

Shape without_first(const Shape& shape) { return {shape.begin() + 1, shape.end()}; }

template <class Array>
auto to_vector(const Array& array) {
  using T = std::remove_const_t<typename Array::Scalar>;
  return std::vector<T>(array.data(), array.data() + array.size());
}

/// Lets go of an object, on whatever thread.
void release(nb::object& object) {
  const nb::gil_scoped_acquire acquire;
  object.reset();
}

/// Pictures in an array of Python's, which are read where they are.
class LentPictures : public PictureStore {
 public:
  LentPictures(nb::object array, const Bytes& bytes)
      : array_(std::move(array)), data_(bytes.data()), each_(bytes.size() / bytes.shape(0)), count_(bytes.shape(0)) {}
  ~LentPictures() override { release(array_); }
  LentPictures(const LentPictures&) = delete;
  LentPictures& operator=(const LentPictures&) = delete;

  void read(std::uint32_t picture, std::uint8_t* to) const override { std::copy_n(data_ + picture * each_, each_, to); }
  std::string file(std::uint32_t picture) const override { return "sample " + std::to_string(picture); }
  std::size_t count() const { return count_; }
  const nb::object& array() const { return array_; }

 private:
  nb::object array_;
  const std::uint8_t* data_;
  std::size_t each_, count_;
};

/// Keeps an array of Python's whose numbers are read where they are.
struct LentNumbers {
  explicit LentNumbers(nb::object array) : array(std::move(array)) {}
  ~LentNumbers() { release(array); }
  LentNumbers(const LentNumbers&) = delete;
  LentNumbers& operator=(const LentNumbers&) = delete;
  nb::object array;
};

/// Arrays of so many bytes and more are not copied. Smaller ones are, so that their owner may go on to change them.
constexpr std::size_t kLent = std::size_t{64} << 20U;

void all_places(Dataset& data, std::size_t count) {
  data.places.resize(count);
  std::iota(data.places.begin(), data.places.end(), 0U);
}

void set_samples(Dataset& data, nb::handle x) {
  const auto array = as_array("samples", x);
  Bytes bytes;
  if (nb::try_cast(array, bytes, false)) {
    data.sample = without_first(shape_of(bytes));
    if (bytes.size() < kLent) {
      data.bytes = to_vector(bytes);
      return;
    }
    data.store = std::make_shared<LentPictures>(array, bytes);
    all_places(data, bytes.shape(0));
    return;
  }
  const auto values = cast_array<Floats>(array);
  data.sample = without_first(shape_of(values));
  if (values.nbytes() < kLent) {
    data.values = to_vector(values);
    return;
  }
  data.lent = {std::make_shared<LentNumbers>(array), values.data()};
  all_places(data, values.shape(0));
}

void set_targets(Dataset& data, nb::handle y, std::optional<std::vector<std::string>> class_names) {
  const auto array = as_array("targets", y);
  Labels labels;
  if (!nb::try_cast(array, labels, false)) {
    const auto values = cast_array<Floats>(array);
    data.target = values.ndim() == 1 ? Shape{1} : without_first(shape_of(values));
    data.targets = to_vector(values);
    if (class_names) data.class_names = std::move(*class_names);
    return;
  }
  data.labels = to_vector(labels);
  if (class_names) {
    data.class_names = std::move(*class_names);
    return;
  }
  const auto highest = std::ranges::max_element(data.labels);
  for (std::int32_t c = 0; highest != data.labels.end() && c <= *highest; ++c)
    data.class_names.push_back(std::to_string(c));
}

Dataset of_arrays(nb::object x, nb::object y, nb::handle weights, std::optional<std::vector<std::string>> class_names,
                  const std::string& normalise, const std::string& name) {
  Dataset data;
  data.name = name;
  if (y.is_none()) {
    const auto both = as_array("batches", x);
    x = both[0];
    y = both[1];
  }
  set_samples(data, x);
  set_targets(data, y, std::move(class_names));
  if (!weights.is_none()) data.weights = to_vector(cast_array<Floats>(as_array("weights", weights)));
  const nb::gil_scoped_release release;
  const bool as_they_are = normalise.empty() && !data.has_bytes();
  if (!as_they_are && data.size() > 0)
    chalk::normalise(data, Normalisation::parse(normalise.empty() ? "channel" : normalise));
  data.check();
  return data;
}

Shape with_first(std::size_t count, const Shape& shape) {
  Shape all{static_cast<std::int64_t>(count)};
  all.insert(all.end(), shape.begin(), shape.end());
  return all;
}

/// Where they are if they are all there is, or a copy of those.
Array lent_numbers(const Dataset& data, const Shape& shape, nb::handle self) {
  const auto each = static_cast<std::size_t>(elements(data.sample));
  std::uint32_t next = 0;
  if (std::ranges::all_of(data.places, [&](std::uint32_t place) { return place == next++; }))
    return view_of(std::span(data.lent.get(), data.size() * each), shape, self);
  Numbers copy;
  copy.reserve(data.size() * each);
  for (std::size_t i = 0; i < data.size(); ++i) copy.insert(copy.end(), data.numbers(i), data.numbers(i) + each);
  return new_array(std::move(copy), shape);
}

Array samples_of(nb::handle self) {
  const auto& data = nb::cast<const Dataset&>(self);
  const auto shape = with_first(data.size(), data.sample);
  if (const auto* lent = dynamic_cast<const LentPictures*>(data.store.get())) {
    if (data.places.size() == lent->count())
      return view_of(
          {nb::cast<Bytes>(lent->array()).data(), lent->count() * static_cast<std::size_t>(elements(data.sample))},
          shape, self);
    std::vector<std::int64_t> rows(data.places.begin(), data.places.end());
    const auto count = static_cast<std::int64_t>(rows.size());
    return nb::borrow<Array>(lent->array()[new_array(std::move(rows), {count})]);
  }
  if (data.lent) return lent_numbers(data, shape, self);
  if (data.store) throw nb::type_error("the samples are in files, and are read when they are needed");
  if (data.has_bytes()) return view_of(std::span<const std::uint8_t>(data.bytes), shape, self);
  return view_of(std::span<const float>(data.values), shape, self);
}

Array targets_of(nb::handle self) {
  const auto& data = nb::cast<const Dataset&>(self);
  if (!data.labels.empty())
    return view_of(std::span<const std::int32_t>(data.labels), {static_cast<std::int64_t>(data.size())}, self);
  return view_of(std::span<const float>(data.targets), with_first(data.size(), data.target), self);
}

Array weights_of(nb::handle self) {
  const auto& data = nb::cast<const Dataset&>(self);
  return view_of(std::span<const float>(data.weights), {static_cast<std::int64_t>(data.weights.size())}, self);
}

std::string show(const Dataset& data) {
  return "<chalkgrad.Dataset '" + data.name + "': " + std::to_string(data.size()) + " samples of " +
         to_string(data.sample) +
         (data.labels.empty() ? ", targets " + to_string(data.target)
                              : ", " + std::to_string(data.class_names.size()) + " classes") +
         ">";
}

Split load(const std::string& source, const std::string& normalise, bool skip_bad) {
  const nb::gil_scoped_release release;
  LoadOptions options{.skip_bad = skip_bad};
  if (!normalise.empty()) options.normalisation = Normalisation::parse(normalise);
  return load_dataset(source, options);
}

Split held_out(const Dataset& data, const std::string& how) {
  const nb::gil_scoped_release release;
  return hold_out(data, HoldOut::parse(how));
}

}  // namespace

void bind_data(nb::module_& m) {
  nb::class_<Dataset>(
      m, "Dataset",
      "Samples and their targets.\n\n"
      "Dataset(x, y) takes arrays: x of N samples, first axis first, pictures as N×channels×rows×columns. "
      "uint8 are pixels, which enter the network normalised; all other numbers become float32 and enter "
      "as they are, unless `normalise` says otherwise. y are N whole numbers, the classes 0, 1, …, or "
      "floats to regress on, N or N×….\n\n"
      "Dataset(batches) takes whatever gives (x, y) when it is iterated over, batches or single samples, as a "
      "torch.utils.data.DataLoader does: once, to its end, and keeps them.\n\n"
      "An array of 64 MB and more that is uint8 or float32, aligned and in C order is read where it is, and must not "
      "change meanwhile; everything else is copied.\n\n"
      "weights: what each sample counts in the mean loss, N numbers of at least 0; without, each 1. A sample of weight "
      "2 counts as two.\n"
      "class_names: one for each class; without, '0', '1', … up to the highest label.\n"
      "normalise: 'channel', 'sample', 'min-max', 'none' or 'given:MEAN,…/DEVIATION,…', as in "
      "docs/cli.md; without, 'channel' of uint8, and none of others.\n\n"
      "Raises InputError (a ValueError) naming the sample for numbers that are not finite, labels that "
      "are out of range, and numbers of samples that differ.\n\n"
      ">>> x = numpy.zeros((4, 1, 8, 8), numpy.uint8)\n"
      ">>> chalkgrad.Dataset(x, [0, 1, 1, 2])\n"
      "<chalkgrad.Dataset 'arrays': 4 samples of 1×8×8, 3 classes>\n")
      .def(
          "__init__",
          [](Dataset* self, nb::object x, nb::object y, nb::handle weights,
             std::optional<std::vector<std::string>> class_names, const std::string& normalise,
             const std::string& name) {
            new (self) Dataset(of_arrays(std::move(x), std::move(y), weights, std::move(class_names), normalise, name));
          },
          "x"_a, "y"_a = nb::none(), nb::kw_only(), "weights"_a = nb::none(), "class_names"_a = nb::none(),
          "normalise"_a = "", "name"_a = "arrays")
      .def_ro("name", &Dataset::name, "What messages call it.")
      .def_ro("class_names", &Dataset::class_names, "One for each class; empty for values to regress on.")
      .def_prop_ro(
          "sample", [](const Dataset& d) { return to_tuple(d.sample); }, "The shape of one sample.")
      .def_prop_ro(
          "target", [](const Dataset& d) { return to_tuple(d.target); },
          "The shape of one target, if they are no labels.")
      .def_prop_ro("x", &samples_of, "All samples, N×…, uint8 or float32: a read-only view, without a copy.")
      .def_prop_ro("y", &targets_of, "All labels (int32) or targets (float32): a read-only view, without a copy.")
      .def_prop_ro("weights", &weights_of,
                   "What each sample counts (float32), empty if that is 1: a read-only view, without a copy.")
      .def("__len__", &Dataset::size)
      .def("__repr__", &show)
      .def(
          "digest",
          [](const Dataset& d) {
            const nb::gil_scoped_release release;
            return d.digest();
          },
          "A text that tells data from others by all that training makes use of. Equal digests mean the same data.\n\n"
          ">>> split = chalkgrad.digits()\n"
          ">>> split.train.digest() == split.test.digest(), split.test.digest() == chalkgrad.digits().test.digest()\n"
          "(False, True)\n")
      .def(
          "has_digest",
          [](const Dataset& d, const std::string& digest) {
            const nb::gil_scoped_release release;
            return d.has_digest(digest);
          },
          "digest"_a,
          "Whether this digest, perhaps of an earlier program, is of these data.\n\n"
          ">>> net, data = chalkgrad.Network('10n', (1, 8, 8)), chalkgrad.digits().train\n"
          ">>> _ = chalkgrad.train(net, data, epochs=1)\n"
          ">>> data.has_digest(net.training['digest'])\nTrue\n");
  nb::class_<Split>(m, "Split",
                    "The two parts of a data set, and remarks on how it was read.\n\n"
                    ">>> len(chalkgrad.digits().train), len(chalkgrad.digits().test)\n(1438, 359)\n")
      .def_ro("train", &Split::train, "To train on.")
      .def_ro("test", &Split::test, "To judge by; it may have no samples.")
      .def_ro("remarks", &Split::remarks, "What to know about how the data were read, a sentence each.");
  m.def("load_dataset", &load, "source"_a, nb::kw_only(), "normalise"_a = "", "skip_bad"_a = false,
        "The Split of a data set as the command line knows it: 'digits', 'mnist:FOLDER', 'folder:FOLDER,size=32x32', … "
        "(docs/formats.md).\n\nRaises InputError naming what is wrong with the data, and where.\n\n"
        ">>> len(chalkgrad.load_dataset('digits').train)\n1438\n");
  m.def(
      "digits",
      [] {
        const nb::gil_scoped_release release;
        return digits();
      },
      "The 1,797 handwritten digits that are built in, 1×8×8: every fifth is a test sample.\n\n"
      ">>> chalkgrad.digits().test\n<chalkgrad.Dataset 'digits': 359 samples of 1×8×8, 10 classes>\n");
  m.def("hold_out", &held_out, "data"_a, "how"_a = "0.1",
        "Takes a share of the samples away for validation: Split.train are the others, Split.test those that were "
        "taken.\n\n"
        "how: '0.1', '0.1,stratified' (each class in proportion), '0.1,seed=3'.\n\n"
        ">>> len(chalkgrad.hold_out(chalkgrad.digits().train, '0.25').test)\n360\n");
}

}  // namespace chalk::python
