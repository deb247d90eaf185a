// One level down: a graph, its derivative, which is more graph, and a program that runs both.
#include <chalkgrad/chalkgrad.h>

#include <cmath>
#include <cstdio>
#include <vector>

using namespace chalk;

int main() {
  Graph g;
  const Value x = g.input("x", {1, 6, 6});
  const Value t = g.input("t", {2, 4, 4});
  const Value w = g.parameter("W", {2, 1, 3, 3}, Init::he(9));
  const Value z = conv2d(x, w);
  g.name(z, "z");
  const Value error = tanh(z) - t;
  const Value loss = batch_mean(sum(error * error));
  g.name(loss, "loss");

  const Value dw = gradients(loss, {{w}})[0];  // the chain rule: it only adds to the graph
  g.name(dw, "dW");
  g.output("loss", loss);
  g.output("dW", dw);
  g.update(w, w - g.constant(0.01) * dw);  // one step of gradient descent at each run
  std::printf("%s\n", g.print().c_str());

  Variables variables(g, /*seed=*/1);
  Program program(g, variables);
  std::vector<float> images(20 * 36), targets(20 * 32);
  for (std::size_t i = 0; i < images.size(); ++i) images[i] = std::sin(static_cast<float>(i));
  for (std::size_t i = 0; i < targets.size(); ++i) targets[i] = i % 32 < 16 ? 0.5F : -0.5F;
  Feed feed;
  feed.values = images.data();
  program.feed("x", feed);
  feed.values = targets.data();
  program.feed("t", feed);

  float first = 0, last = 0;
  for (int step = 0; step < 20; ++step) {
    program.run(20);
    last = program.output("loss")[0];
    if (step == 0) first = last;
    if (step % 5 == 0)
      std::printf("step %2d: loss %.4f, first of dW %+.4f\n", step, static_cast<double>(last),
                  static_cast<double>(program.output("dW")[0]));
  }
  std::printf("after 20 steps the loss is %.4f\n", static_cast<double>(last));
  return last < first ? 0 : 1;
}
