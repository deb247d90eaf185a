#!/usr/bin/env python3
"""Builds chalkgrad's wheels and tests them in fresh environments: ./dev wheel.

    tools/wheel.py [--program FILE] [--objects FILE] [--only 3.13] [--sdist] [--without-tests]
    tools/wheel.py [--program FILE] --objects FILE --module

For every Python found (python3.10 … 3.19, python3.13t … 3.19t, those of pyenv, python3) there is a wheel that fits: one for
the stable ABI of 3.12 and later, made with the newest, and one each for older and for free-threaded ones. Wheels go to
build/wheel/dist. The oldest and the newest Python test theirs, with the oldest NumPy that they take and the newest one, in
environments that have nothing else (the newest also scikit-learn); free-threaded ones test theirs with the newest NumPy.
--only names one Python, such as 3.13 or 3.13t, and builds and tests its wheel alone.

--objects: the objects.cmake of a release build, whose objects are linked instead of being compiled again.
--program: the command line, whose weights the tests compare with.
--sdist: also builds the source distribution, and from that a wheel as pip would, without zig.
--module: no wheel; builds the module for the Python that runs this, linked as it is usual here, and tests it with NumPy alone.
"""

import argparse
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import time

SOURCE = pathlib.Path(__file__).resolve().parents[1]
WORK = SOURCE / "build/wheel"
DIST = WORK / "dist"
STABLE = (3, 12)  # the first Python whose stable ABI is enough for nanobind
OLDEST = (3, 10)
OLDEST_NUMPY = {(3, 10): "1.23.5", (3, 11): "1.23.5", (3, 12): "1.26.4", (3, 13): "2.1.3"}
PLATFORM = f"manylinux_2_28_{platform.machine()}"


def say(text):
    print(text, flush=True)


def run(*command, **more):
    """Runs quietly; what it said is shown if it failed."""
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, **more)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout[-6000:]}{done.stderr[-6000:]}")
    return done.stdout


def pythons():
    """The interpreters that are here, newest first: {(3, 13): path, (3, 13, "t"): path of a free-threaded one}."""
    candidates = [shutil.which(f"python3.{minor}{kind}") for minor in range(OLDEST[1], 20) for kind in ("", "t")]
    candidates.append(shutil.which("python3"))
    pyenv = pathlib.Path(os.environ.get("PYENV_ROOT", pathlib.Path.home() / ".pyenv"))
    candidates = sorted(pyenv.glob("versions/*/bin/python3")) + candidates
    found = {}
    for path in filter(None, candidates):
        code = ("import sys, sysconfig, pathlib, venv; print(*sys.version_info[:2], "
                "(pathlib.Path(sysconfig.get_path('include')) / 'Python.h').exists(), "
                "sysconfig.get_config_var('Py_GIL_DISABLED'))")
        said = subprocess.run([path, "-c", code], capture_output=True, text=True)
        if said.returncode == 0:
            major, minor, headers, free_threaded = said.stdout.split()
            version = (int(major), int(minor)) + (("t",) if free_threaded == "1" else ())
            if headers == "True" and version >= OLDEST:
                found[version] = str(path)
    return dict(sorted(found.items(), reverse=True))


def name(version):
    return f"{version[0]}.{version[1]}{''.join(version[2:])}"


def is_free_threaded(version):
    return len(version) > 2


def takes_stable(version):
    return version >= STABLE and not is_free_threaded(version)


def environment(folder, python, *packages):
    """A virtual environment with these packages; kept while they stay the same."""
    stamp = folder / "packages.txt"
    wanted = "\n".join([python, *packages])
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        run(python, "-m", "venv", folder)
        run(folder / "bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--prefer-binary",
            *packages)
        stamp.write_text(wanted, encoding="utf-8")
    return folder / "bin/python"


def requirements():
    lines = (SOURCE / "tools/wheel-requirements.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def build(version, python, objects):
    """The wheel for that Python; its path."""
    begun = time.monotonic()
    tools = environment(WORK / f"tools-{name(version)}", python, *requirements())
    zig = run(tools, "-c", "import ziglang, pathlib; print(pathlib.Path(ziglang.__file__).parent / 'zig')").strip()
    made = WORK / f"made-{name(version)}"
    shutil.rmtree(made, ignore_errors=True)
    defines = {"CHALKGRAD_ZIG": zig, "CMAKE_CXX_FLAGS_RELEASE": "-O2 -DNDEBUG"}
    if objects:
        defines["CHALKGRAD_OBJECTS"] = objects.resolve()
    if ccache := shutil.which("ccache"):
        defines["CMAKE_CXX_COMPILER_LAUNCHER"] = ccache
    settings = [f"-Ccmake.define.{key}={value}" for key, value in defines.items()]
    path = f"{tools.parent}{os.pathsep}{os.environ['PATH']}"
    run(tools, "-m", "build", "--wheel", "--no-isolation", "--outdir", made, *settings, SOURCE,
        env={**os.environ, "PATH": path})
    built = next(made.glob("*.whl"))
    run(tools, "-m", "wheel", "tags", "--remove", f"--platform-tag={PLATFORM}", built)
    built = next(made.glob("*.whl"))
    DIST.mkdir(parents=True, exist_ok=True)
    target = DIST / built.name
    shutil.move(built, target)
    say(f"built   {target.name}, {target.stat().st_size / 1e6:.2f} MB, with Python {name(version)} in "
        f"{time.monotonic() - begun:.0f} s")
    return target


def test(version, python, wheel, numpy, extra, program):
    begun = time.monotonic()
    tested = environment(WORK / f"test-{name(version)}-{'with' if extra else 'without'}", python, numpy, *extra)
    run(tested, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--force-reinstall", "--no-deps", wheel)
    variables = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    variables |= {"CHALKGRAD_WHEEL": str(wheel), "PYTHONDONTWRITEBYTECODE": "1"}
    if program:
        variables["CHALKGRAD_PROGRAM"] = str(program.resolve())
    said = subprocess.run([tested, "-m", "unittest", "discover", "-s", SOURCE / "python/tests", "-p", "*_test.py"],
                          capture_output=True, text=True, env=variables, cwd=WORK)
    versions = run(tested, "-c", "import numpy, sys; print('Python', sys.version.split()[0], 'NumPy', numpy.__version__)").strip()
    last = [line for line in said.stderr.splitlines() if line][-1:]
    say(f"tested  {wheel.name} on {versions}{' with ' + ', '.join(extra) if extra else ''}: {' '.join(last)} "
        f"({time.monotonic() - begun:.0f} s)")
    if said.returncode:
        sys.exit(said.stderr[-8000:])


def build_module(objects, program):
    """The package without a wheel around it, tested where it was built: the shortest way to know that the bindings work."""
    begun = time.monotonic()
    nanobind = next(line for line in requirements() if line.startswith("nanobind"))
    python = environment(WORK / "module-tools", sys.executable, nanobind, "numpy")
    made, package = WORK / "module", WORK / "module/package/chalkgrad"
    run("cmake", "-S", SOURCE / "python", "-B", made, "-G", "Ninja", f"-DPython_EXECUTABLE={python}", "-DCMAKE_BUILD_TYPE=Release",
        f"-DCHALKGRAD_OBJECTS={objects.resolve()}", f"-DCMAKE_CXX_COMPILER_LAUNCHER={shutil.which('ccache') or ''}")
    run("cmake", "--build", made, "--target", "_engine")
    shutil.rmtree(package, ignore_errors=True)
    shutil.copytree(SOURCE / "python/chalkgrad", package, ignore=shutil.ignore_patterns("__pycache__", "*.so"))
    for module in made.glob("_engine*.so"):
        shutil.copy(module, package)
    say(f"built   {package.relative_to(SOURCE)} in {time.monotonic() - begun:.0f} s")
    begun = time.monotonic()
    variables = {**os.environ, "PYTHONPATH": str(package.parent), "PYTHONDONTWRITEBYTECODE": "1"}
    if program:
        variables["CHALKGRAD_PROGRAM"] = str(program.resolve())
    said = subprocess.run([python, "-m", "unittest", "discover", "-s", SOURCE / "python/tests", "-p", "*_test.py"],
                          capture_output=True, text=True, env=variables, cwd=WORK)
    print(said.stderr[-8000:] if said.returncode else "\n".join(said.stderr.splitlines()[-3:]))
    say(f"tested  with Python {name(sys.version_info[:2])} in {time.monotonic() - begun:.0f} s")
    return said.returncode


def build_from_source(version, python):
    """The sdist, and a wheel from it with whatever compiler and libraries are here."""
    begun = time.monotonic()
    tools = environment(WORK / f"tools-{name(version)}", python, *requirements())
    for old in DIST.glob("*.tar.gz"):
        old.unlink()
    run(tools, "-m", "build", "--sdist", "--no-isolation", "--outdir", DIST, SOURCE)
    sdist = next(DIST.glob("*.tar.gz"))
    made = WORK / "made-from-source"
    shutil.rmtree(made, ignore_errors=True)
    path = f"{tools.parent}{os.pathsep}{os.environ['PATH']}"
    run(tools, "-m", "pip", "wheel", "--no-build-isolation", "--no-deps", "--wheel-dir", made, sdist,
        env={**os.environ, "PATH": path})
    say(f"built   {sdist.name}, {sdist.stat().st_size / 1e6:.2f} MB, and from it {next(made.glob('*.whl')).name} in "
        f"{time.monotonic() - begun:.0f} s")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=pathlib.Path)
    parser.add_argument("--objects", type=pathlib.Path)
    parser.add_argument("--only")
    parser.add_argument("--sdist", action="store_true")
    parser.add_argument("--without-tests", action="store_true")
    parser.add_argument("--module", action="store_true")
    options = parser.parse_args()
    if options.module:
        if not options.objects:
            parser.error("--module needs --objects, of a release build")
        sys.exit(build_module(options.objects, options.program))
    found = pythons()
    if options.only:
        found = {version: path for version, path in found.items() if name(version) == options.only}
    if not found:
        sys.exit(f"there is no Python with its headers{' ' + options.only if options.only else ''}: install python3-dev, "
                 f"or one of {name(OLDEST)} and later")
    say("found   " + ", ".join(f"{name(version)} ({path})" for version, path in found.items()))
    usual = [version for version in found if not is_free_threaded(version)]
    stable = [version for version in found if takes_stable(version)]
    wheels = {}
    for version, path in found.items():
        if not takes_stable(version) or version == stable[0]:
            wheels[version] = build(version, path, options.objects)
    for version in stable[1:]:
        wheels[version] = wheels[stable[0]]
    if not options.without_tests:
        for version in found:
            if is_free_threaded(version):
                test(version, found[version], wheels[version], "numpy", ["scikit-learn"], options.program)
        if usual:
            newest, oldest = max(usual), min(usual)
            if newest != oldest or not options.only:
                test(oldest, found[oldest], wheels[oldest], f"numpy=={OLDEST_NUMPY.get(oldest, '2.3.5')}", [], options.program)
            test(newest, found[newest], wheels[newest], "numpy", ["scikit-learn", "pandas", "mypy", "basedpyright", "nanobind", "nbclient", "ipykernel"], options.program)
        if len(stable) > 1:  # the stable ABI's promise
            test(stable[-1], found[stable[-1]], wheels[stable[-1]], f"numpy=={OLDEST_NUMPY[stable[-1]]}", [], options.program)
    if options.sdist:
        newest = max(usual or found)
        build_from_source(newest, found[newest])


if __name__ == "__main__":
    main()
