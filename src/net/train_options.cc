#include "chalkgrad/train_options.h"

#include "src/base/text.h"
#include "src/base/wording.h"

namespace chalk {

void TrainOptions::visit(FieldVisitor& v) {
  v.field({"epochs", Range::from_to(1, 1'000'000), "How often each sample is seen"}, epochs);
  v.field({"batch", Range::from_to(1, 1 << 24), "Samples a step"}, batch);

  std::string name(optimizer.name());
  const auto check_name = [](const std::string& text) { (void)Optimizer::named(text); };
  v.field({"optimizer", check_name, "How a gradient becomes a step"}, name);
  if (name != optimizer.name()) optimizer = Optimizer::named(name);
  optimizer = optimizer.edited(v);
  loss = loss.edited(v);

  std::string text = schedule.text();
  const auto check_schedule = [](const std::string& written) { (void)Schedule::parse(written); };
  static const auto about =
      str("Learning rate over time: ", alternatives(Schedule::forms()), ", each with +warmup:EPOCHS");
  v.field({"schedule", check_schedule, about}, text);
  schedule = Schedule::parse(text);

  std::string list = augment.text();
  const auto check_augment = [](const std::string& written) { (void)Augmentations::parse(written); };
  static const auto what = str("What is done to pictures in training, in this order, between commas: ",
                               alternatives(Augmentations::forms()));
  v.field(Field("augment", check_augment, what).added_later(), list);
  augment = Augmentations::parse(list);

  v.field(Field("clip_value", Range::at_least(0), "Limits each element of a gradient to ±X; 0: no limit").added_later(),
          clip_value);
  v.field(Field("clip_norm", Range::at_least(0), "Limits the norm of all gradients together to X; 0: no limit")
              .added_later(),
          clip_norm);
  auto written = ParameterGroup::text(groups);
  const auto check_groups = [](const std::string& given) { (void)ParameterGroup::parse(given); };
  v.field(Field("groups", check_groups,
                "Parameters that are trained otherwise, by name: PATTERN: lr_factor=X, weight_decay=X, epochs=N, "
                "frozen; PATTERN: …")
              .added_later(),
          written);
  groups = ParameterGroup::parse(written);
  v.field(Field("l1", Range::at_least(0), "Adds X·sign(w) to the gradient of each weight w").added_later(), l1);

  auto ahead = lookahead.text();
  const auto check_lookahead = [](const std::string& given) { (void)Lookahead::parse(given); };
  static const auto about_lookahead =
      str("Pulls slow weights after the optimizer's every so many steps, and keeps those: ", Lookahead::form());
  v.field(Field("lookahead", check_lookahead, about_lookahead).added_later(), ahead);
  lookahead = Lookahead::parse(ahead);
  auto averaged = average.text();
  const auto check_average = [](const std::string& given) { (void)Average::parse(given); };
  static const auto about_average =
      str("Keeps averages of the weights for all who use the model: ", alternatives(Average::forms()));
  v.field(Field("average", check_average, about_average).added_later(), averaged);
  average = Average::parse(averaged);

  auto signed_seed = static_cast<std::int64_t>(seed);
  v.field({"seed", Range::at_least(0), "Decides the first weights and the order of the samples"}, signed_seed);
  seed = static_cast<std::uint64_t>(signed_seed);

  v.field(
      Field("patience", Range::from_to(0, 1'000'000),
            "Ends the run after N epochs in a row that are not better on the validation data than the best; 0: never")
          .added_later(),
      patience);
  v.field(Field("by_accuracy", {}, "The best epoch is that of the highest accuracy on the validation data, not loss")
              .added_later(),
          by_accuracy);
  v.field(
      Field("keep_last", {}, "In the end, keeps the weights of the last epoch instead of the best one's").added_later(),
      keep_last);
}

bool TrainingRecord::stopped_early() const {
  const auto done = step / steps_per_epoch();  // epochs
  return options.patience > 0 && best.epoch >= 0 && step % steps_per_epoch() == 0 &&
         done - (best.epoch + 1) >= options.patience;
}

}  // namespace chalk
