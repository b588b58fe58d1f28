"""Mistakes in how decoded pixels are shared, kept and put in order."""

from tests.checks.mutation import Mutation

FILES = "tests/shared/data/decoded/test_files.py::"
PLACES = "tests/shared/data/decoded/test_places.py::"
STREAMED = "tests/shared/data/decoded/test_streamed.py::"
BATCHES = "tests/shared/data/test_batches.py::"
ORDER = "tests/shared/data/test_order.py::"
FILLING = "shared/data/decoded/filling.py"

DECODED: tuple[Mutation, ...] = (
    Mutation(
        "every_job_decodes_again",
        "shared/data/decoded/files.py",
        "return bool(said == description(folder, work))",
        "return False",
        FILES + "test_who_comes_second_decodes_nothing",
        "images are decoded once on a volume",
    ),
    Mutation(
        "altered_pixels_are_trusted",
        "shared/data/decoded/files.py",
        '"mtime_ns": found.st_mtime_ns,',
        '"mtime_ns": 0,',
        FILES + "test_an_altered_file_is_made_again",
        "a file that was written to since is made again",
    ),
    Mutation(
        "pieces_are_done_twice",
        FILLING,
        "if not mine or self.marks.is_done(piece):",
        "if self.marks.is_done(piece):",
        FILES + "test_processes_that_begin_together_share_the_work",
        "processes that begin together share the work",
    ),
    Mutation(
        "every_rank_decodes_all",
        FILLING,
        "for piece in range(rank, pieces, world):",
        "for piece in range(pieces):",
        FILES + "test_each_of_four_ranks_decodes_its_quarter",
        "each rank reads its share of the shards",
    ),
    Mutation(
        "lost_writes_are_trusted",
        FILLING,
        'np.flatnonzero(marks["boot"] != boot)',
        "[]",
        FILES + "test_pieces_of_another_start_of_the_machine_are_checked",
        "after a power cut what did not reach the disk is decoded again",
    ),
    Mutation(
        "a_full_disk_stays_full",
        FILLING,
        "        if isinstance(error, Unusable) and error.full:\n",
        "        if False:\n",
        FILES + "test_a_full_disk_is_left_as_it_was",
        "half a file is not left on a full disk",
    ),
    Mutation(
        "one_file_for_all_filters",
        "shared/data/decoded/work.py",
        ', "filter": self.filter}',
        "}",
        FILES + "test_another_size_is_made_once_too",
        "pixels of another filter are other pixels",
    ),
    Mutation(
        "pixels_on_tmpfs",
        "shared/data/decoded/places.py",
        "if not in_memory(place.folder))",
        "if place)",
        PLACES + "test_a_cache_in_memory_is_not_used",
        "a cache on a disk takes no memory",
    ),
    Mutation(
        "the_newest_pixels_are_cleaned",
        "shared/data/decoded/places.py",
        "key=lambda entry: entry[0])",
        "key=lambda entry: -entry[0])",
        PLACES + "test_a_limit_cleans_what_was_used_longest_ago",
        "what was used longest ago is cleaned first",
    ),
    Mutation(
        "who_joins_finds_no_room",
        "shared/data/decoded/places.py",
        "needed_bytes - written >",
        "needed_bytes >",
        PLACES + "test_what_others_have_written_of_it_is_its_own",
        "processes that make a file together all find room for it",
    ),
    Mutation(
        "a_resumed_run_begins_again",
        "shared/data/batches.py",
        "count(plan.first, plan.batch_images)",
        "count(plan.rank * plan.share, plan.batch_images)",
        BATCHES + "test_a_resumed_run_reads_on_where_it_stopped",
        "a run that goes on sees the images that it has not seen",
    ),
    Mutation(
        "a_stream_is_read_whole",
        "shared/data/pixels.py",
        'if self.residence == "memory" and self.nbytes',
        "if self.nbytes",
        STREAMED + "test_a_run_that_goes_on_reads_nothing_before",
        "a run that goes on reads nothing before its batch",
    ),
    Mutation(
        "large_epochs_are_alike",
        "shared/data/order.py",
        "self.total, derive_seed(self.seed, epoch))",
        "self.total, self.seed)",
        ORDER + "test_an_epoch_has_every_sample_once",
        "each epoch has an order of its own",
    ),
)
