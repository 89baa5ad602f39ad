"""The weather of a place, now and in the coming days, from Open-Meteo."""

from __future__ import annotations

from typing import Any

from integrations.tools.base import Setup, Tool, function
from integrations.tools.calling import ask
from integrations.tools.csv_table import markdown
from integrations.tools.wording import limit, needed, shortened, whole
from mindloom.engine.ports import ToolContext, ToolError, ToolFunction

GEOCODING = "https://geocoding-api.open-meteo.com/v1/search"
FORECAST = "https://api.open-meteo.com/v1/forecast"
_MOST, _DEFAULT = 14, 3
_SKY = {
    0: "clear sky", 1: "mainly clear", 2: "partly cloudy", 3: "overcast", 45: "fog", 48: "fog with rime",
    51: "light drizzle", 53: "drizzle", 55: "dense drizzle", 56: "freezing drizzle", 57: "dense freezing drizzle",
    61: "light rain", 63: "rain", 65: "heavy rain", 66: "freezing rain", 67: "heavy freezing rain",
    71: "light snow", 73: "snow", 75: "heavy snow", 77: "snow grains", 80: "light showers", 81: "showers", 82: "violent showers",
    85: "snow showers", 86: "heavy snow showers", 95: "thunderstorm", 96: "thunderstorm with hail", 99: "thunderstorm with heavy hail",
}  # fmt: skip
_DAILY = ("weather_code", "temperature_2m_min", "temperature_2m_max", "precipitation_sum", "wind_speed_10m_max")


def _weather(arguments: dict[str, Any], context: ToolContext) -> str:
    place = _place(needed(arguments, "place", "where", 100), str(arguments.get("country") or "").strip().lower())
    found = ask(
        "The weather service",
        FORECAST,
        {
            "latitude": place.get("latitude"),
            "longitude": place.get("longitude"),
            "current": "temperature_2m,weather_code,wind_speed_10m,relative_humidity_2m",
            "daily": ",".join(_DAILY),
            "timezone": "auto",
            "forecast_days": whole(arguments, "days", _DEFAULT, _MOST),
        },
    )
    try:
        now, daily = found["current"], found["daily"]
        rows = [
            [str(day), _sky(code), f"{low:.0f} to {high:.0f} °C", f"{rain or 0:g} mm", f"{wind or 0:.0f} km/h"]
            for day, code, low, high, rain, wind in zip(daily["time"], *(daily[name] for name in _DAILY), strict=True)
            if low is not None and high is not None
        ]
        current = (
            f"{now['temperature_2m']:.0f} °C, {_sky(now['weather_code'])}, wind {now['wind_speed_10m']:.0f} km/h, "
            f"humidity {now['relative_humidity_2m']:.0f} %"
        )
        at = str(now["time"])[:16].replace("T", " ")
    except (KeyError, TypeError, ValueError):
        raise ToolError("The weather service answered in a form that cannot be read. Try again later.") from None
    where = ", ".join(str(place[key]) for key in ("name", "admin1", "country") if place.get(key))
    table = markdown(["Day", "Sky", "Temperature", "Rain or snow", "Wind"], rows)
    return f"{shortened(where, 200)} (times in {shortened(found.get('timezone'), 40)})\nNow, {at}: {current}.\n\n{table}\n\nSource: Open-Meteo"


def _place(name: str, country: str) -> dict[str, Any]:
    found = ask("The weather service", GEOCODING, {"name": name, "count": 10, "language": "en", "format": "json"})
    places = [one for one in (found.get("results") if isinstance(found, dict) else None) or [] if isinstance(one, dict)]
    if country:
        places = [
            one for one in places if country in {str(one.get("country_code")).lower(), str(one.get("country")).lower()}
        ]
    if not places:
        inside = f" in {shortened(country, 40)}" if country else ""
        raise ToolError(
            f"The place “{shortened(name, 60)}” was not found{inside}. Give the name of a town, without its street."
        )
    return places[0]


def _sky(code: object) -> str:
    return _SKY.get(int(code), "unknown") if isinstance(code, int | float) else "unknown"


def _functions(setup: Setup) -> list[ToolFunction]:
    return [
        function(
            "weather",
            "Tell the weather of a place now and the forecast for the coming days.",
            {
                "place": {"type": "string", "description": "A town, such as Vienna"},
                "country": {"type": "string", "description": "Its country or country code, when the name is not clear"},
                "days": limit(_MOST, _DEFAULT),
            },
            _weather,
            required=("place",),
        )
    ]


TOOL = Tool(
    key="weather",
    name="Weather",
    description="Tells the weather of a place and its forecast.",
    icon="cloud-sun",
    effect="reads",
    functions=_functions,
)
