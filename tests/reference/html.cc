// Pages as HTML: one file a family, with MathML, without scripts, and nothing to fetch.
#include "src/base/text.h"
#include "tests/reference/page.h"

namespace chalk::reference {
namespace {

std::string escaped(std::string_view text) {
  std::string safe;
  for (const char c : text)
    safe += c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '"' ? "&quot;" : std::string(1, c);
  return safe;
}

/// `code`, [links](there) and <br>. There is one folder less above the file than above a page.
std::string inline_html(std::string_view text) {
  std::string html;
  while (!text.empty()) {
    const auto take = [&](std::size_t count) {
      const auto part = text.substr(0, count);
      text.remove_prefix(std::min(count, text.size()));
      return part;
    };
    if (text.starts_with("<br>")) {
      html += take(4);
    } else if (text[0] == '`') {
      take(1);
      html += str("<code>", escaped(take(text.find('`'))), "</code>");
      take(1);
    } else if (const auto close = text.find("]("); text[0] == '[' && close != std::string_view::npos) {
      take(1);
      const auto label = inline_html(take(close - 1));
      take(2);
      auto there = take(text.find(')'));
      take(1);
      if (there.starts_with("../")) there.remove_prefix(3);
      html += str("<a href=\"", escaped(there), "\">", label, "</a>");
    } else {
      const auto plain = take(1);
      html += escaped(plain) + escaped(take(std::min(text.find_first_of("`[<"), text.size())));
    }
  }
  return html;
}

std::string to_html(const Table& table) {
  std::string html = "<div class=\"wide\"><table>\n";
  if (table.head != std::vector<std::string>(table.head.size())) {
    html += "<tr>";
    for (const auto& cell : table.head) html += str("<th>", inline_html(cell), "</th>");
    html += "</tr>\n";
  }
  for (const auto& row : table.rows) {
    html += "<tr>";
    for (const auto& cell : row) html += str("<td>", inline_html(cell), "</td>");
    html += "</tr>\n";
  }
  return html + "</table></div>\n";
}

std::string to_html(const Block& block, const Page& page) {
  switch (block.kind) {
    case Block::Kind::heading:
      return str("<h3>", inline_html(block.text), "</h3>\n");
    case Block::Kind::text:
      return str("<p>", inline_html(block.text), "</p>\n");
    case Block::Kind::table:
      return to_html(block.table);
    case Block::Kind::formulas: {
      std::string html;
      for (const auto& formula : block.formulas)
        html += str("<div class=\"wide\"><math display=\"block\">", formula.mathml, "</math></div>\n");
      return html;
    }
    case Block::Kind::picture:
      return str("<figure><img src=\"", page.family, "/", page.name, ".png\" width=\"", page.picture.width,
                 "\" height=\"", page.picture.height, "\" alt=\"\"><figcaption>", inline_html(block.text),
                 "</figcaption></figure>\n");
    case Block::Kind::command:
    case Block::Kind::toml:
      return str("<pre>", escaped(block.text), "</pre>\n");
  }
  return "";
}

constexpr std::string_view kStyle = R"(
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 0 auto; padding: 1rem;
  color: light-dark(#222, #ddd); background: light-dark(#fff, #161616); overflow-wrap: break-word; }
a { color: light-dark(#0b57d0, #8ab4f8); }
nav { columns: 9rem; font-size: .9rem; }
nav a { display: block; }
section { border-top: 1px solid light-dark(#ccc, #444); margin-top: 2rem; }
h2 { margin-bottom: 0; } h3 { margin: 1.2rem 0 .3rem; font-size: 1rem; }
code, pre { font: .85em ui-monospace, monospace; background: light-dark(#f2f2f2, #262626); border-radius: 3px; }
code { padding: .1em .25em; } pre { padding: .6rem; overflow-x: auto; }
.wide { overflow-x: auto; }
figure { margin: .8rem 0; } img { max-width: 100%; height: auto; } figcaption { font-size: .85rem; }
table { border-collapse: collapse; font-size: .9rem; }
td, th { border: 1px solid light-dark(#ddd, #3a3a3a); padding: .25rem .5rem; text-align: left; vertical-align: top;
  overflow-wrap: normal; }
math { margin: .4rem 0; text-align: left; } math[display=block] { display: block math; width: max-content; }
@media print { nav { display: none; } section { break-inside: avoid; } }
)";

}  // namespace

std::string to_html(const Family& family) {
  std::string html =
      str("<!DOCTYPE html>\n<!-- written by ./dev docs -->\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>chalkgrad: ",
          family.name, "</title>\n<style>", kStyle, "</style>\n<h1>", family.name, "</h1>\n<p>",
          inline_html(family.about), "</p>\n<nav>\n");
  for (const auto& page : family.pages) html += str("<a href=\"#", page.name, "\">", page.name, "</a>\n");
  html += "</nav>\n";
  for (const auto& page : family.pages) {
    html += str("<section id=\"", page.name, "\">\n<h2>", page.name, "</h2>\n<p>", page.one, ": ",
                inline_html(page.about), ".</p>\n");
    for (const auto& block : page.blocks) html += to_html(block, page);
    html += "</section>\n";
  }
  return html + "</html>\n";
}

}  // namespace chalk::reference
