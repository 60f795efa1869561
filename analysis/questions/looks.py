"""Says why tests for a planned number of seeds are not valid for a run.

Input: runs. Output: a reason in words, for cards whose tests have no version that is valid at
every look (`analysis.questions.stopping` has the rules).
"""

from analysis.questions.stopping import rule_of
from analysis.runs.run import Run


def why_untested(*runs: Run, sampled: bool = False) -> str:
    """Why runs may not be tested as if their seeds were planned; empty if they may.

    Args:
        runs: one or more runs.
        sampled: whether the test takes their networks for a sample, whose size must have been
            planned as well.
    """
    for run in runs:
        rule, of = rule_of(run), f" of {run.name}" if len(runs) > 1 else ""
        if not rule.tested:
            return (
                f"not all trials{of} have ended, and a test at each look finds differences "
                "that are not there"
            )
        if rule.every_look:
            how = "were" if run.manifest.seeds_added else "may be"
            return f"seeds{of} {how} added after a look, and this test is for planned ones"
        if sampled and run.manifest.trials_added:
            return f"networks{of} were added after a look, and this test is for planned ones"
    return ""
