#!/bin/sh
# Writes this agent's share of 200 objects and reports how many are done.
set -eu
start=${STAGEWRIGHT_PARTITION_START:-0}
end=${STAGEWRIGHT_PARTITION_END:-200}
total=$((end - start))
mkdir -p "$DATASET/objects"
number=$start
while [ "$number" -lt "$end" ]; do
  echo "object $number" > "$DATASET/objects/$number"
  number=$((number + 1))
  if [ $(((number - start) % 50)) -eq 0 ] || [ "$number" -eq "$end" ]; then
    echo "{\"progress\":{\"done\":$((number - start)),\"total\":$total,\"errors\":0}}" >> "$STAGEWRIGHT_EVENTS"
  fi
done
echo "prepare: wrote $total objects"
