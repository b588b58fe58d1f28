#!/usr/bin/env bash
# Print the manifests of an overlay for one experiment: its name is in the names of its Jobs, settings and pages, and in their labels.
#
#   k8s/render.sh [OVERLAY] [EXPERIMENT] | kubectl apply -f -
#
# OVERLAY     a folder below k8s/overlays (default: cpu), or the path of your own
# EXPERIMENT  default: that of the overlay's settings, which is the recipe's name where they name none
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
overlay=${1:-cpu}
[ -d "$overlay" ] || overlay=$here/overlays/$overlay
[ -d "$overlay" ] || { echo "render.sh: no overlay $1: want a folder below $here/overlays, or the path of one" >&2; exit 2; }
overlay=$(cd "$overlay" && pwd)

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Print a value of the overlay's settings.
setting() { sed -n "s/^  $1: *\"\{0,1\}\([^\"]*\)\"\{0,1\}$/\1/p" "$scratch/plain.yaml" | tail -n 1; }

kubectl kustomize "$overlay" >"$scratch/plain.yaml" || { echo "render.sh: $overlay does not render" >&2; exit 2; }
experiment=${2:-$(setting HALFREAL_EXPERIMENT)}
experiment=${experiment:-$(setting HALFREAL_RECIPE)}
experiment=${experiment:-digits}
if ! [[ $experiment =~ ^[A-Za-z0-9]([A-Za-z0-9._-]{0,28}[A-Za-z0-9])?$ ]]; then
    echo "render.sh: experiment $experiment: want at most 30 of the characters a-z A-Z 0-9 . _ -, the first and last no . _ -" >&2
    exit 2
fi
# names of Kubernetes have small letters, digits and hyphens alone; what is not such a name gets a mark, so that no two meet
suffix=$(tr 'A-Z._' 'a-z--' <<<"$experiment")
[ "$suffix" = "$experiment" ] || suffix=$suffix-$(sha256sum <<<"$experiment" | cut -c1-4)

cp "$here/experiment/names.yaml" "$scratch"
sed -e "s/EXPERIMENT/$experiment/" -e "s/SUFFIX/$suffix/" "$here/experiment/transformers.yaml" >"$scratch/transformers.yaml"
cat >"$scratch/kustomization.yaml" <<END
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
sortOptions: {order: fifo}
resources: [plain.yaml]
configurations: [names.yaml]
transformers: [transformers.yaml]
END
if [ -n "${2:-}" ] && [ -n "$(setting HALFREAL_RECIPE)" ]; then
    cat >>"$scratch/kustomization.yaml" <<END
patches:
  - target: {kind: ConfigMap, name: settings}
    patch: |-
      - {op: add, path: /data/HALFREAL_EXPERIMENT, value: "$experiment"}
END
fi
kubectl kustomize "$scratch"
