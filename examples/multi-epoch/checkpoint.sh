#!/bin/sh
# checkpoint.sh --epoch N: saves a checkpoint and tells where it is.
set -eu
epoch=$2
agent=${STAGEWRIGHT_AGENT_INDEX:-0}
file="$DATASET/checkpoint-$epoch-$agent"
mkdir -p "$DATASET"
date > "$file"
echo "{\"output\":{\"file\":\"$file\",\"epoch\":$epoch}}" >> "$STAGEWRIGHT_EVENTS"
echo "checkpoint: saved $file"
