#!/bin/sh
# Fails when a tool that the later stages use is not here.
set -eu
for tool in awk date mkdir rm; do
  command -v "$tool" > /dev/null || { echo "::error::$tool is not on the PATH"; exit 1; }
done
mkdir -p "$DATASET"
test -w "$DATASET"
echo "preflight: tools are here, $DATASET can be written"
