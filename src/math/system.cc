#include "src/math/system.h"

#include <algorithm>
#include <cmath>

#include "chalkgrad/differentiate.h"
#include "chalkgrad/ops.h"
#include "src/base/random.h"
#include "src/base/text.h"
#include "src/ir/leaves.h"
#include "src/math/derive.h"
#include "src/math/elaborate.h"
#include "src/math/error.h"
#include "src/ops/registry.h"
#include "src/run/reference.h"

namespace chalk::math {
namespace {

constexpr std::int64_t kMostDerivatives = std::int64_t{1} << 24;
constexpr std::int64_t kFaster = 8;       // a multiplication of the engine than one of a formula
constexpr std::size_t kMostGraphs = 200;  // kept with derivatives in them

std::int64_t count(const Shape& extents) { return elements(extents); }

/// Rows become columns.
std::vector<double> transposed(const std::vector<double>& values, std::size_t rows, std::size_t columns) {
  std::vector<double> out(values.size());
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < columns; ++c) out[c * rows + r] = values[r * columns + c];
  }
  return out;
}

/// What the engine's derivatives are at corners.
Convention convention_of(const Op* op) {
  return op == &op_relu ? kRelu : op == &op_select ? kActivation : op == &op_max_pool ? kPooling : kNoConvention;
}

bool is_distribution(const Node& node) {
  return node.op == &op_input && node.attributes.as<InputAttributes>().distribution;
}

ExprPtr index_node(int id) {
  Expr e;
  e.kind = Kind::index;
  e.id = id;
  return node(std::move(e));
}

}  // namespace

void System::take(const Graph& graph, const std::map<NodeId, std::string>& names, Symbols& symbols) {
  graph_ = graph;
  for (NodeId id = 0; id < graph_.size(); ++id) {
    const auto& op = *graph_.node(id).op;
    const bool drawn = &op == &op_input || &op == &op_parameter;
    work_ += elements(graph_.node(id).type.shape) * samples_;
    const auto name = names.find(id);
    if (name == names.end() && !drawn) continue;
    show(symbols, name == names.end() ? str("leaf ", id) : name->second, {}, id,
         drawn ? Symbol::Kind::drawn : Symbol::Kind::computed, graph_.node(id).type.shape, 0);
  }
}

std::vector<bool> System::before(NodeId to) const {
  std::vector<bool> found(static_cast<std::size_t>(graph_.size()));
  found[static_cast<std::size_t>(to)] = true;
  for (auto id = to; id >= 0; --id) {
    if (!found[static_cast<std::size_t>(id)]) continue;
    for (const auto input : graph_.node(id).inputs) found[static_cast<std::size_t>(input)] = true;
  }
  return found;
}

void System::show(Symbols& symbols, const std::string& name, Place place, NodeId node, Symbol::Kind kind,
                  const Shape& seen, std::int64_t outputs_last) {
  const auto& type = graph_.node(node).type;
  Symbol symbol;
  symbol.name = name;
  symbol.kind = kind;
  symbol.network = true;
  if (type.batched && samples_ > 1) symbol.extents.push_back(samples_);
  std::copy_if(seen.begin(), seen.end(), std::back_inserter(symbol.extents), [](auto extent) { return extent > 1; });
  if (kind == Symbol::Kind::drawn) {
    // Weights so that sums are of the size of one input, as at the start of training.
    const bool weights = type.shape.size() > 1 && !type.batched;
    const auto inputs = weights ? elements(type.shape) / type.shape[0] : 1;
    const double bound = type.batched ? 1 : weights ? std::min(1.0, std::sqrt(3 / static_cast<double>(inputs))) : 0.5;
    symbol.domain = {.low = is_noise(graph_.node(node)) ? 0 : -bound, .high = bound};
    if (is_distribution(graph_.node(node))) symbol.domain = {.low = 0.1, .high = 1, .distribution = true};
  } else {
    const auto from = before(node);
    for (const auto& [id, entry] : entries_) {
      if (from[static_cast<std::size_t>(entry.node)]) symbol.from.insert(id);
    }
    for (NodeId id = 0; id < graph_.size(); ++id) {
      if (from[static_cast<std::size_t>(id)]) symbol.conventions |= convention_of(graph_.node(id).op);
    }
  }
  const int id = symbols.add(std::move(symbol), place);
  entries_[id] = {node, outputs_last};
}

std::vector<double> System::shown(const Entry& entry, const std::vector<double>& values) {
  if (entry.outputs_last == 0) return values;
  const auto outputs = static_cast<std::size_t>(entry.outputs_last);
  return transposed(values, outputs, values.size() / outputs);
}

std::vector<double> System::kept(const Entry& entry, const std::vector<double>& values) {
  if (entry.outputs_last == 0) return values;
  const auto outputs = static_cast<std::size_t>(entry.outputs_last);
  return transposed(values, values.size() / outputs, outputs);
}

const System::Derivative& System::derivative(int symbol, int other) const {
  if (derivatives_.size() >= kMostGraphs) derivatives_.clear();
  const auto [place, isnew] = derivatives_.try_emplace({symbol, other, -1});
  auto& d = place->second;
  if (!isnew) return d;
  d.graph = graph_;
  const Value y = d.graph.value(entries_.at(symbol).node), x = d.graph.value(entries_.at(other).node);
  const auto* name = "a cotangent";  // no name of a derivation has a space
  const Value seed = y.batched() ? d.graph.input(name, y.shape()) : d.graph.shared_input(name, y.shape());
  const Value wrt[] = {x};
  const auto found = differentiate(y, seed, wrt);
  d.seed = seed.id();
  if (found[0]) d.result = found[0].id();
  return d;
}

const System::Gradients& System::gradients(int symbol) const {
  const auto [place, isnew] = gradients_.try_emplace(symbol);
  auto& d = place->second;
  if (!isnew) return d;
  d.graph = graph_;
  const Value y = d.graph.value(entries_.at(symbol).node);
  const Value seed = y.batched() ? d.graph.input("a cotangent", {}) : d.graph.shared_input("a cotangent", {});
  d.seed = seed.id();
  std::vector<Value> wrt;
  std::vector<int> symbols;
  for (const auto& [id, entry] : entries_) {
    if (id == symbol) continue;
    wrt.push_back(d.graph.value(entry.node));
    symbols.push_back(id);
  }
  const auto found = differentiate(y, y.shape().empty() ? seed : reshape(seed, y.shape()), wrt);
  for (std::size_t k = 0; k < found.size(); ++k) {
    if (found[k]) d.results[symbols[k]] = found[k].id();
  }
  return d;
}

const System::Derivative& System::second_derivative(int symbol, int other, int third) const {
  const auto first = derivative(symbol, other);  // a copy, as the map may be emptied
  const auto [place, isnew] = derivatives_.try_emplace({symbol, other, third});
  auto& d = place->second;
  if (!isnew) return d;
  d = first;
  if (first.result < 0) return d;
  const Value y = d.graph.value(first.result), x = d.graph.value(entries_.at(third).node);
  const auto* name = "a second cotangent";
  const Value seed = y.batched() ? d.graph.input(name, y.shape()) : d.graph.shared_input(name, y.shape());
  const Value wrt[] = {x};
  const auto found = differentiate(y, seed, wrt);
  d.second_seed = seed.id();
  d.result = found[0] ? found[0].id() : -1;
  return d;
}

// ---- one draw
// --------------------------------------------------------------------------------------------------------

Trial::Trial(const System& system, const Symbols& symbols, Indices& indices, std::uint64_t seed, double small)
    : system_(system), symbols_(symbols), indices_(indices), seed_(seed), small_(small) {}
Trial::~Trial() = default;

void Trial::forget_definitions() {
  std::erase_if(values_, [&](const auto& each) { return symbols_[each.first].kind == Symbol::Kind::defined; });
  std::erase_if(jacobians_,
                [&](const auto& each) { return symbols_[std::get<0>(each.first)].kind == Symbol::Kind::defined; });
}

std::vector<double> Trial::draw(int symbol) const {
  const Symbol& s = symbols_[symbol];
  const auto& domain = s.domain;
  Random random(seed_, hash_name(s.name));
  std::vector<double> values(static_cast<std::size_t>(count(s.extents)));
  if (domain.small) {
    std::fill(values.begin(), values.end(), small_);
    return values;
  }
  const auto row = s.extents.empty() ? values.size() : static_cast<std::size_t>(s.extents.back());
  if (domain.one_hot) {
    for (std::size_t first = 0; first < values.size(); first += row)
      values[first + random.below(static_cast<std::uint32_t>(row))] = 1;
    return values;
  }
  for (auto& v : values) {
    const double u = random.uniform();
    const double width = domain.high - domain.low;
    v = domain.zeros >= 0 ? (u < domain.zeros ? 0 : 1)
                          : domain.low + (domain.whole ? std::floor((width + 1) * u) : width * u);
  }
  if (!domain.distribution) return values;
  for (std::size_t first = 0; first < values.size(); first += row) {
    double sum = 0;
    for (std::size_t i = 0; i < row; ++i) sum += values[first + i];
    for (std::size_t i = 0; i < row; ++i) values[first + i] /= sum;
  }
  return values;
}

const std::vector<double>& Trial::keep(std::vector<double>& place, std::vector<double> values) {
  size_ += values.size();
  return place = std::move(values);
}

const std::vector<double>& Trial::value(int symbol, Place place) {
  if (const auto found = values_.find(symbol); found != values_.end()) return found->second;
  const Symbol& s = symbols_[symbol];
  spend(count(s.extents), place);
  if (s.kind == Symbol::Kind::drawn) return keep(values_[symbol], draw(symbol));
  if (s.kind == Symbol::Kind::defined) {
    // Those before it first, so that a long row of definitions is no deep recursion.
    for (const int id : s.from) {
      if (symbols_[id].kind == Symbol::Kind::defined) value(id, place);
    }
    auto values = formula_value(symbol, place);
    return keep(values_[symbol], std::move(values));
  }
  run_network(place);
  return values_.at(symbol);
}

void Trial::feed(Reference& reference, Place place) {
  for (const auto& [id, entry] : system_.entries_) {
    if (symbols_[id].kind == Symbol::Kind::drawn) reference.set(entry.node, System::kept(entry, value(id, place)));
  }
}

void Trial::run_network(Place place) {
  spend(system_.work_ / kFaster, place);
  network_ = std::make_unique<Reference>(system_.graph_, static_cast<std::size_t>(system_.samples_));
  feed(*network_, place);
  network_->run();
  for (const auto& [id, entry] : system_.entries_) {
    if (symbols_[id].kind == Symbol::Kind::computed)
      keep(values_[id], System::shown(entry, network_->value(entry.node)));
  }
}

const std::vector<double>& Trial::jacobian(int symbol, int other, Place place) {
  const auto found = jacobians_.find({symbol, other, -1});
  if (found != jacobians_.end()) return found->second;
  const Symbol& s = symbols_[symbol];
  const auto rows = count(s.extents), columns = count(symbols_[other].extents);
  if (rows > kMostDerivatives / columns) {
    throw FormulaError(place, str("d", s.name, "/d", symbols_[other].name, " has ", rows, " by ", columns,
                                  " numbers, too many; use smaller shapes"));
  }
  spend(rows * columns, place);
  if (s.kind == Symbol::Kind::computed && rows == 1) {
    network_gradients(symbol, place);
    return jacobians_.at({symbol, other, -1});
  }
  if (s.kind != Symbol::Kind::defined) {
    auto values = network_jacobian(symbol, other, place);
    return keep(jacobians_[{symbol, other, -1}], std::move(values));
  }
  for (const int id : s.from) {  // as above
    if (id != other && symbols_[id].kind == Symbol::Kind::defined && symbols_.depends(id, other))
      jacobian(id, other, place);
  }
  auto values = formula_jacobian(symbol, other, place);
  return keep(jacobians_[{symbol, other, -1}], std::move(values));
}

const std::vector<double>& Trial::hessian(int symbol, int other, int third, Place place) {
  const auto found = jacobians_.find({symbol, other, third});
  if (found != jacobians_.end()) return found->second;
  const auto rows = count(symbols_[symbol].extents), columns = count(symbols_[other].extents);
  const auto last = count(symbols_[third].extents);
  if (rows * columns > kMostDerivatives / last) {
    throw FormulaError(place, str("the second derivative of ", symbols_[symbol].name, " by ", symbols_[other].name,
                                  " and ", symbols_[third].name, " has ", rows, " by ", columns, " by ", last,
                                  " numbers, too many; use smaller shapes"));
  }
  spend(rows * columns * last, place);
  auto values = network_hessian(symbol, other, third, place);
  return keep(jacobians_[{symbol, other, third}], std::move(values));
}

/// By the engine: one run for each number of the value and each of the first derivative.
std::vector<double> Trial::network_hessian(int symbol, int other, int third, Place place) {
  const auto rows = static_cast<std::size_t>(count(symbols_[symbol].extents));
  const auto columns = static_cast<std::size_t>(count(symbols_[other].extents));
  const auto last = static_cast<std::size_t>(count(symbols_[third].extents));
  const auto& derivative = system_.second_derivative(symbol, other, third);
  if (derivative.result < 0) return std::vector<double>(rows * columns * last, 0.0);
  Reference reference(derivative.graph, static_cast<std::size_t>(system_.samples_));
  feed(reference, place);
  std::vector<double> values;
  const NodeId wanted[] = {derivative.result};
  for (std::size_t row = 0; row < rows; ++row) {
    std::vector<double> one(rows, 0.0);
    one[row] = 1;
    reference.set(derivative.seed, System::kept(system_.entries_.at(symbol), one));
    for (std::size_t column = 0; column < columns; ++column) {
      spend(9 * system_.work_ / kFaster, place);
      std::vector<double> other_one(columns, 0.0);
      other_one[column] = 1;
      reference.set(derivative.second_seed, System::kept(system_.entries_.at(other), other_one));
      reference.run(wanted);
      const auto line = System::shown(system_.entries_.at(third), reference.value(derivative.result));
      values.insert(values.end(), line.begin(), line.end());
    }
  }
  return values;
}

/// By the engine: one run backwards for each number of the value.
std::vector<double> Trial::network_jacobian(int symbol, int other, Place place) {
  const auto rows = static_cast<std::size_t>(count(symbols_[symbol].extents));
  const auto columns = static_cast<std::size_t>(count(symbols_[other].extents));
  std::vector<double> values;
  const auto& derivative = system_.derivative(symbol, other);
  if (derivative.result < 0) return std::vector<double>(rows * columns, 0.0);
  Reference reference(derivative.graph, static_cast<std::size_t>(system_.samples_));
  feed(reference, place);
  const auto& shown_rows = system_.entries_.at(symbol);
  const auto& shown_columns = system_.entries_.at(other);
  const NodeId wanted[] = {derivative.result};
  for (std::size_t row = 0; row < rows; ++row) {
    spend(3 * system_.work_ / kFaster, place);
    std::vector<double> one(rows, 0.0);
    one[row] = 1;
    reference.set(derivative.seed, System::kept(shown_rows, one));
    reference.run(wanted);
    const auto line = System::shown(shown_columns, reference.value(derivative.result));
    values.insert(values.end(), line.begin(), line.end());
  }
  return values;
}

/// One run backwards, from where the one forwards ended, serves all values of the network.
void Trial::network_gradients(int symbol, Place place) {
  spend(3 * system_.work_ / kFaster, place);
  value(symbol, place);
  const auto& gradients = system_.gradients(symbol);
  Reference reference(gradients.graph, static_cast<std::size_t>(system_.samples_));
  reference.go_on_from(*network_);
  reference.set(gradients.seed, std::vector<double>(1, 1.0));
  std::vector<NodeId> wanted;
  for (const auto& [id, node] : gradients.results) wanted.push_back(node);
  if (!wanted.empty()) reference.run(wanted);
  for (const auto& [id, entry] : system_.entries_) {
    const auto found = gradients.results.find(id);
    auto values =
        found == gradients.results.end()
            ? std::vector<double>(static_cast<std::size_t>(count(symbols_[id].extents)), id == symbol ? 1.0 : 0.0)
            : System::shown(entry, reference.value(found->second));
    keep(jacobians_[{symbol, id, -1}], std::move(values));
  }
}

/// An error within a definition is one of the formula that uses it.
template <class F>
auto within(const std::string& name, Place place, F f) {
  try {
    return f();
  } catch (const FormulaError& e) {
    throw FormulaError(place, str(name, " cannot be computed: ", e.what()));
  }
}

std::vector<double> Trial::formula_value(int symbol, Place place) {
  const Symbol& s = symbols_[symbol];
  return within(s.name, place, [&] { return numbers(s.body, s.axes); });
}

/// By the rules for formulas.
std::vector<double> Trial::formula_jacobian(int symbol, int other, Place place) {
  const Symbol& s = symbols_[symbol];
  auto axes = s.axes;
  std::vector<ExprPtr> below;
  for (const auto extent : symbols_[other].extents) {
    axes.push_back(indices_.fresh(extent));
    below.push_back(index_node(axes.back()));
  }
  return within(str("d", s.name, "/d", symbols_[other].name), place, [&] {
    const auto d = derive(s.body, other, below, symbols_, indices_);
    return numbers(d, axes);
  });
}

std::vector<double> Trial::numbers(const ExprPtr& formula, const std::vector<int>& axes) {
  Evaluator evaluator(symbols_, indices_, *this);
  auto found = spread(evaluator.run(formula), axes, indices_);
  tied = tied || evaluator.tied();
  return found;
}

std::unique_ptr<Values> Trial::with(const std::vector<std::pair<int, std::vector<double>>>& replaced) {
  auto changed = std::make_unique<Trial>(system_, symbols_, indices_, seed_, small_);
  changed->rules = rules;
  changed->spent_aside = spent_aside;
  for (const auto& [id, symbol_values] : values_) {
    if (symbols_[id].kind == Symbol::Kind::drawn) changed->values_[id] = symbol_values;
  }
  for (const auto& [symbol, values] : replaced) changed->values_[symbol] = values;
  return changed;
}

}  // namespace chalk::math
