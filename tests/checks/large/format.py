"""Mistakes in indexes, in pages, and in how a dataset is opened.

A row's `old` occurs exactly once in its file. Where code moves, `file` and `old` move with it.
"""

from tests.checks.mutation import Mutation

INDEX = "tests/shared/format/test_index.py::"
PAGES = "tests/shared/format/test_pages.py::"
WRITTEN = "tests/shared/format/test_shards.py::"
OPENED = "tests/shared/store/test_large_datasets.py::"

FORMAT: tuple[Mutation, ...] = (
    Mutation(
        "samples_read_by_index_unchecked",
        "shared/format/index.py",
        'if zlib.crc32(payload) != row["crc32"]:',
        "if False:",
        INDEX + "test_one_changed_bit_of_a_sample_is_refused",
        "a sample that is read alone is the one that was written",
    ),
    Mutation(
        "indexes_with_gaps",
        "shared/format/index.py",
        ' or (rows["offset"] != np.cumsum(sizes) - sizes).any()',
        "",
        INDEX + "test_what_is_no_index_is_refused",
        "the samples of an index are all of its shard",
    ),
    Mutation(
        "indexes_of_any_hash",
        "shared/format/shards.py",
        "read_whole(where, info.index.bytes, info.index.sha256)",
        "where.read_bytes()",
        WRITTEN + "test_a_damaged_index_is_refused",
        "an index is read against its recorded size and hash",
    ),
    Mutation(
        "labels_of_another_shard",
        "shared/format/shards.py",
        'np.bincount(rows["label"], minlength=len(info.class_counts)).tolist() != info.class_counts',
        "False",
        WRITTEN + "test_an_index_of_another_shard_is_refused",
        "the labels of an index are those that are counted",
    ),
    Mutation(
        "shards_named_before_their_index",
        "shared/format/shards.py",
        "        index = _write_index(",
        "    index = _write_index(",
        WRITTEN + "test_a_shard_has_its_name_after_its_index",
        "a shard that has its name has an index",
    ),
    Mutation(
        "previews_of_whole_shards",
        "shared/format/shards.py",
        "        for row in read_index(path, shard):",
        "        read_whole(path, shard.bytes, shard.sha256)\n        for row in read_index(path, shard):",
        WRITTEN + "test_a_preview_reads_only_the_samples_that_it_returns",
        "a preview reads no more than the samples that it returns",
    ),
    Mutation(
        "exports_with_indexes",
        "jobs/export/formats.py",
        "indexed=False",
        "indexed=True",
        "tests/jobs/export/test_export.py::test_shards_are_those_of_the_synthetic_set",
        "what is exported has only what other readers know",
    ),
    Mutation(
        "pages_of_any_hash",
        "shared/format/pages.py",
        "read_whole(path, page.bytes, page.sha256)",
        "path.read_bytes()",
        PAGES + "test_an_altered_page_is_refused",
        "the hash of a manifest names every byte of its dataset",
    ),
    Mutation(
        "pages_kept_for_ever",
        "shared/format/pages.py",
        "while len(self._kept) > KEPT_PAGES:",
        "while False:",
        PAGES + "test_only_a_few_pages_are_kept",
        "going through a large split takes the memory of a few pages",
    ),
    Mutation(
        "pages_read_on_opening",
        "shared/format/presence.py",
        " and _counted(there) == _wanted(dataset):",
        " and not there:",
        OPENED + "test_opening_reads_no_page_and_no_size",
        "opening a large dataset reads no page",
    ),
    Mutation(
        "sizes_of_every_shard",
        "shared/format/presence.py",
        "len(split.pages) > 1 for",
        "len(split.pages) > 1000 for",
        OPENED + "test_opening_reads_no_page_and_no_size",
        "opening a large dataset asks for no shard's size",
    ),
    Mutation(
        "indexes_too_many",
        "shared/format/presence.py",
        "else (TAR, INDEX)  # version 1",
        "else (TAR,)  # version 1",
        OPENED + "test_a_file_that_is_not_listed_is_refused",
        "an index that is not listed is refused",
    ),
    Mutation(
        "indexes_of_an_earlier_attempt",
        "shared/format/presence.py",
        'OF_SHARDS = (f"*{TAR}", f"*{INDEX}", PAGE_NAMES)',
        'OF_SHARDS = (f"*{TAR}", PAGE_NAMES)',
        "tests/shared/store/test_staging.py::test_a_commit_removes_the_shards_indexes_and_pages_of_an_earlier_attempt",
        "a commit leaves nothing unlisted",
    ),
    Mutation(
        "indexes_kept_for_ever",
        "shared/store/artifacts.py",
        "while len(self._indexes) > KEPT_INDEXES:",
        "while False:",
        OPENED + "test_the_last_indexes_are_kept",
        "indexes in memory are few",
    ),
)
