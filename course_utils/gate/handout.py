"""What students are sent: a lab's release as one zip, with a page that says what to do with it."""

from __future__ import annotations

import re

from course_utils.gate.colab import Place, for_colab
from course_utils.gate.points.leaks import search
from course_utils.grading.course import Course
from course_utils.grading.packing import wheel
from course_utils.grading.release_steps import is_kept_back
from course_utils.grading.zipping import zipped
from course_utils.ground import strict_json
from course_utils.ground.cells import source
from course_utils.ground.errors import LabError
from course_utils.ground.lab import Lab

PAGE = "README.txt"
_PIP = "python -m pip install "
# A system's Python often refuses to have anything installed, and should.
_OWN_ENVIRONMENT = (
    "python3 -m venv course && source course/bin/activate && {0}\n"
    "   (in this folder; on Windows: py -m venv course && course\\Scripts\\activate && {0};\n"
    "   in a new terminal, activate it again)"
)


def handout(
    course: Course, lab: Lab, *, hand_in: str, install: str = "", colab: Place | None = None
) -> bytes:
    """The zip of a released lab: a folder with all that the release holds, the package as a wheel,
    and the page.

    The course's repository, from which the package could be installed as well, holds the solutions.

    Args:
        course: whose release.
        lab: the instructor's folder, against which the release is held once more.
        hand_in: where to.
        install: the command that installs the package, where that is not the wheel.
        colab: where on GitHub the zip's folder will lie, if the notebook shall open in Colab.

    Raises:
        LabError: the lab is not released, or its release holds something that students must not
            see; or there can be no wheel.
    """
    released = _released(course, lab)
    files = {
        path.relative_to(released.folder).as_posix(): path.read_bytes()
        for path in sorted(released.folder.rglob("*"))
        if path.is_file() and not is_kept_back(path.relative_to(released.folder))
    }
    if found := [str(finding) for finding in search(files, lab)]:
        raise LabError(
            f"no handout of {lab.name} was made, because students would see:\n"
            + "\n".join(found)
            + f"\nmend it in {lab.folder} and release the lab again"
        )
    name, beside = released.notebook_path.name, sorted(files.keys() - {released.notebook_path.name})
    package = "" if colab is None else _to_install(install)
    if not install:
        package, data = wheel()
        files[package] = data
        install = _OWN_ENVIRONMENT.format(f"{_PIP}{package}")
    if colab is not None:
        notebook = for_colab(released.notebook, name, lab.name, colab, package, beside)
        files[name] = (strict_json.dumps(notebook, indent=1, ascii_only=False) + "\n").encode()
    files[PAGE] = _page(released, install, hand_in).encode()
    return zipped({f"{lab.name}/{name}": data for name, data in files.items()})


def _to_install(command: str) -> str:
    """What a command of pip's installs; nothing for no command.

    Raises:
        LabError: it is another one, which Colab could not be told.
    """
    if not command:
        return ""
    found = re.fullmatch(r"(?:(?:python|python3|py) -m )?pip3? install (\S.*)", command)
    if found is None:
        raise LabError(
            f"{command!r} is no command that Colab could be given: with --colab, --install is one "
            f"of pip's, as in {_PIP}PACKAGE"
        )
    return found[1]


def _released(course: Course, lab: Lab) -> Lab:
    try:
        return Lab.load(course.folder("release", ".", lab.name))
    except LabError as error:
        raise LabError(f"{error}; release the lab first: course release {lab.name}") from None


def _page(released: Lab, install: str, hand_in: str) -> str:
    """Five lines: what it is, and what to do, in order."""
    notebook = released.notebook_path.name
    first = released.exercises[0].name if released.exercises else "…"
    return (
        f"{_title(released)}\n"
        f"1. Install, once: {install}\n"
        f"2. Open: jupyter lab {notebook}   (in this folder, where the other files stay)\n"
        f'3. Check: run the cell check("{first}") below an exercise; hint("{first}") helps, '
        "progress() shows how far you are.\n"
        f"4. Hand in: save, then {notebook} alone, under this name, {hand_in}.\n"
    )


def _title(lab: Lab) -> str:
    for cell in lab.notebook["cells"]:
        if heading := re.search(r"^#\s+(.+)", source(cell), re.MULTILINE):
            return f"{heading[1].strip()} ({lab.name})"
    return lab.name
