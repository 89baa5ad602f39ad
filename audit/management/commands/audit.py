"""`manage.py audit verify`: whether the audit trail is what was recorded."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from audit.services import anchor, record, replace_key, verify


class Command(BaseCommand):
    help = "Verify the audit trail (exit code 1 when it does not hold), store its end, or go on with a new key."

    def add_arguments(self, parser: Any) -> None:
        what = parser.add_subparsers(dest="what", required=True)
        checking = what.add_parser(
            "verify", help="Name the first entry that is altered, missing, inserted or reordered."
        )
        checking.add_argument(
            "--expect", default="", metavar="SEQ:SUM", help="An end of the chain that an earlier verify said."
        )
        what.add_parser("anchor", help="Store the end of the chain in the file store now, as the scheduler does.")
        what.add_parser("renew", help="Go on with a new key, when the last one cannot be opened any more.")

    def handle(self, *args: Any, **options: Any) -> None:
        getattr(self, f"_{options['what']}")(options)

    def _verify(self, options: dict[str, Any]) -> None:
        verdict = verify(options["expect"])
        for problem in verdict.problems:
            self.stdout.write(problem)
        if not verdict.holds:
            self.stdout.write(f"The audit trail does not hold; {verdict.count:,} entries before that are proven.")
            raise SystemExit(1)
        self.stdout.write(f"The audit trail holds: {verdict.count:,} entries. It ends at {verdict.head}")

    def _anchor(self, options: dict[str, Any]) -> None:
        self.stdout.write("Stored." if anchor() else "Nothing new since the last time.")

    def _renew(self, options: dict[str, Any]) -> None:
        number = replace_key()
        record(actor=None, action="audit.key_replaced", number=number)
        self.stdout.write(f"The audit trail goes on with key {number}.")
