"""Converts between units of measure, exactly, without a network. Currencies are not among them: their rates change."""

from __future__ import annotations

from decimal import Context, Decimal, InvalidOperation
from typing import Any

from integrations.tools.base import Setup, Tool, function
from integrations.tools.wording import shortened
from mindloom.engine.ports import ToolContext, ToolError, ToolFunction

_CONTEXT = Context(prec=34)
_LARGEST = Decimal("1e30")
# Quantity -> unit -> how many base units it is. Names in small letters; the first name of a line is how it is written.
_UNITS: dict[str, dict[str, tuple[str, ...]]] = {
    "length": {"1": ("m", "metre", "meter"), "1000": ("km", "kilometre", "kilometer"), "0.01": ("cm", "centimetre", "centimeter"),
               "0.001": ("mm", "millimetre", "millimeter"), "0.0254": ("in", "inch", "inches"), "0.3048": ("ft", "foot", "feet"),
               "0.9144": ("yd", "yard"), "1609.344": ("mi", "mile"), "1852": ("nmi", "nautical mile")},
    "mass": {"1": ("kg", "kilogram", "kilo"), "0.001": ("g", "gram"), "0.000001": ("mg", "milligram"), "1000": ("t", "tonne", "metric ton"),
             "0.45359237": ("lb", "pound", "lbs"), "0.028349523125": ("oz", "ounce"), "6.35029318": ("st", "stone"), "907.18474": ("short ton", "us ton")},
    "area": {"1": ("m²", "m2", "sqm", "square metre", "square meter"), "1000000": ("km²", "km2", "square kilometre", "square kilometer"),
             "0.0001": ("cm²", "cm2", "square centimetre", "square centimeter"), "10000": ("ha", "hectare"), "4046.8564224": ("acre", "ac"),
             "0.09290304": ("ft²", "ft2", "sqft", "square foot", "square feet"), "0.00064516": ("in²", "in2", "square inch", "square inches"),
             "2589988.110336": ("mi²", "mi2", "square mile")},
    "volume": {"1": ("l", "litre", "liter"), "0.001": ("ml", "millilitre", "milliliter"), "0.01": ("cl", "centilitre"), "1000": ("m³", "m3", "cubic metre", "cubic meter"),
               "3.785411784": ("gal", "gallon", "us gallon"), "4.54609": ("imp gal", "imperial gallon", "uk gallon"), "0.473176473": ("pt", "pint", "us pint"),
               "0.0295735295625": ("fl oz", "fluid ounce", "us fluid ounce"), "0.2365882365": ("cup", "us cup"), "28.316846592": ("ft³", "ft3", "cubic foot", "cubic feet")},
    "time": {"1": ("s", "second", "sec"), "60": ("min", "minute"), "3600": ("h", "hour", "hr"), "86400": ("d", "day"), "604800": ("week", "wk"), "0.001": ("ms", "millisecond")},
    "speed": {"1": ("m/s", "metre per second", "meter per second"), "1/3.6": ("km/h", "kmh", "kph"), "0.44704": ("mph", "mile per hour", "miles per hour"), "1852/3600": ("kn", "knot")},
    "data": {"1": ("B", "byte"), "0.125": ("bit",), "1000": ("kB", "kilobyte"), "1000000": ("MB", "megabyte"), "1000000000": ("GB", "gigabyte"),
             "1000000000000": ("TB", "terabyte"), "1024": ("KiB", "kibibyte"), "1048576": ("MiB", "mebibyte"), "1073741824": ("GiB", "gibibyte"), "1099511627776": ("TiB", "tebibyte")},
    "energy": {"1": ("J", "joule"), "1000": ("kJ", "kilojoule"), "3600000": ("kWh", "kilowatt hour"), "3600": ("Wh", "watt hour"), "4.184": ("cal", "calorie"), "4184": ("kcal", "kilocalorie"), "1055.05585262": ("BTU",)},
    "power": {"1": ("W", "watt"), "1000": ("kW", "kilowatt"), "1000000": ("MW", "megawatt"), "745.69987158227022": ("hp", "horsepower"), "735.49875": ("PS", "metric horsepower")},
    "pressure": {"1": ("Pa", "pascal"), "100": ("hPa", "hectopascal", "mbar", "millibar"), "1000": ("kPa", "kilopascal"), "100000": ("bar",), "6894.757293168": ("psi",), "101325": ("atm", "atmosphere")},
    "consumption": {"1": ("l/100km", "l/100 km")},
    "temperature": {"1": ("°C", "c", "celsius", "degree celsius"), "2": ("°F", "f", "fahrenheit", "degree fahrenheit"), "3": ("K", "kelvin")},
}  # fmt: skip
_MPG = Decimal("235.214583333333333333333333333333")
_NAMES = {
    name.lower(): (quantity, factor, names[0])
    for quantity, units in _UNITS.items()
    for factor, names in units.items()
    for name in names
} | {"mpg": ("consumption", "mpg", "mpg")}


def _convert(arguments: dict[str, Any], context: ToolContext) -> str:
    try:
        value = Decimal(str(arguments["value"]))
    except InvalidOperation:
        raise ToolError("`value` is not a number.") from None
    if not value.is_finite() or abs(value) > _LARGEST:
        raise ToolError("The number is too large.")
    (quantity, one, written), (other_quantity, two, other) = _unit(arguments["from_unit"]), _unit(arguments["to_unit"])
    if quantity != other_quantity:
        raise ToolError(
            f"{written} measures {quantity} and {other} measures {other_quantity}; one cannot become the other."
        )
    result = _converted(quantity, value, one, two)
    return f"{_shown(value)} {written} = {_shown(result)} {other}"


def _converted(quantity: str, value: Decimal, one: str, two: str) -> Decimal:
    if quantity == "temperature":
        celsius = {"1": value, "2": _CONTEXT.divide((value - 32) * 5, Decimal(9)), "3": value - Decimal("273.15")}[one]
        if celsius < Decimal("-273.15"):
            raise ToolError("That is below absolute zero.")
        return {"1": celsius, "2": celsius * 9 / 5 + 32, "3": celsius + Decimal("273.15")}[two]
    if quantity == "consumption":
        if one != two and value <= 0:
            raise ToolError("A consumption is more than zero.")
        return value if one == two else _CONTEXT.divide(_MPG, value)
    return _CONTEXT.divide(_CONTEXT.multiply(value, _factor(one)), _factor(two))


def _factor(text: str) -> Decimal:
    above, _, below = text.partition("/")
    return _CONTEXT.divide(Decimal(above), Decimal(below or "1"))


def _unit(given: object) -> tuple[str, str, str]:
    text = " ".join(str(given).split()).lower().replace("^", "")
    found = _NAMES.get(text) or _NAMES.get(text.removesuffix("s")) or _NAMES.get(text.replace("degrees", "degree"))
    if found is None and text.endswith("s"):
        found = _NAMES.get(" ".join(part.removesuffix("s") for part in text.split()))
    if found is None:
        known = ", ".join(names[0] for units in _UNITS.values() for names in units.values())
        raise ToolError(
            f"The unit “{shortened(given, 40)}” is not known. Known are: {known}, mpg. Currencies are not converted."
        )
    return found


def _shown(number: Decimal) -> str:
    digits = max(0, 10 - max(number.adjusted(), -12))
    rounded = round(number, digits) if digits < 30 else number
    text = f"{rounded:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _functions(setup: Setup) -> list[ToolFunction]:
    unit = {"type": "string", "description": "Such as km, lb, °F, l/100km, GiB"}
    return [
        function(
            "convert_units",
            "Convert a measure into another unit: length, mass, area, volume, time, speed, data, energy, power, pressure, temperature.",
            {"value": {"type": "number"}, "from_unit": unit, "to_unit": unit},
            _convert,
            required=("value", "from_unit", "to_unit"),
        )
    ]


TOOL = Tool(
    key="units",
    name="Convert units",
    description="Converts measures from one unit to another.",
    icon="ruler",
    effect="reads",
    functions=_functions,
)
