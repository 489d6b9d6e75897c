"""Whether a machine can grade: asked of the one that a command runs on, or of a cluster's."""

from __future__ import annotations

from course_utils.grading.worker import Settings
from course_utils.ground.errors import SandboxError
from course_utils.sandbox import launch
from course_utils.sandbox.client import Sandbox
from course_utils.sandbox.launch import Isolation


def obstacles(settings: Settings) -> list[str]:
    """What keeps this machine from grading, a sentence each."""
    wanted = settings.isolation is Isolation.BUBBLEWRAP
    if wanted and not (found := launch.availability()).works:
        return [
            f"bubblewrap does not work on this machine ({found.detail}); `course doctor` "
            "says more. Ask for --isolation process by name if you accept grading without a sandbox"
        ]
    if settings.limits.on_gpu:
        # A GPU that fails is the machine's fault; the sandbox says best what is wrong with it.
        try:
            Sandbox(settings.isolation, settings.limits, ["torch"]).try_out()
        except SandboxError as error:
            return [str(error)]
    return []
