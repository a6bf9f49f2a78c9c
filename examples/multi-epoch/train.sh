#!/bin/sh
# Reads objects until the stage's duration is over: it is then ended from outside, and that is success.
set -eu
samples=0
while :; do
  for object in "$DATASET"/objects/*; do
    read -r _ < "$object" || :
    samples=$((samples + 1))
  done
  echo "{\"progress\":{\"done\":$samples,\"total\":null,\"errors\":0}}" >> "$STAGEWRIGHT_EVENTS"
  echo "{\"metric\":{\"name\":\"samples\",\"value\":$samples,\"unit\":\"objects\",\"agg\":\"last\"}}" >> "$STAGEWRIGHT_EVENTS"
  sleep 0.2
done
