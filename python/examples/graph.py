"""Fits a line by hand: a graph, its gradients, and a program that updates the parameters."""

import numpy

import chalkgrad as cg


def main() -> None:
    g = cg.Graph()
    x, t, rate = g.input("x", (1,)), g.input("t", (1,)), g.shared_input("rate")
    a, b = g.parameter("a", (1,)), g.parameter("b", (1,))
    loss = cg.batch_mean(cg.sum((a * x + b - t) * (a * x + b - t)))
    for parameter, gradient in zip((a, b), cg.gradients(loss, [a, b])):
        g.update(parameter, parameter - rate * gradient)
    g.output("loss", loss)

    variables = cg.Variables(g)
    program = cg.Program(g, variables, threads=1)
    samples = numpy.linspace(-1, 1, 100, dtype=numpy.float32)[:, None]
    losses = [float(program.run({"x": samples, "t": 3 * samples + 2, "rate": 0.1})["loss"]) for _ in range(200)]
    print(f"t = {variables['a'][0]:.3f} x + {variables['b'][0]:.3f}, loss {losses[-1]:.1e}")


if __name__ == "__main__":
    main()
