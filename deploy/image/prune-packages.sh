#!/bin/sh
# Removes from a node_modules folder what no program loads: source maps, TypeScript (Node runs none that is in a package), pages, and the
# packages' own tests. Licences stay.
set -eu
cd "$1"
find . -type f \( -name '*.map' -o -name '*.ts' -o -name '*.mts' -o -name '*.cts' \) -delete
find . -type f -iname '*.md' ! -iname '*licen[cs]e*' ! -iname '*notice*' -delete
find . -type f -path '*/swagger-ui-dist/swagger-ui-es-bundle*' -delete
# Beside a package.json only: elsewhere a folder of this name may be part of the program.
find . -type d \( -name test -o -name tests \) -prune | while read -r folder; do
  [ ! -f "$folder/../package.json" ] || rm -r "$folder"
done
