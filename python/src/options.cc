#include "python/src/options.h"

#include <nanobind/stl/vector.h>

#include <algorithm>

namespace chalk::python {
namespace {

std::string joined(const std::vector<std::string>& words) {
  std::string list;
  for (const auto& word : words) list += (list.empty() ? "" : ", ") + word;
  return list;
}

std::string shown(nb::handle value) { return nb::cast<std::string>(nb::repr(value)); }

bool is_number(nb::handle value) { return nb::hasattr(value, "__float__") && !nb::isinstance<nb::str>(value); }

/// Sets the fields that were given, and knows which it has seen.
class Setter : public FieldVisitor {
 public:
  explicit Setter(const nb::dict& given) : given_(given) {}

  void field(const Field& field, std::int64_t& value) override {
    const auto found = given(field);
    if (!found.is_valid()) return;
    if (!nb::hasattr(found, "__index__") || nb::isinstance<nb::bool_>(found))
      wrong_type(field, found, "a whole number");
    std::int64_t whole = 0;
    if (!nb::try_cast(nb::int_(found), whole) || !field.range.contains(static_cast<double>(whole)))
      out_of_range(field, found);
    value = whole;
  }
  void field(const Field& field, bool& value) override {
    const auto found = given(field);
    if (!found.is_valid()) return;
    const auto truth = nb::bool_(found);
    const bool is_truth = nb::isinstance<nb::bool_>(found) || nb::cast<bool>(nb::bool_(found.equal(truth)));
    if (!is_truth || nb::isinstance<nb::str>(found)) wrong_type(field, found, "True or False");
    value = nb::cast<bool>(truth);
  }
  void field(const Field& field, double& value) override {
    const auto found = given(field);
    if (found.is_valid()) value = number(field, found);
  }
  void field(const Field& field, std::string& value) override {
    const auto found = given(field);
    if (!found.is_valid()) return;
    if (!nb::isinstance<nb::str>(found)) wrong_type(field, found, "a text");
    auto text = nb::cast<std::string>(found);
    if (field.check_text) {
      try {
        field.check_text(text);
      } catch (const InputError& e) {
        throw InputError(std::string(field.name) + ": " + e.what());
      }
    }
    value = std::move(text);
  }
  void field(const Field& field, std::vector<std::int64_t>& value) override {
    const auto found = given(field);
    if (found.is_valid()) value = to_shape(found);
  }
  void field(const Field& field, std::vector<double>& value) override {
    const auto found = given(field);
    if (!found.is_valid()) return;
    if (nb::isinstance<nb::str>(found) || !nb::hasattr(found, "__iter__"))
      wrong_type(field, found, "a list of numbers");
    value.clear();
    for (const auto each : nb::iter(found)) value.push_back(number(field, nb::borrow(each)));
  }

  /// Those that were given and that no field is called.
  std::vector<std::string> unknown() const {
    std::vector<std::string> names;
    for (const auto key : given_.keys()) {
      auto name = nb::cast<std::string>(key);
      if (std::ranges::find(seen_, name) == seen_.end()) names.push_back(std::move(name));
    }
    return names;
  }
  const std::vector<std::string>& seen() const { return seen_; }

 private:
  nb::object given(const Field& field) {
    seen_.emplace_back(field.name);
    const nb::str name(field.name.data(), field.name.size());
    return given_.contains(name) ? nb::object(given_[name]) : nb::object();
  }
  static double number(const Field& field, const nb::object& found) {
    if (!is_number(found)) wrong_type(field, found, "a number");
    const double value = PyFloat_AsDouble(found.ptr());
    if (value == -1 && PyErr_Occurred()) throw nb::python_error();
    if (!field.range.contains(value)) out_of_range(field, found);
    return value;
  }
  [[noreturn]] static void wrong_type(const Field& field, nb::handle value, const char* wanted) {
    throw nb::type_error((std::string(field.name) + " is " + shown(value) + "; it must be " + wanted).c_str());
  }
  [[noreturn]] static void out_of_range(const Field& field, nb::handle value) {
    throw InputError(std::string(field.name) + " is " + nb::cast<std::string>(nb::str(value)) + "; it must be " +
                     field.range.text());
  }

  const nb::dict& given_;
  std::vector<std::string> seen_;
};

/// The names of a struct's fields.
template <class Show>
std::vector<std::string> names_in(Show show) {
  std::vector<std::string> names;
  FieldFunction see([&](const Field& field, const auto&) { names.emplace_back(field.name); });
  show(see);
  return names;
}

bool has(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

/// The optimizers that have an option, and the losses.
std::vector<std::string> optimizers_with(const std::string& name) {
  std::vector<std::string> owners;
  for (const auto optimizer : Optimizer::names()) {
    if (has(names_in([&](FieldVisitor& v) { Optimizer::named(optimizer).options().show(v); }), name))
      owners.emplace_back(optimizer);
  }
  return owners;
}
std::vector<std::string> losses_with(const std::string& name) {
  std::vector<std::string> owners;
  for (const Loss& loss : all_losses()) {
    if (has(names_in([&](FieldVisitor& v) { loss.options().show(v); }), name)) owners.emplace_back(name_of(loss));
  }
  return owners;
}

/// Why an option cannot be taken: it is another optimizer's, another loss's, or nobody's.
[[noreturn]] void refuse(const std::string& name, const TrainOptions& options, const std::vector<std::string>& known) {
  if (const auto owners = optimizers_with(name); !owners.empty()) {
    const auto own = names_in([&](FieldVisitor& v) { options.optimizer.options().show(v); });
    throw nb::type_error((name + " is no option of the optimizer " + std::string(options.optimizer.name()) +
                          ", which has " + joined(own) + "; leave it out, or train with " + joined(owners))
                             .c_str());
  }
  if (const auto owners = losses_with(name); !owners.empty()) {
    throw nb::type_error((name + " is no option of the loss " + std::string(name_of(options.loss)) +
                          "; leave it out, or train with " + joined(owners))
                             .c_str());
  }
  throw nb::type_error((name + " is no option of training; there are loss, " + joined(known)).c_str());
}

/// What a field is to Python: its name, its type as it is written in a stub, its value, its range and its sentence.
class Describer : public FieldVisitor {
 public:
  nb::list fields;
  std::string of;  ///< "optimizer", "loss", or empty

  void field(const Field& field, std::int64_t& value) override { add(field, "int", nb::int_(value)); }
  void field(const Field& field, bool& value) override { add(field, "bool", nb::bool_(value)); }
  void field(const Field& field, double& value) override { add(field, "float", nb::float_(value)); }
  void field(const Field& field, std::string& value) override { add(field, "str", nb::str(value.c_str())); }
  void field(const Field& field, std::vector<std::int64_t>&) override { add(field, "Sequence[int]", nb::tuple()); }
  void field(const Field& field, std::vector<double>&) override { add(field, "Sequence[float]", nb::tuple()); }

 private:
  void add(const Field& field, const char* type, const nb::object& value) {
    const nb::str name(field.name.data(), field.name.size());
    if (has(names_, std::string(field.name))) return;
    names_.emplace_back(field.name);
    nb::dict about;
    about["name"] = name;
    about["type"] = type;
    about["default"] = value;
    about["range"] = std::string_view(type) == "int" || std::string_view(type) == "float" ? field.range.text() : "";
    about["help"] = nb::str(field.help.data(), field.help.size());
    about["of"] = of;
    fields.append(about);
  }
  std::vector<std::string> names_;
};

nb::typed<nb::list, AnyDict> training_fields() {
  Describer describer;
  TrainOptions options;
  options.loss = Loss::squared_error;  // which has none of its own
  const auto own = names_in([&](FieldVisitor& v) { options.optimizer.options().show(v); });
  options.visit(describer);
  for (const auto each : describer.fields) {
    if (has(own, nb::cast<std::string>(each["name"]))) each["of"] = "optimizer";
  }
  describer.of = "optimizer";
  for (const auto name : Optimizer::names()) Optimizer::named(name).options().show(describer);
  describer.of = "loss";
  for (const Loss& loss : all_losses()) loss.options().show(describer);
  for (const auto each : describer.fields) {
    const auto name = nb::cast<std::string>(each["name"]);
    nb::list owners;
    for (const auto& owner : optimizers_with(name)) owners.append(owner);
    for (const auto& owner : losses_with(name)) owners.append(owner);
    each["owners"] = owners;
  }
  return nb::typed<nb::list, AnyDict>(describer.fields);
}

}  // namespace

Loss loss_named(const std::string& name) {
  if (const auto found = find_loss(name)) return *found;
  std::vector<std::string> names;
  for (const Loss& loss : all_losses()) names.emplace_back(name_of(loss));
  throw InputError("loss is '" + name + "'; it must be one of " + joined(names));
}

Optimizer optimizer_from(const std::string& name, const nb::dict& given) {
  TrainOptions options;
  options.optimizer = Optimizer::named(name);
  Setter setter(given);
  options.optimizer = options.optimizer.edited(setter);
  for (const auto& each : setter.unknown()) refuse(each, options, setter.seen());
  options.optimizer.check();
  return options.optimizer;
}

TrainOptions options_from(const nb::dict& given) {
  TrainOptions options;
  nb::dict fields;
  for (const auto& [key, value] : given) {
    if (nb::cast<std::string>(key) != "loss") {
      fields[key] = value;
    } else if (nb::isinstance<nb::str>(value)) {
      options.loss = loss_named(nb::cast<std::string>(value));
    } else {
      throw nb::type_error(("loss is " + shown(value) + "; it must be a text").c_str());
    }
  }
  Setter setter(fields);
  options.visit(setter);
  for (const auto& name : setter.unknown()) refuse(name, options, setter.seen());
  options.optimizer.check();
  options.loss.check();
  return options;
}

nb::dict to_dict(const TrainOptions& options) {
  nb::dict fields;
  fields["loss"] = nb::str(name_of(options.loss).data(), name_of(options.loss).size());
  TrainOptions copy = options;
  FieldFunction writer([&](const Field& field, const auto& value) {
    const nb::str name(field.name.data(), field.name.size());
    using T = std::decay_t<decltype(value)>;
    if constexpr (std::is_same_v<T, std::vector<double>> || std::is_same_v<T, std::vector<std::int64_t>>) {
      nb::list numbers;
      for (const auto number : value) numbers.append(number);
      fields[name] = numbers;
    } else {
      fields[name] = value;
    }
  });
  copy.visit(writer);
  return fields;
}

void bind_options(nb::module_& m) {
  m.def("training_fields", &training_fields,
        "What train() takes by keyword, apart from callbacks: a dict for each option with its name, type, default, "
        "range, sentence (help), and whether it is one of an optimizer or a loss (of), and of which (owners).\n\n"
        ">>> [f['default'] for f in chalkgrad.training_fields() if f['name'] == 'epochs']\n[10]\n");
  m.def(
      "optimizers",
      [] {
        const auto names = Optimizer::names();
        return std::vector<std::string>(names.begin(), names.end());
      },
      "The names of all optimizers.\n\n>>> 'adam' in chalkgrad.optimizers()\nTrue\n");
  m.def(
      "losses",
      [] {
        std::vector<std::string> names;
        for (const Loss& loss : all_losses()) names.emplace_back(name_of(loss));
        return names;
      },
      "The names of all losses, and of likelihoods, which are maximised.\n\n"
      ">>> 'cross-entropy' in chalkgrad.losses()\nTrue\n");
}

}  // namespace chalk::python
