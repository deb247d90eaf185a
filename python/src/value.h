// Values of graphs in Python: each keeps its graph.
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
