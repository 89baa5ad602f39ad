"""Typed reading of the environment. Every mistake is collected, then told at once: the option's name and what to do."""

from __future__ import annotations

import base64
import ipaddress
import json
import os
import re
import secrets
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

import environs
from marshmallow.validate import OneOf, Range

BASE_DIR = Path(__file__).resolve().parent.parent
KEY_BYTES = 32
LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"


def stop(message: str) -> NoReturn:
    """End the program with a sentence instead of a traceback."""
    sys.stderr.write(f"Mindloom cannot start. {message}\n")
    raise SystemExit(2)


def new_key() -> str:
    """A key ring entry: an id from the date, and 32 random bytes in base64."""
    return f"k{datetime.now(UTC):%Y%m%d%H%M}:{base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()}"


def data_secret(data_dir: Path, name: str, make: Callable[[], str] = lambda: secrets.token_urlsafe(48)) -> str:
    """A secret that is made once and kept in the data folder, readable by its owner only."""
    path = data_dir / name
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            if value := path.read_text().strip():
                return value
            stop(f"{path} is empty. Remove it, and a new secret is made; what it protected can't be opened any more.")
        with os.fdopen(descriptor, "w") as file:
            file.write(value := make())
    except OSError as error:
        stop(
            f"The data folder {data_dir} can't be used: {error.strerror}. Make it writable, or set MINDLOOM_DATA to a folder that is."
        )
    return value


class Environment:
    """Reads options, keeps what was wrong, and gives defaults in its place until `refuse_if_wrong`."""

    def __init__(self) -> None:
        self._env = environs.Env()
        self._wrong: list[str] = []
        self._open: set[str] = set()

    def refuse_if_wrong(self) -> None:
        """Stop the start when any option was wrong."""
        if self._wrong:
            stop("Correct these options:\n  " + "\n  ".join(dict.fromkeys(self._wrong)))

    def wrong(self, name: str, what: str) -> None:
        """Note that an option is wrong: its name, then what is wrong and what to do."""
        self._wrong.append(f"{name} {what}")

    def open_options(self, but: tuple[str, ...]) -> dict[str, str]:
        """What is set of the options that were read and are not secret, without those whose names begin with one of `but`."""
        return {
            name: os.environ[name] for name in sorted(self._open) if name in os.environ and not name.startswith(but)
        }

    def _read(self, kind: str, name: str, default: Any, remedy: str, validate: Any = None) -> Any:
        self._open.add(name)
        try:
            return getattr(self._env, kind)(name, default, **({"validate": validate} if validate else {}))
        except environs.EnvError:
            self._wrong.append(f"{name} is {os.environ.get(name)!r}: {remedy}")
            return default

    def text(self, name: str, default: str) -> str:
        """Any text."""
        return str(self._read("str", name, default, "it must be text."))

    def flag(self, name: str, default: bool) -> bool:
        """`true` or `false`."""
        return bool(self._read("bool", name, default, "it must be true or false."))

    def whole(self, name: str, default: int, *, low: int, high: int) -> int:
        """A whole number within bounds."""
        remedy = f"it must be a whole number from {low} to {high}."
        return int(self._read("int", name, default, remedy, Range(low, high)))

    def number(self, name: str, default: float, *, low: float, high: float) -> float:
        """A number within bounds."""
        remedy = f"it must be a number from {low} to {high}."
        return float(self._read("float", name, default, remedy, Range(low, high)))

    def words(self, name: str, default: list[str]) -> list[str]:
        """Values separated by commas."""
        values = self._read("list", name, default, "it must be values separated by commas.")
        return [value.strip() for value in values if value.strip()]

    def choice(self, name: str, default: str, choices: list[str]) -> str:
        """One of `choices`."""
        return str(self._read("str", name, default, f"it must be one of {', '.join(choices)}.", OneOf(choices)))

    def networks(self, name: str, default: list[str]) -> list[Any]:
        """IP networks separated by commas."""
        try:
            return [ipaddress.ip_network(one) for one in self.words(name, default)]
        except ValueError as error:
            self._wrong.append(f"{name}: {error}. Write networks such as 10.1.0.0/16, separated by commas.")
            return []

    def label(self, name: str, default: str) -> str:
        """A name as Kubernetes takes it: small letters, digits and hyphens."""
        value = self.text(name, default)
        if not re.fullmatch(LABEL, value):
            self.wrong(name, f"is {value!r}: it must be at most 63 small letters, digits and hyphens.")
            return default
        return value

    def pairs(self, name: str) -> dict[str, str]:
        """Values as key=value, separated by commas."""
        found = [one.partition("=") for one in self.words(name, [])]
        if any(not key or not sign for key, sign, _ in found):
            self.wrong(name, "must be pairs such as disk=ssd, separated by commas.")
            return {}
        return {key.strip(): value.strip() for key, _, value in found}

    def tolerations(self, name: str) -> list[dict[str, Any]]:
        """Kubernetes' tolerations, as a JSON list of objects."""
        try:
            found = json.loads(self.text(name, "") or "[]")
        except ValueError:
            found = None
        known = {"key", "operator", "value", "effect", "tolerationSeconds"}
        if not isinstance(found, list) or not all(isinstance(one, dict) and one.keys() <= known for one in found):
            self.wrong(
                name, 'must be a JSON list such as [{"key": "runs", "operator": "Exists", "effect": "NoSchedule"}].'
            )
            return []
        return found

    def handed(self, name: str) -> dict[str, str] | None:
        """The secrets that a file hands over, by their places; None when there is no such file to read."""
        path = self.text(name, "")
        if not path:
            return None
        try:
            found = json.loads(Path(path).read_text())
        except (OSError, ValueError) as error:
            self.wrong(name, f"is {path!r}, which can't be read: {type(error).__name__}.")
            return {}
        return {str(place): str(secret) for place, secret in found.items()}

    def url_text(self, name: str, default: str) -> str:
        """An http or https address without a slash at its end."""
        value = self.text(name, default).rstrip("/")
        if not value and not default:
            return ""
        if urlsplit(value).scheme not in {"http", "https"} or not urlsplit(value).hostname:
            self._wrong.append(f"{name} is {value!r}: it must be an address such as https://mindloom.example.org.")
            return default
        if urlsplit(value).username is not None:
            self.wrong(name, "has a user or a password in it, which would be shown with it. Take them out.")
            return default
        return value

    def path_part(self, name: str, default: str) -> str:
        """One part of a path: letters, digits, hyphens."""
        value = self.text(name, default).strip("/")
        if not re.fullmatch(r"[A-Za-z0-9_-]+", value):
            self._wrong.append(f"{name} is {value!r}: it must be letters, digits and hyphens.")
            return default
        return value

    def data_dir(self, name: str, default: Path) -> Path:
        """A folder, as an absolute path; it is made when it is first used."""
        return Path(self.text(name, str(default))).expanduser().resolve()

    def secret(self, name: str) -> str:
        """The value of NAME, or the content of the file that NAME_FILE names; empty when neither is set."""
        path = os.environ.get(f"{name}_FILE")
        if path is None:
            return os.environ.get(name, "")
        if name in os.environ:
            self._wrong.append(f"{name} and {name}_FILE are both set: remove one.")
        try:
            return Path(path).read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            self._wrong.append(f"{name}_FILE is {path!r}, which can't be read: {error}.")
            return ""

    def again(self, name: str) -> str:
        """What a setting that is read elsewhere, too, was given as; empty when it was not."""
        return self.secret(name)

    def database(self, name: str, data_dir: Path) -> dict[str, Any]:
        """Django's connection values of a postgresql:// address; without one, of the embedded server."""
        from mindloom import embedded  # imports nothing heavy, and only here

        url = self.secret(name) or embedded.database_url(data_dir)
        try:
            return _database_values(url)
        except ValueError as error:
            self._wrong.append(f"{name}: {error} Write postgresql://user:password@host:5432/name.")
            return {}

    def redis(self, name: str, data_dir: Path) -> str:
        """A redis://, rediss:// or unix:// address; without one, of the embedded server."""
        from mindloom import embedded  # as above

        url = self.secret(name) or embedded.redis_url(data_dir)
        if urlsplit(url).scheme not in {"redis", "rediss", "unix"}:
            self._wrong.append(f"{name} must begin with redis://, rediss:// or unix://.")
        return url

    def bucket(self, name: str) -> str:
        """The name of a bucket; empty when there is none."""
        value = self.text(name, "")
        if value and not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", value):
            self._wrong.append(f"{name} is {value!r}: it must be 3 to 63 small letters, digits, hyphens and dots.")
        return value

    def server(self, name: str) -> str:
        """A server as host:port, or the path of its socket; empty when there is none."""
        value = self.text(name, "")
        if value and not re.fullmatch(r"/.+|(\[[0-9a-fA-F:]+\]|[\w.-]+):\d{1,5}", value):
            self._wrong.append(f"{name} is {value!r}: write host:port, or the path of a socket.")
        return value

    def in_s3(self, bucket: str, endpoint: str, region: str, prefix: str, key: str, secret: str) -> dict[str, Any]:
        """Django's storage values of a bucket. Without keys the machine's own role is used."""
        from botocore.config import Config  # loads much, and only where files are in a bucket

        if bool(key) != bool(secret):
            self._wrong.append("S3_ACCESS_KEY and S3_SECRET_KEY belong together: set both, or none.")
        if re.search(r"(^/|\\|\.\.)", prefix):
            self._wrong.append(
                f"S3_PREFIX is {prefix!r}: write it as a path without a slash before it, such as mindloom/files."
            )
        # With an address of one's own, the bucket is part of the path: other servers know no host names of buckets.
        style = "path" if endpoint else "auto"
        client = Config(
            s3={"addressing_style": style}, connect_timeout=5, read_timeout=30, retries={"total_max_attempts": 3}
        )
        return {
            "BACKEND": "storages.backends.s3.S3Storage",
            "OPTIONS": {
                "bucket_name": bucket,
                "endpoint_url": endpoint or None,
                "region_name": region or None,
                "access_key": key or None,
                "secret_key": secret or None,
                "location": prefix.strip("/"),
                "client_config": client,
                "file_overwrite": True,  # names are ours, and each is used once
                "default_acl": None,
                "max_memory_size": 2 * 1024 * 1024,  # what is larger is read through a file
            },
        }

    def key_ring(self, name: str, data_dir: Path) -> dict[str, bytes]:
        """Keys by id, newest first, from "id:base64" entries; without any, one that is made once in the data folder."""
        text = self.secret(name) or data_secret(data_dir, "key_ring", new_key)
        ring: dict[str, bytes] = {}
        for entry in re.split(r"[,\s]+", text.strip()):
            key_id, _, encoded = entry.partition(":")
            try:
                key = base64.b64decode(encoded, validate=True)
            except ValueError:
                key = b""
            if not re.fullmatch(r"[A-Za-z0-9-]{1,32}", key_id) or len(key) != KEY_BYTES or key_id in ring:
                self._wrong.append(
                    f"{name}: entries are id:key with {KEY_BYTES} bytes in base64, each id once (manage.py new_key makes one)."
                )
                return ring
            ring[key_id] = key
        return ring


def _database_values(url: str) -> dict[str, Any]:
    from psycopg import ProgrammingError  # the driver loads when there is something to read
    from psycopg.conninfo import conninfo_to_dict

    try:
        parts = conninfo_to_dict(url)
    except ProgrammingError as error:
        raise ValueError(str(error).strip() + ".") from None
    if not url.startswith(("postgres://", "postgresql://")) or not parts.get("dbname"):
        message = "it must be a postgresql:// address with a database name."
        raise ValueError(message)
    names = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    values: dict[str, Any] = {names[key]: value for key, value in parts.items() if key in names}
    values["OPTIONS"] = {key: value for key, value in parts.items() if key not in names}
    return values


env = Environment()
"""What the settings are read from."""
