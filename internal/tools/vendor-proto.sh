#!/usr/bin/env bash
# Copies third-party .proto files from the npm packages that carry them, as pinned in package-lock.json.
set -euo pipefail
cd "$(dirname "$0")/../.."
modules=node_modules
copy() { # <package's file> <path below vendor.protogen>
  mkdir -p "vendor.protogen/$(dirname "$2")"
  cp "$modules/$1" "vendor.protogen/$2"
}
for name in annotations http; do
  copy "google-proto-files/google/api/$name.proto" "google/api/$name.proto"
done
for name in code error_details status; do
  copy "google-proto-files/google/rpc/$name.proto" "google/rpc/$name.proto"
done
copy grpc-health-check/proto/health/v1/health.proto grpc/health/v1/health.proto
copy @grpc/grpc-js/proto/protoc-gen-validate/validate/validate.proto validate/validate.proto
