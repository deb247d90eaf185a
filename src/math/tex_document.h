// A document in LaTeX or Markdown, cut into what `check` reads: displayed equations, line by line, and what is said
// about them in comments or in notes beside the document. docs/check.md describes both.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "src/math/error.h"
#include "src/math/statements.h"
#include "src/math/tex_nodes.h"

namespace chalk::math {

struct TexItem {
  enum class Kind : std::uint8_t {
    statement,  // in the language of derivations
    rule,       // how formulas are to be read: "read W^{(1)} as W1"
    equation,   // a line of a displayed formula, in LaTeX
  };
  Kind kind = Kind::statement;
  Statement statement{};  // of an equation: text without \tag and line environments, label, and what it is quoted as
  bool notes = false;     // its place is one in the notes
  int line = 0;           // in the document, where it stands or is put
  int display = 0;        // lines of the same displayed formula have the same number
};

struct TexDocument {
  std::vector<TexItem> items;
  TexMacros macros;
};

/// An error in the notes.
class NotesError : public FormulaError {
 public:
  using FormulaError::FormulaError;
};

/// Whether a document of this name is in Markdown, and not in LaTeX.
bool is_markdown(std::string_view name);

/// `markdown`: % begins no comment, and what is between ``` is left out. Throws FormulaError; NotesError for the notes.
TexDocument read_document(std::string_view text, bool markdown, std::string_view notes);

}  // namespace chalk::math
