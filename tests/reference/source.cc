#include "tests/reference/source.h"

#include <gtest/gtest.h>

#include "src/base/shortest.h"
#include "src/base/text.h"
#include "src/net/toml_plus_plus.h"

namespace chalk::reference {
namespace {

std::string text_of(const toml::node& node) {
  if (const auto* whole = node.as_integer()) return std::to_string(whole->get());
  if (const auto* real = node.as_floating_point()) return shortest(real->get());
  if (const auto* text = node.as_string()) return text->get();
  ADD_FAILURE() << "neither a number nor a text";
  return "";
}

std::map<std::string, std::string> texts_of(const toml::node& node) {
  std::map<std::string, std::string> texts;
  if (const auto* table = node.as_table()) {
    for (const auto& [key, value] : *table) texts[std::string(key.str())] = text_of(value);
  }
  return texts;
}

std::vector<double> numbers_of(const toml::node& node) {
  if (const auto* truth = node.as_boolean()) return {truth->get() ? 1.0 : 0.0};
  std::vector<double> numbers;
  if (const auto* array = node.as_array()) {
    for (const auto& each : *array) numbers.push_back(each.value<double>().value());
  } else {
    numbers.push_back(node.value<double>().value());
  }
  return numbers;
}

bool read(Case& c, const std::string& key, const toml::node& node) {
  std::map<std::string, std::string*> texts{{"title", &c.title}, {"net", &c.net},
                                            {"given", &c.given}, {"formula", &c.formula},
                                            {"where", &c.where}, {"derivative", &c.derivative}};
  if (texts.count(key) != 0) {
    *texts[key] = text_of(node);
  } else if (key == "names") {
    c.names = texts_of(node);
  } else if (key == "let") {
    c.let = texts_of(node);
  } else if (key == "input") {
    c.input.clear();
    for (const double extent : numbers_of(node)) c.input.push_back(static_cast<std::int64_t>(extent));
  } else if (key == "target") {
    c.target = numbers_of(node);
  } else if (key == "options") {
    for (const auto& [name, value] : *node.as_table()) {
      if (value.is_string()) {
        c.words[std::string(name.str())] = text_of(value);
      } else {
        c.options[std::string(name.str())] = numbers_of(value);
      }
    }
  } else if (key == "samples") {
    c.samples = node.value<std::int64_t>().value();
  } else if (key == "step") {
    c.step = node.value<std::int64_t>().value();
  } else if (key == "training") {
    c.training = node.value<bool>().value();
  } else {
    return false;
  }
  return true;
}

Source read(const toml::table& table, const std::string& name) {
  Source source;
  source.cases.emplace_back();
  std::map<std::string, std::string*> texts{{"about", &source.about}, {"pytorch", &source.pytorch},
                                            {"keras", &source.keras}, {"albumentations", &source.albumentations},
                                            {"notes", &source.notes}, {"run", &source.run}};
  const toml::array* also = nullptr;
  for (const auto& [key_, node] : table) {
    const std::string key(key_.str());
    if (texts.count(key) != 0) {
      *texts[key] = text_of(node);
    } else if (key == "help") {
      source.help = texts_of(node);
    } else if (key == "also") {
      also = node.as_array();
    } else {
      EXPECT_TRUE(read(source.cases[0], key, node)) << name << ": " << key << " is no key";
    }
  }
  if (also == nullptr) return source;
  for (const auto& each : *also) {  // what it does not say is as in the first one
    Case c = source.cases[0];
    c.options.clear(), c.words.clear();
    c.derivative.clear();
    for (const auto& [key, node] : *each.as_table())
      EXPECT_TRUE(read(c, std::string(key.str()), node)) << name << ".also: " << key.str() << " is no key";
    source.cases.push_back(c);
  }
  return source;
}

}  // namespace

std::map<std::string, Source> read_sources(const std::string& family) {
  std::map<std::string, Source> sources;
  const auto file = str(CHALKGRAD_SOURCE_DIR "/tests/reference/", family, ".toml");
  try {
    const auto all = toml::parse_file(file);
    for (const auto& [name, node] : all) {
      if (name.str() == "help") {
        sources["help"].help = texts_of(node);
      } else if (const auto* table = node.as_table()) {
        sources[std::string(name.str())] = read(*table, std::string(name.str()));
      }
    }
  } catch (const toml::parse_error& e) {
    ADD_FAILURE() << file << ": line " << e.source().begin.line << ": " << e.description();
  }
  // Sentences for all: those of [help].
  if (const auto shared = sources.extract("help")) {
    for (auto& [name, source] : sources) source.help.insert(shared.mapped().help.begin(), shared.mapped().help.end());
  }
  return sources;
}

template <class T>
void OptionSetter::number(const Field& f, T& value) {
  const auto found = case_.options.find(std::string(f.name));
  if (found == case_.options.end()) return;
  value = static_cast<T>(found->second.at(0));
  ++set;
}
void OptionSetter::field(const Field& f, std::int64_t& value) { number(f, value); }
void OptionSetter::field(const Field& f, bool& value) { number(f, value); }
void OptionSetter::field(const Field& f, double& value) { number(f, value); }
void OptionSetter::field(const Field& f, std::string& value) {
  const auto found = case_.words.find(std::string(f.name));
  if (found == case_.words.end()) return;
  value = found->second;
  ++set;
}
void OptionSetter::field(const Field& f, std::vector<std::int64_t>& value) {
  const auto found = case_.options.find(std::string(f.name));
  if (found == case_.options.end()) return;
  value.assign(found->second.begin(), found->second.end());
  ++set;
}
void OptionSetter::field(const Field& f, std::vector<double>& value) {
  const auto found = case_.options.find(std::string(f.name));
  if (found == case_.options.end()) return;
  value = found->second;
  ++set;
}

void OptionSetter::pair(const Field& f, std::array<std::int64_t, 2>& value, std::string*) {
  const auto found = case_.options.find(std::string(f.name));
  if (found == case_.options.end()) return;
  value = {static_cast<std::int64_t>(found->second.front()), static_cast<std::int64_t>(found->second.back())};
  ++set;
}
void OptionSetter::choice(const Field& f, std::span<const Word> words, std::size_t& index) {
  auto word = case_.words.count(std::string(f.name)) != 0 ? case_.words.at(std::string(f.name)) : std::string();
  if (const auto truth = case_.options.find(std::string(f.name)); truth != case_.options.end())
    word = truth->second.at(0) != 0 ? "true" : "false";
  for (std::size_t k = 0; k < words.size(); ++k) {
    if (words[k].word != word) continue;
    index = k;
    ++set;
  }
}
void OptionSetter::words(const Field& f, std::vector<std::string>& value) {
  const auto found = case_.words.find(std::string(f.name));
  if (found == case_.words.end()) return;
  value = {found->second};
  ++set;
}

}  // namespace chalk::reference
