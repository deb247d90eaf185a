// The statement `optimizer adam(rate eta, mean m, mean_square s, step 3, beta1=0.9) of W`.
#include <algorithm>
#include <set>
#include <vector>

#include "chalkgrad/differentiate.h"
#include "chalkgrad/error.h"
#include "chalkgrad/losses.h"
#include "src/base/suggest.h"
#include "src/base/text.h"
#include "src/base/wording.h"
#include "src/ir/leaves.h"
#include "src/math/equation.h"
#include "src/math/error.h"
#include "src/math/operation_reader.h"
#include "src/math/system.h"
#include "src/ops/registry.h"
#include "src/optimizers/optimizer.h"

namespace chalk::math {
namespace {

constexpr const char* kRate = "learning rate";  // names that nobody can write have a space or a dot
constexpr std::int64_t kMostSteps = 1'000'000;

}  // namespace

class UpdateReader {
 public:
  UpdateReader(System& system, Tokens& tokens, Symbols& symbols) : s_(system), t_(tokens), symbols_(symbols) {}

  void read() {
    const Place place = t_.peek().place;
    const auto name = t_.name("the name of an optimizer");
    try {
      optimizer_ = Optimizer::named(name);
      t_.expect("(", "\"(\" expected, as in optimizer sgd(rate eta) of W:");
      while (!t_.at(")")) {
        one();
        if (!t_.at(")")) t_.expect(",", "\",\" or \")\"");
      }
      t_.next();
      optimizer_.check();
    } catch (const FormulaError&) {
      throw;
    } catch (const InputError& e) {
      throw FormulaError(place, e.what());
    }
    if (!t_.take_word("of")) t_.fail("\"of\" and a parameter expected, as in optimizer sgd(rate eta) of W");
    const Token parameter = t_.peek();
    t_.name("the parameter");
    expect_end(t_);
    is_the_only_one(place);
    try {
      add(parameter);
    } catch (const FormulaError&) {
      throw;
    } catch (const InputError& e) {  // whatever the graph refuses
      throw FormulaError(parameter.place, e.what());
    }
  }

 private:
  /// beta1=0.9, step 3, rate eta, or what is kept and its name: mean m.
  void one() {
    if (t_.peek().kind == Token::Kind::name && t_.at("=", 1))
      return read_attribute(t_, optimizer_.name(), [&](FieldVisitor& v) { optimizer_ = optimizer_.edited(v); });
    const Place place = t_.peek().place;
    if (t_.take_word("step")) {
      step_ = t_.whole_number("the number of the step");
      if (step_ < 1 || step_ > kMostSteps)
        throw FormulaError(place, str("steps count from 1 to ", grouped(kMostSteps), ", not ", step_));
      return;
    }
    const auto role = t_.name("rate eta, step 3, an option such as weight_decay=0.1, or what is kept");
    const Place of_name = t_.peek().place;
    const auto name = t_.name(str("the name of the ", role));
    if (role == "rate") {
      rate_ = name;
      rate_place_ = of_name;
    } else {
      kept_.push_back({role, name, place, of_name});
    }
  }

  /// What depends on the step is the same for all parameters.
  void is_the_only_one(Place place) {
    const auto all = str(optimizer_.name(), " ", to_string(optimizer_.options()), " step ", step_);
    auto& known = s_.objective_.optimizer;
    if (!known.empty() && (known != all || s_.objective_.rate != rate_)) {
      throw FormulaError(place,
                         "another optimizer; all parameters of a network have the same, with the same options, "
                         "rate and step");
    }
    known = all;
  }

  void add(const Token& token) {
    const int id = symbols_.find_value(token.text, token.primes);
    const auto found = s_.entries_.find(id);
    if (found == s_.entries_.end() || s_.graph_.node(found->second.node).op != &op_parameter)
      throw FormulaError(token.place, str(in_quotes(token.text), " is not a parameter of the network",
                                          id >= 0 ? "" : did_you_mean(token.text, parameters())));
    if (s_.objective_.loss < 0)
      throw FormulaError(token.place, "the network has no loss; end it with one: > L = loss(t: squared-error)");
    if (symbols_.find(token.text, token.primes + 1) >= 0)
      throw FormulaError(token.place, str(token.text, "' has a meaning already; a parameter takes one step"));
    entry_ = found->second;
    seen_ = symbols_[id].extents;
    Graph& g = s_.graph_;
    const auto nodes = g.size();
    const auto updates = g.updates().size();
    const Value w = g.value(entry_.node);
    SampleLoss loss{g.value(s_.objective_.loss), {}};
    if (s_.objective_.weight >= 0) loss.weight = g.value(s_.objective_.weight);
    const Value wrt[] = {w};
    const Value gradient = gradients(batch_mean(loss), wrt)[0];
    StepContext context{.lr = rate(), .ascends = s_.objective_.maximised};
    chalk::add_update(context, w, gradient, role_of(w) == ParameterRole::weight, optimizer_);
    for (const auto& scalar : context.scalars)
      constant(scalar.name, g.find(scalar.name), scalar.value(optimizer_.options(), StepTime(step_ - 1)));
    std::set<std::string> states;
    for (const auto& state : context.states) states.insert(shown_state(state, g.find(state), w.name()));
    for (const auto& each : kept_) {
      if (!states.contains(each.role)) {
        std::string list;
        for (const auto& state : states) list += str(list.empty() ? "; it keeps " : ", ", state);
        throw FormulaError(each.place, str(optimizer_.name(), " keeps no ", in_quotes(each.role),
                                           list.empty() ? "; it keeps nothing" : list));
      }
    }
    const auto all = g.updates();  // a copy
    for (auto k = updates; k < all.size(); ++k) {
      const NodeId parameter = all[k].first, next = all[k].second;
      if (parameter == entry_.node) show(token.text + "'", token.place, next, Symbol::Kind::computed);
      const auto kept = std::ranges::find_if(
          kept_, [&](const auto& each) { return g.node(parameter).name == str(w.name(), ".", each.role); });
      if (parameter != entry_.node && kept != kept_.end())
        show(kept->name + "'", kept->of_name, next, Symbol::Kind::computed);
    }
    for (auto k = nodes; k < g.size(); ++k) s_.work_ += elements(g.node(k).type.shape);
    s_.derivatives_.clear();
    s_.gradients_.clear();
  }

  std::vector<std::string_view> parameters() const {
    std::vector<std::string_view> names;
    for (const auto& [id, entry] : s_.entries_) {
      if (s_.graph_.node(entry.node).op == &op_parameter) names.emplace_back(symbols_[id].name);
    }
    return names;
  }

  /// The learning rate, which is a number if it has no name.
  Value rate() {
    Graph& g = s_.graph_;
    if (const Value known = g.find(kRate)) return known;
    const Value rate = g.shared_input(kRate);
    s_.objective_.rate = rate_;
    if (rate_.empty()) {
      constant(kRate, rate, optimizer_.lr());
    } else {
      s_.show(symbols_, rate_, rate_place_, rate.id(), Symbol::Kind::drawn, {}, 0);
      symbols_[symbols_.find(rate_)].domain = {.low = 0.05, .high = 0.5};
    }
    return rate;
  }

  void constant(const std::string& name, Value value, double number) {
    s_.show(symbols_, name, {}, value.id(), Symbol::Kind::drawn, {}, 0);
    symbols_[symbols_.find(name)].domain = {.low = number, .high = number};
  }

  /// Under its own name, if it was given one. Returns what the state is called in the optimizer.
  std::string shown_state(const std::string& state, Value value, std::string_view parameter) {
    const auto role = state.substr(parameter.size() + 1);
    const auto kept = std::ranges::find(kept_, role, &Kept::role);
    const auto name = kept == kept_.end() ? state : kept->name;
    show(name, kept == kept_.end() ? Place{} : kept->of_name, value.id(), Symbol::Kind::drawn);
    auto& domain = symbols_[symbols_.find(name)].domain;
    domain = is_never_negative(role) ? Domain{.low = 0.1, .high = 2} : Domain{};
    return role;
  }

  void show(const std::string& name, Place place, NodeId node, Symbol::Kind kind) {
    s_.show(symbols_, name, place, node, kind, seen_, entry_.outputs_last);
  }

  System& s_;
  Tokens& t_;
  Symbols& symbols_;
  Optimizer optimizer_;
  std::int64_t step_ = 1;
  std::string rate_;
  Place rate_place_{};
  struct Kept {
    std::string role, name;
    Place place{}, of_name{};
  };
  std::vector<Kept> kept_;
  System::Entry entry_{};
  Shape seen_;
};

void System::add_update(Tokens& tokens, Symbols& symbols) { UpdateReader(*this, tokens, symbols).read(); }

}  // namespace chalk::math
