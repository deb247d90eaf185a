// What the files of the module share: errors, locks, and how shapes and arrays cross between Python and the engine.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/typing.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <new>
#include <span>
#include <string>
#include <vector>

#include "chalkgrad/error.h"
#include "chalkgrad/network.h"

namespace chalk::python {

namespace nb = nanobind;
using namespace nb::literals;

using Floats = nb::ndarray<const float, nb::c_contig, nb::device::cpu>;
using Bytes = nb::ndarray<const std::uint8_t, nb::c_contig, nb::device::cpu>;
using Labels = nb::ndarray<const std::int32_t, nb::c_contig, nb::device::cpu>;
using Output = nb::ndarray<float, nb::c_contig, nb::device::cpu>;

/// An array of NumPy's, and what else stubs say of containers.
struct Array : nb::object {
  NB_OBJECT_DEFAULT(Array, object, "numpy.ndarray", any)
  static bool any(nb::handle) { return true; }
};
using ShapeTuple = nb::typed<nb::tuple, int, nb::ellipsis>;
using AnyDict = nb::typed<nb::dict, nb::str, nb::any>;

/// A network that several threads of Python may have: what works on it locks it, and waits without Python's lock.
/// The lock may be taken again by the thread that has it, as callbacks of train() do.
struct SharedNetwork : Network {
  explicit SharedNetwork(Network network) : Network(std::move(network)) {}
  SharedNetwork(const SharedNetwork& other) : Network(other) {}
  std::recursive_mutex mutex;
};

/// For as long as it lives: this thread alone works with what the mutex guards, and others may run Python.
class AtWork {
 public:
  explicit AtWork(std::recursive_mutex& mutex) : lock_(mutex) {}

 private:
  nb::gil_scoped_release released_;
  std::lock_guard<std::recursive_mutex> lock_;
};

/// A shape as a tuple, and from a number or a sequence of them.
ShapeTuple to_tuple(const Shape& shape);
Shape to_shape(nb::handle shape);

/// Whether memory begins where an element of that size may.
template <class T>
bool is_aligned(const T* data) {
  return reinterpret_cast<std::uintptr_t>(data) % alignof(T) == 0;
}
template <class Array>
Shape shape_of(const Array& array) {
  return {array.shape_ptr(), array.shape_ptr() + array.ndim()};
}

/// chalkgrad._arrays.NAME(x): `x` as an array that the casts above take.
nb::object as_array(const char* name, nb::handle x);
template <class Array>
Array cast_array(nb::handle x) {
  return nb::cast<Array>(x, false);
}
/// The floats of an array that needs no conversion, or nothing. Of NumPy alone: others may hold signs or devices that
/// only they know.
bool fast_floats(nb::handle x, Floats& array);
bool fast_bytes(nb::handle x, Bytes& array);

/// Memory that begins where a vector of 64 bytes may, without which JAX copies what it is given.
template <class T>
struct Aligned {
  using value_type = T;
  static constexpr std::align_val_t kBytes{64};

  Aligned() = default;
  template <class U>
  Aligned(const Aligned<U>&) {}  // NOLINT(google-explicit-constructor): as allocators are converted
  T* allocate(std::size_t count) { return static_cast<T*>(::operator new(count * sizeof(T), kBytes)); }
  void deallocate(T* memory, std::size_t) noexcept { ::operator delete(memory, kBytes); }
  bool operator==(const Aligned&) const = default;
};
using Numbers = std::vector<float, Aligned<float>>;

/// A new array of NumPy's that owns its numbers.
Array new_array(Numbers&& values, const Shape& shape);
Array new_array(std::vector<std::int64_t>&& values, const Shape& shape);
/// One that looks at memory of `owner`, read-only.
Array view_of(std::span<const float> values, const Shape& shape, nb::handle owner);
Array view_of(std::span<const std::uint8_t> values, const Shape& shape, nb::handle owner);
Array view_of(std::span<const std::int32_t> values, const Shape& shape, nb::handle owner);

/// The caller's array for `elements` floats of that shape. Throws ValueError or TypeError, in words, for any other one:
/// a converted copy would be filled, and thrown away.
Output output_array(nb::handle out, const Shape& shape, const std::string& name);

/// Runs `f`; where it throws InputError and the file is not there, that is Python's FileNotFoundError.
template <class F>
auto with_file(const std::filesystem::path& file, F f) {
  try {
    return f();
  } catch (const InputError& error) {
    std::error_code unknown;
    if (std::filesystem::exists(file, unknown)) throw;
    PyErr_SetString(PyExc_FileNotFoundError, error.what());
    throw nb::python_error();
  }
}
/// os.fspath(path).
std::filesystem::path to_path(nb::handle path);

void bind_errors(nb::module_& m);
void bind_options(nb::module_& m);
void bind_data(nb::module_& m);
void bind_network(nb::module_& m);
void bind_training(nb::module_& m);
void bind_prediction(nb::module_& m);
void bind_graph(nb::module_& m);
void bind_operations(nb::module_& m);
void bind_derivations(nb::module_& m);

}  // namespace chalk::python
