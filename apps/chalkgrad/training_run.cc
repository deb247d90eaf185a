#include "apps/chalkgrad/training_run.h"

#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <csignal>

#include "chalkgrad/replace_head.h"
#include "src/base/wording.h"

namespace chalk::app {
namespace {

std::atomic<int> signals{0};

extern "C" void on_signal(int signal) {
  signals.store(signal);
  request_stop();
  std::signal(signal, SIG_DFL);  // the second one ends it at once
}

constexpr const char* kDigitsNet =
    "16c3z-relu-mp2-32c3z-relu-mp2-64n-relu-";  // and a dense layer with an output a class

std::string list_of(const std::vector<std::string>& words) {
  std::string list;
  for (const auto& word : words) list += (list.empty() ? "" : ", ") + word;
  return list;
}

/// Whether it says how weights are drawn, as "he" does.
bool is_weight_init(const std::string& text) {
  try {
    (void)WeightInit::parse(text);
    return true;
  } catch (const InputError&) {
    return false;
  }
}

/// A model's weights are of use with the numbers they were trained on.
void check_same_normalisation(const std::string& wanted, const Network& model, const std::string& file, bool bytes) {
  const auto there = normalisation_of(model, bytes);
  if (wanted == there) return;
  throw UsageError(
      fmt::format("--normalise {}: {} was trained with {}, and samples enter by its own scales and shifts, which its "
                  "weights are made for; leave it out, or begin with other weights",
                  wanted, file, there));
}

/// Weights of the model that --init names. Samples are seen as it was trained to see them.
void begin_with_weights(Run& run, const std::string& file) {
  if (is_weight_init(file) && !std::filesystem::exists(file)) {
    throw UsageError(fmt::format(
        "--init {0} is no model; how weights are drawn is a key of the network: init = \"{0}\" in TOML", file));
  }
  const auto model = Network::load(file);
  run.taken = take_weights(run.network, model);
  if (run.taken.taken.empty()) {
    throw InputError(
        fmt::format("{}: none of its parameters has a name and shape of the network's, which are {}; it has {}", file,
                    list_of(run.taken.drawn), list_of(run.taken.unused)));
  }
  if (model.input_shape() != run.network.input_shape() || !encode(model.encoding, run.data.train)) return;
  (void)encode(model.encoding, run.data.test);
  const bool bytes = run.data.train.has_bytes();
  if (run.network.metadata.contains(kNormaliseKey)) {
    const auto wanted = run.network.metadata[kNormaliseKey];
    check_same_normalisation(wanted, model, file, bytes);
  }
  run.network.metadata.erase(kNormaliseKey);
  if (const auto text = normalisation_of(model, bytes); text != normalisation_of(run.network, bytes))
    run.network.metadata[kNormaliseKey] = text;
}

/// How many classes the data have. If only labels say so, beyond ten, one that is far above the others is a mistake.
std::int64_t count_classes(const Dataset& data) {
  for (std::size_t c = 0; c < data.class_names.size(); ++c) {
    if (data.class_names[c] != std::to_string(c)) return std::ssize(data.class_names);
  }
  std::vector<bool> has_samples(data.class_names.size());
  for (const auto label : data.labels) has_samples[static_cast<std::size_t>(label)] = true;
  const auto classes = std::ssize(has_samples), usual = std::min<std::ptrdiff_t>(10, classes);
  const auto none = std::find(has_samples.begin() + usual, has_samples.end(), false) - has_samples.begin();
  if (none == classes) return classes;
  const auto highest = std::ranges::find(data.labels, classes - 1) - data.labels.begin();
  throw InputError(fmt::format(
      "{}: sample {} has label {}, but no sample has label {}; correct it, or give a network with an output "
      "for each class: --net {}{}n",
      data.name, count(highest), classes - 1, none, kDigitsNet, classes));
}

std::int64_t outputs_for(const Dataset& data) {
  return data.labels.empty() ? elements(data.target) : count_classes(data);
}

/// The network of the model that --init names, for the data's classes; and what was replaced.
std::pair<std::string, std::string> with_new_head(const std::string& file, const Dataset& data) {
  const auto model = Network::load(file);
  const auto outputs = outputs_for(data);
  try {
    auto head = replace_head(model, outputs);
    return {std::move(head.text),
            fmt::format("{}: {} outputs instead of {}", head.layer, count(outputs), count(head.before))};
  } catch (const InputError& e) {
    throw InputError(fmt::format("--replace-head {}: {}", file, e.what()));
  }
}

std::string default_net(const Dataset& data) {
  const auto outputs = outputs_for(data);
  return data.sample.size() == 3 ? fmt::format("{}{}n", kDigitsNet, outputs) : fmt::format("64n-relu-{}n", outputs);
}

/// So that it is noticed when they change.
void remember_test_samples(Network& network, const Split& data) {
  network.metadata.erase(kTestDigestKey);
  if (data.test.size() > 0) network.metadata[kTestDigestKey] = data.test.digest();
}

/// Keeps in the metadata what --validation and --fold say of the data.
void remember_parts(Network& network, const std::string& validation, const std::optional<Fold>& fold) {
  const auto fold_text = fold ? fold->text() : std::string();
  if (fold_text != fold_of(network)) network.metadata.erase(kTestDigestKey);
  network.metadata.erase(kValidationKey);
  network.metadata.erase(kFoldKey);
  if (!validation.empty()) network.metadata[kValidationKey] = Validation::parse(validation).text();
  if (fold) network.metadata[kFoldKey] = fold_text;
}

/// `config`: what a configuration says.
std::optional<Fold> fold_in(const RunOptions& o, const Variation& variation, const std::optional<Fold>& config = {}) {
  if (variation.fold) return variation.fold;
  return o.fold.empty() ? config : Fold::parse(o.fold);
}

/// Options of the table [train] may contradict each other.
void check_optimizer(const TrainOptions& options, const std::string& config) {
  try {
    options.optimizer.check();
  } catch (const InputError& e) {
    throw InputError(fmt::format("{}: {}", config, e.what()));
  }
}

std::vector<std::string> names_of_losses(bool likelihoods) {
  std::vector<std::string> names;
  for (const Loss& loss : all_losses()) {
    if (maximised(loss) == likelihoods) names.emplace_back(name_of(loss));
  }
  return names;
}

}  // namespace

TrainOptions RunOptions::default_training() {
  TrainOptions options;
  options.epochs = 12;
  options.batch = 32;
  options.schedule = OneCycle{};
  return options;
}

void check_data_texts(const RunOptions& o) {
  if (!o.validation.empty()) as_usage([&] { return Validation::parse(o.validation); }, "--validation ");
  if (!o.fold.empty()) as_usage([&] { return Fold::parse(o.fold); }, "--fold ");
  if (!o.normalise.empty()) as_usage([&] { return Normalisation::parse(o.normalise); }, "--normalise ");
}

void add_validation(Run& run) {
  const auto text = validation_of(run.network);
  if (text.empty()) return;
  const auto validation = Validation::parse(text).of_data(run.network.metadata.at("data"));
  if (validation.kind == Validation::Kind::test) {
    if (run.data.test.size() == 0)
      throw InputError(
          "--validation test: the data have no test samples; hold some of the others out: --validation 0.1");
    run.options.validation = &run.data.test;
    return;
  }
  if (validation.holds_out()) {
    auto split = hold_out(run.data.train, validation);
    run.data.train = std::move(split.train);
    run.held_out = std::move(split.test);
  } else {
    const auto& train = run.data.train;
    run.held_out = load_validation(validation, train.sample, run.data.fit, train.class_names,
                                   run.network.metadata.contains(kSkipBadKey));
    run.held_out.scale = train.scale;
    run.held_out.shift = train.shift;
    run.held_out.per_sample = train.per_sample;
    if (run.held_out.class_names.size() <= train.class_names.size()) run.held_out.class_names = train.class_names;
  }
  run.options.validation = &run.held_out;
}

Run new_run(const RunOptions& o, const Variation& variation) {
  const bool configured = !o.config.empty();
  const auto text = configured ? read_text(o.config) : std::string();
  if (configured && !is_toml(text))
    throw InputError(fmt::format("{}: is no configuration; it needs network = \"…\" or [[layer]]", o.config));
  TrainOptions options = o.train;
  const auto config = read_train_config(text, o.config, options);
  o.choose_loss(options);
  o.fields.apply(options);
  if (variation.seed) options.seed = *variation.seed;
  if (configured) check_optimizer(options, o.config);
  const auto& spec = o.given("--data") ? o.data : config.data.value_or(o.data);
  const auto how = o.normalise.empty() ? config.normalisation : std::optional(Normalisation::parse(o.normalise));
  auto data = with_skipped_named(
      load_stored(spec, {.parts = Parts::training_at_least, .skip_bad = o.skip_bad, .normalisation = how}));
  const auto& sample = data.train.sample;
  std::string head;
  auto network = [&] {
    if (configured) return chalk::network(text, sample, options.seed, o.config);
    if (!o.replace_head) return make_network(o.given("--net") ? o.net : default_net(data.train), sample, options.seed);
    auto [headed, said] = with_new_head(o.init, data.train);
    head = std::move(said);
    return chalk::network(headed, sample, options.seed, o.init);
  }();
  network.metadata["data"] = spec;
  if (o.skip_bad) network.metadata[kSkipBadKey] = "true";
  if (how) network.metadata[kNormaliseKey] = how->text();
  const auto fold = fold_in(o, variation, config.fold);
  remember_parts(network, o.validation.empty() ? config.validation.value_or("") : o.validation, fold);
  if (fold) take_fold(*fold, how, data);
  Run run{std::move(network), std::move(data), options};
  run.head = std::move(head);
  fit_weights(run.network, run.data.train);
  if (!o.init.empty()) begin_with_weights(run, o.init);
  remember_test_samples(run.network, run.data);
  remember_fit(run.network, run.data.fit);
  return run;
}

void print_taken(const Run& run, const std::string& file) {
  const auto& [taken, drawn, unused] = run.taken;
  if (!run.head.empty()) fmt::print("head     {}\n", run.head);
  fmt::print("weights  {} of {} parameters are those of {}\n", taken.size(), taken.size() + drawn.size(), file);
  if (!drawn.empty()) fmt::print("         drawn: {}\n", list_of(drawn));
  if (!unused.empty()) fmt::print("         not used: {}\n", list_of(unused));
}

Split data_for(Network& network, const RunOptions& o) {
  if (o.given("--data")) {
    network.metadata["data"] = o.data;
    network.metadata.erase(kSkipBadKey);
  }
  if (o.skip_bad) network.metadata[kSkipBadKey] = "true";
  auto data = load_data(o.given("--data") ? o.data : "", network, Parts::training_at_least, o.skip_bad);
  for (auto* part : {&data.train, &data.test}) encode_as_trained(network, *part);
  take_fold(network, data);
  if (!o.given("--data") && data.test.size() > 0) warn_if_changed(data.test, test_digest_of(network), "test", network);
  remember_test_samples(network, data);
  remember_fit(network, data.fit);
  return data;
}

Run run_from(const RunOptions& o, const Variation& variation) {
  auto network = Network::load(o.from);
  TrainOptions options = o.train;
  options.loss = natural_loss(network);
  o.choose_loss(options);
  o.fields.apply(options);
  if (variation.seed) options.seed = *variation.seed;
  begin_anew(network);
  remember_parts(network, o.validation, fold_in(o, variation));
  auto data = data_for(network, o);
  if (!o.normalise.empty()) {
    const auto wanted = Normalisation::parse(o.normalise).text();
    check_same_normalisation(wanted, network, o.from, data.train.has_bytes());
  }
  return {std::move(network), std::move(data), std::move(options)};
}

void check_origin(const RunOptions& o) {
  const auto& file = o.config;
  if (file.ends_with(".safetensors")) {
    throw UsageError(
        fmt::format("{} is a model, no configuration; to train it further, write --from {}; to go on with "
                    "a run, --resume {}",
                    in_quotes(file), shell_word(file), shell_word(file)));
  }
  if (!file.empty() && !file.ends_with(".toml")) {
    throw UsageError(fmt::format("{} is no configuration; give a FILE.toml, or a network as --net {}", in_quotes(file),
                                 shell_word(file)));
  }
  const auto refuse_both = [&](const std::string& one, const char* other, const char* advice) {
    if (!one.empty() && o.given(other)) throw UsageError(fmt::format("{} and {} were given; {}", one, other, advice));
  };
  const std::string from = o.given("--from") ? "--from" : "";
  refuse_both(file, "--net", "give one of them");
  refuse_both(file, "--from", "give one of them");
  refuse_both(from, "--net", "give one of them");
  if (o.replace_head && o.init.empty())
    throw UsageError("--replace-head needs the model whose last layer it replaces; add --init MODEL");
  const std::string head = o.replace_head ? "--replace-head" : "";
  const char* has_network = "the first takes the network of the model that --init names; give one of them";
  refuse_both(head, "--net", has_network);
  if (!file.empty()) refuse_both(head, "FILE", has_network);
  refuse_both(from, "--init", "the first has the weights of its model already; give one of them");
}

Tested test(Run& run) {
  if (run.data.test.size() == 0) return {};
  const auto found = evaluate(run.network, run.data.test, run.options.threads);
  return {found.loss, found.classes.empty() ? std::nullopt : std::optional(found.accuracy), found.samples};
}

TrainResult train_until_signal(Run& run) {
  for (const int signal : {SIGINT, SIGTERM}) {
    if (std::signal(signal, on_signal) == SIG_IGN) std::signal(signal, SIG_IGN);  // as nohup and scripts want it
  }
  const auto result = train(run.network, run.data.train, run.options);
  for (const int signal : {SIGINT, SIGTERM}) {
    if (std::signal(signal, SIG_DFL) == SIG_IGN) std::signal(signal, SIG_IGN);
  }
  return result;
}

int exit_code_of_signal() { return 128 + signals.load(); }

void add_run(RunOptions& o, const std::vector<std::string_view>& without) {
  auto& command = o.command;
  std::vector<std::string> sources;
  for (const auto* source : data_sources())
    sources.push_back(source->form() + (source->hint.empty() ? "" : " ") + std::string(source->hint));
  command.text("FILE", o.config, "A configuration (.toml): a network with a [train] table. Options win over it");
  command.text("--data", o.data, "Data: " + alternatives(sources, ", or ")).shows_default();
  add_skip_bad(command, o.skip_bad);
  add_storage(command);
  command.text("--normalise", o.normalise,
               "Which numbers samples are for the network: channel (mean 0 and deviation 1, pictures' default), sample "
               "(each by itself), min-max (0 to 1), given:MEAN,…/DEVIATION,…, none (pixels 0 to 1; numbers' default)",
               "HOW");
  command.text("--net", o.net, "Network: a line such as 20c5-relu-mp2-10n, or FILE.toml", "NET");
  command.text("--from", o.from, "Begin a new run with the network and weights of a model", "MODEL");
  command.text(
      "--init", o.init,
      "Begin with those weights of a model that have names and shapes of the network's; others are drawn, as the "
      "network's key init says",
      "MODEL");
  command.flag("--replace-head", o.replace_head,
               "With --init: the network is the model's, whose last layer becomes a new one, for the data's classes");
  o.fields.add_to(command, o.train, without);
  const auto losses = names_of_losses(false), likelihoods = names_of_losses(true);
  command.word("--loss", o.loss, losses, "What is minimised: " + alternatives(losses), "LOSS").shows_default();
  command
      .word("--maximise", o.maximise, likelihoods,
            "What is maximised instead, by gradient ascent: " + alternatives(likelihoods), "J")
      .excludes("--loss");
  o.fields.add_losses_to(command);
  add_threads(command, o.train.threads);
  add_step_memory(command, o.train.compile.memory);
}

}  // namespace chalk::app
