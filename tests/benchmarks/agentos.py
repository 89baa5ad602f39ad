from typing import Any


def measure(*a: Any, **k: Any) -> Any: ...
