"""ONNX Runtime as the tests use it: on the processor, and silent about what it tidies."""
import onnxruntime

onnxruntime.set_default_logger_severity(3)


def session(file):
    return onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
