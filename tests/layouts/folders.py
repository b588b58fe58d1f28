"""Folders: a class each, below splits or not, and folders that are no classes."""

from pathlib import Path

from tests.layouts.making import files, pictures, split_pictures, write
from tests.layouts.model import Layout, Read, Refused

FOLDER = ("--source", "folder")
TWO = {"cat": 10, "dog": 10}
SPLIT = {"cat": 16, "dog": 16}
SPLITS = ("train", "val", "test")

HUB = "https://huggingface.co/docs/hub/datasets-image"
KAGGLE = "https://www.kaggle.com"
EXPORTS = "https://docs.voxel51.com/user_guide/export_datasets.html"


def kermany(root: Path) -> None:
    """Write split folders, the same once more in a folder next to them, and what macOS adds."""
    files(split_pictures("NORMAL", "PNEUMONIA", suffix="jpeg"), "{split}/{label}/{number}.jpeg")(root)
    files(split_pictures("NORMAL", "PNEUMONIA", suffix="jpeg"), "chest_xray/{split}/{label}/{number}.jpeg")(root)
    write(root / "__MACOSX" / "train" / "NORMAL" / "._0.jpeg", b"\0\5\26\7")


def seedlings(root: Path) -> None:
    """Write class folders below train, and test images without a class."""
    labels = ("Black-grass", "Common wheat", "Shepherds Purse")
    files(pictures(*labels), "train/{label}/{number}.png", **{"sample_submission.csv": "file,species\n0.png,x\n"})(root)
    files(pictures("x", count=5), "test/{number}.png")(root)


def tiny_imagenet(root: Path) -> None:
    """Write train with `images` below each class, val and test without class folders."""
    files(pictures("n01443537", "n01629819", suffix="JPEG"), "train/{label}/images/{label}_{number}.JPEG")(root)
    write(root / "train" / "n01443537" / "n01443537_boxes.txt", "n01443537_0.JPEG\t0\t0\t7\t7\n")
    held = pictures("n01443537", "n01629819", suffix="JPEG", count=3)
    files(held, "val/images/val_{kind}{number}.JPEG")(root)
    write(
        root / "val" / "val_annotations.txt",
        "".join(f"val_{p.kind}{p.number}.JPEG\t{p.label}\t0\t0\t7\t7\n" for p in held),
    )
    files(held, "test/images/test_{kind}{number}.JPEG")(root)


def imagenet(root: Path) -> None:
    """Write train in class folders and val in one folder."""
    files(pictures("n01440764", "n02102040", suffix="JPEG"), "train/{label}/{label}_{number}.JPEG")(root)
    files(pictures("x", suffix="JPEG", count=6), "val/ILSVRC2012_val_0000000{number}.JPEG")(root)


FOLDERS = (
    Layout(
        "A folder for each class",
        "Keras, image_dataset_from_directory",
        "https://keras.io/api/data_loading/image/",
        files(pictures("class_a", "class_b", suffix="jpg"), "{label}/{label}_image_{number}.jpg"),
        FOLDER,
        Read({"class_a": 10, "class_b": 10}),
    ),
    Layout(
        "Folders within a class folder",
        "torchvision ImageFolder; mmpretrain CustomDataset",
        "https://github.com/open-mmlab/mmpretrain/pull/738",
        files(pictures("cat", "dog"), "{label}/part_{number}/{number}.png"),
        FOLDER,
        Read(TWO),
    ),
    Layout(
        "Folders named by numbers",
        "EMNIST, SVHN and others saved for torchvision ImageFolder",
        "https://github.com/pytorch/vision/issues/714",
        files(pictures("0", "2", "10"), "{label}/{number}.png"),
        FOLDER,
        Read({"0": 10, "2": 10, "10": 10}),
    ),
    Layout(
        "Folders of train, val and test",
        "Ultralytics classify; Kaggle",
        "https://docs.ultralytics.com/datasets/classify",
        files(split_pictures("cat", "dog"), "{split}/{label}/{number}_{label}.png"),
        FOLDER,
        Read(SPLIT, SPLITS),
    ),
    Layout(
        "Folders of train and test",
        "Hugging Face imagefolder",
        HUB,
        files(split_pictures("green", "red", suffix="jpg", splits=("train", "test")), "{split}/{label}/{number}.jpg"),
        FOLDER,
        Read({"green": 13, "red": 13}, ("train", "test")),
    ),
    Layout(
        "Folders of train, validation and test",
        "Keras, Deep Learning with Python",
        "https://livebook.manning.com/learn/concepts/image-dataset-from-directory--api-element",
        files(split_pictures("cat", "dog"), "{split}/{label}/{label}.{number}.png", {"val": "validation"}),
        FOLDER,
        Read(SPLIT, SPLITS),
    ),
    Layout(
        "Folders of train, valid and test, with notes next to them",
        "Roboflow, folder structure",
        "https://docs.roboflow.com/datasets/versions/dataset-versions/exporting-data",
        files(
            split_pictures("cat", "dog", suffix="jpg"),
            "{split}/{label}/{number}_jpg.rf.0a1b.jpg",
            {"val": "valid"},
            **{"README.dataset.txt": "# pets", "README.roboflow.txt": "pets - v1"},
        ),
        FOLDER,
        Read(SPLIT, SPLITS),
    ),
    Layout(
        "Split folders with a labels.json in each",
        "CVAT, Ultralytics YOLO Classification",
        "https://docs.cvat.ai/docs/dataset_management/formats/format-yolo-ultralytics-classification",
        files(
            split_pictures("cat", "dog", suffix="jpg", splits=("train", "val")),
            "{split}/{label}/{number}.jpg",
            **{"train/labels.json": "{}", "val/labels.json": "{}"},
        ),
        FOLDER,
        Read({"cat": 13, "dog": 13}, ("train", "val"), {"val": "test"}),
    ),
    Layout(
        "Split folders, and all of it again one folder deeper",
        "Kaggle, chest-xray-pneumonia",
        f"{KAGGLE}/datasets/paultimothymooney/chest-xray-pneumonia",
        kermany,
        FOLDER,
        Read(
            {"NORMAL": 16, "PNEUMONIA": 16},
            SPLITS,
            says=(r"next to those of the splits, not taken: 1 \(chest_xray\)",),
        ),
    ),
    Layout(
        "That inner folder",
        "Kaggle, chest-xray-pneumonia",
        f"{KAGGLE}/datasets/paultimothymooney/chest-xray-pneumonia",
        kermany,
        FOLDER,
        Read({"NORMAL": 16, "PNEUMONIA": 16}, SPLITS),
        path="chest_xray",
    ),
    Layout(
        "Class folders in train, test images without a class",
        "Kaggle, plant-seedlings-classification",
        f"{KAGGLE}/c/plant-seedlings-classification/data",
        seedlings,
        FOLDER,
        Read(
            {"Black-grass": 10, "Common wheat": 10, "Shepherds Purse": 10},
            says=(r"outside the class folders, not taken: 5 \(test/0.png",),
        ),
    ),
    Layout(
        "Its folder train alone",
        "Kaggle, plant-seedlings-classification",
        f"{KAGGLE}/c/plant-seedlings-classification/data",
        seedlings,
        FOLDER,
        Read({"Black-grass": 10, "Common wheat": 10, "Shepherds Purse": 10}),
        path="train",
    ),
    Layout(
        "train in class folders, val and test in one folder each",
        "Tiny ImageNet",
        "https://gist.github.com/moskomule/2e6a9a463f50447beca4e64ab4699ac4",
        tiny_imagenet,
        FOLDER,
        Refused(
            ("train has no folder like test/images", "train alone"),
            "sort val into class folders, or give the folder `train`",
        ),
    ),
    Layout(
        "Its folder train alone",
        "Tiny ImageNet",
        "https://gist.github.com/moskomule/2e6a9a463f50447beca4e64ab4699ac4",
        tiny_imagenet,
        FOLDER,
        Read({"n01443537": 10, "n01629819": 10}),
        path="train",
    ),
    Layout(
        "train in class folders, val without",
        "ImageNet as it is unpacked",
        "https://gist.github.com/AdityaKane2001/490b8c94c05538dec690513022195e91",
        imagenet,
        FOLDER,
        Read(
            {"n01440764": 10, "n02102040": 10},
            says=(r"outside the class folders, not taken: 6 \(val/ILSVRC2012",),
        ),
    ),
    Layout(
        "A folder of images that have no class",
        "FiftyOne, ImageClassificationDirectoryTree",
        EXPORTS,
        files([*pictures("cat", "dog"), *pictures("_unlabeled", count=3)], "{label}/{number}.png"),
        FOLDER,
        Read(TWO, says=("_unlabeled",)),
    ),
    Layout(
        "Images in one folder, without classes",
        "Hugging Face imagefolder; FiftyOne, ImageDirectory",
        HUB,
        files(pictures("x"), "images/{number}.png"),
        FOLDER,
        Refused(("class",), "make a folder for each class, or a table of files and labels"),
    ),
    Layout(
        "Class folders that begin with their number, and tables in text files",
        "CUB-200-2011",
        "https://www.vision.caltech.edu/datasets/cub_200_2011/",
        files(
            pictures("001.Black_footed_Albatross", "002.Laysan_Albatross", suffix="jpg"),
            "images/{label}/{number}.jpg",
            **{"images.txt": "1 001.Black_footed_Albatross/0.jpg\n", "classes.txt": "1 001.Black_footed_Albatross\n"},
        ),
        FOLDER,
        Read({"001.Black_footed_Albatross": 10, "002.Laysan_Albatross": 10}),
        path="images",
    ),
    Layout(
        "Numbered parts with a text and a json next to each image",
        "img2dataset, files",
        "https://github.com/rom1504/img2dataset",
        files(
            [p._replace(label=f"0000{p.kind}") for p in pictures("a", "b", suffix="jpg")],
            "{label}/{label}000{number}.jpg",
            **{
                f"0000{part}{name}": "{}"
                for part in range(2)
                for name in ("_stats.json", f"/0000{part}0000.txt", f"/0000{part}0000.json", ".parquet")
            },
        ),
        FOLDER,
        Refused(("img2dataset",), "let img2dataset write `webdataset`, and name the field of the json with `--label`"),
    ),
    Layout(
        "Python pickles",
        "CIFAR-10",
        "https://www.cs.toronto.edu/~kriz/cifar.html",
        files([], "", **{"data_batch_1": b"\x80\x02}", "test_batch": b"\x80\x02}", "batches.meta": b"\x80\x02}"}),
        FOLDER,
        Refused(("--source cifar10",), "`--source cifar10`"),
    ),
)
"""Rows whose classes are folders, or seem to be."""
