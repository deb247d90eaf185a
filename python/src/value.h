// Values of graphs in Python: each keeps its graph. And what looks at graphs or appends to them, one thread at a time.
#pragma once

#include <exception>
#include <utility>

#include "chalkgrad/ops.h"
#include "python/src/common.h"

namespace chalk::python {

/// What Python calls a Value.
struct GraphValue {
  nb::object graph;
  Value value;
};

/// Numbers stand for constants beside a value: 2 * x.
inline Value constant_like(Value x, double number) { return x.graph().constant(number); }

/// What is locked by whatever looks at graphs or appends to them. One object for all: an operation may be given its
/// graph in any of its arguments. Set by bind_graph(), and never released.
inline nb::handle graph_lock;

/// For as long as it lives, and no other Python runs, this thread alone works with graphs. Python's lock sees to that
/// where there is one, and this is empty; a free-threaded Python has none.
class WithGraphs {
  nb::ft_object_guard guard_{graph_lock};
};

/// A module, or a class, whose functions work with graphs.
class GraphModule {
 public:
  explicit GraphModule(nb::module_& m) : module_(m) {}
  template <class... Args>
  void def(Args&&... args) {
    module_.def(std::forward<Args>(args)..., nb::call_guard<WithGraphs>());
  }

 private:
  nb::module_& module_;
};
template <class T>
class GraphClass {
 public:
  template <class... Args>
  explicit GraphClass(Args&&... args) : class_(std::forward<Args>(args)...) {}
  template <class... Args>
  GraphClass& def(Args&&... args) {
    class_.def(std::forward<Args>(args)..., nb::call_guard<WithGraphs>());
    return *this;
  }
  template <class... Args>
  GraphClass& def_prop_ro(Args&&... args) {
    class_.def_prop_ro(std::forward<Args>(args)..., nb::call_guard<WithGraphs>());
    return *this;
  }
  template <class... Args>
  GraphClass& def_ro(Args&&... args) {
    class_.def_ro(std::forward<Args>(args)...);
    return *this;
  }

 private:
  nb::class_<T> class_;
};

}  // namespace chalk::python

namespace nanobind::detail {

template <>
struct type_caster<chalk::Value> {
  NB_TYPE_CASTER(chalk::Value, const_name("Value"))

  bool from_python(handle src, std::uint32_t, cleanup_list*) noexcept {
    chalk::python::GraphValue* found = nullptr;
    if (!nanobind::try_cast(src, found, false) || !found) return false;
    value = found->value;
    return true;
  }
  static handle from_cpp(const chalk::Value& value, rv_policy, cleanup_list*) noexcept {
    if (!value) return none().release();
    try {
      object graph = nanobind::find(value.graph());
      if (!graph.is_valid()) return {};
      return nanobind::cast(chalk::python::GraphValue{std::move(graph), value}).release();
    } catch (python_error& error) {
      error.restore();
    } catch (const std::exception& error) {
      PyErr_SetString(PyExc_TypeError, error.what());
    }
    return {};
  }
};

}  // namespace nanobind::detail
