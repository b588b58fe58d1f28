"""The command `report`."""

from jobs.pipeline import JOB_NAMES, REPORT
from jobs.report.options import ReportOptions
from shared.cli.job import job
from shared.cli.run import How, Result, Run


@job(REPORT, ReportOptions, jobs=JOB_NAMES, how=How(preload=("jobs.report.page",)))
def main(run: Run, config: ReportOptions) -> Result:
    """Put the verdict, every figure and table and their lineage on one self-contained page, index.html."""
    from jobs.report.page import render
    from shared.disk.durable import write_whole
    from shared.store.records.report import ReportRecord

    page = render(run.inputs, run.reporter).encode()
    write_whole(run.folder / "index.html", page)
    return Result(ReportRecord(bytes=len(page)), summary=f"index.html, {len(page) / 1e6:.1f} MB, opens from disk")


if __name__ == "__main__":
    main()
