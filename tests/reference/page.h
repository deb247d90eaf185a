// A page of the reference: what it says, and how that is written in Markdown and in HTML.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chalkgrad/image.h"

namespace chalk::reference {

/// A formula, typeset.
struct Typeset {
  std::string latex, mathml;
};

struct Table {
  std::vector<std::string> head;
  std::vector<std::vector<std::string>> rows;
};

/// A part of a page. Texts and cells are Markdown: `code`, [links](there), and nothing else.
struct Block {
  enum class Kind { heading, text, table, formulas, command, toml, picture };
  Kind kind;
  std::string text{};  // of all but tables and formulas; of a picture what it shows
  Table table{};
  std::vector<Typeset> formulas{};
};

/// Of one piece. Links are as in docs/reference/FAMILY/NAME.md.
struct Page {
  std::string family{}, one{}, name{};
  std::string about{};    // a sentence or two, without a full stop
  std::string command{};  // a line that runs
  std::string source{};   // files that say what is on it
  std::vector<Block> blocks{};
  Image picture{};                    // NAME.png beside the page; none if it has no pixels
  int equations = 0;                  // that hold
  std::vector<std::string> faults{};  // those that do not, and why

  void heading(std::string text) { blocks.push_back({Block::Kind::heading, std::move(text)}); }
  void text(std::string text) { blocks.push_back({Block::Kind::text, std::move(text)}); }
  void table(Table table) {
    if (!table.rows.empty()) blocks.push_back({Block::Kind::table, {}, std::move(table)});
  }
  void formulas(std::vector<Typeset> all) {
    if (!all.empty()) blocks.push_back({Block::Kind::formulas, {}, {}, std::move(all)});
  }
};

/// The pieces of a list: operations, layers, …
struct Family {
  std::string name;     // of the folder: "operations"
  std::string one;      // of them: "An operation"
  std::string list;     // the file that lists them
  std::string about{};  // a sentence
  std::size_t listed = 0;
  std::size_t tested = 0;  // of these, those in the automatic checks
  std::string tests{};     // which these are
  std::vector<Page> pages{};
};

std::string to_markdown(const Page& page);
/// All pages of a family in one file that needs no other, with MathML for the formulas.
std::string to_html(const Family& family);
/// docs/reference/README.md.
std::string index_of(const std::vector<Family>& families);

}  // namespace chalk::reference
