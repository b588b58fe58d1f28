#!/usr/bin/env bash
# Run the jobs of an overlay one after the other on kubectl's current cluster, and resume where an earlier call stopped.
#
#   k8s/run.sh [OVERLAY]        default: cpu; a folder below k8s/overlays, or the path of your own
#
# A job that is complete is left alone; one that failed, or whose manifests have changed since, is recreated and resumes from the
# volume. Ends with 1 when a job fails, with the last lines of its pod. For a cluster without JobSet; not for the overlay `jobset`.
#   NAMESPACE=halfreal   the overlay's namespace        POLL_S=5   seconds between polls        LINES_SHOWN=40   of a failing pod
set -euo pipefail

overlay=${1:-cpu}
[ -d "$overlay" ] || overlay=$(dirname "$0")/overlays/$overlay
namespace=${NAMESPACE:-halfreal}
poll_s=${POLL_S:-5}
jobs=(preprocess train-classifier train-gan evaluate synthesize train-mixed tune report study selfcheck)

here() { kubectl --namespace "$namespace" "$@"; }

# Print the state of a job: absent, or its conditions that are true, or nothing yet.
state() {
    local found
    found=$(here get job "$1" --ignore-not-found --output name) || return 1
    [ -n "$found" ] || { echo absent; return; }
    here get job "$1" --output 'jsonpath={.status.conditions[?(@.status=="True")].type}'
}

rendered=$(kubectl kustomize "$overlay") || { echo "run.sh: $overlay does not render" >&2; exit 2; }
# imported images are scored after they are imported
if [[ $rendered == *"halfreal/images: imported"$'\n'* ]]; then
    jobs=(preprocess train-classifier synthesize evaluate train-mixed tune report)
fi
mark=$(sha256sum <<<"$rendered" | cut -c1-16)
kubectl apply --kustomize "$overlay" --selector '!halfreal/job'

for job in "${jobs[@]}"; do
    [[ $rendered == *"halfreal/job: ${job//-/_}"$'\n'* ]] || continue
    now=$(state "$job")
    seen=$([ "$now" = absent ] || here get job "$job" --output 'jsonpath={.metadata.annotations.halfreal/rendered}')
    if [ "$now" != absent ] && { [[ " $now " == *" Failed "* ]] || [ "$seen" != "$mark" ]; }; then
        echo "run.sh: $job failed before, or its manifests have changed: recreating it"
        here delete job "$job" --wait
        now=absent
    fi
    if [ "$now" = absent ]; then
        kubectl apply --kustomize "$overlay" --selector "halfreal/job=${job//-/_}"
        here annotate job "$job" --overwrite "halfreal/rendered=$mark" >/dev/null
    fi
    started=$SECONDS
    # `kubectl wait` takes one condition at a time and would wait forever on a failed job
    until now=$(state "$job") && [[ " $now " == *" Complete "* || " $now " == *" Failed "* || $now == absent ]]; do
        sleep "$poll_s"
    done
    if [[ " $now " != *" Complete "* ]]; then
        echo "run.sh: $job: ${now}. The last lines of its pods:" >&2
        here logs --selector "batch.kubernetes.io/job-name=$job" --tail "${LINES_SHOWN:-40}" --prefix >&2 || true
        here get job "$job" --ignore-not-found --output 'jsonpath={.status.conditions[*].message}{"\n"}' >&2
        exit 1
    fi
    echo "run.sh: $job is complete ($((SECONDS - started)) s)"
done
