// derive.h, check.h: derivations that are written, and such that are judged.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/vector.h>

#include "chalkgrad/check.h"
#include "chalkgrad/derive.h"
#include "chalkgrad/train.h"
#include "python/src/common.h"
#include "python/src/options.h"

namespace chalk::python {
namespace {

Derivation of_network(SharedNetwork& net, const std::string& loss, const std::string& optimizer, bool brief,
                      const std::string& notation, std::uint64_t seed, int trials) {
  DeriveOptions options{.brief = brief, .notation = notation, .seed = seed, .trials = trials};
  if (!optimizer.empty()) options.optimizer = Optimizer::named(optimizer);
  const AtWork work(net.mutex);
  const auto what = loss.empty() ? natural_loss(net) : loss_named(loss);
  return derive(net, what, options);
}

/// A report, and the text that it is about.
struct Judged : CheckReport {
  std::string source;
};

Judged judge(const std::string& text, const std::string& origin, bool latex, std::uint64_t seed, int trials,
             bool offer) {
  const CheckOptions options{.seed = seed, .trials = trials, .offer = offer};
  const nb::gil_scoped_release release;
  return {latex ? check_latex(text, origin, options) : check_derivation(text, origin, options), text};
}

}  // namespace

void bind_derivations(nb::module_& m) {
  nb::class_<Derivation>(m, "Derivation",
                         "The derivation of a network's gradients, each equation of which was verified.\n\n"
                         ">>> derivation = chalkgrad.derive(chalkgrad.Network('2n-sigmoid', (3,)), 'squared-error')\n"
                         ">>> bool(chalkgrad.check(derivation.check()))\nTrue\n")
      .def_ro("title", &Derivation::title, "What it is of.")
      .def_ro("equations", &Derivation::equations, "How many were verified.")
      .def("text", &to_text,
           "For a terminal: equations with their rules.\n\n"
           ">>> derivation = chalkgrad.derive(chalkgrad.Network('2n-sigmoid', (3,)), 'squared-error')\n"
           ">>> 'dense1' in derivation.text()\nTrue\n")
      .def("latex", &to_latex,
           "A document that pdflatex compiles as it is.\n\n"
           ">>> derivation = chalkgrad.derive(chalkgrad.Network('2n-sigmoid', (3,)), 'squared-error')\n"
           ">>> derivation.latex().startswith('\\\\documentclass')\nTrue\n")
      .def("html", &to_html,
           "A page in one file: MathML, without script.\n\n"
           ">>> derivation = chalkgrad.derive(chalkgrad.Network('2n-sigmoid', (3,)), 'squared-error')\n"
           ">>> '<math' in derivation.html(), '<script' in derivation.html()\n(True, False)\n")
      .def("check", &to_check,
           "In the language of check(), which verifies all of it.\n\n"
           ">>> derivation = chalkgrad.derive(chalkgrad.Network('2n-sigmoid', (3,)), 'squared-error')\n"
           ">>> chalkgrad.check(derivation.check()).failed\n0\n")
      .def("json", &to_json,
           "Sections, chains and steps as data.\n\n"
           ">>> import json\n"
           ">>> derivation = chalkgrad.derive(chalkgrad.Network('2n-sigmoid', (3,)), 'squared-error')\n"
           ">>> json.loads(derivation.json())['equations'] == derivation.equations\nTrue\n")
      .def("__str__", &to_text)
      .def("__repr__", [](const Derivation& d) {
        return "<chalkgrad.Derivation '" + d.title + "': " + std::to_string(d.equations) + " equations verified>";
      });
  m.def(
      "derive", &of_network, "network"_a, "loss"_a = "", nb::kw_only(), "optimizer"_a = "", "brief"_a = false,
      "notation"_a = "chalkgrad", "seed"_a = 1, "trials"_a = 1,
      "Derives the gradients of the loss by all parameters and by the input: a Derivation, which a notebook shows.\n\n"
      "loss: its name; without, the one it was trained with, or cross-entropy of a vector. optimizer: whose update is "
      "written, too. brief: of each chain the first and the last formula. notation: whose letters, 'chalkgrad', "
      "'nielsen', 'bishop', ….\n\n"
      "Raises ShapeError or InputError if the loss does not fit, Error naming an equation that is not true of the "
      "network: then nothing is derived.\n\n"
      ">>> net = chalkgrad.Network('2n-sigmoid', (3,))\n"
      ">>> 'dense1' in chalkgrad.derive(net, 'squared-error').text()\nTrue\n");
  nb::class_<CheckedLine>(m, "CheckedLine",
                          "One line of a derivation, judged.\n\n"
                          ">>> report = chalkgrad.check('network x: 2 > y = relu\\ny[i] = max(0, x[i])')\n"
                          ">>> report.lines[-1].line, report.lines[-1].verdict\n(2, 'verified')\n")
      .def_ro("line", &CheckedLine::line, "Its number in the text, from 1.")
      .def_ro("column", &CheckedLine::column, "Where an error points to, in characters from 1; 0: nowhere.")
      .def_ro("label", &CheckedLine::label, "Its number, '10'; may be empty.")
      .def_prop_ro(
          "verdict", [](const CheckedLine& l) { return name_of(l.verdict); },
          "'verified', 'definition', 'erratum', 'except' (at a kink, by convention only) or 'failed'.")
      .def_ro("text", &CheckedLine::text, "The formula.")
      .def_ro("latex", &CheckedLine::latex, "And in LaTeX.")
      .def_ro("mathml", &CheckedLine::mathml, "And in MathML, for a <math> element.")
      .def_ro("message", &CheckedLine::message, "Why it is false, and what to do; or a remark.")
      .def_ro("offer", &CheckedLine::offer, "The single edit that makes it true, if one is found.")
      .def_ro("residual", &CheckedLine::residual,
              "The largest difference of its sides, by the largest number that came up.");
  nb::class_<Judged>(
      m, "CheckReport",
      "A derivation, judged line by line: true if no line is false. A notebook shows it, with what is wrong "
      "marked in its place.\n\n"
      ">>> report = chalkgrad.check('network x: 2 > y = sigmoid\\ndy[i]/dx[j] = delta(i,j)*y[i]')\n"
      ">>> bool(report), report.failed\n(False, 1)\n")
      .def_ro("source", &Judged::source, "The text that was judged.")
      .def_ro("lines", &CheckReport::lines, "A CheckedLine each.")
      .def_ro("verified", &CheckReport::verified, "How many are.")
      .def_ro("failed", &CheckReport::failed, "How many are false.")
      .def_ro("definitions", &CheckReport::definitions, "How many name something.")
      .def_ro("errata", &CheckReport::errata, "How many are declared false as printed, and are.")
      .def_ro("excepted", &CheckReport::excepted, "How many are true but at kinks.")
      .def("__bool__", [](const Judged& r) { return r.failed == 0; });
  m.def("check", &judge, "text"_a, "origin"_a = "derivation", nb::kw_only(), "latex"_a = false, "seed"_a = 1,
        "trials"_a = 3, "offer"_a = true,
        "Judges each line of a derivation, in the language of docs/check.md or, if `latex`, as a document in LaTeX: a "
        "CheckReport, which is true if no line is false, and which a notebook shows.\n\n"
        "offer: looks for the single edit that makes a false line true.\n\n"
        "Raises InputError, with line and column, if a network or a definition cannot be read.\n\n"
        ">>> text = 'network x: 3 > y = dense(W: 2 outputs, bias b)\\ny[i] = sum(j, W[i,j]*x[j]) + b[i]'\n"
        ">>> chalkgrad.check(text).verified\n1\n");
}

}  // namespace chalk::python
