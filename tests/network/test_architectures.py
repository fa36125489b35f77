"""Architectures against the figures their papers publish, and against counts by hand."""

from __future__ import annotations

import pytest

from convspec.case import call_windows
from convspec.network import Network, plan, totals
from convspec.network.architectures import ARCHITECTURES
from convspec.network.architectures.googlenet import MODULES, inception, naive_inception
from convspec.network.architectures.lenet import CONNECTIONS
from convspec.window import ReceptiveField


def steps(name, input=None):
    return {step.name: step for step in plan(ARCHITECTURES[name](), input)}


def counted(name):
    return totals(plan(ARCHITECTURES[name]()))


# Where the count is published, to the last parameter.
PUBLISHED = {
    "lenet5": 60_000,  # the paper: 60,000 trainable free parameters
    "alexnet": 60_965_224,  # Caffe's reference network, of the same layers
    "alexnet-single-column": 61_100_840,  # torchvision's alexnet
    "vgg16": 138_357_544,  # torchvision
    "vgg19": 143_667_240,  # torchvision
    "resnet18": 11_689_512,  # torchvision
    "resnet34": 21_797_672,  # torchvision
    "resnet50": 25_557_032,  # torchvision
    "resnet50-v1.5": 25_557_032,  # torchvision
    "xception": 22_855_952,  # the paper, Table 3
}


@pytest.mark.parametrize(("name", "parameters"), PUBLISHED.items())
def test_the_published_number_of_parameters(name, parameters):
    assert counted(name).parameters == parameters


# Where a paper or torchvision rounds: published figure, and the unit of its last digit.
MULTIPLY_ADDS = {
    "alexnet-single-column": (0.71e9, 1e7),  # torchvision, as are all with two decimals
    "vgg16": (15.47e9, 1e7),
    "vgg19": (19.63e9, 1e7),
    "inception-v3": (5.71e9, 1e7),
    "resnet18": (1.81e9, 1e7),
    "resnet34": (3.66e9, 1e7),
    "resnet50-v1.5": (4.09e9, 1e7),
}


@pytest.mark.parametrize(("name", "figure"), MULTIPLY_ADDS.items())
def test_the_published_number_of_multiply_adds(name, figure):
    published, unit = figure
    assert abs(counted(name).multiply_adds - published) <= unit / 2


def test_resnets_multiply_adds_in_the_paper_are_cut_off():
    """Table 1 has 1.8, 3.6 and 3.8 times 10^9, the first digits of these."""
    for name, tenths in (("resnet18", 18), ("resnet34", 36), ("resnet50", 38)):
        assert counted(name).multiply_adds // 10**8 == tenths


def test_every_architecture_has_its_name_and_ends_as_it_should():
    for name, make in ARCHITECTURES.items():
        network = make()
        assert isinstance(network, Network)
        assert network.name == name
        assert hash(network) == hash(make())
        shape = plan(network)[-1].shape
        classes = {"lenet5": 84, "deepface": 4030, "deconvnet": 21}.get(name, 1000)
        if name.startswith("fcn") or name == "deconvnet":
            assert shape == (1, 21, *network.input[1:])
        elif name.startswith(("mnist", "cifar")) or name == "nin-cifar10":
            assert shape == (1, 10)
        else:
            assert shape == (1, classes)


LENET = {  # layer: shape, trainable parameters in the paper
    "C1": ((6, 28, 28), 156),
    "S2": ((6, 14, 14), 12),
    "S4": ((16, 5, 5), 32),
    "C5": ((120, 1, 1), 48_120),
    "F6": ((84,), 10_164),
}


def test_lenet_layer_by_layer():
    found = steps("lenet5")
    for name, (shape, parameters) in LENET.items():
        assert found[name].shape == (1, *shape)
        assert totals([found[name]]).parameters == parameters
    third = [step for name, step in found.items() if name.startswith("C3.")]
    assert third[-1].shape == (1, 16, 10, 10)
    assert totals(third).parameters == 1516


def test_lenets_connection_table():
    """Table I: map 0 of C3 reads maps 0, 1, 2; 60 connected pairs, ten for each map of S2."""
    assert CONNECTIONS[0] == (0, 1, 2)
    assert CONNECTIONS[5] == (0, 1, 5)
    assert CONNECTIONS[6] == (0, 1, 2, 3)
    assert CONNECTIONS[11] == (0, 1, 2, 5)
    assert CONNECTIONS[12:15] == ((0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5))
    assert CONNECTIONS[15] == (0, 1, 2, 3, 4, 5)
    assert len(set(CONNECTIONS)) == 16
    assert [sum(source in maps for maps in CONNECTIONS) for source in range(6)] == [10] * 6


def test_lenets_connections():
    """The paper's connections count biases and the four inputs of a subsampling unit, and 840 of
    the output layer that is not here: 340,908 in all.
    """
    found = steps("lenet5")

    def units(name):
        _, channels, *sizes = found[name].shape
        return channels * sizes[0] * sizes[1] if sizes else channels

    per_unit = {"C1": 25 + 1, "S2": 4 + 1, "S4": 4 + 1, "C5": 16 * 25 + 1, "F6": 120 + 1}
    connections = {name: units(name) * each for name, each in per_unit.items()}
    connections["C3"] = 100 * sum(25 * len(maps) + 1 for maps in CONNECTIONS)
    assert connections == {
        "C1": 122_304,
        "S2": 5_880,
        "C3": 151_600,
        "S4": 2_000,
        "C5": 48_120,
        "F6": 10_164,
    }
    assert sum(connections.values()) + 840 == 340_908


def test_alexnet_layer_by_layer():
    """The paper's sizes: 55, 27, 13 positions; 96, 256, 384, 384, 256 maps."""
    found = steps("alexnet")
    shapes = {
        "conv1": (96, 55, 55),
        "conv2": (256, 27, 27),
        "conv3": (384, 13, 13),
        "conv4": (384, 13, 13),
        "conv5": (256, 13, 13),
        "pool5": (256, 6, 6),
        "fc6": (4096,),
    }
    assert {name: found[name].shape[1:] for name in shapes} == shapes
    # The documents' figures for conv1.
    assert totals([found["conv1"]])[:2] == (34_944, 96)
    # 5 by 5 by 48, and not by 96: each half of the maps reads its own.
    assert found["conv2"].parameters["weight"] == (256, 48, 5, 5)


def test_alexnets_halves_are_what_it_saves():
    """conv2, conv4 and conv5 without groups have twice the weights."""
    halves = 256 * 48 * 25 + 384 * 192 * 9 + 256 * 192 * 9
    assert counted("alexnet-ungrouped").parameters == counted("alexnet").parameters + halves
    assert counted("alexnet-ungrouped").parameters == 62_378_344


def test_vgg_layer_by_layer():
    found = steps("vgg16")
    sizes = {1: (64, 224), 2: (128, 112), 3: (256, 56), 4: (512, 28), 5: (512, 14)}
    for stage, (depth, size) in sizes.items():
        assert found[f"conv{stage}_2"].shape == (1, depth, size, size)
        assert found[f"pool{stage}"].shape == (1, depth, size // 2, size // 2)
    assert found["fc6"].parameters["weight"] == (4096, 25088)
    # 134 of the 138 million without the last layer, as FCN has them.
    assert counted("vgg16").parameters - 4_097_000 == 134_260_544
    assert "conv5_4" in steps("vgg19")


def test_network_in_network_by_hand():
    """n_in * n_out * k^2 + n_out for each layer."""
    cifar = [
        (3, 192, 25), (192, 160, 1), (160, 96, 1),
        (96, 192, 25), (192, 192, 1), (192, 192, 1),
        (192, 192, 9), (192, 192, 1), (192, 10, 1),
    ]  # fmt: skip
    imagenet = [
        (3, 96, 121), (96, 96, 1), (96, 96, 1),
        (96, 256, 25), (256, 256, 1), (256, 256, 1),
        (256, 384, 9), (384, 384, 1), (384, 384, 1),
        (384, 1024, 9), (1024, 1024, 1), (1024, 1000, 1),
    ]  # fmt: skip
    for name, layers in (("nin-cifar10", cifar), ("nin-imagenet", imagenet)):
        assert counted(name).parameters == sum(i * o * k + o for i, o, k in layers)
    assert steps("nin-cifar10")["pool1"].shape == (1, 96, 16, 16)
    assert steps("nin-cifar10")["pool2"].shape == (1, 192, 8, 8)


# Outputs in Table 1 of the paper.
GOOGLENET = {
    "3a": (256, 28, 28),
    "3b": (480, 28, 28),
    "4a": (512, 14, 14),
    "4b": (512, 14, 14),
    "4c": (512, 14, 14),
    "4d": (528, 14, 14),
    "4e": (832, 14, 14),
    "5a": (832, 7, 7),
    "5b": (1024, 7, 7),
}


def test_googlenet_layer_by_layer():
    """The paper's outputs.  Its parameter column, 159K for 3a, is not that of its widths from 3b
    on, and so only the first is compared with it; the others are the widths' own, by hand.
    """
    found = steps("googlenet")
    assert found["conv1"].shape == (1, 64, 112, 112)
    assert found["pool1"].shape == (1, 64, 56, 56)
    assert found["conv2"].shape == (1, 192, 56, 56)
    assert found["pool2"].shape == (1, 192, 28, 28)
    inputs = 192
    for name, shape in GOOGLENET.items():
        assert found[f"inception_{name}.concatenate"].shape == (1, *shape)
        module = [step for key, step in found.items() if key.startswith(f"inception_{name}.")]
        d = MODULES[name]
        weights = (
            inputs * (d.ones + d.threes_reduced + d.fives_reduced + d.pooled)
            + 9 * d.threes_reduced * d.threes
            + 25 * d.fives_reduced * d.fives
        )
        assert totals(module).parameters - totals(module).biases == weights
        inputs = shape[0]
    assert totals([step for key, step in found.items() if "3a." in key]).multiply_adds == (
        163_328 * 28 * 28
    )
    assert 163_328 // 1024 == 159
    assert counted("googlenet").parameters == 6_998_552


def test_module_3a_with_and_without_reductions():
    """The documents: 1*1*192*64 + 3*3*192*128 + 5*5*192*32 weights become less than half as many
    (they say a third: 387072 and 157184 without the pool's projection), and 416 maps 256.
    """
    naive = plan(Network("naive", (192, 28, 28), (naive_inception("3a", MODULES["3a"]),)))
    reduced = plan(Network("reduced", (192, 28, 28), (inception("3a", MODULES["3a"]),)))
    assert naive[-1].shape == (1, 416, 28, 28)
    assert reduced[-1].shape == (1, 256, 28, 28)
    weights = [totals(found).parameters - totals(found).biases for found in (naive, reduced)]
    projection = 192 * 32
    assert weights == [387_072, 157_184 + projection]


def test_googlenet_against_alexnet():
    """Not a twelfth, as the paper and the documents say, but between a ninth and an eighth."""
    assert 8 < counted("alexnet").parameters / counted("googlenet").parameters < 9


def test_inception_v3_layer_by_layer():
    """The paper's Table 1: 35 by 35 by 288, 17 by 17 by 768, 8 by 8 by 1280 and 2048."""
    found = steps("inception-v3")
    assert found["conv1"].shape == (1, 32, 149, 149)
    assert found["conv3_bn"].shape == (1, 64, 147, 147)
    assert found["pool1"].shape == (1, 64, 73, 73)
    assert found["pool2"].shape == (1, 192, 35, 35)
    shapes = {
        "5d": (288, 35, 35),
        "6a": (768, 17, 17),
        "6e": (768, 17, 17),
        "7a": (1280, 8, 8),
        "7c": (2048, 8, 8),
    }
    for name, shape in shapes.items():
        assert found[f"mixed_{name}.concatenate"].shape == (1, *shape)


def test_inception_v3s_parameters():
    """torchvision's 27161264 are with the auxiliary classifier: convolutions 768 to 128 of size 1
    and 128 to 768 of size 5, normalized, and a dense layer; the paper says less than 25 million.
    """
    auxiliary = 768 * 128 + 2 * 128 + 128 * 768 * 25 + 2 * 768 + 768 * 1000 + 1000
    assert counted("inception-v3").parameters + auxiliary == 27_161_264
    assert counted("inception-v3").parameters < 25e6
    scales = sum(
        step.parameters["scale"][0]
        for step in plan(ARCHITECTURES["inception-v3"]())
        if "scale" in step.parameters
    )
    assert scales == 17_216


@pytest.mark.parametrize("name", ["resnet18", "resnet34", "resnet50", "resnet50-v1.5"])
def test_resnet_layer_by_layer(name):
    """Table 1: 112, 56, 28, 14, 7 positions; as many layers with weights as the name says."""
    found = steps(name)
    widening = 4 if "50" in name else 1
    counts = (2, 2, 2, 2) if name == "resnet18" else (3, 4, 6, 3)
    assert found["conv1"].shape == (1, 64, 112, 112)
    assert found["pool1"].shape == (1, 64, 56, 56)
    for stage, count in enumerate(counts, start=2):
        depth, size = 64 * 2 ** (stage - 2) * widening, 224 // 2**stage
        assert found[f"conv{stage}_{count}.add"].shape == (1, depth, size, size)
        assert f"conv{stage}_{count + 1}.add" not in found
    assert found["average"].shape == (1, 512 * widening, 1, 1)
    weighted = [key for key, s in found.items() if "weight" in s.parameters]
    layers = int(name.removeprefix("resnet")[:2])
    assert len([key for key in weighted if "projection" not in key]) == layers
    # Shortcuts of size 1: at each of stages 3 to 5, and where a bottleneck first widens.
    assert len([key for key in weighted if "projection" in key]) == (3 if widening == 1 else 4)


def test_the_bottleneck_of_the_documents():
    """256 * 1 * 1 * 64 + 64 * 3 * 3 * 64 + 64 * 1 * 1 * 256 = 69632 weights."""
    unit = [step for name, step in steps("resnet50").items() if name.startswith("conv2_2.conv")]
    assert totals(unit).parameters == 69_632


def test_xception_layer_by_layer():
    """Figure 5: 19 by 19 by 728 in the middle, 2048 maps of 10 by 10 at the end."""
    found = steps("xception")
    assert found["conv1"].shape == (1, 32, 149, 149)
    assert found["conv2"].shape == (1, 64, 147, 147)
    shapes = {2: (128, 74), 3: (256, 37), 4: (728, 19), 12: (728, 19), 13: (1024, 10)}
    for number, (depth, size) in shapes.items():
        assert found[f"block{number}.add"].shape == (1, depth, size, size)
    assert found["sepconv2"].shape == (1, 2048, 10, 10)
    separable = [s for s in found.values() if s.operation == "depthwise_separable_conv"]
    plain = [s for s in found.values() if s.operation == "conv"]
    # 36 convolutional layers, the shortcuts not among them.
    assert len(separable) + len(plain) - 4 == 36


# Block: the size that its pool reads, and what its windows of 3 reach beyond, low and high.
XCEPTION_POOLS = {2: (147, 1, 1), 3: (74, 0, 1), 4: (37, 1, 1), 13: (19, 1, 1)}


def test_xceptions_pools_reach_beyond_the_high_side_first():
    """The author's code pads them by `same` in TensorFlow's sense: ceil(n / 2) windows of 3, which
    need 2 (ceil(n / 2) - 1) + 3 - n positions more than there are, the odd one on the high side.  A
    padding of 1 on both sides, as in translations to PyTorch, has the same shapes, and at the even
    size windows one position lower.
    """
    found = steps("xception")
    for number, (size, *beyond) in XCEPTION_POOLS.items():
        step = found[f"block{number}.pool"]
        shape = found[step.reads[0]].shape
        assert shape[2:] == (size, size)
        for window in call_windows("max_pool", {"input": shape}, step.attributes):
            assert [window.low, window.high] == beyond
            assert window.low + window.high == 2 * (-(-size // 2) - 1) + 3 - size
    # Where position 0 begins on the image, by hand: a padding of 1 for each of two convolutions and
    # the pool at every second position, and for the two convolutions of block 3 at every fourth.
    assert [field.start for field in found["block2.add"].fields] == [-2 * (1 + 1 + 1)] * 2
    assert [field.start for field in found["block3.add"].fields] == [-6 - 4 * (1 + 1 + 0)] * 2


@pytest.mark.parametrize("size", [13, 10, 7])
def test_the_pyramid_has_one_length(size):
    found = steps("sppnet-head", (256, size, size))
    assert found["pyramid"].shape == (1, 21 * 256)
    found = steps("sppnet-imagenet-head", (256, size, size))
    assert found["pyramid"].shape == (1, 50 * 256)


FCN = {"fcn-32s": 32, "fcn-16s": 16, "fcn-8s": 8}
# VGG-16 without its last layer, and the scores of 21 classes.
FCN_BODY = 134_260_544 + 4096 * 21 + 21
FCN_PARAMETERS = {
    "fcn-32s": FCN_BODY + 21 * 21 * 64**2,
    "fcn-16s": FCN_BODY + 512 * 21 + 21 + 21 * 21 * (4**2 + 32**2),
    "fcn-8s": FCN_BODY + 512 * 21 + 21 + 256 * 21 + 21 + 21 * 21 * (2 * 4**2 + 16**2),
}


@pytest.mark.parametrize("name", FCN)
def test_fcn_by_hand(name):
    assert counted(name).parameters == FCN_PARAMETERS[name]


@pytest.mark.parametrize("name", FCN)
@pytest.mark.parametrize("size", [(500, 500), (333, 217), (1, 40)])
def test_fcn_gives_back_any_size(name, size):
    assert plan(ARCHITECTURES[name](), (3, *size))[-1].shape == (1, 21, *size)


def test_fcn_layer_by_layer():
    """By Caffe's arithmetic for 500: 698, 349, 175, 88, 44, 22 positions, 16 scores, enlarged to
    (16 - 1) 32 + 64 = 544.
    """
    found = steps("fcn-32s")
    pools = [found[f"pool{stage}"].shape[2] for stage in range(1, 6)]
    assert [found["conv1_1"].shape[2], *pools] == [698, 349, 175, 88, 44, 22]
    assert found["score_fr"].shape == (1, 21, 16, 16)
    assert found["upscore"].shape == (1, 21, 544, 544)
    found = steps("fcn-8s")
    assert found["fuse_pool3.fuse_pool4.add"].shape == (1, 21, 34, 34)
    assert found["fuse_pool3.add"].shape == (1, 21, 70, 70)
    assert found["upscore8"].shape == (1, 21, 568, 568)


def centre(network, layer):
    """Where the middle of the field of output 0 lies."""
    field = steps(network)[layer].fields[0]
    return field.start + (field.size - 1) / 2


def test_fcns_offsets_put_every_score_on_the_middle_of_its_field():
    """A transposed convolution with kernel 2 f and stride f puts input i on position
    i f + f - 1/2; cut from an offset on, position p shows what it should where the offset is this
    minus the middle of the field.  So follow the five numbers of the authors' definitions.
    """
    enlarged = {f: f - 0.5 for f in (2, 8, 16, 32)}
    assert enlarged[32] - centre("fcn-32s", "score_fr") == 19
    doubled = centre("fcn-16s", "fuse_pool4.score_fr") - 16 * enlarged[2]
    assert (doubled - centre("fcn-16s", "fuse_pool4.score_pool4")) / 16 == 5
    assert enlarged[16] - doubled == 27
    again = doubled - 8 * enlarged[2]
    assert (again - centre("fcn-8s", "fuse_pool3.score_pool3")) / 8 == 9
    assert enlarged[8] - again == 31
    offsets = {
        "fcn-32s": {"score": 19},
        "fcn-16s": {"fuse_pool4.crop_pool4": 5, "score": 27},
        "fcn-8s": {"fuse_pool3.fuse_pool4.crop_pool4": 5, "fuse_pool3.crop_pool3": 9, "score": 31},
    }
    for name, expected in offsets.items():
        found = {key: s.attributes for key, s in steps(name).items() if s.operation == "crop"}
        assert found == {key: {"offset": offset} for key, offset in expected.items()}


def test_deconvnet_layer_by_layer():
    """The paper's table, and its 252 million parameters."""
    found = steps("deconvnet")
    assert found["fc6"].shape == found["fc7"].shape == (1, 4096, 1, 1)
    assert found["deconv-fc6"].shape == (1, 512, 7, 7)
    shapes = {5: (512, 14), 4: (256, 28), 3: (128, 56), 2: (64, 112), 1: (64, 224)}
    for stage, (depth, size) in shapes.items():
        assert found[f"unpool{stage}"].shape[2:] == (size, size)
        last = 2 if stage < 3 else 3
        assert found[f"deconv{stage}-{last}"].shape == (1, depth, size, size)
    transposed = [s for s in found.values() if s.operation == "conv_transpose"]
    assert len(transposed) == 14
    assert round(counted("deconvnet").parameters / 1e6) == 252


def test_deepface_layer_by_layer():
    """The paper's sizes: 71, 63, 55, 25, 21."""
    found = steps("deepface")
    shapes = {
        "C1": (32, 142, 142),
        "M2": (32, 71, 71),
        "C3": (16, 63, 63),
        "L4": (16, 55, 55),
        "L5": (16, 25, 25),
        "L6": (16, 21, 21),
        "F7": (4096,),
    }
    assert {name: found[name].shape[1:] for name in shapes} == shapes
    # The paper: more than 95 % of the parameters are in local and dense layers.
    late = totals([found[name] for name in ("L4", "L5", "L6", "F7", "F8")]).parameters
    assert late > 0.95 * counted("deepface").parameters
    # By hand: every position has its own 9 by 9 by 16 weights and bias.
    assert totals([found["L4"]]).parameters == 16 * 55 * 55 * (16 * 81 + 1)
    by_hand = (
        32 * (11 * 11 * 3 + 1)
        + 16 * (9 * 9 * 32 + 1)
        + 16 * 55 * 55 * (9 * 9 * 16 + 1)
        + 16 * 25 * 25 * (7 * 7 * 16 + 1)
        + 16 * 21 * 21 * (5 * 5 * 16 + 1)
        + 4096 * (16 * 21 * 21 + 1)
        + 4030 * (4096 + 1)
    )
    assert counted("deepface").parameters == by_hand


DOCUMENTS = {
    "mnist-dense": 784 * 100 + 100 + 1010,
    "mnist-20-maps": 20 * 26 + (20 * 12 * 12 + 1) * 100 + 1010,
    "mnist-40-maps": 20 * 26 + 40 * (20 * 25 + 1) + 641 * 100 + 1010,
    "mnist-relu": 20 * 26 + 40 * (20 * 25 + 1) + 641 * 100 + 1010,
    "mnist-300-units": 20 * 26 + 40 * (20 * 25 + 1) + 641 * 300 + 3010,
    "mnist-1000-units": 20 * 26 + 40 * (20 * 25 + 1) + 641 * 1000 + 10010,
    "mnist-two-dense": 20 * 26 + 40 * (20 * 25 + 1) + 641 * 100 + 101 * 100 + 1010,
    "mnist-dropout": 20 * 26 + 40 * (20 * 25 + 1) + 641 * 1000 + 1001 * 1000 + 10010,
    "cifar10": 12 * (3 * 9 + 1) + (12 * 16 * 16 + 1) * 10,
}


@pytest.mark.parametrize(("name", "parameters"), DOCUMENTS.items())
def test_the_networks_of_the_documents_by_hand(name, parameters):
    assert counted(name).parameters == parameters


def test_the_shapes_of_the_documents():
    found = steps("mnist-40-maps")
    assert found["pool1"].shape == (1, 20, 12, 12)
    assert found["pool2"].shape == (1, 40, 4, 4)
    found = steps("cifar10")
    assert found["relu"].shape == (1, 12, 32, 32)
    assert found["pool"].shape == (1, 12, 16, 16)
    dropped = [step for step in plan(ARCHITECTURES["mnist-dropout"]()) if "rate" in step.attributes]
    assert [step.shape[1] for step in dropped] == [640, 1000, 1000]


# Size, stride and padding, published by Araujo, Norris and Sim, Computing receptive fields of
# convolutional neural networks, Distill 2019, and in the table of their library; for the last the
# size by the FCN paper, Table 1, and VGG-16's padding with 100 in place of 1 in the first layer.
# Their ResNet-50 has a padding of 239: TensorFlow pads the first pool on its high side alone, where
# position 0 is 1 of 2 image positions later.
FIELDS = [
    ("alexnet", "conv2", 51, 8, -16),
    ("alexnet", "conv3", 99, 16, -32),
    ("alexnet", "conv5", 163, 16, -64),
    ("alexnet", "pool5", 195, 32, -64),
    ("vgg16", "pool1", 6, 2, -2),
    ("vgg16", "pool3", 44, 8, -18),
    ("vgg16", "pool5", 212, 32, -90),
    ("inception-v3", "mixed_7c.concatenate", 1311, 32, -618),
    ("resnet50", "conv5_3.add", 483, 32, -239 - 2),
    ("fcn-32s", "score_fr", 404, 32, -90 + 1 - 100),
]


@pytest.mark.parametrize(("name", "layer", "size", "jump", "start"), FIELDS)
def test_published_receptive_fields(name, layer, size, jump, start):
    fields = steps(name)[layer].fields
    assert fields == (ReceptiveField(size, jump, start),) * 2
