"""A fake embedding model over real HTTP, which knows what words mean: those of one concept lie close together.

    python -m tests.fakes.embedder --port 0        prints the port, then serves until it is stopped
    with Embedder() as fake: fake.url, fake.asked, fake.fail(status, **headers), fake.fail(None)

Names and numbers mean next to nothing to it, as to real ones. The same text always has the same vector. What it knows is in
`CONCEPTS`; `POST /fail {"status": 503}` has every request fail until `{"status": null}`.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import re
import threading
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

DIMENSIONS = 200
CONCEPTS = """
refund reimbursement repayment moneyback compensate | invoice bill statement charge | holiday vacation leave absence furlough
salary wage pay earnings remuneration | laptop notebook computer workstation | password passphrase credential login
meeting appointment conference gathering | parking garage carpark stall | illness sickness disease ailment
doctor physician clinician medic | car automobile vehicle motorcar | train railway locomotive rail
airplane flight aircraft jet | hotel lodging accommodation inn | meal lunch dinner catering
contract agreement treaty covenant | termination dismissal firing layoff | recruit hire employ onboard
client customer buyer purchaser | vendor supplier seller provider | delivery shipment dispatch consignment
damage defect fault breakage | repair fix mend overhaul | insurance coverage policyholder indemnity
fire blaze flame burning | exit evacuation escape egress | visitor guest caller attendee
badge keycard pass lanyard | office premises building headquarters | heating warmth radiator boiler
cleaning janitorial hygiene tidying | noise loudness racket din | printer copier plotter duplicator
phone telephone handset mobile | email mailbox inbox correspondence | backup snapshot archive copy
outage downtime failure blackout | server host machine mainframe | budget allowance funds spending
tax levy duty tariff | discount rebate reduction markdown | price cost rate fee
deadline duedate timelimit cutoff | complaint grievance objection protest | feedback review appraisal evaluation
training course workshop lesson | manager supervisor boss superior | colleague coworker teammate peer
child kid infant youngster | pregnancy maternity expecting motherhood | retire pension superannuation annuity
bicycle bike cycle twowheeler | charger plug adapter powerpack | waste garbage trash rubbish
water tap faucet plumbing | kitchen pantry canteen cafeteria | furniture desk chair table
theft stealing burglary robbery | lawyer attorney solicitor counsel | privacy confidentiality secrecy discretion
"""


def concepts() -> list[list[str]]:
    """Words that mean the same, the usual one first."""
    return [group.split() for line in CONCEPTS.strip().splitlines() for group in line.split("|")]


@cache
def _meanings() -> dict[str, str]:
    return {word: group[0] for group in concepts() for word in group}


@cache
def _direction(name: str) -> tuple[float, ...]:
    chance = random.Random(name)
    return tuple(chance.gauss(0, 1) for _ in range(DIMENSIONS))


def vector(text: str) -> list[float]:
    """What a text means."""
    total = [0.01 * one for one in _direction("everything")]
    for word in re.findall(r"[a-z]+", text.lower()):
        meaning = _meanings().get(word) or _meanings().get(word.removesuffix("s"))
        weight = 1.0 if meaning else 0.05
        for place, one in enumerate(_direction(meaning or f"word {word}")):
            total[place] += weight * one
    length = math.sqrt(sum(one * one for one in total))
    return [round(one / length, 6) for one in total]


class Embedder:
    """The server, in a thread of its own when used as a context manager."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.failure: tuple[int, dict[str, str]] | None = None
        self.longest: int | None = None
        self._server: ThreadingHTTPServer | None = None

    @property
    def port(self) -> int:
        assert self._server is not None
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """The base URL of OpenAI's protocol."""
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def texts(self) -> list[str]:
        """Every text that was asked about."""
        return [text for batch in self.asked for text in batch]

    def fail(self, status: int | None, **headers: str) -> None:
        """Have every request fail so; None ends that."""
        self.failure = None if status is None else (status, headers)

    def open(self, port: int = 0) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self._server.daemon_threads = True

    def serve(self) -> None:
        assert self._server is not None
        self._server.serve_forever()

    def __enter__(self) -> Self:
        self.open()
        threading.Thread(target=self.serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, str], Any]:
        if path == "/fail":
            self.fail(body["status"])
            return 200, {}, {}
        if self.failure is not None:
            status, headers = self.failure
            return status, headers, {"error": {"message": "not now"}}
        if self.longest is not None and any(len(text) > self.longest for text in body["input"]):
            return 400, {}, {"error": {"message": "input is too long"}}
        self.asked.append(body["input"])
        rows = [{"index": place, "embedding": vector(text)} for place, text in enumerate(body["input"])]
        return 200, {}, {"data": rows[::-1], "model": body["model"]}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        embedder = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                status, headers, answer = embedder._answer(self.path, body)
                data = json.dumps(answer).encode()
                self.send_response(status)
                for name, value in {**headers, "content-type": "application/json"}.items():
                    self.send_header(name.replace("_", "-"), value)
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                """Quietly."""

        return Handler


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    server = Embedder()
    server.open(parser.parse_args().port)
    print(server.port, flush=True)
    server.serve()
