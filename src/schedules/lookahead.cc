#include "chalkgrad/lookahead.h"

#include "src/base/fields.h"
#include "src/ir/parameters.h"

namespace chalk {
namespace {

constexpr std::string_view kNone = "none";

const Attributes& defaults() {
  static const Attributes usual{Lookahead{}};
  return usual;
}

ParametersForm form_of_numbers() { return {"lookahead", {}, defaults(), 2}; }

}  // namespace

void Lookahead::visit(FieldVisitor& v) {
  v.field(Field("steps", Range::from_to(1, 1'000'000), "Steps from one pull to the next").required("5"), steps);
  v.field({"alpha", Range::from_to(1e-6, 1), "Share of the way to the fast weights"}, alpha);
}

Lookahead Lookahead::parse(std::string_view text) {
  if (text.empty() || text == kNone) return {};
  return read_parameters(form_of_numbers(), text, text).as<Lookahead>();
}

std::string Lookahead::form() { return form_of(form_of_numbers()); }

std::string Lookahead::text() const { return *this ? written(form_of_numbers(), Attributes(*this)) : std::string(); }

void Lookahead::check() const {
  if (steps == 0) return;
  check_fields([copy = *this](FieldVisitor& v) mutable { copy.visit(v); });
}

}  // namespace chalk
