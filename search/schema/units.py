"""Formats and reads amounts and durations as people write them."""

import re

_WRITTEN = re.compile(r"(?:\d+(?:\.\d+)?[smhd])+")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_STEPS = ((10**12, "T"), (10**9, "G"), (10**6, "M"), (10**3, "K"))


def format_amount(number: float) -> str:
    """Format an amount: `3.95G`, `24.4M`, `940`: three digits and a unit."""
    for size, unit in _STEPS:
        value = abs(number) / size
        if round(value, 3) >= 1:  # 999,999 is 1.00M, not 1000K
            decimals = 2 if value < 10 else 1 if value < 100 else 0
            return f"{number / size:.{decimals}f}{unit}"
    return f"{number:.0f}"


def duration(seconds: float) -> str:
    """Format a duration: `8 s`, `3 min 20 s`, `5 h 10 min`."""
    whole = round(seconds)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def seconds(text: str) -> float:
    """`25m`, `90s`, `1h30m` or `2d` in seconds.

    Raises:
        ValueError: any other text, or a time of zero.
    """
    terms = re.findall(r"([\d.]+)([smhd])", text) if _WRITTEN.fullmatch(text) else []
    total = sum(float(number) * _SECONDS[unit] for number, unit in terms)
    if not total:
        raise ValueError(f"{text!r} is not a time; write one such as 25m, 90s or 1h30m")
    return total
