#!/usr/bin/env bash
# Run the jobs of an overlay one after the other on kubectl's current cluster, and resume where an earlier call stopped.
#
#   k8s/run.sh [OVERLAY] [EXPERIMENT]      as for k8s/render.sh, which names what is made
#
# Several experiments may run at once in one namespace: each call sees and changes the Jobs of its own alone.
# A job that is complete is left alone; one that failed, or whose manifests have changed since, is recreated and resumes from the
# volume. Ends with 1 when a job fails, with the last lines of its pod. Jobs that are TrainJobs of Kubeflow Trainer take their place in
# the order. Not for the overlays `jobset`, which is one object, and `pages`: those are for k8s/render.sh.
#   NAMESPACE=halfreal   the overlay's namespace        POLL_S=5   seconds between polls        LINES_SHOWN=40   of a failing pod
set -euo pipefail

overlay=${1:-cpu}
namespace=${NAMESPACE:-halfreal}
poll_s=${POLL_S:-5}
jobs=(preprocess train_classifier train_gan evaluate synthesize train_mixed tune report study selfcheck)

manifests=$(mktemp)
trap 'rm -f "$manifests"' EXIT
"$(dirname "$0")/render.sh" "$overlay" "${2:-}" >"$manifests" || { echo "run.sh: nothing is changed" >&2; exit 2; }
experiment=$(awk '/^    halfreal\/experiment: /{gsub("\"", "", $2); print $2; exit}' "$manifests")
mark=$(sha256sum <"$manifests" | cut -c1-16)
# imported images are scored after they are imported
if grep -q "halfreal/images: imported$" "$manifests"; then
    jobs=(preprocess train_classifier synthesize evaluate train_mixed tune report)
fi

# Call kubectl about the objects of this job and experiment alone: here VERB [WORDS...].
here() { kubectl --namespace "$namespace" "$1" "${@:2}" --selector "halfreal/job=$job,halfreal/experiment=$experiment"; }

# Print kind and name of the object that the job is: job, or trainjob; nothing if the overlay has none.
found() {
    awk -v wanted="$job" '/^kind: /{kind = tolower($2)} /^    halfreal\/job: /{job = $2}
        /^  name: / && job == wanted && kind ~ /job$/ {print kind, $2} /^---/{job = ""}' "$manifests"
}

# Print the state of the job: absent, or its conditions that are true, or nothing yet.
state() {
    local names
    names=$(here get "$kind" --output name) || return 1
    [ -n "$names" ] || { echo absent; return; }
    here get "$kind" --output 'jsonpath={.items[*].status.conditions[?(@.status=="True")].type}'
}

kubectl apply --filename "$manifests" --selector '!halfreal/job'

for job in "${jobs[@]}"; do
    read -r kind name < <(found) || continue
    now=$(state)
    seen=$([ "$now" = absent ] || here get "$kind" --output 'jsonpath={.items[*].metadata.annotations.halfreal/rendered}')
    if [ "$now" != absent ] && { [[ " $now " == *" Failed "* ]] || [ "$seen" != "$mark" ]; }; then
        echo "run.sh: $name failed before, or its manifests have changed: recreating it"
        here delete "$kind" --wait
        now=absent
    fi
    if [ "$now" = absent ]; then
        here apply --filename "$manifests"
        here annotate "$kind" --overwrite "halfreal/rendered=$mark" >/dev/null
    fi
    started=$SECONDS
    # `kubectl wait` takes one condition at a time and would wait forever on a failed job
    until now=$(state) && [[ " $now " == *" Complete "* || " $now " == *" Failed "* || $now == absent ]]; do
        sleep "$poll_s"
    done
    if [[ " $now " != *" Complete "* ]]; then
        echo "run.sh: $name: ${now}. The last lines of its pods:" >&2
        pods="batch.kubernetes.io/job-name=$name"
        [ "$kind" = job ] || pods="jobset.sigs.k8s.io/jobset-name=$name"    # Trainer makes a JobSet of that name
        kubectl --namespace "$namespace" logs --selector "$pods" --tail "${LINES_SHOWN:-40}" --prefix >&2 || true
        here get "$kind" --output 'jsonpath={.items[*].status.conditions[*].message}{"\n"}' >&2
        exit 1
    fi
    echo "run.sh: $name is complete ($((SECONDS - started)) s)"
done
