"""Mistakes in how much memory a job believes to have, and in scores that go through sets in blocks."""

from tests.checks.mutation import Mutation

MEMORY = "shared/runtime/memory.py"
GROUPS = "shared/runtime/control_groups.py"
LIMITS = "tests/shared/runtime/test_control_groups.py::"
MEMORIES = "tests/shared/runtime/test_memory.py::"
RESOURCES = "tests/shared/cli/test_resource_options.py::"
BLOCKS = "tests/shared/metrics/features/test_rows.py::"

BOUNDED: tuple[Mutation, ...] = (
    Mutation(
        "the_container_has_no_limit",
        MEMORY,
        "for least in [container_bytes(root)] if least is not None]",
        "for least in [container_bytes(root)] if least is None]",
        MEMORIES + "test_the_least_of_all_is_the_limit",
        "a container's limit is less than the machine's memory, and the kernel kills what passes it",
    ),
    Mutation(
        "the_innermost_group_alone",
        GROUPS,
        "for level in (inner, *inner.parents):",
        "for level in (inner,):",
        LIMITS + "test_the_least_limit_of_the_groups_is_found",
        "a group around the own one may have the lower limit",
    ),
    Mutation(
        "quotas_of_version_1_are_not_seen",
        GROUPS,
        '_text(folder / "cpu.cfs_quota_us").split()',
        '_text(folder / "cpu.max").split()',
        LIMITS + "test_the_least_quota_of_the_groups_is_found",
        "a container of version 1 has no more threads than cores",
    ),
    Mutation(
        "processes_do_not_share",
        MEMORY,
        "return self.machine_bytes // self.processes",
        "return self.machine_bytes",
        MEMORIES + "test_processes_on_a_machine_share_its_memory",
        "8 ranks that each take half of the memory are killed",
    ),
    Mutation(
        "more_than_there_is",
        MEMORY,
        "Limit(*min(found, key=",
        "Limit(*max(found, key=",
        MEMORIES + "test_the_least_of_all_is_the_limit",
        "nobody gets more by --memory than machine and container have",
    ),
    Mutation(
        "replicates_do_not_share",
        "shared/runtime/pool.py",
        "os.environ | share | dict",
        "os.environ | dict",
        RESOURCES + "test_calls_next_to_each_other_share_the_memory",
        "replicates that run at once share the memory",
    ),
    Mutation(
        "a_gpu_is_free_to_others_alone",
        MEMORY,
        "mem_get_info(device)[0] + memory_reserved(device) - memory_allocated(device)",
        "mem_get_info(device)[0]",
        MEMORIES + "test_a_gpu_has_what_is_free_and_what_this_process_keeps",
        "what the allocator keeps is free to this process",
    ),
    Mutation(
        "covariance_of_the_last_block",
        "shared/metrics/features/frechet.py",
        "total = array if total is None else np.add(total, array, out=total)",
        "total = array",
        BLOCKS + "test_moments_in_blocks_give_the_same_distance",
        "moments are sums over all blocks",
    ),
    Mutation(
        "whole_classes_are_read",
        "shared/metrics/pixels.py",
        "(labels == label).nonzero().flatten()[:MOST_IMAGES]",
        "(labels == label).nonzero().flatten()",
        BLOCKS + "test_no_set_is_converted_whole",
        "of a class no more images are read than are measured",
    ),
    Mutation(
        "features_of_the_first_block_again",
        "jobs/evaluate/on_test.py",
        "range(start, min(start + EXTRACTED_IMAGES, len(learned)))",
        "range(0, min(EXTRACTED_IMAGES, len(learned)))",
        "tests/jobs/evaluate/test_evaluate.py::test_features_on_disk_find_the_same_copies",
        "copies are searched among all training images",
    ),
)
