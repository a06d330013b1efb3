"""Number words, units and months, as the claim gate reads them."""

from __future__ import annotations

import re

SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
)
SMALL_NUMBERS = {word: number for number, word in enumerate(SMALL.split())}
TENS = {
    word: 10 * (number + 2)
    for number, word in enumerate(["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"])
}
SCALES = {"hundred": 100, "thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000, "dozen": 12}
FRACTIONS = {
    "half": 0.5,
    "third": 1 / 3,
    "thirds": 1 / 3,
    "quarter": 0.25,
    "quarters": 0.25,
    "fifth": 0.2,
    "tenth": 0.1,
}
MONTH_NAMES = "january february march april may june july august september october november december"
MONTHS = MONTH_NAMES.split()

CLASS_WORDS = ("grade", "type", "phase", "stage", "class", "category", "group", "cohort", "arm", "factor")
"""Before a number or a letter these make the name of one of several: grade 3, type A."""
NUMERALS = {
    numeral: number
    for number, numeral in enumerate(
        ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"), start=1
    )
}
ROMAN = re.compile(r"(?<=[ /,-])[IVX]{1,4}(?=[A-Ea-e]?\b)")
NUMBERED_CLASS = re.compile(
    rf"\b(?i:{'|'.join(CLASS_WORDS)})(?i:s)?[ -](?:[IVX]{{1,4}}|\d+)[A-Ea-e]?\b"
    r"(?:\s*(?:/|-|,|to|and|or)\s*[IVX]{1,4}[A-Ea-e]?\b)?"
)

UNITS: dict[str, tuple[str, float]] = {}
"""The dimension of each unit and how many of the dimension's first unit it is."""
for _dimension, _table in {
    "time": "second=1 sec=1 minute=60 min=60 hour=3600 hr=3600 day=86400 night=86400 week=604800",
    "calendar": "month=1 year=12 decade=120 century=1200",
    "celsius": "celsius=1",
    "fahrenheit": "fahrenheit=1",
    "mass": "mcg=1e-6 µg=1e-6 microgram=1e-6 mg=1e-3 milligram=1e-3 g=1 gram=1 kg=1e3 kilogram=1e3 ton=1e6",
    "weight": "ounce=1 oz=1 pound=16 lb=16",
    "volume": "ml=1 milliliter=1 cc=1 dl=100 deciliter=100 l=1e3 liter=1e3",
    "kitchen": "teaspoon=1 tablespoon=3 cup=48 pint=96 quart=192 gallon=768",
    "length": "nm=1e-6 nanometer=1e-6 µm=1e-3 micrometer=1e-3 micron=1e-3 mm=1 millimeter=1 cm=10 centimeter=10 "
    "m=1e3 meter=1e3 km=1e6 kilometer=1e6",
    "distance": "inch=1 inche=1 foot=12 feet=12 yard=36 mile=63360",
    "energy": "calorie=1 kcal=1 kilocalorie=1",
    "joule": "kilojoule=1 kj=1",
    "pressure": "mmhg=1",
    "water": "cmh2o=1",
    "international": "unit=1 iu=1",
    "pound sterling": "£=1",
    "dollar": "$=1 dollar=1",
    "euro": "€=1 euro=1",
    "times": "times=1 fold=1",
}.items():
    for _entry in _table.split():
        _name, _factor = _entry.split("=")
        UNITS[_name] = (_dimension, float(_factor))

WORD_NUMBER = re.compile(
    rf"\b(?:(?:{'|'.join(TENS)})(?:[- ](?:{'|'.join(SMALL.split()[1:10])}))?|{'|'.join(SMALL.split()[1:])})\b"
)


def digits_for_numerals(text: str) -> str:
    """Roman numerals of classes in digits: "stage IVa" is stage 4a; any other I, V or X stays."""
    if not ROMAN.search(text):
        return text
    return NUMBERED_CLASS.sub(
        lambda match: ROMAN.sub(lambda numeral: str(NUMERALS.get(numeral.group(), numeral.group())), match.group()),
        text,
    )


def digits_for_words(text: str) -> str:
    """Number words in digits, in lower case: "twenty-five" is 25; "one" stays a word unless it counts something."""

    def put(match: re.Match[str]) -> str:
        parts = re.split(r"[- ]", match.group())
        return str(sum(TENS.get(part, SMALL_NUMBERS.get(part, 0)) for part in parts))

    text = digits_for_numerals(text).lower().replace("\u00a0", " ").replace("\u202f", " ")
    text = text.replace("\u2010", "-").replace("\u2011", "-")
    text = re.sub(r"(?<=[\d ])[–—](?=[\d ])", "-", text)
    text = re.sub(r"\bper thousand\b", "per 1,000", text)
    text = re.sub(r"\bone(?= (?:or|to) (?:\d|two|three|four|five|six))", "1", text)
    text = re.sub(
        r"\b(?<!no )(?<!this )(?<!each )(?<!the )(?<!any )one(?=[ -](?:half|third|quarter|fifth|tenth|in|out|full|time|"
        r"and a half|copy|dose|second|minute|hour|day|week|month|year|percent|\w+ in \w+)\b)",
        "1",
        text,
    )
    text = WORD_NUMBER.sub(lambda match: match.group() if match.group() == "one" else put(match), text)
    text = re.sub(r"\ba (?=hundred|thousand|million|billion|dozen\b)", "1 ", text)
    text = re.sub(r"\btwice\b", "2 times", text)
    text = re.sub(r"\bfever of (?=\d)", "fever ", text)
    text = re.sub(r"\b(\d+) and a half\b", r"\1.5", text)
    return re.sub(r"\b(1|2|3|4|a|an)[ -](half|thirds?|quarters?|fifths?|tenths?)\b", _fraction, text)


def _fraction(match: re.Match[str]) -> str:
    times = 1 if match.group(1) in ("a", "an") else int(match.group(1))
    return f"{100 * times * FRACTIONS[match.group(2)]:.4g} %"
