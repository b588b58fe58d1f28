#!/usr/bin/env bash
# Run the jobs of an overlay one after the other on kubectl's current cluster, and resume where an earlier call stopped.
#
#   k8s/run.sh [OVERLAY]        default: cpu; a folder below k8s/overlays, or the path of your own
#
# A job that is complete is left alone; one that failed, or whose manifests have changed since, is recreated and resumes from the
# volume. Ends with 1 when a job fails, with the last lines of its pod. Jobs that are TrainJobs of Kubeflow Trainer take their place in
# the order. Not for the overlay `jobset`, which is one object.
#   NAMESPACE=halfreal   the overlay's namespace        POLL_S=5   seconds between polls        LINES_SHOWN=40   of a failing pod
set -euo pipefail

overlay=${1:-cpu}
[ -d "$overlay" ] || overlay=$(dirname "$0")/overlays/$overlay
namespace=${NAMESPACE:-halfreal}
poll_s=${POLL_S:-5}
jobs=(preprocess train-classifier train-gan evaluate synthesize train-mixed tune report study selfcheck)

here() { kubectl --namespace "$namespace" "$@"; }

# Print the kind of the object that a job is: job, or trainjob.
kind_of() { awk -v named="  name: $1" '/^kind: /{kind = $2} $0 == named && kind ~ /Job$/ {print tolower(kind)}' <<<"$rendered"; }

# Print the state of a job: absent, or its conditions that are true, or nothing yet.
state() {
    local found
    found=$(here get "$kind" "$1" --ignore-not-found --output name) || return 1
    [ -n "$found" ] || { echo absent; return; }
    here get "$kind" "$1" --output 'jsonpath={.status.conditions[?(@.status=="True")].type}'
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
    kind=$(kind_of "$job")
    now=$(state "$job")
    seen=$([ "$now" = absent ] || here get "$kind" "$job" --output 'jsonpath={.metadata.annotations.halfreal/rendered}')
    if [ "$now" != absent ] && { [[ " $now " == *" Failed "* ]] || [ "$seen" != "$mark" ]; }; then
        echo "run.sh: $job failed before, or its manifests have changed: recreating it"
        here delete "$kind" "$job" --wait
        now=absent
    fi
    if [ "$now" = absent ]; then
        kubectl apply --kustomize "$overlay" --selector "halfreal/job=${job//-/_}"
        here annotate "$kind" "$job" --overwrite "halfreal/rendered=$mark" >/dev/null
    fi
    started=$SECONDS
    # `kubectl wait` takes one condition at a time and would wait forever on a failed job
    until now=$(state "$job") && [[ " $now " == *" Complete "* || " $now " == *" Failed "* || $now == absent ]]; do
        sleep "$poll_s"
    done
    if [[ " $now " != *" Complete "* ]]; then
        echo "run.sh: $job: ${now}. The last lines of its pods:" >&2
        pods="batch.kubernetes.io/job-name=$job"
        [ "$kind" = job ] || pods="jobset.sigs.k8s.io/jobset-name=$job"    # Trainer makes a JobSet of that name
        here logs --selector "$pods" --tail "${LINES_SHOWN:-40}" --prefix >&2 || true
        here get "$kind" "$job" --ignore-not-found --output 'jsonpath={.status.conditions[*].message}{"\n"}' >&2
        exit 1
    fi
    echo "run.sh: $job is complete ($((SECONDS - started)) s)"
done
