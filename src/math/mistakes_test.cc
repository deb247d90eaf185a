// What is wrong with a statement, and where: every error with its place.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "src/base/text.h"
#include "src/layers/registry.h"
#include "src/math/test_support.h"

#define NET "network x: 3 > z = dense(W: 2 outputs, bias b) > y = sigmoid\n"

namespace chalk::math {
namespace {

using testing::MatchesRegex;

struct Mistake {
  const char* text;
  const char* complaint;
};

class Mistakes : public testing::TestWithParam<Mistake> {};

const auto kLastLine = [](const auto& each) {
  const std::string_view text = each.param.text;
  return spoken(text.substr(text.rfind('\n') + 1), each.index);
};

TEST_P(Mistakes, AreNamedWithTheirPlace) {
  EXPECT_EQ(complaint(GetParam().text), GetParam().complaint) << GetParam().text;
}

TEST(UnknownLayers, AreAnsweredWithThoseThatThereAre) {
  EXPECT_THAT(
      complaint("network δx: 3 > y = lstm"),
      MatchesRegex("1:21 \"lstm\" is not a layer; there are conv, dense, maxpool, avgpool, gap, batch_norm, bias, "
                   "residual, dropout, softmax, relu, .*tanh, linear, loss and families of functions"));
  EXPECT_EQ(complaint("functions f = exp, ln\nnetwork x: 2 > y = f"),
            "2:20 exp is not an activation; use " + activation_names("or"));
}

INSTANTIATE_TEST_SUITE_P(
    InOperations, Mistakes,
    testing::Values(
        Mistake{"network x: 3 > y = add(x, z)", "1:27 \"z\" is not a value of the network yet; did you mean \"x\"?"},
        Mistake{"network x: 3 > y = add(x)", "1:20 add takes 2 values, not 1"},
        Mistake{"network x: 3 > y = neg(tang(x))", "1:24 \"tang\" is not an operation; did you mean \"tanh\"?"},
        Mistake{"network x: 3 > y = neg(frobnicate(x))",
                "1:24 \"frobnicate\" is not an operation; docs/reference/operations lists them"},
        Mistake{"network x: 3 > y = sum(x, axis=0)", "1:27 sum has no \"axis\"; it has axes, keep"},
        Mistake{"network x: 3 > y = neg(x, keep=true)", "1:27 neg has no \"keep\""},
        Mistake{"network x: 3 > y = sum(x, keep=1)", "1:32 true or false expected"},
        Mistake{"network x: 3 > y = sum(x, axes=0)", "1:32 \"[\" and a list of numbers expected, not \"0\""},
        Mistake{"network x: 3 > y = sum(x, axes=[0)", "1:34 \",\" or \"]\" expected, not \")\""},
        Mistake{"network x: 3 > y = neg()", "1:24 a value, a number or an operation expected"},
        Mistake{"network x: 3 > y = neg(x", "1:25 \",\" or \")\" expected, not the end"},
        Mistake{"network x: 3 > W: > y = neg(x)", "1:19 a shape, input, noise or shared expected, as in W: 3x4"},
        Mistake{"network x: 3 > y = add(x, slice(x, start=[1], stop=[3]))",
                "1:20 layer1: 3 and 2 do not fit together (3 against 2); make the extents equal, or 1 to broadcast "
                "(from x)"},
        Mistake{"network x: 3 > z = dense(W: 2 outputs, inputs first) > y = dense(x, W)",
                "1:69 W has its inputs first; declare it as a parameter of its own"}));

INSTANTIATE_TEST_SUITE_P(
    InNetworks, Mistakes,
    testing::Values(
        Mistake{"network", "1:8 the name of the input expected, not the end"},
        Mistake{"network x", "1:10 \":\" and the shape of the input, as in x: 1x8x8, expected, not the end"},
        Mistake{"network x: y", "1:12 a shape such as 1x8x8 expected, a whole number, not \"y\""},
        Mistake{"network x: 0 > y = tanh", "1:12 extents are from 1 to 1048576, not 0"},
        Mistake{"network x: 2000000 > y = tanh", "1:12 extents are from 1 to 1048576, not 2000000"},
        Mistake{"network x: 4096x4096 > y = tanh", "1:12 this shape is too large to check formulas on"},
        Mistake{"network x: 3", "1:13 a layer expected after the input: > z = dense(W: 3 outputs, bias b)"},
        Mistake{"network x: 3 y = tanh", "1:14 \">\" and the next layer expected, not \"y\""},
        Mistake{"network x: 3\n > y = tanj", "2:8 \"tanj\" is not a layer; did you mean \"tanh\"?"},
        Mistake{"network x: 3 > y = dense", "1:25 \"(\" and the name of the weights expected, not the end"},
        Mistake{"network x: 3 > y = dense(W)",
                "1:27 \":\" and what these are, as in W: 3 outputs or W: 2 filters 3x3, expected, not \")\""},
        Mistake{"network x: 3 > y = dense(W: 3)", "1:30 \"outputs\" expected, as in W: 3 outputs"},
        Mistake{"network x: 3 > y = dense(W: 0 outputs)", "1:29 numbers here are from 1 to 4096, not 0"},
        Mistake{"network x: 3 > y = dense(W: 3 outputs, flipped)",
                "1:40 \"inputs first\", bias b or subtracted bias b expected"},
        Mistake{"network x: 3 > y = dense(W: 3 outputs", "1:38 \",\" or \")\" expected, not the end"},
        Mistake{"network x: 3 > y = dense(W: 3 outputs, bias b, bias c)", "1:48 a second bias; a layer has one"},
        Mistake{"network x: 3x3 > y = conv(W: 2, 3x3)", "1:31 \"filters\" expected, as in W: 4 filters 3x3"},
        Mistake{"network x: 3x3 > y = conv(W: 2 filters 1x3x3)", "1:40 a kernel is written 3x3"},
        Mistake{"network x: 3x3 > y = conv(W: 2 filters 2x2, same)",
                "1:45 \"same\" needs a kernel of odd size; use padding N"},
        Mistake{"network x: 3x3 > y = conv(W: 2 filters 2x2, bias)", "1:49 the name of the bias expected, not \")\""},
        Mistake{
            "network x: 3x3 > y = conv(W: 2 filters 2x2, valid)",
            "1:45 flipped, full, same, padding 1, stride 2, dilation 2, groups 2, bias b or untied bias b expected"},
        Mistake{"network x: 3x3 > y = maxpool(2, ceil 1)",
                "1:33 \"stride\" or \"padding\" expected, as in maxpool(3, stride 2)"},
        Mistake{"network x: 3 > y = batch_norm(scale g)",
                "1:30 batch_norm needs several samples; write samples 4 above the network"},
        Mistake{"samples 2\nnetwork x: 3 > y = batch_norm(g)", "2:31 scale g, shift b or epsilon 0.001 expected"},
        Mistake{"network x: 3 > y = residual q", "1:29 \"q\" is not a value of this network; did you mean \"x\"?"},
        Mistake{"network x: 3 > y = dropout(m: 0.5)", "1:31 the rate expected, as in dropout(m: rate 0.5)"},
        Mistake{"network x: 3 > y = dropout(m: rate 1)", "1:36 a rate is at least 0 and below 1"},
        Mistake{"network x: 3 > x = tanh", "1:16 \"x\" has a meaning already; use another name"},
        Mistake{"network sum: 3 > y = tanh", "1:9 \"sum\" is a word of the language; use another name"},
        Mistake{"network x: 3 > y = tanh; network u: 3 > v = tanh",
                "1:26 a second network; begin it with a line \"part NAME\""},
        Mistake{
            "network x: 4096 > y = dense(W: 4096 outputs) > z = dense(V: 4096 outputs) > w = dense(U: 4096 outputs) > "
            "v = dense(T: 4096 outputs) > u = tanh > r = dense(R: 4096 outputs)",
            "1:116 this layer is too large to check formulas on; use smaller shapes"}),
    kLastLine);

INSTANTIATE_TEST_SUITE_P(
    InDeclarations, Mistakes,
    testing::Values(
        Mistake{"samples", "1:8 the number of samples expected, a whole number, not the end"},
        Mistake{"samples 1", "1:9 from 2 to 256 samples; without this line there is one"},
        Mistake{"samples 2.5", "1:9 the number of samples expected, a whole number, not \"2.5\""},
        Mistake{NET "samples 2", "2:9 the number of samples must be said first, before the network"},
        Mistake{"given 3", "1:7 a name expected after given"},
        Mistake{"given a, a", "1:10 \"a\" has a meaning already; use another name"},
        Mistake{"given exp", "1:7 \"exp\" is a word of the language; use another name"},
        Mistake{"given part", "1:7 \"part\" is a word of the language; use another name"},
        Mistake{"given a in 1..0", "1:9 the range is empty; write in 0..1"},
        Mistake{"given a in 0..1.5 whole", "1:9 whole numbers begin and end with one; write in 0..2 whole"},
        Mistake{"given a in 1", "1:13 \"..\" expected, not the end"},
        Mistake{"given a in b..c", "1:12 a number expected, not \"b\""},
        Mistake{"given v: 3 small", "1:12 only a number can be small, not a vector"},
        Mistake{"given t distribution", "1:9 this needs a shape: given t: 4 distribution"},
        Mistake{"given t one-hot", "1:9 this needs a shape: given t: 4 one-hot"},
        Mistake{"given a 3", "1:9 \"3\" was not expected here; a statement ends with its line, or with ;"},
        Mistake{"given v: 3x", "1:11 \"x\" was not expected here; a statement ends with its line, or with ;"},
        Mistake{"given v: 3x4xx2", "1:11 a shape is written 1x8x8"},
        Mistake{NET "W1 in 0..1", "2:1 \"W1\" is not a value that is known here; did you mean \"W\"?"},
        Mistake{NET "W, y in 0..1",
                "2:4 y follows from other values; only inputs, parameters and given values can be chosen"},
        Mistake{"functions f sigmoid", "1:13 \"=\" expected, not \"sigmoid\""},
        Mistake{
            "functions f = sigmoid, gauss",
            "1:24 \"gauss\" is not a function; there are exp, ln, sqrt, tanh, sigmoid, relu, step, linear, abs, sign, "
            "floor, sin, cos, erf"},
        Mistake{"3 := 4", "1:1 a name expected before :="},
        Mistake{"given a; a := 4", "1:10 \"a\" has a meaning already; use another name"},
        Mistake{"max := 4", "1:1 \"max\" has a meaning already; use another name"},
        Mistake{"f(x, y) := x", "1:4 \")\"; a function has one parameter expected, not \",\""},
        Mistake{"f(x) = 3 := x", "1:6 \":=\" expected, not \"=\""},
        Mistake{"given v: 3\nf(x) := x*v[i]", "2:1 a function's value must be one number, with no index left open"},
        Mistake{"given v: 3\nf(x) := x*v", "2:1 the value of f(…) must be one number, not a vector of 3"},
        Mistake{"f(x) := f(x - 1)",
                "1:9 \"f\" is not a function; there are exp, ln, sqrt, tanh, sigmoid, relu, step, linear, "
                "abs, sign, floor, sin, cos, erf, softmax, and those defined with :="},
        Mistake{"given v: 3\nu[i,i] := v[i]", "2:5 \"i\" stands here twice"},
        Mistake{"given v: 3\nu[j] := v[i]",
                "2:3 it is not known from where to where \"j\" runs, as no value has it as its "
                "index; write sum(j=0..3, …), or \"for j=0..3\" after the equation"},
        Mistake{"given v: 3\nu := v[i]", "2:8 the index i does not stand on the left side of :="},
        Mistake{"given v: 3\nu[i] := v",
                "2:1 the right side is a vector or matrix; give its indices, or leave out those on "
                "the left"},
        Mistake{"given v: 3\nu[i] := v[i] for i=1..2", "2:3 an index on the left side of := must begin at 0"},
        Mistake{"u[i,j] := i*j for i=0..4095, j=0..4095", "1:1 this value has too many elements; use smaller shapes"},
        Mistake{"u[i] := i for i=0..1048576", "1:15 a range is written i=0..3 and has at most 1048576 values"},
        Mistake{"u[i] := i for i=3..0", "1:15 a range is written i=0..3 and has at most 1048576 values"},
        Mistake{"u[i] := i for i", "1:16 \"=\" and the range of the index expected, not the end"},
        Mistake{"\"words\" 3", "1:9 \"3\" was not expected here; a statement ends with its line, or with ;"},
        Mistake{"erratum no", "1:1 an erratum follows the equation that is wrong"},
        Mistake{"given a; f := a\nerratum no", "2:1 an erratum follows the equation that is wrong"},
        Mistake{"1 = 2\nerratum", "2:1 say what is wrong: erratum the sign is lost"},
        Mistake{"corrected 1 = 1", "1:1 a correction follows a line \"erratum …\""},
        Mistake{"1 = 1\ncorrected 1 = 1", "2:1 a correction follows a line \"erratum …\""}),
    kLastLine);

INSTANTIATE_TEST_SUITE_P(
    InEquations, Mistakes,
    testing::Values(
        Mistake{NET "δ = 3", "2:1 \"delta\" is a function; give it an argument: delta(…)"},
        Mistake{NET "y[i] = αβ + z[j", "2:16 \",\" or \"]\" after an index expected, not the end"},
        Mistake{NET "y[i] =\n  αβ*ζ[i]", "3:6 \"zeta\" is not a value that is known here; declare it above"},
        Mistake{NET "y[i] = z[i] z", "2:13 an operator is missing between \"z\" and \"z\"; write *"},
        Mistake{NET "(y[i] = z[i]", "2:7 \")\" to close the one at character 1 expected, not \"=\""},
        Mistake{NET "y[i,j] = 0", "2:1 y is 2 and takes 1 index, not 2"},
        Mistake{NET "W[n] = 0", "2:1 W is 2×3 and takes 2 indices, not 1; its row is W[n,:]"},
        Mistake{NET "W[0] = 0", "2:1 W is 2×3 and takes 2 indices, not 1"},
        Mistake{"given a\na[0] = 0", "2:1 a is a number and takes no index"},
        Mistake{NET "W[i,i] = 0",
                "2:5 the index i runs from 0 to 2 here, but from 0 to 1 at character 3; use another index, or "
                "give its range"},
        Mistake{NET "sum(i, 3) = 3",
                "2:5 it is not known from where to where \"i\" runs, as no value has it as its index; "
                "write sum(i=0..3, …), or \"for i=0..3\" after the equation"},
        Mistake{NET "y[i] = 2*weigth",
                "2:10 it is not known from where to where \"weigth\" runs, as no value has it as its "
                "index; write sum(weigth=0..3, …), or \"for weigth=0..3\" after the equation"},
        Mistake{NET "y*z = 0",
                "2:2 \"*\" of a vector of 2 and a vector of 2 could mean two things; write @ for the matrix "
                "product, .* for element by element"},
        Mistake{NET "y/z = 1", "2:2 \"/\" of a vector of 2 and a vector of 2; write ./ for element by element"},
        Mistake{NET "x + y = 0", "2:3 the shapes differ: a vector of 3 and a vector of 2"},
        Mistake{NET "x = y", "2:5 the shapes differ: a vector of 3 and a vector of 2"},
        Mistake{NET "W = 0", "2:5 the shapes differ: 2×3 and a number; write the indices, as in v[i] = 0"},
        Mistake{NET "x @ W = x", "2:3 a vector of 3 @ 2×3: the inner extents 3 and 2 differ; is a ^T missing?"},
        Mistake{NET "2^x = 1", "2:3 an exponent must be a number, not a vector of 3; give its indices"},
        Mistake{NET "diag(W) = 1", "2:1 diag takes a vector, not 2×3"},
        Mistake{NET "sum(W, axis=2) = 1", "2:1 axis 2 is not there; this is 2×3"},
        Mistake{NET "sum(W, axis=-3) = 1", "2:1 axis -3 is not there; this is 2×3"},
        Mistake{NET "softmax(x[i]) = 1",
                "2:1 softmax takes a vector, not a number; write softmax(s)[i], not softmax(s[i])"},
        Mistake{NET "softmax'(x) = 1", "2:1 softmax has no single derivative; write d(softmax(s)[i])/ds[j]"},
        Mistake{NET "(x + x)[i+1] = 1",
                "2:10 a plain index is needed here; name the expression with := to take it apart further"},
        Mistake{NET "(x + x)[3] = 1",
                "2:9 there is no (x + x)[3], only (x + x)[0] to (x + x)[2]; indices are whole and count from 0"},
        Mistake{NET "(x + x)[-1] = 1",
                "2:9 there is no (x + x)[-1], only (x + x)[0] to (x + x)[2]; indices are whole and count from 0"},
        Mistake{NET "(x + x)[i,j] = 1", "2:4 this is a vector of 3 and takes 1 index, not 2"},
        Mistake{NET "(x @ x^T)[:,0] = x",
                "2:11 a whole axis (:) stands among the indices of a value only; name this with := first"},
        Mistake{NET "sum(ones(0)) = 1", "2:10 ones(…) takes the number of ones, a whole number"},
        Mistake{NET "sum(ones(2.5)) = 1", "2:10 ones(…) takes the number of ones, a whole number"},
        Mistake{NET "tanh = 1", "2:1 \"tanh\" is a function; give it an argument: tanh(…)"},
        Mistake{NET "at(z, y := 2) = z",
                "2:7 \"y\" follows from other values and cannot be changed itself; change an input, a "
                "parameter or a given value"},
        Mistake{NET "at(z, x[0] := 2) = z", "2:9 a plain index expected: at(L, w[i,j] := …)"},
        Mistake{NET "at(z, x[:] := x) = z", "2:9 a plain index expected: at(L, w[i,j] := …)"},
        Mistake{NET "d(d(dy[0]/dx[0])/dx[1])/dx[2] = 0",
                "2:5 third derivatives of values are not known; derive a formula instead"},
        Mistake{NET "d(at(y[0], x := 2*x))/dx[1] = 0",
                "2:3 the derivative of at(…) is not known; derive before values change"},
        Mistake{NET "d(max(i, i*x[0]))/dx[0] = 1", "2:7 to derive this, the range of i must stand here: i=0..3"},
        Mistake{"functions f = sin, cos\ngiven v: 3\nf(v) = v",
                "3:1 f has 2 functions and takes a vector of as many, not a "
                "vector of 3; write f[j](…) for one of them"},
        Mistake{"given T, a\na^T = 1",
                "2:2 ^T is the transpose, which a number has no need of; write ^(T) for a power"},
        Mistake{"given A: 2x2x2\nA^T = A", "2:2 ^T takes a vector or a matrix, not 2×2×2"},
        Mistake{"1 = 1 for", "1:10 an index expected, not the end"},
        Mistake{"1 == 1 = ", "1:9 a value, number or \"(\" expected, not the end"},
        Mistake{"1 < 2", "1:3 \"<\" was not expected here; a statement ends with its line, or with ;"},
        Mistake{"x' = 3",
                "1:1 \"x'\" is neither a value nor a function's derivative; write x'(…), or define it with :="}),
    kLastLine);

#define LOSS "network x: 3 > y = tanh > L = "
#define TRAINED "network x: 3 > y = dense(W: 2 outputs, bias b) > L = loss(t: squared-error)\n"

INSTANTIATE_TEST_SUITE_P(
    InLossesAndOptimizers, Mistakes,
    testing::Values(
        Mistake{LOSS "loss",
                "1:35 \"(\" and the name of the target, as in loss(t: squared-error), expected, not the end"},
        Mistake{LOSS "loss(t)", "1:37 \":\" and the name of a loss, as in loss(t: squared-error), expected, not \")\""},
        Mistake{LOSS "loss(t: hubber)", "1:39 \"hubber\" is not a loss; did you mean \"huber\"?"},
        Mistake{LOSS "loss(t: squared-eror)", "1:39 \"squared-eror\" is not a loss; did you mean \"squared-error\"?"},
        Mistake{LOSS "loss(t: huber, gamma=2)", "1:46 huber has no \"gamma\"; it has delta"},
        Mistake{LOSS "loss(t: huber, delta=0)", "1:39 delta is 0; it must be a number above 0"},
        Mistake{LOSS "loss(t: huber, 2)", "1:46 an option of the loss, as in delta=2, or mean expected"},
        Mistake{LOSS "loss(x: huber)", "1:27 the graph has a value named \"x\" already; names must be different"},
        Mistake{LOSS "loss(t: huber) > loss(u: huber)", "1:52 a second loss; a network has one"},
        Mistake{LOSS "loss(t: cross-entropy, class_weights=[1,2])",
                "1:31 cross_entropy: 2 class weights do not fit 3 classes; give one for each"},
        Mistake{TRAINED "optimizer sdg(rate eta) of W", "2:11 optimizer \"sdg\" is not known; did you mean \"sgd\"?"},
        Mistake{TRAINED "optimizer sgd(rate eta)",
                "2:24 \"of\" and a parameter expected, as in optimizer sgd(rate eta) of W"},
        Mistake{TRAINED "optimizer sgd(rate eta) of x", "2:28 \"x\" is not a parameter of the network"},
        Mistake{TRAINED "optimizer sgd(rate eta) of Ww",
                "2:28 \"Ww\" is not a parameter of the network; did you mean \"W\"?"},
        Mistake{TRAINED "optimizer sgd(mean m) of W", "2:15 sgd keeps no \"mean\"; it keeps momentum"},
        Mistake{TRAINED "optimizer sgd(momentum=0, mean m) of W", "2:27 sgd keeps no \"mean\"; it keeps nothing"},
        Mistake{TRAINED "optimizer sgd(step 0) of W", "2:15 steps count from 1 to 1,000,000, not 0"},
        Mistake{TRAINED "optimizer sgd(momentum=1) of W", "2:11 momentum is 1; it must be at least 0 and below 1"},
        Mistake{TRAINED "optimizer sgd(momentum=0, nesterov=true) of W", "2:11 nesterov needs a momentum above 0"},
        Mistake{TRAINED "optimizer sgd(beta=1) of W",
                "2:15 sgd has no \"beta\"; it has lr, momentum, dampening, nesterov, weight_decay"},
        Mistake{TRAINED "optimizer sgd(momentum 0) of W", "2:24 the name of the momentum expected, not \"0\""},
        Mistake{TRAINED "optimizer sgd(rate y) of W", "2:20 \"y\" has a meaning already; use another name"},
        Mistake{TRAINED "optimizer sgd(rate a) of W\noptimizer sgd(rate a) of W",
                "3:26 W' has a meaning already; a parameter takes one step"},
        Mistake{
            TRAINED "optimizer sgd(step 2) of W\noptimizer sgd(step 3) of b",
            "3:11 another optimizer; all parameters of a network have the same, with the same options, rate and step"},
        Mistake{"network x: 3 > y = dense(W: 2 outputs)\noptimizer sgd(rate eta) of W",
                "2:28 the network has no loss; end it with one: > L = loss(t: squared-error)"}),
    kLastLine);

}  // namespace
}  // namespace chalk::math
