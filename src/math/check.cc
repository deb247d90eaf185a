#include "chalkgrad/check.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "src/base/text.h"
#include "src/base/utf8.h"
#include "src/math/check_about.h"
#include "src/math/check_items.h"
#include "src/math/declarations.h"
#include "src/math/edits.h"
#include "src/math/equation.h"
#include "src/math/error.h"
#include "src/math/judge.h"
#include "src/math/print.h"
#include "src/math/statements.h"
#include "src/math/tex_document.h"
#include "src/math/tex_reader.h"

namespace chalk {
namespace math {
namespace {

constexpr std::size_t kMostTokens = 3000, kMostTokensOfNetwork = 20'000;
constexpr int kMostTrials = 1000;
// Numbers for an equation, of which one that needs more is judged at some places: what a text has for all together.
constexpr double kAllNumbers = 1 << 26, kFewestNumbers = 1 << 16, kMostNumbers = 1 << 20;
constexpr std::size_t kMostMembers = 20;                     // of a chain, from which a factor may be missing
constexpr std::int64_t kOfferWork = std::int64_t{1} << 26;   // numbers computed for one offer,
constexpr std::int64_t kOffersWork = std::int64_t{1} << 29;  // and for all of a text

class Checker {
 public:
  Checker(std::string_view origin, const CheckOptions& options) : origin_(origin), options_(options) { begin_part(""); }
  Checker(const Graph& graph, const std::map<NodeId, std::string>& names, std::int64_t samples, std::string_view origin,
          const CheckOptions& options)
      : Checker(origin, options) {
    part_->system = System(samples);
    much_ = part_->much = kFewestNumbers;  // most equations follow from the one before
    part_->system.take(graph, names, part_->symbols);
  }

  CheckReport run(std::string_view text) {
    try {
      const auto statements = split_statements(text);
      share(statements.size());
      for (const auto& statement : statements) one(statement);
    } catch (const FormulaError& e) {
      throw InputError(str(origin_, ": line ", e.place().line, ", character ", e.place().column, ": ", e.what()));
    }
    return report();
  }

  /// Of a document in LaTeX or Markdown.
  CheckReport run_latex(std::string_view text) {
    bool in_notes = false;
    try {
      const auto document = read_document(text, is_markdown(origin_), options_.notes);
      share(document.items.size());
      for (const auto& each : document.items) {
        in_notes = each.notes;
        item(each, document.macros);
      }
    } catch (const FormulaError& e) {
      in_notes = in_notes || dynamic_cast<const NotesError*>(&e) != nullptr;
      throw InputError(str(origin_, in_notes ? ": notes" : "", ": line ", e.place().line, ", character ",
                           e.place().column, ": ", e.what()));
    }
    return report();
  }

  /// Of what is cut apart already.
  void run_items(const std::vector<ItemToCheck>& items, CheckedItems& found) {
    for (found.reading = 0; found.reading < items.size(); ++found.reading) {
      const auto& each = items[found.reading];
      of_answer_ = each.of_answer;
      goes_on_ = each.goes_on;
      judges_ = each.judged;
      if (of_answer_ && each.item.kind == TexItem::Kind::rule) throw belongs_on_the_sheet(each.item.statement.place);
      item(each.item, *each.macros);
      found.item_of.resize(report_.lines.size(), found.reading);
    }
    found.report = report();
  }

 private:
  void item(const TexItem& item, const TexMacros& macros) {
    notes_line_ = item.notes ? item.line : 0;
    if (item.kind == TexItem::Kind::rule) {
      rules_.add(item.statement, macros);
    } else if (item.kind == TexItem::Kind::statement) {
      one(item.statement);
    } else {
      printed(item.statement, macros);
    }
  }

  CheckReport report() {
    finish_erratum();
    conventions_ |= part_->indices.conventions();
    for (const auto& line : report_.lines) {
      switch (line.verdict) {
        case Verdict::verified:
          ++report_.verified;
          break;
        case Verdict::erratum:
          ++report_.errata;
          break;
        case Verdict::definition:
          ++report_.definitions;
          break;
        case Verdict::failed:
          ++report_.failed;
          break;
        case Verdict::except:
          ++report_.excepted;
          break;
      }
    }
    report_.conventions = texts_of(conventions_);
    return std::move(report_);
  }

  /// One line of a displayed formula: its statements, each for every layer that it is about.
  void printed(const Statement& whole, const TexMacros& macros) {
    finish_erratum();
    Statement s = whole;
    try {
      const auto lines = std::count(s.text.begin(), s.text.end(), '\n');
      const auto last = s.text.rfind('\n');
      const Place end{s.place.line + static_cast<int>(lines),
                      static_cast<int>(characters(lines == 0 ? s.text : s.text.substr(last + 1))) +
                          (lines == 0 ? s.place.column : 1),
                      1};
      auto found = parts_of(read_tex(s.text, s.place, macros));
      if (found.restriction.empty()) found.restriction = rules_.restriction;
      if (found.parts.size() == 1 && found.parts[0].size() > 1 && found.parts[0].back().is("=")) {
        found.parts[0].pop_back();
        found.remark = "nothing follows its \"=\"";
      }
      for (const auto& part : found.parts) {
        const auto restriction = &part == &found.parts.back() ? found.restriction : TexNodes();
        const bool continues = part[0].is("=") || part[0].is("~=");
        auto [letter, layers] = layers_in(part, rules_);
        if (continues && layers.empty() && !chains_.empty()) {
          letter = chains_letter_;
          for (const auto& [layer, chain] : chains_) layers.push_back(layer);
        }
        if (layers.empty()) {
          chains_.clear();
          statements(s, part, {}, end, restriction);
          continue;
        }
        if (!continues) chains_.clear();
        chains_letter_ = letter;
        for (const int layer : layers) {
          if (const auto chain = chains_.find(layer); chain != chains_.end()) chain_ = chain->second;
          statements(s, part, {letter, layer}, end, restriction);
          chains_[layer] = chain_;
        }
      }
      if (!found.remark.empty() && !report_.lines.empty() && report_.lines.back().message.empty())
        report_.lines.back().message = found.remark;
    } catch (const FormulaError& e) {
      unreadable(s, e);
    }
    rules_.ranges.clear();
    rules_.restriction.clear();
  }

  /// Those that a part of a line makes. What is quoted stands with the first only.
  void statements(Statement& s, const TexNodes& part, const std::pair<std::string, int>& layer, Place end,
                  const TexNodes& restriction) {
    for (auto& words : read_statement(part, part_->symbols, rules_, layer, end, restriction)) {
      Tokens tokens(gone_on(std::move(words)));
      statement(s, tokens);
      s.source.clear();
      s.label.clear();
    }
  }

  void share(std::size_t statements) {
    part_->much = much_ = std::clamp(kAllNumbers / static_cast<double>(statements + 1), kFewestNumbers, much_);
  }

  void begin_part(const std::string& name) {
    if (part_) conventions_ |= part_->indices.conventions();
    part_ = std::make_unique<Part>();
    part_->much = much_;
    part_->name = name;
    chain_ = {};
  }

  // ---- statements ----

  void one(const Statement& s) {
    const auto word = s.text.substr(0, s.text.find_first_of(" \t\n"));
    const auto rest = [&] {
      const auto at = s.text.find_first_not_of(" \t\n", word.size());
      return at == std::string::npos ? std::string() : s.text.substr(at);
    };
    if (of_answer_ && (word == "erratum" || word == "corrected" || word == "part")) throw belongs_on_the_sheet(s.place);
    if (word == "erratum") return erratum(s, rest());
    if (word != "corrected") finish_erratum();
    if (word == "part") return begin_part(rest());
    std::optional<Tokens> read;
    try {
      read.emplace(gone_on(lex(s.text, s.place.line, s.place.column)));
    } catch (const FormulaError& e) {
      if (makes_known(word, s.text)) throw;
      return unreadable(s, e);
    }
    if (word == "corrected" && read->peek().kind != Token::Kind::text) {
      check_length(s, *read);
      return corrected(s, *read);
    }
    by_itself_ = true;
    statement(s, *read);
    by_itself_ = false;
  }

  static FormulaError belongs_on_the_sheet(Place place) {
    return {place, "this belongs on the sheet; an answer gives equations, and names by :="};
  }

  /// With the "=" in front that the first words of an answer need not have.
  std::vector<Token> gone_on(std::vector<Token> words) {
    const auto is = [](const Token& word, std::string_view text) {
      return word.kind == Token::Kind::symbol && word.text == text;
    };
    const bool needed = std::exchange(goes_on_, false) && words[0].kind != Token::Kind::text && !is(words[0], "=") &&
                        !is(words[0], "~=") && std::ranges::none_of(words, [&](auto& word) { return is(word, ":="); });
    if (!needed) return words;
    Token sign;
    sign.kind = Token::Kind::symbol;
    sign.text = "=";
    sign.place = words[0].place;
    words.insert(words.begin(), std::move(sign));
    return words;
  }

  static void check_length(const Statement& s, const Tokens& tokens) {
    if (tokens.count() > (tokens.at_word("network") ? kMostTokensOfNetwork : kMostTokens))
      throw FormulaError(s.place, str("a statement of more than ", kMostTokens, " words; name parts of it with :="));
  }

  void statement(const Statement& s, Tokens& tokens) {
    check_length(s, tokens);
    if (tokens.peek().kind == Token::Kind::text) return words(s, tokens);
    if (const auto declared = declare(*part_, tokens, s.text)) {
      if (of_answer_ && !declared->names) throw belongs_on_the_sheet(s.place);
      if (declared->names || !s.label.empty() || !s.source.empty())
        row(s, Verdict::definition, declared->text, declared->latex, declared->mathml);
      if (declared->names && !of_answer_)  // "= …" below goes on from what was defined
        chain_ = {declared->defined, nullptr, declared->ranges, true};
      return;
    }
    equation(s, tokens);
  }

  /// Whether what follows depends on the statement.
  static bool makes_known(std::string_view word, std::string_view text) {
    return word == "network" || word == "samples" || word == "given" || word == "functions" || word == "corrected" ||
           word == "optimizer" || text.find(":=") != std::string_view::npos;
  }

  // ---- equations ----

  void unreadable(const Statement& s, const FormulaError& e) {
    row(s, Verdict::failed, s.text);
    point(report_.lines.back(), e, s);
    const bool continues = s.text.starts_with('=') || s.text.starts_with("~=") || s.text.starts_with("≈") ||
                           s.text.starts_with("\\approx");
    if (!continues) chain_ = {};
    chain_broken_ = true;
    readable_ = false;
  }

  void equation(const Statement& s, Tokens& tokens) {
    Equation equation;
    try {
      equation = read_equation(tokens, part_->symbols);
      if (of_answer_ && !equation.ranges.empty())
        throw FormulaError(equation.ranges[0].place,
                           "the sheet says for which indices a step is to hold; leave this out");
    } catch (const FormulaError& e) {
      return unreadable(s, e);
    }
    if (equation.continues && !chain_.head) {
      row(s, Verdict::failed, to_text(equation), to_latex(equation), to_mathml(equation));
      auto& line = report_.lines.back();
      line.line = s.place.line;
      line.column = s.place.column;
      line.message = chain_broken_ ? "the line above, which this goes on from, cannot be read"
                                   : "there is no line above that this could go on from";
      readable_ = false;
      return;
    }
    if (!equation.continues) chain_ = {equation.members[0], nullptr, equation.ranges, true};
    if (!equation.continues && by_itself_) chains_.clear();
    chain_broken_ = false;
    for (const auto& member : equation.members) {
      if (chain_.members.size() < kMostMembers) chain_.members.push_back(member);
    }
    const bool alone = equation.members.size() == 1 && !equation.continues;
    row(s, alone ? Verdict::definition : Verdict::verified, to_text(equation), to_latex(equation), to_mathml(equation));
    judge(equation, report_.lines.back(), s);
  }

  /// The line as far as it is the beginning of a chain, or holds.
  void judge(const Equation& equation, CheckedLine& line, const Statement& s) {
    if (!judges_ || (options_.only_line > 0 && options_.only_line != s.place.line)) {
      for (std::size_t k = 0; k < equation.members.size(); ++k) {
        if (equation.approximate[k]) chain_.head = equation.members[k];
      }
      chain_.last = equation.members.back();
      return;
    }
    try {
      std::vector<ExprPtr> members{chain_.head};
      const std::size_t first = equation.continues ? 0 : 1;
      if (equation.continues && chain_.last && !chain_.last_holds) members.push_back(chain_.last);
      const auto given = members.size();
      members.insert(members.end(), equation.members.begin() + static_cast<std::ptrdiff_t>(first),
                     equation.members.end());
      part_->indices.begin_statement();
      Elaborator elaborator(part_->symbols, part_->indices);
      apply(chain_.ranges, elaborator, part_->indices);
      apply(equation.ranges, elaborator, part_->indices);
      std::vector<Indexed> read;
      for (const auto& member : members) {
        read.push_back(elaborator.run(member));
        if (read.size() > 1) read.back() = elaborator.aligned(read[0], read.back(), member->place);
      }
      elaborator.settle();
      Judge judge(*part_, options_.seed, std::clamp(options_.trials, 1, kMostTrials));
      if (members.size() == 1) judge.free_indices(read[0]);  // to see that it has a value at all
      std::size_t begin = 0;
      for (std::size_t k = given; k < read.size(); ++k) {
        const bool approximate = equation.approximate[k - given + first];
        const auto outcome = judge.compare(read[begin], read[k], approximate);
        chain_.last = equation.members[k - given + first];
        chain_.last_holds = outcome.equal;
        line.residual = std::max(line.residual, outcome.residual);
        if (outcome.equal) {
          if (approximate) {  // what is equal from here on need not be equal to the beginning
            begin = k;
            chain_.head = chain_.last;
          }
          if (outcome.all_zero) line.message = "both sides are 0 in every trial";
          if (!outcome.remark.empty() && line.verdict != Verdict::except) line.message = outcome.remark;
          if (!outcome.exception.empty()) {
            line.verdict = Verdict::except;
            line.message = outcome.exception;
          }
          continue;
        }
        line.verdict = Verdict::failed;
        line.message = judge.explain(read[begin], read[k], outcome, approximate);
        offer(line, equation, k - given + first, k);
        if (given == 2 && judge.compare(read[1], read[k], approximate).equal)
          line.message += "; this step itself is right: it follows from the line above, which is false";
        break;
      }
    } catch (const FormulaError& e) {
      line.verdict = Verdict::failed;
      point(line, e, s);
      readable_ = dynamic_cast<const MisfitError*>(&e) != nullptr;
      if (!readable_) return;
      for (std::size_t k = equation.continues ? 0 : 1; k < equation.members.size() && line.offer.empty(); ++k)
        offer(line, equation, k, k);
    }
  }

  /// The edit that makes this member equal to the beginning of the chain.
  void offer(CheckedLine& line, const Equation& equation, std::size_t member, std::size_t position) {
    if (!options_.offer || offering_ <= 0 || member >= equation.members.size()) return;
    FalseEquation what{.left = chain_.head, .right = equation.members[member], .others = chain_.members};
    what.approximate = equation.approximate[member];
    what.left_is_given = equation.continues || position > 1;
    what.ranges = chain_.ranges;
    what.ranges.insert(what.ranges.end(), equation.ranges.begin(), equation.ranges.end());
    auto work = std::min(kOfferWork, offering_);
    offering_ -= work;
    line.offer = offered_edit(*part_, what, options_.seed, std::clamp(options_.trials, 1, kMostTrials), work);
    offering_ += work;
    const bool said = line.offer == "true with the opposite sign" && line.message.ends_with("the opposite sign");
    if (!line.offer.empty() && !said) line.message += "; " + line.offer;
  }

  /// Says why the statement cannot be judged, and where in it; what it goes on from may be the reason.
  void point(CheckedLine& line, const FormulaError& e, const Statement& s) const {
    if (notes_line_ > 0) {
      line.line = notes_line_;
      line.column = 0;
      line.message = str(e.what(), " (line ", e.place().line, " of the notes)");
      return;
    }
    const auto lines = static_cast<int>(std::count(s.text.begin(), s.text.end(), '\n'));
    const bool inside = e.place().line >= s.place.line && e.place().line <= s.place.line + lines;
    line.line = inside ? e.place().line : s.place.line;
    line.column = inside ? e.place().column : 0;
    line.message = inside ? e.what() : str(e.what(), " (line ", e.place().line, ")");
  }

  // ---- what the document says ----

  void words(const Statement& s, Tokens& tokens) {
    const auto text = tokens.next().text;
    expect_end(tokens);
    row(s, Verdict::definition, "\"" + text + "\"", latex_words(text), mathml_words(text));
  }

  void erratum(const Statement& s, const std::string& why) {
    finish_erratum();
    if (report_.lines.empty() || !last_is_equation_)
      throw FormulaError(s.place, "an erratum follows the equation that is wrong");
    if (why.empty()) throw FormulaError(s.place, "say what is wrong: erratum the sign is lost");
    auto& line = report_.lines.back();
    const bool skipped = options_.only_line > 0 && options_.only_line != last_line_;
    awaits_correction_ = true;
    if (!readable_) {
      line.message = "an erratum must be an equation that can be computed, and is false; but " + line.message;
    } else if (line.verdict == Verdict::failed || skipped) {
      line.verdict = Verdict::erratum;
      line.column = 0;
      line.line = last_line_;
      line.difference = std::exchange(line.message, why);
    } else {
      line.verdict = Verdict::failed;
      line.message = "is called an erratum, but holds as it stands";
    }
  }

  void corrected(const Statement& s, Tokens& tokens) {
    if (!awaits_correction_) throw FormulaError(s.place, "a correction follows a line \"erratum …\"");
    awaits_correction_ = false;
    tokens.next();
    auto& line = report_.lines.back();
    CheckedLine judged;
    try {
      const auto equation = read_equation(tokens, part_->symbols);
      if (equation.continues && !chain_.head)
        throw FormulaError(s.place, "there is no line above that this could go on from");
      if (!equation.continues) chain_ = {equation.members[0], nullptr, equation.ranges, true};
      judged.verdict = Verdict::verified;
      chain_.last_holds = true;  // the erratum is not what this goes on from
      line.corrected = to_text(equation);
      line.corrected_latex = to_latex(equation);
      judge(equation, judged, s);
    } catch (const FormulaError& e) {
      judged.verdict = Verdict::failed;
      point(judged, e, s);
    }
    if (judged.verdict != Verdict::failed || line.verdict == Verdict::failed) return;
    line.verdict = Verdict::failed;
    line.message = "the correction does not hold: " + judged.message;
    line.line = judged.column > 0 ? judged.line : s.place.line;
    line.column = judged.column;
  }

  void finish_erratum() {
    if (!awaits_correction_) return;
    awaits_correction_ = false;
    auto& line = report_.lines.back();
    if (line.verdict == Verdict::failed) return;
    line.verdict = Verdict::failed;
    line.message = "an erratum needs its correction: add a line \"corrected …\"";
  }

  // ---- rows ----

  void row(const Statement& s, Verdict verdict, const std::string& text, const std::string& latex = {},
           const std::string& mathml = {}) {
    CheckedLine line;
    line.part = part_->name;
    line.label = s.label;
    line.line = notes_line_ > 0 ? notes_line_ : s.place.line;
    line.verdict = verdict;
    for (const char c : text) {  // what was written on several lines is shown on one
      const bool space = c == '\n' || c == ' ' || c == '\t' || c == '\r';
      if (!space) line.text += c;
      if (space && !line.text.empty() && line.text.back() != ' ') line.text += ' ';
    }
    line.latex = latex;
    line.mathml = mathml;
    for (const auto& each : s.source) line.source += (line.source.empty() ? "" : "\n") + each;
    last_line_ = s.place.line;
    readable_ = true;
    last_is_equation_ = verdict == Verdict::verified || verdict == Verdict::failed;
    report_.lines.push_back(std::move(line));
  }

  std::string_view origin_;
  CheckOptions options_;
  CheckReport report_;
  std::unique_ptr<Part> part_;
  unsigned conventions_ = 0;
  struct Chain {
    ExprPtr head, last;  // the first member, and the one of the line above
    std::vector<Bound> ranges;
    bool last_holds = true;
    std::vector<ExprPtr> members{};  // all of them
  } chain_;
  std::int64_t offering_ = kOffersWork;  // what offers may still cost
  std::map<int, Chain> chains_{};        // of a document's equation about several layers, by the layer,
  std::string chains_letter_{};          // which this letter stands for
  TexRules rules_{};
  bool of_answer_ = false, goes_on_ = false, judges_ = true;  // see ItemToCheck
  int notes_line_ = 0;                                        // where in the document the notes are that are being read
  bool by_itself_ = false;                                    // what is read is no line of a document
  double much_ = kMostNumbers;                                // see Part
  bool chain_broken_ = false, awaits_correction_ = false, last_is_equation_ = false;
  bool readable_ = true;  // the last row: it could be computed, or its indices do not go together
  int last_line_ = 0;
};

}  // namespace

void check_items(const std::vector<ItemToCheck>& items, const CheckOptions& options, CheckedItems& found) {
  Checker({}, options).run_items(items, found);
}

CheckReport check_about(const Graph& graph, const std::map<NodeId, std::string>& names, std::int64_t samples,
                        std::string_view text, std::string_view origin, const CheckOptions& options) {
  return Checker(graph, names, samples, origin, options).run(text);
}

}  // namespace math

std::string_view name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::verified:
      return "verified";
    case Verdict::erratum:
      return "erratum";
    case Verdict::definition:
      return "definition";
    case Verdict::failed:
      return "failed";
    case Verdict::except:
      return "except";
  }
  return {};
}

bool is_document(std::string_view name) {
  return math::is_markdown(name) || name.ends_with(".tex") || name.ends_with(".latex");
}

CheckReport check_derivation(std::string_view text, std::string_view origin, const CheckOptions& options) {
  return math::Checker(origin, options).run(text);
}

CheckReport check_latex(std::string_view document, std::string_view origin, const CheckOptions& options) {
  return math::Checker(origin, options).run_latex(document);
}

}  // namespace chalk
