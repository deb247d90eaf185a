#include "src/plan/sweep_chain.h"

#include <algorithm>
#include <utility>

namespace chalk {
namespace {

using Operation = SweepPlan::Operation;

bool are_equal(const std::vector<std::size_t>& in) { return in.size() == 2 && in[0] == in[1]; }

/// The operation as a link that v enters as operand `place`; operands are values.
Link link_of(const Op* op, const std::vector<std::size_t>& in, std::size_t place) {
  if (are_equal(in)) return {*op->links.of_equals};
  Link link{*op->links.by_place[place]};
  const auto other = [&](std::size_t k) { return static_cast<std::uint16_t>(in[k < place ? k : k + 1]); };
  if (in.size() > 1) link.a = other(0);
  if (in.size() > 2) link.b = other(1);
  return link;
}

bool has_link(const Operation& operation) {
  const auto& in = operation.in;
  const Links& links = operation.op->links;
  if (are_equal(in)) return links.of_equals.has_value();
  if (!links.by_place[0]) return false;
  return in.size() < 3 || (in[0] != in[1] && in[1] != in[2] && in[2] != in[0]);
}

bool takes(const Operation& operation, std::optional<std::size_t> value) {
  return value && std::find(operation.in.begin(), operation.in.end(), *value) != operation.in.end();
}

class StageMaker {
 public:
  StageMaker(const std::vector<Operation>& operations, const std::vector<SweepPlan::ChannelSum>& sums,
             std::vector<ChainValue>& values, Prefetch written)
      : left_(operations), sums_(sums), values_(values), written_(written), waited_for_(values.size(), false) {
    for (const auto& operation : left_) waited_for_[operation.out] = true;
  }

  std::vector<SweepPlan::Stage> run() {
    for (const auto& sum : sums_) {
      if (!waited_for_[sum.in]) add_sums(sum.in);
    }
    while (!left_.empty()) {
      const auto found = left_.begin() + (next() - left_.cbegin());
      const Operation operation = std::move(*found);
      left_.erase(found);
      waited_for_[operation.out] = false;
      has_link(operation) ? add(operation) : add_alone(operation);
      add_sums(operation.out);
    }
    end_chain();
    return std::move(stages_);
  }

 private:
  bool ready(const Operation& operation) const {
    return std::none_of(operation.in.begin(), operation.in.end(), [&](std::size_t in) { return waited_for_[in]; });
  }
  /// It can be the next link, as it takes the value that is in registers.
  bool goes_on(const Operation& operation) const { return takes(operation, now_) && has_link(operation); }

  /// The next operation: one that goes on with the value in registers, if there is any.
  std::vector<Operation>::const_iterator next() const {
    const auto found = std::find_if(left_.begin(), left_.end(),
                                    [&](const Operation& operation) { return goes_on(operation) && ready(operation); });
    if (found != left_.end()) return found;
    return std::find_if(left_.begin(), left_.end(), [&](const Operation& operation) { return ready(operation); });
  }

  void add(const Operation& operation) {
    if (!takes(operation, now_)) load(operation.in[0]);
    const auto place = std::find(operation.in.begin(), operation.in.end(), *now_) - operation.in.begin();
    add(link_of(operation.op, operation.in, static_cast<std::size_t>(place)));
    now_ = operation.out;
    if (operation.output || !only_goes_on()) {
      Link store{LinkKind::store, static_cast<std::uint16_t>(operation.out)};
      if (operation.output) store.fetch = written_;
      add(store);
    }
  }

  /// Of the value in registers nothing is wanted but the next link.
  bool only_goes_on() const {
    const auto users = std::count_if(left_.begin(), left_.end(), [&](const auto& user) { return takes(user, now_); });
    if (users != 1) return users == 0;
    const auto user = next();
    return user != left_.end() && goes_on(*user);
  }

  void add_alone(const Operation& operation) {
    end_chain();
    for (const auto in : operation.in) values_[in].repeated = values_[in].same;
    stages_.emplace_back(operation);
  }

  void add_sums(std::size_t value) {
    for (const auto& sum : sums_) {
      if (sum.in != value) continue;
      load(value);
      add({LinkKind::sum, static_cast<std::uint16_t>(sum.out)});
    }
  }

  void load(std::size_t value) {
    if (now_ != value) add({LinkKind::load, static_cast<std::uint16_t>(value)});
    now_ = value;
  }

  void add(Link link) {
    link.a_step = values_[link.a].same ? 0 : 16;
    link.b_step = values_[link.b].same ? 0 : 16;
    if (link.kind != LinkKind::store && has_operand(link.kind)) link.fetch = values_[link.a].fetch;
    links_.push_back(link);
  }

  void end_chain() {
    if (!links_.empty()) stages_.emplace_back(std::move(links_));
    links_.clear();
    now_.reset();
  }

  std::vector<Operation> left_;
  const std::vector<SweepPlan::ChannelSum>& sums_;
  std::vector<ChainValue>& values_;
  const Prefetch written_;
  std::vector<bool> waited_for_;  // made by an operation that is still to come
  std::vector<Link> links_;
  std::optional<std::size_t> now_;  // the value that is in registers
  std::vector<SweepPlan::Stage> stages_;
};

}  // namespace

std::vector<SweepPlan::Stage> make_stages(const std::vector<Operation>& operations,
                                          const std::vector<SweepPlan::ChannelSum>& sums,
                                          std::vector<ChainValue>& values, Prefetch written) {
  return StageMaker(operations, sums, values, written).run();
}

}  // namespace chalk
