#!/usr/bin/env python3
"""chalkgrad check: equations true or false."""
import fcntl
import json
import pty
import struct
import termios

from support import chalkgrad, CliTest, main, ROOT


class Check(CliTest):
    TEXT = ("# a derivation\n"
            "part One layer\n"
            "network x: 3 > z = dense(W: 2 outputs, bias b) > y = sigmoid\n"
            "% y = \\sigma(z)\n"
            "(1) y = sigmoid(z)\n"
            "E := sum(i, y[i]^2)\n"
            "(2) dE/dz[i]\n"
            "(3)   = 2*y[i]\n"
            "erratum the derivative of y is lost\n"
            "corrected = 2*y[i]*dy[i]/dz[i]\n")
    FALSE = "given α, b in 1..2\nα*b = α + b\n"

    def derivation(self, text, name="test.chalk"):
        return self.path(name, text.encode())

    def test_every_line_has_its_verdict(self):
        out = self.good("check", self.derivation(self.TEXT))
        lines = out.splitlines()
        self.assertEqual(lines[:3], ["", "One layer", "(1)      verified    y = sigmoid(z)"])
        self.assertEqual(lines[3], "line 6   definition  E := sum(i, y[i]^2)")
        self.assertEqual(lines[4], "(2)      definition  dE/dz[i]")
        self.assertEqual(lines[5:7], ["(3)      erratum     = 2*y[i]", " " * 21 + "the derivative of y is lost"])
        self.assertRegex(lines[7], r"^ {21}as printed: left is .*, right is .* at i=0; they differ at 2 of 2 places")
        self.assertEqual(lines[8], " " * 21 + "corrected:  = 2*y[i]*dy[i]/dz[i]")
        self.assertEqual(lines[9:], ["1 verified, 1 erratum, 2 definitions, 0 failed"])
        self.assertNotIn("\033", out)

    def test_what_is_false_fails(self):
        result = chalkgrad("check", self.derivation(self.FALSE))
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stderr, "")
        self.assertRegex(result.stdout, r"\Aline 2   FALSE       alpha\*b = alpha \+ b\n {21}left is [\d.]+, right is [\d.]+\n"
                                        r"0 verified, 0 errata, 0 definitions, 1 failed\n\Z")
        quiet = chalkgrad("check", "--quiet", self.derivation(self.FALSE + "b = b\n"))
        self.assertNotIn("verified    ", quiet.stdout)
        self.assertIn("FALSE", quiet.stdout)
        self.assertIn("1 verified, 0 errata, 0 definitions, 1 failed", quiet.stdout)

    def test_an_error_points_at_its_character(self):
        result = chalkgrad("check", self.derivation("given α, β\nα + β =\n\tα*β*γγ[0]\n"))
        self.assertEqual(result.returncode, 1)
        lines = result.stdout.splitlines()
        mark = next(k for k, line in enumerate(lines) if line.endswith("^"))
        self.assertEqual(lines[mark - 1], " " * 21 + "3 |  α*β*γγ[0]")
        self.assertEqual(lines[mark - 1][len(lines[mark]) - 1], "γ")
        self.assertEqual(lines[mark].index("^"), lines[mark - 1].index("γ"))

    def test_what_cannot_be_read_is_one_line_on_stderr(self):
        self.refused(1, ["test.chalk", "line 1, character 13", "a layer expected"], "check",
                     self.derivation("network x: 3 \n"))
        self.refused(1, ["not UTF-8"], "check", self.path("latin.chalk", b"given \xe9"))
        self.refused(1, ["control character"], "check", self.path("nul.chalk", b"a = \0"))
        self.refused(1, ["has no equation", "docs/check.md"], "check", self.derivation("# nothing\n"))
        self.refused(1, ["has no equation"], "check", self.derivation(""))
        self.refused(1, ["nowhere.chalk"], "check", self.folder / "nowhere.chalk")
        self.refused(1, [str(self.folder)], "check", self.folder)
        self.refused(1, ["too large"], "check", self.path("large.chalk", b"1 = 1\n" * 200_000))

    def test_the_command_line_is_checked(self):
        file = self.derivation(self.TEXT)
        self.refused(2, "FILE", "check")
        self.refused(2, "--trials", "check", file, "--trials", 0)
        self.refused(2, "--trials", "check", file, "--trials", 1001)
        self.refused(2, "--seed", "check", file, "--seed", -1)
        self.refused(2, ["--jsn", "--json"], "check", file, "--jsn")
        self.refused(2, ["--json", "--latex"], "check", file, "--json", "--latex")

    PAPER = ("% chalk: network x: 3 > s = dense(W: 2 outputs) > y = tanh\n"
             "\\[ \\frac{\\partial y_i}{\\partial s_i} = 1 - y_i^2 \\tag{5} \\]\n"
             "\\[ \\frac{\\partial y_i}{\\partial x_j} = (1 - y_i^2) \\cdots \\label{a:long:one} \\]\n")

    def test_latex_as_papers_have_it(self):
        result = chalkgrad("check", self.derivation(self.PAPER, "paper.tex"))
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stdout.splitlines(), [
            "(5)      verified    dy[i]/ds[i] = 1 - y[i]^2",
            "line 3   FALSE       \\frac{\\partial y_i}{\\partial x_j} = (1 - y_i^2) \\cdots",
            " " * 21 + "dots leave out what they mean; write it out",
            " " * 21 + "3 | \\[ \\frac{\\partial y_i}{\\partial x_j} = (1 - y_i^2) \\cdots \\label{a:long:one} \\]",
            " " * 21 + "  | " + " " * 51 + "^",
            "1 verified, 0 errata, 0 definitions, 1 failed"])
        row = json.loads(chalkgrad("check", "--json", self.derivation(self.PAPER, "paper.md")).stdout)["lines"][0]
        self.assertEqual(row["source"], "\\frac{\\partial y_i}{\\partial s_i} = 1 - y_i^2")

    def test_notes_beside_a_paper(self):
        paper = self.derivation(self.PAPER.split("\n", 1)[1].replace("\\cdots", "Q_{ij}"), "paper.tex")
        notes = self.derivation(self.PAPER[len("% chalk: "):].splitlines()[0] + "\nread Q as W\n", "notes")
        self.good("check", paper, "--notes", notes)
        self.refused(1, ["paper.tex: notes: line 1, character 9", "the name of the input expected"], "check", paper, "--notes",
                     self.derivation("network x: 3 > s = dense(W: 2 outputs) > y = tanh\n".replace("x:", "1:"), "bad"))
        self.refused(2, "--notes", "check", paper, paper, "--notes", notes)
        self.refused(2, "--notes", "check", self.derivation(self.TEXT), "--notes", notes)

    def test_layers_and_second_derivatives(self):
        text = (ROOT / "tests" / "layers.chalk").read_text(encoding="utf-8")
        self.good("check", ROOT / "tests" / "layers.chalk")
        for right, wrong in (("- 1/4 - xhat", "- 1/4 + xhat"), ("delta(i,j) + df", "delta(i,j)*df"), ("2*i+p,2*j+q]) + b", "2*i+p,j+q]) + b"),
                             ("x[i+2*p,j+2*q])", "x[i+2*p,j+q])"), ("2*j+v])/9", "2*j+v])/6"), ("m[n,i]/(1 - 0.25)", "m[n,i]"),
                             ("y[i]*(delta(i,k) - y[k])*x[j]*x[l]", "y[i]*(delta(i,k) + y[k])*x[j]*x[l]"),
                             ("(y[i] - t[i])*delta(j,k) + ", ""), ("(1 - 2*y[n,k])*V", "(1 - y[n,k])*V")):
            self.assertIn(right, text)
            result = chalkgrad("check", "--quiet", self.derivation(text.replace(right, wrong, 1)))
            self.assertEqual(result.returncode, 1, f"{wrong} is taken for {right}")

    def test_derivations_from_the_literature(self):
        papers = sorted((ROOT / "tests" / "latex").glob("*.*"))
        self.assertEqual(len(papers), 7)
        for paper in papers:
            report = json.loads(self.good("check", "--json", paper))
            self.assertGreater(report["verified"] + report["excepted"], 1, paper)
            self.assertEqual(report["failed"], 0, paper)
            self.assertEqual(report["errata"], 3 if "parr" in paper.name else 0, paper)

    SHEET = ("network x: 3 > s = dense(w: 2 outputs) > o = tanh\n(1) do[i]/ds[i]\n(2) do[i]/dw[k,j]\n")

    def test_answers_to_a_sheet_are_graded(self):
        sheet = self.derivation(self.SHEET, "sheet.chalk")
        good = self.derivation("(1) = 1 - o[i]^2\n(2) do[i]/dw[k,j] = delta(i,k)*(1 - o[i]^2)*x[j]\n", "good.chalk")
        slip = self.derivation("(1) do[i]/ds[i] = 1 - o[i]\n(2) d := 1\n = do[i]/dw[k,j]\n", "slip.chalk")
        self.assertEqual(self.good("check", "--grade", sheet, good).splitlines()[1].split()[1:], ["right", "right", "2", "of", "2"])
        result = chalkgrad("check", "--grade", sheet, good, slip, "--json")
        self.assertEqual(result.returncode, 1)
        first, second = json.loads(result.stdout)
        self.assertEqual([step["mark"] for step in first["steps"]], ["right", "right"])
        self.assertEqual([(step["mark"], step["line"]) for step in second["steps"]], [("wrong", 1), ("wrong", 2)])
        self.assertTrue(second["steps"][0]["message"].endswith("true with o[i]^2 in place of o[i]"), second)
        self.assertEqual(second["steps"][1]["message"], "this is what the sheet asks for, and no answer to it")
        csv = chalkgrad("check", "--grade", sheet, good, slip, "--csv").stdout.splitlines()
        self.assertEqual(csv[0], "answer,(1),(2),right,first wrong step")
        self.assertEqual(csv[1], f"{good},right,right,2 of 2,")
        self.assertTrue(csv[2].startswith(f'{slip},wrong,wrong,0 of 2,"(1) line 1: = do[i]/ds[i] = 1 - o[i]: left is'), csv[2])
        table = chalkgrad("check", "--grade", sheet, good, "--markdown").stdout.splitlines()
        self.assertEqual(table[1], "|---|---|---|---|---|")

    def test_what_is_wrong_with_a_sheet_or_an_answer(self):
        sheet, none = self.derivation(self.SHEET, "sheet.chalk"), self.derivation("", "none.chalk")
        self.assertIn("(1) is missing", chalkgrad("check", "--grade", sheet, none).stdout)
        stray = self.derivation("(3) = 1\n", "stray.chalk")
        self.assertIn(f"cannot be read: {stray}: line 1, character 5: the sheet has no step (3)",
                      chalkgrad("check", "--grade", sheet, stray).stdout)
        self.assertEqual(chalkgrad("check", "--grade", sheet, stray, "--csv").stdout.splitlines()[0],
                         "answer,(1),(2),right,first wrong step", "steps are the sheet's, even if no answer can be read")
        self.assertIn("begin each step with its number, as in (1) = 2*x",
                      chalkgrad("check", "--grade", sheet, self.derivation("1 = 1\n", "bare.chalk")).stdout)
        self.refused(1, ["open.chalk", "has no step"], "check", "--grade", self.derivation("a := 1\n", "open.chalk"), none)
        self.refused(1, ["bad.chalk: line 1, character 1", "UTF-8"], "check", "--grade", self.path("bad.chalk", b"\xe9"), none)
        self.refused(2, "--csv", "check", sheet, "--csv")
        self.refused(2, ["--grade", "--notes"], "check", sheet, "--grade", sheet, "--notes", none)

    def test_several_files_and_standard_input(self):
        good, bad = self.derivation(self.TEXT, "good.chalk"), self.derivation(self.FALSE, "bad.chalk")
        result = chalkgrad("check", good, bad)
        self.assertEqual(result.returncode, 1)
        lines = result.stdout.splitlines()
        self.assertEqual(lines[0], str(good))
        self.assertEqual(lines[lines.index(str(bad)) - 1], "")
        self.assertEqual(sum("verified," in line for line in lines), 3)
        self.assertRegex(lines[-1], "^2 files: \\d+ verified, ")
        piped = chalkgrad("check", "-", input=self.TEXT)
        self.assertEqual(piped.returncode, 0, piped.stderr)
        self.assertIn("1 verified, 1 erratum, 2 definitions, 0 failed", piped.stdout)
        piped = chalkgrad("check", "-", input="network")
        self.assertEqual(piped.returncode, 1)
        self.assertIn("standard input: line 1, character 8", piped.stderr)

    ONE_BASED = ("network x: 3 > s = dense(W: 2 outputs, bias b) > y = sigmoid\n"
                 "ds[2]/dW[2,3] = x[3]\ndy[2]/ds[2] = 7*y[2]*(1 - y[2])^3\nds[2]/dx[1] = 99*W[2,1]\ny[0.5] = 0\n")

    def test_indices_count_from_0(self):
        result = chalkgrad("check", "--quiet", self.derivation(self.ONE_BASED))
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stdout.count("FALSE"), 4)
        self.assertIn("there is no s[2], only s[0] and s[1]; indices are whole and count from 0", result.stdout)
        self.assertIn("there is no y[0.5], only y[0] and y[1]", result.stdout)
        self.good("check", self.derivation(self.ONE_BASED.replace("ds[2]/dW[2,3] = x[3]", "ds[1]/dW[1,2] = x[2]")
                                           .split("dy[2]")[0]))

    def test_quiet_hides_no_remark(self):
        file = self.derivation("given v: 3\nv[i] = v[i]\nv[i] - v[i] = 0\n")
        out = self.good("check", "--quiet", file)
        self.assertEqual(out, "line 3   verified    v[i] - v[i] = 0\n" + " " * 21 + "both sides are 0 in every trial\n"
                         "2 verified, 0 errata, 0 definitions, 0 failed\n")
        self.assertIn("% verified; both sides are 0 in every trial\n", self.good("check", "--latex", file))

    def test_a_file_that_cannot_be_read_does_not_keep_the_others_from_being_checked(self):
        good, bad = self.derivation(self.TEXT, "good.chalk"), self.derivation(self.FALSE, "bad.chalk")
        nowhere, empty = self.folder / "nowhere.chalk", self.derivation("network x: 3\n", "open.chalk")
        files = good, nowhere, self.folder, empty, bad
        for options in ([], ["--json"], ["--latex"], ["--quiet"]):
            result = chalkgrad("check", *options, *files)
            self.assertEqual(result.returncode, 1)
            errors = result.stderr.splitlines()
            self.assertEqual(len(errors), 3)
            for error, name in zip(errors, (nowhere, self.folder, empty)):
                self.assertTrue(error.startswith(f"chalkgrad: {name}: "), error)
        result = chalkgrad("check", *files)
        self.assertEqual(sum("verified," in line for line in result.stdout.splitlines()), 3)
        self.assertTrue(result.stdout.endswith(
            "\n5 files: 1 verified, 1 erratum, 2 definitions, 1 failed, 3 not read\n"), result.stdout)
        parts = json.loads(chalkgrad("check", "--json", *files).stdout)
        self.assertEqual([part["file"] for part in parts], [str(file) for file in files])
        self.assertEqual(["error" in part for part in parts], [False, True, True, True, False])
        self.assertIn("cannot be read", parts[1]["error"])
        self.assertEqual(chalkgrad("check", good, nowhere).returncode, 1)
        self.assertEqual(chalkgrad("check", nowhere, good).returncode, 1)
        self.good("check", good, good)

    def test_standard_input_among_files(self):
        good = self.derivation(self.TEXT, "good.chalk")
        result = chalkgrad("check", good, "-", input="1 = 1\n")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("\n-\nline 1   verified    1 = 1\n", result.stdout)
        self.refused(1, "standard input: has no equation", "check", "-", input="")

    def test_true_except_at_a_kink_is_a_verdict_of_its_own(self):
        file = self.derivation("given u\nrelu'(u) = [u >= 0]\nabs'(u) = sign(u)\n")
        for options in ([], ["--quiet"]):
            out = self.good("check", *options, file)
            self.assertIn("line 2   except      relu'(u) = [u >= 0]\n" + " " * 21 + "true, except where u=0: the left side "
                          "has slope 0 on the left and 1 on the right, by convention 0; the right side is 1; that is "
                          "between the slopes\n", out)
            self.assertIn("by convention: abs'(0) = 0; relu'(0) = 0\n"
                          "1 verified, 0 errata, 0 definitions, 0 failed, 1 true except at kinks\n", out)
        report = json.loads(self.good("check", "--json", file))
        self.assertEqual([line["verdict"] for line in report["lines"]], ["except", "verified"])
        self.assertEqual((report["excepted"], report["conventions"]), (1, ["abs'(0) = 0", "relu'(0) = 0"]))
        self.assertIn("% except; true, except where u=0", self.good("check", "--latex", file))
        self.assertIn("% by convention: abs'(0) = 0", self.good("check", "--latex", file))
        self.good("check", ROOT / "tests" / "kinks.chalk")

    def test_exponents_as_elsewhere(self):
        text = "network x: 3 > y = tanh\ndy[i]/dx[i] = 1 - y[i]²\ndy[i]/dx[i] = 1 - y[i]**2\n1·2 = 2\n"
        self.assertIn("line 2   verified    dy[i]/dx[i] = 1 - y[i]^2", self.good("check", self.derivation(text)))

    def test_json_has_all_of_it(self):
        report = json.loads(self.good("check", "--json", self.derivation(self.TEXT)))
        self.assertEqual([report[k] for k in ("verified", "errata", "definitions", "failed")], [1, 1, 2, 0])
        first, *_, erratum = report["lines"]
        self.assertEqual(first, {"line": 5, "verdict": "verified", "formula": "y = sigmoid(z)", "part": "One layer",
                                 "label": "1", "latex": "y = \\sigma\\left(z\\right)", "source": "y = \\sigma(z)"})
        self.assertEqual(erratum["corrected"], "= 2*y[i]*dy[i]/dz[i]")
        self.assertEqual(erratum["message"], "the derivative of y is lost")
        both = chalkgrad("check", "--json", self.derivation(self.TEXT), self.derivation("a = ζ[0]\n", "bad.chalk"))
        self.assertEqual(both.returncode, 1)
        bad = json.loads(both.stdout)[1]["lines"][0]
        self.assertEqual((bad["verdict"], bad["line"], bad["column"]), ("failed", 1, 5))

    def test_latex_is_what_one_would_set(self):
        out = self.good("check", "--latex", self.derivation(self.TEXT))
        self.assertEqual(out.splitlines()[0], "\\[ y = \\sigma\\left(z\\right) \\tag{1} \\]  % verified")
        self.assertIn("% corrected", out)
        self.assertEqual(out.count("\\["), out.count("\\]"))
        self.assertEqual(out.count("\\left"), out.count("\\right"))

    def test_long_lines_stay_whole_where_there_is_no_terminal(self):
        text = "given a\n" + " + ".join(["a"] * 200) + " = 200*a\n"
        self.assertIn(" + ".join(["a"] * 200) + " = 200*a", self.good("check", self.derivation(text)))

    def test_long_lines_are_cut_between_characters_on_a_terminal(self):
        file = self.derivation('"' + "é" * 200 + '"\n"' + "ü" * (60 - 21 - 2) + '"\n')
        main, terminal = pty.openpty()
        with open(main, "rb", buffering=0) as screen:
            with open(terminal, "wb", buffering=0) as out:
                fcntl.ioctl(out, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 60, 0, 0))
                code = chalkgrad("check", file, stdout=out, env={"NO_COLOR": "1"}).returncode
            shown = screen.read(4096).decode().splitlines()
        self.assertEqual(code, 0)
        self.assertEqual(shown[0], 'line 1   definition  "' + "é" * (60 - 21 - 2) + "…")
        self.assertEqual(shown[1], 'line 2   definition  "' + "ü" * (60 - 21 - 2) + '"')

    def test_the_seed_decides_the_numbers(self):
        file = self.derivation(self.FALSE)
        outs = [chalkgrad("check", file, "--seed", seed).stdout for seed in (1, 1, 2)]
        self.assertEqual(outs[0], outs[1])
        self.assertNotEqual(outs[0], outs[2])


if __name__ == "__main__":
    main()
