#!/bin/sh
# Removes what the run made.
set -eu
rm -rf -- "${DATASET:?}"
echo "cleanup: removed $DATASET"
