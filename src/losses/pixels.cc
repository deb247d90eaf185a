// Cross-entropy at each place of an image, for dense prediction.
#include "chalkgrad/ops.h"
#include "src/base/text.h"
#include "src/layers/layer.h"
#include "src/losses/ending.h"
#include "src/losses/loss.h"

namespace chalk {
namespace {

constexpr std::string_view kName = PixelCrossEntropy::kName;

/// w where the label of a place is this class, and 0 elsewhere, of the logits' shape.
Value chosen(Value logits, Value labels, const PixelCrossEntropy& options) {
  Graph& g = logits.graph();
  const Shape& shape = logits.shape();
  if (shape.size() != 3)
    fail_layer(g, kName, str("takes logits of classes×rows×columns, not ", to_string(shape), "; reshape them"));
  const auto classes = shape[0], rows = shape[1], columns = shape[2];
  if (labels.shape() != Shape{rows, columns}) {
    fail_layer(g, kName,
               str("labels of ", to_string(labels.shape()), " do not fit ", to_string(shape), "; give one for each of ",
                   rows, "×", columns, " places"));
  }
  std::vector<double> numbers;
  for (std::int64_t c = 0; c < classes; ++c) numbers.push_back(static_cast<double>(c));
  const Value label = reshape(labels, {1, rows, columns});
  Value mask = equal(label, reshape(constant_vector(g, numbers), {classes, 1, 1}));
  if (options.ignored_label >= 0 && options.ignored_label < classes) {
    const Value ignored = equal(label, g.constant(static_cast<double>(options.ignored_label)));
    mask = mask * (g.constant(1) - ignored);
  }
  if (options.class_weights.empty()) return mask;
  return mask * reshape(class_weights_of(logits, options.class_weights, kName), {classes, 1, 1});
}

}  // namespace

void PixelCrossEntropy::visit(FieldVisitor& v) {
  v.field({"ignored_label", Range::from_to(-1e9, 1e9), "Places with this label do not count"}, ignored_label);
  visit_class_weights(v, class_weights);
}

Value pixel_cross_entropy(Value logits, Value labels, const PixelCrossEntropy& options) {
  check_options(options);
  const Value mask = chosen(logits, labels, options);
  if (ending_of(logits).kind == Ending::Kind::softmaxes) {
    fail_layer(logits.graph(), kName,
               "the output comes from a softmax, and the loss has one of its own; leave out the first");
  }
  return neg(sum(mask * log_softmax(logits)));
}
const LossDefinition loss_pixel_cross_entropy{
    .formula = "−Σ w·ln softmax(y) of the label of each place, for y of classes×rows×columns and labels rows×columns",
    .target = Target::places,
    .build = [](const Attributes& o, Value y, Value t) { return pixel_cross_entropy(y, t, o.as<PixelCrossEntropy>()); },
    .weight = [](const Attributes& o, Value y, Value t) { return sum(chosen(y, t, o.as<PixelCrossEntropy>())); },
    .defaults = [] { return Attributes(PixelCrossEntropy{}); }};

}  // namespace chalk
