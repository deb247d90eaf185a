"""ONNX files, good and bad, written field by field (numbers are those of onnx.proto) so that only Python is needed."""
import struct


def varint(number):
    number &= (1 << 64) - 1
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes(out + bytes([number]))


def whole(field, number):
    return varint(field << 3) + varint(number)


def part(field, data):
    data = data.encode() if isinstance(data, str) else data
    return varint(field << 3 | 2) + varint(len(data)) + data


def attribute(name, value):
    if isinstance(value, int):
        return part(1, name) + whole(3, value) + whole(20, 2)
    if isinstance(value, float):
        return part(1, name) + varint(2 << 3 | 5) + struct.pack("<f", value) + whole(20, 1)
    if isinstance(value, str):
        return part(1, name) + part(4, value) + whole(20, 3)
    if isinstance(value, bytes):  # a tensor
        return part(1, name) + part(5, value) + whole(20, 4)
    return part(1, name) + b"".join(whole(8, each) for each in value) + whole(20, 7)


def node(op, inputs, outputs, domain="", **attributes):
    return (b"".join(part(1, i) for i in inputs) + b"".join(part(2, o) for o in outputs) + part(4, op)
            + b"".join(part(5, attribute(*each)) for each in attributes.items()) + (part(7, domain) if domain else b""))


def tensor(name, extents, values, kind=1, data=None):
    if data is None:
        data = struct.pack(f"<{len(values)}{'f' if kind == 1 else 'q'}", *values)
    return b"".join(whole(1, e) for e in extents) + whole(2, kind) + part(8, name) + part(9, data)


def port(name, extents, kind=1):
    dims = b"".join(part(1, part(2, e) if isinstance(e, str) else whole(1, e)) for e in extents)
    return part(1, name) + part(2, part(1, whole(1, kind) + part(2, dims)))


def model(nodes, inputs=(("x", ["n", 1, 4, 4]),), outputs=("y",), tensors=(), opset=17, ir=8, more=b""):
    graph = (b"".join(part(1, n) for n in nodes) + part(2, "g") + b"".join(part(5, t) for t in tensors)
             + b"".join(part(11, port(*i)) for i in inputs) + b"".join(part(12, port(o, ["n"])) for o in outputs))
    return whole(1, ir) + part(7, graph) + part(8, part(1, "") + whole(2, opset)) + more


def write(bad, good):
    conv = model([node("Conv", ["x", "c.weight", "c.bias"], ["a"], pads=[1, 0, 1, 2], strides=[1, 2]), node("Relu", ["a"], ["b"]),
                  node("MaxPool", ["b"], ["p"], kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1), node("Flatten", ["p"], ["f"]),
                  node("Gemm", ["f", "d.weight", "d.bias"], ["y"], transB=1)],
                 tensors=[tensor("c.weight", [2, 1, 3, 3], [0.1] * 18), tensor("c.bias", [2], [0.5, -0.5]),
                          tensor("d.weight", [3, 4], [0.2] * 12), tensor("d.bias", [3], [0.0] * 3)])
    shapes = model([node("Shape", ["x"], ["s"]), node("Constant", [], ["i"], value=tensor("", [], [0], 7)),
                    node("Gather", ["s", "i"], ["n"]), node("Constant", [], ["z"], value_ints=[0]),
                    node("Unsqueeze", ["n", "z"], ["u"]), node("Constant", [], ["m"], value_ints=[-1]),
                    node("Concat", ["u", "m"], ["t"], axis=0), node("Reshape", ["x", "t"], ["y"])])
    norms = model([node("BatchNormalization", ["x", "w", "w", "w", "v"], ["a"], epsilon=0.1, momentum=0.9),
                   node("Clip", ["a"], ["b"], min=0.0, max=6.0), node("AveragePool", ["b"], ["c"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
                   node("Concat", ["c", "x"], ["d"], axis=1), node("Split", ["d"], ["e", "f"], axis=1),
                   node("Mul", ["e", "f"], ["g"]), node("Softmax", ["g"], ["y"], axis=1)],
                  tensors=[tensor("w", [1], [0.5]), tensor("v", [1], [1.5])], opset=9)
    function = part(25, part(1, "Twice") + part(4, "a") + part(5, "b") + part(7, node("Add", ["a", "a"], ["b"])) + part(10, "mine"))
    calls = model([node("Twice", ["x"], ["a"], "mine"), node("Transpose", ["a"], ["b"], perm=[0, 2, 3, 1]), node("Pad", ["b", "p"], ["c"]),
                   node("Slice", ["c"], ["y"])], more=function, tensors=[tensor("p", [8], [0, 1, 0, 0, 0, 0, 1, 0], 7)])
    resize = model([node("Resize", ["x", "", "s"], ["a"]), node("ConvTranspose", ["a", "w"], ["b"], strides=[2, 2], pads=[0, 1, 1, 0]),
                    node("LRN", ["b"], ["c"], size=3), node("ReduceMean", ["c"], ["y"], axes=[1, 2])],
                   tensors=[tensor("s", [4], [1, 1, 2, 2]), tensor("w", [1, 2, 2, 2], [0.1] * 8)])
    filled = model([node("ConstantOfShape", [f"{name}.shape"], [name], value=tensor("", [1], [0.25])) for name in ("c", "d", "b", "large")]
                   + [node("Conv", ["x", "c"], ["a"]), node("Transpose", ["large"], ["turned"], perm=[1, 0]), node("Shape", ["turned"], ["s"]),
                      node("Gather", ["s", "zero"], ["rows"]), node("Concat", ["minus", "rows"], ["t"], axis=0), node("Reshape", ["a", "t"], ["f"]),
                      node("Gemm", ["f", "d", "b"], ["y"], alpha=0.5, beta=2.0)],
                   tensors=[tensor("c.shape", [4], [2, 1, 3, 3], 7), tensor("d.shape", [2], [8, 3], 7), tensor("b.shape", [1], [1], 7),
                            tensor("large.shape", [2], [1 << 26, 8], 7), tensor("zero", [1], [0], 7), tensor("minus", [1], [-1], 7)])
    for name, data in {"conv": conv, "shapes": shapes, "norms": norms, "calls": calls, "resize": resize, "filled": filled}.items():
        good("onnx", name, data)

    relu = [node("Relu", ["x"], ["y"])]
    bad("onnx", "empty", b"", "its IR version is 0; 3 to 14 can be read")
    bad("onnx", "text", b"not an ONNX file\n", "is no ONNX model, or not a whole one")
    bad("onnx", "cut", conv[:len(conv) // 2], "is no ONNX model, or not a whole one")
    bad("onnx", "no-opset", whole(1, 8) + part(7, b""), "it does not say which version of ONNX's operators it uses")
    bad("onnx", "two-opsets", model(relu, more=part(8, part(1, "ai.onnx") + whole(2, 13))), "it imports the operators of ONNX twice")
    bad("onnx", "opset-99", model(relu, opset=99), "it uses version 99 of ONNX's operators; 6 to 28 can be read")
    bad("onnx", "no-input", model(relu, inputs=()), "has no input, so it is no network")
    bad("onnx", "two-inputs", model(relu, inputs=(("x", ["n", 2]), ("z", ["n", 2]))), 'has two inputs, "x" and "z"')
    bad("onnx", "words", model(relu, inputs=(("x", ["n", 2], 8),)), 'its input "x" is of string; it must be numbers')
    bad("onnx", "open", model(relu, inputs=(("x", ["n", "rows"]),)), 'the size of its input "x" is open')
    bad("onnx", "vast", model([node("MaxPool", ["x"], ["y"], kernel_shape=[2, 2], pads=[0, 0, 1, 1])], inputs=(("x", ["n", 1, 1 << 20, 1 << 20]),)),
        "its maps are too large to be padded so")
    bad("onnx", "no-output", model(relu, outputs=()), "has no output")
    bad("onnx", "unmade", model([node("Relu", ["q"], ["y"])]), 'its operand "q" is made by no node')
    bad("onnx", "cycle", model([node("Add", ["x", "b"], ["a"]), node("Relu", ["a"], ["b"]), node("Relu", ["b"], ["y"])]),
        "its result is needed to make its operands")
    bad("onnx", "made-twice", model(relu + relu), 'a second node makes "y"')
    bad("onnx", "endless", model([node("F", ["x"], ["y"], "m")], more=part(25, part(1, "F") + part(4, "a") + part(5, "b") + part(10, "m")
        + part(7, node("F", ["a"], ["b"], "m")))), "functions call each other without end")
    bad("onnx", "short-tensor", model([node("Add", ["x", "w"], ["y"])], tensors=[tensor("w", [4], [], data=b"1234")]),
        'the tensor "w" has 4 bytes, but 16 are needed for its shape, 4 of float')
    bad("onnx", "vast-tensor", model([node("Add", ["x", "w"], ["y"])], tensors=[tensor("w", [1 << 40, 1 << 40], [])]),
        'the tensor "w" has the shape')
    bad("onnx", "negative-tensor", model([node("Add", ["x", "w"], ["y"])], tensors=[tensor("w", [-1], [])]), 'the tensor "w" has the shape')
    bad("onnx", "external", model([node("Add", ["x", "w"], ["y"])], tensors=[whole(1, 4) + whole(2, 1) + part(8, "w")
        + part(13, part(1, "location") + part(2, "w.data")) + whole(14, 1)]), "its tensors are in w.data, which is not here")
    bad("onnx", "unknown-operator", model([node("Einsum", ["x"], ["y"])]), "the operator is not read here; docs/onnx.md")
    bad("onnx", "quantised", model([node("QuantizeLinear", ["x", "w"], ["y"])], tensors=[tensor("w", [], [0.5])]),
        "is of a quantised model, which does not train; export the model in float")
    bad("onnx", "other-weights", model([node("Flatten", ["x"], ["f"]), node("Gemm", ["f", "w"], ["y"], transB=1)],
        tensors=[tensor("w", [3, 8], [0.2] * 24)]), "its weights are for 8 inputs, but there are 16")
    bad("onnx", "bomb", model([node("Constant", [], ["s"], value_ints=[1024, 1024])] + [node("ConstantOfShape", ["s"], [f"c{i}"]) for i in range(200)]
        + [node("Add", ["x" if i == 0 else f"a{i}", f"c{i}"], [f"a{i + 1}"]) for i in range(200)] + [node("Relu", ["a200"], ["y"])],
        inputs=(("x", ["n", 1024, 1024]),)), "calculates more numbers than a file would hold")

    def fills(nodes, **shapes):
        return model([node("ConstantOfShape", [f"{name}.shape"], [name]) for name in shapes] + nodes, inputs=(("x", ["n", 1024]),),
                     tensors=[tensor(f"{name}.shape", [len(shape)], shape, 7) for name, shape in shapes.items()])

    product = node("MatMul", ["x", "w"], ["y"])
    bad("onnx", "vast-fill", fills([product], w=[1024, 1 << 30]), "makes more than 536,870,912 numbers; export a smaller model")
    bad("onnx", "fills", fills([node("MatMul", ["x", "w"], ["a"]), node("MatMul", ["a", "v"], ["y"])], w=[1024, 1 << 19], v=[1 << 19, 64]),
        "the network has more than 536,870,912 parameters; make this layer smaller")
    bad("onnx", "folded-fill", fills([node("Neg", ["v"], ["w"]), product], v=[1024, 2048]), "calculates with more than a million equal numbers")
    bad("onnx", "joined-fills", fills([node("Concat", ["v"] * 300, ["w"], axis=1), product], v=[1024, 1024]), "would make more than 16 million numbers")
    bad("onnx", "mixed-choice", fills([node("Where", ["v", "v", "v.shape"], ["w"]), node("Add", ["x", "w"], ["y"])], v=[1]), "chooses between whole numbers and others")
    bad("onnx", "no-ratio", fills([node("Dropout", ["x", "v"], ["y"])], v=[0]), "the ratio must be one number")
    bad("onnx", "vast-expand", fills([node("Expand", ["v", "s"], ["w"]), node("Constant", [], ["s"], value_ints=[1 << 40]), product], v=[1]),
        "would make more than 16 million numbers")
