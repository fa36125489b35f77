"""Architectures as data, one file each, each from its paper."""

from __future__ import annotations

from collections.abc import Callable

from convspec.network.architectures import (
    alexnet,
    deconvnet,
    deepface,
    documents,
    fcn,
    googlenet,
    inception_v3,
    lenet,
    nin,
    resnet,
    sppnet,
    vgg,
    xception,
)
from convspec.network.layers import Network

ARCHITECTURES: dict[str, Callable[[], Network]] = {
    "lenet5": lenet.lenet5,
    "alexnet": alexnet.alexnet,
    "alexnet-ungrouped": alexnet.alexnet_ungrouped,
    "alexnet-single-column": alexnet.alexnet_single_column,
    "vgg16": vgg.vgg16,
    "vgg19": vgg.vgg19,
    "nin-cifar10": nin.nin_cifar10,
    "nin-imagenet": nin.nin_imagenet,
    "googlenet": googlenet.googlenet,
    "inception-v3": inception_v3.inception_v3,
    "resnet18": resnet.resnet18,
    "resnet34": resnet.resnet34,
    "resnet50": resnet.resnet50,
    "resnet50-v1.5": resnet.resnet50_v1_5,
    "xception": xception.xception,
    "sppnet-head": sppnet.sppnet_head,
    "sppnet-imagenet-head": sppnet.sppnet_imagenet_head,
    "fcn-32s": fcn.fcn32s,
    "fcn-16s": fcn.fcn16s,
    "fcn-8s": fcn.fcn8s,
    "deconvnet": deconvnet.deconvnet,
    "deepface": deepface.deepface,
    "mnist-dense": documents.mnist_dense,
    "mnist-20-maps": documents.mnist_20_maps,
    "mnist-40-maps": documents.mnist_40_maps,
    "mnist-relu": documents.mnist_relu,
    "mnist-300-units": documents.mnist_300_units,
    "mnist-1000-units": documents.mnist_1000_units,
    "mnist-two-dense": documents.mnist_two_dense,
    "mnist-dropout": documents.mnist_dropout,
    "cifar10": documents.cifar10,
}
