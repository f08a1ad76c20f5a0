"""The report formats by name. A format is loaded when it is used: the table needs rich, the others do not."""

from amiguard.report.interface import ALL, NEEDS_ATTENTION, Renderer, StatusFilter


def renderer_of(name: str) -> Renderer:
    """What writes the format `table`, `json` or `jsonl`."""
    match name:
        case "table":
            from amiguard.report.table import render_table

            return render_table
        case "json":
            from amiguard.report.json_document import render_json

            return render_json
        case "jsonl":
            from amiguard.report.jsonl import render_jsonl

            return render_jsonl
        case _:
            raise ValueError(name)


def default_statuses(name: str) -> StatusFilter:
    """What a format shows unless `--status` says otherwise: people want what needs attention, programs want all."""
    return NEEDS_ATTENTION if name == "table" else ALL
