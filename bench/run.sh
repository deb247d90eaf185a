#!/usr/bin/env bash
# The table of speeds: networks that people train on a CPU, on one thread and on all cores, with the share of this
# machine's fused multiply-add peak that was measured in the same run. `./dev bench` builds and calls it.
#   bench/run.sh [SECONDS]      how long to measure each line, 3 if not given
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
app=build/release/chalkgrad
seconds=${1:-3}
cores=$(nproc)
threads=1
[ "$cores" -gt 1 ] && threads="1 $cores"


printf '| network | input | batch | threads | trained /s | of peak | predicted /s | of peak |\n'
printf '|---|---|--:|--:|--:|--:|--:|--:|\n'
peak=
while read -r net input batch; do
  for t in $threads; do
    json=$($app bench --net "$net" --input "$input" --batch "$batch" --threads "$t" --seconds "$seconds" --json)
    field() { sed -n "/\"$1\": {/,/}/s/.*\"$2\": \([0-9.e+-]*\).*/\1/p" <<<"$json"; }
    printf '| `%s` | %s | %s | %s | %.0f | %.0f %% | %.0f | %.0f %% |\n' "$net" "$input" "$batch" "$t" \
      "$(field training samples_per_second)" "$(awk "BEGIN{print 100 * $(field training of_peak)}")" \
      "$(field inference samples_per_second)" "$(awk "BEGIN{print 100 * $(field inference of_peak)}")"
    peak=$(sed -n 's/.*"peak_gflops": \([0-9.]*\).*/\1/p' <<<"$json")
    isa=$(sed -n 's/.*"instruction_set": "\([a-z0-9]*\)".*/\1/p' <<<"$json")
  done
done <<'END'
20c5-relu-mp2-40c5-relu-mp2-100n-relu-10n 1x28x28 64
16c3z-relu-mp2-32c3z-relu-mp2-64n-relu-10n 1x8x8 64
32c3z-relu-32c3z-relu-mp2-64c3z-relu-64c3z-relu-mp2-128n-relu-10n 3x32x32 64
100n-relu-10n 1x28x28 64
END
printf '\npeak %.1f GFLOP/s on %s threads, %s\n' "$peak" "${threads##* }" "$isa"
