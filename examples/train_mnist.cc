// Learns MNIST, or a part of it so that this takes seconds: train_mnist FOLDER, or CHALKGRAD_MNIST=FOLDER.
#include <chalkgrad/chalkgrad.h>

#include <cstdio>
#include <cstdlib>

int main(int argc, char** argv) {
  const char* folder = argc > 1 ? argv[1] : std::getenv("CHALKGRAD_MNIST");
  if (!folder) {
    std::puts("skipped: give the folder of MNIST's four files, or set CHALKGRAD_MNIST");
    return 77;
  }
  try {
    auto digits = chalk::mnist(folder);
    auto& data = digits.train;
    const std::size_t kSamples = 6000;  // of 60,000
    if (data.size() > kSamples) {
      data.labels.resize(kSamples);
      data.bytes.resize(kSamples * static_cast<std::size_t>(chalk::elements(data.sample)));
    }

    auto net = chalk::network("20c5-relu-mp2-40c5-relu-mp2-100n-relu-10n", data.sample);
    chalk::TrainOptions options;
    options.epochs = 2;
    options.optimizer = chalk::sgd({.lr = 0.04, .momentum = 0.9});
    options.schedule = chalk::Schedule::parse("one-cycle");
    options.on_epoch = [](const chalk::Progress& now) {
      std::printf("epoch %d: loss %.4f, %.2f %% right while learning\n", static_cast<int>(now.epoch) + 1, now.mean_loss,
                  100 * now.accuracy);
    };
    chalk::train(net, data, options);

    const auto result = chalk::evaluate(net, digits.test);
    std::printf("%.2f %% of %d test images are right\n", 100 * result.accuracy, static_cast<int>(result.samples));
    net.save("mnist.safetensors");
    return result.accuracy > 0.9 ? 0 : 1;
  } catch (const chalk::Error& e) {
    std::fprintf(stderr, "train_mnist: %s\n", e.what());
    return 1;
  }
}
