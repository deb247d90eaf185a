#include <algorithm>
#include <array>
#include <string>

#include "chalkgrad/error.h"
#include "chalkgrad/layers.h"
#include "src/base/fields.h"
#include "src/base/text.h"
#include "src/layers/layer.h"
#include "src/losses/loss.h"

namespace chalk {
namespace {

struct Entry {
  Loss::Kind kind;
  std::string_view stored;  // "cross_entropy"
  std::string shown;        // "cross-entropy"
  const LossDefinition* definition;
};

const auto& entries() {
  static const std::array all{
#define CHALK_LOSS(name) Entry{Loss::name, #name, with_dashes(#name), &loss_##name},
#include "chalkgrad/losses.inc"
#undef CHALK_LOSS
  };
  return all;
}

const Entry& entry(Loss::Kind kind) { return entries()[static_cast<std::size_t>(kind)]; }

std::optional<Loss> find(std::string_view name, auto member) {
  const auto found = std::ranges::find_if(entries(), [&](const Entry& e) { return e.*member == name; });
  return found == entries().end() ? std::nullopt : std::optional(Loss(found->kind));
}

}  // namespace

Loss::Loss(Kind kind) : kind_(kind) {
  if (const auto defaults = entry(kind).definition->defaults) options_ = defaults();
}

Loss::Loss(std::string_view name, Attributes options) : kind_(cross_entropy), options_(std::move(options)) {
  kind_ = std::ranges::find(entries(), name, &Entry::stored)->kind;
}

Loss Loss::edited(FieldVisitor& visitor) const {
  Loss copy = *this;
  copy.options_ = options_.edited(visitor);
  return copy;
}

void Loss::check() const {
  check_fields([&](FieldVisitor& v) { options_.show(v); });
  FieldFunction not_all_zero([&]<class T>(const Field& field, const T& value) {
    if constexpr (std::is_same_v<T, std::vector<double>>) {
      if (value.empty() || std::ranges::any_of(value, [](double x) { return x > 0; })) return;
      throw InputError(str(field.name, " are all 0, so that no sample counts; make one of them larger"));
    }
  });
  options_.show(not_all_zero);
}

const LossDefinition& definition_of(const Loss& loss) { return *entry(loss.kind()).definition; }
std::string_view stored_name(const Loss& loss) { return entry(loss.kind()).stored; }
std::optional<Loss> find_stored_loss(std::string_view name) { return find(name, &Entry::stored); }
bool of_softmax(const Loss& loss) { return definition_of(loss).of_softmax; }

bool of_classes(const Loss& loss) {
  const Target target = definition_of(loss).target;
  return target == Target::classes || target == Target::one_class;
}

Shape target_shape(const Loss& loss, const Shape& output) {
  const bool of_places = definition_of(loss).target.value == Target::places && output.size() == 3;
  return of_places ? Shape{output[1], output[2]} : output;
}

std::span<const Loss> all_losses() {
  static const std::array all{
#define CHALK_LOSS(name) Loss(Loss::name),
#include "chalkgrad/losses.inc"
#undef CHALK_LOSS
  };
  return all;
}

bool maximised(const Loss& loss) { return definition_of(loss).maximised; }
std::string_view name_of(const Loss& loss) { return entry(loss.kind()).shown; }
std::optional<Loss> find_loss(std::string_view name) { return find(name, &Entry::shown); }

SampleLoss sample_loss(const Loss& loss, Value y, Value target) {
  const auto& definition = definition_of(loss);
  SampleLoss of_sample{definition.build.value(loss.options(), y, target), {}};
  if (definition.weight) of_sample.weight = definition.weight(loss.options(), y, target);
  return of_sample;
}

Value batch_mean(const SampleLoss& of_sample) {
  if (!of_sample.weight) return batch_mean(of_sample.loss);
  Graph& g = of_sample.loss.graph();
  const Value total = batch_sum(of_sample.weight);
  return batch_sum(of_sample.loss) / select(equal(total, g.constant(0)), g.constant(1), total);
}

void check_options(const Loss& loss) {
  try {
    loss.check();
  } catch (const InputError& e) {
    throw InputError(str(stored_name(loss), ": ", e.what()));
  }
}

void check_same_shape(Value y, Value target, std::string_view loss) {
  if (y.shape() == target.shape()) return;
  fail_layer(y.graph(), loss,
             str("a target of ", to_string(target.shape()), " does not fit ", to_string(y.shape()),
                 "; give both the same shape"));
}

void check_classes(Value y, Value target, std::string_view loss) {
  check_same_shape(y, target, loss);
  if (y.shape().size() == 1) return;
  fail_layer(y.graph(), loss,
             str("takes one vector of classes a sample, not ", to_string(y.shape()), "; reshape it to one axis"));
}

void visit_class_weights(FieldVisitor& v, std::vector<double>& weights) {
  v.field({"class_weights", Range::at_least(0), "What each class counts, in the order of the classes"}, weights);
}

Value constant_vector(Graph& graph, const std::vector<double>& numbers) {
  std::vector<Value> runs;  // of equal numbers
  for (std::size_t i = 0, next = 0; i < numbers.size(); i = next) {
    while (next < numbers.size() && numbers[next] == numbers[i]) ++next;
    runs.push_back(graph.constant(numbers[i], {static_cast<std::int64_t>(next - i)}));
  }
  return runs.size() == 1 ? runs[0] : concat(runs);
}

Value class_weights_of(Value y, const std::vector<double>& weights, std::string_view loss) {
  const auto classes = y.shape().at(0);
  if (std::ssize(weights) != classes) {
    fail_layer(y.graph(), loss,
               str(weights.size(), " class weights do not fit ", classes, " classes; give one for each"));
  }
  return constant_vector(y.graph(), weights);
}

}  // namespace chalk
