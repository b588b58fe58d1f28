"""Mistakes with several experiments in one place, and with the workflows of other engines."""

from tests.checks.mutation import Mutation

EXPERIMENTS = "tests/containers/experiments"
WORKFLOWS = "tests/containers/workflows/test_workflows.py"

CLUSTERS = (
    Mutation(
        "cluster_deletes_any_experiment",
        "k8s/run.sh",
        '--selector "halfreal/job=$job,halfreal/experiment=$experiment"',
        '--selector "halfreal/job=$job"',
        f"{EXPERIMENTS}/test_run_script.py::test_two_experiments_share_a_namespace",
        "run.sh changes the Jobs of its own experiment alone",
    ),
    Mutation(
        "cluster_names_meet",
        "k8s/render.sh",
        '[ "$suffix" = "$experiment" ] ||',
        "true ||",
        f"{EXPERIMENTS}/test_experiments.py::test_names_that_read_alike_stay_apart",
        "`a_b` and `a-b` are two experiments in Kubernetes too",
    ),
    Mutation(
        "cluster_settings_shared",
        "k8s/experiment/transformers.yaml",
        "  - {kind: ConfigMap, path: metadata/name}\n",
        "",
        f"{EXPERIMENTS}/test_experiments.py::test_only_what_is_shared_has_a_name_without_the_experiment",
        "each experiment has settings of its own",
    ),
    Mutation(
        "cluster_page_of_any_experiment",
        "k8s/experiment/transformers.yaml",
        "  - {kind: Service, path: spec/selector, create: true}\n",
        "",
        f"{EXPERIMENTS}/test_experiments.py::test_a_page_is_reached_by_a_port_forward_alone",
        "a page shows the experiment that its name says",
    ),
    Mutation(
        "compose_one_project",
        "compose.yaml",
        "name: halfreal-${EXPERIMENT:-${RECIPE:-digits}}",
        "name: halfreal",
        "tests/containers/test_compose.py::test_each_experiment_is_a_project_of_its_own_on_one_volume",
        "`docker compose up` of one experiment does not stop another",
    ),
    Mutation(
        "workflow_waits_for_too_little",
        "k8s/workflows/table.py",
        "(*row.reads, *row.first, *row.behind)",
        "row.first",
        f"{WORKFLOWS}::test_a_job_waits_for_all_that_it_reads",
        "Argo and Kubeflow start a job after those that it reads",
    ),
)
