// What commands of LaTeX mean: signs, fonts, accents, and what is left out.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace chalk::math {

struct Said {
  std::string_view command, as;
};

/// Signs, as chalk types them.
inline constexpr std::array<Said, 56> kSigns{{{"cdot", "*"},
                                              {"times", "*"},
                                              {"ast", "*"},
                                              {"odot", ".*"},
                                              {"circ", ".*"},
                                              {"oslash", "./"},
                                              {"div", "/"},
                                              {"approx", "~="},
                                              {"simeq", "~="},
                                              {"equiv", ":="},
                                              {"coloneqq", ":="},
                                              {"triangleq", ":="},
                                              {"leq", "<="},
                                              {"le", "<="},
                                              {"geq", ">="},
                                              {"ge", ">="},
                                              {"neq", "!="},
                                              {"ne", "!="},
                                              {"lt", "<"},
                                              {"gt", ">"},
                                              {"lbrace", "{"},
                                              {"rbrace", "}"},
                                              {"lbrack", "["},
                                              {"rbrack", "]"},
                                              {"langle", "langle"},
                                              {"rangle", "rangle"},
                                              {"vert", "|"},
                                              {"lvert", "|"},
                                              {"rvert", "|"},
                                              {"mid", "|"},
                                              {"Vert", "||"},
                                              {"lVert", "||"},
                                              {"rVert", "||"},
                                              {"colon", ":"},
                                              {"prime", "'"},
                                              {"top", "T"},
                                              {"intercal", "T"},
                                              {"intop", "T"},
                                              {"implies", "=>"},
                                              {"Rightarrow", "=>"},
                                              {"longrightarrow", "=>"},
                                              {"rightarrow", "=>"},
                                              {"Longrightarrow", "=>"},
                                              {"Leftrightarrow", "=>"},
                                              {"iff", "=>"},
                                              {"therefore", "=>"},
                                              {"leftarrow", "<-"},
                                              {"gets", "<-"},
                                              {"leqslant", "<="},
                                              {"geqslant", ">="},
                                              {"doteq", ":="},
                                              {"eqdef", ":="},
                                              {"colonequals", ":="},
                                              {"coloneq", ":="},
                                              {"lfloor", "("},
                                              {"rfloor", ")"}}};

/// Left out: they change how a formula looks.
inline constexpr std::array<std::string_view, 36> kLooks{
    "displaystyle", "textstyle", "scriptstyle", "limits",   "nolimits",  "big",   "Big",    "bigg",  "Bigg",
    "bigl",         "bigr",      "Bigl",        "Bigr",     "biggl",     "biggr", "Biggl",  "Biggr", "nonumber",
    "notag",        "middle",    "mathstrut",   "strut",    "thinspace", "hfill", "bigm",   "Bigm",  "allowbreak",
    "rm",           "bf",        "it",          "boldmath", "smallskip", "null",  "xspace", "relax", "protect"};

/// Fonts: what is in them counts. Several letters in an upright one are a word.
inline constexpr std::array<std::string_view, 12> kFonts{"mathbf", "boldsymbol", "bm",  "mathit", "mathcal",  "mathscr",
                                                         "mathsf", "mathtt",     "pmb", "mathbb", "mathfrak", "symbf"};
inline constexpr std::array<std::string_view, 12> kUpright{"text",         "textit",     "textrm", "textbf",
                                                           "mathrm",       "textsc",     "mathop", "mbox",
                                                           "operatorname", "textnormal", "textsf", "texttt"};
inline constexpr std::array<Said, 8> kAccents{{{"hat", "hat"},
                                               {"widehat", "hat"},
                                               {"bar", "bar"},
                                               {"overline", "bar"},
                                               {"tilde", "tilde"},
                                               {"widetilde", "tilde"},
                                               {"vec", "vec"},
                                               {"dot", "dot"}}};
/// With an argument that does not count.
inline constexpr std::array<std::string_view, 12> kAside{"tag",     "label", "hspace",    "vspace",
                                                         "phantom", "color", "hphantom",  "vphantom",
                                                         "eqref",   "ref",   "intertext", "shortintertext"};
/// The same as its argument.
inline constexpr std::array<std::string_view, 11> kSame{"boxed",      "fbox",     "underbrace", "overbrace",
                                                        "ensuremath", "substack", "underline",  "mathclap",
                                                        "mathrlap",   "mathllap", "smash"};
inline constexpr std::array<std::string_view, 6> kFractions{"frac", "dfrac", "tfrac", "cfrac", "nicefrac", "sfrac"};

template <class List>
bool listed(const List& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

template <std::size_t N>
const Said* said(const std::array<Said, N>& list, std::string_view command) {
  const auto found = std::ranges::find_if(list, [&](const auto& each) { return each.command == command; });
  return found == list.end() ? nullptr : found;
}

}  // namespace chalk::math
