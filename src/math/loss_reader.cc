#include "src/math/loss_reader.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include "chalkgrad/error.h"
#include "chalkgrad/ops.h"
#include "src/base/suggest.h"
#include "src/base/text.h"
#include "src/base/wording.h"
#include "src/ir/leaves.h"
#include "src/losses/ending.h"
#include "src/losses/loss.h"
#include "src/math/error.h"
#include "src/math/operation_reader.h"
#include "src/ops/registry.h"

namespace chalk::math {
namespace {

/// "mean-squared-error"
Loss named_loss(Tokens& t) {
  const Place place = t.peek().place;
  auto name = t.name("the name of a loss, as in loss(t: squared-error),");
  while (t.at("-") && t.peek(1).kind == Token::Kind::name) {
    t.next();
    name += "-" + t.next().text;
  }
  if (const auto loss = find_loss(name)) return *loss;
  std::vector<std::string_view> known;
  std::string list;
  for (const auto& each : all_losses()) {
    known.push_back(name_of(each));
    list += str(list.empty() ? "; there are " : ", ", known.back());
  }
  const auto guess = did_you_mean(name, known);
  throw FormulaError(place, str(in_quotes(name), " is not a loss", guess.empty() ? list : guess));
}

/// How targets of this loss are drawn.
Domain domain_of(const Loss& loss, const Shape& output) {
  const auto& definition = definition_of(loss);
  switch (definition.target.value) {
    case Target::classes:
      return {.low = 0.1, .high = 1, .distribution = true};
    case Target::one_class:
      return {.one_hot = true};
    case Target::places:
      return {.low = 0, .high = static_cast<double>(output.at(0) - 1), .whole = true};
    case Target::numbers:
      break;
  }
  const auto& range = definition.targets;
  return {.low = std::isfinite(range.least) ? range.least : -1, .high = std::isfinite(range.most) ? range.most : 1};
}

/// A loss that was built on an input, put behind a network's output.
class Joined {
 public:
  Joined(const Loss& loss, Value output, Value target) : output_(output), target_(target) {
    const Value y = own_.input("y", output.shape()), t = own_.input("t", target.shape());
    const auto built = sample_loss(loss, y, t);
    const auto end = ending_of(output);
    Graph& g = output.graph();
    Value given = output;
    if (of_softmax(loss) && end.kind == Ending::Kind::softmax) {
      softmax_ = output;
      given = end.logits;
    } else if (loss == Loss::sigmoid_cross_entropy && end.kind == Ending::Kind::sigmoid) {
      given = log(output) - log(g.constant(1) - output);
    }
    copies_ = {{y.id(), given}, {t.id(), target}};
    loss_.loss = copy(built.loss.id());
    if (built.weight) loss_.weight = copy(built.weight.id());
  }

  const SampleLoss& result() const { return loss_; }

 private:
  Value copy(NodeId last) {
    std::vector<bool> needed(static_cast<std::size_t>(own_.size()));
    needed[static_cast<std::size_t>(last)] = true;
    for (NodeId id = last; id >= 0; --id) {
      if (!needed[static_cast<std::size_t>(id)]) continue;
      for (const auto input : own_.node(id).inputs) needed[static_cast<std::size_t>(input)] = true;
    }
    for (NodeId id = 0; id <= last; ++id) {
      if (needed[static_cast<std::size_t>(id)] && !copies_.contains(id)) copies_[id] = made(own_.node(id));
    }
    return copies_.at(last);
  }

  Value made(const Node& node) {
    Graph& g = output_.graph();
    if (node.op == &op_constant) return g.constant(node.attributes.as<ConstantAttributes>().value, node.type.shape);
    std::vector<Value> inputs;
    for (const auto input : node.inputs) inputs.push_back(copies_.at(input));
    const bool of_output = softmax_ && node.inputs.size() == 1 && own_.node(node.inputs[0]).op == &op_input;
    if (of_output && node.op == &op_softmax) return softmax_;
    if (of_output && node.op == &op_log_softmax) return log(softmax_);
    return g.apply(*node.op, node.attributes, inputs);
  }

  Graph own_;
  Value output_, target_, softmax_{};
  std::map<NodeId, Value> copies_;
  SampleLoss loss_;
};

}  // namespace

ReadLoss read_loss(Tokens& t, Value output) {
  ReadLoss read;
  t.expect("(", "\"(\" and the name of the target, as in loss(t: squared-error),");
  read.place = t.peek().place;
  read.target = t.name("the name of the target");
  t.expect(":", "\":\" and the name of a loss, as in loss(t: squared-error),");
  const Place place = t.peek().place;
  read.loss = named_loss(t);
  while (t.take(",")) {
    if (t.take_word("mean")) {
      read.mean = true;
    } else if (t.peek().kind == Token::Kind::name && t.at("=", 1)) {
      read_attribute(t, name_of(read.loss), [&](FieldVisitor& visitor) { read.loss = read.loss.edited(visitor); });
    } else {
      t.fail("an option of the loss, as in delta=2, or mean expected");
    }
  }
  t.expect(")", "\",\" or \")\"");
  try {
    read.loss.check();
  } catch (const InputError& e) {
    throw FormulaError(place, e.what());
  }
  const auto shape = target_shape(read.loss, output.shape());
  read.value = output.graph().input(read.target, shape);
  read.of_sample = Joined(read.loss, output, read.value).result();
  read.domain = domain_of(read.loss, output.shape());  // which fits now
  return read;
}

}  // namespace chalk::math
