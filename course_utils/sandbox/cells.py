"""How a cell ended, rebuilt from what its process sent: nothing there is taken on trust."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from course_utils import devices
from course_utils.outcome import Reason


@dataclass
class CellRun:
    """How one cell ended, and what it showed (in nbformat's form)."""

    index: int
    outputs: list[dict[str, Any]] = field(default_factory=list)
    execution_count: int | None = None
    reason: Reason | None = None
    message: str = ""
    seconds: float = 0.0


def cell_run(index: int, answer: dict[str, Any]) -> CellRun:
    run = CellRun(
        index,
        outputs=_clean_outputs(answer["outputs"]),
        execution_count=int(answer["execution_count"]),
        seconds=float(answer["seconds"]),
    )
    if answer["timed_out"]:
        run.reason = Reason.CELL_TIMEOUT
        run.message = f"cell {index + 1} was interrupted: it took too long"
    elif not answer["ok"]:
        error = next((o for o in run.outputs if o["output_type"] == "error"), None)
        if error and devices.out_of_memory(error["ename"], error["evalue"]):
            run.reason = Reason.DEVICE_OUT_OF_MEMORY
            run.message = (
                f"cell {index + 1} needed more memory than there is on the GPU, or is allowed "
                f"there: {devices.OUT_OF_MEMORY_ADVICE}"
            )
        else:
            what = f"{error['ename']}: {error['evalue']}"[:200] if error else "an error"
            run.reason = Reason.CELL_ERROR
            run.message = f"cell {index + 1} raises {what}"
    elif answer["cut"]:
        run.reason = Reason.OUTPUT_CUT
        run.message = f"cell {index + 1} printed too much; its output was cut off"
    return run


def _clean_outputs(outputs: Any) -> list[dict[str, Any]]:
    """Outputs rebuilt field by field, so that nothing but nbformat's own shapes is passed on."""
    clean: list[dict[str, Any]] = []
    for output in outputs:
        kind = output["output_type"]
        if kind == "stream":
            name = "stderr" if output["name"] == "stderr" else "stdout"
            clean.append({"output_type": kind, "name": name, "text": str(output["text"])})
        elif kind == "error":
            clean.append(
                {
                    "output_type": kind,
                    "ename": str(output["ename"]),
                    "evalue": str(output["evalue"]),
                    "traceback": [str(line) for line in output["traceback"]],
                }
            )
        elif kind in ("display_data", "execute_result"):
            entry: dict[str, Any] = {
                "output_type": kind,
                "data": {str(k): _plain(v) for k, v in output["data"].items()},
                "metadata": {},
            }
            if kind == "execute_result":
                entry["execution_count"] = int(output["execution_count"])
            clean.append(entry)
    return clean


def _plain(value: Any) -> Any:
    if isinstance(value, (str, int, float, bool)) or value is None:
        return value
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    return str(value)
