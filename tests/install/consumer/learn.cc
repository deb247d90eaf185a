#include "learn.h"

#include <chalkgrad/chalkgrad.h>

#include <iostream>

int learn() {
  const auto digits = chalk::digits();
  auto network = chalk::network("8c3-relu-mp2-10n", digits.train.sample);
  chalk::train(network, digits.train, {.epochs = 3});
  const auto accuracy = chalk::evaluate(network, digits.test).accuracy;
  std::cout << "chalkgrad learned " << chalk::to_string(network.input_shape()) << " digits: " << accuracy
            << " of them right\n";
  return accuracy > 0.8 ? 0 : 1;
}
