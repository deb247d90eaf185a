"""Trains on the built-in digits, saves the network, and predicts with the file."""

import numpy

import chalkgrad


def tell(now: chalkgrad.Progress) -> None:
    print(f"epoch {now.epoch + 1}: loss {now.mean_loss:.4f}, {100 * (now.validation_accuracy or 0):.1f} % of the validation samples")


def main() -> None:
    data = chalkgrad.digits()
    parts = chalkgrad.hold_out(data.train, "0.1,stratified")
    net = chalkgrad.Network("16c3z-relu-mp2-32c3z-relu-mp2-64n-relu-10n", data.train.sample)
    chalkgrad.train(net, parts.train, epochs=5, batch=32, schedule="one-cycle", validation=parts.test, on_epoch=tell)
    print(f"{100 * chalkgrad.evaluate(net, data.test).accuracy:.2f} % of the test samples")
    net.save("digits.safetensors")

    predict = chalkgrad.Predictor(chalkgrad.Network.load("digits.safetensors"))
    answer: numpy.ndarray = predict(data.test.x[0])
    print(f"sample 0 is a {answer.argmax()}, with probability {answer.max():.3f}")


if __name__ == "__main__":
    main()
