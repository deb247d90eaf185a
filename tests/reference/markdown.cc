// Pages as Markdown, with LaTeX as GitHub shows it.
#include "src/base/text.h"
#include "tests/reference/page.h"

namespace chalk::reference {
namespace {

/// A bar would end the cell, also within `code`.
std::string in_a_cell(const std::string& text) {
  std::string cell;
  for (const char c : text) cell += c == '|' ? str('\\', c) : std::string(1, c);
  return cell;
}

std::string row_of(const std::vector<std::string>& cells) {
  std::string text = "|";
  for (const auto& cell : cells) text += str(" ", in_a_cell(cell), " |");
  return text + "\n";
}

std::string to_markdown(const Table& table) {
  std::string text = row_of(table.head) + "|";
  for (std::size_t i = 0; i < table.head.size(); ++i) text += "---|";
  text += "\n";
  for (const auto& row : table.rows) text += row_of(row);
  return text;
}

std::string to_markdown(const std::vector<Typeset>& formulas) {
  std::string text = "```math\n";
  if (formulas.size() == 1) return str(text, formulas[0].latex, "\n```\n");
  text += "\\begin{aligned}\n";
  for (const auto& formula : formulas)
    text += str("& ", formula.latex, &formula == &formulas.back() ? "\n" : " \\\\\n");
  return text + "\\end{aligned}\n```\n";
}

/// Text as a picture has it beside it: without `code`.
std::string plain(std::string text) {
  std::erase(text, '`');
  return text;
}

std::string to_markdown(const Block& block, const std::string& name) {
  switch (block.kind) {
    case Block::Kind::heading:
      return str("## ", block.text, "\n");
    case Block::Kind::text:
      return str(block.text, "\n");
    case Block::Kind::table:
      return to_markdown(block.table);
    case Block::Kind::formulas:
      return to_markdown(block.formulas);
    case Block::Kind::command:
      return str("```sh\n", block.text, "\n```\n");
    case Block::Kind::picture:
      return str("![", plain(block.text), "](", name, ".png)\n");
    case Block::Kind::toml:
      return str("```toml\n", block.text, "\n```\n");
  }
  return "";
}

/// Links of a page are those of its folder, one below.
std::string from_above(std::string text) {
  for (auto at = text.find("](../"); at != std::string::npos; at = text.find("](../", at + 1)) text.erase(at + 2, 3);
  return text;
}

}  // namespace

std::string to_markdown(const Page& page) {
  auto text = str("<!-- written by ./dev docs, from ", page.source, " -->\n# ", page.name, "\n\n[", page.one,
                  "](../README.md#", page.family, "): ", page.about, ".\n");
  for (const auto& block : page.blocks) text += "\n" + to_markdown(block, page.name);
  return text;
}

std::string index_of(const std::vector<Family>& families) {
  std::string text =
      "<!-- written by ./dev docs -->\n# Reference\n\n"
      "A page for each piece: its formula, its derivative, its parameters with their ranges and defaults, shapes, "
      "what\n"
      "PyTorch and Keras call it, and a line that runs. The pages are written from the lists that the program itself\n"
      "reads, and a test fails when one is stale. Each formula, and each derivative, is in the language of\n"
      "[`chalkgrad check`](../check.md) and has been held to the engine on random numbers; what is typeset is what "
      "was\n"
      "checked. The same is in one file a family that needs no network and no script (of augmentations, their "
      "pictures\n"
      "are beside it):";
  for (const auto& family : families)
    text += str("\n[", family.name, ".html](", family.name, ".html)", &family == &families.back() ? ".\n" : ",");
  Table counts{{"family", "the list", "in the list", "in the automatic checks", "pages",
                "with formulas that were checked", "equations", "lines that run"},
               {}};
  for (const auto& family : families) {
    std::size_t checked = 0, lines = 0;
    int equations = 0;
    for (const auto& page : family.pages) {
      checked += page.equations > 0 ? 1 : 0;
      equations += page.equations;
      lines += page.command.empty() ? 0 : 1;
    }
    counts.rows.push_back({str("[", family.name, "](#", family.name, ")"),
                           str("[", family.list.substr(family.list.rfind('/') + 1), "](../../", family.list, ")"),
                           str(family.listed), family.tests.empty() ? "" : str(family.tested, ": ", family.tests),
                           str(family.pages.size()), str(checked), str(equations), str(lines)});
  }
  text += "\n" + to_markdown(counts);
  for (const auto& family : families) {
    text += str("\n## ", family.name, "\n\n", from_above(family.about), "\n\n");
    Table list{{"", ""}, {}};
    for (const auto& page : family.pages)
      list.rows.push_back({str("[`", page.name, "`](", family.name, "/", page.name, ".md)"), page.about});
    text += from_above(to_markdown(list));
  }
  return text;
}

}  // namespace chalk::reference
