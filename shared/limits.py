"""How much is taken from files that others made. Every limit is here, with its reason; `--max-pixels` raises the first.

What is beyond a limit is rejected like a broken image where it is of one image, else it is bad input.
"""

PIXELS = 64_000_000
"""The pixels of an image, unless an option says more: 64 megapixels take up to 1 GB while they are prepared. PNGs of
a few hundred kB may claim any number."""

FILE_BYTES = 1 << 28
"""An image's file, or what is unpacked of one: 256 MiB. Images are smaller, and bombs are not."""

TABLE_BYTES = 1 << 28
"""A table or list of images in text: 256 MiB, some 4 million lines. All of it is in memory."""

MANIFEST_BYTES = 1 << 26
"""A manifest: 64 MiB. One of version 1 lists 10,000 shards of 1,000 classes in half of that."""

RECIPE_BYTES = 100_000
"""A recipe: people write them by hand."""

RECIPE_DOTS = 50
"""The dots in a line of a recipe: the parser takes time with the square of a key's parts, 14 s for 20,000."""

LABEL_BYTES = 1_000
"""The member `.cls` of a sample: a name or a number."""

JSON_BYTES = 1_000_000
"""The member `.json` of a sample: captions and the numbers of a detector fit."""

NAME_LETTERS = 255
"""The name of a class or group, or a label: file systems take no longer name for its folder."""

PATH_LETTERS = 4_095
"""A path in a table or manifest: Linux takes no longer one."""

TAR_HEADER_BYTES = 1 << 20
"""A header of a tar that holds a long name or fields of its own (GNU, pax)."""

TENSOR_HEADER_BYTES = 100_000_000
"""The header of a safetensors file: the format's own limit."""

FOLDERS_DEEP = 100
"""Folders within each other below a source."""
