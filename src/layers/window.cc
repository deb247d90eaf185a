#include "src/layers/window.h"

#include "src/base/wording.h"

namespace chalk {

void visit_padding(FieldVisitor& v, Pair& padding, const Pair& window, const Pair& dilation, bool with_full) {
  const auto* help = with_full ? "zeros on each side; `\"same\"` keeps the size, `\"full\"` is the kernel − 1"
                               : "on each side; `\"same\"` keeps the size";
  const Pair reach{(window[0] - 1) * dilation[0], (window[1] - 1) * dilation[1]};
  std::string word;
  v.pair({"padding", Range::from_to(0, kMostNumber), help}, padding, &word);
  if (word.empty()) return;
  if (with_full && word == "full") {
    padding = reach;
    return;
  }
  if (word != "same") {
    v.refuse("padding", str("must be a whole number, two of them, or ",
                            with_full ? "a word: \"same\" or \"full\"" : "\"same\"", ", not ", in_quotes(word)));
  }
  if (reach[0] % 2 != 0 || reach[1] % 2 != 0) {
    v.refuse("padding", str("= \"same\" pads on both sides alike, which needs an odd size, not ", window[0], "×",
                            window[1], "; use numbers"));
  }
  padding = {reach[0] / 2, reach[1] / 2};
}

Pair same_padding(const LineReader& in, const Pair& window) {
  if (window[0] % 2 == 0 || window[1] % 2 == 0) {
    in.fail(str("z pads on both sides alike, which needs an odd size, not ", window[0], "×", window[1],
                "; use an odd size, or TOML with padding = …"),
            1);
  }
  return {window[0] / 2, window[1] / 2};
}

Pair read_stride(LineReader& in) { return in.sizes("stride", "; write e.g. s2"); }

}  // namespace chalk
