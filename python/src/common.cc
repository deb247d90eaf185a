#include "python/src/common.h"

#include <algorithm>

namespace chalk::python {
namespace {

std::vector<std::size_t> extents(const Shape& shape) { return {shape.begin(), shape.end()}; }

template <class Vector>
Array owned(Vector values, const Shape& shape) {
  auto* kept = new Vector(std::move(values));
  nb::capsule owner(kept, [](void* p) noexcept { delete static_cast<Vector*>(p); });
  const auto size = extents(shape);
  using T = typename Vector::value_type;
  return nb::borrow<Array>(nb::ndarray<nb::numpy, T>(kept->data(), size.size(), size.data(), owner).cast());
}

template <class T>
Array viewed(std::span<const T> values, const Shape& shape, nb::handle owner) {
  const auto size = extents(shape);
  return nb::borrow<Array>(nb::ndarray<nb::numpy, const T>(values.data(), size.size(), size.data(), owner).cast());
}

template <class Array>
bool fast(nb::handle x, Array& array) {
  return PyObject_CheckBuffer(x.ptr()) != 0 && nb::try_cast(x, array, false) && is_aligned(array.data());
}

}  // namespace

ShapeTuple to_tuple(const Shape& shape) {
  nb::list extents;
  for (const auto extent : shape) extents.append(extent);
  return ShapeTuple(nb::tuple(extents));
}

Shape to_shape(nb::handle shape) {
  if (nb::isinstance<nb::int_>(shape)) return {nb::cast<std::int64_t>(shape)};
  Shape extents;
  for (const auto extent : nb::iter(shape)) extents.push_back(nb::cast<std::int64_t>(nb::int_(extent)));
  return extents;
}

nb::object as_array(const char* name, nb::handle x) { return nb::module_::import_("chalkgrad._arrays").attr(name)(x); }

bool fast_floats(nb::handle x, Floats& array) { return fast(x, array); }
bool fast_bytes(nb::handle x, Bytes& array) { return fast(x, array); }

Array new_array(Numbers&& values, const Shape& shape) { return owned(std::move(values), shape); }
Array new_array(std::vector<std::int64_t>&& values, const Shape& shape) { return owned(std::move(values), shape); }
Array view_of(std::span<const float> values, const Shape& shape, nb::handle owner) {
  return viewed(values, shape, owner);
}
Array view_of(std::span<const std::uint8_t> values, const Shape& shape, nb::handle owner) {
  return viewed(values, shape, owner);
}
Array view_of(std::span<const std::int32_t> values, const Shape& shape, nb::handle owner) {
  return viewed(values, shape, owner);
}

Output output_array(nb::handle out, const Shape& shape, const std::string& name) {
  as_array("check_output", out);
  Output array;
  if (!nb::try_cast(out, array, false) || !is_aligned(array.data())) {
    throw nb::type_error((name + ": what is written to must be a writable, aligned array of float32 in C order, as "
                                 "numpy.empty(shape, numpy.float32) makes one")
                             .c_str());
  }
  if (shape_of(array) != shape) {
    throw ShapeError(name + ": the array that is to be written to is " + chalk::to_string(shape_of(array)) +
                     ", and there are " + chalk::to_string(shape) + " numbers; give numpy.empty of that shape");
  }
  return array;
}

std::filesystem::path to_path(nb::handle path) {
  auto text = nb::steal(PyOS_FSPath(path.ptr()));
  if (text.is_valid() && PyUnicode_Check(text.ptr())) text = nb::steal(PyUnicode_EncodeFSDefault(text.ptr()));
  if (!text.is_valid()) throw nb::python_error();
  const nb::bytes name(text);
  return std::string(name.c_str(), name.size());
}

namespace {

PyObject* error_class(nb::module_& m, const char* name, const std::string& doc, const nb::tuple& bases) {
  const std::string full = std::string("chalkgrad.") + name;
  PyObject* made = PyErr_NewExceptionWithDoc(full.c_str(), doc.c_str(), bases.ptr(), nullptr);
  if (!made) throw nb::python_error();
  m.attr(name) = nb::borrow(made);
  return made;  // lives as long as the process
}

struct Classes {
  PyObject *error = nullptr, *shape = nullptr, *input = nullptr, *numeric = nullptr;
};
Classes classes;

}  // namespace

void bind_errors(nb::module_& m) {
  const nb::handle exception(PyExc_Exception), value_error(PyExc_ValueError), arithmetic(PyExc_FloatingPointError);
  // An example of what raises it.
  const auto raised = [](const std::string& doc, const std::string& line, const std::string& name,
                         const std::string& base) {
    return doc + "\n\n>>> try:\n...     " + line + "\n... except chalkgrad." + name +
           " as error:\n...     print(isinstance(error, " + base + "))\nTrue\n";
  };
  classes.error = error_class(m, "Error",
                              raised("Base of everything chalkgrad raises on purpose. Its text is one line.",
                                     "chalkgrad.load_dataset('nowhere')", "Error", "Exception"),
                              nb::make_tuple(exception));
  const nb::handle base(classes.error);
  classes.shape = error_class(m, "ShapeError",
                              raised("Shapes that do not fit together. It is a ValueError, too.",
                                     "chalkgrad.Network('4c9', (1, 8, 8))", "ShapeError", "ValueError"),
                              nb::make_tuple(base, value_error));
  classes.input =
      error_class(m, "InputError",
                  raised("A file, an option or a text that cannot be used: names it. It is a ValueError, too.",
                         "chalkgrad.Network('4q', (1, 8, 8))", "InputError", "ValueError"),
                  nb::make_tuple(base, value_error));
  classes.numeric =
      error_class(m, "NumericError",
                  raised("A value that is NaN or infinite: names the layer. It is a FloatingPointError, too.",
                         "net = chalkgrad.Network('2n', (3,)); net['dense1.bias'] = [numpy.inf, 0]; "
                         "chalkgrad.Predictor(net)",
                         "NumericError", "FloatingPointError"),
                  nb::make_tuple(base, arithmetic));
  nb::register_exception_translator([](const std::exception_ptr& thrown, void*) {
    try {
      std::rethrow_exception(thrown);
    } catch (const ShapeError& e) {
      PyErr_SetString(classes.shape, e.what());
    } catch (const InputError& e) {
      PyErr_SetString(classes.input, e.what());
    } catch (const NumericError& e) {
      PyErr_SetString(classes.numeric, e.what());
    } catch (const Error& e) {
      PyErr_SetString(classes.error, e.what());
    }
  });
}

}  // namespace chalk::python
