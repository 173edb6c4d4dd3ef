"""Runs checkov on plans, in the environment that has it: a request a line comes in, a result a line goes out.

Nothing of the project is importable here: requests and results are JSON (`checks.policy.scan` has their keys).
checkov ends well whatever happened to it, so everything that would make a scan none is collected as a problem.
"""

import json
import logging
import os
import sys

# Before checkov is imported, which reads them then. Unknown attributes count as set; nothing is looked up.
os.environ |= {
    "CKV_PARSE_ERROR_FAIL": "true",
    "CKV_SKIP_PACKAGE_UPDATE_CHECK": "true",
    "EVAL_TF_PLAN_AFTER_UNKNOWN": "true",
    "LOG_LEVEL": "ERROR",
}


UNJUDGED = "launch-ready.unjudged"  # where a policy says that a value is known only after the deployment


class Messages(logging.Handler):
    """Keeps what is logged at a level or above."""

    def __init__(self, level: int) -> None:
        super().__init__(level)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """See logging.Handler."""
        reason = f": {record.exc_info[1]!r}" if record.exc_info else ""
        self.messages.append(record.getMessage() + reason)


def main() -> None:
    """Import while the caller plans, then scan what it asks for until it hangs up."""
    errors, unjudged = Messages(logging.ERROR), Messages(logging.WARNING)
    logging.getLogger(UNJUDGED).addHandler(unjudged)
    logging.getLogger(UNJUDGED).propagate = False
    import scanning

    # What checkov would print is in the result, and what it prints otherwise must not come between the results.
    results, sys.stdout = sys.stdout, sys.stderr
    logging.getLogger().handlers[:] = [errors]
    for request in sys.stdin:
        result = scanning.scan(json.loads(request))
        result["unjudged"] = sorted(set(unjudged.messages))
        result["problems"] += [f"checkov: {message}" for message in dict.fromkeys(errors.messages)]
        errors.messages.clear()
        unjudged.messages.clear()
        results.write(json.dumps(result) + "\n")
        results.flush()


if __name__ == "__main__":
    main()
