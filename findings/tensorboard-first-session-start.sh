#!/usr/bin/env bash
# One would guess: where a run that was killed is resumed and its second event file begins with SessionLog.START at the step
#   it goes on from, as SummaryWriter(purge_step=…) of PyTorch writes, every reader of TensorBoard drops what the killed
#   run wrote from that step on.
# What happens: the default server does, and EventAccumulator does. `tensorboard --load_fast=false` takes the first START
#   of a run for its beginning, whatever stands before it, and drops nothing: steps are there twice. With a START at step 0
#   in the first file, too, all agree.
# Versions: TensorBoard 2.21.0 with tensorboard-data-server 0.7.2.
# Who is hurt: whoever resumes training and looks where the default server does not run, as on platforms for which its
#   package has no binary. Curves go back and forth.
set -eu

folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2> /dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"

if ! python3 -m venv venv > log 2>&1 ||
   ! venv/bin/pip install -q tensorboard==2.21.0 tensorboard-data-server==0.7.2 setuptools==80.9.0 >> log 2>&1; then
  echo "cannot run: needs python3 with venv, and PyPI"
  exit 77
fi

cat > write.py <<'END'
import time

from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.summary.writer.event_file_writer import EventFileWriter


def write(folder, steps, suffix, start):
    writer = EventFileWriter(folder, filename_suffix=suffix)
    if start is not None:
        log = event_pb2.SessionLog(status=event_pb2.SessionLog.START)
        writer.add_event(event_pb2.Event(wall_time=time.time(), step=start, session_log=log))
    for step in steps:
        value = summary_pb2.Summary.Value(tag="loss", simple_value=1.0 / (step + 1))
        writer.add_event(event_pb2.Event(wall_time=time.time(), step=step, summary=summary_pb2.Summary(value=[value])))
    writer.close()


for name, first in (("once", None), ("twice", 0)):
    write(f"runs/{name}", range(10), ".a", first)
    time.sleep(1.1)  # files are read in the order of their names, which begin with the second
    write(f"runs/{name}", range(5, 12), ".b", 5)
END
venv/bin/python write.py

cat > points.py <<'END'
import json
import sys
import time
import urllib.request

for _ in range(100):
    time.sleep(0.2)
    try:
        where = f"http://127.0.0.1:{sys.argv[1]}/data/plugin/scalars/scalars?tag=loss&run={sys.argv[2]}"
        with urllib.request.urlopen(where) as answer:
            print(" ".join(str(step) for _, step, _ in json.load(answer)))
        break
    except (OSError, ValueError):
        pass
END

shown() {  # shown RUN OPTION: the steps that the page is given
  local port
  port=$(venv/bin/python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  venv/bin/tensorboard --logdir runs --port "$port" "$2" > server.log 2>&1 &
  server=$!
  venv/bin/python points.py "$port" "$1"
  kill "$server" && wait "$server" 2> /dev/null || true
  server=
}

whole="0 1 2 3 4 5 6 7 8 9 10 11"
result=0
for run in once twice; do
  fast=$(shown $run --load_fast=true)
  slow=$(shown $run --load_fast=false)
  echo "START $run: steps by the default server     $fast"
  echo "START $run: steps with --load_fast=false    $slow"
  [ "$fast" = "$whole" ] || result=1
  if [ $run = once ]; then [ "$slow" = "0 1 2 3 4 5 6 7 8 9 5 6 7 8 9 10 11" ] || result=1; else [ "$slow" = "$whole" ] || result=1; fi
done
[ "$result" = 0 ] || exit 1
