// Networks that a chain cannot say, in TOML. The format is described in docs/networks.md.
#include <algorithm>
#include <array>
#include <map>

#include "chalkgrad/error.h"
#include "src/base/suggest.h"
#include "src/base/text.h"
#include "src/base/wording.h"
#include "src/layers/registry.h"
#include "src/net/build.h"
#include "src/net/chain.h"
#include "src/net/loss_reader.h"
#include "src/net/names.h"
#include "src/net/toml_reader.h"
#include "src/ops/registry.h"

namespace chalk {
namespace {

constexpr std::size_t kMostTables = 4096;
constexpr std::size_t kMostName = 100;
constexpr std::size_t kMostAxes = 8;

class TomlBuilder {
 public:
  TomlBuilder(const toml::table& top, TomlOrigin origin)
      : origin_(std::move(origin)), top_(top, origin_, "a network") {}

  using Tables = std::vector<const toml::table*>;

  /// Begins a graph that add() goes on with.
  void begin(const Shape& input) { last_ = graph_.input("x", input); }
  /// What the tables say; returns the last layer.
  Value add(const Tables& parameters, const Tables& constants, const Tables& layers) {
    for (const auto* table : parameters) at(*table, [&] { parameter(*table); });
    for (const auto* table : constants) at(*table, [&] { constant(*table); });
    for (const auto* table : layers) at(*table, [&] { layer(*table); });
    return last_;
  }
  Graph& graph() { return graph_; }

  BuiltGraph build(const Shape& input) {
    const Shape shape = input_shape(input);
    const auto parameters = top_.tables("parameter"), constants = top_.tables("constant"),
               layers = top_.tables("layer");
    const auto* output = top_.node("output");
    const bool in_tables = output && (output->is_array() || output->is_table());
    const auto outputs = in_tables ? top_.tables("output") : std::vector<const toml::table*>();
    const auto last = in_tables ? std::nullopt : top_.text("output");
    if (in_tables && outputs.empty())
      top_.fail("output", "is an empty list; write [[output]] above each, or leave it out");
    const bool in_a_line = top_.has("network");
    read_starts();
    const auto* train = top_.node("train");  // how it is trained is read elsewhere
    if (train && !train->is_table()) top_.fail("train", "must be a table: write [train] above its keys");
    top_.finish();
    if (in_a_line && !layers.empty())
      top_.fail("network", "stands beside [[layer]]; write all layers in one of the two");
    if (!in_a_line && layers.empty())
      top_.fail("a network needs at least one [[layer]], or a line: network = \"20c5-relu-mp2-10n\"");
    if (layers.size() + parameters.size() + constants.size() + outputs.size() > kMostTables) {
      top_.fail(str("there are more than ", kMostTables, " tables; use fewer"));
    }
    last_ = graph_.input("x", shape);
    add(parameters, constants, layers);
    if (in_a_line) last_ = line();
    graph_.layer("");
    if (!in_tables) graph_.output("y", last ? find(top_, "output", *last) : last_);
    for (const auto* table : outputs) at(*table, [&] { add_output(*table); });
    check_outputs();
    return {std::move(graph_), std::move(outputs_)};
  }

 private:
  /// Runs `make` and puts the table's place before what the graph complains about.
  template <class F>
  void at(const toml::table& table, F make) {
    try {
      make();
    } catch (const ShapeError& e) {
      throw ShapeError(origin_.line(table.source()) + e.what());
    } catch (const InputError& e) {
      const std::string message = e.what();
      throw InputError(message.starts_with(origin_.name + ": line ") ? message
                                                                     : origin_.line(table.source()) + message);
    }
  }

  /// How weights start in the whole network.
  void read_starts() {
    const auto check = [](const std::string& text) { (void)WeightInit::parse(text); };
    FieldReader fields(top_);
    fields.field({"init", check, ""}, names_.init);
    fields.field({"zero_residuals"}, names_.zero_residuals);
  }

  Shape input_shape(const Shape& given) {
    const auto written = top_.integers("input", 1, kMostNumber);
    if (!written) {
      if (given.empty()) top_.fail("the shape of a sample is not known; add e.g. input = [1, 28, 28]");
      return given;
    }
    if (written->empty() || written->size() > kMostAxes)
      top_.fail("input", str("must have 1 to ", kMostAxes, " extents"));
    if (!given.empty() && given != *written) {
      top_.fail("input",
                str("is ", to_string(*written), " but the data are ", to_string(given), "; change one of them"));
    }
    return *written;
  }

  static void check_name(TableReader& table, const std::string& name) {
    const bool good = !name.empty() && name.size() <= kMostName && std::all_of(name.begin(), name.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
             c == '.';
    });
    if (!good) {
      table.fail("name",
                 str("must have 1 to ", kMostName, " letters, digits, \"_\", \"-\" or \".\", not ", in_quotes(name)));
    }
  }

  std::string new_name(TableReader& table, const std::string& name) {
    check_name(table, name);
    if (graph_.find(name)) table.fail("name", str(in_quotes(name), " is taken; give another"));
    return name;
  }

  Shape shape(TableReader& table) {
    auto extents = table.integers("shape", 1, kMostNumber);
    if (!extents) table.fail(str(table.what(), " needs \"shape\", a list of whole numbers"));
    if (extents->size() > kMostAxes) table.fail("shape", str("must have at most ", kMostAxes, " extents"));
    return *extents;
  }

  void made(const toml::table& table, Value value) { lines_.try_emplace(value.id(), table.source()); }

  void parameter(const toml::table& table) {
    TableReader reader(table, origin_, "a parameter");
    const auto name = new_name(reader, reader.required_text("name"));
    const auto extents = shape(reader);
    const auto trainable = reader.boolean("trainable").value_or(true);
    const auto init = initial(reader, extents);
    reader.finish();
    made(table, graph_.parameter(name, extents, init, trainable));
  }

  static Init initial(TableReader& reader, const Shape& extents) {
    const auto* node = reader.node("init");
    const auto rest = extents.empty() ? 1 : std::max<std::int64_t>(1, elements(extents) / extents[0]);
    const auto fan_in = reader.integer("fan_in", 1, std::int64_t{1} << 40).value_or(rest);
    const auto fan_out = reader.integer("fan_out", 1, std::int64_t{1} << 40).value_or(extents.empty() ? 1 : extents[0]);
    if (!node) return {};
    if (node->is_number()) {
      double number = 0;
      FieldReader(reader).field({"init", Range::from_to(-Init::kMost, Init::kMost)}, number);
      return Init::constant(number);
    }
    if (!node->is_string()) reader.fail("init", "must be a number, or a text such as \"he\"");
    WeightInit init;
    const auto check = [](const std::string& text) { (void)WeightInit::parse(text); };
    std::string text = init.text();
    FieldReader(reader).field({"init", check, ""}, text);
    return WeightInit::parse(text).init(fan_in, fan_out);
  }

  void constant(const toml::table& table) {
    TableReader reader(table, origin_, "a constant");
    const auto name = new_name(reader, reader.required_text("name"));
    const auto value = reader.number("value");
    if (!value) reader.fail("a constant needs \"value\", a number");
    const auto extents = reader.has("shape") ? shape(reader) : Shape{};
    reader.finish();
    const auto made_value = graph_.constant(*value, extents);
    graph_.name(made_value, name);
    made(table, made_value);
  }

  void layer(const toml::table& table) {
    TableReader reader(table, origin_, "a layer");
    const auto given = reader.text("name");
    const auto name = given ? new_name(reader, *given) : std::string();
    const auto inputs = sources(reader);
    const Value value = reader.has("chain") ? chain(reader, inputs) : typed(reader, inputs, name);
    if (!name.empty() && value.name() != name) graph_.name(value, name);
    made(table, value);
    last_ = value;
  }

  std::vector<Value> sources(TableReader& reader) {
    const auto names = reader.texts("from");
    if (!names) return {last_};
    std::vector<Value> values;
    for (const auto& name : *names) values.push_back(find(reader, "from", name));
    if (values.empty()) reader.fail("from", "must name at least one value");
    return values;
  }

  Value find(TableReader& reader, std::string_view key, const std::string& name) {
    if (const Value value = graph_.find(name)) return value;
    std::vector<std::string_view> known;
    for (NodeId id = 0; id < graph_.size(); ++id) {
      if (!graph_.node(id).name.empty()) known.emplace_back(graph_.node(id).name);
    }
    const auto guess = did_you_mean(name, known);
    reader.fail(key, str("names ", in_quotes(name), ", which is not there",
                         guess.empty() ? "; name the input \"x\", a parameter, or a layer above" : guess));
  }

  Value single(TableReader& reader, const std::vector<Value>& inputs) {
    if (inputs.size() != 1) reader.fail("from", str("must be one name for ", reader.what()));
    return inputs[0];
  }

  Value chain(TableReader& reader, const std::vector<Value>& inputs) {
    reader.what("a layer with a chain");
    const auto text = reader.required_text("chain");
    reader.finish();
    return chain_of(reader, "chain", text, single(reader, inputs));
  }

  /// The whole network: network = "20c5-relu-mp2-10n".
  Value line() {
    try {
      return chain_of(top_, "network", *top_.text("network"), last_);
    } catch (const ShapeError& e) {
      throw ShapeError(origin_.line(top_.node("network")->source()) + e.what());
    }
  }

  Value chain_of(TableReader& reader, std::string_view key, const std::string& text, Value x) {
    const auto place = reader.node(key)->source().begin;
    const auto what = str(origin_.name, ": line ", place.line, ", column ", place.column, ": ", key);
    const Value y = build_chain(x, parse_chain(text, what), names_);
    if (y == x) reader.fail(key, "has only \"linear\" layers, which do nothing; remove it");
    return y;
  }

  Value typed(TableReader& reader, const std::vector<Value>& inputs, const std::string& name) {
    const auto type = reader.required_text("type");
    reader.what(str("a layer of type \"", type, "\""));
    if (const auto* layer = find_layer(type); layer && !layer->op) return layer_of_type(*layer, reader, inputs, name);
    const auto op_name = type == "op" ? reader.required_text("op") : type;
    const auto* op = find_op(op_name);
    if (!op) {
      std::vector<std::string_view> known;
      if (type != "op") {
        known.emplace_back("op");
        for (const auto* layer : all_layers()) known.push_back(layer->name.value);
      }
      for (const auto* each : all_ops()) known.push_back(each->name.value);
      const auto guess = did_you_mean(op_name, known);
      reader.fail(type == "op" ? "op" : "type",
                  str("names ", in_quotes(op_name), ", which is not ", type == "op" ? "an operation" : "a layer",
                      guess.empty() ? "; docs/networks.md lists them" : guess));
    }
    auto attributes = reader.attributes(op->attributes.value);
    reader.finish();
    begin_layer(op_name, name);
    return named(graph_.apply(*op, std::move(attributes), inputs));
  }

  void begin_layer(const std::string& kind, const std::string& name) {
    current_ = name;
    if (name.empty()) {
      current_ = names_.begin(kind);
    } else {
      graph_.layer(name);
    }
  }

  Value named(Value value) {
    if (value.name() != current_) graph_.name(value, current_);
    return value;
  }

  Value layer_of_type(const Layer& layer, TableReader& reader, const std::vector<Value>& inputs,
                      const std::string& name) {
    if (layer.inputs == 1) single(reader, inputs);
    if (layer.inputs < 0 && inputs.size() < 2)
      reader.fail("from", str("must be two or more names for ", reader.what(), ": ", layer.inputs_are));
    if (layer.inputs >= 0 && std::ssize(inputs) != layer.inputs) {
      reader.fail("from", str("must be ", layer.inputs == 2 ? "two" : std::to_string(layer.inputs), " names for ",
                              reader.what(), ": ", layer.inputs_are));
    }
    auto options = reader.attributes(layer.options);
    reader.finish();
    if (!reader.has("init")) options = with_init(options, names_.init);
    begin_layer(std::string(layer.name.value), name);
    const Value y = build_layer(layer, inputs, options);
    if (y == inputs[0]) reader.fail("type", str("= \"", layer.name.value, "\" does nothing; remove the layer"));
    return named(y);
  }

  /// One of several outputs. The first is what the network predicts.
  void add_output(const toml::table& table) {
    TableReader reader(table, origin_, "[[output]]");
    const bool first = outputs_.empty();
    const auto from = reader.required_text("from");
    const Value value = find(reader, "from", from);
    NetworkOutput output{.name = first ? "y" : from};
    if (const auto given = reader.text("name")) {
      if (first) reader.fail("name", R"(is not for the first [[output]], which is called "y"; leave it out)");
      check_name(reader, *given);
      output.name = *given;
    }
    FieldReader fields(reader);
    fields.field({"weight", kOutputWeights}, output.weight);
    output.loss = read_loss(reader);
    if (output.loss) {
      if (first) {
        reader.fail(maximised(*output.loss) ? "maximise" : "loss",
                    "is not for the first [[output]]; write it in [train], where --loss and --maximise can change it");
      }
      output.loss = output.loss->edited(fields);
      refuse_other_losses(reader, *output.loss);
    }
    constexpr std::array targets{Word{"data", "labels, or the data's other targets"},
                                 Word{"input", "the sample itself"}};
    std::size_t target = 0;
    fields.choice({"target"}, targets, target);
    output.reconstructs = target == 1;
    reader.finish();
    check_output(output, first);
    for (const auto& other : outputs_) {
      if (other.name == output.name)
        reader.fail(reader.has("name") ? "name" : "from",
                    str("gives a second output the name ", in_quotes(output.name), "; give it another by \"name\""));
    }
    graph_.output(output.name, value);
    outputs_.push_back(std::move(output));
  }

  /// Outputs must be one per sample, and depend on the input; and all that was written must have a use.
  void check_outputs() {
    std::vector<bool> used(static_cast<std::size_t>(graph_.size()));
    const auto mark = [&](NodeId from) {
      std::vector<bool> needed(used.size());
      needed[static_cast<std::size_t>(from)] = true;
      for (auto id = from; id >= 0; --id) {
        if (!needed[static_cast<std::size_t>(id)]) continue;
        used[static_cast<std::size_t>(id)] = true;
        for (const auto input : graph_.node(id).inputs) needed[static_cast<std::size_t>(input)] = true;
      }
      return static_cast<bool>(needed[static_cast<std::size_t>(input_node(graph_))]);
    };
    for (const auto& [name, id] : graph_.outputs()) {
      const auto called = name == "y" ? std::string("the output") : str("the output ", name);
      const auto& type = graph_.node(id).type;
      if (!type.batched) top_.fail(str(called, " is ", to_string(type), "; it must be one per sample"));
      if (!mark(id)) top_.fail(str(called, " does not depend on the input \"x\""));
    }
    for (const auto& [id, place] : lines_) {
      if (used[static_cast<std::size_t>(id)]) continue;
      origin_.fail(place,
                   str("nothing uses ", in_quotes(graph_.node(id).name), "; name it in a \"from\", or remove it"));
    }
  }

  TomlOrigin origin_;
  TableReader top_;
  Graph graph_;
  LayerNames names_{graph_};
  Value last_;
  std::vector<NetworkOutput> outputs_;  // as [[output]] says
  std::string current_;
  std::map<NodeId, toml::source_region> lines_;  // where the values were written
};

}  // namespace

struct GrowingNetwork::State {
  TomlOrigin origin;
  toml::table top{};
  TomlBuilder builder{top, origin};
};

GrowingNetwork::GrowingNetwork(const Shape& input, std::string origin) : state_(new State{{std::move(origin)}}) {
  state_->builder.begin(input);
}
GrowingNetwork::~GrowingNetwork() = default;

Value GrowingNetwork::add(std::string_view tables) {
  const auto table = parse_toml(tables, state_->origin);
  TableReader reader(table, state_->origin, "a part of a network");
  return state_->builder.add(reader.tables("parameter"), reader.tables("constant"), reader.tables("layer"));
}

Graph& GrowingNetwork::graph() { return state_->builder.graph(); }

BuiltGraph build_toml(std::string_view text, const Shape& input, std::string_view origin) {
  const TomlOrigin where{std::string(origin)};
  const auto top = parse_toml(text, where);
  return TomlBuilder(top, where).build(input);
}

}  // namespace chalk
