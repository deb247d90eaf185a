#!/usr/bin/env python3
"""chalkgrad derive."""
from support import CliTest, main


class Derive(CliTest):
    def test_check_verifies_what_derive_wrote(self):
        for net, shape in (("30n-sigmoid-10n-sigmoid", "784"), ("4c3-relu-mp2-10n", "1x8x8")):
            text = self.good("derive", "--net", net, "--input", shape, "--format", "check")
            path = self.path("derived.chalk")
            path.write_text(text)
            self.assertIn(" 0 failed", self.good("check", path, "--quiet", "--trials", 1))
            path.unlink()

    def test_text_has_rules_and_equations(self):
        text = self.good("derive", "--net", "3n-sigmoid-2n", "--input", 4)
        self.assertIn("    = y[i] - t[i]    (Σ t = 1)", text)

    def test_what_does_not_go_together_is_one_line(self):
        self.refused(2, "--loss", "derive", "--net", "3n", "--input", 4, "--loss", "nothing")


if __name__ == "__main__":
    main()
